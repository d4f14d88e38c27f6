// The limits of a table, for benchmarks: how fast it reads memory and how fast it multiplies.
// Included inside a kernel region after matrix_product.inl.hpp.

static uint64_t probe_read(const uint8_t* bytes, size_t n) {
  VI sums[4] = {vi_zero(), vi_zero(), vi_zero(), vi_zero()};
  for (size_t i = 0; i + 256 <= n; i += 256) {
#pragma GCC unroll 4
    for (size_t j = 0; j < 4; ++j) {
      prefetch(bytes + i + 64 * j + kPrefetchBytes);
      sums[j] = vi_add(sums[j], vi_load(bytes + i + 64 * j));
    }
  }
  const VI sum = vi_add(vi_add(sums[0], sums[1]), vi_add(sums[2], sums[3]));
  return static_cast<uint32_t>(vi_reduce_add(sum));
}

// The matrix kernel's inner loop over operands that stay in L1.
static uint64_t probe_dot(size_t rounds, int32_t* sink) {
  constexpr size_t kColumns = 160;
  uint8_t bytes[kTileRows * kColumns];
  int8_t packed[kTokenTile * kColumns];
  for (size_t i = 0; i < sizeof(bytes); ++i) bytes[i] = static_cast<uint8_t>(i % 3);
  for (size_t i = 0; i < sizeof(packed); ++i) packed[i] = static_cast<int8_t>(*sink + 1);
  VI sums[kTokenTile];
  for (size_t i = 0; i < kTokenTile; ++i) sums[i] = vi_zero();
  for (size_t i = 0; i < rounds; ++i) add_products(bytes, packed, kColumns, sums);
  for (size_t i = 1; i < kTokenTile; ++i) sums[0] = vi_add(sums[0], sums[i]);
  *sink = vi_reduce_add(sums[0]);
  return uint64_t{rounds} * kTileRows * kColumns * kTokenTile;
}
