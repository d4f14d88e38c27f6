// Stored rows as float vectors (docs/numerics.md 10).
// Included inside a kernel region.

template <TensorType type>
static void decode_float_row(const uint8_t* row, size_t k, float* y) {
  using Codec = FloatCodec<type>;
  for (size_t i = 0; i < k; ++i) y[i] = f32_of_bits(Codec::f32_bits(row + i * Codec::kBytes));
}

template <TensorType type>
static void decode_block_row(const uint8_t* row, size_t k, float* y) {
  using Codec = BlockCodec<type>;
  for (size_t b = 0; b * Codec::kElems < k; ++b) {
    int8_t codes[Codec::kElems];
    int8_t subs[Codec::kElems / Codec::kSubElems];
    uint16_t d_bits = 0;
    Codec::decode(row + b * Codec::kBytes, codes, d_bits, subs);
    const float d = f32_from_f16(d_bits);
    for (size_t i = 0; i < Codec::kElems; ++i) {
      const float scale = d * static_cast<float>(subs[i / Codec::kSubElems]);
      y[b * Codec::kElems + i] = scale * static_cast<float>(codes[i]);
    }
  }
}

// Requires: a type that the loader admits for rows; k a multiple of the type's block.
static void decode_row(TensorType type, const uint8_t* row, size_t k, float* y) {
  switch (type) {
    case TensorType::f32: decode_float_row<TensorType::f32>(row, k, y); break;
    case TensorType::f16: decode_float_row<TensorType::f16>(row, k, y); break;
    case TensorType::bf16: decode_float_row<TensorType::bf16>(row, k, y); break;
    case TensorType::q8_0: decode_block_row<TensorType::q8_0>(row, k, y); break;
    case TensorType::q4_0: decode_block_row<TensorType::q4_0>(row, k, y); break;
    case TensorType::q6_k: decode_block_row<TensorType::q6_k>(row, k, y); break;
    case TensorType::tq1_0: decode_block_row<TensorType::tq1_0>(row, k, y); break;
    case TensorType::tq2_0: decode_block_row<TensorType::tq2_0>(row, k, y); break;
    default: TERN_ASSERT(false); break;
  }
}
