// The output head (docs/numerics.md 11): block types by integers, then the choice by row type.
// Included inside a kernel region after head_float_rows.

// One row of a block type times int16 activations. |sum| per block: 127 * 32 * 256 * 16256 < 2^40.
template <TensorType type>
static float dot_block_row(const uint8_t* row, size_t k, const ActivationView& a) {
  using Codec = BlockCodec<type>;
  float sum = 0.0f;
  for (size_t b = 0; b * Codec::kElems < k; ++b) {
    int8_t codes[Codec::kElems];
    int8_t subs[Codec::kElems / Codec::kSubElems];
    uint16_t d_bits = 0;
    Codec::decode(row + b * Codec::kBytes, codes, d_bits, subs);
    const int8_t* high = a.high + b * Codec::kElems;
    const int8_t* low = a.low + b * Codec::kElems;
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
    sum = sum + static_cast<float>(total) * f32_from_f16(d_bits);
  }
  return sum * a.tokens[0].step;
}

template <TensorType type>
static void head_block_rows(const HeadView& head, const HeadInput& input, size_t begin, size_t end,
                            float* logits) {
  for (size_t r = begin; r < end; ++r) {
    logits[r - begin] = dot_block_row<type>(head.rows + r * head.row_bytes, head.k, input.codes);
  }
}

static void head_rows(const HeadView& head, const HeadInput& input, size_t begin, size_t end,
                      float* logits) {
  switch (head.type) {
    case TensorType::f32: head_float_rows<TensorType::f32>(head, input, begin, end, logits); break;
    case TensorType::f16: head_float_rows<TensorType::f16>(head, input, begin, end, logits); break;
    case TensorType::bf16:
      head_float_rows<TensorType::bf16>(head, input, begin, end, logits);
      break;
    case TensorType::q8_0:
      head_block_rows<TensorType::q8_0>(head, input, begin, end, logits);
      break;
    case TensorType::q4_0:
      head_block_rows<TensorType::q4_0>(head, input, begin, end, logits);
      break;
    case TensorType::q6_k:
      head_block_rows<TensorType::q6_k>(head, input, begin, end, logits);
      break;
    default: TERN_ASSERT(false); break;
  }
}
