// WebAssembly's 16-byte registers as quad_vectors.inl.hpp wants them, for the plain and the relaxed
// table. Included inside a kernel region, after <wasm_simd128.h>, before it.
//
// WebAssembly has one float environment: nearest even, subnormals kept. pmin and pmax compare as
// tern does, with the operands the other way round: pmax(x, y) is x < y ? y : x.
// There is no conversion of binary16, so the four below work on the bits, like base/half.hpp.

using F4 = v128_t;
using I4 = v128_t;

static inline F4 f4_set(float x) { return wasm_f32x4_splat(x); }
static inline F4 f4_load(const void* p) { return wasm_v128_load(p); }
static inline void f4_store(float* p, F4 v) { wasm_v128_store(p, v); }
static inline F4 f4_add(F4 a, F4 b) { return wasm_f32x4_add(a, b); }
static inline F4 f4_sub(F4 a, F4 b) { return wasm_f32x4_sub(a, b); }
static inline F4 f4_mul(F4 a, F4 b) { return wasm_f32x4_mul(a, b); }
static inline F4 f4_div(F4 a, F4 b) { return wasm_f32x4_div(a, b); }
static inline F4 f4_max(F4 a, F4 b) { return wasm_f32x4_pmax(b, a); }
static inline F4 f4_min(F4 a, F4 b) { return wasm_f32x4_pmin(b, a); }
static inline F4 f4_gated(F4 g, F4 y) {
  return wasm_v128_bitselect(wasm_f32x4_sub(g, g), y, wasm_f32x4_le(g, wasm_f32x4_const_splat(0)));
}
static inline F4 f4_nan_from(F4 v, F4 x) { return wasm_v128_bitselect(v, x, wasm_f32x4_eq(x, x)); }
static inline float v_sqrt1(float x) { return __builtin_sqrtf(x); }
static inline float f4_tree(F4 v) {
  const F4 two = wasm_f32x4_add(v, wasm_i32x4_shuffle(v, v, 2, 3, 2, 3));
  return wasm_f32x4_extract_lane(two, 0) + wasm_f32x4_extract_lane(two, 1);
}

static inline F4 f4_of_bits(I4 v) { return v; }
static inline I4 f4_bits(F4 v) { return v; }
static inline I4 f4_nearest(F4 v) { return wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(v)); }
static inline F4 f4_of_int(I4 v) { return wasm_f32x4_convert_i32x4(v); }

// A magnitude of binary16 shifted to a float's fraction is too small by 2^112, subnormals included;
// the exponent of infinities and NaN is set by hand, and NaN is made quiet.
static inline F4 f4_load_f16(const void* p) {
  const v128_t bits = wasm_v128_load64_zero(p);
  const v128_t half = wasm_u32x4_extend_low_u16x8(bits);
  const v128_t sign = wasm_i32x4_shl(wasm_v128_and(half, wasm_i32x4_const_splat(0x8000)), 16);
  const v128_t magnitude = wasm_v128_and(half, wasm_i32x4_const_splat(0x7FFF));
  const v128_t special = wasm_i32x4_gt(magnitude, wasm_i32x4_const_splat(0x7BFF));
  const v128_t nan = wasm_i32x4_gt(magnitude, wasm_i32x4_const_splat(0x7C00));
  const v128_t value =
      wasm_f32x4_mul(wasm_i32x4_shl(magnitude, 13), wasm_f32x4_const_splat(0x1p+112f));
  const v128_t exponent = wasm_v128_or(wasm_v128_and(special, wasm_i32x4_const_splat(0x7F800000)),
                                       wasm_v128_and(nan, wasm_i32x4_const_splat(0x00400000)));
  return wasm_v128_or(wasm_v128_or(value, sign), exponent);
}
static inline F4 f4_load_bf16(const void* p) {
  return wasm_i32x4_shl(wasm_u32x4_extend_low_u16x8(wasm_v128_load64_zero(p)), 16);
}
// Below 2^-14 the addition of 0.5, whose unit is binary16's smallest, rounds as binary16 does;
// above, half a unit less one, and one more where the last bit kept is odd, carry into it.
static inline void f4_store_f16(uint16_t* p, F4 v) {
  const v128_t magnitude = wasm_v128_and(v, wasm_i32x4_const_splat(0x7FFFFFFF));
  const v128_t sign = wasm_v128_and(wasm_u32x4_shr(v, 16), wasm_i32x4_const_splat(0x8000));
  const v128_t one_half = wasm_f32x4_const_splat(0.5f);
  const v128_t small = wasm_i32x4_sub(wasm_f32x4_add(magnitude, one_half), one_half);
  const v128_t odd = wasm_v128_and(wasm_u32x4_shr(magnitude, 13), wasm_i32x4_const_splat(1));
  const v128_t rebased = wasm_i32x4_add(magnitude, wasm_i32x4_const_splat(0xFFF - 0x38000000));
  const v128_t normal = wasm_u32x4_shr(wasm_i32x4_add(rebased, odd), 13);
  const v128_t quiet =
      wasm_v128_or(wasm_i32x4_const_splat(0x7E00),
                   wasm_v128_and(wasm_u32x4_shr(magnitude, 13), wasm_i32x4_const_splat(0x3FF)));
  const v128_t is_small = wasm_i32x4_lt(magnitude, wasm_i32x4_const_splat(0x38800000));
  const v128_t is_large = wasm_i32x4_ge(magnitude, wasm_i32x4_const_splat(0x477FF000));
  const v128_t is_nan = wasm_i32x4_gt(magnitude, wasm_i32x4_const_splat(0x7F800000));
  v128_t half = wasm_v128_bitselect(small, normal, is_small);
  half = wasm_v128_bitselect(wasm_i32x4_const_splat(0x7C00), half, is_large);
  half = wasm_v128_or(wasm_v128_bitselect(quiet, half, is_nan), sign);
  wasm_v128_store64_lane(p, wasm_u16x8_narrow_i32x4(half, half), 0);
}

