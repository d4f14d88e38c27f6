// The steps of the forward pass.
//
// Room: engine. Included by forward.hpp. Steps over tokens are tasks by token; products are tasks
// by row tiles; attention by (token, head). No task waits for another, and no result depends on the
// cut.
#pragma once

#include <algorithm>

#include "tern/engine/forward.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {
/// Below this many bytes of weights (times tokens) a task costs more to hand over than to do.
inline constexpr size_t kBytesPerTask = 96 * 1024;
/// Head rows between two looks at the cancel flag.
inline constexpr size_t kHeadRowsPerBlock = 128;
}  // namespace detail

inline size_t ForwardPass::task_count(size_t work_bytes) const {
  const size_t worth = work_bytes / detail::kBytesPerTask + 1;
  return std::min({runner_.n_workers(), kMaxStepTasks, worth});
}

/// f(token) for every token of the batch, as tasks of neighbouring tokens.
template <typename F>
void ForwardPass::for_tokens(F&& f) {
  if (is_stopped()) return;
  const size_t tasks = std::min({runner_.n_workers(), kMaxStepTasks, n_});
  runner_.run(tasks, [&](size_t task) {
    for (size_t t = n_ * task / tasks; t < n_ * (task + 1) / tasks; ++t) f(t);
  });
}

// Once stopped, the remaining steps of a layer do nothing; check() then says why.
inline bool ForwardPass::is_stopped() const {
  return non_finite_.load(std::memory_order_relaxed) || cancelled_.load(std::memory_order_relaxed);
}

inline Result<void> ForwardPass::check() const {
  if (non_finite_.load(std::memory_order_relaxed)) {
    return Error(Status::non_finite, "an activation is not finite");
  }
  if (cancelled_.load(std::memory_order_relaxed)) return Error(Status::cancelled, "cancelled");
  return {};
}

inline void ForwardPass::embed(std::span<const TokenId> tokens) {
  const HeadView& table = model_.weights().embedding;
  const std::span<const double> frequencies = model_.rope_frequencies();
  for_tokens([&](size_t t) {
    kernels_.decode_row(table, static_cast<size_t>(tokens[t]), act_.residual.row(t));
    kernels_.rope_angles(static_cast<uint32_t>(position_ + t), frequencies.data(),
                         frequencies.size(), act_.cos.row(t), act_.sin.row(t));
  });
}

inline void ForwardPass::quantize_row(const float* row, size_t width, size_t token) {
  QuantizedBatch& out = act_.quantized;
  out.tokens[token] =
      kernels_.quantize_i8(row, width, out.codes.row(token), activation_stride(width));
  if (out.tokens[token].finite == 0) non_finite_.store(true, std::memory_order_relaxed);
}

inline void ForwardPass::normalize_and_quantize(const Tensor<float, 2>& input,
                                                const Buffer<float>& gain) {
  const size_t width = gain.size();
  for_tokens([&](size_t t) {
    float* normed = act_.normed.row(t);
    if (!kernels_.rms_norm(input.row(t), gain.data(), width, config_.norm_eps, normed)) {
      non_finite_.store(true, std::memory_order_relaxed);
      std::fill_n(normed, width, 0.0f);
    }
    quantize_row(normed, width, t);
  });
  pack_if_batched(width);
}

inline void ForwardPass::quantize(const Tensor<float, 2>& input) {
  const size_t width = input.extent(1);
  for_tokens([&](size_t t) { quantize_row(input.row(t), width, t); });
  pack_if_batched(width);
}

inline void ForwardPass::pack_if_batched(size_t width) {
  if (n_ <= kVectorTokens || is_stopped()) return;
  const size_t tile = kernels_.token_tile;
  const size_t groups = (n_ + tile - 1) / tile;
  const size_t tasks = std::min({runner_.n_workers(), kMaxStepTasks, groups});
  runner_.run(tasks, [&](size_t task) {
    const size_t begin = groups * task / tasks * tile;
    const size_t end = std::min(groups * (task + 1) / tasks * tile, n_);
    kernels_.pack_tokens(act_.quantized.view(n_), width, begin, end, act_.quantized.packed.data());
  });
}

inline void ForwardPass::multiply(const Products& products) {
  if (is_stopped()) return;
  // The tiles of all matrices form one range; a task takes a run of it, in pairs of tiles.
  size_t n_tiles = 0;
  size_t bytes = 0;
  for (const Product& product : products.items) {
    if (product.matrix == nullptr) break;
    n_tiles += product.matrix->view().n_units();
    bytes += product.matrix->packed_size();
  }
  const size_t tasks = task_count(bytes * n_);
  runner_.run(tasks, [&](size_t task) {
    const size_t begin = n_tiles * task / tasks / 2 * 2;
    const size_t end = task + 1 == tasks ? n_tiles : n_tiles * (task + 1) / tasks / 2 * 2;
    size_t first = 0;  // of the current matrix in the range
    for (const Product& product : products.items) {
      if (product.matrix == nullptr) break;
      const size_t last = first + product.matrix->view().n_units();
      const size_t from = std::clamp(begin, first, last) - first;
      const size_t to = std::clamp(end, first, last) - first;
      first = last;
      if (from == to) continue;
      const TernaryView w = product.matrix->view();
      const ActivationView a = act_.quantized.view(n_);
      float* y = product.output->data();
      const size_t y_stride = product.output->stride(0);
      if (is_rows(w.packing) || is_columns(w.packing)) {
        compiled_kernels().back()->multiply_matrix(w, a, nullptr, from, to, y, y_stride, nullptr);
      } else if (n_ <= kVectorTokens) {
        kernels_.multiply_vector(w, a, from, to, y, y_stride);
      } else {
        kernels_.multiply_matrix(w, a, act_.quantized.packed.data(), from, to, y, y_stride,
                                 act_.scratch.matrix.row(task));
      }
    }
  });
}

