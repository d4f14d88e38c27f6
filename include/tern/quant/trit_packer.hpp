// Rows of trits into a packed matrix (ternary_view.hpp), and back.
//
// Room: quant. Work is cut into the units of a packing (unit_rows): whole units share no byte with
// each other, so any number of threads may pack one matrix. A unit of T2C and T5C is one block of
// every column line; it is packed 64 columns at a time, in a square of 64 x 64 bytes that stays in
// the first cache, because its lines lie far apart:
//
//     u [digit * 64 + b][column]  ->  square [column][b]  ->  line (column), block (unit)
#pragma once

#include "tern/quant/ternary_view.hpp"

TERN_NAMESPACE_BEGIN

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
void pack_unit(const TernaryView& w, uint8_t* data, size_t unit, const uint8_t* u);

/// One row of a packed matrix as u. Code 3 of an untrusted T2 matrix comes out as 3.
/// Shapes: u [w.cols]. Requires: row < w.rows.
void unpack_row(const TernaryView& w, size_t row, uint8_t* u);

TERN_NAMESPACE_END