static inline I4 i4_set(int32_t x) { return wasm_i32x4_splat(x); }
static inline I4 i4_load(const void* p) { return wasm_v128_load(p); }
static inline void i4_store(void* p, I4 v) { wasm_v128_store(p, v); }
static inline I4 i4_add(I4 a, I4 b) { return wasm_i32x4_add(a, b); }
static inline I4 i4_sub(I4 a, I4 b) { return wasm_i32x4_sub(a, b); }
static inline I4 i4_and(I4 a, I4 b) { return wasm_v128_and(a, b); }
static inline I4 i4_less(I4 a, I4 b) { return wasm_i32x4_lt(a, b); }
static inline I4 i4_max_u(I4 a, I4 b) { return wasm_u32x4_max(a, b); }
template <int kBits>
static inline I4 i4_shift_left(I4 v) {
  return wasm_i32x4_shl(v, kBits);
}
template <int kBits>
static inline I4 i4_shift_right(I4 v) {
  return wasm_i32x4_shr(v, kBits);
}
static inline uint32_t i4_reduce_max_u(I4 v) {
  const I4 two = wasm_u32x4_max(v, wasm_i32x4_shuffle(v, v, 2, 3, 2, 3));
  const I4 one = wasm_u32x4_max(two, wasm_i32x4_shuffle(two, two, 1, 1, 1, 1));
  return wasm_u32x4_extract_lane(one, 0);
}
static inline int32_t i4_reduce_add(I4 v) {
  const I4 two = wasm_i32x4_add(v, wasm_i32x4_shuffle(v, v, 2, 3, 2, 3));
  return wasm_i32x4_extract_lane(two, 0) + wasm_i32x4_extract_lane(two, 1);
}
static inline void i4_store_i8(int8_t* p, I4 a, I4 b, I4 c, I4 d) {
  wasm_v128_store(
      p, wasm_i8x16_narrow_i16x8(wasm_i16x8_narrow_i32x4(a, b), wasm_i16x8_narrow_i32x4(c, d)));
}
static inline void i4_load_i8(const int8_t* p, I4& a, I4& b, I4& c, I4& d) {
  const v128_t bytes = wasm_v128_load(p);
  const v128_t low = wasm_i16x8_extend_low_i8x16(bytes), high = wasm_i16x8_extend_high_i8x16(bytes);
  a = wasm_i32x4_extend_low_i16x8(low);
  b = wasm_i32x4_extend_high_i16x8(low);
  c = wasm_i32x4_extend_low_i16x8(high);
  d = wasm_i32x4_extend_high_i16x8(high);
}
static inline void i4_store_words(int16_t* p, I4 a, I4 b, I4 c, I4 d) {
  wasm_v128_store(p, wasm_i16x8_narrow_i32x4(a, b));
  wasm_v128_store(p + 8, wasm_i16x8_narrow_i32x4(c, d));
}
// The low words of both, those of `odd` above.
static inline I4 i4_pair(I4 even, I4 odd) {
  return wasm_i16x8_shuffle(even, odd, 0, 8, 2, 10, 4, 12, 6, 14);
}
static inline I4 i4_dot_words(I4 sum, I4 a, I4 b) {
  return wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(a, b));
}
// The same sum, in lanes that are not told apart.
static inline I4 i4_dot_words_mixed(I4 sum, I4 a, I4 b) { return i4_dot_words(sum, a, b); }
// Bytes of even and of odd number as words.
static inline I4 even_bytes(I4 v) { return wasm_i16x8_shr(wasm_i16x8_shl(v, 8), 8); }
static inline I4 odd_bytes(I4 v) { return wasm_i16x8_shr(v, 8); }
static inline I4 i4_dot_bytes(I4 sum, I4 a, I4 b) {
  return i4_dot_words(i4_dot_words(sum, even_bytes(a), even_bytes(b)), odd_bytes(a), odd_bytes(b));
}
static inline void i4_transpose(I4& a, I4& b, I4& c, I4& d) {
  const v128_t ab_low = wasm_i32x4_shuffle(a, b, 0, 4, 1, 5);
  const v128_t ab_high = wasm_i32x4_shuffle(a, b, 2, 6, 3, 7);
  const v128_t cd_low = wasm_i32x4_shuffle(c, d, 0, 4, 1, 5);
  const v128_t cd_high = wasm_i32x4_shuffle(c, d, 2, 6, 3, 7);
  a = wasm_i64x2_shuffle(ab_low, cd_low, 0, 2);
  b = wasm_i64x2_shuffle(ab_low, cd_low, 1, 3);
  c = wasm_i64x2_shuffle(ab_high, cd_high, 0, 2);
  d = wasm_i64x2_shuffle(ab_high, cd_high, 1, 3);
}

