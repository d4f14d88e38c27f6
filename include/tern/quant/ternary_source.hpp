// Rows of trits and their scales from a tensor of a file, whatever type it is stored as.
//
// Room: quant. The one way by which weights become ternary: float types when their values are
// exactly {-g, 0, +g} in groups of 32 columns, the block types in groups of a block, the IQ types
// with a scale a row, I2_S with one; and the forms of other containers, with one scale too. Weights
// of one bit (Q1_0) are trits of which none is zero.
#pragma once

#include "tern/quant/i2_s_codec.hpp"
#include "tern/quant/tensor_form.hpp"
#include "tern/quant/ternarize.hpp"

TERN_NAMESPACE_BEGIN

/// A tensor [rows, cols] as it lies in a file. Requires: `bytes` has tensor_bytes() of its type, or
/// rows / 4 * cols bytes for row quarters; paired_rows, if not 0, is even and divides rows.
struct TernarySource {
  TensorType type = TensorType::f32;
  const uint8_t* bytes = nullptr;
  uint32_t rows = 0;
  uint32_t cols = 0;
  TensorForm form = {};
  /// Of FormKind::master, binary32 (docs/numerics.md 15): the largest magnitude that is a zero
  /// trit. The scale is form.scale_bits.
  uint32_t largest_zero_bits = 0;
  I2sLayout i2_s_layout = I2sLayout::x86;
};

/// Columns that share a scale in what read_ternary_row gives (the last group may be cut short); 0
/// for a type that holds no trits.
constexpr size_t ternary_group_cols(const TernarySource& source) {
  if (has_one_scale(source.form)) return source.cols;
  switch (source.type) {
    case TensorType::f32:
    case TensorType::f16:
    case TensorType::bf16: return 32;
    case TensorType::tq1_0:
    case TensorType::tq2_0: return 256;
    case TensorType::q1_0:
    case TensorType::q2_0_g128: return 128;
    case TensorType::q2_0: return 64;
    case TensorType::i2_s:
    case TensorType::iq1_bn:
    case TensorType::iq2_bn:
    case TensorType::iq2_bn_r4: return source.cols;
    case TensorType::q4_0:
    case TensorType::q8_0:
    case TensorType::q4_k:
    case TensorType::q6_k:
    case TensorType::i8:
    case TensorType::i8_planes: break;
  }
  return 0;
}

/// Reads one row as trits and scales.
/// Shapes:   u [cols]; scale_bits [ceil(cols / ternary_group_cols(source))], binary32 bits.
/// Requires: row < rows; cols > 0.
/// Ensures:  on success every u <= 2 and every scale is positive, or kWildcardScale where the group
///           has no nonzero trit.
/// Errors:   not_ternary, malformed (a weight or scale that is not finite, a code 3) or
///           unsupported_type; `where` is a byte offset in the tensor.
/// Threads:  any. Cost: no allocation.
Result<void> read_ternary_row(const TernarySource& source, size_t row, uint8_t* u,
                              uint32_t* scale_bits);

TERN_NAMESPACE_END
