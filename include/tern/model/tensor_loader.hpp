// Tensors of a file that are not packed: gains decoded, tables of rows viewed in place.
//
// Room: model. One function a kind of weight; which tensors there are is architecture.hpp's to say.
// Everything is checked here: shapes, types, finite values; the engine trusts what comes out.
#pragma once

#include <algorithm>
#include <cstring>

#include "tern/base/half.hpp"
#include "tern/format/gguf.hpp"
#include "tern/format/tern_directory.hpp"
#include "tern/kernels/kernel_table.hpp"
#include "tern/quant/block_codec.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {

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

/// Whether the values of a table are finite. Requires: a type that view_stored_rows takes.
inline bool table_is_finite(const GgufTensor& tensor) {
  switch (tensor.type->type()) {
    case TensorType::f32: return stored_floats_are_finite<uint32_t>(tensor.data, 0x7F800000u);
    case TensorType::f16: return stored_floats_are_finite<uint16_t>(tensor.data, 0x7C00);
    case TensorType::bf16: return stored_floats_are_finite<uint16_t>(tensor.data, 0x7F80);
    case TensorType::q6_k:
      return block_scales_are_finite(tensor.data, tensor.type->block_bytes, 208);
    default: return block_scales_are_finite(tensor.data, tensor.type->block_bytes, 0);
  }
}

/// Whether n scales are finite and not negative, as kernels rely on.
inline bool scales_are_good(const GgufTensor& scales) {
  bool good = true;
  for (size_t at = 0; at < scales.data.size(); at += sizeof(uint32_t)) {
    good &= load_u32(scales.data.data() + at) < 0x7F800000u;
  }
  return good;
}

inline const float* scales_in_place(const GgufTensor& scales) {
  return reinterpret_cast<const float*>(scales.data.data());
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
  if (tensor->form.kind == FormKind::less_one) {
    TERN_TRY_ASSIGN(auto ones, Buffer<float>::create_uninitialized(size, hooks));
    std::fill_n(ones.data(), size, 1.0f);
    kernels.add(ones.data(), size, out.data());
  }
  if (!kernels.all_finite(out.data(), size)) {
    return Error(Status::malformed, "a value is not finite", name, tensor->offset);
  }
  return out;
}

/// A table of rows (embedding or head) as GGUF stores it, viewed where it lies.
/// Errors: those of find_shaped_tensor; unsupported_type; malformed where `read_values` asks
/// whether they are finite.
inline Result<HeadView> view_stored_rows(const GgufFile& file, std::string_view name, uint32_t rows,
                                         uint32_t cols, bool read_values) {
  TERN_TRY_ASSIGN(const GgufTensor* tensor, find_shaped_tensor(file, name, rows, cols));
  HeadView view;
  view.type = tensor->type->type();
  view.rows = tensor->data.data();
  view.row_bytes = tensor->data.size() / rows;
  view.k = cols;
  switch (view.type) {
    case TensorType::f32:
    case TensorType::f16:
    case TensorType::bf16:
    case TensorType::q8_0:
    case TensorType::q4_0:
    case TensorType::q6_k: break;
    default:
      return Error(Status::unsupported_type, "an embedding or head of this type is not supported",
                   name, tensor->offset);
  }
  if (read_values && !detail::table_is_finite(*tensor)) {
    return Error(Status::malformed, "a value is not finite", name, tensor->offset);
  }
  return view;
}

/// The int8 table of a tern file, viewed where it lies.
/// Errors: mismatch, malformed (a scale that is not finite, or negative).
inline Result<HeadView> view_byte_rows(const TernTensor& tensor, uint32_t rows, uint32_t cols) {
  const auto refused = [&tensor](Status status, const char* what) {
    return Error(status, what, tensor.blob->name, tensor.blob->offset);
  };
  if (tensor.packing || tensor.rows != rows || tensor.cols != cols) {
    return refused(Status::mismatch, "tensor shape contradicts the hyperparameters");
  }
  if (!detail::scales_are_good(*tensor.scales)) {
    return refused(Status::malformed, "a scale is not a finite number from 0 on");
  }
  return HeadView{TensorType::i8, tensor.blob->data.data(), cols, cols,
                  detail::scales_in_place(*tensor.scales)};
}

TERN_NAMESPACE_END
