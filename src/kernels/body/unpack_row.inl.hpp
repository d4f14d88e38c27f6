// Tables that read packed rows of 128 dims in registers: how one is unpacked. Included inside a
// kernel region, after unpack_codes.inl.hpp and NibbleRows, ThreeBitRows and unpack_whole_row.

constexpr bool kReadsPacked = true;

static void unpack_row(CacheType type, const uint8_t* row, size_t dim, int8_t* codes) {
  if (dim != 128) {
    unpack_codes(type, row, 1, dim, codes);
  } else if (type == CacheType::i4) {
    unpack_whole_row<NibbleRows>(row, codes);
  } else {
    unpack_whole_row<ThreeBitRows>(row, codes);
  }
}
