// What five_compare.inl.hpp wants, and digits of T5 by it, on WebAssembly.
// Included inside a kernel region after quad_vectors.inl.hpp, before trit_digits.inl.hpp.

static inline VB vb_greater(VB x, VB y) {
  return {b16_greater(x.a, y.a), b16_greater(x.b, y.b), b16_greater(x.c, y.c),
          b16_greater(x.d, y.d)};
}
static inline VB vb_triple(VB v) {
  return {b16_triple(v.a), b16_triple(v.b), b16_triple(v.c), b16_triple(v.d)};
}

#include "kernels/body/five_compare.inl.hpp"
