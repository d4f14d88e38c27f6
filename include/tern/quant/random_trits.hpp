// Random packed matrices, the same on every machine: for benchmarks, tests and models of a shape.
//
// Room: quant. Bytes are drawn, not trits: a T5 byte is a random byte brought to the nearest one
// below that an encoder writes, so that 243 values are about equally likely; a T2 byte is drawn
// again where it holds code 3, and after three draws a zero trit. Both come to about a third of
// zero trits, at more than a gigabyte a second. Padding is zero trits, as in every packed matrix.
#pragma once

#include <cstring>

#include "tern/quant/ternary_view.hpp"

TERN_NAMESPACE_BEGIN

/// The SplitMix64 generator: a counter and a mixing function, so any two seeds give streams apart.
class SplitMix {
 public:
  explicit constexpr SplitMix(uint64_t seed) : state_(seed) {}
  constexpr uint64_t next() {
    state_ += 0x9E3779B97F4A7C15;  // 2^64 / golden ratio
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }

 private:
  uint64_t state_;
};

/// A packed matrix as stretches of equal size that no two units of work share: its row tiles, or
/// its lines.
struct PackedRuns {
  size_t n = 0;
  size_t bytes = 0;  ///< of each, one behind the other
};

/// Requires: packed_bytes(packing, rows, cols) fits the machine.
constexpr PackedRuns packed_runs(Packing packing, uint32_t rows, uint32_t cols) {
  const size_t lines = is_columns(packing) ? cols : rows;
  const size_t length = is_columns(packing) ? rows : cols;
  if (is_rows(packing) || is_columns(packing)) {
    const size_t blocks = is_five(packing) ? T5Lines::blocks(length) : T2Lines::blocks(length);
    return {lines, blocks * kTritBlockBytes};
  }
  return {T2Tiles::row_tiles(rows),
          is_five(packing) ? T5Tiles::tile_bytes(cols) : T2Tiles::tile_bytes(cols)};
}

namespace detail {

/// Random bytes of a code that only an encoder's bytes are in. Requires: n a multiple of 8.
template <typename Code>
void fill_random_bytes(SplitMix& random, size_t n, uint8_t* bytes) {
  for (size_t at = 0; at < n; at += sizeof(uint64_t)) {
    uint64_t word = random.next();
    if constexpr (Code::kDigits == 4) {
      constexpr uint64_t kLowBits = 0x5555555555555555;
      for (int draw = 0; draw < 2; ++draw) {
        const uint64_t threes = word & (word >> 1) & kLowBits;
        const uint64_t again = 3 * threes;  // both bits of every code 3
        word = (word & ~again) | (random.next() & again);
      }
      const uint64_t threes = word & (word >> 1) & kLowBits;
      word ^= 2 * threes;  // 3 becomes 1, the zero trit
    }
    std::memcpy(bytes + at, &word, sizeof(word));
  }
  if constexpr (Code::kDigits == 5) {
    for (size_t i = 0; i < n; ++i) {
      const uint32_t q = bytes[i] * 243u >> 8;
      bytes[i] = static_cast<uint8_t>((256 * q + 242) / 243);
    }
  }
}

/// The byte with the digits from `first` on as zero trits.
template <typename Code>
uint8_t without_digits(uint8_t byte, size_t first) {
  uint8_t digits[Code::kDigits];
  Code::decode(byte, digits, 1);
  for (size_t k = first; k < Code::kDigits; ++k) digits[k] = kZeroTrit;
  return Code::encode(digits, 1);
}

/// Clears what lies behind the first n elements of a block whose byte b holds elements b, b + step,
/// b + 2 * step, ...
template <typename Code>
void clear_behind(uint8_t* bytes, size_t step, size_t n) {
  for (size_t b = 0; b < step; ++b) {
    const size_t kept = n > b ? (n - b + step - 1) / step : 0;
    if (kept < Code::kDigits) bytes[b] = without_digits<Code>(bytes[b], kept);
  }
}

template <typename Code>
void fill_random_line(SplitMix& random, size_t length, size_t bytes, uint8_t* line) {
  constexpr size_t kElems = TritLines<Code>::kBlockElems;
  fill_random_bytes<Code>(random, bytes, line);
  if (length % kElems == 0) return;
  clear_behind<Code>(line + length / kElems * kTritBlockBytes, kTritBlockBytes, length % kElems);
}

template <typename Code>
void fill_random_tile(SplitMix& random, size_t n_rows, size_t cols, size_t bytes, uint8_t* tile) {
  using Tiles = TritTiles<Code>;
  fill_random_bytes<Code>(random, bytes, tile);
  if (cols % Tiles::kBlockCols != 0) {
    uint8_t* last = tile + cols / Tiles::kBlockCols * kTritBlockBytes;
    for (size_t row = 0; row < kTileRows; ++row) {
      clear_behind<Code>(last + 4 * row, 4, cols % Tiles::kBlockCols);
    }
  }
  for (size_t row = n_rows; row < kTileRows; ++row) Tiles::clear_row(cols, row, tile);
}

}  // namespace detail

/// Fills run `run` of a matrix whose bytes start at `data`; runs are independent of each other.
/// Requires: run < packed_runs(...).n; `data` of packed_bytes(). Threads: any, on different runs.
inline void fill_random_run(Packing packing, uint32_t rows, uint32_t cols, uint64_t seed,
                            size_t run, uint8_t* data) {
  const PackedRuns runs = packed_runs(packing, rows, cols);
  TERN_ASSERT(run < runs.n);
  SplitMix random(SplitMix(seed ^ SplitMix(run).next()).next());
  uint8_t* at = data + run * runs.bytes;
  if (is_rows(packing) || is_columns(packing)) {
    const size_t length = is_columns(packing) ? rows : cols;
    if (is_five(packing)) return detail::fill_random_line<T5Code>(random, length, runs.bytes, at);
    return detail::fill_random_line<T2Code>(random, length, runs.bytes, at);
  }
  const size_t left = rows - run * kTileRows;
  const size_t n_rows = left < kTileRows ? left : kTileRows;
  if (is_five(packing)) {
    detail::fill_random_tile<T5Code>(random, n_rows, cols, runs.bytes, at);
  } else {
    detail::fill_random_tile<T2Code>(random, n_rows, cols, runs.bytes, at);
  }
}

/// Fills a whole matrix; the bytes of all its runs. Shapes: data [packed_bytes()].
inline void fill_random_packed(Packing packing, uint32_t rows, uint32_t cols, uint64_t seed,
                               uint8_t* data) {
  const PackedRuns runs = packed_runs(packing, rows, cols);
  for (size_t run = 0; run < runs.n; ++run) fill_random_run(packing, rows, cols, seed, run, data);
}

TERN_NAMESPACE_END
