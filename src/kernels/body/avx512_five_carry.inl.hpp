// T5 without a byte table: five fractions, each three times the last (mod 256).
// Included inside an AVX-512 region, after avx512_trits.inl.hpp.

struct FiveTrits {
  using Code = T5Code;
  static constexpr size_t kDigits = 5;
  static constexpr size_t kTerms = 10;
  static constexpr size_t kTermDigit[kTerms] = {0, 0, 1, 1, 2, 2, 3, 3, 4, 4};

  static TERN_ALWAYS_INLINE FiveTrits load() { return {}; }

  TERN_ALWAYS_INLINE void terms(VI bytes, VI* u) const {
    VI f = bytes;
#pragma GCC unroll 5
    for (size_t d = 0; d < kDigits; ++d) {
      u[2 * d] = f;
      f = next_fraction(f);
      u[2 * d + 1] = f;
    }
  }
  static TERN_ALWAYS_INLINE void digit_sums(const VI* terms, VI* sums) {
#pragma GCC unroll 5
    for (size_t d = 0; d < kDigits; ++d) sums[d] = digit_sum(terms[2 * d], terms[2 * d + 1]);
  }
  TERN_ALWAYS_INLINE void digits(VI bytes, VI* u) const {
    VI f = bytes;
#pragma GCC unroll 5
    for (size_t d = 0; d < kDigits; ++d, f = next_fraction(f)) u[d] = first_digit(f);
  }
  TERN_ALWAYS_INLINE VI digit(VI bytes, size_t d) const {
    VI f = bytes;
    for (size_t i = 0; i < d; ++i) f = next_fraction(f);
    return first_digit(f);
  }
};
