// Accumulation over T2 tiles with vpmaddubsw (docs/numerics.md 4).
// Included inside the AVX2 region, before vector_product.inl.hpp.

constexpr size_t kMostPlanes = 4;  // planes in one pass over a tile: 4 x 2 accumulators of 16
constexpr size_t kPrefetchBytes = 4096;

// A 16-bit lane takes four pairs of products a block, each at most 2 * 3 * 127 = 762 with code 3.
// Ten blocks are 40 pairs: 30480; 43 pairs (32766) would still fit, eleven blocks would not.
constexpr size_t kBlocksBeforeWidening = 10;

static inline __m256i broadcast4(const int8_t* q) {
  int32_t four = 0;
  __builtin_memcpy(&four, q, 4);
  return _mm256_set1_epi32(four);
}
static inline __m256i load_bytes(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}

// The sum of 16 * n_blocks activations; a block adds at most 2 * 128 to a 16-bit lane, widened at
// once.
static inline int32_t column_sum(const int8_t* q, size_t n_blocks) {
  __m128i sum = _mm_setzero_si128();
  for (size_t b = 0; b < n_blocks; ++b) {
    const __m128i values = _mm_loadu_si128(reinterpret_cast<const __m128i*>(q + 16 * b));
    const __m128i pairs = _mm_maddubs_epi16(_mm_set1_epi8(1), values);
    sum = _mm_add_epi32(sum, _mm_madd_epi16(pairs, _mm_set1_epi16(1)));
  }
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4E));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xB1));
  return _mm_cvtsi128_si32(sum);
}

// Adds columns 4j to 4j + 3 of a block to the 16-bit sums of every plane.
template <size_t j, size_t kPlanes>
static inline void accumulate_quarter(VI bits, const int8_t* const* planes, size_t column,
                                      VI* pairs) {
  const __m256i code = _mm256_set1_epi8(3);
  const __m256i u_lo = _mm256_and_si256(_mm256_srli_epi16(bits.lo, 2 * j), code);
  const __m256i u_hi = _mm256_and_si256(_mm256_srli_epi16(bits.hi, 2 * j), code);
#pragma GCC unroll 4
  for (size_t p = 0; p < kPlanes; ++p) {
    const __m256i q = broadcast4(planes[p] + column + 4 * j);
    pairs[p].lo = _mm256_add_epi16(pairs[p].lo, _mm256_maddubs_epi16(u_lo, q));
    pairs[p].hi = _mm256_add_epi16(pairs[p].hi, _mm256_maddubs_epi16(u_hi, q));
  }
}

// acc[p][lane] = sum over the blocks of u * plane p from `column` on.
template <size_t kPlanes>
static inline void accumulate(const uint8_t* blocks, size_t n_blocks, const int8_t* const* planes,
                              size_t column, VI* acc) {
  const __m256i one = _mm256_set1_epi16(1);
  for (size_t p = 0; p < kPlanes; ++p) acc[p] = vi_zero();
  for (size_t b = 0; b < n_blocks;) {
    const size_t end = n_blocks - b < kBlocksBeforeWidening ? n_blocks : b + kBlocksBeforeWidening;
    VI pairs[kPlanes];
#pragma GCC unroll 4
    for (size_t p = 0; p < kPlanes; ++p) pairs[p] = vi_zero();
    for (; b < end; ++b) {
      const uint8_t* block = blocks + kTritBlockBytes * b;
      _mm_prefetch(reinterpret_cast<const char*>(block + kPrefetchBytes), _MM_HINT_T0);
      const VI bits = {load_bytes(block), load_bytes(block + 32)};
      const size_t at = column + T2Tiles::kBlockCols * b;
      accumulate_quarter<0, kPlanes>(bits, planes, at, pairs);
      accumulate_quarter<1, kPlanes>(bits, planes, at, pairs);
      accumulate_quarter<2, kPlanes>(bits, planes, at, pairs);
      accumulate_quarter<3, kPlanes>(bits, planes, at, pairs);
    }
#pragma GCC unroll 4
    for (size_t p = 0; p < kPlanes; ++p) {
      acc[p].lo = _mm256_add_epi32(acc[p].lo, _mm256_madd_epi16(pairs[p].lo, one));
      acc[p].hi = _mm256_add_epi32(acc[p].hi, _mm256_madd_epi16(pairs[p].hi, one));
    }
  }
}
