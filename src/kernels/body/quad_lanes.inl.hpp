// Lanes and words of registers of 16 bytes: what attention and head rows need beside the primitives
// of vector_float.inl.hpp. Included inside a kernel region after quad_vectors.inl.hpp, before that
// file, and after i4_dot_bytes(sum, a, b): each lane += the products of four neighbouring int8.

constexpr size_t kTileQueries = 2;  // 2 x 2 accumulators of four registers, 2 vectors, a weight: 25
constexpr size_t kTileVectors = 2;
constexpr int32_t kKeyOffset = 0;  // keys are signed as they are

static inline V v_scale2(V p, VI k, V) {
  const VI k1 = vi_half(k);
  return v_mul(v_mul(p, v_pow2(k1)), v_pow2(vi_sub(k, k1)));
}
static inline VI vi_load_i8_n(const int8_t* p, size_t n) {
  int8_t copy[16] = {};
  __builtin_memcpy(copy, p, n);
  return vi_load_i8(copy);
}
static inline VI vi_pair(VI even, VI odd) {
  return {i4_pair(even.a, odd.a), i4_pair(even.b, odd.b), i4_pair(even.c, odd.c),
          i4_pair(even.d, odd.d)};
}
static inline void vi_store_words_n(VI v, int16_t* p, size_t n) {
  if (n >= 16) {
    i4_store_words(p, v.a, v.b, v.c, v.d);
  } else {
    int16_t copy[16];
    i4_store_words(copy, v.a, v.b, v.c, v.d);
    __builtin_memcpy(p, copy, n * sizeof(int16_t));
  }
}
static inline VI vi_dot_words(VI sum, VI x, VI y) {
  return {i4_dot_words(sum.a, x.a, y.a), i4_dot_words(sum.b, x.b, y.b),
          i4_dot_words(sum.c, x.c, y.c), i4_dot_words(sum.d, x.d, y.d)};
}
static inline VI vi_offset_keys(VI keys) { return keys; }
static inline VI vi_dot_keys(VI sum, VI keys, VI codes) {
  return {i4_dot_bytes(sum.a, keys.a, codes.a), i4_dot_bytes(sum.b, keys.b, codes.b),
          i4_dot_bytes(sum.c, keys.c, codes.c), i4_dot_bytes(sum.d, keys.d, codes.d)};
}
