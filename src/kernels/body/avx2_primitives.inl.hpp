// Sixteen lanes as two 256-bit registers: the primitives of vector_float.inl.hpp and
// trit_digits.inl.hpp that AVX2 gives. Included inside the region of every table with 256-bit
// registers; the dot products (VS, vs_dot, vi_add_sums) are the including file's.

struct V {
  __m256 lo, hi;
};
struct VI {
  __m256i lo, hi;
};

// All ones in the lanes of the first n; n may be 16 or more.
static inline VI first_n(size_t n) {
  const __m256i count = _mm256_set1_epi32(n < 16 ? static_cast<int>(n) : 16);
  return {_mm256_cmpgt_epi32(count, _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)),
          _mm256_cmpgt_epi32(count, _mm256_setr_epi32(8, 9, 10, 11, 12, 13, 14, 15))};
}
static inline V v_zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
static inline V v_set(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
static inline __m256 load_eight_floats(const void* p, size_t at) {
  return _mm256_castsi256_ps(_mm256_loadu_si256(static_cast<const __m256i*>(p) + at));
}
static inline V v_load(const void* p) { return {load_eight_floats(p, 0), load_eight_floats(p, 1)}; }
static inline V v_load_n(const void* p, size_t n) {
  const VI mask = first_n(n);
  V v = v_zero();
  v.lo = _mm256_maskload_ps(static_cast<const float*>(p), mask.lo);
  if (n > 8) v.hi = _mm256_maskload_ps(static_cast<const float*>(p) + 8, mask.hi);
  return v;
}
static inline void v_store(float* p, V v) {
  _mm256_storeu_ps(p, v.lo);
  _mm256_storeu_ps(p + 8, v.hi);
}
static inline void v_store_n(float* p, size_t n, V v) {
  const VI mask = first_n(n);
  _mm256_maskstore_ps(p, mask.lo, v.lo);
  if (n > 8) _mm256_maskstore_ps(p + 8, mask.hi, v.hi);
}
static inline V v_add(V a, V b) { return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)}; }
static inline V v_sub(V a, V b) { return {_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)}; }
static inline V v_mul(V a, V b) { return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)}; }
static inline V v_div(V a, V b) { return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)}; }
static inline V v_max(V a, V b) { return {_mm256_max_ps(a.lo, b.lo), _mm256_max_ps(a.hi, b.hi)}; }
static inline V v_min(V a, V b) { return {_mm256_min_ps(a.lo, b.lo), _mm256_min_ps(a.hi, b.hi)}; }
static inline float v_sqrt1(float x) { return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x))); }

static inline __m128i load_eight(const void* p, size_t at) {
  return _mm_loadu_si128(static_cast<const __m128i*>(p) + at);
}
static inline V v_load_f16(const void* p) {
  return {_mm256_cvtph_ps(load_eight(p, 0)), _mm256_cvtph_ps(load_eight(p, 1))};
}
static inline __m256 bf16_to_floats(__m128i bits) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}
static inline V v_load_bf16(const void* p) {
  return {bf16_to_floats(load_eight(p, 0)), bf16_to_floats(load_eight(p, 1))};
}
// There are no masked moves of 16 bits: the ends of rows go through sixteen elements of stack.
static inline V v_load_f16_n(const void* p, size_t n) {
  uint16_t copy[16] = {};
  __builtin_memcpy(copy, p, n * sizeof(uint16_t));
  return v_load_f16(copy);
}
static inline V v_load_bf16_n(const void* p, size_t n) {
  uint16_t copy[16] = {};
  __builtin_memcpy(copy, p, n * sizeof(uint16_t));
  return v_load_bf16(copy);
}
static inline void store_floats_f16(uint16_t* p, __m256 v) {
  const __m128i halves = _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), halves);
}
static inline void v_store_f16(uint16_t* p, V v) {
  store_floats_f16(p, v.lo);
  store_floats_f16(p + 8, v.hi);
}
static inline void v_store_f16_n(uint16_t* p, size_t n, V v) {
  uint16_t copy[16];
  v_store_f16(copy, v);
  __builtin_memcpy(p, copy, n * sizeof(uint16_t));
}

