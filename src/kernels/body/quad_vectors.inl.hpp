// Sixteen lanes as four registers of 16 bytes: the primitives of vector_float.inl.hpp from those of
// one register, for every instruction set of that width.
// Included inside a kernel region after neon_primitives.inl.hpp or wasm_primitives.inl.hpp, which
// give the types F4 and I4 (four floats, four int32) and the functions f4_* and i4_*.
//
//     V   a: lanes 0-3    b: lanes 4-7    c: lanes 8-11    d: lanes 12-15

struct V {
  F4 a, b, c, d;
};
struct VI {
  I4 a, b, c, d;
};

static inline V v_set(float x) {
  const F4 v = f4_set(x);
  return {v, v, v, v};
}
static inline V v_zero() { return v_set(0.0f); }
static inline V v_load(const void* p) {
  const char* at = static_cast<const char*>(p);
  return {f4_load(at), f4_load(at + 16), f4_load(at + 32), f4_load(at + 48)};
}
static inline V v_load_f16(const void* p) {
  const char* at = static_cast<const char*>(p);
  return {f4_load_f16(at), f4_load_f16(at + 8), f4_load_f16(at + 16), f4_load_f16(at + 24)};
}
static inline V v_load_bf16(const void* p) {
  const char* at = static_cast<const char*>(p);
  return {f4_load_bf16(at), f4_load_bf16(at + 8), f4_load_bf16(at + 16), f4_load_bf16(at + 24)};
}
static inline void v_store(float* p, V v) {
  f4_store(p, v.a);
  f4_store(p + 4, v.b);
  f4_store(p + 8, v.c);
  f4_store(p + 12, v.d);
}
static inline void v_store_f16(uint16_t* p, V v) {
  f4_store_f16(p, v.a);
  f4_store_f16(p + 4, v.b);
  f4_store_f16(p + 8, v.c);
  f4_store_f16(p + 12, v.d);
}
// There are no masked moves: the ends of rows go through sixteen elements of stack.
static inline V v_load_n(const void* p, size_t n) {
  float copy[16] = {};
  __builtin_memcpy(copy, p, n * sizeof(float));
  return v_load(copy);
}
static inline V v_load_f16_n(const void* p, size_t n) {
  uint16_t copy[16] = {};
  __builtin_memcpy(copy, p, n * sizeof(uint16_t));
  return v_load_f16(copy);
}
static inline V v_load_bf16_n(const void* p, size_t n) {
  uint16_t copy[16] = {};
  __builtin_memcpy(copy, p, n * sizeof(uint16_t));
  return v_load_bf16(copy);
}
static inline void v_store_n(float* p, size_t n, V v) {
  float copy[16];
  v_store(copy, v);
  __builtin_memcpy(p, copy, n * sizeof(float));
}
static inline void v_store_f16_n(uint16_t* p, size_t n, V v) {
  uint16_t copy[16];
  v_store_f16(copy, v);
  __builtin_memcpy(p, copy, n * sizeof(uint16_t));
}

static inline V v_add(V x, V y) {
  return {f4_add(x.a, y.a), f4_add(x.b, y.b), f4_add(x.c, y.c), f4_add(x.d, y.d)};
}
static inline V v_sub(V x, V y) {
  return {f4_sub(x.a, y.a), f4_sub(x.b, y.b), f4_sub(x.c, y.c), f4_sub(x.d, y.d)};
}
static inline V v_mul(V x, V y) {
  return {f4_mul(x.a, y.a), f4_mul(x.b, y.b), f4_mul(x.c, y.c), f4_mul(x.d, y.d)};
}
static inline V v_div(V x, V y) {
  return {f4_div(x.a, y.a), f4_div(x.b, y.b), f4_div(x.c, y.c), f4_div(x.d, y.d)};
}
static inline V v_max(V x, V y) {
  return {f4_max(x.a, y.a), f4_max(x.b, y.b), f4_max(x.c, y.c), f4_max(x.d, y.d)};
}
static inline V v_min(V x, V y) {
  return {f4_min(x.a, y.a), f4_min(x.b, y.b), f4_min(x.c, y.c), f4_min(x.d, y.d)};
}
static inline V v_gated(V g, V y) {
  return {f4_gated(g.a, y.a), f4_gated(g.b, y.b), f4_gated(g.c, y.c), f4_gated(g.d, y.d)};
}
static inline V v_nan_from(V v, V x) {
  return {f4_nan_from(v.a, x.a), f4_nan_from(v.b, x.b), f4_nan_from(v.c, x.c),
          f4_nan_from(v.d, x.d)};
}
static inline float v_tree(V v) { return f4_tree(f4_add(f4_add(v.a, v.c), f4_add(v.b, v.d))); }

