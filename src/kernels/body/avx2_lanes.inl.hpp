// Lanes and words of AVX2: what attention and head rows need beside the primitives of
// vector_float.inl.hpp. Included inside an AVX2 region after those, before vector_float.inl.hpp;
// attention_blocks.inl.hpp and vector_head.inl.hpp say what each name means.

constexpr size_t kTileQueries = 2;  // 2 x 2 accumulators of two registers, 2 vectors, a weight: 13
constexpr size_t kTileVectors = 2;
constexpr size_t kRowQueries = 4;   // with half of a tile's dims: 8 sums, 2 vectors, a weight
constexpr size_t kExpTogether = 1;  // of two registers: more would be spilled

static inline V v_scale2(V p, VI k, V) {
  const VI k1 = vi_half(k);
  return v_mul(v_mul(p, v_pow2(k1)), v_pow2(vi_sub(k, k1)));
}
static inline VI v_bits(V v) { return {_mm256_castps_si256(v.lo), _mm256_castps_si256(v.hi)}; }
static inline V v_of_bits(VI v) { return {_mm256_castsi256_ps(v.lo), _mm256_castsi256_ps(v.hi)}; }
// v_tree of each of eight vectors.
static inline __m256 tree_eight(const V* v) {
  __m256 eight[8];
#pragma GCC unroll 8
  for (size_t i = 0; i < 8; ++i) eight[i] = _mm256_add_ps(v[i].lo, v[i].hi);
  __m256 four[4];  // of i, then of i + 4
#pragma GCC unroll 4
  for (size_t i = 0; i < 4; ++i) {
    const __m256 a = eight[i], b = eight[i + 4];
    four[i] = _mm256_add_ps(_mm256_blend_ps(a, b, 0xF0), _mm256_permute2f128_ps(a, b, 0x21));
  }
  __m256 two[2];  // of 2i and 2i + 1, then of 2i + 4 and 2i + 5
#pragma GCC unroll 2
  for (size_t i = 0; i < 2; ++i) {
    const __m256d a = _mm256_castps_pd(four[2 * i]), b = _mm256_castps_pd(four[2 * i + 1]);
    two[i] = _mm256_add_ps(_mm256_castpd_ps(_mm256_unpacklo_pd(a, b)),
                           _mm256_castpd_ps(_mm256_unpackhi_pd(a, b)));
  }
  return _mm256_add_ps(_mm256_shuffle_ps(two[0], two[1], 0x88),
                       _mm256_shuffle_ps(two[0], two[1], 0xDD));
}
static inline V v_tree16(const V* v) { return {tree_eight(v), tree_eight(v + 8)}; }
// Words of 32 bytes with sign, the even ones and the odd ones: 16 elements that share a sub-scale
// stay in their 128 bits.
static inline VI split_bytes(__m256i bytes) {
  return {_mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8), _mm256_srai_epi16(bytes, 8)};
}
// Words of 32 dims of two positions; a half's words 2i + f of its half h go to register 2h + f.
static inline void vi_load_pairs(const void* even, const void* odd, VI* pairs) {
  const __m256i e = _mm256_loadu_si256(static_cast<const __m256i*>(even));
  const __m256i o = _mm256_loadu_si256(static_cast<const __m256i*>(odd));
  const __m256i both[2] = {_mm256_unpacklo_epi16(e, o), _mm256_unpackhi_epi16(e, o)};
#pragma GCC unroll 2
  for (size_t h = 0; h < 2; ++h) {
    pairs[h] = split_bytes(both[h]);
  }
}
static inline void vi_sort_pairs(VI* sums) {
  const VI a = sums[0], b = sums[1];
  const __m256i a0 = _mm256_unpacklo_epi32(a.lo, a.hi), a1 = _mm256_unpackhi_epi32(a.lo, a.hi);
  const __m256i b0 = _mm256_unpacklo_epi32(b.lo, b.hi), b1 = _mm256_unpackhi_epi32(b.lo, b.hi);
  sums[0] = {_mm256_permute2x128_si256(a0, a1, 0x20), _mm256_permute2x128_si256(b0, b1, 0x20)};
  sums[1] = {_mm256_permute2x128_si256(a0, a1, 0x31), _mm256_permute2x128_si256(b0, b1, 0x31)};
}
static inline void vi_store_words(VI v, int16_t* p) {
  _mm256_storeu_si256(
      reinterpret_cast<__m256i*>(p),
      _mm256_permute4x64_epi64(_mm256_packs_epi32(v.lo, v.hi), _MM_SHUFFLE(3, 1, 2, 0)));
}

