// Packed rows of the cache to int8 codes (docs/numerics.md 9.1): bytes sixteen at a time, in
// vectors that the compiler makes of what the region has, or four in a word. Included inside a
// kernel region.
//
//     i4   byte b: dims b and b + half in its low and high four bits, each code + 8
//     i3   the two low bits of code + 4 of dims b, b + q, b + 2q, b + 3q in byte b of q = dim / 4,
//     then
//          its high bits: bit p of byte b of e = dim / 8 is dim b + p * e (both rounded up)

typedef uint32_t CodeWords __attribute__((vector_size(16)));
typedef uint8_t CodeBytes __attribute__((vector_size(16)));

// Bits of sixteen bytes, moved within each: words shift where bytes cannot, the mask drops what
// comes from a neighbour.
static inline CodeBytes code_field(const uint8_t* in, int shift, uint32_t mask) {
  CodeWords words;
  __builtin_memcpy(&words, in, 16);
  return reinterpret_cast<CodeBytes>((words >> shift) & mask);
}
static inline void store_codes(CodeBytes u, uint8_t offset, int8_t* out) {
  u = u - offset;
  __builtin_memcpy(out, &u, 16);
}
static inline unsigned bits_at(const uint8_t* in, size_t i, size_t run, unsigned bits) {
  return unsigned{in[i % run]} >> (i / run * bits) & ((1u << bits) - 1);
}

static void unpack_codes(CacheType type, const uint8_t* rows, size_t n, size_t dim, int8_t* codes) {
  const size_t stride = cache_row_bytes(type, dim);
  const size_t half = (dim + 1) / 2;
  const size_t quarter = (dim + 3) / 4;
  const size_t eighth = (dim + 7) / 8;
  for (size_t j = 0; j < n; ++j, rows += stride, codes += dim) {
    if (type == CacheType::i4) {
      size_t b = 0;
      for (; b + 16 <= half && dim % 2 == 0; b += 16) {
        store_codes(code_field(rows + b, 0, 0x0F0F0F0F), 8, codes + b);
        store_codes(code_field(rows + b, 4, 0x0F0F0F0F), 8, codes + half + b);
      }
      for (; b < half; ++b) {
        codes[b] = static_cast<int8_t>((rows[b] & 15) - 8);
        if (half + b < dim) codes[half + b] = static_cast<int8_t>((rows[b] >> 4) - 8);
      }
      continue;
    }
    const uint8_t* high = rows + quarter;
    // Runs of whole vectors: those of a bit are half as long as those of a pair.
    for (size_t p = 0; p < 8 && dim % 128 == 0; ++p) {
      const uint8_t* pairs = rows + p % 2 * eighth;
      for (size_t b = 0; b < eighth; b += 16) {
        const CodeBytes low = code_field(pairs + b, static_cast<int>(p / 2 * 2), 0x03030303);
        const CodeBytes bit = code_field(high + b, static_cast<int>(p), 0x01010101);
        store_codes(low | bit << 2, 4, codes + p * eighth + b);
      }
    }
    if (dim % 128 == 0) continue;
    size_t begin = 0;
    // The same in words of four bytes: 4 less of bytes below 8 that borrow from no neighbour.
    for (size_t p = 0; p < 8 && dim % 32 == 0; ++p) {
      const uint8_t* pairs = rows + p % 2 * eighth;
      for (size_t b = 0; b < eighth; b += 4, begin += 4) {
        uint32_t low = 0;
        uint32_t bits = 0;
        __builtin_memcpy(&low, pairs + b, 4);
        __builtin_memcpy(&bits, high + b, 4);
        const uint32_t u = (low >> p / 2 * 2 & 0x03030303) | (bits >> p & 0x01010101) << 2;
        const uint32_t code = ((u | 0x80808080) - 0x04040404) ^ 0x80808080;
        __builtin_memcpy(codes + begin, &code, 4);
      }
    }
    for (size_t i = begin; i < dim; ++i) {
      const unsigned u = bits_at(rows, i, quarter, 2) | bits_at(high, i, eighth, 1) << 2;
      codes[i] = static_cast<int8_t>(static_cast<int>(u) - 4);
    }
  }
}
