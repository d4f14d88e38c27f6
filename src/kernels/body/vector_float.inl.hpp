// The float operations of docs/numerics.md over sixteen lanes, written once for every vector
// instruction set. Included inside a kernel region after its primitives:
//
// clang-format off
//   V                       sixteen floats            VI                     sixteen int32
//   v_zero v_set v_load v_store v_add v_sub v_mul v_div v_sqrt1
//   v_max(a, b)             a > b ? a : b             v_min(a, b)            a < b ? a : b
//   v_load_n v_store_n      the first n < 16 lanes; missing lanes read as +0.0
//   v_load_f16(_n), v_load_bf16(_n), v_store_f16(_n)  conversions, exact or to nearest even
//   v_keep_n(v, n)          lanes from n on become +0.0
//   v_gated(g, y)           g <= 0 ? g - g : y        v_nan_from(v, x)       x where x is NaN, else v
//   v_tree(v)               lane sum by the tree of docs/numerics.md 1
//   v_to_int v_from_int v_pow2(VI)                    rint to int32, back, 2^k by bits
//   kExpTogether            vectors whose exponentials go step by step, since one waits for itself
//   v_scale2(v, k, kf)      v * 2^k, rounded once; k in [-151, 128] as an integer and as a float
//   v_abs_bits vi_max_u vi_reduce_max_u               magnitude bits and their unsigned maximum
//   vi_zero vi_set vi_add vi_sub vi_reduce_add        integers in lanes, and their sum
//   vi_half(VI)             k >> 1, arithmetic        vi_times_128(VI)       v * 128
//   vi_plane_high(VI)       (v + 64) >> 7             vi_store_i8_n(VI, p, n)  n low bytes, 16 at most
// clang-format on
// Loads take untyped pointers: stored rows may lie at odd addresses, where a float* may not point.

// 5, for finite x <= 0 or a difference that became minus infinity; of kCount vectors step by step,
// since one alone waits for itself.
template <size_t kCount>
static TERN_ALWAYS_INLINE void v_exp_each(V* x) {
  VI k[kCount];
  V kf[kCount], r[kCount], p[kCount];
#pragma GCC unroll 8
  for (size_t c = 0; c < kCount; ++c) {
    x[c] = v_max(x[c], v_set(kExpLowest));
    k[c] = v_to_int(v_mul(x[c], v_set(kLog2E)));
    kf[c] = v_from_int(k[c]);
    r[c] = v_sub(v_sub(x[c], v_mul(kf[c], v_set(kLn2High))), v_mul(kf[c], v_set(kLn2Low)));
    p[c] = v_set(kExpCoefficients[0]);
  }
#pragma GCC unroll 7
  for (int i = 1; i < 8; ++i) {
#pragma GCC unroll 8
    for (size_t c = 0; c < kCount; ++c) p[c] = v_add(v_mul(p[c], r[c]), v_set(kExpCoefficients[i]));
  }
#pragma GCC unroll 8
  for (size_t c = 0; c < kCount; ++c) x[c] = v_scale2(p[c], k[c], kf[c]);
}
static inline V v_exp_below(V x) {
  v_exp_each<1>(&x);
  return x;
}

// 5
static inline V v_exp(V x) { return v_nan_from(v_exp_below(v_min(x, v_set(kExpHighest))), x); }

// 1
static float lane_dot(const float* a, const float* b, size_t n) {
  V sum = v_zero();
  for (size_t i = 0; i < n; i += 16) {
    sum = v_add(sum, v_mul(v_load_any(a + i, n - i), v_load_any(b + i, n - i)));
  }
  return v_tree(sum);
}

// 2
static bool rms_norm(const float* x, const float* gain, size_t n, float eps, float* y) {
  const float mean = lane_dot(x, x, n) / static_cast<float>(n);
  if (!is_finite(mean)) return false;
  const V r = v_set(1.0f / v_sqrt1(mean + eps));
  for (size_t i = 0; i < n; i += 16) {
    const V v = v_load_any(x + i, n - i);
    v_store_any(y + i, n - i, v_mul(v_mul(v, r), v_load_any(gain + i, n - i)));
  }
  return true;
}

