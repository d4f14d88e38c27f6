// Blocks of few bits in the output head, as 16-bit words in the order in which shifts bring them
// out of a block's bytes; activations are joined in that order, once for many rows.
// Included inside a kernel region, after vector_head.inl.hpp and before head_rows.inl.hpp.
//
// Codes of one, two and four bits are taken two bytes, a lane, at a time:
//
//     word [32 * phase + lane]  =  (lane >> bits * phase) & mask
//
// Codes of trits are u = t + 1 in [0, 3], of one bit half of u; what 1 is too much is taken off
// with the sum of the activations. Q4_K has codes times sub-scales, and its minimums beside them.
//
// Bounds, values in [-16256, 16256]: eight steps of u add at most 16 * 3 * 16256 = 780288 to a
// lane, of Q4_K's words (15 * 63 at most) 16 * 945 * 16256 = 245790720; its minimums add up to
// 256 * 63 * 16256 = 262176768.

// Lanes of the table, 32 each; garbage above what a phase takes is not looked at:
//
// clang-format off
//   vi_load_sixteen(p)   the 16 words at p, behind them the same shifted right by 8
//   vi_load_eight(p)     the 8 words at p, behind them the same shifted right by 4, by 8 and by 12
//   vi_multiply_words(a, b)
// clang-format on

template <int kBits, int kPhases, int kPhase = 0>
static inline void shift_out(VI lanes, VI* words) {
  constexpr int32_t kMask = (1 << kBits) - 1;
  VI shifted = lanes;
  if constexpr (kPhase > 0) shifted = vi_shift_right<kBits * kPhase>(lanes);
  words[kPhase] = vi_and(shifted, vi_set(kMask * 0x10001));
  if constexpr (kPhase + 1 < kPhases) shift_out<kBits, kPhases, kPhase + 1>(lanes, words);
}
// The byte of sixteen words that lane `lane` of vi_load_sixteen has lowest.
constexpr size_t sixteen_byte(size_t lane) { return 2 * (lane % 16) + lane / 16; }

// How the words of a type lie in its blocks: element(i) is the column that word i meets.
template <TensorType type>
struct WordOrder;

template <>
struct WordOrder<TensorType::tq1_0> {
  static constexpr size_t element(size_t i) { return i; }
  template <size_t kBytes, size_t kDigits>
  static inline void digits(const uint8_t* bytes, uint16_t* words) {
    constexpr unsigned kPowers[5] = {1, 3, 9, 27, 81};
    for (size_t k = 0; k < kDigits; ++k) {
      for (size_t j = 0; j < kBytes; ++j) {
        words[kBytes * k + j] = static_cast<uint16_t>((((bytes[j] * kPowers[k]) & 255) * 3) >> 8);
      }
    }
  }
  static inline void unpack(const uint8_t* block, VI* words) {
    uint16_t in_order[256];
    digits<32, 5>(block, in_order);
    digits<16, 5>(block + 32, in_order + 160);
    digits<4, 4>(block + 48, in_order + 240);
    for (size_t s = 0; s < 8; ++s) words[s] = vi_load(in_order + kStepCols * s);
  }
};

template <>
struct WordOrder<TensorType::tq2_0> {
  static constexpr size_t element(size_t i) {
    const size_t byte = 2 * (i % 32) + i / 128;
    return byte / 32 * 128 + i / 32 % 4 * 32 + byte % 32;
  }
  static inline void unpack(const uint8_t* block, VI* words) {
    shift_out<2, 8>(vi_load(block), words);
  }
};

template <>
struct WordOrder<TensorType::q2_0> {
  static constexpr size_t element(size_t i) { return 8 * (i % 8) + i % 32 / 8 * 2 + i / 32; }
  static inline void unpack(const uint8_t* block, VI* words) {
    shift_out<2, 2>(vi_load_eight(block + 2), words);
  }
};

template <>
struct WordOrder<TensorType::q2_0_g128> {
  static constexpr size_t element(size_t i) { return 4 * sixteen_byte(i % 32) + i / 32; }
  static inline void unpack(const uint8_t* block, VI* words) {
    shift_out<2, 4>(vi_load_sixteen(block + 2), words);
  }
};

template <>
struct WordOrder<TensorType::q1_0> {
  static constexpr size_t element(size_t i) { return 16 * (i % 8) + i % 32 / 8 * 4 + i / 32; }
  static inline void unpack(const uint8_t* block, VI* words) {
    shift_out<1, 4>(vi_load_eight(block + 2), words);
  }
};

template <>
struct WordOrder<TensorType::i2_s> {
  static constexpr size_t element(size_t i) { return 32 * (3 - i / 32) + sixteen_byte(i % 32); }
  static inline void unpack(const uint8_t* block, VI* words) {
    shift_out<2, 4>(vi_load_sixteen(block), words);
  }
};

