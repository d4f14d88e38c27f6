// Attention of docs/numerics.md 9, a query at a time: the definition, from which every other body
// differs by order of work, never by order of sums. Included inside a kernel region.

constexpr size_t kChunk = kAttentionChunk;

// 9.1
static bool to_f16(const float* x, size_t n, uint16_t* y) {
  bool finite = true;
  for (size_t i = 0; i < n; ++i) {
    y[i] = f16_from_f32(x[i]);
    finite = finite && (y[i] & 0x7C00) != 0x7C00;
  }
  return finite;
}

// The unit of codes up to `limit`, and what values are multiplied by; zero where it is not finite.
static float cache_unit(const float* x, size_t n, float limit, uint16_t* scale) {
  const uint32_t bits = absmax_bits(x, n);
  *scale = 0x7C00;
  if (is_finite_bits(bits)) *scale = f16_from_f32(floored_absmax(bits) / limit);
  return (*scale & 0x7C00) == 0x7C00 ? 0.0f : 1.0f / f32_from_f16(*scale);
}
static inline int cache_code(float x, float s, float limit) {
  float v = x * s;
  v = v > limit ? limit : v;
  v = v < 0.0f - limit ? 0.0f - limit : v;
  return static_cast<int>(rint_f32(v));
}

static bool to_i8(const float* x, size_t n, int8_t* y, uint16_t* scale) {
  const float s = cache_unit(x, n, 127.0f, scale);
  for (size_t i = 0; i < n; ++i) {
    y[i] = s != 0.0f ? static_cast<int8_t>(cache_code(x[i], s, 127.0f)) : int8_t{0};
  }
  return s != 0.0f;
}

// Adds a code to a row that was zero; unpack_codes.inl.hpp says where.
static inline void put_code(CacheType type, unsigned code, size_t i, size_t n, uint8_t* row) {
  if (type == CacheType::i4) {
    const size_t half = (n + 1) / 2;
    row[i % half] = static_cast<uint8_t>(row[i % half] | code << (i / half * 4));
    return;
  }
  const size_t quarter = (n + 3) / 4;
  const size_t eighth = (n + 7) / 8;
  uint8_t& low = row[i % quarter];
  uint8_t& high = row[quarter + i % eighth];
  low = static_cast<uint8_t>(low | (code & 3) << (i / quarter * 2));
  high = static_cast<uint8_t>(high | (code >> 2) << (i / eighth));
}

static bool to_packed(CacheType type, const float* x, size_t n, uint8_t* row, uint16_t* scale) {
  const int offset = type == CacheType::i4 ? 8 : 4;
  const float limit = static_cast<float>(offset - 1);
  const float s = cache_unit(x, n, limit, scale);
  for (size_t b = 0; b < cache_row_bytes(type, n); ++b) row[b] = 0;
  for (size_t i = 0; i < n && s != 0.0f; ++i) {
    put_code(type, static_cast<unsigned>(cache_code(x[i], s, limit) + offset), i, n, row);
  }
  return s != 0.0f;
}

// 9.2
static float attention_scale(size_t head_dim) {
  return 1.0f / __builtin_sqrtf(static_cast<float>(head_dim));
}

static inline float cached_value(uint16_t half) { return f32_from_f16(half); }
static inline float cached_value(float value) { return value; }

template <typename T>
static void qk_floats(const float* q, CacheView keys, size_t begin, size_t end, size_t dim,
                      float scale, float* scores) {
  for (size_t j = begin; j < end; ++j) {
    const T* key = static_cast<const T*>(keys.data) + j * keys.stride;
    float lane[16] = {};
    for (size_t i = 0; i < dim; ++i) lane[i % 16] = lane[i % 16] + q[i] * cached_value(key[i]);
    scores[j] = lane_tree(lane) * scale;
  }
}
static void qk_f16(const float* q, CacheView keys, size_t n, size_t dim, float scale,
                   float* scores) {
  qk_floats<uint16_t>(q, keys, 0, n, dim, scale, scores);
}

// The codes of one position; `room` for dim int8 is where packed ones go.
static const int8_t* codes_at(const CacheView& cache, size_t j, size_t dim, int8_t* room) {
  if (!is_packed(cache.type)) return static_cast<const int8_t*>(cache.data) + j * cache.stride;
  const auto* rows = static_cast<const uint8_t*>(cache.data);
  if (j == 0 && cache.first != nullptr) {
    unpack_codes(CacheType::i4, cache.first, 1, dim, room);
  } else {
    unpack_codes(cache.type, rows + j * cache_row_bytes(cache.type, dim), 1, dim, room);
  }
  return room;
}

// Scores of positions [begin, end). `codes` is room for 2 dim int8.
static void qk_i8(const float* q, CacheView keys, size_t begin, size_t end, size_t dim, float scale,
                  int8_t* codes, float* scores) {
  const QuantizedToken token = quantize_i8(q, dim, codes, dim);
  const float unit = token.finite != 0 ? token.step * scale : f32_of_bits(kNanBits);
  for (size_t j = begin; j < end; ++j) {
    const int8_t* key = codes_at(keys, j, dim, codes + dim);
    int32_t sum = 0;
    for (size_t i = 0; i < dim; ++i) sum += codes[i] * key[i];
    scores[j] = static_cast<float>(sum) * (unit * f32_from_f16(keys.scales[j]));
  }
}

// 9.3
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

