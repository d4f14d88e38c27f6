// The forward pass: tokens in, logits out; the transformer of BitNet b1.58 and its relatives.
//
// Room: engine. Reads like the paper, a line a step; the steps are in forward*.cpp. A norm whose
// gain the layer does not have is left out. A batch of tokens, of one text or of several, gives the
// bits of single tokens, in whatever number of tasks, with zeros skipped or not (docs/numerics.md).
// Sources: Ma et al. 2024 (b1.58), the 2B-4T report 2025 (sub-norms, ReLU^2), Touvron et al. 2023
// (the Llama block), the Qwen3 report 2025 (head norms), the Gemma 3 report 2025 (post norms,
// GELU).
#pragma once

#include <algorithm>
#include <atomic>
#include <span>

#include "tern/engine/activations.hpp"
#include "tern/engine/kv_cache.hpp"
#include "tern/engine/token_mask.hpp"
#include "tern/model/model.hpp"
#include "tern/platform/cancel_flags.hpp"
#include "tern/platform/thread_pool.hpp"
#include "tern/text/vocabulary_data.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// One run over a batch. Lives on the stack of a call; allocates nothing. Between begin() and the
/// last logits all that it needs is in the activations, so that a later call can take it up again.
/// Threads: one at a time; the steps inside run as tasks.
class ForwardPass {
 public:
  /// `skipped` counts what single tokens skip; null: nothing is skipped. `cancelled` is viewed.
  ForwardPass(const Model& model, const TaskRunner& runner, Activations& activations,
              CancelFlags cancelled, SkipCounts* skipped)
      : model_(model),
        kernels_(model.kernels()),
        config_(model.config()),
        runner_(runner),
        act_(activations),
        cancelled_(cancelled),
        skipped_(skipped) {}

  /// Runs all layers over the tokens of `texts`, in their order; keys and values of those positions
  /// are in the texts' caches afterwards, hidden states in the activations.
  /// Requires: tokens in the vocabulary, as many as the texts have; at most the activations' batch;
  /// each cache has room for its text, and holds what comes before its run.
  /// Errors: cancelled, non_finite. After an error the caches are unchanged before the runs.
  /// Cost: a cancel ends it within a part of a layer over kVectorTokens tokens, whatever the batch.
  Result<void> run(std::span<const TokenId> tokens, std::span<const TextRun> texts) {
    begin(tokens, texts);
    for (size_t layer = 0; layer < config_.n_layers; ++layer) TERN_TRY(run_layer(layer));
    return {};
  }

  /// run() in slices: begin, then every layer in order; in between, another ForwardPass over the
  /// same activations can resume.
  void begin(std::span<const TokenId> tokens, std::span<const TextRun> texts) {
    resume(texts);
    embed(tokens);
  }
  void resume(std::span<const TextRun> texts);
  Result<void> run_layer(size_t layer) {
    activity_ = act_.activity.empty() ? nullptr : &act_.activity[layer];
    attention_block(layer);
    feed_forward_block(layer);
    return check();
  }

  /// Logits of tokens [first, first + count) of the batch that was run. Shapes: logits [count],
  /// each of [vocab_size]. Errors: cancelled, non_finite. Cost: reads the head once for each
  /// kVectorTokens, of it only the rows that a mask allows.
  Result<void> logits(size_t first, std::span<float* const> logits, TokenMasks masks = {});

  /// logits() in slices, of at most kVectorTokens tokens: the head's input, then runs of its rows.
  /// Shapes: masks [count] or empty; logits that a mask rules out are kMaskedLogit.
  Result<void> begin_logits(size_t first, size_t count);
  Result<void> logit_rows(size_t begin, size_t end, std::span<float* const> logits,
                          TokenMasks masks = {});

  /// The logits that a mask allows of a token whose features are given (Session::features). Shapes:
  /// features [model_dim], logits [vocab_size]. Errors: those of logits().
  Result<void> logits_of(std::span<const float> features, TokenMask mask, std::span<float> logits);

  /// The n_best largest logits of a token that a mask allows (HeadSearch::run).
  /// Shapes: logits [vocab_size]. Requires: a head in planes; n_best > 0. Errors: those of
  /// logits().
  Result<void> best_logits(size_t token, size_t n_best, TokenMask mask, std::span<float> logits,
                           HeadCounts& counts);

  /// The embedding of the text that ends with a token of the batch that was run (docs/numerics.md
  /// 14). Shapes: [model_dim]. Errors: non_finite.
  Result<void> embedding(size_t token, float* out);

 private:
  // h <- h + post(W_o norm(attention(W_q a, W_k a, W_v a))),  a = norm(h)
  void attention_block(size_t layer) {
    const LayerWeights& w = model_.weights().layers[layer];
    multiply(act_.residual, w.attn_norm, {config_.input_quantizer(), &LayerActivity::qkv_inputs},
             {{{&w.attn_q, &act_.q}, {&w.attn_k, &act_.k}, {&w.attn_v, &act_.v}}});
    attend(layer);
    add_product(act_.mixed, w.attn_sub_norm,
                {config_.output_quantizer(), &LayerActivity::output_inputs}, w.attn_output,
                w.post_attention_norm);
  }

