// Digits of T5 on NEON, which adds bytes without sign and halves the sum: 3f >> 8 is
// ((f + (f >> 1)) >> 1) >> 6, since 86 and 171 are where both pass one and two.
// Included inside a NEON region after quad_vectors.inl.hpp, before trit_digits.inl.hpp.

static inline uint8x16_t five_digit(uint8x16_t f) {
  return vshrq_n_u8(vhaddq_u8(f, vshrq_n_u8(f, 1)), 6);
}
static inline I4 b16_five_digit(I4 v) {
  return vreinterpretq_s32_u8(five_digit(vreinterpretq_u8_s32(v)));
}
static inline I4 b16_triple(I4 v) { return of_bytes(vmulq_s8(as_bytes(v), vdupq_n_s8(3))); }

static inline VB vb_five_open(VB bytes) { return bytes; }
static inline VB vb_five_digit(VB* state) {
  const VB f = *state;
  *state = {b16_triple(f.a), b16_triple(f.b), b16_triple(f.c), b16_triple(f.d)};
  return {b16_five_digit(f.a), b16_five_digit(f.b), b16_five_digit(f.c), b16_five_digit(f.d)};
}