// 9.4: y += the part of the positions [begin, end) of one chunk.
template <typename T>
static void add_floats(const float* weights, const CacheView& values, size_t begin, size_t end,
                       size_t dim, float* y) {
  const auto* data = static_cast<const T*>(values.data);
  for (size_t d = 0; d < dim; ++d) {
    float chunk = 0.0f;
    for (size_t j = begin; j < end; ++j) {
      chunk = chunk + weights[j] * cached_value(data[j * values.stride + d]);
    }
    y[d] = y[d] + chunk;
  }
}

// `totals` is room for dim sums, and dim int8.
static void add_codes(const float* weights, const CacheView& values, size_t begin, size_t end,
                      size_t dim, int32_t* totals, float* y) {
  float scaled[kChunk];
  const size_t count = end - begin;
  for (size_t j = 0; j < count; ++j) {
    scaled[j] = weights[begin + j] * f32_from_f16(values.scales[begin + j]);
  }
  const uint32_t bits = absmax_bits(scaled, count);
  const float m = floored_weight(bits);
  const float step = is_finite_bits(bits) ? m / 16256.0f : f32_of_bits(kNanBits);
  const float s = 16256.0f / m;
  for (size_t d = 0; d < dim; ++d) totals[d] = 0;
  for (size_t j = 0; j < count && is_finite_bits(bits); ++j) {
    const auto code = static_cast<int32_t>(rint_f32(scaled[j] * s));
    const int8_t* value = codes_at(values, begin + j, dim, reinterpret_cast<int8_t*>(totals + dim));
    for (size_t d = 0; d < dim; ++d) totals[d] += code * value[d];
  }
  for (size_t d = 0; d < dim; ++d) y[d] = y[d] + static_cast<float>(totals[d]) * step;
}

static void add_values(const CacheView& values, const float* weights, size_t begin, size_t n,
                       size_t dim, int32_t* room, float* y) {
  const size_t end = begin + kChunk < n ? begin + kChunk : n;
  switch (values.type) {
    case CacheType::f16: add_floats<uint16_t>(weights, values, begin, end, dim, y); break;
    case CacheType::f32: add_floats<float>(weights, values, begin, end, dim, y); break;
    default: add_codes(weights, values, begin, end, dim, room, y); break;
  }
}

static void pv(const float* weights, float sum, const CacheView& values, size_t n, size_t dim,
               int32_t* room, float* y) {
  for (size_t d = 0; d < dim; ++d) y[d] = 0.0f;
  for (size_t j = 0; j < n; j += kChunk) add_values(values, weights, j, n, dim, room, y);
  const float inverse = 1.0f / sum;
  for (size_t d = 0; d < dim; ++d) y[d] = y[d] * inverse;
}
static void pv_f16(const float* weights, float sum, CacheView values, size_t n, size_t dim,
                   float* y) {
  pv(weights, sum, values, n, dim, nullptr, y);
}

static void qk(const AttentionView& a, const float* q, size_t begin, size_t end, int32_t* room,
               float* scores) {
  switch (a.keys.type) {
    case CacheType::f16: qk_floats<uint16_t>(q, a.keys, begin, end, a.dim, a.scale, scores); break;
    case CacheType::f32: qk_floats<float>(q, a.keys, begin, end, a.dim, a.scale, scores); break;
    default:
      qk_i8(q, a.keys, begin, end, a.dim, a.scale, reinterpret_cast<int8_t*>(room), scores);
      break;
  }
}

// Sums of a head's dims and its codes, then scores.
static size_t attention_scratch_bytes(size_t, size_t, size_t n_positions, size_t dim) {
  return (2 * dim * sizeof(int32_t) + n_positions * sizeof(float) + 63) / 64 * 64;
}

static void attend(const AttentionView& a, float* y, size_t y_stride, void* scratch) {
  auto* room = static_cast<int32_t*>(scratch);
  auto* scores = reinterpret_cast<float*>(room + 2 * a.dim);
  for (size_t t = 0; t < a.n_tokens; ++t) {
    const size_t n = a.position + t + 1;
    for (size_t h = 0; h < a.n_heads; ++h) {
      qk(a, a.q + t * a.q_stride + h * a.dim, 0, n, room, scores);
      pv(scores, softmax_exp(scores, n), a.values, n, a.dim, room, y + t * y_stride + h * a.dim);
    }
  }
}

static void attend_scores(const AttentionView& a, size_t begin, size_t end, float* scores,
                          size_t row, void* scratch) {
  for (size_t h = 0; h < a.n_heads; ++h) {
    qk(a, a.q + h * a.dim, begin, end, static_cast<int32_t*>(scratch), scores + h * row);
  }
}

static void attend_values(const AttentionView& a, size_t begin, size_t end, float* weights,
                          size_t row, float* parts, size_t part_stride, void* scratch) {
  for (size_t h = 0; h < a.n_heads; ++h) {
    for (size_t j = begin; j < end; j += kChunk) {
      float* part = parts + j / kChunk * part_stride + h * a.dim;
      for (size_t d = 0; d < a.dim; ++d) part[d] = 0.0f;
      add_values(a.values, weights + h * row, j, end, a.dim, static_cast<int32_t*>(scratch), part);
    }
  }
}

static void attend_merge(const float* parts, size_t part_stride, size_t n_parts, float sum,
                         size_t dim, float* y) {
  const float inverse = 1.0f / sum;
  for (size_t d = 0; d < dim; ++d) {
    float total = 0.0f;
    for (size_t p = 0; p < n_parts; ++p) total = total + parts[p * part_stride + d];
    y[d] = total * inverse;
  }
}