static inline V v_keep_n(V v, size_t n) {
  const VI mask = first_n(n);
  return {_mm256_and_ps(v.lo, _mm256_castsi256_ps(mask.lo)),
          _mm256_and_ps(v.hi, _mm256_castsi256_ps(mask.hi))};
}
static inline __m256 gated(__m256 g, __m256 y) {
  return _mm256_blendv_ps(y, _mm256_sub_ps(g, g),
                          _mm256_cmp_ps(g, _mm256_setzero_ps(), _CMP_LE_OQ));
}
static inline V v_gated(V g, V y) { return {gated(g.lo, y.lo), gated(g.hi, y.hi)}; }
static inline __m256 nan_from(__m256 v, __m256 x) {
  return _mm256_blendv_ps(v, x, _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
}
static inline V v_nan_from(V v, V x) { return {nan_from(v.lo, x.lo), nan_from(v.hi, x.hi)}; }
static inline float v_tree(V v) {
  const __m256 eight = _mm256_add_ps(v.lo, v.hi);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

static inline VI v_to_int(V v) { return {_mm256_cvtps_epi32(v.lo), _mm256_cvtps_epi32(v.hi)}; }
static inline V v_from_int(VI v) { return {_mm256_cvtepi32_ps(v.lo), _mm256_cvtepi32_ps(v.hi)}; }
static inline VI vi_zero() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
static inline VI vi_set(int32_t x) { return {_mm256_set1_epi32(x), _mm256_set1_epi32(x)}; }
static inline VI vi_half(VI k) { return {_mm256_srai_epi32(k.lo, 1), _mm256_srai_epi32(k.hi, 1)}; }
static inline VI vi_add(VI a, VI b) {
  return {_mm256_add_epi32(a.lo, b.lo), _mm256_add_epi32(a.hi, b.hi)};
}
static inline VI vi_sub(VI a, VI b) {
  return {_mm256_sub_epi32(a.lo, b.lo), _mm256_sub_epi32(a.hi, b.hi)};
}
static inline V v_pow2(VI k) {
  const VI biased = vi_add(k, vi_set(127));
  return {_mm256_castsi256_ps(_mm256_slli_epi32(biased.lo, 23)),
          _mm256_castsi256_ps(_mm256_slli_epi32(biased.hi, 23))};
}
static inline VI v_abs_bits(V v) {
  const __m256i magnitude = _mm256_set1_epi32(0x7FFFFFFF);
  return {_mm256_and_si256(_mm256_castps_si256(v.lo), magnitude),
          _mm256_and_si256(_mm256_castps_si256(v.hi), magnitude)};
}
static inline VI vi_max_u(VI a, VI b) {
  return {_mm256_max_epu32(a.lo, b.lo), _mm256_max_epu32(a.hi, b.hi)};
}
static inline uint32_t vi_reduce_max_u(VI v) {
  const __m256i eight = _mm256_max_epu32(v.lo, v.hi);
  __m128i four = _mm_max_epu32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
  four = _mm_max_epu32(four, _mm_shuffle_epi32(four, 0x4E));
  four = _mm_max_epu32(four, _mm_shuffle_epi32(four, 0xB1));
  return static_cast<uint32_t>(_mm_cvtsi128_si32(four));
}
static inline int32_t vi_reduce_add(VI v) {
  const __m256i eight = _mm256_add_epi32(v.lo, v.hi);
  __m128i four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
  four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
  four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0xB1));
  return _mm_cvtsi128_si32(four);
}
// Packing works within halves of 128 bits; the permutation puts the quarters back in order.
static inline void vi_store_i8_n(VI v, int8_t* p, size_t n) {
  const __m256i words =
      _mm256_permute4x64_epi64(_mm256_packs_epi32(v.lo, v.hi), _MM_SHUFFLE(3, 1, 2, 0));
  const __m128i bytes =
      _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  if (n >= 16) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), bytes);
  } else {
    __builtin_memcpy(p, &bytes, n);
  }
}
static inline VI vi_plane_high(VI v) {
  const VI up = vi_add(v, vi_set(64));
  return {_mm256_srai_epi32(up.lo, 7), _mm256_srai_epi32(up.hi, 7)};
}
static inline VI vi_times_128(VI v) {
  return {_mm256_slli_epi32(v.lo, 7), _mm256_slli_epi32(v.hi, 7)};
}

// Bytes: 64 of them are two registers, in the order of memory.
using VB = VI;

