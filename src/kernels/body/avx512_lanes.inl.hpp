// Lanes and words of AVX-512: what attention and head rows need beside the primitives of
// vector_float.inl.hpp. Included inside the AVX-512 region after those, before
// vector_float.inl.hpp; attention_blocks.inl.hpp and vector_head.inl.hpp say what each name means.

constexpr size_t kTileQueries =
    4;  // 4 x 4 accumulators, 4 vectors and a weight: 21 of 32 registers
constexpr size_t kTileVectors = 4;
constexpr int32_t kKeyOffset = 128;

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
// Keys are unsigned here: 128 more than they are.
static inline VI vi_offset_keys(VI keys) { return _mm512_xor_si512(keys, _mm512_set1_epi8(-128)); }
static TERN_ALWAYS_INLINE VI vi_dot_keys(VI acc, VI keys, VI codes) {
  dot(acc, keys, codes);
  return acc;
}
static TERN_ALWAYS_INLINE VI vi_dot_keys_at(VI acc, VI keys, const int8_t* codes) {
  dot_block(acc, keys, codes);
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
// Words of 64 bytes without sign: in the first of two vectors the lower half of each 16, in the
// second the upper half, so that 16 elements, which share a sub-scale, stay in their 128 bits.
static inline void unpack_words(VI bytes, VI* words) {
  words[0] = _mm512_unpacklo_epi8(bytes, _mm512_setzero_si512());
  words[1] = _mm512_unpackhi_epi8(bytes, _mm512_setzero_si512());
}
static inline void join_q6_k(const int8_t* high, const int8_t* low, VI* values) {
  const VI offset = _mm512_set1_epi8(-128);  // 128 more in each plane: 128 * 129 more in a value
  VI h[2];
  VI l[2];
  unpack_words(_mm512_xor_si512(_mm512_loadu_si512(high), offset), h);
  unpack_words(_mm512_xor_si512(_mm512_loadu_si512(low), offset), l);
  for (size_t i = 0; i < 2; ++i) {
    const VI value = _mm512_add_epi16(_mm512_slli_epi16(h[i], 7), l[i]);
    values[i] = _mm512_sub_epi16(value, _mm512_set1_epi16(128 * 129));
  }
}
// sub * code of a block's 256 elements. A half is 64 bytes of nibbles and 32 of pairs: its first 64
// elements have the low nibbles and the pairs 0 and 1, the others the high ones and 2 and 3.
static inline void unpack_q6_k(const uint8_t* block, VI* words) {
  const VI nibble = _mm512_set1_epi8(15);
  const VI six = _mm512_set1_epi8(63);
  const VI left = _mm512_inserti64x4(_mm512_set1_epi16(4), _mm256_set1_epi16(2), 1);
  const VI right = _mm512_inserti64x4(_mm512_setzero_si512(), _mm256_set1_epi16(2), 1);
  const VI quarter = _mm512_set_epi64(0x0003000300030003, 0x0003000300030003, 0x0002000200020002,
                                      0x0002000200020002, 0x0001000100010001, 0x0001000100010001,
                                      0x0000000000000000, 0x0000000000000000);
  const VI subs = _mm512_castsi256_si512(
      _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block + 192))));
#pragma GCC unroll 2
  for (size_t half = 0; half < 2; ++half) {
    const VI low = _mm512_loadu_si512(block + 64 * half);
    const VI pairs = _mm512_broadcast_i64x4(
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + 128 + 32 * half)));
    // (nibbles where the mask has ones, else pairs), less what is above six bits.
    const VI u[2] = {
        _mm512_and_si512(
            _mm512_ternarylogic_epi32(nibble, low, _mm512_sllv_epi16(pairs, left), 0xCA), six),
        _mm512_and_si512(_mm512_ternarylogic_epi32(nibble, _mm512_srli_epi16(low, 4),
                                                   _mm512_srlv_epi16(pairs, right), 0xCA),
                         six)};
#pragma GCC unroll 2
    for (size_t i = 0; i < 2; ++i) {
      const auto first = static_cast<int16_t>(8 * half + 4 * i);
      const VI sub =
          _mm512_permutexvar_epi16(_mm512_add_epi16(quarter, _mm512_set1_epi16(first)), subs);
      VI* out = words + 4 * half + 2 * i;
      unpack_words(u[i], out);
#pragma GCC unroll 2
      for (size_t j = 0; j < 2; ++j) {
        out[j] = _mm512_mullo_epi16(_mm512_sub_epi16(out[j], _mm512_set1_epi16(32)), sub);
      }
    }
  }
}
