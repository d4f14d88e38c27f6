// A packed ternary matrix as kernels and models see it, and how rows of trits become one.
//
// Room: quant. The view is plain data: pointers and sizes that kernel records take as they are.
#pragma once

#include <optional>

#include "tern/base/checked_math.hpp"
#include "tern/quant/trit_lines.hpp"

TERN_NAMESPACE_BEGIN

/// How the trits of a matrix are laid out; see trit_tiles.hpp (t2, t5) and trit_lines.hpp.
enum class Packing : uint32_t { t2, t5, t2r, t5r, t2c, t5c };

/// What shares one weight scale: the tensor, a row, or a group of consecutive columns of a row.
enum class ScaleKind : uint32_t { tensor, row, group };

/// A packed matrix W [rows, cols] and its scales; owns nothing.
/// `scales` is [1], [rows] or [rows][ceil(cols / group_cols)] by `scale_kind`; `group_cols` is 256,
/// 128, 64 or 32 for ScaleKind::group, else 0. Scales are finite and not negative.
struct TernaryView {
  const uint8_t* tiles = nullptr;
  uint32_t rows = 0;
  uint32_t cols = 0;
  Packing packing = Packing::t2;
  ScaleKind scale_kind = ScaleKind::tensor;
  uint32_t group_cols = 0;
  const float* scales = nullptr;
};

/// Bytes of a matrix [rows, cols] in a packing, or nothing when that does not fit 64 bits.
constexpr std::optional<uint64_t> packed_bytes(Packing packing, uint32_t rows, uint32_t cols) {
  // Each packing is `lines` runs of `blocks` blocks; only their product can be too large.
  uint64_t lines = 0;
  uint64_t blocks = 0;
  switch (packing) {
    case Packing::t2:
      lines = T2Tiles::row_tiles(rows), blocks = T2Tiles::col_blocks(cols);
      break;
    case Packing::t5:
      lines = T5Tiles::row_tiles(rows), blocks = T5Tiles::col_blocks(cols);
      break;
    case Packing::t2r:
      lines = rows, blocks = T2Lines::blocks(cols);
      break;
    case Packing::t5r:
      lines = rows, blocks = T5Lines::blocks(cols);
      break;
    case Packing::t2c:
      lines = cols, blocks = T2Lines::blocks(rows);
      break;
    case Packing::t5c:
      lines = cols, blocks = T5Lines::blocks(rows);
      break;
  }
  return checked_mul(lines, blocks * kTritBlockBytes);
}

/// Writes rows of u codes into tiles. Rows may come in any order, also from several threads;
/// `finish` writes the padding rows. The buffer holds packed_bytes(packing, rows, cols).
struct TilePacker {
  uint8_t* tiles = nullptr;
  uint32_t rows = 0;
  uint32_t cols = 0;
  Packing packing = Packing::t2;  ///< t2 or t5

  /// Shapes: u [cols]. Requires: row < rows; every u <= 2.
  TERN_ALWAYS_INLINE void put_row(uint32_t row, const uint8_t* u) const {
    TERN_ASSERT(row < rows);
    if (packing == Packing::t5) {
      T5Tiles::encode_row(u, cols, row, tiles);
    } else {
      T2Tiles::encode_row(u, cols, row, tiles);
    }
  }
  /// Fills the rows between `rows` and the next multiple of 16 with zero trits.
  TERN_ALWAYS_INLINE void finish() const {
    for (size_t row = rows; row % kTileRows != 0; ++row) {
      if (packing == Packing::t5) {
        T5Tiles::clear_row(cols, row, tiles);
      } else {
        T2Tiles::clear_row(cols, row, tiles);
      }
    }
  }
};

TERN_NAMESPACE_END
