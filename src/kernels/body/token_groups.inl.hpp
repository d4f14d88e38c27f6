// The packing of one group of tokens (token_packing.inl.hpp) by copies of a few bytes: `count` rows
// of `columns`, then zeros. Included inside a kernel region after kTokenTile and kPackedColumns.

static void pack_group(const int8_t* q, size_t stride, size_t count, size_t columns, int8_t* out) {
  for (size_t c = 0; c < columns; c += kPackedColumns) {
    for (size_t t = 0; t < kTokenTile; ++t, out += kPackedColumns) {
      if (t < count) {
        __builtin_memcpy(out, q + t * stride + c, kPackedColumns);
      } else {
        __builtin_memset(out, 0, kPackedColumns);
      }
    }
  }
}
