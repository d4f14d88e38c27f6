// Activations of many tokens as the matrix product reads them, zero beyond the end:
//
//     [plane][group of kTokenTile tokens][column / kPackedColumns][token][kPackedColumns]
//
// Included inside a kernel region after kTokenTile, kPackedColumns, 4 or 8, and pack_group().

static inline size_t packed_columns(size_t k) {
  return (k + kPackedColumns - 1) / kPackedColumns * kPackedColumns;
}
static inline size_t packed_plane_bytes(size_t n, size_t k) {
  return (n + kTokenTile - 1) / kTokenTile * kTokenTile * packed_columns(k);
}
static size_t packed_tokens_bytes(size_t n, size_t k) { return 2 * packed_plane_bytes(n, k); }

static void pack_plane(const int8_t* q, size_t stride, size_t k, size_t begin, size_t end,
                       int8_t* packed) {
  const size_t columns = packed_columns(k);
  for (size_t group = begin; group < end; group += kTokenTile) {
    const size_t count = end - group < kTokenTile ? end - group : kTokenTile;
    pack_group(q + group * stride, stride, count, columns, packed + group * columns);
  }
}
static void pack_tokens(const ActivationView& a, size_t k, size_t begin, size_t end,
                        int8_t* packed) {
  pack_plane(a.high, a.stride, k, begin, end, packed);
  if (a.low != nullptr) {
    pack_plane(a.low, a.stride, k, begin, end, packed + packed_plane_bytes(a.n, k));
  }
}
