// What comes behind the last layer: logits, by rows of the head, and embeddings of texts.
//
// Room: engine.
#include <algorithm>

#include "tern/engine/forward.hpp"

TERN_NAMESPACE_BEGIN

namespace {
/// Head rows between two looks at the cancel flag.
constexpr size_t kHeadRowsPerBlock = 128;
}  // namespace

Result<void> ForwardPass::logits(size_t first, std::span<float* const> logits) {
  const size_t few = Activations::vector_tokens(act_.residual.extent(0));
  while (!logits.empty()) {
    const auto now = logits.first(std::min(few, logits.size()));
    TERN_TRY(begin_logits(first, now.size()));
    TERN_TRY(logit_rows(0, config_.vocab_size, now));
    first += now.size();
    logits = logits.subspan(now.size());
  }
  return {};
}

Result<void> ForwardPass::begin_logits(size_t first, size_t count) {
  for (size_t t = 0; t < count; ++t) {
    float* x = act_.head_x.row(t);
    bool finite =
        kernels_.rms_norm(act_.residual.row(first + t), model_.weights().output_norm.data(),
                          config_.model_dim, config_.norm_eps, x);
    if (finite) {
      act_.head.tokens[t] = kernels_.quantize_i16(x, config_.model_dim, act_.head.codes.row(t),
                                                  act_.head.low.row(t), act_.head.codes.stride(0));
      finite = act_.head.tokens[t].finite != 0;
    }
    if (!finite) return Error(Status::non_finite, "an activation is not finite");
  }
  return {};
}

// By blocks of rows, which go from the task's stack to wherever each token's logits are.
Result<void> ForwardPass::logit_rows(size_t begin, size_t end, std::span<float* const> logits) {
  const HeadView& head = model_.weights().head;
  const HeadInput input{act_.head_x.data(), act_.head_x.stride(0), act_.head.view(logits.size())};
  const size_t rows = end - begin;
  const size_t tasks = task_count(rows * head.row_bytes);
  runner_.run(tasks, [&](size_t task) {
    alignas(kBufferAlignment) float block[kVectorTokens * kHeadRowsPerBlock];
    const size_t last = begin + rows * (task + 1) / tasks;
    for (size_t row = begin + rows * task / tasks; row < last; row += kHeadRowsPerBlock) {
      if (is_cancelled()) return;
      const size_t stop = std::min(row + kHeadRowsPerBlock, last);
      kernels_.head_rows(head, input, row, stop, block, kHeadRowsPerBlock);
      for (size_t t = 0; t < logits.size(); ++t) {
        const float* from = block + t * kHeadRowsPerBlock;
        if (!kernels_.all_finite(from, stop - row)) {
          non_finite_.store(true, std::memory_order_relaxed);
        }
        std::copy_n(from, stop - row, logits[t] + row);
      }
    }
  });
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
