// Packed rows of the cache to int8 codes (docs/numerics.md 9.1): bytes sixteen at a time, in vectors
// that the compiler makes of what the region has. Included inside a kernel region.
//
//     i4   byte b: dims b and b + half in its low and high four bits, each code + 8
//     i3   the two low bits of code + 4 of dims b, b + q, b + 2q, b + 3q in byte b of q = dim / 4, then
//          its high bits: bit p of byte b of e = dim / 8 is dim b + p * e (both rounded up)

typedef uint8_t CodeBytes __attribute__((vector_size(16)));

// out[b] = (out[b] & keep) + (((in[b] >> shift) & mask) << up) - offset, b < n.
static inline void unpack_field(const uint8_t* in, size_t n, unsigned shift, uint8_t mask,
                                unsigned up, uint8_t keep, uint8_t offset, int8_t* out) {
  size_t b = 0;
  for (; b + 16 <= n; b += 16) {
    CodeBytes field;
    CodeBytes before;
    __builtin_memcpy(&field, in + b, 16);
    __builtin_memcpy(&before, out + b, 16);
    field = (((field >> shift) & mask) << up) + (before & keep) - offset;
    __builtin_memcpy(out + b, &field, 16);
  }
  for (; b < n; ++b) {
    const unsigned field = ((unsigned{in[b]} >> shift) & mask) << up;
    const unsigned before = static_cast<unsigned>(out[b]) & keep;
    out[b] = static_cast<int8_t>(static_cast<uint8_t>(field + before - offset));
  }
}

static inline size_t codes_within(size_t dim, size_t begin, size_t n) {
  return begin >= dim ? 0 : dim - begin < n ? dim - begin : n;
}

static void unpack_codes(CacheType type, const uint8_t* rows, size_t n, size_t dim, int8_t* codes) {
  const size_t stride = cache_row_bytes(type, dim);
  for (size_t j = 0; j < n; ++j, rows += stride, codes += dim) {
    if (type == CacheType::i4) {
      const size_t half = (dim + 1) / 2;
      unpack_field(rows, half, 0, 15, 0, 0, 8, codes);
      unpack_field(rows, codes_within(dim, half, half), 4, 15, 0, 0, 8, codes + half);
      continue;
    }
    const size_t quarter = (dim + 3) / 4;
    const size_t eighth = (dim + 7) / 8;
    for (unsigned k = 0; k < 4; ++k) {
      const size_t at = k * quarter;
      unpack_field(rows, codes_within(dim, at, quarter), 2 * k, 3, 0, 0, 0, codes + at);
    }
    for (unsigned p = 0; p < 8; ++p) {
      const size_t at = p * eighth;
      unpack_field(rows + quarter, codes_within(dim, at, eighth), p, 1, 2, 3, 4, codes + at);
    }
  }
}