// The same registers as sixteen bytes.
static inline I4 b16_set(int8_t x) { return wasm_i8x16_splat(x); }
static inline I4 b16_add(I4 a, I4 b) { return wasm_i8x16_add(a, b); }
// Doubling by a shift of 16 bits: of v + v + v clang makes a product of bytes, and since there is
// none it takes all sixteen apart.
static inline I4 b16_triple(I4 v) {
  const I4 twice = wasm_v128_and(wasm_i16x8_shl(v, 1), wasm_i8x16_const_splat(-2));
  return wasm_i8x16_add(twice, v);
}
static inline I4 b16_sub(I4 a, I4 b) { return wasm_i8x16_sub(a, b); }
static inline I4 b16_greater(I4 a, I4 b) { return wasm_i8x16_gt(a, b); }
template <int kBits>
static inline I4 b16_shift(I4 v) {
  return wasm_u16x8_shr(v, kBits);
}
static inline void b16_interleave(I4 a, I4 b, I4 c, I4 d, I4* out) {
  const v128_t ab_low =
      wasm_i8x16_shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const v128_t ab_high =
      wasm_i8x16_shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  const v128_t cd_low =
      wasm_i8x16_shuffle(c, d, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const v128_t cd_high =
      wasm_i8x16_shuffle(c, d, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  out[0] = wasm_i16x8_shuffle(ab_low, cd_low, 0, 8, 1, 9, 2, 10, 3, 11);
  out[1] = wasm_i16x8_shuffle(ab_low, cd_low, 4, 12, 5, 13, 6, 14, 7, 15);
  out[2] = wasm_i16x8_shuffle(ab_high, cd_high, 0, 8, 1, 9, 2, 10, 3, 11);
  out[3] = wasm_i16x8_shuffle(ab_high, cd_high, 4, 12, 5, 13, 6, 14, 7, 15);
}
static inline uint32_t b16_nonzero_bits(I4 v) {
  return wasm_i8x16_bitmask(wasm_i8x16_ne(v, wasm_i8x16_const_splat(0)));
}
static inline uint32_t f4_live_bits(F4 g) {
  const v128_t zero = wasm_f32x4_const_splat(0);
  const v128_t finite = wasm_f32x4_eq(wasm_f32x4_sub(g, g), zero);
  return wasm_i32x4_bitmask(
      wasm_v128_andnot(wasm_i32x4_const_splat(-1), wasm_v128_and(finite, wasm_f32x4_le(g, zero))));
}

// Words of the lower and the upper eight bytes, and their products.
static inline I4 i4_words_low(I4 bytes) { return wasm_i16x8_extend_low_i8x16(bytes); }
static inline I4 i4_words_high(I4 bytes) { return wasm_i16x8_extend_high_i8x16(bytes); }
static inline I4 i4_multiply_low(I4 a, I4 b) { return wasm_i16x8_extmul_low_i8x16(a, b); }
static inline I4 i4_multiply_high(I4 a, I4 b) { return wasm_i16x8_extmul_high_i8x16(a, b); }
// Words high * 128 + low.
static inline I4 i4_multiply_words(I4 a, I4 b) { return wasm_i16x8_mul(a, b); }
static inline I4 i4_join_words(I4 high, I4 low) {
  return wasm_i16x8_add(wasm_i16x8_shl(high, 7), low);
}
// Each byte shifted; the low bits may be those of its neighbour.
template <int kBits>
static inline I4 b16_shift_left(I4 v) {
  return wasm_i16x8_shl(v, kBits);
}
static inline I4 b16_or(I4 a, I4 b) { return wasm_v128_or(a, b); }
