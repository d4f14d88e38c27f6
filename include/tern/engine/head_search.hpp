// The largest logits of a head in planes, with no more of its rows read than it takes.
//
// Room: engine. Of every row the first plane is read, which says between which two values the logit
// is (docs/numerics.md 11.1). Where n rows are surely as large as some value, rows that are surely
// below it are left; of the others the next plane is read, and so on. Such a value is the n-th
// largest of the lower bounds; one a block of rows is looked at, which is a little less and much
// sooner found.
#pragma once

#include <array>
#include <span>

#include "tern/base/buffer.hpp"
#include "tern/engine/token_mask.hpp"
#include "tern/kernels/kernel_table.hpp"
#include "tern/platform/buffer_plan.hpp"
#include "tern/platform/cancel_flags.hpp"
#include "tern/platform/thread_pool.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// Rows that a search looked at in each plane.
struct HeadCounts {
  std::array<uint64_t, kPlanes> rows{};
};

/// Head rows between two looks at a cancel flag.
inline constexpr size_t kHeadBlockRows = 128;

class HeadSearch {
 public:
  /// Errors: out_of_memory. Cost: 24 bytes a row.
  Result<void> allocate(size_t n_rows, BufferPlan& plan);

  /// The n_best largest logits that a mask allows, with all that are as large as the last of them;
  /// of the others some, the rest are kMaskedLogit. What is given has the bits of head_rows.
  /// Shapes: logits [n_rows] of allocate(). Adds to `counts`.
  /// Requires: a head in planes; one token's int16 activations; n_best > 0.
  /// Once cancelled, the logits are unspecified. Cost: reads the head; tasks of `runner`, no
  /// allocation.
  void run(const KernelTable& kernels, const HeadView& head, bool likely, const TaskRunner& runner,
           const ActivationView& input, size_t n_best, TokenMask mask, std::span<float> logits,
           HeadCounts& counts, CancelFlags cancelled = {});

 private:
  struct Input {
    const KernelTable& kernels;
    const HeadView& head;
    const TaskRunner& runner;
    const ActivationView& activations;
    double reach;
    CancelFlags cancelled;
  };

  void read_first(const Input& in, TokenMask mask, std::span<float> logits);
  void read_next(const Input& in, size_t plane, size_t n_rows);
  float find_threshold(size_t n_blocks, size_t n_best);

  Buffer<double> dots_;        // [rows]: sums over the planes that were read
  Buffer<float> lows_;         // [rows]: the logit is between this
  Buffer<float> highs_;        // [rows]: and this
  Buffer<uint32_t> rows_;      // [rows]: those that may be among the largest, the first ones in use
  Buffer<float> block_lows_;   // [blocks]: the largest of a block's rows
  Buffer<float> block_highs_;  // [blocks]
  Buffer<float> sorted_;       // [blocks]
};

TERN_NAMESPACE_END
