// Tensors of a GGUF file to weights: ternary matrices packed, gains decoded, tables viewed in
// place.
//
// Room: model. One function a kind of weight; which tensors there are is architecture.hpp's to say.
// Everything is checked here: shapes, types, finite values; the engine trusts what comes out.
#pragma once

#include <algorithm>

#include "tern/base/half.hpp"
#include "tern/format/gguf.hpp"
#include "tern/kernels/kernel_table.hpp"
#include "tern/model/weights.hpp"
#include "tern/platform/thread_pool.hpp"
#include "tern/quant/block_codec.hpp"
#include "tern/quant/ternary_source.hpp"
#include "tern/quant/tile_packer.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {

/// Packs the rows of one source; runs of rows are tasks.
class MatrixPacking {
 public:
  MatrixPacking(const TernarySource& source, const TilePacker& packer, uint32_t* scale_bits,
                uint8_t* scratch, size_t n_tasks)
      : source_(source),
        packer_(packer),
        scale_bits_(scale_bits),
        scratch_(scratch),
        n_tasks_(n_tasks) {}

  void run_task(size_t task) {
    const size_t groups = groups_per_row();
    uint8_t* u = scratch_ + task * source_.cols;
    const size_t end = source_.rows * (task + 1) / n_tasks_;
    for (size_t row = source_.rows * task / n_tasks_; row < end; ++row) {
      results_[task] = read_ternary_row(source_, row, u, scale_bits_ + row * groups);
      if (!results_[task].ok()) return;
      packer_.put_row(static_cast<uint32_t>(row), u);
    }
  }
  size_t groups_per_row() const { return scale_groups(source_.cols, ternary_group_cols(source_)); }
  /// The error of the lowest row, whichever task met one first.
  Result<void> result() const {
    for (size_t task = 0; task < n_tasks_; ++task) TERN_TRY(results_[task]);
    return {};
  }

 private:
  const TernarySource& source_;
  const TilePacker& packer_;
  uint32_t* scale_bits_;  // [rows, groups_per_row]
  uint8_t* scratch_;      // [n_tasks, cols]
  size_t n_tasks_;
  Result<void> results_[kMaxStepTasks];
};

/// Whether n floats of a stored type are all finite; only the bits are looked at.
template <typename Word>
bool stored_floats_are_finite(std::span<const uint8_t> bytes, Word exponent) {
  bool finite = true;
  for (size_t at = 0; at < bytes.size(); at += sizeof(Word)) {
    Word word;
    std::memcpy(&word, bytes.data() + at, sizeof(Word));
    finite &= (word & exponent) != exponent;
  }
  return finite;
}

/// Whether the scales of all blocks are finite; `d_offset` is where a block keeps its binary16.
inline bool block_scales_are_finite(std::span<const uint8_t> bytes, size_t block_bytes,
                                    size_t d_offset) {
  bool finite = true;
  for (size_t at = d_offset; at < bytes.size(); at += block_bytes) {
    finite &= (load_u16(bytes.data() + at) & 0x7C00) != 0x7C00;
  }
  return finite;
}

}  // namespace detail

/// A tensor of exactly this shape, rows x cols (cols contiguous).
/// Errors: missing, mismatch, unsupported_type; with the tensor's name and offset.
inline Result<const GgufTensor*> find_shaped_tensor(const GgufFile& file, std::string_view name,
                                                    uint64_t rows, uint64_t cols) {
  TERN_TRY_ASSIGN(const GgufTensor* tensor, file.get_tensor(name));
  if (tensor->dims[0] != cols || tensor->rows() != rows) {
    return Error(Status::mismatch, "tensor shape contradicts the hyperparameters", name,
                 tensor->offset);
  }
  TERN_TRY(readable_type(*tensor));
  return tensor;
}

