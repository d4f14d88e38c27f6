// The float vector operations of docs/numerics.md, element by element.
// Included inside a kernel region.

// 1
static float lane_dot(const float* a, const float* b, size_t n) {
  float lane[16] = {};
  for (size_t i = 0; i < n; ++i) lane[i % 16] = lane[i % 16] + a[i] * b[i];
  return lane_tree(lane);
}

// 2
static bool rms_norm(const float* x, const float* gain, size_t n, float eps, float* y) {
  const float mean = lane_dot(x, x, n) / static_cast<float>(n);
  if (!is_finite(mean)) return false;
  const float r = 1.0f / __builtin_sqrtf(mean + eps);
  for (size_t i = 0; i < n; ++i) y[i] = (x[i] * r) * gain[i];
  return true;
}

// 14
static bool l2_normalize(const float* x, size_t n, float* y) {
  const float sum = lane_dot(x, x, n);
  if (!is_finite(sum)) return false;
  const float r = sum > 0 ? 1.0f / __builtin_sqrtf(sum) : 0.0f;
  for (size_t i = 0; i < n; ++i) y[i] = x[i] * r;
  return true;
}

// 3: what a quantizer reads.
struct PlainValues {
  const float* x;
  float operator[](size_t i) const { return x[i]; }
};
struct NormedValues {  // 2, with r computed before
  const float* x;
  const float* gain;
  float r;
  float operator[](size_t i) const { return (x[i] * r) * gain[i]; }
};

template <typename Values>
static uint32_t absmax_bits(const Values& x, size_t n) {
  uint32_t largest = 0;
  for (size_t i = 0; i < n; ++i) {
    const uint32_t magnitude = magnitude_bits(x[i]);
    largest = magnitude > largest ? magnitude : largest;
  }
  return largest;
}

static bool all_finite(const float* x, size_t n) { return is_finite_bits(absmax_bits(x, n)); }

// 3.1
template <typename Values>
static QuantizedToken quantize_values_i8(const Values& x, size_t n, int8_t* q, size_t stride) {
  for (size_t i = n; i < stride; ++i) q[i] = 0;
  QuantizedToken token = {};
  const uint32_t bits = absmax_bits(x, n);
  if (!is_finite_bits(bits)) return token;
  const float m = floored_absmax(bits);
  const float s = 127.0f / m;
  for (size_t i = 0; i < n; ++i) {
    const int value = static_cast<int>(rint_f32(x[i] * s));
    q[i] = static_cast<int8_t>(value);
    token.sum += value;
  }
  token.step = m / 127.0f;
  token.finite = 1;
  return token;
}
static QuantizedToken quantize_i8(const float* x, size_t k, int8_t* q, size_t stride) {
  return quantize_values_i8(PlainValues{x}, k, q, stride);
}

// 3.2
template <typename Values>
static QuantizedToken quantize_values_i16(const Values& x, size_t n, int8_t* high, int8_t* low,
                                          size_t stride) {
  for (size_t i = n; i < stride; ++i) high[i] = low[i] = 0;
  QuantizedToken token = {};
  const uint32_t bits = absmax_bits(x, n);
  if (!is_finite_bits(bits)) return token;
  const float m = floored_absmax(bits);
  const float s = 16256.0f / m;
  for (size_t i = 0; i < n; ++i) {
    const int value = static_cast<int>(rint_f32(x[i] * s));
    const int upper = (value + 64) >> 7;
    high[i] = static_cast<int8_t>(upper);
    low[i] = static_cast<int8_t>(value - 128 * upper);
    token.sum += high[i];
    token.sum_low += low[i];
  }
  token.step = m / 16256.0f;
  token.finite = 1;
  return token;
}
static QuantizedToken quantize_i16(const float* x, size_t k, int8_t* high, int8_t* low,
                                   size_t stride) {
  return quantize_values_i16(PlainValues{x}, k, high, low, stride);
}

// 3.3
template <typename Values>
static QuantizedToken quantize_values_i4(const Values& x, size_t n, int8_t* q, size_t stride) {
  for (size_t i = n; i < stride; ++i) q[i] = 0;
  QuantizedToken token = {};
  float lanes[16] = {};
  for (size_t i = 0; i < n; ++i) {
    const float v = x[i];
    lanes[i % 16] = lanes[i % 16] + (v > 0.0f ? v : 0.0f - v);
  }
  const float mean = lane_tree(lanes) / static_cast<float>(n);
  if (!is_finite(mean)) return token;
  const float b = mean > 1e-5f ? mean : 1e-5f;
  const float s = kSqrt7 / b;
  for (size_t i = 0; i < n; ++i) {
    const float v = x[i] * s;
    const float low = v < 7.0f ? v : 7.0f;
    const int value = static_cast<int>(rint_f32(low > -8.0f ? low : -8.0f));
    q[i] = static_cast<int8_t>(value);
    token.sum += value;
  }
  token.step = b / kSqrt7;
  token.finite = 1;
  return token;
}
static QuantizedToken quantize_i4(const float* x, size_t k, int8_t* q, size_t stride) {
  return quantize_values_i4(PlainValues{x}, k, q, stride);
}

