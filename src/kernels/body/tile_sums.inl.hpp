// Sums over T2 and T5 tiles: a block's digits meet four broadcast activations each
// (docs/numerics.md 4). Included inside a kernel region after trit_digits.inl.hpp and
//
//   kMostPlanes             planes of activations in one pass over a tile, a power of two: as many
//                           VS as leave registers for the digits
//   kMostPlaces             how many digits of T2 may be multiplied where they lie (1, 2, 4): u
//   times
//                           1, 4, 16, 64, in bytes and in the sums
//   kPrefetchBytes          how far ahead of the block the weights are prefetched
//
// Fewer planes than kMostPlanes use its sums for digits in their places: a sum for each place,
// which is shifted once at the end, saves shifting the digits. Bound of a sum of place i: 4^i times
// that of u, so a run has kDotsInSum / 4^i dots; int32 holds 64 * 3 * 127 a product over 65536 / 4
// columns.

// acc[p][row] = sum over the blocks of u * plane p from `column` on.
template <typename Code, size_t kPlanes>
static inline void accumulate(const uint8_t* blocks, size_t n_blocks, const int8_t* const* planes,
                              size_t column, VI* acc) {
  constexpr size_t kPlaces = kIsTwo<Code> ? at_most(kMostPlaces, kMostPlanes / kPlanes) : 1;
  constexpr size_t kDots = (Code::kDigits + kPlaces - 1) / kPlaces;  // of a sum in a block
  constexpr size_t kRun = (kDotsInSum >> (2 * (kPlaces - 1))) / kDots;
  VI totals[kPlanes][kPlaces];
#pragma GCC unroll 16
  for (size_t i = 0; i < kPlanes * kPlaces; ++i) totals[i / kPlaces][i % kPlaces] = vi_zero();
  for (size_t b = 0; b < n_blocks;) {
    const size_t end = n_blocks - b < kRun ? n_blocks : b + kRun;
    VS sums[kPlanes][kPlaces];
#pragma GCC unroll 16
    for (size_t i = 0; i < kPlanes * kPlaces; ++i) sums[i / kPlaces][i % kPlaces] = vs_zero();
    for (; b < end; ++b) {
      const uint8_t* block = blocks + kTritBlockBytes * b;
      prefetch(block + kPrefetchBytes);
      const size_t at = column + TritTiles<Code>::kBlockCols * b;
      VB state = vb_open<Code>(vi_load(block));
#pragma GCC unroll 5
      for (size_t d = 0; d < Code::kDigits; ++d) {
        const VB u = vb_digit_in_place<Code, kPlaces>(&state, d);
#pragma GCC unroll 16
        for (size_t p = 0; p < kPlanes; ++p) {
          VS& sum = sums[p][d % kPlaces];
          sum = vs_dot(sum, u, vb_broadcast4(planes[p] + at + 4 * d));
          if (kPlanes == kMostPlanes) vs_settle(&sum);
        }
      }
    }
#pragma GCC unroll 16
    for (size_t i = 0; i < kPlanes * kPlaces; ++i) {
      VI& total = totals[i / kPlaces][i % kPlaces];
      total = vi_add_sums(total, sums[i / kPlaces][i % kPlaces]);
    }
  }
  for (size_t p = 0; p < kPlanes; ++p) acc[p] = vi_sum_places<kPlaces>(totals[p]);
}

// The sum of 16 * n_blocks activations.
static inline int32_t column_sum(const int8_t* q, size_t n_blocks) {
  VI sum = vi_zero();
  for (size_t b = 0; b < n_blocks; ++b) sum = vi_add(sum, vi_load_i8(q + 16 * b));
  return vi_reduce_add(sum);
}
