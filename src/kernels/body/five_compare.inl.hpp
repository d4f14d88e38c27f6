// Digits of T5 by comparison, for tables whose bytes are compared as signed ones. Included inside a
// kernel region before trit_digits.inl.hpp and after these:
//
//   vb_greater(a, b)        signed a > b ? 255 : 0, byte by byte
//   vb_triple(v)            each byte * 3, modulo 256
//
// With the byte f as s = f - 128 the digit is (s > -43) + (s > 42), and 3f - 128 = 3s modulo 256.

static inline VB vb_five_open(VB bytes) { return vb_add(bytes, vb_set(-128)); }
static inline VB vb_five_digit(VB* state) {
  const VB s = *state;
  *state = vb_triple(s);
  const VB carries = vb_add(vb_greater(s, vb_set(-43)), vb_greater(s, vb_set(42)));
  return vb_sub(vb_set(0), carries);
}
