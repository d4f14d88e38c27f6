// The inner loop of the matrix kernel over vs_dot: a byte tile meets kTokenTile packed tokens.
// Included inside a kernel region before matrix_product.inl.hpp, which says what each name means.

constexpr size_t kPackedColumns = 4;

static inline void arrange_tile(uint8_t*, size_t) {}

// part[i] = u of the byte tile * token i over n columns. The sums in the loop must stay in
// registers: the loops over tokens are unrolled, and a call of its own leaves no register to
// others.
__attribute__((noinline)) static void dot_tokens(const uint8_t* bytes, const int8_t* packed,
                                                 size_t n, VS* part) {
  VS sum[kTokenTile];
#pragma GCC unroll 16
  for (size_t i = 0; i < kTokenTile; ++i) sum[i] = vs_zero();
  for (size_t c = 0; c < n; c += 4, bytes += kTritBlockBytes, packed += 4 * kTokenTile) {
    const VB u = vi_load(bytes);
#pragma GCC unroll 16
    for (size_t i = 0; i < kTokenTile; ++i) {
      sum[i] = vs_dot(sum[i], u, vb_broadcast4(packed + 4 * i));
    }
  }
#pragma GCC unroll 16
  for (size_t i = 0; i < kTokenTile; ++i) part[i] = sum[i];
}
