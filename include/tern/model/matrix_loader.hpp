// Linear layers of a file to packed matrices, in two passes.
//
// Room: model. The packing of a matrix depends on its scales (packing_policy.hpp), and how coarse
// those are is known only once all of it has been read. So first the scales of every matrix are
// read, then one region is allocated for all of them, then trits are read again and packed into it:
//
//     plan_matrix (each)  ->  offsets in the region  ->  pack_matrix (each)
//
// Both passes run as tasks over rows; the error told is that of the lowest row.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>

#include "tern/base/half.hpp"
#include "tern/kernels/kernel_table.hpp"
#include "tern/model/tensor_loader.hpp"
#include "tern/model/weights.hpp"
#include "tern/platform/thread_pool.hpp"
#include "tern/quant/ternary_source.hpp"
#include "tern/quant/trit_packer.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// Where the trits of a linear layer come from: a tensor of a GGUF type, or a packed one.
struct MatrixSource {
  const GgufTensor* tensor = nullptr;
  TernarySource stored;  ///< rows is 0 where the source is `packed`
  TernaryView packed;

  bool is_packed() const { return stored.rows == 0; }
  uint32_t cols() const { return is_packed() ? packed.cols : stored.cols; }
  /// Scales that reading a row gives.
  size_t groups_per_row() const {
    return is_packed() ? 0 : scale_groups(stored.cols, ternary_group_cols(stored));
  }

  /// Shapes: u [cols], every u <= 2 afterwards; scale_bits [groups_per_row()].
  Result<void> read_row(size_t row, uint8_t* u, uint32_t* scale_bits) const {
    if (!is_packed()) return read_ternary_row(stored, row, u, scale_bits);
    unpack_row(packed, row, u);
    if (has_code_three(u, packed.cols)) {
      return Error(Status::malformed, "a trit has the illegal code 3");
    }
    return {};
  }
  /// An error of read_row, with its place in the file.
  Error located(const Error& error) const {
    const uint64_t at = error.has_where() ? tensor->offset + error.where : Error::kNowhere;
    return {error.status, error.what, tensor->name, at};
  }
};

namespace detail {

/// f(task) for every task below n <= kMaxStepTasks; the error of the lowest task.
template <typename F>
Result<void> run_tasks(const TaskRunner& runner, size_t n, F&& f) {
  Result<void> results[kMaxStepTasks];
  runner.run(n, [&](size_t task) { results[task] = f(task); });
  for (size_t task = 0; task < n; ++task) TERN_TRY(results[task]);
  return {};
}

}  // namespace detail

/// A tensor as rows of trits, with the scale that its form asks for computed.
/// Requires: as ternary_source. Errors: unsupported_type (a master that is no float), malformed (a
/// scale or weight that is not finite); out_of_memory. Cost: of master weights one pass over all.
inline Result<TernarySource> open_ternary_source(const GgufTensor& tensor,
                                                 const KernelTable& kernels,
                                                 const TaskRunner& runner,
                                                 const AllocatorHooks& hooks) {
  TernarySource source = ternary_source(tensor);
  TensorForm& form = source.form;
  const auto refused = [&tensor](Status status, const char* what) {
    return Error(status, what, tensor.name, tensor.offset);
  };
  if (form.is_inverse) {
    const float scale = kernels.reciprocal(std::bit_cast<float>(form.scale_bits));
    if (!is_finite(scale)) return refused(Status::malformed, "a scale is too small to be inverted");
    form.scale_bits = std::bit_cast<uint32_t>(scale);
    form.is_inverse = false;
  }
  if (form.kind != FormKind::master) return source;
  if (source.type != TensorType::f32 && source.type != TensorType::f16 &&
      source.type != TensorType::bf16) {
    return refused(Status::unsupported_type, "master weights of this type are not supported");
  }
  TERN_TRY_ASSIGN(auto sums, Buffer<double>::create(source.rows, hooks));
  const HeadView table{source.type, source.bytes, tensor.data.size() / source.rows, source.cols};
  const size_t n_tasks = std::min({runner.n_workers(), kMaxStepTasks, size_t{source.rows}});
  runner.run(n_tasks, [&](size_t task) {
    const size_t end = source.rows * (task + 1) / n_tasks;
    for (size_t row = source.rows * task / n_tasks; row < end; ++row) {
      sums[row] = kernels.sum_magnitudes(table, row);
    }
  });
  const AbsmeanScale absmean =
      kernels.absmean_scale(sums.data(), source.rows, uint64_t{source.rows} * source.cols);
  if (absmean.scale == 0) return refused(Status::malformed, "a weight is not finite");
  form.scale_bits = std::bit_cast<uint32_t>(absmean.scale);
  source.largest_zero_bits = std::bit_cast<uint32_t>(absmean.largest_zero);
  return source;
}