static inline VI vi_set(int32_t x) {
  const I4 v = i4_set(x);
  return {v, v, v, v};
}
static inline VI vi_zero() { return vi_set(0); }
static inline VI vi_add(VI x, VI y) {
  return {i4_add(x.a, y.a), i4_add(x.b, y.b), i4_add(x.c, y.c), i4_add(x.d, y.d)};
}
static inline VI vi_sub(VI x, VI y) {
  return {i4_sub(x.a, y.a), i4_sub(x.b, y.b), i4_sub(x.c, y.c), i4_sub(x.d, y.d)};
}
static inline VI vi_and(VI x, VI y) {
  return {i4_and(x.a, y.a), i4_and(x.b, y.b), i4_and(x.c, y.c), i4_and(x.d, y.d)};
}
static inline VI vi_max_u(VI x, VI y) {
  return {i4_max_u(x.a, y.a), i4_max_u(x.b, y.b), i4_max_u(x.c, y.c), i4_max_u(x.d, y.d)};
}
template <int kBits>
static inline VI vi_shift_left(VI v) {
  return {i4_shift_left<kBits>(v.a), i4_shift_left<kBits>(v.b), i4_shift_left<kBits>(v.c),
          i4_shift_left<kBits>(v.d)};
}
template <int kBits>
static inline VI vi_shift_right(VI v) {
  return {i4_shift_right<kBits>(v.a), i4_shift_right<kBits>(v.b), i4_shift_right<kBits>(v.c),
          i4_shift_right<kBits>(v.d)};
}
static inline VI vi_half(VI k) { return vi_shift_right<1>(k); }
static inline VI vi_times_128(VI v) { return vi_shift_left<7>(v); }
static inline VI vi_plane_high(VI v) { return vi_shift_right<7>(vi_add(v, vi_set(64))); }
static inline uint32_t vi_reduce_max_u(VI v) {
  return i4_reduce_max_u(i4_max_u(i4_max_u(v.a, v.b), i4_max_u(v.c, v.d)));
}
static inline int32_t vi_reduce_add(VI v) {
  return i4_reduce_add(i4_add(i4_add(v.a, v.b), i4_add(v.c, v.d)));
}
static inline void vi_store_i8_n(VI v, int8_t* p, size_t n) {
  if (n >= 16) {
    i4_store_i8(p, v.a, v.b, v.c, v.d);
  } else {
    int8_t copy[16];
    i4_store_i8(copy, v.a, v.b, v.c, v.d);
    __builtin_memcpy(p, copy, n);
  }
}

static inline VI v_to_int(V v) {
  return {f4_nearest(v.a), f4_nearest(v.b), f4_nearest(v.c), f4_nearest(v.d)};
}
static inline V v_from_int(VI v) {
  return {f4_of_int(v.a), f4_of_int(v.b), f4_of_int(v.c), f4_of_int(v.d)};
}
static inline VI v_bits(V v) { return {f4_bits(v.a), f4_bits(v.b), f4_bits(v.c), f4_bits(v.d)}; }
static inline V v_of_bits(VI v) {
  return {f4_of_bits(v.a), f4_of_bits(v.b), f4_of_bits(v.c), f4_of_bits(v.d)};
}
static inline V v_pow2(VI k) { return v_of_bits(vi_shift_left<23>(vi_add(k, vi_set(127)))); }
static inline VI v_abs_bits(V v) { return vi_and(v_bits(v), vi_set(0x7FFFFFFF)); }

constexpr int32_t kLaneNumbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static inline V v_keep_n(V v, size_t n) {
  const I4 end = i4_set(n < 16 ? static_cast<int32_t>(n) : 16);
  const VI kept = {i4_less(i4_load(kLaneNumbers), end), i4_less(i4_load(kLaneNumbers + 4), end),
                   i4_less(i4_load(kLaneNumbers + 8), end),
                   i4_less(i4_load(kLaneNumbers + 12), end)};
  return v_of_bits(vi_and(v_bits(v), kept));
}

