// Lanes and words of AVX-512: what attention and head rows need beside the primitives of
// vector_float.inl.hpp. Included inside the AVX-512 region after those, before
// vector_float.inl.hpp; attention_blocks.inl.hpp and vector_head.inl.hpp say what each name means.

constexpr size_t kTileQueries =
    4;  // 4 x 4 accumulators, 4 vectors and a weight: 21 of 32 registers
constexpr size_t kTileVectors = 4;
constexpr size_t kRowQueries = kTileQueries;
constexpr size_t kExpTogether = 4;  // as many as have registers
constexpr int32_t kByteOffset = 128;

static inline V v_scale2(V p, VI, V kf) { return _mm512_scalef_ps(p, kf); }
static inline VI v_bits(V v) { return _mm512_castps_si512(v); }
static inline V v_of_bits(VI v) { return _mm512_castsi512_ps(v); }
// Each step adds two halves of every register and halves how many there are, as reduce16 does, by
// the tree of v_tree.
static inline V v_tree4(V a, V b, V c, V d) {
  const V ab = v_add(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xEE));
  const V cd = v_add(_mm512_shuffle_f32x4(c, d, 0x44), _mm512_shuffle_f32x4(c, d, 0xEE));
  return v_add(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xDD));
}
static inline V v_tree16(const V* v) {
  V halves[2];
#pragma GCC unroll 2
  for (size_t i = 0; i < 4; i += 2) {
    const V even = v_tree4(v[i], v[i + 4], v[i + 8], v[i + 12]);
    const V odd = v_tree4(v[i + 1], v[i + 5], v[i + 9], v[i + 13]);
    halves[i / 2] = v_add(_mm512_shuffle_ps(even, odd, 0x44), _mm512_shuffle_ps(even, odd, 0xEE));
  }
  return v_add(_mm512_shuffle_ps(halves[0], halves[1], 0x88),
               _mm512_shuffle_ps(halves[0], halves[1], 0xDD));
}
static inline VI vi_load(const void* p) { return _mm512_loadu_si512(p); }
static inline void vi_store(void* p, VI v) { _mm512_storeu_si512(p, v); }
static inline void vi_transpose16(VI* v) {
  VI out[16];
  transpose16(v, out);
#pragma GCC unroll 16
  for (size_t i = 0; i < 16; ++i) v[i] = out[i];
}
// 4 x 4 lanes of each quarter of four registers; then quarters themselves.
static inline void vi_transpose_lanes(VI* v) {
  const VI low01 = _mm512_unpacklo_epi32(v[0], v[1]), high01 = _mm512_unpackhi_epi32(v[0], v[1]);
  const VI low23 = _mm512_unpacklo_epi32(v[2], v[3]), high23 = _mm512_unpackhi_epi32(v[2], v[3]);
  v[0] = _mm512_unpacklo_epi64(low01, low23);
  v[1] = _mm512_unpackhi_epi64(low01, low23);
  v[2] = _mm512_unpacklo_epi64(high01, high23);
  v[3] = _mm512_unpackhi_epi64(high01, high23);
}
static inline void vi_transpose4(VI* v) { transpose_quarters(v, 1, v, 1); }
static inline VI vi_reduce16(VI* v) { return reduce16(v); }
// Words of 64 dims of two positions; a quarter's words 2i + f of its half h go to pairs[2h + f].
static inline void vi_load_pairs(const void* even, const void* odd, VI* pairs) {
  const VI e = vi_load(even), o = vi_load(odd);
  const VI both[2] = {_mm512_unpacklo_epi16(e, o), _mm512_unpackhi_epi16(e, o)};
#pragma GCC unroll 2
  for (size_t h = 0; h < 2; ++h) {
    pairs[2 * h] = _mm512_srai_epi16(_mm512_slli_epi16(both[h], 8), 8);
    pairs[2 * h + 1] = _mm512_srai_epi16(both[h], 8);
  }
}
static inline void vi_sort_pairs(VI* sums) {
  const VI a = sums[0], b = sums[1], c = sums[2], d = sums[3];
  sums[0] = _mm512_unpacklo_epi32(a, b);
  sums[1] = _mm512_unpackhi_epi32(a, b);
  sums[2] = _mm512_unpacklo_epi32(c, d);
  sums[3] = _mm512_unpackhi_epi32(c, d);
  vi_transpose4(sums);
}
// By instruction, as the products of avx512_trits.inl.hpp.
static TERN_ALWAYS_INLINE VI vi_dot_words(VI acc, VI a, VI b) {
  __asm__("vpdpwssd %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
  return acc;
}
static TERN_ALWAYS_INLINE VI vi_dot_words_at(VI acc, VI a, const VI* b) {
  __asm__("vpdpwssd %2, %1, %0" : "+v"(acc) : "v"(a), "m"(*b));
  return acc;
}
// Bytes and their sums, as trit_digits.inl.hpp says.
using VB = VI;
using VS = VI;
constexpr size_t kDotsInSum = 65536;
constexpr size_t kSharedRows = 4;
static inline VB vb_set(int8_t x) { return _mm512_set1_epi8(x); }
static inline VB vb_and(VB a, VB b) { return _mm512_and_si512(a, b); }
template <int kBits>
static inline VB vb_shift(VB v) {
  return _mm512_srli_epi16(v, kBits);
}
static inline VS vs_zero() { return _mm512_setzero_si512(); }
static TERN_ALWAYS_INLINE VS vs_dot(VS s, VB u, VB q) {
  dot(s, u, q);
  return s;
}
static inline void vs_settle(VS*) {}
static inline VI vi_add_sums(VI v, VS s) { return _mm512_add_epi32(v, s); }
static inline VI vb_broadcast4(const void* p) {
  int32_t four = 0;
  __builtin_memcpy(&four, p, 4);
  return _mm512_set1_epi32(four);
}
// Bytes are unsigned here: 128 more than they are.
static inline VI vi_offset_bytes(VI bytes) {
  return _mm512_xor_si512(bytes, _mm512_set1_epi8(-128));
}
static TERN_ALWAYS_INLINE VI vi_dot_bytes(VI acc, VI bytes, VI codes) {
  dot(acc, bytes, codes);
  return acc;
}
static TERN_ALWAYS_INLINE VI vi_dot_bytes_at(VI acc, VI bytes, const int8_t* codes) {
  dot_block(acc, bytes, codes);
  return acc;
}
static inline void vi_store_words(VI v, int16_t* p) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(v));
}

