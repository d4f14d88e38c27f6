// Trits of any packing as bytes u for the matrix kernel: each unit of rows becomes byte tiles
// [tile of the unit][column / 4][16 rows][4 columns], a block of columns at a time.
// Included inside a kernel region after trit_digits.inl.hpp. Blocks begin and end where the digits
// of bytes do in every packing: 1280 is a multiple of 16, 20, 256 and 320.

constexpr size_t kColumnBlock = 1280;     // of tiles and rows: 20 KiB of one tile stay in L1
constexpr size_t kUnitColumnBlock = 512;  // of columns: 160 KiB of twenty tiles stay in L2
constexpr size_t kUnitTiles = T5Lines::kBlockElems / kTileRows;  // the most tiles of a unit
constexpr size_t kScratchBytes = kUnitTiles * kTileRows * kUnitColumnBlock;
static_assert(kTileRows * kColumnBlock <= kScratchBytes);

static inline size_t column_block(Packing packing) {
  return is_columns(packing) ? kUnitColumnBlock : kColumnBlock;
}

// A tile's digits are byte tiles already. Requires: begin a multiple of kColumnBlock.
template <typename Code>
static void unpack_tiles(const TernaryView& w, size_t unit, size_t begin, size_t count,
                         uint8_t* out) {
  using Tiles = TritTiles<Code>;
  const size_t first = unit * Tiles::col_blocks(w.cols) + begin / Tiles::kBlockCols;
  const uint8_t* block = w.data + first * kTritBlockBytes;
  for (size_t c = 0; c < count; c += Tiles::kBlockCols, block += kTritBlockBytes) {
    prefetch(block + kPrefetchBytes);
    VB state = vb_open<Code>(vi_load(block));
#pragma GCC unroll 5
    for (size_t d = 0; d < Code::kDigits; ++d, out += kTritBlockBytes) {
      vi_store(out, vb_digit<Code>(&state));
    }
  }
}

// Digits of sixteen lines are sixteen times four columns of each row: transposed, they are tiles.
template <typename Code>
static void unpack_rows(const TernaryView& w, size_t unit, size_t begin, size_t count,
                        uint8_t* out) {
  using Lines = TritLines<Code>;
  const size_t line_bytes = Lines::blocks(w.cols) * kTritBlockBytes;
  for (size_t c = begin; c < begin + count; c += Lines::kBlockElems) {
    VB state[kTileRows];
    for (size_t r = 0; r < kTileRows; ++r) {
      const size_t row = unit * kTileRows + r;
      const size_t line =
          row < w.rows ? row : w.rows - 1;  // rows that are not there are not stored
      const size_t block = c / Lines::kBlockElems * kTritBlockBytes;
      state[r] = vb_open<Code>(vi_load(w.data + line * line_bytes + block));
    }
    for (size_t d = 0; d < Code::kDigits; ++d) {
      VB u[kTileRows];
      for (size_t r = 0; r < kTileRows; ++r) u[r] = vb_digit<Code>(&state[r]);
      vi_transpose16(u);
      for (size_t i = 0; i < 16; ++i, out += kTritBlockBytes) vi_store(out, u[i]);
    }
  }
}

// Interleaved columns are four columns of 64 rows for each digit: four tiles.
template <typename Code>
static void unpack_columns(const TernaryView& w, size_t unit, size_t begin, size_t count,
                           uint8_t* out) {
  constexpr size_t kAhead = 16;  // columns; their blocks lie a line apart
  const size_t line_bytes = w.n_units() * kTritBlockBytes;
  const uint8_t* unit_data = w.data + unit * kTritBlockBytes;
  for (size_t c = 0; c < count; c += 4) {
    VB four[4], quads[4];
    for (size_t i = 0; i < 4; ++i) {
      const size_t column = begin + c + i;
      const size_t line = column < w.cols ? column : w.cols - 1;  // their activations are zero
      four[i] = vi_load(unit_data + line * line_bytes);
      prefetch(unit_data + (line + kAhead) * line_bytes);
    }
    vb_interleave4(four, quads);
#pragma GCC unroll 4
    for (size_t q = 0; q < 4; ++q) quads[q] = vb_open<Code>(quads[q]);
    for (size_t d = 0; d < Code::kDigits; ++d) {
      VB tiles[4];
#pragma GCC unroll 4
      for (size_t q = 0; q < 4; ++q) tiles[q] = vb_digit<Code>(&quads[q]);
      vi_transpose4(tiles);
#pragma GCC unroll 4
      for (size_t j = 0; j < 4; ++j) {
        vi_store(out + ((4 * d + j) * kUnitColumnBlock + c) * kTileRows, tiles[j]);
      }
    }
  }
}

using UnpackUnit = void (*)(const TernaryView&, size_t unit, size_t begin, size_t count,
                            uint8_t* out);
// By Packing.
constexpr UnpackUnit kUnpackUnit[] = {unpack_tiles<T2Code>,   unpack_tiles<T5Code>,
                                      unpack_rows<T2Code>,    unpack_rows<T5Code>,
                                      unpack_columns<T2Code>, unpack_columns<T5Code>};
