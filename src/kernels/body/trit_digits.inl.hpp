// How the digits of packed trits (tern/quant/trit.hpp) leave 64 bytes at a time, for every table.
// The first of the integer bodies: included inside a kernel region after these primitives, which
// they all build on. Names of vector_float.inl.hpp apply; bytes and lanes are in memory order.
//
// clang-format off
//   VB                      64 bytes: the type VI, seen as bytes
//   vi_load vi_store        64 bytes, from and to anywhere
//   vi_load_i8(p)           sixteen int8, widened to lanes
//   vb_set(x)               every byte x              vb_broadcast4(p)       four bytes, 16 times
//   vb_and vb_add vb_sub    byte by byte
//   vb_five_open(bytes)     bytes of T5 in the form that vb_five_digit takes
//   vb_five_digit(&state)   the next digit of every byte: from five_compare.inl.hpp, or by hand
//   vb_shift<n>(v)          each byte >> n; the n high bits may be those of its neighbour
//   vb_interleave4(c, out)  within each 16 bytes: out[q] lane i holds bytes 4q + i of c[0] to c[3]
//   vi_transpose4(v)        four vectors as 4 x 4 quarters of 16 bytes: transposed in place
//   vi_transpose16(v)       16 x 16 lanes: transposed in place
//   vb_nonzero_bits(v)      64 bits, bit i: byte i is not zero
//   v_live_bits(g)          16 bits, bit i: lane i is not (finite and <= 0)
//
//   VS                      sums of products in a table's own form: the type VI, or another
//   vs_zero()  vs_dot(s, u, q)      each lane += four neighbouring u (0..15) * q (-127..127)
//   vs_settle(&s)           makes the sum here: an empty instruction where g++ would gather the additions
//                           of many sums behind all products, which then wait in memory; else nothing
//   vi_add_sums(v, s)       v + the sixteen int32 sums
//   kDotsInSum              how many vs_dot a VS takes before it must be added: 65536, more than there
//                           are, where lanes are int32
// clang-format on
//
// The digits of T2 are two bits each. Those of T5 are carried out by multiplying the byte f by 3:
// the digit is 3f >> 8, the first f that reach 1 and 2 being 86 and 171, and 3f modulo 256 is left.

template <typename Code>
constexpr bool kIsTwo = Code::kDigits == T2Code::kDigits;

// What vb_digit takes the digits of `bytes` from, first digit first.
template <typename Code>
static inline VB vb_open(VB bytes) {
  if constexpr (kIsTwo<Code>) {
    return bytes;
  } else {
    return vb_five_open(bytes);
  }
}

// u of the next digit of every byte.
template <typename Code>
static inline VB vb_digit(VB* state) {
  if constexpr (kIsTwo<Code>) {
    const VB bits = *state;
    *state = vb_shift<2>(bits);
    return vb_and(bits, vb_set(3));
  } else {
    return vb_five_digit(state);
  }
}

// u of digit d of every byte times 4^(d % kPlaces), asked for in order: kPlaces (1, 2 or 4) digits
// of T2 are masked where they lie, and only then shifted out.
template <typename Code, size_t kPlaces>
static inline VB vb_digit_in_place(VB* state, size_t d) {
  if constexpr (!kIsTwo<Code> || kPlaces == 1) {
    return vb_digit<Code>(state);
  } else {
    const size_t place = d % kPlaces;
    const VB u = vb_and(*state, vb_set(static_cast<int8_t>(3 << (2 * place))));
    if (kPlaces == 2 && place == 1) *state = vb_shift<4>(*state);
    return u;
  }
}

// The exact sum of sums[i] / 4^i, each sum a multiple of its divisor.
template <size_t kPlaces>
static inline VI vi_sum_places(const VI* sums) {
  VI sum = sums[kPlaces - 1];
#pragma GCC unroll 4
  for (size_t i = kPlaces - 1; i > 0; --i) sum = vi_add(vi_half(vi_half(sum)), sums[i - 1]);
  return sum;
}

constexpr size_t at_most(size_t n, size_t most) { return n < most ? n : most; }

static inline void prefetch(const uint8_t* p) { __builtin_prefetch(p, 0, 3); }
