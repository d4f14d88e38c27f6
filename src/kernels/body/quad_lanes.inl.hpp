// Lanes and words of registers of 16 bytes: what attention and head rows need beside the primitives
// of vector_float.inl.hpp. Included inside a kernel region after quad_vectors.inl.hpp, before that
// file, and after i4_dot_bytes(sum, a, b): each lane += the products of four neighbouring int8.

constexpr size_t kTileQueries = 2;  // 2 x 2 accumulators of four registers, 2 vectors, a weight: 25
constexpr size_t kTileVectors = 2;
constexpr size_t kRowQueries = kTileQueries;
constexpr size_t kExpTogether = 1;  // of four registers
constexpr int32_t kByteOffset = 0;  // bytes are signed as they are

static inline V v_scale2(V p, VI k, V) {
  const VI k1 = vi_half(k);
  return v_mul(v_mul(p, v_pow2(k1)), v_pow2(vi_sub(k, k1)));
}
static inline VI vi_pair(VI even, VI odd) {
  return {i4_pair(even.a, odd.a), i4_pair(even.b, odd.b), i4_pair(even.c, odd.c),
          i4_pair(even.d, odd.d)};
}
static inline void vi_load_pairs(const void* even, const void* odd, VI* pairs) {
  const auto* e = static_cast<const int8_t*>(even);
  const auto* o = static_cast<const int8_t*>(odd);
  pairs[0] = vi_pair(vi_load_i8(e), vi_load_i8(o));
  pairs[1] = vi_pair(vi_load_i8(e + 16), vi_load_i8(o + 16));
}
static inline void vi_sort_pairs(VI*) {}
// 4 x 4 lanes of each register of four vectors.
static inline void vi_transpose_lanes(VI* v) {
  i4_transpose(v[0].a, v[1].a, v[2].a, v[3].a);
  i4_transpose(v[0].b, v[1].b, v[2].b, v[3].b);
  i4_transpose(v[0].c, v[1].c, v[2].c, v[3].c);
  i4_transpose(v[0].d, v[1].d, v[2].d, v[3].d);
}
static inline void vi_store_words(VI v, int16_t* p) { i4_store_words(p, v.a, v.b, v.c, v.d); }
static inline VI vi_dot_words(VI sum, VI x, VI y) {
  return {i4_dot_words(sum.a, x.a, y.a), i4_dot_words(sum.b, x.b, y.b),
          i4_dot_words(sum.c, x.c, y.c), i4_dot_words(sum.d, x.d, y.d)};
}
static inline VI vi_offset_bytes(VI bytes) { return bytes; }
static inline VI vi_dot_bytes(VI sum, VI bytes, VI codes) {
  return {i4_dot_bytes(sum.a, bytes.a, codes.a), i4_dot_bytes(sum.b, bytes.b, codes.b),
          i4_dot_bytes(sum.c, bytes.c, codes.c), i4_dot_bytes(sum.d, bytes.d, codes.d)};
}
static inline VI vi_dot_bytes_at(VI sum, VI bytes, const int8_t* codes) {
  return vi_dot_bytes(sum, bytes, vi_load(codes));
}

