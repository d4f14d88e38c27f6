// Head rows of int8 cut into planes of bits: what a product needs first is read first.
//
// Room: quant. A code is u - 128, and u is cut into four, two and two bits:
//
//     u = 16 a + 4 b + c        0 <= a < 16,  0 <= b, c < 4
//
// 128 rows are a block: their a, then their b, then their c, a row after the other. Shorter runs
// of one plane are read more slowly (docs/adr/0023). A row of a plane is pieces of 64 bytes; field
// f of byte i (lowest first) is column 64 f + i of the piece. Rows are padded to kPlaneColumns with
// u = 0, blocks with rows that nobody reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "tern/base/checked_math.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

inline constexpr size_t kPlanes = 3;
inline constexpr size_t kPlaneRows = 128;
inline constexpr size_t kPlaneColumns = 256;
inline constexpr size_t kPieceBytes = 64;
inline constexpr int32_t kPlaneOffset = 128;  // u less the code
/// The largest k of rows in planes: sums of vector lanes stay below 2^31.
inline constexpr size_t kMostPlaneColumns = 65536;

constexpr size_t plane_bits(size_t plane) { return plane == 0 ? 4 : 2; }
/// What a plane's codes count in u: they begin at this bit.
constexpr size_t plane_shift(size_t plane) { return plane == 0 ? 4 : plane == 1 ? 2 : 0; }
/// Bytes of a row in all planes.
constexpr size_t planes_row_bytes(size_t k) {
  return (k + kPlaneColumns - 1) / kPlaneColumns * kPlaneColumns;
}
constexpr size_t plane_row_bytes(size_t k, size_t plane) {
  return planes_row_bytes(k) / 8 * plane_bits(plane);
}
/// Bytes of n rows.
constexpr std::optional<uint64_t> planes_bytes(size_t k, uint64_t n_rows) {
  return checked_mul((n_rows + kPlaneRows - 1) / kPlaneRows * kPlaneRows, planes_row_bytes(k));
}
/// Where a row of a plane begins.
constexpr size_t plane_row_at(size_t k, size_t plane, size_t row) {
  const size_t before = plane == 0 ? 0 : plane == 1 ? 4 : 6;  // bits of a column
  return row / kPlaneRows * kPlaneRows * planes_row_bytes(k) +
         kPlaneRows * planes_row_bytes(k) / 8 * before +
         row % kPlaneRows * plane_row_bytes(k, plane);
}
constexpr size_t piece_columns(size_t plane) { return kPieceBytes * 8 / plane_bits(plane); }

/// u of column i of a row of a plane, shifted to where it counts.
constexpr int32_t plane_code(const uint8_t* row, size_t plane, size_t i) {
  const size_t piece = piece_columns(plane);
  const uint8_t byte = row[i / piece * kPieceBytes + i % kPieceBytes];
  const size_t bit = i % piece / kPieceBytes * plane_bits(plane);
  return ((byte >> bit) & ((1 << plane_bits(plane)) - 1)) << plane_shift(plane);
}

/// Writes row `row` of a table from k codes.
void store_plane_row(const int8_t* codes, size_t k, size_t row, uint8_t* table);

/// Four times the squared distance of what the planes behind the first n_known hold from its
/// middle, over k codes; k at most kMostPlaneColumns.
uint32_t plane_rest_squares(const int8_t* codes, size_t k, size_t n_known);

TERN_NAMESPACE_END
