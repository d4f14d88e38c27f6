// The quantizers of docs/numerics.md 3 over sixteen lanes, alone and behind a norm. Included inside
// a kernel region, after vector_float.inl.hpp.

// 3.1
template <typename Lanes>
static inline QuantizedToken quantize_lanes_i8(const Lanes& lanes, size_t n, int8_t* q) {
  QuantizedToken token = {};
  const uint32_t bits = absmax_bits(lanes, n);
  if (!is_finite_bits(bits)) return token;
  const float m = floored_absmax(bits);
  const V s = v_set(127.0f / m);
  VI sum = vi_zero();
  for (size_t i = 0; i < n; i += 16) {
    const VI value = v_to_int(v_mul(lanes.load(i, n), s));
    sum = vi_add(sum, value);
    vi_store_i8_n(value, q + i, n - i);
  }
  token.sum = vi_reduce_add(sum);
  token.step = m / 127.0f;
  token.finite = 1;
  return token;
}

static QuantizedToken quantize_i8(const float* x, size_t k, int8_t* q, size_t stride) {
  for (size_t i = k; i < stride; ++i) q[i] = 0;
  return quantize_lanes_i8(PlainLanes{x}, k, q);
}

// 2 and 3.1 in one.
static QuantizedToken norm_quantize_i8(const float* x, const float* gain, size_t n, float eps,
                                       int8_t* q, size_t stride) {
  for (size_t i = n; i < stride; ++i) q[i] = 0;
  const float mean = lane_dot(x, x, n) / static_cast<float>(n);
  if (!is_finite(mean)) return {};
  return quantize_lanes_i8(NormedLanes{x, gain, v_set(1.0f / v_sqrt1(mean + eps))}, n, q);
}

// 3.3
template <typename Lanes>
static inline QuantizedToken quantize_lanes_i4(const Lanes& lanes, size_t n, int8_t* q) {
  QuantizedToken token = {};
  V total = v_zero();
  for (size_t i = 0; i < n; i += 16) {
    const V v = lanes.load(i, n);
    total = v_add(total, v_max(v, v_sub(v_zero(), v)));
  }
  const float mean = v_tree(total) / static_cast<float>(n);
  if (!is_finite(mean)) return token;
  const float b = mean > 1e-5f ? mean : 1e-5f;
  const V s = v_set(kSqrt7 / b);
  VI sum = vi_zero();
  for (size_t i = 0; i < n; i += 16) {
    const V v = v_max(v_min(v_mul(lanes.load(i, n), s), v_set(7.0f)), v_set(-8.0f));
    const VI value = v_to_int(v);
    sum = vi_add(sum, value);
    vi_store_i8_n(value, q + i, n - i);
  }
  token.sum = vi_reduce_add(sum);
  token.step = b / kSqrt7;
  token.finite = 1;
  return token;
}

static QuantizedToken quantize_i4(const float* x, size_t k, int8_t* q, size_t stride) {
  for (size_t i = k; i < stride; ++i) q[i] = 0;
  return quantize_lanes_i4(PlainLanes{x}, k, q);
}

// 2 and 3.3 in one.
static QuantizedToken norm_quantize_i4(const float* x, const float* gain, size_t n, float eps,
                                       int8_t* q, size_t stride) {
  for (size_t i = n; i < stride; ++i) q[i] = 0;
  const float mean = lane_dot(x, x, n) / static_cast<float>(n);
  if (!is_finite(mean)) return {};
  return quantize_lanes_i4(NormedLanes{x, gain, v_set(1.0f / v_sqrt1(mean + eps))}, n, q);
}

// 3.2
template <typename Lanes>
static inline QuantizedToken quantize_lanes_i16(const Lanes& lanes, size_t n, int8_t* high,
                                                int8_t* low) {
  QuantizedToken token = {};
  const uint32_t bits = absmax_bits(lanes, n);
  if (!is_finite_bits(bits)) return token;
  const float m = floored_absmax(bits);
  const V s = v_set(16256.0f / m);
  VI sum_high = vi_zero();
  VI sum_low = vi_zero();
  for (size_t i = 0; i < n; i += 16) {
    const VI value = v_to_int(v_mul(lanes.load(i, n), s));
    const VI upper = vi_plane_high(value);
    const VI lower = vi_sub(value, vi_times_128(upper));
    sum_high = vi_add(sum_high, upper);
    sum_low = vi_add(sum_low, lower);
    vi_store_i8_n(upper, high + i, n - i);
    vi_store_i8_n(lower, low + i, n - i);
  }
  token.sum = vi_reduce_add(sum_high);
  token.sum_low = vi_reduce_add(sum_low);
  token.step = m / 16256.0f;
  token.finite = 1;
  return token;
}

static QuantizedToken quantize_i16(const float* x, size_t k, int8_t* high, int8_t* low,
                                   size_t stride) {
  for (size_t i = k; i < stride; ++i) high[i] = low[i] = 0;
  return quantize_lanes_i16(PlainLanes{x}, k, high, low);
}

// 2 and 3.2 in one.
static QuantizedToken norm_quantize_i16(const float* x, const float* gain, size_t n, float eps,
                                        int8_t* high, int8_t* low, size_t stride) {
  for (size_t i = n; i < stride; ++i) high[i] = low[i] = 0;
  const float mean = lane_dot(x, x, n) / static_cast<float>(n);
  if (!is_finite(mean)) return {};
  const NormedLanes lanes{x, gain, v_set(1.0f / v_sqrt1(mean + eps))};
  return quantize_lanes_i16(lanes, n, high, low);
}
