// Tensors of a file that are not packed: gains decoded, tables of rows viewed in place.
//
// Room: model. One function a kind of weight; which tensors there are is architecture.hpp's to say.
// Everything is checked here: shapes, types, finite values; the engine trusts what comes out.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>

#include "tern/base/half.hpp"
#include "tern/format/gguf.hpp"
#include "tern/format/tern_directory.hpp"
#include "tern/kernels/kernel_table.hpp"
#include "tern/quant/i2_s_codec.hpp"
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

/// Whether the binary16 at the same place in all blocks are finite.
inline bool block_scales_are_finite(const GgufTensor& tensor, size_t scale_at) {
  bool finite = true;
  for (size_t at = scale_at; at < tensor.data.size(); at += tensor.type->block_bytes) {
    finite &= (load_u16(tensor.data.data() + at) & 0x7C00) != 0x7C00;
  }
  return finite;
}

/// Whether kernels take a table of rows of this type (i8 ones of tern files are view_byte_rows').
constexpr bool is_table_type(TensorType type) {
  return type != TensorType::iq1_bn && type != TensorType::iq2_bn &&
         type != TensorType::iq2_bn_r4 && type != TensorType::i8 &&
         type != TensorType::i8_planes;
}

/// Whether the values of a table are finite. Requires: is_table_type.
inline bool table_is_finite(const GgufTensor& tensor) {
  const auto blocks = [&tensor]<TensorType type>() {
    return block_scales_are_finite(tensor, BlockCodec<type>::kScaleAt);
  };
  switch (tensor.type->type()) {
    case TensorType::f32: return stored_floats_are_finite<uint32_t>(tensor.data, 0x7F800000u);
    case TensorType::f16: return stored_floats_are_finite<uint16_t>(tensor.data, 0x7C00);
    case TensorType::bf16: return stored_floats_are_finite<uint16_t>(tensor.data, 0x7F80);
    case TensorType::q8_0: return blocks.operator()<TensorType::q8_0>();
    case TensorType::q4_0: return blocks.operator()<TensorType::q4_0>();
    case TensorType::q4_k:
      return blocks.operator()<TensorType::q4_k>() &&
             block_scales_are_finite(tensor, BlockCodec<TensorType::q4_k>::kMinScaleAt);
    case TensorType::q6_k: return blocks.operator()<TensorType::q6_k>();
    case TensorType::tq1_0: return blocks.operator()<TensorType::tq1_0>();
    case TensorType::tq2_0: return blocks.operator()<TensorType::tq2_0>();
    case TensorType::q1_0: return blocks.operator()<TensorType::q1_0>();
    case TensorType::q2_0: return blocks.operator()<TensorType::q2_0>();
    case TensorType::q2_0_g128: return blocks.operator()<TensorType::q2_0_g128>();
    case TensorType::i2_s:
      return is_finite_bits(
          I2SCodec::scale_bits(tensor.data.data(), tensor.dims[0] * tensor.rows()));
    case TensorType::iq1_bn:
    case TensorType::iq2_bn:
    case TensorType::iq2_bn_r4:
    case TensorType::i8:
    case TensorType::i8_planes: break;
  }
  return false;
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

/// What is asked of the bytes of a table.
struct TableOptions {
  bool read_values = true;  ///< look whether they are finite
  I2sLayout i2_s_layout = I2sLayout::x86;
};

/// A table of rows (embedding or head) as GGUF stores it, viewed where it lies.
/// Errors: those of find_shaped_tensor; unsupported_type; malformed where values are read.
inline Result<HeadView> view_stored_rows(const GgufFile& file, std::string_view name, uint32_t rows,
                                         uint32_t cols, const TableOptions& options) {
  TERN_TRY_ASSIGN(const GgufTensor* tensor, find_shaped_tensor(file, name, rows, cols));
  const TensorType type = tensor->type->type();
  const auto refused = [&](Status status, const char* what) {
    return Error(status, what, name, tensor->offset);
  };
  if (!detail::is_table_type(type)) {
    return refused(Status::unsupported_type, "an embedding or head of this type is not supported");
  }
  HeadView view{type, tensor->data.data(), tensor->data.size() / rows, cols};
  if (type == TensorType::i2_s) {
    // Only then is a row whole blocks, as kernels read them.
    if (options.i2_s_layout != I2sLayout::x86 || cols % I2SCodec::kBlockElems != 0) {
      return refused(Status::unsupported_type,
                     "an embedding or head of type I2_S needs the x86 layout and a width that is a "
                     "multiple of 128");
    }
    view.row_bytes = cols / 4;
    view.scale = std::bit_cast<float>(I2SCodec::scale_bits(view.rows, uint64_t{rows} * cols));
  }
  // Of I2_S one number is looked at, so always.
  if ((options.read_values || type == TensorType::i2_s) && !detail::table_is_finite(*tensor)) {
    return refused(Status::malformed, "a value is not finite");
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
