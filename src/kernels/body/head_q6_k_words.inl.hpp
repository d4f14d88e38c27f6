// Q6_K in the output head as 16-bit words: sub * code times value.
// Included inside a kernel region, after vector_head.inl.hpp and before head_rows.inl.hpp.
//
// Of the table's lanes: join_q6_k(high, low, values) joins 64 columns of both planes and
// unpack_q6_k(block, words) makes sub * code of a block's 256 elements, both in the same order.
//
// Bound: eight steps of sub * code in [-4096, 4096], values in [-16256, 16256]: 16 * 4096 * 16256 =
// 1065353216 a lane, and two of them are below 2^31.

template <>
struct HeadBlock<TensorType::q6_k> : HeadBlockDefaults {
  static constexpr size_t kWords = 8;
  static constexpr size_t kValues = 8;

  static inline void join(const int8_t* high, const int8_t* low, VI* values) {
    for (size_t i = 0; i < 4; ++i) join_q6_k(high + 64 * i, low + 64 * i, values + 2 * i);
  }
  static inline void unpack(const uint8_t* block, VI* words) { unpack_q6_k(block, words); }
  static inline VI dot(const VI* words, const VI* values) { return sum_steps<8>(words, values); }
  static inline V sums(VI* totals) { return rounded_wide(totals); }
};
