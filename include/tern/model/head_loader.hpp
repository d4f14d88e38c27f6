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
};

/// The type that an option makes of a table of this type.
constexpr TensorType head_type(HeadOption option, TensorType stored) {
  switch (option) {
    case HeadOption::keep: return stored;
    case HeadOption::q6: return TensorType::q6_k;
    case HeadOption::i8: return TensorType::i8;
  }
  return stored;
}

/// Bytes of a row of k elements. Errors: unsupported (k does not fill whole blocks).
inline Result<size_t> head_row_bytes(TensorType type, uint32_t k, std::string_view name) {
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

TERN_NAMESPACE_END
