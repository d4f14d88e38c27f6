// The products that skip zeros: rows of `up` whose gate is dead, columns whose input is zero
// (docs/numerics.md 4.5). What is skipped is not read.
//
// Room: engine. Tasks as in forward.cpp. Each token has a list of its own, so that several tokens
// multiply no zeros either; what one of a task's tokens has read the next ones find in the cache.
// Where too little is zero for that, all of it is multiplied by all tokens at once, with the same
// result.
#include <algorithm>

#include "tern/engine/forward.hpp"

TERN_NAMESPACE_BEGIN

namespace {
/// Percent of live channels up to which several tokens' lists are less work than everything at once
/// (docs/adr/0025-several-tokens-skip-too.md).
constexpr size_t kMostListedPercent = 40;

/// So many runs of a list are taken in turn, so that the hardware sees no stream
/// (docs/adr/0026-live-rows-far-apart.md).
constexpr size_t kScatteredRuns = 256;

/// to[i] for i in [begin, end): an order of all n of a list in which the next is far away.
void scatter(const uint32_t* list, size_t n, size_t begin, size_t end, uint32_t* to) {
  const size_t run = n / kScatteredRuns;
  for (size_t i = begin; i < end; ++i) {
    to[i] = list[i < run * kScatteredRuns ? i % kScatteredRuns * run + i / kScatteredRuns : i];
  }
}
}  // namespace

// In int8, as the inputs of every model that skips (ModelConfig::may_skip).
ActivationView ForwardPass::quantized_token(size_t t) const {
  const ActivationView all = act_.quantized.view(n_);
  return {all.high + t * all.stride, nullptr, all.tokens + t, all.stride, 1};
}

// list(token) fills the token's list and returns its length. Returns how many are in all lists,
// which are not filled once stopped.
template <typename List>
size_t ForwardPass::list_live(const List& list) {
  LiveChannels& live = act_.live;
  for_tokens([&](size_t t) { live.counts[t] = list(t); });
  size_t n_live = 0;
  for (size_t t = 0; t < n_; ++t) n_live += live.counts[t];
  return n_live;
}

// What `up` holds for dead gates is not looked at.
void ForwardPass::multiply_live_rows(const TernaryMatrix& matrix) {
  if (is_stopped()) return;
  LiveChannels& live = act_.live;
  const TernaryView w = matrix.view();
  const size_t n_live = list_live([&](size_t t) {
    return kernels_.find_live_rows(act_.gate.row(t), w.rows, 0, live.rows.row(t));
  });
  if (is_stopped()) return;
  if (n_ == 1) {
    skipped_->gates.add(w.rows, w.rows - n_live);
  } else if (n_live * 100 > n_ * w.rows * kMostListedPercent) {
    multiply_quantized({{{&matrix, &act_.up}}}, false);
    return;
  }
  const size_t tasks = task_count(matrix.packed_size() / w.rows * n_live, Activations::kLineTasks);
  runner_.run(tasks, [&](size_t task) {
    for (size_t t = 0; t < n_; ++t) {
      const size_t n = live.counts[t];
      const size_t begin = n * task / tasks;
      const size_t end = n * (task + 1) / tasks;
      uint32_t* rows = live.rows.row(t);
      // Several tokens keep the ascending order: what one has read the next finds in the cache.
      if (n_ == 1) {
        rows = live.scattered_rows.data();
        scatter(live.rows.row(t), n, begin, end, rows);
      }
      kernels_.multiply_rows(w, quantized_token(t), rows, begin, end, act_.up.row(t),
                             act_.up.stride(0));
    }
  });
}

// Columns by tasks: each sums its own over all rows, then the sums are added, by units of rows;
// with `adds` also to the residual.
void ForwardPass::multiply_live_columns(const TernaryMatrix& matrix, ZeroCount SkipCounts::*count,
                                        bool adds) {
  if (is_stopped()) return;
  LiveChannels& live = act_.live;
  const TernaryView w = matrix.view();
  const ActivationView a = act_.quantized.view(n_);
  const size_t n_all = n_ * w.cols;
  size_t n_read = n_all;
  bool listed = false;
  if (skipped_ != nullptr) {
    const size_t n_live = list_live([&](size_t t) {
      return kernels_.find_nonzero(a.high + t * a.stride, w.cols, live.columns.row(t),
                                   live.values.row(t));
    });
    if (is_stopped()) return;
    if (n_ == 1) (skipped_->*count).add(w.cols, w.cols - n_live);
    listed = n_ == 1 || n_live * 100 <= n_all * kMostListedPercent;
    if (listed) n_read = n_live;
  }
  const size_t tasks = task_count(matrix.packed_size() / w.cols * n_read, Activations::kLineTasks);
  runner_.run(tasks, [&](size_t task) {
    int32_t* sums = act_.column_sums.row(task);
    if (!listed) {
      kernels_.multiply_columns(w, {nullptr, a.high, a.stride, n_}, w.cols * task / tasks,
                                w.cols * (task + 1) / tasks, sums);
      return;
    }
    for (size_t t = 0; t < n_; ++t, sums += column_sums_size(w)) {
      kernels_.multiply_columns(w, {live.columns.row(t), live.values.row(t), 0, 1},
                                live.counts[t] * task / tasks, live.counts[t] * (task + 1) / tasks,
                                sums);
    }
  });
  const size_t bytes = tasks * n_ * column_sums_size(w) * sizeof(int32_t);
  const size_t unit = unit_rows(w.packing);
  const size_t parts = std::min(task_count(bytes, 1), w.n_units());
  runner_.run(parts, [&](size_t part) {
    const size_t begin = w.n_units() * part / parts;
    const size_t end = w.n_units() * (part + 1) / parts;
    kernels_.finish_columns(w, a, act_.column_sums.data(), tasks, act_.column_sums.stride(0), begin,
                            end, act_.delta.data(), act_.delta.stride(0));
    if (adds) add_delta(begin * unit, std::min<size_t>(end * unit, w.rows));
  });
}

TERN_NAMESPACE_END
