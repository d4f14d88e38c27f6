// Codes to planes.
//
// Room: quant.
#include "tern/quant/plane_codec.hpp"

#include <algorithm>

TERN_NAMESPACE_BEGIN

namespace {

// Field by field over neighbouring bytes: loops that a compiler makes vectors of.
template <size_t kPlane>
void store_plane(const int8_t* codes, size_t k, uint8_t* out) {
  constexpr unsigned kMask = (1U << plane_bits(kPlane)) - 1;
  std::fill_n(out, plane_row_bytes(k, kPlane), uint8_t{0});
  for (size_t i = 0; i < k; i += kPieceBytes) {
    const size_t piece = i / piece_columns(kPlane);
    const unsigned bit =
        static_cast<unsigned>(i % piece_columns(kPlane) / kPieceBytes * plane_bits(kPlane));
    uint8_t* bytes = out + piece * kPieceBytes;
    const size_t n = std::min(kPieceBytes, k - i);
    for (size_t c = 0; c < n; ++c) {
      const auto u = static_cast<uint8_t>(codes[i + c] + kPlaneOffset);
      const unsigned field = (unsigned{u} >> plane_shift(kPlane)) & kMask;
      bytes[c] = static_cast<uint8_t>(bytes[c] | field << bit);
    }
  }
}

}  // namespace

void store_plane_row(const int8_t* codes, size_t k, size_t row, uint8_t* table) {
  store_plane<0>(codes, k, table + plane_row_at(k, 0, row));
  store_plane<1>(codes, k, table + plane_row_at(k, 1, row));
  store_plane<2>(codes, k, table + plane_row_at(k, 2, row));
}

uint32_t plane_rest_squares(const int8_t* codes, size_t k, size_t n_known) {
  const int32_t most = (1 << plane_shift(n_known - 1)) - 1;
  uint32_t sum = 0;
  for (size_t i = 0; i < k; ++i) {
    const int32_t distance = 2 * ((codes[i] + kPlaneOffset) & most) - most;
    sum += static_cast<uint32_t>(distance * distance);
  }
  return sum;
}

TERN_NAMESPACE_END