// 2 and 3 together. A mean that is not finite makes every value NaN, which 3 reports.
static NormedValues normed_values(const float* x, const float* gain, size_t n, float eps) {
  const float mean = lane_dot(x, x, n) / static_cast<float>(n);
  const float r = is_finite(mean) ? 1.0f / __builtin_sqrtf(mean + eps) : f32_of_bits(kNanBits);
  return {x, gain, r};
}
static QuantizedToken norm_quantize_i8(const float* x, const float* gain, size_t n, float eps,
                                       int8_t* q, size_t stride) {
  return quantize_values_i8(normed_values(x, gain, n, eps), n, q, stride);
}
static QuantizedToken norm_quantize_i4(const float* x, const float* gain, size_t n, float eps,
                                       int8_t* q, size_t stride) {
  return quantize_values_i4(normed_values(x, gain, n, eps), n, q, stride);
}
static QuantizedToken norm_quantize_i16(const float* x, const float* gain, size_t n, float eps,
                                        int8_t* high, int8_t* low, size_t stride) {
  return quantize_values_i16(normed_values(x, gain, n, eps), n, high, low, stride);
}

// 7
static void add(const float* x, size_t n, float* y) {
  for (size_t i = 0; i < n; ++i) y[i] = y[i] + x[i];
}

// 10
static void scale(float factor, size_t n, float* x) {
  for (size_t i = 0; i < n; ++i) x[i] = x[i] * factor;
}
static float embedding_scale(size_t model_dim) {
  return __builtin_sqrtf(static_cast<float>(model_dim));
}

// 6
static void relu2_mul(const float* gate, const float* up, size_t n, float* y) {
  for (size_t i = 0; i < n; ++i) {
    // A difference, not a constant: minus infinity becomes NaN, which is reported; the rest +0.0,
    // whatever `up` holds, so that a skipped row of it need not exist.
    y[i] = gate[i] <= 0 ? gate[i] - gate[i] : (gate[i] * gate[i]) * up[i];
  }
}

static void silu_mul(const float* gate, const float* up, size_t n, float* y) {
  for (size_t i = 0; i < n; ++i) y[i] = (gate[i] / (1.0f + exp_f32(-gate[i]))) * up[i];
}

static void gelu_mul(const float* gate, const float* up, size_t n, float* y) {
  for (size_t i = 0; i < n; ++i) {
    const float g = gate[i];
    const float cubic = (kGeluCubic * (g * g) + 1.0f) * g;
    y[i] = (g / (1.0f + exp_f32(kGeluSlope * cubic))) * up[i];
  }
}

// 8.3
static inline void rotate(float* a, float* b, float cos, float sin) {
  const float x = *a;
  const float y = *b;
  *a = x * cos - y * sin;
  *b = x * sin + y * cos;
}
static void rope_halves(float* x, const float* cos, const float* sin, size_t n) {
  for (size_t p = 0; p < n; ++p) rotate(x + p, x + p + n, cos[p], sin[p]);
}
static void rope_pairs(float* x, const float* cos, const float* sin, size_t n) {
  for (size_t p = 0; p < n; ++p) rotate(x + 2 * p, x + 2 * p + 1, cos[p], sin[p]);
}

// 10: codes of 16 elements in a unit, and the square error that they leave.
static inline float clamped(float x, float low, float high) {
  return x < low ? low : x > high ? high : x;
}
static void q6_k_codes(const float* x, float unit, int8_t* codes) {
  for (size_t i = 0; i < 16; ++i) {
    codes[i] = static_cast<int8_t>(rint_f32(clamped(x[i] / unit, -32.0f, 31.0f)));
  }
}
static float q6_k_error(const float* x, float unit) {
  float lane[16];
  for (size_t i = 0; i < 16; ++i) {
    const float d = x[i] - rint_f32(clamped(x[i] / unit, -32.0f, 31.0f)) * unit;
    lane[i] = d * d;
  }
  return lane_tree(lane);
}

// 11
template <TensorType type>
static void head_float_rows(const HeadView& head, const HeadInput& input, size_t begin, size_t end,
                            float* logits, size_t logits_stride) {
  using Codec = FloatCodec<type>;
  for (size_t t = 0; t < input.codes.n; ++t) {
    const float* x = input.x + t * input.x_stride;
    for (size_t r = begin; r < end; ++r) {
      const uint8_t* row = head.rows + r * head.row_bytes;
      float lane[16] = {};
      for (size_t i = 0; i < head.k; ++i) {
        const float weight = f32_of_bits(Codec::f32_bits(row + i * Codec::kBytes));
        lane[i % 16] = lane[i % 16] + weight * x[i];
      }
      logits[t * logits_stride + r - begin] = lane_tree(lane);
    }
  }
}
