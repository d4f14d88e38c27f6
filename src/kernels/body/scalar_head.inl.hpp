// The output head over block types and int8 rows (docs/numerics.md 11), a row and a token at a
// time. Included inside a kernel region, before head_rows.inl.hpp.

// What the minimums of a Q4_K block take off: (sum of min * v) * dmin. |sum|: 63 * 256 * 16256 <
// 2^28.
static float dot_block_mins(const uint8_t* block, const int8_t* high, const int8_t* low) {
  using Codec = BlockCodec<TensorType::q4_k>;
  int8_t mins[Codec::kSubs];
  uint16_t dmin_bits = 0;
  Codec::decode_mins(block, mins, dmin_bits);
  int32_t total = 0;
  for (size_t i = 0; i < Codec::kElems; ++i) {
    total += mins[i / Codec::kSubElems] * (high[i] * 128 + low[i]);
  }
  return static_cast<float>(total) * f32_from_f16(dmin_bits);
}

// One row of a block type times int16 activations. |sum| per block: 127 * 32 * 256 * 16256 < 2^40.
template <TensorType type>
static float dot_block_row(const HeadView& head, size_t index, const ActivationView& a,
                           size_t token) {
  using Codec = BlockCodec<type>;
  const uint8_t* row = head.rows + index * head.row_bytes;
  float sum = 0.0f;
  for (size_t b = 0; b * Codec::kElems < head.k; ++b) {
    int8_t codes[Codec::kElems];
    int8_t subs[Codec::kElems / Codec::kSubElems];
    uint16_t d_bits = 0;
    Codec::decode(row + b * Codec::kBytes, codes, d_bits, subs);
    const int8_t* high = a.high + token * a.stride + b * Codec::kElems;
    const int8_t* low = a.low + token * a.stride + b * Codec::kElems;
    int64_t total = 0;
    for (size_t s = 0; s < Codec::kElems / Codec::kSubElems; ++s) {
      int32_t sum_high = 0;
      int32_t sum_low = 0;
      for (size_t i = s * Codec::kSubElems; i < (s + 1) * Codec::kSubElems; ++i) {
        sum_high += codes[i] * high[i];
        sum_low += codes[i] * low[i];
      }
      total += static_cast<int64_t>(subs[s]) * (static_cast<int64_t>(sum_high) * 128 + sum_low);
    }
    float part = static_cast<float>(total) * block_scale<type>(head, d_bits);
    if constexpr (type == TensorType::q4_k) {
      part = part - dot_block_mins(row + b * Codec::kBytes, high, low);
    }
    sum = sum + part;
  }
  return sum * a.tokens[token].step;
}

template <TensorType type>
static void head_block_rows(const HeadView& head, const HeadInput& input, size_t begin, size_t end,
                            float* logits, size_t logits_stride) {
  for (size_t t = 0; t < input.codes.n; ++t) {
    for (size_t r = begin; r < end; ++r) {
      logits[t * logits_stride + r - begin] = dot_block_row<type>(head, r, input.codes, t);
    }
  }
}

// Rows of int8 with a unit each. |sum|: 65536 * 127 * 16256 < 2^38.
static void head_i8_rows(const HeadView& head, const HeadInput& input, size_t begin, size_t end,
                         float* logits, size_t logits_stride) {
  const ActivationView& a = input.codes;
  for (size_t t = 0; t < a.n; ++t) {
    for (size_t r = begin; r < end; ++r) {
      int64_t sum = 0;
      for (size_t i = 0; i < head.k; ++i) {
        const int32_t value = a.high[t * a.stride + i] * 128 + a.low[t * a.stride + i];
        sum += static_cast<int8_t>(head.rows[r * head.row_bytes + i]) * value;
      }
      logits[t * logits_stride + r - begin] =
          (static_cast<float>(sum) * head.scales[r]) * a.tokens[t].step;
    }
  }
}