// Bytes: 64 of them are four registers, in the order of memory.
using VB = VI;

static inline VI vi_load(const void* p) {
  const char* at = static_cast<const char*>(p);
  return {i4_load(at), i4_load(at + 16), i4_load(at + 32), i4_load(at + 48)};
}
static inline void vi_store(void* p, VI v) {
  char* at = static_cast<char*>(p);
  i4_store(at, v.a);
  i4_store(at + 16, v.b);
  i4_store(at + 32, v.c);
  i4_store(at + 48, v.d);
}
static inline VI vi_load_i8(const int8_t* p) {
  VI v;
  i4_load_i8(p, v.a, v.b, v.c, v.d);
  return v;
}
static inline VB vb_broadcast4(const void* p) {
  int32_t four = 0;
  __builtin_memcpy(&four, p, 4);
  return vi_set(four);
}
static inline VB vb_set(int8_t x) {
  const I4 v = b16_set(x);
  return {v, v, v, v};
}
static inline VB vb_and(VB x, VB y) { return vi_and(x, y); }
static inline VB vb_add(VB x, VB y) {
  return {b16_add(x.a, y.a), b16_add(x.b, y.b), b16_add(x.c, y.c), b16_add(x.d, y.d)};
}
static inline VB vb_sub(VB x, VB y) {
  return {b16_sub(x.a, y.a), b16_sub(x.b, y.b), b16_sub(x.c, y.c), b16_sub(x.d, y.d)};
}
template <int kBits>
static inline VB vb_shift(VB v) {
  return {b16_shift<kBits>(v.a), b16_shift<kBits>(v.b), b16_shift<kBits>(v.c),
          b16_shift<kBits>(v.d)};
}
static inline void vb_interleave4(const VB* columns, VB* out) {
  I4 a[4], b[4], c[4], d[4];
  b16_interleave(columns[0].a, columns[1].a, columns[2].a, columns[3].a, a);
  b16_interleave(columns[0].b, columns[1].b, columns[2].b, columns[3].b, b);
  b16_interleave(columns[0].c, columns[1].c, columns[2].c, columns[3].c, c);
  b16_interleave(columns[0].d, columns[1].d, columns[2].d, columns[3].d, d);
#pragma GCC unroll 4
  for (size_t q = 0; q < 4; ++q) out[q] = {a[q], b[q], c[q], d[q]};
}
static inline void vi_transpose4(VI* v) {
  const VI a = v[0], b = v[1], c = v[2], d = v[3];
  v[0] = {a.a, b.a, c.a, d.a};
  v[1] = {a.b, b.b, c.b, d.b};
  v[2] = {a.c, b.c, c.c, d.c};
  v[3] = {a.d, b.d, c.d, d.d};
}
// Each 4 x 4 block of lanes in place, then the blocks.
static inline void vi_transpose16(VI* v) {
#pragma GCC unroll 4
  for (size_t i = 0; i < 16; i += 4) {
    i4_transpose(v[i].a, v[i + 1].a, v[i + 2].a, v[i + 3].a);
    i4_transpose(v[i].b, v[i + 1].b, v[i + 2].b, v[i + 3].b);
    i4_transpose(v[i].c, v[i + 1].c, v[i + 2].c, v[i + 3].c);
    i4_transpose(v[i].d, v[i + 1].d, v[i + 2].d, v[i + 3].d);
  }
#pragma GCC unroll 4
  for (size_t i = 0; i < 4; ++i) {
    VI rows[4] = {v[i], v[4 + i], v[8 + i], v[12 + i]};
    vi_transpose4(rows);
    for (size_t q = 0; q < 4; ++q) v[4 * q + i] = rows[q];
  }
}
static inline uint64_t vb_nonzero_bits(VB v) {
  const uint32_t low = b16_nonzero_bits(v.a) | b16_nonzero_bits(v.b) << 16;
  const uint32_t high = b16_nonzero_bits(v.c) | b16_nonzero_bits(v.d) << 16;
  return uint64_t{high} << 32 | low;
}
static inline uint32_t v_live_bits(V g) {
  return f4_live_bits(g.a) | f4_live_bits(g.b) << 4 | f4_live_bits(g.c) << 8 |
         f4_live_bits(g.d) << 12;
}