// Words of heads: 32 int8 in order, two planes joined, and the blocks that are no plain bytes.
static inline VI vi_load_words(const void* p) {
  const auto* at = static_cast<const __m128i*>(p);
  return {_mm256_cvtepi8_epi16(_mm_loadu_si128(at)), _mm256_cvtepi8_epi16(_mm_loadu_si128(at + 1))};
}
static inline VI vi_join_planes(const int8_t* high, const int8_t* low) {
  const VI h = vi_load_words(high);
  const VI l = vi_load_words(low);
  return {_mm256_add_epi16(_mm256_slli_epi16(h.lo, 7), l.lo),
          _mm256_add_epi16(_mm256_slli_epi16(h.hi, 7), l.hi)};
}
static inline void vi_split(VI v, VI* high, VI* low) {
  const __m256i mask = _mm256_set1_epi32(0xFFFF);
  *high = {_mm256_srai_epi32(v.lo, 16), _mm256_srai_epi32(v.hi, 16)};
  *low = {_mm256_and_si256(v.lo, mask), _mm256_and_si256(v.hi, mask)};
}
// Elements 0-15 are the low nibbles, 16-31 the high ones.
static inline VI unpack_q4_0(const uint8_t* nibbles) {
  const __m256i words =
      _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(nibbles)));
  const __m256i eight = _mm256_set1_epi16(8);
  return {_mm256_sub_epi16(_mm256_and_si256(words, _mm256_set1_epi16(15)), eight),
          _mm256_sub_epi16(_mm256_srli_epi16(words, 4), eight)};
}
// Blocks of few bits (head_words.inl.hpp).
template <int kBits>
static inline VI vi_shift_right(VI v) {
  return {_mm256_srai_epi32(v.lo, kBits), _mm256_srai_epi32(v.hi, kBits)};
}
static inline VI vi_and(VI a, VI b) {
  return {_mm256_and_si256(a.lo, b.lo), _mm256_and_si256(a.hi, b.hi)};
}
static inline VI vi_multiply_words(VI a, VI b) {
  return {_mm256_mullo_epi16(a.lo, b.lo), _mm256_mullo_epi16(a.hi, b.hi)};
}
static inline VI vi_load_sixteen(const void* p) {
  const __m256i words = _mm256_loadu_si256(static_cast<const __m256i*>(p));
  return {words, _mm256_srli_epi16(words, 8)};
}
static inline VI vi_load_eight(const void* p) {
  const __m256i words =
      _mm256_broadcastsi128_si256(_mm_loadu_si128(static_cast<const __m128i*>(p)));
  const __m256i both = _mm256_blend_epi32(words, _mm256_srli_epi16(words, 4), 0xF0);
  return {both, _mm256_srli_epi16(both, 8)};
}
static inline void join_q6_k(const int8_t* high, const int8_t* low, VI* values) {
  const VI h = vi_load(high);
  const VI l = vi_load(low);
  const VI upper[2] = {split_bytes(h.lo), split_bytes(h.hi)};
  const VI lower[2] = {split_bytes(l.lo), split_bytes(l.hi)};
  for (size_t i = 0; i < 2; ++i) {
    values[i] = {_mm256_add_epi16(_mm256_slli_epi16(upper[i].lo, 7), lower[i].lo),
                 _mm256_add_epi16(_mm256_slli_epi16(upper[i].hi, 7), lower[i].hi)};
  }
}
// Bytes u of quarter k of a half of a block (0 to 63, a code is 32 less): nibbles of its first 32
// bytes (k even) or the others, the upper ones from k = 2 on, and pair k of 32 bytes more.
template <size_t kHalf, size_t k>
static inline __m256i quarter_q6_k(const uint8_t* block) {
  const __m256i nibble = _mm256_set1_epi8(15);
  const __m256i pair = _mm256_set1_epi8(48);
  const auto* low = reinterpret_cast<const __m256i*>(block + 64 * kHalf);
  const __m256i bytes = _mm256_loadu_si256(low + k % 2);
  const __m256i pairs =
      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + 128 + 32 * kHalf));
  const __m256i nibbles = _mm256_and_si256(k < 2 ? bytes : _mm256_srli_epi16(bytes, 4), nibble);
  const __m256i at_four =
      k < 2 ? _mm256_slli_epi16(pairs, k == 0 ? 4 : 2) : _mm256_srli_epi16(pairs, k == 2 ? 0 : 2);
  return _mm256_or_si256(nibbles, _mm256_and_si256(at_four, pair));
}
// The sub-scales of a block as words.
struct SubsQ6K {
  __m256i all;
  __m256i of_half[2];  // half of them, in both 128 bits
};
static inline SubsQ6K load_subs_q6_k(const uint8_t* block) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + 192));
  const __m256i all = _mm256_cvtepi8_epi16(bytes);
  return {all, {_mm256_permute4x64_epi64(all, 0x44), _mm256_permute4x64_epi64(all, 0xEE)}};
}
// Those of quarter k, words 2k and 2k + 1 of a half's eight, each in its 128 bits. The choice is
// read from memory: put together from numbers, as g++ 12 would, it takes six instructions.
alignas(32) constexpr uint16_t kSubsOfQuarter[4][16] = {
#define TERN_EIGHT_TIMES(x) x, x, x, x, x, x, x, x
    {TERN_EIGHT_TIMES(0x0100), TERN_EIGHT_TIMES(0x0302)},
    {TERN_EIGHT_TIMES(0x0504), TERN_EIGHT_TIMES(0x0706)},
    {TERN_EIGHT_TIMES(0x0908), TERN_EIGHT_TIMES(0x0B0A)},
    {TERN_EIGHT_TIMES(0x0D0C), TERN_EIGHT_TIMES(0x0F0E)},
#undef TERN_EIGHT_TIMES
};
template <size_t kHalf, size_t k>
static inline __m256i quarter_subs_q6_k(const SubsQ6K& subs) {
  const auto* which = reinterpret_cast<const __m256i*>(kSubsOfQuarter[k]);
  return _mm256_shuffle_epi8(subs.of_half[kHalf], _mm256_load_si256(which));
}
template <size_t i>
static inline VI scaled_quarter_q6_k(const uint8_t* block, const SubsQ6K& subs) {
  const __m256i u = quarter_q6_k<i / 4, i % 4>(block);
  const __m256i sub = quarter_subs_q6_k<i / 4, i % 4>(subs);
  const VI code = split_bytes(_mm256_sub_epi8(u, _mm256_set1_epi8(32)));
  return {_mm256_mullo_epi16(code.lo, sub), _mm256_mullo_epi16(code.hi, sub)};
}
// sub * code of a block's 256 elements.
static inline void unpack_q6_k(const uint8_t* block, VI* words) {
  const SubsQ6K subs = load_subs_q6_k(block);
  words[0] = scaled_quarter_q6_k<0>(block, subs);
  words[1] = scaled_quarter_q6_k<1>(block, subs);
  words[2] = scaled_quarter_q6_k<2>(block, subs);
  words[3] = scaled_quarter_q6_k<3>(block, subs);
  words[4] = scaled_quarter_q6_k<4>(block, subs);
  words[5] = scaled_quarter_q6_k<5>(block, subs);
  words[6] = scaled_quarter_q6_k<6>(block, subs);
  words[7] = scaled_quarter_q6_k<7>(block, subs);
}
