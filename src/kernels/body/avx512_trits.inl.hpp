// Trits in registers, and the int8 dot unit that multiplies them (docs/numerics.md 4).
// Included inside an AVX-512 region, after avx512_primitives.inl.hpp.
//
// How a byte holds its digits is a type, FourTrits here (T2) and FiveTrits (T5) in a body of each
// table. Either turns 64 bytes into registers for vpdpbusd in two ways:
//
//   digits(bytes, u)      u of every digit, as it is: for several tokens, or to be stored;
//                         digit(bytes, d) is one of them
//   terms(bytes, u)       registers that cost less than digits, because nothing is shifted or
//                         compared: term i meets the activations of digit kTermDigit[i], and
//   digit_sums(terms, s)  turns the sums of terms into those of digits, once a row
//
// term(bytes, last, i) is one of the terms, `last` the one before it.
//
// Bounds: a lane adds up at most 65536 / 16 = 4096 blocks of a T2 row, 4 bytes of at most 3 * 64
// times 127 each: 4.0e8; of T5 3277 blocks of 4 bytes of at most 255: 4.2e8, three times as much
// (1.3e9) in digit_sums. Both fit 32 bits, as does all that is shifted right.

static TERN_ALWAYS_INLINE VI load_bytes(const void* p) { return _mm512_loadu_si512(p); }
// The same for bytes that several instructions use: g++ would load them once for each.
static TERN_ALWAYS_INLINE VI load_once(const void* p) {
  VI bytes = load_bytes(p);
  __asm__("" : "+v"(bytes));
  return bytes;
}
static TERN_ALWAYS_INLINE void prefetch(const uint8_t* p) {
  _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T0);
}

static TERN_ALWAYS_INLINE VI broadcast_four(const int8_t* q) {
  int32_t four = 0;
  __builtin_memcpy(&four, q, 4);
  return _mm512_set1_epi32(four);
}

// sum[lane] += u * q over the four bytes of each lane; q is a register, 64 bytes in memory, or four
// bytes in memory for every lane. By instruction, because g++ 12 copies the sum before and after
// its intrinsic and loads the four bytes apart: a third more instructions in every loop of these
// files.
struct FourCodes {
  int8_t q[4];
};
struct BlockCodes {
  int8_t q[64];
};
static TERN_ALWAYS_INLINE void dot(VI& sum, VI u, VI q) {
  __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(u), "v"(q));
}
static TERN_ALWAYS_INLINE void dot_block(VI& sum, VI u, const int8_t* q) {
  __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(u), "m"(*reinterpret_cast<const BlockCodes*>(q)));
}
static TERN_ALWAYS_INLINE void dot_four(VI& sum, VI u, const int8_t* q) {
  __asm__("vpdpbusd %2%{1to16%}, %1, %0"
          : "+v"(sum)
          : "v"(u), "m"(*reinterpret_cast<const FourCodes*>(q)));
}

// T2: fields of two bits. A field used where it is counts as 4^d times its digit.
struct FourTrits {
  using Code = T2Code;
  static constexpr size_t kDigits = 4;
  static constexpr size_t kTerms = 4;
  static constexpr size_t kTermDigit[kTerms] = {0, 1, 2, 3};

  VI first, second, third, fourth;

  static TERN_ALWAYS_INLINE FourTrits load() {
    return {_mm512_set1_epi8(0x03), _mm512_set1_epi8(0x0C), _mm512_set1_epi8(0x30),
            _mm512_set1_epi8(static_cast<char>(0xC0))};
  }
  TERN_ALWAYS_INLINE void terms(VI bytes, VI* u) const {
#pragma GCC unroll 4
    for (size_t i = 0; i < kTerms; ++i) u[i] = term(bytes, bytes, i);
  }
  TERN_ALWAYS_INLINE VI term(VI bytes, VI, size_t i) const {
    return _mm512_and_si512(bytes, i == 0 ? first : i == 1 ? second : i == 2 ? third : fourth);
  }
  static TERN_ALWAYS_INLINE void digit_sums(const VI* terms, VI* sums) {
    sums[0] = terms[0];
    sums[1] = _mm512_srai_epi32(terms[1], 2);
    sums[2] = _mm512_srai_epi32(terms[2], 4);
    sums[3] = _mm512_srai_epi32(terms[3], 6);
  }
  TERN_ALWAYS_INLINE VI digit(VI bytes, size_t d) const {
    switch (d) {
      case 1: return _mm512_and_si512(_mm512_srli_epi16(bytes, 2), first);
      case 2: return _mm512_and_si512(_mm512_srli_epi16(bytes, 4), first);
      case 3: return _mm512_and_si512(_mm512_srli_epi16(bytes, 6), first);
      default: return _mm512_and_si512(bytes, first);
    }
  }
  TERN_ALWAYS_INLINE void digits(VI bytes, VI* u) const {
#pragma GCC unroll 4
    for (size_t d = 0; d < kDigits; ++d) u[d] = digit(bytes, d);
  }
};

