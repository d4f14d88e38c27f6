// Sums over T2 and T5 tiles: a block's digits meet four broadcast activations each
// (docs/numerics.md 4). Included inside a kernel region after trit_digits.inl.hpp and
//
//   kMostPlanes             planes of activations in one pass over a tile, a power of two: as many
//                           VS as leave registers for the digits
//   kPrefetchBytes          how far ahead of the block the weights are prefetched
//
// Fewer planes than kMostPlanes use its sums as parallel chains.

// acc[p][row] = sum over the blocks of u * plane p from `column` on.
template <typename Code, size_t kPlanes>
static inline void accumulate(const uint8_t* blocks, size_t n_blocks, const int8_t* const* planes,
                              size_t column, VI* acc) {
  constexpr size_t kChains = kMostPlanes / kPlanes;
  constexpr size_t kRun = kDotsInSum / Code::kDigits;
  for (size_t p = 0; p < kPlanes; ++p) acc[p] = vi_zero();
  for (size_t b = 0; b < n_blocks;) {
    const size_t end = n_blocks - b < kRun ? n_blocks : b + kRun;
    VS sums[kPlanes][kChains];
#pragma GCC unroll 16
    for (size_t i = 0; i < kMostPlanes; ++i) sums[i / kChains][i % kChains] = vs_zero();
    for (; b < end; ++b) {
      const uint8_t* block = blocks + kTritBlockBytes * b;
      prefetch(block + kPrefetchBytes);
      const size_t at = column + TritTiles<Code>::kBlockCols * b;
      VB state = vb_open<Code>(vi_load(block));
#pragma GCC unroll 5
      for (size_t d = 0; d < Code::kDigits; ++d) {
        const VB u = vb_digit<Code>(&state);
#pragma GCC unroll 16
        for (size_t p = 0; p < kPlanes; ++p) {
          VS& sum = sums[p][d % kChains];
          sum = vs_dot(sum, u, vb_broadcast4(planes[p] + at + 4 * d));
        }
      }
    }
#pragma GCC unroll 16
    for (size_t i = 0; i < kMostPlanes; ++i) {
      acc[i / kChains] = vi_add_sums(acc[i / kChains], sums[i / kChains][i % kChains]);
    }
  }
}

// The sum of 16 * n_blocks activations.
static inline int32_t column_sum(const int8_t* q, size_t n_blocks) {
  VI sum = vi_zero();
  for (size_t b = 0; b < n_blocks; ++b) sum = vi_add(sum, vi_load_i8(q + 16 * b));
  return vi_reduce_add(sum);
}
