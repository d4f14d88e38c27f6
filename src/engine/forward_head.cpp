// What comes behind the last layer: logits, by rows of the head, and embeddings of texts.
//
// Room: engine.
#include <algorithm>

#include "tern/engine/forward.hpp"

TERN_NAMESPACE_BEGIN

Result<void> ForwardPass::logits(size_t first, std::span<float* const> logits, TokenMasks masks) {
  const size_t few = Activations::vector_tokens(act_.residual.extent(0));
  while (!logits.empty()) {
    const size_t now = std::min(few, logits.size());
    const TokenMasks masks_now = masks.first(std::min(now, masks.size()));
    TERN_TRY(begin_logits(first, now));
    TERN_TRY(logit_rows(0, config_.vocab_size, logits.first(now), masks_now));
    first += now;
    logits = logits.subspan(now);
    masks = masks.subspan(masks_now.size());
  }
  return {};
}

Result<void> ForwardPass::begin_logits(size_t first, size_t count) {
  for (size_t t = 0; t < count; ++t) {
    if (!kernels_.rms_norm(act_.residual.row(first + t), model_.weights().output_norm.data(),
                           config_.model_dim, config_.norm_eps, act_.head_x.row(t)) ||
        !quantize_head(t)) {
      return Error(Status::non_finite, "an activation is not finite");
    }
  }
  return {};
}

bool ForwardPass::quantize_head(size_t token) {
  QuantizedBatch& out = act_.head;
  out.tokens[token] =
      kernels_.quantize_i16(act_.head_x.row(token), config_.model_dim, out.codes.row(token),
                            out.low.row(token), out.codes.stride(0));
  return out.tokens[token].finite != 0;
}

Result<void> ForwardPass::logits_of(std::span<const float> features, TokenMask mask,
                                    std::span<float> logits) {
  std::copy(features.begin(), features.end(), act_.head_x.row(0));
  if (!quantize_head(0)) return Error(Status::non_finite, "an activation is not finite");
  float* const out = logits.data();
  return logit_rows(0, logits.size(), {&out, 1}, masks_of(mask));
}

Result<void> ForwardPass::logit_rows(size_t begin, size_t end, std::span<float* const> logits,
                                     TokenMasks masks) {
  const HeadView& head = model_.weights().head;
  const HeadInput input{act_.head_x.data(), act_.head_x.stride(0), act_.head.view(logits.size())};
  const size_t rows = end - begin;
  const size_t tasks = task_count(rows * head.row_bytes);
  runner_.run(tasks, [&](size_t task) {
    const size_t last = begin + rows * (task + 1) / tasks;
    for (size_t row = begin + rows * task / tasks; row < last; row += kHeadBlockRows) {
      if (is_cancelled(cancelled_)) return;
      if (!head_block(input, row, std::min(row + kHeadBlockRows, last), logits, masks)) {
        non_finite_.store(true, std::memory_order_relaxed);
      }
    }
  });
  return check();
}

// Rows [begin, end), at most kHeadBlockRows, by runs that a mask allows; they go from the task's
// stack to wherever each token's logits are. Gives whether all are finite.
bool ForwardPass::head_block(const HeadInput& input, size_t begin, size_t end,
                             std::span<float* const> logits, TokenMasks masks) {
  alignas(kBufferAlignment) float block[kVectorTokens * kHeadBlockRows];
  if (!masks.empty()) {
    for (float* out : logits) std::fill(out + begin, out + end, kMaskedLogit);
  }
  bool all_finite = true;
  for (size_t row = find_token(masks, true, begin, end); row < end;) {
    const size_t stop = find_token(masks, false, row, end);
    kernels_.head_rows(model_.weights().head, input, row, stop, block, kHeadBlockRows);
    for (size_t t = 0; t < logits.size(); ++t) {
      const float* from = block + t * kHeadBlockRows;
      all_finite = kernels_.all_finite(from, stop - row) && all_finite;
      if (masks.empty() || masks[t].empty()) {
        std::copy_n(from, stop - row, logits[t] + row);
        continue;
      }
      for (size_t i = row; i < stop; ++i) {
        if (is_allowed(masks[t], i)) logits[t][i] = from[i - row];
      }
    }
    row = find_token(masks, true, stop, end);
  }
  return all_finite;
}

Result<void> ForwardPass::best_logits(size_t token, size_t n_best, TokenMask mask,
                                      std::span<float> logits, HeadCounts& counts) {
  TERN_TRY(begin_logits(token, 1));
  act_.search.run(kernels_, model_.weights().head, model_.weights().head_is_likely, runner_,
                  act_.head.view(1), n_best, mask, logits, counts, cancelled_);
  return check();
}

Result<void> ForwardPass::embedding(size_t token, float* out) {
  const Buffer<float>& gain = model_.weights().output_norm;
  if (!kernels_.rms_norm(act_.residual.row(token), gain.data(), gain.size(), config_.norm_eps,
                         out) ||
      !kernels_.l2_normalize(out, gain.size(), out)) {
    return Error(Status::non_finite, "an activation is not finite");
  }
  return {};
}

TERN_NAMESPACE_END
