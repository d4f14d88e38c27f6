// T2 and T5 tiles: a ternary matrix W [rows, cols] in the lane order of the int8 dot units.
//
// Room: quant. 64 bytes are a block of 16 rows x 16 columns (T2) or 16 x 20 (T5): byte `row * 4 +
// c` holds columns c, c + 4, c + 8, ... of that row, so that four neighbouring bytes meet four
// neighbouring activations. A row tile is 16 rows with all their column blocks, one after the
// other; row tiles follow each other:
//
//     block of (row tile r, column block b) at byte (r * col_blocks + b) * 64
//
// Rows are padded to 16 and columns to whole blocks with u = 1 (zero). Both layouts are the same on
// every machine.
#pragma once

#include "tern/quant/trit.hpp"

TERN_NAMESPACE_BEGIN

inline constexpr size_t kTileRows = 16;
/// Bytes of one block of a tile or a line: a cache line, a zmm register.
inline constexpr size_t kTritBlockBytes = 64;

/// The tile layout over a byte code (T2Code or T5Code).
template <typename Code>
struct TritTiles {
  static constexpr size_t kBlockCols = 4 * Code::kDigits;

  static constexpr TERN_ALWAYS_INLINE size_t row_tiles(size_t rows) {
    return rows / kTileRows + (rows % kTileRows != 0 ? 1 : 0);
  }
  static constexpr TERN_ALWAYS_INLINE size_t col_blocks(size_t cols) {
    return cols / kBlockCols + (cols % kBlockCols != 0 ? 1 : 0);
  }
  /// Bytes of one row tile: the distance between tiles.
  static constexpr TERN_ALWAYS_INLINE size_t tile_bytes(size_t cols) {
    return col_blocks(cols) * kTritBlockBytes;
  }
  /// Bytes of the packed matrix. Requires: it fits (packed_bytes in ternary_view.hpp checks).
  static constexpr TERN_ALWAYS_INLINE size_t bytes(size_t rows, size_t cols) {
    return row_tiles(rows) * tile_bytes(cols);
  }

  /// Decodes a whole block. Shapes: block 64 bytes; u [16][kBlockCols], rows `stride` apart.
  static constexpr TERN_ALWAYS_INLINE void decode_block(const uint8_t* block, uint8_t* u,
                                                        size_t stride) {
    for (size_t row = 0; row < kTileRows; ++row) {
      for (size_t c = 0; c < 4; ++c) Code::decode(block[row * 4 + c], u + row * stride + c, 4);
    }
  }

  /// Writes row `row` of the matrix, its padding columns included. Rows share no byte, so different
  /// rows may be written in any order and by different threads. Shapes: u [cols].
  static constexpr TERN_ALWAYS_INLINE void encode_row(const uint8_t* u, size_t cols, size_t row,
                                                      uint8_t* tiles) {
    uint8_t* out = row_start(tiles, cols, row);
    const size_t whole_cols = cols / kBlockCols * kBlockCols;
    for (size_t col = 0; col < whole_cols; col += kBlockCols, out += kTritBlockBytes) {
      for (size_t c = 0; c < 4; ++c) out[c] = Code::encode(u + col + c, 4);
    }
    if (whole_cols == cols) return;
    uint8_t padded[kBlockCols] = {};
    for (size_t i = 0; i < kBlockCols; ++i) {
      padded[i] = whole_cols + i < cols ? u[whole_cols + i] : kZeroTrit;
    }
    for (size_t c = 0; c < 4; ++c) out[c] = Code::encode(padded + c, 4);
  }
  /// Fills row `row` with zero trits: the padding below the last row.
  static constexpr TERN_ALWAYS_INLINE void clear_row(size_t cols, size_t row, uint8_t* tiles) {
    uint8_t* out = row_start(tiles, cols, row);
    for (size_t b = 0; b < col_blocks(cols); ++b, out += kTritBlockBytes) {
      for (size_t c = 0; c < 4; ++c) out[c] = Code::kAllZeroTrits;
    }
  }

  /// u of one element.
  static constexpr TERN_ALWAYS_INLINE uint8_t get(const uint8_t* tiles, size_t cols, size_t row,
                                                  size_t col) {
    const uint8_t* block = row_start(tiles, cols, row) + col / kBlockCols * kTritBlockBytes;
    const size_t in_block = col % kBlockCols;
    return Code::digit(block[in_block % 4], in_block / 4);
  }

 private:
  /// The four bytes of `row` in the first column block of its tile; the next block is 64 bytes on.
  template <typename Byte>
  static constexpr TERN_ALWAYS_INLINE Byte* row_start(Byte* tiles, size_t cols, size_t row) {
    return tiles + row / kTileRows * tile_bytes(cols) + row % kTileRows * 4;
  }
};

using T2Tiles = TritTiles<T2Code>;
using T5Tiles = TritTiles<T5Code>;

TERN_NAMESPACE_END