inline void ForwardPass::rotate_heads(float* heads, size_t n_heads, size_t token) {
  const auto rope =
      config_.rope_style == RopeStyle::halves ? kernels_.rope_halves : kernels_.rope_pairs;
  for (size_t head = 0; head < n_heads; ++head) {
    rope(heads + head * config_.head_dim, act_.cos.row(token), act_.sin.row(token),
         config_.rope_dim / 2);
  }
}

inline void ForwardPass::rotate_and_store(size_t layer) {
  for_tokens([&](size_t t) {
    rotate_heads(act_.q.row(t), config_.n_heads, t);
    rotate_heads(act_.k.row(t), config_.n_kv_heads, t);
    bool finite = true;
    for (size_t head = 0; head < config_.n_kv_heads; ++head) {
      const size_t at = head * config_.head_dim;
      finite &= kernels_.to_f16(act_.k.row(t) + at, config_.head_dim,
                                cache_.key(layer, head, position_ + t));
      finite &= kernels_.to_f16(act_.v.row(t) + at, config_.head_dim,
                                cache_.value(layer, head, position_ + t));
    }
    if (!finite) non_finite_.store(true, std::memory_order_relaxed);
  });
}

inline void ForwardPass::attend(size_t layer) {
  if (is_stopped()) return;
  const size_t group = config_.n_heads / config_.n_kv_heads;  // query heads that share a key head
  const size_t n_pairs = n_ * config_.n_heads;
  const size_t cache_bytes = 2 * n_pairs * (position_ + n_) * config_.head_dim * sizeof(uint16_t);
  const size_t tasks = std::min(task_count(cache_bytes), n_pairs);
  runner_.run(tasks, [&](size_t task) {
    float* scores = act_.scratch.scores.row(task);
    // Later tokens see more positions: dealing the pairs out in turn keeps the tasks even.
    for (size_t pair = task; pair < n_pairs; pair += tasks) {
      const size_t t = pair / config_.n_heads;
      const size_t head = pair % config_.n_heads;
      const size_t seen = position_ + t + 1;
      const size_t at = head * config_.head_dim;
      kernels_.qk_f16(act_.q.row(t) + at, cache_.keys(layer, head / group), seen, config_.head_dim,
                      model_.attention_scale(), scores);
      const float sum = kernels_.softmax_exp(scores, seen);
      kernels_.pv_f16(scores, sum, cache_.values(layer, head / group), seen, config_.head_dim,
                      act_.mixed.row(t) + at);
    }
  });
}

inline void ForwardPass::activate() {
  const auto act = config_.activation == Activation::relu2 ? kernels_.relu2_mul : kernels_.silu_mul;
  for_tokens(
      [&](size_t t) { act(act_.gate.row(t), act_.up.row(t), config_.ffn_dim, act_.gate.row(t)); });
}

inline void ForwardPass::add_to_residual() {
  for_tokens(
      [&](size_t t) { kernels_.add(act_.delta.row(t), config_.model_dim, act_.residual.row(t)); });
}

inline Result<void> ForwardPass::logits(size_t index, float* logits) {
  const HeadView& head = model_.weights().head;
  float* x = act_.head_input.data();
  if (!kernels_.rms_norm(act_.residual.row(index), model_.weights().output_norm.data(),
                         config_.model_dim, config_.norm_eps, x)) {
    return Error(Status::non_finite, "an activation is not finite");
  }
  act_.head_token = kernels_.quantize_i16(x, config_.model_dim, act_.head_high.data(),
                                          act_.head_low.data(), act_.head_high.size());
  if (act_.head_token.finite == 0) return Error(Status::non_finite, "an activation is not finite");
  HeadInput input;
  input.x = x;
  input.codes = {act_.head_high.data(), act_.head_low.data(), &act_.head_token,
                 act_.head_high.size(), 1};
  const size_t rows = config_.vocab_size;
  const size_t tasks = task_count(rows * head.row_bytes);
  runner_.run(tasks, [&](size_t task) {
    const size_t last = rows * (task + 1) / tasks;
    for (size_t row = rows * task / tasks; row < last; row += detail::kHeadRowsPerBlock) {
      if (cancelled_.load(std::memory_order_relaxed)) return;
      const size_t end = std::min(row + detail::kHeadRowsPerBlock, last);
      kernels_.head_rows(head, input, row, end, logits + row, 0);
      if (!kernels_.all_finite(logits + row, end - row)) {
        non_finite_.store(true, std::memory_order_relaxed);
      }
    }
  });
  return check();
}

TERN_NAMESPACE_END
