// The forward pass: tokens in, logits out; the transformer of BitNet b1.58 and its relatives.
//
// Room: engine. Reads like the paper, a line a step; the steps are in forward.inl.hpp. A batch of n
// tokens at positions [position, position + n) gives the bits of n single tokens, in whatever
// number of tasks (docs/numerics.md). Sources: Ma et al. 2024 (b1.58), the 2B-4T report 2025
// (sub-norms, ReLU^2), Touvron et al. 2023 (the Llama block).
#pragma once

#include <atomic>
#include <span>

#include "tern/engine/activations.hpp"
#include "tern/engine/kv_cache.hpp"
#include "tern/model/model.hpp"
#include "tern/platform/thread_pool.hpp"
#include "tern/text/vocabulary_data.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// One run over a batch. Lives on the stack of Session::evaluate; allocates nothing.
/// Threads: one at a time; the steps inside run as tasks.
class ForwardPass {
 public:
  ForwardPass(const Model& model, const TaskRunner& runner, KvCache& cache,
              Activations& activations, const std::atomic<bool>& cancelled)
      : model_(model),
        kernels_(model.kernels()),
        config_(model.config()),
        runner_(runner),
        cache_(cache),
        act_(activations),
        cancelled_(cancelled) {}

  /// Runs all layers over tokens at [position, position + tokens.size()); keys and values of those
  /// positions are in the cache afterwards, hidden states in the activations.
  /// Requires: tokens in the vocabulary; at most the activations' batch; the cache has room.
  /// Errors: cancelled, non_finite. After an error the cache is unchanged below `position`.
  Result<void> run(std::span<const TokenId> tokens, size_t position) {
    n_ = tokens.size();
    position_ = position;
    embed(tokens);
    for (size_t layer = 0; layer < config_.n_layers; ++layer) {
      attention_block(layer);
      feed_forward_block(layer);
      TERN_TRY(check());
    }
    return {};
  }

  /// Logits of token `index` of the batch that was run. Shapes: logits [vocab_size].
  /// Errors: cancelled, non_finite.
  Result<void> logits(size_t index, float* logits);

 private:
  // h <- h + W_o norm(attention(W_q a, W_k a, W_v a)),  a = norm(h)
  void attention_block(size_t layer) {
    const LayerWeights& w = model_.weights().layers[layer];
    normalize_and_quantize(act_.residual, w.attn_norm);
    multiply({{{&w.attn_q, &act_.q}, {&w.attn_k, &act_.k}, {&w.attn_v, &act_.v}}});
    rotate_and_store(layer);
    attend(layer);
    if (config_.sub_norms) {
      normalize_and_quantize(act_.mixed, w.attn_sub_norm);
    } else {
      quantize(act_.mixed);
    }
    multiply({{{&w.attn_output, &act_.delta}}});
    add_to_residual();
  }

  // h <- h + W_down norm(act(W_gate f) * W_up f),  f = norm(h)
  void feed_forward_block(size_t layer) {
    const LayerWeights& w = model_.weights().layers[layer];
    normalize_and_quantize(act_.residual, w.ffn_norm);
    multiply({{{&w.ffn_gate, &act_.gate}, {&w.ffn_up, &act_.up}}});
    activate();
    if (config_.sub_norms) {
      normalize_and_quantize(act_.gate, w.ffn_sub_norm);
    } else {
      quantize(act_.gate);
    }
    multiply({{{&w.ffn_down, &act_.delta}}});
    add_to_residual();
  }

  /// Linear layers that share an input, each with where its outputs go.
  struct Product {
    const TernaryMatrix* matrix = nullptr;
    Tensor<float, 2>* output = nullptr;
  };
  struct Products {
    static constexpr size_t kMost = 3;
    Product items[kMost];
  };

  void embed(std::span<const TokenId> tokens);
  void normalize_and_quantize(const Tensor<float, 2>& input, const Buffer<float>& gain);
  void quantize(const Tensor<float, 2>& input);
  void multiply(const Products& products);
  void rotate_and_store(size_t layer);
  void rotate_heads(float* heads, size_t n_heads, size_t token);
  void attend(size_t layer);
  void activate();
  void add_to_residual();

  void quantize_row(const float* row, size_t width, size_t token);
  void pack_if_batched(size_t width);
  template <typename F>
  void for_tokens(F&& f);
  size_t task_count(size_t work_bytes) const;
  bool is_stopped() const;
  Result<void> check() const;

  const Model& model_;
  const KernelTable& kernels_;
  const ModelConfig& config_;
  const TaskRunner& runner_;
  KvCache& cache_;
  Activations& act_;
  const std::atomic<bool>& cancelled_;
  std::atomic<bool> non_finite_{false};  // set by any task, read between steps
  size_t n_ = 0;                         // tokens of the batch
  size_t position_ = 0;                  // of the first
};

TERN_NAMESPACE_END

#include "tern/engine/forward.inl.hpp"  // IWYU pragma: export