static inline VI vi_load(const void* p) {
  const auto* at = static_cast<const __m256i*>(p);
  return {_mm256_loadu_si256(at), _mm256_loadu_si256(at + 1)};
}
static inline void vi_store(void* p, VI v) {
  auto* at = static_cast<__m256i*>(p);
  _mm256_storeu_si256(at, v.lo);
  _mm256_storeu_si256(at + 1, v.hi);
}
static inline VI vi_load_i8(const int8_t* p) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return {_mm256_cvtepi8_epi32(bytes), _mm256_cvtepi8_epi32(_mm_srli_si128(bytes, 8))};
}
static inline VB vb_broadcast4(const void* p) {
  int32_t four = 0;
  __builtin_memcpy(&four, p, 4);
  return vi_set(four);
}
static inline VB vb_set(int8_t x) { return {_mm256_set1_epi8(x), _mm256_set1_epi8(x)}; }
static inline VB vb_and(VB a, VB b) {
  return {_mm256_and_si256(a.lo, b.lo), _mm256_and_si256(a.hi, b.hi)};
}
static inline VB vb_add(VB a, VB b) {
  return {_mm256_add_epi8(a.lo, b.lo), _mm256_add_epi8(a.hi, b.hi)};
}
static inline VB vb_triple(VB v) { return vb_add(vb_add(v, v), v); }
static inline VB vb_sub(VB a, VB b) {
  return {_mm256_sub_epi8(a.lo, b.lo), _mm256_sub_epi8(a.hi, b.hi)};
}
static inline VB vb_greater(VB a, VB b) {
  return {_mm256_cmpgt_epi8(a.lo, b.lo), _mm256_cmpgt_epi8(a.hi, b.hi)};
}
template <int kBits>
static inline VB vb_shift(VB v) {
  return {_mm256_srli_epi16(v.lo, kBits), _mm256_srli_epi16(v.hi, kBits)};
}
static inline void interleave4(__m256i a, __m256i b, __m256i c, __m256i d, __m256i* out) {
  const __m256i ab_low = _mm256_unpacklo_epi8(a, b), ab_high = _mm256_unpackhi_epi8(a, b);
  const __m256i cd_low = _mm256_unpacklo_epi8(c, d), cd_high = _mm256_unpackhi_epi8(c, d);
  out[0] = _mm256_unpacklo_epi16(ab_low, cd_low);
  out[1] = _mm256_unpackhi_epi16(ab_low, cd_low);
  out[2] = _mm256_unpacklo_epi16(ab_high, cd_high);
  out[3] = _mm256_unpackhi_epi16(ab_high, cd_high);
}
static inline void vb_interleave4(const VB* c, VB* out) {
  __m256i lo[4], hi[4];
  interleave4(c[0].lo, c[1].lo, c[2].lo, c[3].lo, lo);
  interleave4(c[0].hi, c[1].hi, c[2].hi, c[3].hi, hi);
#pragma GCC unroll 4
  for (size_t q = 0; q < 4; ++q) out[q] = {lo[q], hi[q]};
}
// Two rows of two registers hold quarters a0 a1, a2 a3 and so on; columns of quarters go out.
static inline void vi_transpose4(VI* v) {
  const VI a = v[0], b = v[1], c = v[2], d = v[3];
  v[0] = {_mm256_permute2x128_si256(a.lo, b.lo, 0x20), _mm256_permute2x128_si256(c.lo, d.lo, 0x20)};
  v[1] = {_mm256_permute2x128_si256(a.lo, b.lo, 0x31), _mm256_permute2x128_si256(c.lo, d.lo, 0x31)};
  v[2] = {_mm256_permute2x128_si256(a.hi, b.hi, 0x20), _mm256_permute2x128_si256(c.hi, d.hi, 0x20)};
  v[3] = {_mm256_permute2x128_si256(a.hi, b.hi, 0x31), _mm256_permute2x128_si256(c.hi, d.hi, 0x31)};
}
static inline void transpose8(__m256i* r) {
  __m256i pairs[8], fours[8];
#pragma GCC unroll 4
  for (size_t i = 0; i < 4; ++i) {
    pairs[2 * i] = _mm256_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
    pairs[2 * i + 1] = _mm256_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
  }
#pragma GCC unroll 2
  for (size_t i = 0; i < 8; i += 4) {
    fours[i] = _mm256_unpacklo_epi64(pairs[i], pairs[i + 2]);
    fours[i + 1] = _mm256_unpackhi_epi64(pairs[i], pairs[i + 2]);
    fours[i + 2] = _mm256_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
    fours[i + 3] = _mm256_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
  }
#pragma GCC unroll 4
  for (size_t i = 0; i < 4; ++i) {
    r[i] = _mm256_permute2x128_si256(fours[i], fours[i + 4], 0x20);
    r[i + 4] = _mm256_permute2x128_si256(fours[i], fours[i + 4], 0x31);
  }
}
// Not inline: so many vectors are in memory anyway.
[[gnu::noinline]] static void vi_transpose16(VI* rows) {
  __m256i quarter[4][8];  // rows 0-7 and 8-15 of lanes 0-7, the same of lanes 8-15
#pragma GCC unroll 8
  for (size_t i = 0; i < 8; ++i) {
    quarter[0][i] = rows[i].lo;
    quarter[1][i] = rows[i + 8].lo;
    quarter[2][i] = rows[i].hi;
    quarter[3][i] = rows[i + 8].hi;
  }
#pragma GCC unroll 4
  for (size_t q = 0; q < 4; ++q) transpose8(quarter[q]);
#pragma GCC unroll 8
  for (size_t i = 0; i < 8; ++i) {
    rows[i] = {quarter[0][i], quarter[1][i]};
    rows[i + 8] = {quarter[2][i], quarter[3][i]};
  }
}
static inline uint32_t zero_bits(__m256i bytes) {
  const __m256i zero = _mm256_cmpeq_epi8(bytes, _mm256_setzero_si256());
  return static_cast<uint32_t>(_mm256_movemask_epi8(zero));
}
static inline uint64_t vb_nonzero_bits(VB v) {
  return ~(uint64_t{zero_bits(v.hi)} << 32 | zero_bits(v.lo));
}
static inline uint32_t dead_bits(__m256 g) {
  const __m256 finite = _mm256_cmp_ps(_mm256_sub_ps(g, g), _mm256_setzero_ps(), _CMP_EQ_OQ);
  const __m256 dead = _mm256_and_ps(finite, _mm256_cmp_ps(g, _mm256_setzero_ps(), _CMP_LE_OQ));
  return static_cast<uint32_t>(_mm256_movemask_ps(dead));
}
static inline uint32_t v_live_bits(V g) {
  return 0xFFFF ^ (dead_bits(g.hi) << 8 | dead_bits(g.lo));
}
