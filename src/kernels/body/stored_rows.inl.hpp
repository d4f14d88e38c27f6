// Stored rows as float vectors (docs/numerics.md 10).
// Included inside a kernel region.

template <TensorType type>
static void decode_float_row(const uint8_t* row, size_t k, float* y) {
  using Codec = FloatCodec<type>;
  for (size_t i = 0; i < k; ++i) y[i] = f32_of_bits(Codec::f32_bits(row + i * Codec::kBytes));
}

// d of a block, which for i2_s is the table's.
template <TensorType type>
static inline float block_scale(const HeadView& table, uint16_t d_bits) {
  return type == TensorType::i2_s ? table.scale : f32_from_f16(d_bits);
}

static inline void subtract_mins(const uint8_t* block, float* y) {
  using Codec = BlockCodec<TensorType::q4_k>;
  int8_t mins[Codec::kSubs];
  uint16_t dmin_bits = 0;
  Codec::decode_mins(block, mins, dmin_bits);
  const float dmin = f32_from_f16(dmin_bits);
  for (size_t i = 0; i < Codec::kElems; ++i) {
    y[i] = y[i] - dmin * static_cast<float>(mins[i / Codec::kSubElems]);
  }
}

template <TensorType type>
static void decode_block_row(const HeadView& table, const uint8_t* row, float* y) {
  using Codec = BlockCodec<type>;
  const size_t k = table.k;
  for (size_t b = 0; b * Codec::kElems < k; ++b) {
    int8_t codes[Codec::kElems];
    int8_t subs[Codec::kElems / Codec::kSubElems];
    uint16_t d_bits = 0;
    Codec::decode(row + b * Codec::kBytes, codes, d_bits, subs);
    const float d = block_scale<type>(table, d_bits);
    for (size_t i = 0; i < Codec::kElems; ++i) {
      const float scale = d * static_cast<float>(subs[i / Codec::kSubElems]);
      y[b * Codec::kElems + i] = scale * static_cast<float>(codes[i]);
    }
    if constexpr (type == TensorType::q4_k) {
      subtract_mins(row + b * Codec::kBytes, y + b * Codec::kElems);
    }
  }
}

static void decode_i8_row(const HeadView& table, size_t row, float* y) {
  const uint8_t* codes = table.rows + row * table.row_bytes;
  for (size_t i = 0; i < table.k; ++i) {
    y[i] = static_cast<float>(static_cast<int8_t>(codes[i])) * table.scales[row];
  }
}

static void decode_plane_row(const HeadView& table, size_t index, float* y) {
  const uint8_t* rows[kPlanes];
  for (size_t p = 0; p < kPlanes; ++p) rows[p] = table.rows + plane_row_at(table.k, p, index);
  for (size_t i = 0; i < table.k; ++i) {
    int32_t u = 0;
    for (size_t p = 0; p < kPlanes; ++p) u += plane_code(rows[p], p, i);
    y[i] = static_cast<float>(u - kPlaneOffset) * table.scales[index];
  }
}

static void decode_row(const HeadView& table, size_t index, float* y) {
  const uint8_t* row = table.rows + index * table.row_bytes;
  const size_t k = table.k;
  switch (table.type) {
    case TensorType::f32: decode_float_row<TensorType::f32>(row, k, y); break;
    case TensorType::f16: decode_float_row<TensorType::f16>(row, k, y); break;
    case TensorType::bf16: decode_float_row<TensorType::bf16>(row, k, y); break;
    case TensorType::q8_0: decode_block_row<TensorType::q8_0>(table, row, y); break;
    case TensorType::q4_0: decode_block_row<TensorType::q4_0>(table, row, y); break;
    case TensorType::q4_k: decode_block_row<TensorType::q4_k>(table, row, y); break;
    case TensorType::q6_k: decode_block_row<TensorType::q6_k>(table, row, y); break;
    case TensorType::tq1_0: decode_block_row<TensorType::tq1_0>(table, row, y); break;
    case TensorType::tq2_0: decode_block_row<TensorType::tq2_0>(table, row, y); break;
    case TensorType::i2_s: decode_block_row<TensorType::i2_s>(table, row, y); break;
    case TensorType::q1_0: decode_block_row<TensorType::q1_0>(table, row, y); break;
    case TensorType::q2_0: decode_block_row<TensorType::q2_0>(table, row, y); break;
    case TensorType::q2_0_g128: decode_block_row<TensorType::q2_0_g128>(table, row, y); break;
    case TensorType::i8: decode_i8_row(table, index, y); break;
    case TensorType::i8_planes: decode_plane_row(table, index, y); break;
    default: TERN_ASSERT(false); break;
  }
}

// The unit of 16 elements: of those that give the element of largest magnitude, the first of
// equals, the code -30, -31, -32 or -33 (then kept at -32), the one whose codes have the least
// square error.
static float q6_k_sub_scale(const float* x) {
  float extreme = 0.0f;
  for (size_t i = 0; i < 16; ++i) {
    if ((x[i] < 0 ? -x[i] : x[i]) > (extreme < 0 ? -extreme : extreme)) extreme = x[i];
  }
  // Below any unit that a block can have.
  if (extreme < 0x1p-60f && extreme > -0x1p-60f) return 0.0f;
  float best = extreme / -30.0f;
  float least = q6_k_error(x, best);
  for (float n = -31.0f; n >= -33.0f; n = n - 1.0f) {
    const float unit = extreme / n;
    const float error = q6_k_error(x, unit);
    if (error < least) {
      least = error;
      best = unit;
    }
  }
  return best;
}

static void encode_q6_k_block(const float* x, uint8_t* block) {
  float scales[16];
  float largest = 0.0f;
  for (size_t s = 0; s < 16; ++s) {
    scales[s] = q6_k_sub_scale(x + 16 * s);
    const float magnitude = scales[s] < 0 ? -scales[s] : scales[s];
    largest = magnitude > largest ? magnitude : largest;
  }
  const uint16_t d_bits = f16_from_f32(largest < 127.0f * 65504.0f ? largest / 127.0f : 65504.0f);
  const float d = f32_from_f16(d_bits);
  int8_t subs[16] = {};
  int8_t codes[256] = {};
  for (size_t s = 0; s < 16 && d > 0; ++s) {
    const float sub = scales[s] / d;
    subs[s] = static_cast<int8_t>(rint_f32(sub < -127.0f ? -127.0f : sub > 127.0f ? 127.0f : sub));
    if (subs[s] == 0) continue;
    const float unit = d * static_cast<float>(subs[s]);
    q6_k_codes(x + 16 * s, unit, codes + 16 * s);
  }
  BlockCodec<TensorType::q6_k>::encode(codes, d_bits, subs, block);
}

static void encode_row(TensorType type, const float* x, size_t k, uint8_t* row, float* scale) {
  if (type == TensorType::i8) {
    *scale = quantize_i8(x, k, reinterpret_cast<int8_t*>(row), k).step;
    return;
  }
  TERN_ASSERT(type == TensorType::q6_k);
  using Codec = BlockCodec<TensorType::q6_k>;
  for (size_t b = 0; b * Codec::kElems < k; ++b) {
    encode_q6_k_block(x + b * Codec::kElems, row + b * Codec::kBytes);
  }
}
