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
static inline I4 i4_load(const int32_t* p) { return vld1q_s32(p); }
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