template <>
struct WordOrder<TensorType::q4_k> {
  static constexpr size_t element(size_t i) { return i / 32 * 32 + sixteen_byte(i % 32); }
  static inline void unpack(const uint8_t* block, VI* words) {
    int8_t subs[8];
    BlockCodec<TensorType::q4_k>::decode_subs(block, subs);
#pragma GCC unroll 4
    for (size_t c = 0; c < 4; ++c) {
      shift_out<4, 2>(vi_load_sixteen(block + 16 + 32 * c), words + 2 * c);
    }
#pragma GCC unroll 8
    for (size_t s = 0; s < 8; ++s) {
      words[s] = vi_multiply_words(words[s], vi_set(subs[s] * 0x10001));
    }
  }
};

// A block by the order of its words; behind its values is a vector that its form defines.
template <TensorType type>
struct OrderedBlock : HeadBlockDefaults {
  using Order = WordOrder<type>;
  static constexpr size_t kElems = BlockCodec<type>::kElems;
  static constexpr size_t kWords = kElems / kStepCols;
  static constexpr size_t kValues = kWords + 1;
  static constexpr size_t kBatches = 8;
  static constexpr size_t kPlaces = 40;  // 4 tokens of 2560 columns in 256s: totals of 40 KiB

  static inline void join_words(const int8_t* high, const int8_t* low, VI* values) {
    int16_t words[kElems];
    for (size_t i = 0; i < kElems; ++i) {
      words[i] = static_cast<int16_t>(high[Order::element(i)] * 128 + low[Order::element(i)]);
    }
    for (size_t s = 0; s < kWords; ++s) values[s] = vi_load(words + kStepCols * s);
  }
  static inline void unpack(const uint8_t* block, VI* words) { Order::unpack(block, words); }
};

template <TensorType type>
struct TritBlock : OrderedBlock<type> {
  using Base = OrderedBlock<type>;
  using Base::kWords;

  // Behind the values: their sum, in lanes.
  static inline void join(const int8_t* high, const int8_t* low, VI* values) {
    Base::join_words(high, low, values);
    VI sum = vi_zero();
    for (size_t s = 0; s < kWords; ++s) sum = vi_dot_words(sum, vi_set(0x00010001), values[s]);
    values[kWords] = sum;
  }
  static inline VI dot(const VI* words, const VI* values) {
    VI sum = sum_steps<kWords>(words, values);
    if constexpr (type == TensorType::q1_0) sum = vi_add(sum, sum);
    return vi_sub(sum, values[kWords]);
  }
  static inline V sums(VI* totals) { return v_from_int(vi_reduce16(totals)); }
};

template <>
struct HeadBlock<TensorType::tq1_0> : TritBlock<TensorType::tq1_0> {};
template <>
struct HeadBlock<TensorType::tq2_0> : TritBlock<TensorType::tq2_0> {};
template <>
struct HeadBlock<TensorType::q2_0> : TritBlock<TensorType::q2_0> {};
template <>
struct HeadBlock<TensorType::q2_0_g128> : TritBlock<TensorType::q2_0_g128> {};
template <>
struct HeadBlock<TensorType::q1_0> : TritBlock<TensorType::q1_0> {};
template <>
struct HeadBlock<TensorType::i2_s> : TritBlock<TensorType::i2_s> {};

template <>
struct HeadBlock<TensorType::q4_k> : OrderedBlock<TensorType::q4_k> {
  // Behind the values: sums of 32, which a minimum multiplies.
  static inline void join(const int8_t* high, const int8_t* low, VI* values) {
    join_words(high, low, values);
    int32_t sums[16] = {};
    for (size_t s = 0; s < 8; ++s) {
      for (size_t i = 32 * s; i < 32 * s + 32; ++i) sums[s] += high[i] * 128 + low[i];
    }
    values[kWords] = vi_load(sums);
  }
  static inline VI dot(const VI* words, const VI* values) {
    return sum_steps<kWords>(words, values);
  }
  // The sums of sixteen rows, whose minimums are [8][row].
  static inline VI sum_mins(const int8_t (*mins)[kBatchRows], const VI* values) {
    int32_t sums[8];
    __builtin_memcpy(sums, values + kWords, sizeof(sums));
    int32_t totals[kBatchRows] = {};
    for (size_t s = 0; s < 8; ++s) {
      for (size_t r = 0; r < kBatchRows; ++r) totals[r] += mins[s][r] * sums[s];
    }
    return vi_load(totals);
  }
  static inline V sums(VI* totals) { return rounded_wide(totals); }
};
