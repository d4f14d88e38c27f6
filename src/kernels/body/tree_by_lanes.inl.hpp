// v_tree of sixteen vectors at once, for registers that are narrower than sixteen lanes:
// transposed, lanes are vectors. Included inside a kernel region, after its lanes.

static V v_tree16(const V* v) {
  VI bits[16];
#pragma GCC unroll 16
  for (size_t i = 0; i < 16; ++i) bits[i] = v_bits(v[i]);
  vi_transpose16(bits);
  V sum[16];
#pragma GCC unroll 16
  for (size_t i = 0; i < 16; ++i) sum[i] = v_of_bits(bits[i]);
#pragma GCC unroll 4
  for (size_t width = 8; width > 0; width /= 2) {
#pragma GCC unroll 8
    for (size_t i = 0; i < width; ++i) sum[i] = v_add(sum[i], sum[i + width]);
  }
  return sum[0];
}
