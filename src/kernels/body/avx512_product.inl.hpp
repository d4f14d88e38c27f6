// Accumulation over T2 tiles with vpdpbusd (docs/numerics.md 4).
// Included inside the AVX-512 region, before vector_product.inl.hpp.

constexpr size_t kMostPlanes = 8;  // planes in one pass over a tile: 8 x 2 accumulators of 32
constexpr size_t kPrefetchBytes = 4096;

static inline VI broadcast4(const int8_t* q) {
  int32_t four = 0;
  __builtin_memcpy(&four, q, 4);
  return _mm512_set1_epi32(four);
}
// The four registers of u in a block: columns 0-3, 4-7, 8-11 and 12-15 of its 16 rows.
static inline void unpack_block(const uint8_t* block, VI* u) {
  const VI bits = _mm512_loadu_si512(block);
  const VI two = _mm512_set1_epi8(3);
  u[0] = _mm512_and_si512(bits, two);
  u[1] = _mm512_and_si512(_mm512_srli_epi16(bits, 2), two);
  u[2] = _mm512_and_si512(_mm512_srli_epi16(bits, 4), two);
  u[3] = _mm512_and_si512(_mm512_srli_epi16(bits, 6), two);
}

template <typename Code>
static inline void unpack_digits(const uint8_t* block, VI* u) {
  if constexpr (Code::kDigits == T2Code::kDigits) {
    unpack_block(block, u);
  } else {
    uint8_t digits[5 * kTritBlockBytes];
    for (size_t i = 0; i < kTritBlockBytes; ++i) Code::decode(block[i], digits + i, 64);
    for (size_t d = 0; d < 5; ++d) u[d] = _mm512_loadu_si512(digits + kTritBlockBytes * d);
  }
}

// The sum of 16 * n_blocks activations.
static inline int32_t column_sum(const int8_t* q, size_t n_blocks) {
  __m128i sum = _mm_setzero_si128();
  for (size_t b = 0; b < n_blocks; ++b) {
    const __m128i values = _mm_loadu_si128(reinterpret_cast<const __m128i*>(q + 16 * b));
    sum = _mm_dpbusd_epi32(sum, _mm_set1_epi8(1), values);
  }
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4E));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xB1));
  return _mm_cvtsi128_si32(sum);
}

// acc[p][lane] = sum over the blocks of u * plane p from `column` on; kChains chains a plane hide
// the latency. Every loop over chains is unrolled, so that they are registers.
template <typename Code, size_t kPlanes>
static inline void accumulate(const uint8_t* blocks, size_t n_blocks, const int8_t* const* planes,
                              size_t column, VI* acc) {
  constexpr size_t kChains = kPlanes <= 4 ? 4 : 2;
  VI chain[kPlanes][kChains];
#pragma GCC unroll 8
  for (size_t p = 0; p < kPlanes; ++p) {
#pragma GCC unroll 4
    for (size_t c = 0; c < kChains; ++c) chain[p][c] = vi_zero();
  }
  for (size_t b = 0; b < n_blocks; ++b) {
    const uint8_t* block = blocks + kTritBlockBytes * b;
    _mm_prefetch(reinterpret_cast<const char*>(block + kPrefetchBytes), _MM_HINT_T0);
    VI u[Code::kDigits];
    unpack_digits<Code>(block, u);
#pragma GCC unroll 5
    for (size_t j = 0; j < Code::kDigits; ++j) {
#pragma GCC unroll 8
      for (size_t p = 0; p < kPlanes; ++p) {
        VI& sum = chain[p][j % kChains];
        sum = _mm512_dpbusd_epi32(sum, u[j],
                                  broadcast4(planes[p] + column + 4 * Code::kDigits * b + 4 * j));
      }
    }
  }
#pragma GCC unroll 8
  for (size_t p = 0; p < kPlanes; ++p) {
    acc[p] = chain[p][0];
#pragma GCC unroll 4
    for (size_t c = 1; c < kChains; ++c) acc[p] = vi_add(acc[p], chain[p][c]);
  }
}