// T5 is a fraction f of 256 in base 3. With 3 f = 256 d + g, d is the first digit and g the
// fraction that is left: 3 f mod 256 is two byte additions, and sum(d q) = (3 sum(f q) - sum(g q))
// / 256.
static TERN_ALWAYS_INLINE VI next_fraction(VI f) {
  return _mm512_add_epi8(f, _mm512_add_epi8(f, f));
}
static TERN_ALWAYS_INLINE VI digit_sum(VI fraction_sum, VI next_sum) {
  const VI triple = vi_add(fraction_sum, vi_add(fraction_sum, fraction_sum));
  return _mm512_srai_epi32(vi_sub(triple, next_sum), 8);
}
// The first digit itself: whether f > 85, and whether f > 170.
static TERN_ALWAYS_INLINE VI first_digit(VI f) {
  const VI one = _mm512_set1_epi8(1);
  const VI third = _mm512_subs_epu8(f, _mm512_set1_epi8(85));
  const VI two_thirds = _mm512_subs_epu8(f, _mm512_set1_epi8(static_cast<char>(170)));
  return _mm512_add_epi8(_mm512_min_epu8(third, one), _mm512_min_epu8(two_thirds, one));
}

// The sum of all digits of the sums of terms.
template <typename Trits>
static TERN_ALWAYS_INLINE VI sum_of_terms(const VI* terms) {
  VI digits[Trits::kDigits];
  Trits::digit_sums(terms, digits);
  VI sum = digits[0];
#pragma GCC unroll 4
  for (size_t d = 1; d < Trits::kDigits; ++d) sum = vi_add(sum, digits[d]);
  return sum;
}

// Moves between sixteen registers, in 32-bit lanes.

// out[i] is lane group i (128 bits) of each of in[0], in[stride], in[2 * stride], in[3 * stride].
static TERN_ALWAYS_INLINE void transpose_quarters(const VI* in, size_t stride, VI* out,
                                                  size_t out_stride) {
  const VI even01 = _mm512_shuffle_i32x4(in[0], in[stride], 0x88);
  const VI odd01 = _mm512_shuffle_i32x4(in[0], in[stride], 0xDD);
  const VI even23 = _mm512_shuffle_i32x4(in[2 * stride], in[3 * stride], 0x88);
  const VI odd23 = _mm512_shuffle_i32x4(in[2 * stride], in[3 * stride], 0xDD);
  out[0] = _mm512_shuffle_i32x4(even01, even23, 0x88);
  out[out_stride] = _mm512_shuffle_i32x4(odd01, odd23, 0x88);
  out[2 * out_stride] = _mm512_shuffle_i32x4(even01, even23, 0xDD);
  out[3 * out_stride] = _mm512_shuffle_i32x4(odd01, odd23, 0xDD);
}
// Lane j of out[i] is lane i of in[j]. Shapes: in, out [16].
static TERN_ALWAYS_INLINE void transpose16(const VI* in, VI* out) {
  VI t[16];
#pragma GCC unroll 4
  for (size_t i = 0; i < 16; i += 4) {
    const VI low01 = _mm512_unpacklo_epi32(in[i], in[i + 1]);
    const VI high01 = _mm512_unpackhi_epi32(in[i], in[i + 1]);
    const VI low23 = _mm512_unpacklo_epi32(in[i + 2], in[i + 3]);
    const VI high23 = _mm512_unpackhi_epi32(in[i + 2], in[i + 3]);
    t[i] = _mm512_unpacklo_epi64(low01, low23);
    t[i + 1] = _mm512_unpackhi_epi64(low01, low23);
    t[i + 2] = _mm512_unpacklo_epi64(high01, high23);
    t[i + 3] = _mm512_unpackhi_epi64(high01, high23);
  }
#pragma GCC unroll 4
  for (size_t i = 0; i < 4; ++i) transpose_quarters(t + i, 4, out + i, 4);
}
// Lane i of the result is the sum of the lanes of v[i]: each step adds two halves of every register
// and halves how many there are. Shapes: v [16].
static TERN_ALWAYS_INLINE VI reduce16(const VI* v) {
  VI pairs[8], quads[4], halves[2];
#pragma GCC unroll 8
  for (size_t i = 0; i < 8; ++i) {
    pairs[i] = vi_add(_mm512_unpacklo_epi32(v[2 * i], v[2 * i + 1]),
                      _mm512_unpackhi_epi32(v[2 * i], v[2 * i + 1]));
  }
#pragma GCC unroll 4
  for (size_t i = 0; i < 4; ++i) {
    quads[i] = vi_add(_mm512_unpacklo_epi64(pairs[2 * i], pairs[2 * i + 1]),
                      _mm512_unpackhi_epi64(pairs[2 * i], pairs[2 * i + 1]));
  }
#pragma GCC unroll 2
  for (size_t i = 0; i < 2; ++i) {
    halves[i] = vi_add(_mm512_shuffle_i32x4(quads[2 * i], quads[2 * i + 1], 0x88),
                       _mm512_shuffle_i32x4(quads[2 * i], quads[2 * i + 1], 0xDD));
  }
  return vi_add(_mm512_shuffle_i32x4(halves[0], halves[1], 0x88),
                _mm512_shuffle_i32x4(halves[0], halves[1], 0xDD));
}
