// A packed ternary matrix as kernels and models see it.
//
// Room: quant. The view is plain data: pointers and sizes that kernel records take as they are. How
// rows of trits become one is in trit_packer.hpp.
#pragma once

#include <optional>

#include "tern/base/checked_math.hpp"
#include "tern/quant/trit_lines.hpp"

TERN_NAMESPACE_BEGIN

/// How the trits of a matrix are laid out: tiles for streaming all of it (t2, t5; trit_tiles.hpp),
/// lines by row (r) or by column (c) for skipping some of it (trit_lines.hpp).
enum class Packing : uint32_t { t2, t5, t2r, t5r, t2c, t5c };

constexpr TERN_ALWAYS_INLINE bool is_five(Packing packing) {
  return packing == Packing::t5 || packing == Packing::t5r || packing == Packing::t5c;
}
constexpr TERN_ALWAYS_INLINE bool is_columns(Packing packing) {
  return packing == Packing::t2c || packing == Packing::t5c;
}
constexpr TERN_ALWAYS_INLINE bool is_rows(Packing packing) {
  return packing == Packing::t2r || packing == Packing::t5r;
}

/// The rows that cannot be told apart in a packing, the unit in which products over all columns are
/// cut into tasks: a tile, 16 rows (R); a block of every column line (C), 256 or 320 rows.
constexpr TERN_ALWAYS_INLINE size_t unit_rows(Packing packing) {
  if (!is_columns(packing)) return kTileRows;
  return is_five(packing) ? T5Lines::kBlockElems : T2Lines::kBlockElems;
}

/// What shares one weight scale: the tensor, a row, or a group of consecutive columns of a row.
enum class ScaleKind : uint32_t { tensor, row, group };

/// Groups of `group_cols` columns in a row of `cols`, the last one cut short.
/// Requires: group_cols > 0.
constexpr TERN_ALWAYS_INLINE size_t scale_groups(size_t cols, size_t group_cols) {
  return cols / group_cols + (cols % group_cols != 0 ? 1 : 0);
}

/// A packed matrix W [rows, cols] and its scales; owns nothing.
/// `scales` is [1], [rows] or [rows][n_groups()] by `scale_kind`; `group_cols` is 256, 128, 64 or
/// 32 for ScaleKind::group, else 0; groups occur with Packing::t2 only. Scales are finite and not
/// negative.
struct TernaryView {
  const uint8_t* data = nullptr;
  uint32_t rows = 0;
  uint32_t cols = 0;
  Packing packing = Packing::t2;
  ScaleKind scale_kind = ScaleKind::tensor;
  uint32_t group_cols = 0;
  const float* scales = nullptr;

  /// Groups of a row: the distance between the scales of two rows; 1 unless ScaleKind::group.
  constexpr TERN_ALWAYS_INLINE size_t n_groups() const {
    return group_cols == 0 ? 1 : scale_groups(cols, group_cols);
  }
  /// Units of rows (unit_rows), the last one cut short.
  constexpr TERN_ALWAYS_INLINE size_t n_units() const {
    const size_t unit = unit_rows(packing);
    return rows / unit + (rows % unit != 0 ? 1 : 0);
  }
};

/// Bytes of a matrix [rows, cols] in a packing, or nothing when that does not fit 64 bits.
constexpr std::optional<uint64_t> packed_bytes(Packing packing, uint32_t rows, uint32_t cols) {
  // Each packing is `lines` runs of `blocks` blocks; only their product can be too large.
  uint64_t lines = 0;
  uint64_t blocks = 0;
  switch (packing) {
    case Packing::t2: lines = T2Tiles::row_tiles(rows), blocks = T2Tiles::col_blocks(cols); break;
    case Packing::t5: lines = T5Tiles::row_tiles(rows), blocks = T5Tiles::col_blocks(cols); break;
    case Packing::t2r: lines = rows, blocks = T2Lines::blocks(cols); break;
    case Packing::t5r: lines = rows, blocks = T5Lines::blocks(cols); break;
    case Packing::t2c: lines = cols, blocks = T2Lines::blocks(rows); break;
    case Packing::t5c: lines = cols, blocks = T5Lines::blocks(rows); break;
  }
  return checked_mul(lines, blocks * kTritBlockBytes);
}

TERN_NAMESPACE_END