// 14
static bool l2_normalize(const float* x, size_t n, float* y) {
  const float sum = lane_dot(x, x, n);
  if (!is_finite(sum)) return false;
  const V r = v_set(sum > 0 ? 1.0f / v_sqrt1(sum) : 0.0f);
  for (size_t i = 0; i < n; i += 16) v_store_any(y + i, n - i, v_mul(v_load_any(x + i, n - i), r));
  return true;
}

// 3
// What a quantizer reads: sixteen lanes from element i on, of n; missing lanes are +0.0.
struct PlainLanes {
  const float* x;
  V load(size_t i, size_t n) const { return v_load_any(x + i, n - i); }
};
struct NormedLanes {  // 2: (x * r) * gain, computed again rather than stored
  const float* x;
  const float* gain;
  V r;
  V load(size_t i, size_t n) const {
    return v_mul(v_mul(v_load_any(x + i, n - i), r), v_load_any(gain + i, n - i));
  }
};

template <typename Lanes>
static inline uint32_t absmax_bits(const Lanes& lanes, size_t n) {
  VI largest = vi_zero();
  for (size_t i = 0; i < n; i += 16) largest = vi_max_u(largest, v_abs_bits(lanes.load(i, n)));
  return vi_reduce_max_u(largest);
}

static bool all_finite(const float* x, size_t n) {
  return is_finite_bits(absmax_bits(PlainLanes{x}, n));
}

// 7
static void add(const float* x, size_t n, float* y) {
  for (size_t i = 0; i < n; i += 16) {
    v_store_any(y + i, n - i, v_add(v_load_any(y + i, n - i), v_load_any(x + i, n - i)));
  }
}

// 10
static void scale(float factor, size_t n, float* x) {
  const V f = v_set(factor);
  for (size_t i = 0; i < n; i += 16) v_store_any(x + i, n - i, v_mul(v_load_any(x + i, n - i), f));
}

// 6
static void relu2_mul(const float* gate, const float* up, size_t n, float* y) {
  for (size_t i = 0; i < n; i += 16) {
    const V g = v_load_any(gate + i, n - i);
    const V product = v_mul(v_mul(g, g), v_load_any(up + i, n - i));
    v_store_any(y + i, n - i, v_gated(g, product));
  }
}

static void silu_mul(const float* gate, const float* up, size_t n, float* y) {
  for (size_t i = 0; i < n; i += 16) {
    const V g = v_load_any(gate + i, n - i);
    // 0 - g would differ from -g at +0.0 only, where exp gives 1 either way.
    const V act = v_div(g, v_add(v_set(1.0f), v_exp(v_sub(v_zero(), g))));
    v_store_any(y + i, n - i, v_mul(act, v_load_any(up + i, n - i)));
  }
}

static void gelu_mul(const float* gate, const float* up, size_t n, float* y) {
  const V one = v_set(1.0f);
  for (size_t i = 0; i < n; i += 16) {
    const V g = v_load_any(gate + i, n - i);
    const V cubic = v_mul(v_add(v_mul(v_set(kGeluCubic), v_mul(g, g)), one), g);
    const V act = v_div(g, v_add(one, v_exp(v_mul(v_set(kGeluSlope), cubic))));
    v_store_any(y + i, n - i, v_mul(act, v_load_any(up + i, n - i)));
  }
}

// 8.3
static void rope_halves(float* x, const float* cos, const float* sin, size_t n) {
  for (size_t p = 0; p < n; p += 16) {
    const V a = v_load_any(x + p, n - p);
    const V b = v_load_any(x + p + n, n - p);
    const V c = v_load_any(cos + p, n - p);
    const V s = v_load_any(sin + p, n - p);
    v_store_any(x + p, n - p, v_sub(v_mul(a, c), v_mul(b, s)));
    v_store_any(x + p + n, n - p, v_add(v_mul(a, s), v_mul(b, c)));
  }
}

