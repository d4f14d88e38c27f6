// The limits of a table, for benchmarks: how fast it reads memory and how fast it multiplies.
// Included inside a kernel region after trit_digits.inl.hpp.

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
