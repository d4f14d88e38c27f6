// The inner loop of the matrix kernel with smmla, which multiplies two rows of eight columns by two
// tokens of eight columns: twice the products of sdot in one instruction.
// Included inside a NEON region with int8 matrices before matrix_product.inl.hpp, which says what
// each name means.
//
//     byte tile, arranged   [column / 8][16 rows][8]
//     sum [t][p]            rows 2p, 2p + 1 of tokens 2t, 2t + 1:  r0 t0, r0 t1, r1 t0, r1 t1

constexpr size_t kTokenTile = 6;  // 3 x 8 accumulators of 32, 3 of tokens
constexpr size_t kPackedColumns = 8;

// Two runs of four columns become one of eight, in place; a last one alone gets zeros.
static inline void arrange_tile(uint8_t* bytes, size_t n) {
  for (size_t c = 0; c < n; c += 8, bytes += 2 * kTritBlockBytes) {
    const VI first = vi_load(bytes);
    const VI second = n - c > 4 ? vi_load(bytes + kTritBlockBytes) : vi_zero();
    vi_store(bytes, {vzip1q_s32(first.a, second.a), vzip2q_s32(first.a, second.a),
                     vzip1q_s32(first.b, second.b), vzip2q_s32(first.b, second.b)});
    vi_store(bytes + kTritBlockBytes,
             {vzip1q_s32(first.c, second.c), vzip2q_s32(first.c, second.c),
              vzip1q_s32(first.d, second.d), vzip2q_s32(first.d, second.d)});
  }
}

static void dot_tokens(const uint8_t* bytes, const int8_t* packed, size_t n, VS* part) {
  constexpr size_t kPairs = kTokenTile / 2;
  I4 sum[kPairs][8];
#pragma GCC unroll 24
  for (size_t i = 0; i < 8 * kPairs; ++i) sum[i / 8][i % 8] = i4_set(0);
  for (size_t c = 0; c < n; c += 8, bytes += 2 * kTritBlockBytes, packed += 8 * kTokenTile) {
    int8x16_t q[kPairs];
#pragma GCC unroll 3
    for (size_t t = 0; t < kPairs; ++t) q[t] = vld1q_s8(packed + 16 * t);
#pragma GCC unroll 8
    for (size_t p = 0; p < 8; ++p) {
      const int8x16_t u = vreinterpretq_s8_u8(vld1q_u8(bytes + 16 * p));
#pragma GCC unroll 3
      for (size_t t = 0; t < kPairs; ++t) sum[t][p] = vmmlaq_s32(sum[t][p], u, q[t]);
    }
  }
#pragma GCC unroll 3
  for (size_t t = 0; t < kPairs; ++t) {
    const I4* s = sum[t];
    part[2 * t] = {vuzp1q_s32(s[0], s[1]), vuzp1q_s32(s[2], s[3]), vuzp1q_s32(s[4], s[5]),
                   vuzp1q_s32(s[6], s[7])};
    part[2 * t + 1] = {vuzp2q_s32(s[0], s[1]), vuzp2q_s32(s[2], s[3]), vuzp2q_s32(s[4], s[5]),
                       vuzp2q_s32(s[6], s[7])};
  }
}
