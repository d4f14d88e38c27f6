// The output head and the embedding, quantized at load where the caller asks for it.
//
// Room: model. The head is the largest single table that every token reads in full: as Q6_K it is
// 6.6 bits a weight, as int8 with a scale a row 8.
#pragma once

#include <algorithm>

#include "tern/model/matrix_loader.hpp"
#include "tern/quant/tensor_type.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// What the head is kept as. A tied table is kept once and serves as the embedding too; otherwise
/// the embedding stays as it is.
enum class HeadOption : uint8_t {
  keep,  ///< as the file stores it
  q6,    ///< Q6_K; needs a width that is a multiple of 256
  i8,    ///< int8, a scale a row
  /// The same int8 in planes of bits. Where only the largest logits are asked for, rows are read as
  /// far as it takes to know that they are not among them: the same tokens as i8, with fewer bytes.
  two_stage,
  /// The same, but a row is left when it is likely not among them: kLikelyDistance. Fewer bytes
  /// still; tokens can differ from those of i8.
  two_stage_likely,
};

constexpr bool is_two_stage(HeadOption option) {
  return option == HeadOption::two_stage || option == HeadOption::two_stage_likely;
}

/// The type that an option makes of a table of this type.
constexpr TensorType head_type(HeadOption option, TensorType stored) {
  switch (option) {
    case HeadOption::keep: return stored;
    case HeadOption::q6: return TensorType::q6_k;
    case HeadOption::i8: return TensorType::i8;
    case HeadOption::two_stage:
    case HeadOption::two_stage_likely: return TensorType::i8_planes;
  }
  return stored;
}

/// Bytes of a row of k elements. Errors: unsupported (k does not fill whole blocks).
inline Result<size_t> head_row_bytes(TensorType type, uint32_t k, std::string_view name) {
  if (type == TensorType::i8_planes && k <= kMostPlaneColumns) return planes_row_bytes(k);
  const auto bytes = tensor_bytes(type_info(type), k, 1);
  if (bytes) return static_cast<size_t>(*bytes);
  return Error(Status::unsupported,
               "a q6 head needs a width that is a multiple of 256; i8 takes any", name);
}

/// Quantizes a table to q6_k or i8.
/// Shapes: rows [n_rows * row_bytes]; scales [n_rows] for i8, else null. Errors: malformed (a value
/// is not finite), out_of_memory. Cost: one pass; two rows of floats a task, to return.
inline Result<void> quantize_table(const HeadView& table, size_t n_rows, TensorType type,
                                   size_t row_bytes, uint8_t* rows, float* scales,
                                   std::string_view name, const KernelTable& kernels,
                                   const TaskRunner& runner, const AllocatorHooks& hooks) {
  const size_t n_tasks = std::min({runner.n_workers(), kMaxStepTasks, n_rows});
  TERN_TRY_ASSIGN(auto scratch, Buffer<float>::create_uninitialized(n_tasks * table.k, hooks));
  return detail::run_tasks(runner, n_tasks, [&](size_t task) -> Result<void> {
    float* x = scratch.data() + task * table.k;
    float no_scale = 0;
    const size_t end = n_rows * (task + 1) / n_tasks;
    for (size_t row = n_rows * task / n_tasks; row < end; ++row) {
      kernels.decode_row(table, row, x);
      if (!kernels.all_finite(x, table.k)) {
        return Error(Status::malformed, "a value is not finite", name);
      }
      kernels.encode_row(type, x, table.k, rows + row * row_bytes,
                         scales != nullptr ? scales + row : &no_scale);
    }
    return {};
  });
}

/// Cuts a table of int8 into planes; what is not int8 yet is quantized.
/// Shapes: rows [planes_bytes]; scales [n_rows]; rests [n_rows, 2]. Errors and cost: as
/// quantize_table.
inline Result<void> split_table(const HeadView& table, size_t n_rows, uint8_t* rows, float* scales,
                                float* rests, std::string_view name, const KernelTable& kernels,
                                const TaskRunner& runner, const AllocatorHooks& hooks) {
  const size_t k = table.k;
  const size_t n_tasks = std::min({runner.n_workers(), kMaxStepTasks, n_rows});
  TERN_TRY_ASSIGN(auto scratch, Buffer<float>::create_uninitialized(n_tasks * k, hooks));
  TERN_TRY_ASSIGN(auto bytes, Buffer<uint8_t>::create_uninitialized(n_tasks * k, hooks));
  return detail::run_tasks(runner, n_tasks, [&](size_t task) -> Result<void> {
    float* x = scratch.data() + task * k;
    const size_t end = n_rows * (task + 1) / n_tasks;
    for (size_t row = n_rows * task / n_tasks; row < end; ++row) {
      const uint8_t* codes = table.rows + row * table.row_bytes;
      if (table.type == TensorType::i8) {
        scales[row] = table.scales[row];
      } else {
        kernels.decode_row(table, row, x);
        if (!kernels.all_finite(x, k)) {
          return Error(Status::malformed, "a value is not finite", name);
        }
        kernels.encode_row(TensorType::i8, x, k, bytes.data() + task * k, scales + row);
        codes = bytes.data() + task * k;
      }
      const auto* signed_codes = reinterpret_cast<const int8_t*>(codes);
      store_plane_row(signed_codes, k, row, rows);
      for (size_t known = 1; known < kPlanes; ++known) {
        rests[2 * row + known - 1] = kernels.plane_norm(plane_rest_squares(signed_codes, k, known));
      }
    }
    return {};
  });
}

TERN_NAMESPACE_END