// 9.1: infinities show in the exponent bits of the result.
static bool to_f16(const float* x, size_t n, uint16_t* y) {
  uint32_t infinite = 0;
  for (size_t i = 0; i < n; i += 16) {
    const V v = v_load_any(x + i, n - i);
    if (n - i >= 16) {
      v_store_f16(y + i, v);
    } else {
      v_store_f16_n(y + i, n - i, v);
    }
    const size_t end = n - i < 16 ? n : i + 16;
    for (size_t j = i; j < end; ++j) infinite |= (y[j] & 0x7C00u) == 0x7C00u ? 1u : 0u;
  }
  return infinite == 0;
}

// A product beyond int32 is kept in range before it is converted.
static bool to_i8(const float* x, size_t n, int8_t* y, uint16_t* scale) {
  const uint32_t bits = absmax_bits(PlainLanes{x}, n);
  *scale = 0x7C00;
  if (is_finite_bits(bits)) *scale = f16_from_f32(floored_absmax(bits) / 127.0f);
  if ((*scale & 0x7C00) == 0x7C00) {
    for (size_t i = 0; i < n; ++i) y[i] = 0;
    return false;
  }
  const V s = v_set(1.0f / f32_from_f16(*scale));
  for (size_t i = 0; i < n; i += 16) {
    const V v = v_mul(v_load_any(x + i, n - i), s);
    const V kept = v_max(v_min(v, v_set(127.0f)), v_set(-127.0f));
    vi_store_i8_n(v_to_int(kept), y + i, n - i);
  }
  return true;
}

// s <- exp(s - shift) from i on, kCount vectors at a time, added to the sum; returns where fewer
// are left.
template <size_t kCount>
static TERN_ALWAYS_INLINE size_t exp_vectors(float* s, size_t i, size_t n, V shift, V* sum) {
  for (; i + 16 * kCount <= n; i += 16 * kCount) {
    V e[kCount];
#pragma GCC unroll 8
    for (size_t c = 0; c < kCount; ++c) e[c] = v_sub(v_load(s + i + 16 * c), shift);
    v_exp_each<kCount>(e);
#pragma GCC unroll 8
    for (size_t c = 0; c < kCount; ++c) {
      v_store(s + i + 16 * c, e[c]);
      *sum = v_add(*sum, e[c]);
    }
  }
  return i;
}

// 9.3: the maximum and the check in one sweep, vectors of equal maxima in any order.
static float softmax_exp(float* s, size_t n) {
  float largest = s[0];
  uint32_t bits = 0;
  size_t i = 0;
  if (n >= 16) {
    V top[4];
    VI magnitudes[4];
#pragma GCC unroll 4
    for (size_t c = 0; c < 4; ++c) {  // the last vector may overlap others
      top[c] = v_load(s + n - 16);
      magnitudes[c] = v_abs_bits(top[c]);
    }
    for (; i + 64 <= n; i += 64) {
#pragma GCC unroll 4
      for (size_t c = 0; c < 4; ++c) {
        const V v = v_load(s + i + 16 * c);
        top[c] = v_max(top[c], v);
        magnitudes[c] = vi_max_u(magnitudes[c], v_abs_bits(v));
      }
    }
    for (; i + 16 <= n; i += 16) {
      const V v = v_load(s + i);
      top[0] = v_max(top[0], v);
      magnitudes[0] = vi_max_u(magnitudes[0], v_abs_bits(v));
    }
    bits = vi_reduce_max_u(
        vi_max_u(vi_max_u(magnitudes[0], magnitudes[1]), vi_max_u(magnitudes[2], magnitudes[3])));
    float lanes[16];
    v_store(lanes, v_max(v_max(top[0], top[1]), v_max(top[2], top[3])));
    for (size_t l = 0; l < 16; ++l) largest = lanes[l] > largest ? lanes[l] : largest;
  } else {
    bits = absmax_bits(PlainLanes{s}, n);
    for (size_t j = 1; j < n; ++j) largest = s[j] > largest ? s[j] : largest;
  }
  if (!is_finite_bits(bits)) return f32_of_bits(kNanBits);
  const V shift = v_set(largest);
  V sum = v_zero();
  i = exp_vectors<kExpTogether>(s, 0, n, shift, &sum);
  i = exp_vectors<1>(s, i, n, shift, &sum);
  if (i < n) {
    const V e = v_keep_n(v_exp_below(v_sub(v_load_n(s + i, n - i), shift)), n - i);
    v_store_n(s + i, n - i, e);
    sum = v_add(sum, e);
  }
  return v_tree(sum);
}

