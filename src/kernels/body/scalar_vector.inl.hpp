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

// 3
static uint32_t absmax_bits(const float* x, size_t k) {
  uint32_t largest = 0;
  for (size_t i = 0; i < k; ++i) {
    const uint32_t magnitude = bits_of_f32(x[i]) & 0x7FFFFFFFu;
    largest = magnitude > largest ? magnitude : largest;
  }
  return largest;
}

static bool all_finite(const float* x, size_t n) { return is_finite_bits(absmax_bits(x, n)); }

// 3.1
static QuantizedToken quantize_i8(const float* x, size_t k, int8_t* q, size_t stride) {
  for (size_t i = k; i < stride; ++i) q[i] = 0;
  QuantizedToken token = {};
  const uint32_t bits = absmax_bits(x, k);
  if (!is_finite_bits(bits)) return token;
  const float m = floored_absmax(bits);
  const float s = 127.0f / m;
  for (size_t i = 0; i < k; ++i) {
    const int value = static_cast<int>(rint_f32(x[i] * s));
    q[i] = static_cast<int8_t>(value);
    token.sum += value;
  }
  token.step = m / 127.0f;
  token.finite = 1;
  return token;
}

// 3.2
static QuantizedToken quantize_i16(const float* x, size_t k, int8_t* high, int8_t* low,
                                   size_t stride) {
  for (size_t i = k; i < stride; ++i) high[i] = low[i] = 0;
  QuantizedToken token = {};
  const uint32_t bits = absmax_bits(x, k);
  if (!is_finite_bits(bits)) return token;
  const float m = floored_absmax(bits);
  const float s = 16256.0f / m;
  for (size_t i = 0; i < k; ++i) {
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

// 7
static void add(const float* x, size_t n, float* y) {
  for (size_t i = 0; i < n; ++i) y[i] = y[i] + x[i];
}

// 6
static void relu2_mul(const float* gate, const float* up, size_t n, float* y) {
  for (size_t i = 0; i < n; ++i) {
    // A difference, not a constant: minus infinity becomes NaN, which is reported; the rest +0.0.
    const float r = gate[i] <= 0 ? gate[i] - gate[i] : gate[i];
    y[i] = (r * r) * up[i];
  }
}

static void silu_mul(const float* gate, const float* up, size_t n, float* y) {
  for (size_t i = 0; i < n; ++i) y[i] = (gate[i] / (1.0f + exp_f32(-gate[i]))) * up[i];
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

// 9
static bool to_f16(const float* x, size_t n, uint16_t* y) {
  bool finite = true;
  for (size_t i = 0; i < n; ++i) {
    y[i] = f16_from_f32(x[i]);
    finite = finite && (y[i] & 0x7C00) != 0x7C00;
  }
  return finite;
}

static float attention_scale(size_t head_dim) {
  return 1.0f / __builtin_sqrtf(static_cast<float>(head_dim));
}

static void qk_f16(const float* q, CacheView keys, size_t n, size_t dim, float scale,
                   float* scores) {
  for (size_t j = 0; j < n; ++j) {
    const uint16_t* key = keys.data + j * keys.stride;
    float lane[16] = {};
    for (size_t i = 0; i < dim; ++i) lane[i % 16] = lane[i % 16] + q[i] * f32_from_f16(key[i]);
    scores[j] = lane_tree(lane) * scale;
  }
}

static float softmax_exp(float* s, size_t n) {
  if (!all_finite(s, n)) return f32_of_bits(kNanBits);
  float largest = s[0];
  for (size_t i = 1; i < n; ++i) largest = s[i] > largest ? s[i] : largest;
  float lane[16] = {};
  for (size_t i = 0; i < n; ++i) {
    s[i] = exp_f32(s[i] - largest);
    lane[i % 16] = lane[i % 16] + s[i];
  }
  return lane_tree(lane);
}

static void pv_f16(const float* weights, float sum, CacheView values, size_t n, size_t dim,
                   float* y) {
  constexpr size_t kChunk = 256;
  const float inverse = 1.0f / sum;
  for (size_t d = 0; d < dim; ++d) {
    float total = 0.0f;
    for (size_t begin = 0; begin < n; begin += kChunk) {
      const size_t end = begin + kChunk < n ? begin + kChunk : n;
      float chunk = 0.0f;
      for (size_t j = begin; j < end; ++j) {
        chunk = chunk + weights[j] * f32_from_f16(values.data[j * values.stride + d]);
      }
      total = total + chunk;
    }
    y[d] = total * inverse;
  }
}

// 11
template <TensorType type>
static void head_float_rows(const HeadView& head, const HeadInput& input, size_t begin, size_t end,
                            float* logits) {
  using Codec = FloatCodec<type>;
  for (size_t r = begin; r < end; ++r) {
    const uint8_t* row = head.rows + r * head.row_bytes;
    float lane[16] = {};
    for (size_t i = 0; i < head.k; ++i) {
      const float weight = f32_of_bits(Codec::f32_bits(row + i * Codec::kBytes));
      lane[i % 16] = lane[i % 16] + weight * input.x[i];
    }
    logits[r - begin] = lane_tree(lane);
  }
}
