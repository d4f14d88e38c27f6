// Rows of trits into the tiles of a packed matrix (ternary_view.hpp).
//
// Room: quant.
#pragma once

#include "tern/quant/ternary_view.hpp"

TERN_NAMESPACE_BEGIN

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