// 10: codes of 16 elements in a unit, and the square error that they leave.
static inline VI q6_k_rounded(V x, V unit) {
  return v_to_int(v_max(v_min(v_div(x, unit), v_set(31.0f)), v_set(-32.0f)));
}
static void q6_k_codes(const float* x, float unit, int8_t* codes) {
  vi_store_i8_n(q6_k_rounded(v_load(x), v_set(unit)), codes, 16);
}
static float q6_k_error(const float* x, float unit) {
  const V v = v_load(x);
  const V u = v_set(unit);
  const V d = v_sub(v, v_mul(v_from_int(q6_k_rounded(v, u)), u));
  return v_tree(v_mul(d, d));
}

// 11: stored floats of each type, sixteen at a time.
template <TensorType type>
static inline V load_row(const uint8_t* row, size_t i) {
  if constexpr (type == TensorType::f32) {
    return v_load(row + 4 * i);
  } else if constexpr (type == TensorType::f16) {
    return v_load_f16(row + 2 * i);
  } else {
    return v_load_bf16(row + 2 * i);
  }
}
template <TensorType type>
static inline V load_row_n(const uint8_t* row, size_t i, size_t n) {
  if constexpr (type == TensorType::f32) {
    return v_load_n(row + 4 * i, n);
  } else if constexpr (type == TensorType::f16) {
    return v_load_f16_n(row + 2 * i, n);
  } else {
    return v_load_bf16_n(row + 2 * i, n);
  }
}

// kRows rows at once hide the latency of their chains.
template <TensorType type, size_t kRows>
static inline void dot_rows(const HeadView& head, const float* x, size_t row, float* logits) {
  const uint8_t* start = head.rows + row * head.row_bytes;
  const size_t whole = head.k / 16 * 16;
  V sum[kRows];
#pragma GCC unroll 4
  for (size_t r = 0; r < kRows; ++r) sum[r] = v_zero();
  for (size_t i = 0; i < whole; i += 16) {
    const V xv = v_load(x + i);
#pragma GCC unroll 4
    for (size_t r = 0; r < kRows; ++r) {
      const uint8_t* at = start + r * head.row_bytes;
      sum[r] = v_add(sum[r], v_mul(load_row<type>(at, i), xv));
    }
  }
  if (whole < head.k) {
    const size_t n = head.k - whole;
    const V xv = v_load_n(x + whole, n);
#pragma GCC unroll 4
    for (size_t r = 0; r < kRows; ++r) {
      const uint8_t* at = start + r * head.row_bytes;
      sum[r] = v_add(sum[r], v_mul(load_row_n<type>(at, whole, n), xv));
    }
  }
#pragma GCC unroll 4
  for (size_t r = 0; r < kRows; ++r) logits[r] = v_tree(sum[r]);
}

template <TensorType type>
static void head_float_rows(const HeadView& head, const HeadInput& input, size_t begin, size_t end,
                            float* logits, size_t logits_stride) {
  for (size_t row = begin; row < end;) {
    const size_t n = end - row < 4 ? 1 : 4;
    for (size_t t = 0; t < input.codes.n; ++t) {
      const float* x = input.x + t * input.x_stride;
      float* out = logits + t * logits_stride + (row - begin);
      if (n == 4) {
        dot_rows<type, 4>(head, x, row, out);
      } else {
        dot_rows<type, 1>(head, x, row, out);
      }
    }
    row += n;
  }
}