/// Packs a linear layer. Cost: two allocations to keep, two to return; one pass over the tensor.
/// Errors: those of find_shaped_tensor; not_ternary, malformed (with the byte offset),
/// out_of_memory.
inline Result<TernaryMatrix> load_ternary_matrix(const GgufFile& file, std::string_view name,
                                                 uint32_t rows, uint32_t cols,
                                                 const TaskRunner& runner,
                                                 const AllocatorHooks& hooks) {
  TERN_TRY_ASSIGN(const GgufTensor* tensor, find_shaped_tensor(file, name, rows, cols));
  const TernarySource source{tensor->type->type(), tensor->data.data(), rows, cols};
  if (ternary_group_cols(source) == 0) {
    return Error(Status::unsupported_type, "a linear layer of this type is not ternary", name,
                 tensor->offset);
  }
  TernaryMatrix matrix;
  matrix.rows = rows;
  matrix.cols = cols;
  TERN_TRY_ASSIGN(matrix.tiles, Buffer<uint8_t>::create_uninitialized(
                                    *packed_bytes(Packing::t2, rows, cols), hooks));
  const TilePacker packer{matrix.tiles.data(), rows, cols, Packing::t2};

  const size_t n_tasks = std::min({runner.n_workers(), kMaxStepTasks, size_t{rows}});
  const size_t width = ternary_group_cols(source);
  const ScaleGrid shape{nullptr, rows, cols, width};
  TERN_TRY_ASSIGN(auto scale_bits, Buffer<uint32_t>::create(rows * shape.groups_per_row(), hooks));
  TERN_TRY_ASSIGN(auto scratch, Buffer<uint8_t>::create(n_tasks * cols, hooks));
  detail::MatrixPacking packing(source, packer, scale_bits.data(), scratch.data(), n_tasks);
  runner.run(n_tasks, [&packing](size_t task) { packing.run_task(task); });
  if (const Result<void> packed = packing.result(); !packed.ok()) {
    const Error& error = packed.error();
    const uint64_t at = error.has_where() ? tensor->offset + error.where : Error::kNowhere;
    return Error(error.status, error.what, name, at);
  }
  packer.finish();

  const ScaleGrid grid{scale_bits.data(), rows, cols, width};
  const ScalePlan plan = plan_scales(grid);
  matrix.scale_kind = plan.kind;
  matrix.group_cols = plan.group_cols;
  TERN_TRY_ASSIGN(matrix.scales, Buffer<float>::create(scale_count(plan, rows, cols), hooks));
  collapse_scales(grid, plan, matrix.scales.data());
  return matrix;
}

/// A norm's gain or another float vector, decoded to f32.
/// Errors: those of find_shaped_tensor; unsupported_type (not a float type), malformed (not
/// finite).
inline Result<Buffer<float>> load_float_vector(const GgufFile& file, std::string_view name,
                                               uint32_t size, const KernelTable& kernels,
                                               const AllocatorHooks& hooks) {
  TERN_TRY_ASSIGN(const GgufTensor* tensor, find_shaped_tensor(file, name, 1, size));
  const TensorType type = tensor->type->type();
  if (type != TensorType::f32 && type != TensorType::f16 && type != TensorType::bf16) {
    return Error(Status::unsupported_type, "a norm of this type is not supported", name,
                 tensor->offset);
  }
  TERN_TRY_ASSIGN(auto out, Buffer<float>::create(size, hooks));
  const HeadView stored{type, tensor->data.data(), tensor->data.size(), size};
  kernels.decode_row(stored, 0, out.data());
  if (!kernels.all_finite(out.data(), size)) {
    return Error(Status::malformed, "a value is not finite", name, tensor->offset);
  }
  return out;
}

/// A table of rows (embedding or head), viewed where it lies; its size is checked, its values are
/// finite. Errors: those of find_shaped_tensor; unsupported_type, malformed.
inline Result<HeadView> view_stored_rows(const GgufFile& file, std::string_view name, uint32_t rows,
                                         uint32_t cols) {
  TERN_TRY_ASSIGN(const GgufTensor* tensor, find_shaped_tensor(file, name, rows, cols));
  HeadView view;
  view.type = tensor->type->type();
  view.rows = tensor->data.data();
  view.row_bytes = tensor->data.size() / rows;
  view.k = cols;
  bool finite = false;
  switch (view.type) {
    case TensorType::f32:
      finite = detail::stored_floats_are_finite<uint32_t>(tensor->data, 0x7F800000u);
      break;
    case TensorType::f16:
      finite = detail::stored_floats_are_finite<uint16_t>(tensor->data, 0x7C00);
      break;
    case TensorType::bf16:
      finite = detail::stored_floats_are_finite<uint16_t>(tensor->data, 0x7F80);
      break;
    case TensorType::q8_0:
    case TensorType::q4_0:
      finite = detail::block_scales_are_finite(tensor->data, tensor->type->block_bytes, 0);
      break;
    case TensorType::q6_k:
      finite = detail::block_scales_are_finite(tensor->data, tensor->type->block_bytes, 208);
      break;
    default:
      return Error(Status::unsupported_type, "an embedding or head of this type is not supported",
                   name, tensor->offset);
  }
  if (!finite) return Error(Status::malformed, "a value is not finite", name, tensor->offset);
  return view;
}

TERN_NAMESPACE_END