// Words of heads: 32 int8 in order, two planes joined, and the blocks that are no plain bytes.
static inline VI vi_words(I4 first, I4 second) {
  return {i4_words_low(first), i4_words_high(first), i4_words_low(second), i4_words_high(second)};
}
static inline VI vi_load_words(const void* p) {
  const char* at = static_cast<const char*>(p);
  return vi_words(i4_load(at), i4_load(at + 16));
}
static inline VI vi_join_planes(const int8_t* high, const int8_t* low) {
  const VI h = vi_load_words(high), l = vi_load_words(low);
  return {i4_join_words(h.a, l.a), i4_join_words(h.b, l.b), i4_join_words(h.c, l.c),
          i4_join_words(h.d, l.d)};
}
static inline VI vi_dot_words_at(VI sum, VI x, const VI* y) {
  return {i4_dot_words_mixed(sum.a, x.a, y->a), i4_dot_words_mixed(sum.b, x.b, y->b),
          i4_dot_words_mixed(sum.c, x.c, y->c), i4_dot_words_mixed(sum.d, x.d, y->d)};
}
static inline void vi_split(VI v, VI* high, VI* low) {
  *high = vi_shift_right<16>(v);
  *low = vi_and(v, vi_set(0xFFFF));
}
// Elements 0-15 are the low nibbles, 16-31 the high ones.
static inline VI unpack_q4_0(const uint8_t* nibbles) {
  const I4 bytes = i4_load(nibbles), nibble = b16_set(15), eight = b16_set(8);
  return vi_words(b16_sub(i4_and(bytes, nibble), eight),
                  b16_sub(i4_and(b16_shift<4>(bytes), nibble), eight));
}
// Blocks of few bits (head_words.inl.hpp). A shift of 32 bits leaves garbage above its words alone.
static inline VI vi_multiply_words(VI x, VI y) {
  return {i4_multiply_words(x.a, y.a), i4_multiply_words(x.b, y.b), i4_multiply_words(x.c, y.c),
          i4_multiply_words(x.d, y.d)};
}
static inline VI vi_load_sixteen(const void* p) {
  const char* at = static_cast<const char*>(p);
  const I4 low = i4_load(at), high = i4_load(at + 16);
  return {low, high, i4_shift_right<8>(low), i4_shift_right<8>(high)};
}
static inline VI vi_load_eight(const void* p) {
  const I4 words = i4_load(p);
  return {words, i4_shift_right<4>(words), i4_shift_right<8>(words), i4_shift_right<12>(words)};
}
static inline void join_q6_k(const int8_t* high, const int8_t* low, VI* values) {
  values[0] = vi_join_planes(high, low);
  values[1] = vi_join_planes(high + 32, low + 32);
}
// Two runs of 16 elements, codes 0 to 63, each times its sub-scale.
static inline VI scale_q6_k(I4 first, I4 second, const int8_t* subs) {
  const I4 offset = b16_set(32), sub = b16_set(subs[0]), next = b16_set(subs[1]);
  const I4 x = b16_sub(first, offset), y = b16_sub(second, offset);
  return {i4_multiply_low(x, sub), i4_multiply_high(x, sub), i4_multiply_low(y, next),
          i4_multiply_high(y, next)};
}
// sub * code of a block's 256 elements. A half is 64 bytes of nibbles and 32 of pairs: quarter k of
// its elements has nibbles of the first 32 bytes (k even) or the others, the upper ones from k = 2
// on, and pair k.
static inline void unpack_q6_k(const uint8_t* block, VI* words) {
  const auto* subs = reinterpret_cast<const int8_t*>(block + 192);
  const I4 nibble = b16_set(15), pair = b16_set(48);
  for (size_t half = 0; half < 2; ++half, words += 4, subs += 8) {
    const uint8_t* low = block + 64 * half;
    I4 u[4][2];
#pragma GCC unroll 2
    for (size_t g = 0; g < 2; ++g) {
      const I4 pairs = i4_load(block + 128 + 32 * half + 16 * g);
      const I4 even = i4_load(low + 16 * g), odd = i4_load(low + 32 + 16 * g);
      u[0][g] = b16_or(i4_and(even, nibble), i4_and(b16_shift_left<4>(pairs), pair));
      u[1][g] = b16_or(i4_and(odd, nibble), i4_and(b16_shift_left<2>(pairs), pair));
      u[2][g] = b16_or(i4_and(b16_shift<4>(even), nibble), i4_and(pairs, pair));
      u[3][g] = b16_or(i4_and(b16_shift<4>(odd), nibble), i4_and(b16_shift<2>(pairs), pair));
    }
#pragma GCC unroll 4
    for (size_t k = 0; k < 4; ++k) words[k] = scale_q6_k(u[k][0], u[k][1], subs + 2 * k);
  }
}
// The sum over the lanes of each of sixteen vectors, which are overwritten: lane i of v[i].
static inline VI vi_reduce16(VI* v) {
  vi_transpose16(v);
#pragma GCC unroll 4
  for (size_t width = 8; width > 0; width /= 2) {
#pragma GCC unroll 8
    for (size_t i = 0; i < width; ++i) v[i] = vi_add(v[i], v[i + width]);
  }
  return v[0];
}
