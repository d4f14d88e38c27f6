// Float weights that are to become trits (docs/numerics.md 15).
// Included inside a kernel region; used once a matrix, when a model is loaded.

template <TensorType type>
static double sum_row_magnitudes(const uint8_t* row, size_t k) {
  using Codec = FloatCodec<type>;
  double sum = 0.0;
  for (size_t i = 0; i < k; ++i) {
    const uint32_t magnitude = Codec::f32_bits(row + i * Codec::kBytes) & 0x7FFFFFFFu;
    sum = sum + static_cast<double>(f32_of_bits(magnitude));
  }
  return sum;
}

static double sum_magnitudes(const HeadView& table, size_t index) {
  const uint8_t* row = table.rows + index * table.row_bytes;
  switch (table.type) {
    case TensorType::f16: return sum_row_magnitudes<TensorType::f16>(row, table.k);
    case TensorType::bf16: return sum_row_magnitudes<TensorType::bf16>(row, table.k);
    default: return sum_row_magnitudes<TensorType::f32>(row, table.k);
  }
}

static AbsmeanScale absmean_scale(const double* row_sums, size_t n_rows, uint64_t n_weights) {
  double sum = 0.0;
  for (size_t row = 0; row < n_rows; ++row) sum = sum + row_sums[row];
  const float mean = static_cast<float>(sum / static_cast<double>(n_weights));
  AbsmeanScale out = {};
  if (!is_finite_bits(bits_of_f32(mean))) return out;
  out.scale = mean > 1e-5f ? mean : 1e-5f;
  const float s = 1.0f / out.scale;
  // The order of positive floats is that of their bits.
  uint32_t zero = 0;
  for (uint32_t step = 1u << 30; step != 0; step >>= 1) {
    const uint32_t bits = zero + step;
    if (is_finite_bits(bits) && f32_of_bits(bits) * s <= 0.5f) zero = bits;
  }
  out.largest_zero = f32_of_bits(zero);
  return out;
}

static float reciprocal(float x) { return 1.0f / x; }
