// NEON registers of 16 bytes as quad_vectors.inl.hpp wants them: AArch64's baseline, so every table
// of that processor shares them. Included inside a kernel region, after <arm_neon.h>, before it.
//
// AArch64 keeps subnormals, rounds to nearest even and converts binary16 exactly, as
// docs/numerics.md 0 asks. Minimum and maximum go by comparison, as everywhere in tern.

using F4 = float32x4_t;
using I4 = int32x4_t;

static inline F4 f4_set(float x) { return vdupq_n_f32(x); }
static inline F4 f4_load(const void* p) {
  return vreinterpretq_f32_u8(vld1q_u8(static_cast<const uint8_t*>(p)));
}
static inline void f4_store(float* p, F4 v) { vst1q_f32(p, v); }
static inline F4 f4_add(F4 a, F4 b) { return vaddq_f32(a, b); }
static inline F4 f4_sub(F4 a, F4 b) { return vsubq_f32(a, b); }
static inline F4 f4_mul(F4 a, F4 b) { return vmulq_f32(a, b); }
static inline F4 f4_div(F4 a, F4 b) { return vdivq_f32(a, b); }
static inline F4 f4_max(F4 a, F4 b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
static inline F4 f4_min(F4 a, F4 b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
static inline F4 f4_gated(F4 g, F4 y) { return vbslq_f32(vclezq_f32(g), vsubq_f32(g, g), y); }
static inline F4 f4_nan_from(F4 v, F4 x) { return vbslq_f32(vceqq_f32(x, x), v, x); }
static inline float v_sqrt1(float x) { return vget_lane_f32(vsqrt_f32(vdup_n_f32(x)), 0); }
static inline float f4_tree(F4 v) {
  const float32x2_t two = vadd_f32(vget_low_f32(v), vget_high_f32(v));
  return vget_lane_f32(vadd_f32(two, vdup_lane_f32(two, 1)), 0);
}

static inline F4 f4_of_bits(I4 v) { return vreinterpretq_f32_s32(v); }
static inline I4 f4_bits(F4 v) { return vreinterpretq_s32_f32(v); }
static inline I4 f4_nearest(F4 v) { return vcvtnq_s32_f32(v); }
static inline F4 f4_of_int(I4 v) { return vcvtq_f32_s32(v); }

static inline uint16x4_t load_four_halves(const void* p) {
  return vreinterpret_u16_u8(vld1_u8(static_cast<const uint8_t*>(p)));
}
static inline F4 f4_load_f16(const void* p) {
  return vcvt_f32_f16(vreinterpret_f16_u16(load_four_halves(p)));
}
static inline F4 f4_load_bf16(const void* p) {
  return vreinterpretq_f32_u32(vshll_n_u16(load_four_halves(p), 16));
}
static inline void f4_store_f16(uint16_t* p, F4 v) {
  vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(v)));
}

static inline I4 i4_set(int32_t x) { return vdupq_n_s32(x); }
static inline I4 i4_load(const void* p) {
  return vreinterpretq_s32_u8(vld1q_u8(static_cast<const uint8_t*>(p)));
}
static inline void i4_store(void* p, I4 v) {
  vst1q_u8(static_cast<uint8_t*>(p), vreinterpretq_u8_s32(v));
}
static inline I4 i4_add(I4 a, I4 b) { return vaddq_s32(a, b); }
static inline I4 i4_sub(I4 a, I4 b) { return vsubq_s32(a, b); }
static inline I4 i4_and(I4 a, I4 b) { return vandq_s32(a, b); }
static inline I4 i4_less(I4 a, I4 b) { return vreinterpretq_s32_u32(vcltq_s32(a, b)); }
static inline I4 i4_max_u(I4 a, I4 b) {
  return vreinterpretq_s32_u32(vmaxq_u32(vreinterpretq_u32_s32(a), vreinterpretq_u32_s32(b)));
}
template <int kBits>
static inline I4 i4_shift_left(I4 v) {
  return vshlq_n_s32(v, kBits);
}
template <int kBits>
static inline I4 i4_shift_right(I4 v) {
  return vshrq_n_s32(v, kBits);
}
static inline uint32_t i4_reduce_max_u(I4 v) { return vmaxvq_u32(vreinterpretq_u32_s32(v)); }
static inline int32_t i4_reduce_add(I4 v) { return vaddvq_s32(v); }
static inline void i4_store_i8(int8_t* p, I4 a, I4 b, I4 c, I4 d) {
  const int16x8_t low = vcombine_s16(vmovn_s32(a), vmovn_s32(b));
  const int16x8_t high = vcombine_s16(vmovn_s32(c), vmovn_s32(d));
  vst1q_s8(p, vcombine_s8(vmovn_s16(low), vmovn_s16(high)));
}
static inline void i4_load_i8(const int8_t* p, I4& a, I4& b, I4& c, I4& d) {
  const int8x16_t bytes = vld1q_s8(p);
  const int16x8_t low = vmovl_s8(vget_low_s8(bytes)), high = vmovl_high_s8(bytes);
  a = vmovl_s16(vget_low_s16(low));
  b = vmovl_high_s16(low);
  c = vmovl_s16(vget_low_s16(high));
  d = vmovl_high_s16(high);
}
static inline void i4_store_words(int16_t* p, I4 a, I4 b, I4 c, I4 d) {
  vst1q_s16(p, vcombine_s16(vmovn_s32(a), vmovn_s32(b)));
  vst1q_s16(p + 8, vcombine_s16(vmovn_s32(c), vmovn_s32(d)));
}
// The low words of both, those of `odd` above.
static inline I4 i4_pair(I4 even, I4 odd) { return vsliq_n_s32(even, odd, 16); }
static inline I4 i4_dot_words(I4 sum, I4 a, I4 b) {
  const int16x8_t x = vreinterpretq_s16_s32(a), y = vreinterpretq_s16_s32(b);
  const I4 low = vmull_s16(vget_low_s16(x), vget_low_s16(y)), high = vmull_high_s16(x, y);
  return vaddq_s32(sum, vpaddq_s32(low, high));
}
// The same sum, in lanes that are not told apart.
static inline I4 i4_dot_words_mixed(I4 sum, I4 a, I4 b) {
  const int16x8_t x = vreinterpretq_s16_s32(a), y = vreinterpretq_s16_s32(b);
  return vmlal_high_s16(vmlal_s16(sum, vget_low_s16(x), vget_low_s16(y)), x, y);
}
static inline void i4_transpose(I4& a, I4& b, I4& c, I4& d) {
  const int64x2_t ab_even = vreinterpretq_s64_s32(vtrn1q_s32(a, b));
  const int64x2_t ab_odd = vreinterpretq_s64_s32(vtrn2q_s32(a, b));
  const int64x2_t cd_even = vreinterpretq_s64_s32(vtrn1q_s32(c, d));
  const int64x2_t cd_odd = vreinterpretq_s64_s32(vtrn2q_s32(c, d));
  a = vreinterpretq_s32_s64(vtrn1q_s64(ab_even, cd_even));
  b = vreinterpretq_s32_s64(vtrn1q_s64(ab_odd, cd_odd));
  c = vreinterpretq_s32_s64(vtrn2q_s64(ab_even, cd_even));
  d = vreinterpretq_s32_s64(vtrn2q_s64(ab_odd, cd_odd));
}

