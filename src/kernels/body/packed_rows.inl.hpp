// Tables that have no packed rows in registers: they are unpacked a chunk at a time. Included
// inside a kernel region, after unpack_codes.inl.hpp.

constexpr bool kReadsPacked = false;
struct NibbleRows;
struct ThreeBitRows;

static void unpack_row(CacheType type, const uint8_t* row, size_t dim, int8_t* codes) {
  unpack_codes(type, row, 1, dim, codes);
}
