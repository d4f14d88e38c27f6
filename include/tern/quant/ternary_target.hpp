// Rows of trits and their scales to a tensor of a file: ternary_source.hpp the other way round.
//
// Room: quant. A type holds a matrix exactly or not at all, unless its scales may be rounded; what
// it cannot hold is known before a byte is written. Scales are looked at as bits.
#pragma once

#include <algorithm>
#include <bit>
#include <span>

#include "tern/quant/i2_s_codec.hpp"
#include "tern/quant/ternarize.hpp"

TERN_NAMESPACE_BEGIN

/// Whether a type can hold a matrix, and if not, what of it.
enum class TernaryFit : uint8_t {
  exact,
  ragged_rows,    ///< rows are no whole number of blocks
  many_scales,    ///< more scales than the type has places for
  inexact_scale,  ///< a scale is no binary16; or, where scales are rounded, has none near it
};

/// A type that trits can be written as.
struct TernaryTarget {
  TensorType type;
  uint32_t block_cols;
  /// Columns that share a scale: 0 where all of the tensor does.
  uint32_t group_cols;
  bool half_scales;
  uint32_t tail_bytes;  ///< behind the rows
};
inline constexpr TernaryTarget kTernaryTargets[] = {
    {TensorType::tq1_0, 256, 256, true, 0},
    {TensorType::tq2_0, 256, 256, true, 0},
    {TensorType::i2_s, I2SCodec::kBlockElems, 0, false, I2SCodec::kTailBytes},
    {TensorType::f16, 1, 1, true, 0},
};

/// Null for a type that trits are not written as.
constexpr const TernaryTarget* find_ternary_target(TensorType type) {
  for (const TernaryTarget& row : kTernaryTargets) {
    if (row.type == type) return &row;
  }
  return nullptr;
}

/// Whether a binary16 is this binary32, given by its bits.
constexpr bool is_exact_f16(uint32_t f32_bits) {
  return f32_bits_from_f16(f16_from_f32_bits(f32_bits)) == f32_bits;
}

/// Whether the binary16 nearest to this finite binary32, given by its bits, is within binary16's
/// relative error of normal numbers: neither infinite nor so small that bits are lost.
constexpr bool rounds_to_f16(uint32_t f32_bits) {
  constexpr uint16_t kMagnitude = 0x7FFF, kInfinity = 0x7C00, kLeastNormal = 0x0400;
  const uint16_t magnitude = f16_from_f32_bits(f32_bits) & kMagnitude;
  return is_exact_f16(f32_bits) || (magnitude >= kLeastNormal && magnitude < kInfinity);
}

namespace detail {
inline std::span<const float> scales_of(const TernaryView& w) {
  return {w.scales, scale_count({w.scale_kind, w.group_cols}, w.rows, w.cols)};
}
}  // namespace detail

/// How many scales of a matrix are no binary16. `w.data` is not looked at.
inline size_t count_inexact_scales(const TernaryView& w) {
  const auto scales = detail::scales_of(w);
  return static_cast<size_t>(std::count_if(scales.begin(), scales.end(), [](float scale) {
    return !is_exact_f16(std::bit_cast<uint32_t>(scale));
  }));
}

/// Whether a type can hold a matrix, whose scales may be rounded to binary16 or not. `w.data` is
/// not looked at.
inline TernaryFit ternary_fit(const TernaryTarget& target, const TernaryView& w,
                              bool round_scales = false) {
  if (w.cols % target.block_cols != 0) return TernaryFit::ragged_rows;
  const bool by_group = w.scale_kind == ScaleKind::group;
  const bool too_many = target.group_cols == 0 ? w.scale_kind != ScaleKind::tensor
                                               : by_group && w.group_cols < target.group_cols;
  if (too_many) return TernaryFit::many_scales;
  if (!target.half_scales) return TernaryFit::exact;
  for (const float scale : detail::scales_of(w)) {
    const auto bits = std::bit_cast<uint32_t>(scale);
    if (!(round_scales ? rounds_to_f16(bits) : is_exact_f16(bits))) {
      return TernaryFit::inexact_scale;
    }
  }
  return TernaryFit::exact;
}

namespace detail {
inline uint32_t scale_bits_at(const TernaryView& w, size_t row, size_t col) {
  size_t at = 0;
  if (w.scale_kind == ScaleKind::row) at = row;
  if (w.scale_kind == ScaleKind::group) at = row * w.n_groups() + col / w.group_cols;
  return std::bit_cast<uint32_t>(w.scales[at]);
}

template <TensorType type>
void write_block_row(const TernaryView& w, size_t row, const uint8_t* u, uint8_t* out) {
  using Codec = BlockCodec<type>;
  for (size_t col = 0; col < w.cols; col += Codec::kElems, out += Codec::kBytes) {
    Codec::encode_u(u + col, f16_from_f32_bits(scale_bits_at(w, row, col)), out);
  }
}

inline void write_half_row(const TernaryView& w, size_t row, const uint8_t* u, uint8_t* out) {
  constexpr uint16_t kSign = 0x8000;
  const size_t width = w.group_cols == 0 ? w.cols : w.group_cols;
  for (size_t first = 0; first < w.cols; first += width) {
    const uint16_t scale = f16_from_f32_bits(scale_bits_at(w, row, first));
    const uint16_t values[3] = {static_cast<uint16_t>(scale | kSign), 0, scale};
    const size_t end = w.cols - first < width ? w.cols : first + width;
    for (size_t col = first; col < end; ++col) store_u16(values[u[col]], out + 2 * col);
  }
}
}  // namespace detail

/// Bytes of a row. Requires: whole blocks.
constexpr size_t ternary_row_bytes(const TernaryTarget& target, uint32_t cols) {
  const TypeInfo& info = type_info(target.type);
  return size_t{cols} / info.block_elems * info.block_bytes;
}

/// Writes row `row` of a matrix; a scale that is no binary16 as the nearest one, ties to even.
/// Shapes: u [cols]; out [ternary_row_bytes()]. Requires: ternary_fit() is exact; every u <= 2.
/// Threads: any, on different rows.
inline void write_ternary_row(const TernaryTarget& target, const TernaryView& w, size_t row,
                              const uint8_t* u, uint8_t* out) {
  if (target.type == TensorType::tq1_0) {
    detail::write_block_row<TensorType::tq1_0>(w, row, u, out);
  } else if (target.type == TensorType::tq2_0) {
    detail::write_block_row<TensorType::tq2_0>(w, row, u, out);
  } else if (target.type == TensorType::i2_s) {
    I2SCodec::encode_blocks(u, w.cols, out);
  } else {
    detail::write_half_row(w, row, u, out);
  }
}

/// Writes what follows the last row. Shapes: out [target.tail_bytes].
inline void write_ternary_tail(const TernaryTarget& target, const TernaryView& w, uint8_t* out) {
  if (target.tail_bytes != 0) I2SCodec::encode_tail(detail::scale_bits_at(w, 0, 0), out);
}

TERN_NAMESPACE_END
