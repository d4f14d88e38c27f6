// The packing of one group of tokens (token_packing.inl.hpp): four columns of a token are a 32-bit
// lane, and turning sixteen rows of sixteen lanes puts the tokens side by side. Rows are readable
// beyond their columns (ActivationView). Included inside an AVX-512 region, after the trits.

static void pack_group(const int8_t* q, size_t stride, size_t count, size_t columns, int8_t* out) {
  static_assert(kPackedColumns == 4 && kTokenTile <= 16);
  for (size_t c = 0; c < columns; c += 64) {
    VI rows[16];
    VI turned[16];
#pragma GCC unroll 16
    for (size_t t = 0; t < 16; ++t) {
      rows[t] = t < count ? load_bytes(q + t * stride + c) : vi_zero();
    }
    transpose16(rows, turned);
    for (size_t i = 0; i < 16 && c + 4 * i < columns; ++i, out += 4 * kTokenTile) {
      _mm512_mask_storeu_epi32(out, first_n(kTokenTile), turned[i]);
    }
  }
}