// The same registers as sixteen bytes.
static inline int8x16_t as_bytes(I4 v) { return vreinterpretq_s8_s32(v); }
static inline I4 of_bytes(int8x16_t v) { return vreinterpretq_s32_s8(v); }
static inline I4 b16_set(int8_t x) { return of_bytes(vdupq_n_s8(x)); }
static inline I4 b16_add(I4 a, I4 b) { return of_bytes(vaddq_s8(as_bytes(a), as_bytes(b))); }
static inline I4 b16_sub(I4 a, I4 b) { return of_bytes(vsubq_s8(as_bytes(a), as_bytes(b))); }
template <int kBits>
static inline I4 b16_shift(I4 v) {
  return vreinterpretq_s32_u8(vshrq_n_u8(vreinterpretq_u8_s32(v), kBits));
}
static inline void b16_interleave(I4 a, I4 b, I4 c, I4 d, I4* out) {
  const int8x16x2_t ab = vzipq_s8(as_bytes(a), as_bytes(b));
  const int8x16x2_t cd = vzipq_s8(as_bytes(c), as_bytes(d));
  for (int half = 0; half < 2; ++half) {
    const int16x8_t two = vreinterpretq_s16_s8(ab.val[half]);
    const int16x8_t other = vreinterpretq_s16_s8(cd.val[half]);
    out[2 * half] = vreinterpretq_s32_s16(vzip1q_s16(two, other));
    out[2 * half + 1] = vreinterpretq_s32_s16(vzip2q_s16(two, other));
  }
}
constexpr uint8_t kBitOfByte[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
static inline uint32_t b16_nonzero_bits(I4 v) {
  const uint8x16_t nonzero = vtstq_u8(vreinterpretq_u8_s32(v), vreinterpretq_u8_s32(v));
  const uint8x16_t bits = vandq_u8(nonzero, vld1q_u8(kBitOfByte));
  return vaddv_u8(vget_low_u8(bits)) | static_cast<uint32_t>(vaddv_u8(vget_high_u8(bits))) << 8;
}
constexpr uint32_t kBitOfLane[4] = {1, 2, 4, 8};
static inline uint32_t f4_live_bits(F4 g) {
  const uint32x4_t finite = vceqzq_f32(vsubq_f32(g, g));
  const uint32x4_t live = vmvnq_u32(vandq_u32(finite, vclezq_f32(g)));
  return vaddvq_u32(vandq_u32(live, vld1q_u32(kBitOfLane)));
}

// Words of the lower and the upper eight bytes, and their products.
static inline I4 of_words(int16x8_t v) { return vreinterpretq_s32_s16(v); }
static inline I4 i4_words_low(I4 bytes) { return of_words(vmovl_s8(vget_low_s8(as_bytes(bytes)))); }
static inline I4 i4_words_high(I4 bytes) { return of_words(vmovl_high_s8(as_bytes(bytes))); }
static inline I4 i4_multiply_low(I4 a, I4 b) {
  return of_words(vmull_s8(vget_low_s8(as_bytes(a)), vget_low_s8(as_bytes(b))));
}
static inline I4 i4_multiply_high(I4 a, I4 b) {
  return of_words(vmull_high_s8(as_bytes(a), as_bytes(b)));
}
// Words high * 128 + low.
static inline I4 i4_multiply_words(I4 a, I4 b) {
  return of_words(vmulq_s16(vreinterpretq_s16_s32(a), vreinterpretq_s16_s32(b)));
}
static inline I4 i4_join_words(I4 high, I4 low) {
  const int16x8_t upper = vshlq_n_s16(vreinterpretq_s16_s32(high), 7);
  return of_words(vaddq_s16(upper, vreinterpretq_s16_s32(low)));
}
template <int kBits>
static inline I4 b16_shift_left(I4 v) {
  return of_bytes(vshlq_n_s8(as_bytes(v), kBits));
}
static inline I4 b16_or(I4 a, I4 b) { return vorrq_s32(a, b); }
