// T5 by a byte table in four registers (VBMI): the last four digits as the fields of a T2 byte, the
// first by what multiplying carries out. Included inside an AVX-512 region with VBMI, after
// avx512_trits.inl.hpp.

struct LastFourTable {
  alignas(64) uint8_t fields[256];
};
static consteval LastFourTable make_last_four() {
  LastFourTable table{};
  for (size_t byte = 0; byte < 256; ++byte) {
    uint8_t u[T5Code::kDigits] = {};
    T5Code::decode(static_cast<uint8_t>(byte), u, 1);
    table.fields[byte] = T2Code::encode(u + 1, 1);
  }
  return table;
}
constexpr LastFourTable kLastFour = make_last_four();

struct FiveTrits {
  using Code = T5Code;
  static constexpr size_t kDigits = 5;
  static constexpr size_t kTerms = 6;
  static constexpr size_t kTermDigit[kTerms] = {0, 0, 1, 2, 3, 4};

  FourTrits four;
  VI quarter[4];

  static TERN_ALWAYS_INLINE FiveTrits load() {
    return {FourTrits::load(),
            {load_bytes(kLastFour.fields), load_bytes(kLastFour.fields + 64),
             load_bytes(kLastFour.fields + 128), load_bytes(kLastFour.fields + 192)}};
  }
  TERN_ALWAYS_INLINE VI last_four(VI bytes) const {
    const VI low = _mm512_permutex2var_epi8(quarter[0], bytes, quarter[1]);
    const VI high = _mm512_permutex2var_epi8(quarter[2], bytes, quarter[3]);
    return _mm512_mask_mov_epi8(low, _mm512_movepi8_mask(bytes), high);
  }
  TERN_ALWAYS_INLINE void terms(VI bytes, VI* u) const {
    u[0] = bytes;
    u[1] = next_fraction(bytes);
    four.terms(last_four(bytes), u + 2);
  }
  static TERN_ALWAYS_INLINE void digit_sums(const VI* terms, VI* sums) {
    sums[0] = digit_sum(terms[0], terms[1]);
    FourTrits::digit_sums(terms + 2, sums + 1);
  }
  TERN_ALWAYS_INLINE void digits(VI bytes, VI* u) const {
    u[0] = first_digit(bytes);
    four.digits(last_four(bytes), u + 1);
  }
  TERN_ALWAYS_INLINE VI digit(VI bytes, size_t d) const {
    return d == 0 ? first_digit(bytes) : four.digit(last_four(bytes), d - 1);
  }
};
