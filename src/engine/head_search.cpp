// The search for the largest logits.
//
// Room: engine. Blocks of rows are tasks; what is found does not depend on the cut.
#include "tern/engine/head_search.hpp"

#include <algorithm>
#include <functional>

TERN_NAMESPACE_BEGIN

namespace {

static_assert(kHeadBlockRows % kPlaneRows == 0);  // a task reads planes to the end of their run

constexpr size_t blocks_of(size_t n_rows) { return (n_rows + kHeadBlockRows - 1) / kHeadBlockRows; }

/// f(block, begin, end) for every block of n rows, unless cancelled.
template <typename F>
void for_blocks(const TaskRunner& runner, CancelFlags cancelled, size_t n_rows, F&& f) {
  const size_t n_blocks = blocks_of(n_rows);
  const size_t tasks = std::min({4 * runner.n_workers(), kMaxStepTasks, n_blocks});
  runner.run(tasks, [&](size_t task) {
    for (size_t b = n_blocks * task / tasks; b < n_blocks * (task + 1) / tasks; ++b) {
      if (is_cancelled(cancelled)) return;
      f(b, b * kHeadBlockRows, std::min((b + 1) * kHeadBlockRows, n_rows));
    }
  });
}

// The largest of n values, none of them NaN: in lanes, which a compiler makes vectors of.
float largest_of(const float* x, size_t n) {
  constexpr size_t kLanes = 16;
  float lanes[kLanes];
  std::fill(lanes, lanes + kLanes, kMaskedLogit);
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (size_t j = 0; j < kLanes; ++j) lanes[j] = std::max(lanes[j], x[i + j]);
  }
  for (; i < n; ++i) lanes[0] = std::max(lanes[0], x[i]);
  return *std::max_element(lanes, lanes + kLanes);
}

}  // namespace

Result<void> HeadSearch::allocate(size_t n_rows, BufferPlan& plan) {
  TERN_TRY(plan.add(dots_, n_rows));
  TERN_TRY(plan.add(lows_, n_rows));
  TERN_TRY(plan.add(highs_, n_rows));
  TERN_TRY(plan.add(rows_, n_rows));
  TERN_TRY(plan.add(block_lows_, blocks_of(n_rows)));
  TERN_TRY(plan.add(block_highs_, blocks_of(n_rows)));
  return plan.add(sorted_, blocks_of(n_rows));
}

void HeadSearch::run(const KernelTable& kernels, const HeadView& head, bool likely,
                     const TaskRunner& runner, const ActivationView& input, size_t n_best,
                     TokenMask mask, std::span<float> logits, HeadCounts& counts,
                     CancelFlags cancelled) {
  const Input in{kernels,  head, runner, input, kernels.plane_reach(input, head.k, likely),
                 cancelled};
  const size_t n_all = logits.size();
  read_first(in, mask, logits);
  counts.rows[0] += count_tokens(masks_of(mask), n_all);
  float threshold = find_threshold(blocks_of(n_all), n_best);
  size_t n = 0;
  for (size_t b = 0; b < blocks_of(n_all); ++b) {
    if (block_highs_[b] < threshold) continue;
    const size_t end = std::min((b + 1) * kHeadBlockRows, n_all);
    for (size_t r = b * kHeadBlockRows; r < end; ++r) {
      if (highs_[r] < threshold || highs_[r] == kMaskedLogit) continue;
      rows_[n++] = static_cast<uint32_t>(r);
    }
  }
  for (size_t plane = 1; plane < kPlanes; ++plane) {
    read_next(in, plane, n);
    counts.rows[plane] += n;
    threshold = std::max(threshold, find_threshold(blocks_of(n), n_best));
    const auto rows = rows_.span().first(n);
    const auto is_below = [&](uint32_t r) { return highs_[r] < threshold; };
    n = static_cast<size_t>(std::remove_if(rows.begin(), rows.end(), is_below) - rows.begin());
  }
  for (const uint32_t r : rows_.span().first(n)) logits[r] = lows_[r];
}

void HeadSearch::read_first(const Input& in, TokenMask mask, std::span<float> logits) {
  const TokenMasks masks = masks_of(mask);
  for_blocks(in.runner, in.cancelled, logits.size(), [&](size_t block, size_t begin, size_t end) {
    std::fill(logits.data() + begin, logits.data() + end, kMaskedLogit);
    size_t done = begin;
    while (done < end) {
      const size_t row = find_token(masks, true, done, end);
      std::fill(lows_.data() + done, lows_.data() + row, kMaskedLogit);
      std::fill(highs_.data() + done, highs_.data() + row, kMaskedLogit);
      const size_t stop = find_token(masks, false, row, end);
      done = stop;
      if (row == stop) continue;
      in.kernels.plane_dots(in.head, 0, in.activations, nullptr, row, stop, dots_.data());
      in.kernels.plane_bounds(in.head, 1, in.activations, in.reach, nullptr, row, stop,
                              dots_.data(), lows_.data(), highs_.data());
    }
    block_lows_[block] = largest_of(lows_.data() + begin, end - begin);
    block_highs_[block] = largest_of(highs_.data() + begin, end - begin);
  });
}

// One more plane of the first n_rows rows of the list.
void HeadSearch::read_next(const Input& in, size_t plane, size_t n_rows) {
  for_blocks(in.runner, in.cancelled, n_rows, [&](size_t block, size_t begin, size_t end) {
    in.kernels.plane_dots(in.head, plane, in.activations, rows_.data(), begin, end, dots_.data());
    in.kernels.plane_bounds(in.head, plane + 1, in.activations, in.reach, rows_.data(), begin, end,
                            dots_.data(), lows_.data(), highs_.data());
    float low = kMaskedLogit;
    for (size_t i = begin; i < end; ++i) low = std::max(low, lows_[rows_[i]]);
    block_lows_[block] = low;
  });
}

// A value that n_best rows of the blocks are not below.
float HeadSearch::find_threshold(size_t n_blocks, size_t n_best) {
  if (n_blocks < n_best) return kMaskedLogit;
  const auto first = sorted_.data();
  std::copy_n(block_lows_.data(), n_blocks, first);
  std::nth_element(first, first + n_best - 1, first + n_blocks, std::greater<>());
  return first[n_best - 1];
}

TERN_NAMESPACE_END