/// The first pass over a tensor of a GGUF type: a matrix with its scales, not yet placed.
/// Errors: unsupported_type; not_ternary, malformed (with the byte offset); out_of_memory.
/// Cost: reads all of the tensor; allocates the scales, and to return a byte a column and task.
inline Result<TernaryMatrix> plan_matrix(const MatrixSource& source, const TaskRunner& runner,
                                         const AllocatorHooks& hooks) {
  const TernarySource& stored = source.stored;
  const size_t width = ternary_group_cols(stored);
  if (width == 0) {
    return Error(Status::unsupported_type, "a linear layer of this type is not ternary",
                 source.tensor->name, source.tensor->offset);
  }
  const size_t groups = source.groups_per_row();
  const size_t n_tasks = std::min({runner.n_workers(), kMaxStepTasks, size_t{stored.rows}});
  TERN_TRY_ASSIGN(auto scale_bits, Buffer<uint32_t>::create(stored.rows * groups, hooks));
  TERN_TRY_ASSIGN(auto scratch, Buffer<uint8_t>::create(n_tasks * stored.cols, hooks));
  const auto read = detail::run_tasks(runner, n_tasks, [&](size_t task) -> Result<void> {
    const size_t end = stored.rows * (task + 1) / n_tasks;
    for (size_t row = stored.rows * task / n_tasks; row < end; ++row) {
      uint8_t* u = scratch.data() + task * stored.cols;
      TERN_TRY(source.read_row(row, u, scale_bits.data() + row * groups));
    }
    return {};
  });
  if (!read.ok()) return source.located(read.error());

  const ScaleGrid grid{scale_bits.data(), stored.rows, stored.cols, width};
  const ScalePlan plan = plan_scales(grid);
  TERN_TRY_ASSIGN(auto scales,
                  Buffer<float>::create(scale_count(plan, stored.rows, stored.cols), hooks));
  collapse_scales(grid, plan, scales.data());
  TernaryView view;
  view.rows = stored.rows;
  view.cols = stored.cols;
  view.scale_kind = plan.kind;
  view.group_cols = plan.group_cols;
  return TernaryMatrix(view, std::move(scales));
}

/// The packed matrix of a tern file, viewed where it lies.
/// Errors: mismatch, malformed (a scale that is not finite, or negative).
inline Result<TernaryMatrix> view_packed_matrix(const TernTensor& tensor, uint32_t rows,
                                                uint32_t cols) {
  const auto refused = [&tensor](Status status, const char* what) {
    return Error(status, what, tensor.blob->name, tensor.blob->offset);
  };
  if (!tensor.packing || tensor.rows != rows || tensor.cols != cols) {
    return refused(Status::mismatch, "tensor shape contradicts the hyperparameters");
  }
  if (!detail::scales_are_good(*tensor.scales)) {
    return refused(Status::malformed, "a scale is not a finite number from 0 on");
  }
  return TernaryMatrix({tensor.blob->data.data(), rows, cols, *tensor.packing, tensor.scale_kind,
                        tensor.group_cols, detail::scales_in_place(*tensor.scales)});
}

/// The second pass: packs a source into `data`, a task a run of units.
/// Shapes: data [packed_bytes()] of the view's packing. Errors: those of plan_matrix.
/// Cost: reads all of the source; allocates a unit of rows a task, to return.
inline Result<void> pack_matrix(const MatrixSource& source, const TernaryView& view, uint8_t* data,
                                const TaskRunner& runner, const AllocatorHooks& hooks) {
  const size_t cols = source.cols();
  const size_t n_units = view.n_units();
  const size_t n_tasks = std::min({runner.n_workers(), kMaxStepTasks, n_units});
  const size_t unit_bytes = std::min<size_t>(unit_rows(view.packing), view.rows) * cols;
  TERN_TRY_ASSIGN(auto rows, Buffer<uint8_t>::create_uninitialized(n_tasks * unit_bytes, hooks));
  const size_t groups = source.groups_per_row();
  TERN_TRY_ASSIGN(auto scales, Buffer<uint32_t>::create_uninitialized(n_tasks * groups, hooks));
  const auto packed = detail::run_tasks(runner, n_tasks, [&](size_t task) -> Result<void> {
    uint8_t* u = rows.data() + task * unit_bytes;
    const size_t end = n_units * (task + 1) / n_tasks;
    for (size_t unit = n_units * task / n_tasks; unit < end; ++unit) {
      const UnitRows run = rows_of_unit(view, unit);
      for (size_t row = run.begin; row < run.end; ++row) {
        TERN_TRY(source.read_row(row, u + (row - run.begin) * cols, scales.data() + task * groups));
      }
      pack_unit(view, data, unit, u);
    }
    return {};
  });
  if (!packed.ok()) return source.located(packed.error());
  return {};
}

TERN_NAMESPACE_END