  // h <- h + post(W_down norm(act(W_gate f) * W_up f)),  f = norm(h)
  void feed_forward_block(size_t layer) {
    const LayerWeights& w = model_.weights().layers[layer];
    const LayerInput input{config_.input_quantizer(), &LayerActivity::ffn_inputs};
    if (skips_rows(w)) {
      multiply(act_.residual, w.ffn_norm, input, {{{&w.ffn_gate, &act_.gate}}});
      multiply_live_rows(w.ffn_up);
    } else {
      multiply(act_.residual, w.ffn_norm, input,
               {{{&w.ffn_gate, &act_.gate}, {&w.ffn_up, &act_.up}}});
    }
    activate();
    add_product(act_.gate, w.ffn_sub_norm, {config_.plain_quantizer(), &LayerActivity::down_inputs},
                w.ffn_down, w.post_ffw_norm);
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

  /// How an input becomes integers, and where its zeros are counted.
  struct LayerInput {
    Quantizer quantizer;
    ZeroCount LayerActivity::*zeros;
  };

  void count_zero_codes(size_t width, ZeroCount& count) const;
  void count_dead_gates();
  void embed(std::span<const TokenId> tokens);
  void multiply(const Tensor<float, 2>& input, const Buffer<float>& gain, const LayerInput& kind,
                const Products& products, bool adds = false);
  const Tensor<float, 2>& normalize(const Tensor<float, 2>& input, const Buffer<float>& gain);
  void quantize(const Tensor<float, 2>& input, const Buffer<float>& gain, const LayerInput& kind);
  QuantizedToken quantize_row(const float* x, const float* gain, size_t width, Quantizer quantizer,
                              size_t token);
  void multiply_quantized(const Products& products, bool adds);
  void multiply_units(const Product& product, size_t begin, size_t end, bool adds, size_t task);
  void multiply_run(const Product& product, size_t begin, size_t end, size_t task);
  void add_product(const Tensor<float, 2>& input, const Buffer<float>& gain, const LayerInput& kind,
                   const TernaryMatrix& matrix, const Buffer<float>& post_gain);
  void add_delta(size_t begin, size_t end);
  void add_normed_delta(const Buffer<float>& gain);
  ActivationView quantized_token(size_t t) const;
  template <typename List>
  size_t list_live(const List& list);
  void multiply_live_rows(const TernaryMatrix& matrix);
  void multiply_live_columns(const TernaryMatrix& matrix, ZeroCount SkipCounts::*count, bool adds);
  bool turn_heads(float* heads, size_t n_heads, const Buffer<float>& gain, const float* cos,
                  const float* sin);
  void store_heads(size_t layer, size_t t, size_t begin, size_t end);
  void attend(size_t layer);
  void attend_by_heads(size_t layer, size_t work);
  void attend_block(size_t layer, const TokenBlock& block, size_t head, size_t heads, size_t task);
  void attend_token(size_t layer, size_t token);
  AttentionView attention_view(size_t layer, size_t token, size_t head, size_t heads) const;
  size_t window_of(size_t layer) const {
    return config_.slides(layer) ? config_.window : kMaxContext;
  }
  void activate();
  bool quantize_head(size_t token);
  bool head_block(const HeadInput& input, size_t begin, size_t end, std::span<float* const> logits,
                  TokenMasks masks);

  bool skips_rows(const LayerWeights& w) const {
    return n_ <= kVectorTokens && skipped_ != nullptr && is_rows(w.ffn_up.view().packing);
  }
  template <typename F>
  void for_tokens(F&& f);
  size_t task_count(size_t work_bytes, size_t for_each = Activations::kTasks) const;
  bool is_stopped() const;
  Result<void> check() const;

  const Model& model_;
  const KernelTable& kernels_;
  const ModelConfig& config_;
  const TaskRunner& runner_;
  Activations& act_;
  CancelFlags cancelled_;
  SkipCounts* skipped_;
  LayerActivity* activity_ = nullptr;    // of the layer that runs; null: nothing is counted
  std::atomic<bool> non_finite_{false};  // set by any task, which stops all
  size_t n_ = 0;                         // tokens of the batch
  size_t reach_ = 0;                     // the most positions that one of them sees
};

/// f(token) for every token of the batch, as tasks of neighbouring tokens.
template <typename F>
void ForwardPass::for_tokens(F&& f) {
  if (is_stopped()) return;
  const size_t tasks = std::min({runner_.n_workers(), kMaxStepTasks, n_});
  runner_.run(tasks, [&](size_t task) {
    for (size_t t = n_ * task / tasks; t < n_ * (task + 1) / tasks && !is_stopped(); ++t) f(t);
  });
}

TERN_NAMESPACE_END
