// Lanes and words of AVX-512: what attention and head rows need beside the primitives of
// vector_float.inl.hpp. Included inside the AVX-512 region after those, before
// vector_float.inl.hpp; generic_lanes.inl.hpp lists what each name means.

constexpr size_t kTileQueries =
    4;  // 4 x 4 accumulators, 4 vectors and a weight: 21 of 32 registers
constexpr size_t kTileVectors = 4;
constexpr int32_t kKeyOffset = 128;

static inline V v_scale2(V p, VI, V kf) { return _mm512_scalef_ps(p, kf); }
static inline VI v_bits(V v) { return _mm512_castps_si512(v); }
static inline V v_of_bits(VI v) { return _mm512_castsi512_ps(v); }
static inline VI vi_load(const void* p) { return _mm512_loadu_si512(p); }
static inline void vi_store(void* p, VI v) { _mm512_storeu_si512(p, v); }
static inline void vi_transpose16(VI* v) {
  VI out[16];
  transpose16(v, out);
#pragma GCC unroll 16
  for (size_t i = 0; i < 16; ++i) v[i] = out[i];
}
static inline VI vi_reduce16(VI* v) { return reduce16(v); }
static inline VI vi_load_i8(const int8_t* p) {
  return _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
static inline VI vi_load_i8_n(const int8_t* p, size_t n) {
  return _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(first_n(n), p));
}
static inline VI vi_pair(VI even, VI odd) {
  return _mm512_mask_blend_epi16(0xAAAAAAAAu, even, _mm512_slli_epi32(odd, 16));
}
// By instruction, as the products of avx512_trits.inl.hpp.
static TERN_ALWAYS_INLINE VI vi_dot_words(VI acc, VI a, VI b) {
  __asm__("vpdpwssd %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
  return acc;
}
static inline VI vb_broadcast4(const void* p) {
  int32_t four = 0;
  __builtin_memcpy(&four, p, 4);
  return _mm512_set1_epi32(four);
}
// Keys are unsigned here: 128 more than they are.
static inline VI vi_offset_keys(VI keys) { return _mm512_xor_si512(keys, _mm512_set1_epi8(-128)); }
static TERN_ALWAYS_INLINE VI vi_dot_keys(VI acc, VI keys, VI codes) {
  dot(acc, keys, codes);
  return acc;
}
static inline void vi_store_words_n(VI v, int16_t* p, size_t n) {
  _mm512_mask_cvtepi32_storeu_epi16(p, first_n(n), v);
}