// Words of heads: 32 int8 in order, two planes joined, and the blocks that are no plain bytes.
static inline VI vi_load_words(const void* p) {
  return _mm512_cvtepi8_epi16(_mm256_loadu_si256(static_cast<const __m256i*>(p)));
}
static inline VI vi_join_planes(const int8_t* high, const int8_t* low) {
  return _mm512_add_epi16(_mm512_slli_epi16(vi_load_words(high), 7), vi_load_words(low));
}
static inline void vi_split(VI v, VI* high, VI* low) {
  *high = _mm512_srai_epi32(v, 16);
  *low = _mm512_and_si512(v, _mm512_set1_epi32(0xFFFF));
}
// Elements 0-15 are the low nibbles, 16-31 the high ones.
static inline VI unpack_q4_0(const uint8_t* nibbles) {
  const __m256i words =
      _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(nibbles)));
  const __m512i both = _mm512_inserti64x4(_mm512_castsi256_si512(words), words, 1);
  const __m512i shift = _mm512_inserti64x4(_mm512_setzero_si512(), _mm256_set1_epi16(4), 1);
  const __m512i u = _mm512_and_si512(_mm512_srlv_epi16(both, shift), _mm512_set1_epi16(15));
  return _mm512_sub_epi16(u, _mm512_set1_epi16(8));
}
// Blocks of few bits (head_words.inl.hpp).
template <int kBits>
static inline VI vi_shift_right(VI v) {
  return _mm512_srai_epi32(v, kBits);
}
static inline VI vi_and(VI a, VI b) { return _mm512_and_si512(a, b); }
static inline VI vi_multiply_words(VI a, VI b) { return _mm512_mullo_epi16(a, b); }
static inline VI vi_load_sixteen(const void* p) {
  const __m256i words = _mm256_loadu_si256(static_cast<const __m256i*>(p));
  return _mm512_inserti64x4(_mm512_castsi256_si512(words), _mm256_srli_epi16(words, 8), 1);
}
static inline VI vi_load_eight(const void* p) {
  const VI shift =
      _mm512_set_epi64(0x000C000C000C000C, 0x000C000C000C000C, 0x0008000800080008,
                       0x0008000800080008, 0x0004000400040004, 0x0004000400040004, 0, 0);
  return _mm512_srlv_epi16(_mm512_broadcast_i32x4(_mm_loadu_si128(static_cast<const __m128i*>(p))),
                           shift);
}
