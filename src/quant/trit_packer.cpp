// How a unit of rows is packed, and a row taken out again.
//
// Room: quant. Every byte of every weight passes here when a model is packed: a file of its own,
// so that a build can compile it for speed (cmake/TernOptimization.cmake).
#include "tern/quant/trit_packer.hpp"

#include <cstring>

TERN_NAMESPACE_BEGIN

namespace {

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

}  // namespace

void pack_unit(const TernaryView& w, uint8_t* data, size_t unit, const uint8_t* u) {
  TERN_ASSERT(unit < w.n_units());
  switch (w.packing) {
    case Packing::t2: return put_tile<T2Code>(w, data, unit, u);
    case Packing::t5: return put_tile<T5Code>(w, data, unit, u);
    case Packing::t2r: return put_row_lines<T2Code>(w, data, unit, u);
    case Packing::t5r: return put_row_lines<T5Code>(w, data, unit, u);
    case Packing::t2c: return put_column_blocks<T2Code>(w, data, unit, u);
    case Packing::t5c: return put_column_blocks<T5Code>(w, data, unit, u);
  }
}

void unpack_row(const TernaryView& w, size_t row, uint8_t* u) {
  TERN_ASSERT(row < w.rows);
  is_five(w.packing) ? take_row<T5Code>(w, row, u) : take_row<T2Code>(w, row, u);
}

TERN_NAMESPACE_END
