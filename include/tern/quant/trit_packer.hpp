// Rows of trits into a packed matrix (ternary_view.hpp), and back.
//
// Room: quant. Work is cut into the units of a packing (unit_rows): whole units share no byte with
// each other, so any number of threads may pack one matrix. A unit of T2C and T5C is one block of
// every column line; it is packed 64 columns at a time, in a square of 64 x 64 bytes that stays in
// the first cache, because its lines lie far apart:
//
//     u [digit * 64 + b][column]  ->  square [column][b]  ->  line (column), block (unit)
#pragma once

#include <cstring>

#include "tern/quant/ternary_view.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {

template <typename Code>
void put_tile(const TernaryView& w, uint8_t* data, size_t unit, const uint8_t* u) {
  using Tiles = TritTiles<Code>;
  const size_t first = unit * kTileRows;
  for (size_t row = first; row < first + kTileRows; ++row) {
    if (row < w.rows) {
      Tiles::encode_row(u + (row - first) * w.cols, w.cols, row, data);
    } else {
      Tiles::clear_row(w.cols, row, data);
    }
  }
}

template <typename Code>
void put_row_lines(const TernaryView& w, uint8_t* data, size_t unit, const uint8_t* u) {
  using Lines = TritLines<Code>;
  const size_t line_bytes = Lines::blocks(w.cols) * kTritBlockBytes;
  const size_t first = unit * kTileRows;
  for (size_t row = first; row < first + kTileRows && row < w.rows; ++row) {
    Lines::encode(u + (row - first) * w.cols, w.cols, 1, data + row * line_bytes);
  }
}

template <typename Code>
void put_column_blocks(const TernaryView& w, uint8_t* data, size_t unit, const uint8_t* u) {
  using Lines = TritLines<Code>;
  constexpr size_t kSide = kTritBlockBytes;
  const size_t line_bytes = Lines::blocks(w.rows) * kTritBlockBytes;
  const size_t first = unit * Lines::kBlockElems;
  const size_t n_rows = w.rows - first < Lines::kBlockElems ? w.rows - first : Lines::kBlockElems;
  uint8_t padding[kSide];
  std::memset(padding, kZeroTrit, sizeof(padding));
  uint8_t square[kSide][kSide];
  for (size_t col = 0; col < w.cols; col += kSide) {
    const size_t n = w.cols - col < kSide ? w.cols - col : kSide;
    for (size_t b = 0; b < kSide; ++b) {
      const uint8_t* rows[Code::kDigits];
      for (size_t k = 0; k < Code::kDigits; ++k) {
        const size_t row = b + kSide * k;
        rows[k] = row < n_rows ? u + row * w.cols + col : padding;
      }
      for (size_t c = 0; c < n; ++c) {
        uint8_t digits[Code::kDigits];
        for (size_t k = 0; k < Code::kDigits; ++k) digits[k] = rows[k][c];
        square[c][b] = Code::encode(digits, 1);
      }
    }
    for (size_t c = 0; c < n; ++c) {
      std::memcpy(data + (col + c) * line_bytes + unit * kSide, square[c], kSide);
    }
  }
}

/// A row in whole blocks where they are whole: a byte at a time, not an element.
template <typename Code>
void take_row(const TernaryView& w, size_t row, uint8_t* u) {
  using Tiles = TritTiles<Code>;
  using Lines = TritLines<Code>;
  size_t col = 0;
  if (is_rows(w.packing)) {
    const uint8_t* line = w.data + row * Lines::blocks(w.cols) * kTritBlockBytes;
    for (const uint8_t* at = line; w.cols - col >= Lines::kBlockElems; col += Lines::kBlockElems) {
      for (size_t b = 0; b < kTritBlockBytes; ++b) {
        Code::decode(*at++, u + col + b, kTritBlockBytes);
      }
    }
    for (; col < w.cols; ++col) u[col] = Lines::get(line, col);
  } else if (is_columns(w.packing)) {
    const size_t line_bytes = Lines::blocks(w.rows) * kTritBlockBytes;
    for (; col < w.cols; ++col) u[col] = Lines::get(w.data + col * line_bytes, row);
  } else {
    const uint8_t* at = w.data + row / kTileRows * Tiles::tile_bytes(w.cols) + row % kTileRows * 4;
    for (; w.cols - col >= Tiles::kBlockCols; col += Tiles::kBlockCols, at += kTritBlockBytes) {
      for (size_t c = 0; c < 4; ++c) Code::decode(at[c], u + col + c, 4);
    }
    for (; col < w.cols; ++col) u[col] = Tiles::get(w.data, w.cols, row, col);
  }
}

}  // namespace detail

/// The rows [begin, end) of a unit.
struct UnitRows {
  size_t begin = 0;
  size_t end = 0;
};
constexpr UnitRows rows_of_unit(const TernaryView& w, size_t unit) {
  const size_t begin = unit * unit_rows(w.packing);
  const size_t end = begin + unit_rows(w.packing);
  return {begin, end < w.rows ? end : w.rows};
}

/// Writes one unit of a matrix, its padding included.
/// Shapes:   w says rows, cols and packing, its `data` is not looked at; `data` of packed_bytes();
///           u [rows of the unit, cols].
/// Requires: unit < w.n_units(); every u <= 2. Threads: any, on different units.
inline void pack_unit(const TernaryView& w, uint8_t* data, size_t unit, const uint8_t* u) {
  TERN_ASSERT(unit < w.n_units());
  switch (w.packing) {
    case Packing::t2: return detail::put_tile<T2Code>(w, data, unit, u);
    case Packing::t5: return detail::put_tile<T5Code>(w, data, unit, u);
    case Packing::t2r: return detail::put_row_lines<T2Code>(w, data, unit, u);
    case Packing::t5r: return detail::put_row_lines<T5Code>(w, data, unit, u);
    case Packing::t2c: return detail::put_column_blocks<T2Code>(w, data, unit, u);
    case Packing::t5c: return detail::put_column_blocks<T5Code>(w, data, unit, u);
  }
}

/// One row of a packed matrix as u. Code 3 of an untrusted T2 matrix comes out as 3.
/// Shapes: u [w.cols]. Requires: row < w.rows.
inline void unpack_row(const TernaryView& w, size_t row, uint8_t* u) {
  TERN_ASSERT(row < w.rows);
  is_five(w.packing) ? detail::take_row<T5Code>(w, row, u) : detail::take_row<T2Code>(w, row, u);
}

TERN_NAMESPACE_END
