// From every packing to the bytes that the matrix product multiplies: u of columns [begin, begin +
// count) of n_tiles tiles of sixteen rows, 1 or 2, as
//
//     [column / 4][pair of tiles][16 rows][4 columns]
//
// `begin` is a multiple of the packing's kBlockCols; what lies beyond `count` in a last block is
// written too, within kColumnBlock columns. Of a single tile the other half of the pair is left as
// it was: no row of it is kept. Included inside an AVX-512 region, after the trits.

// Columns unpacked at a time: 80 KiB, read in order from L2, which costs nothing. Fewer would stay
// in L1, but every block ends with sums going to memory and back.
constexpr size_t kColumnBlock = 2560;
constexpr size_t kPairTiles = 2;
constexpr size_t kUnpackedBytes = kPairTiles * kTileRows * kColumnBlock;

static TERN_ALWAYS_INLINE void store_unpacked(uint8_t* out, size_t column, size_t tile, VI u) {
  _mm512_storeu_si512(out + (column / 4 * kPairTiles + tile) * kTritBlockBytes, u);
}

// Tiles have the order of the result.
template <typename Trits>
struct TileUnpacker {
  static constexpr size_t kBlockCols = 4 * Trits::kDigits;
  static constexpr size_t kUnitTiles = 1;

  static size_t tile_bytes(const TernaryView& w) {
    return TritTiles<typename Trits::Code>::tile_bytes(w.cols);
  }
  static void unpack(const TernaryView& w, size_t tile, size_t n_tiles, size_t begin, size_t count,
                     uint8_t* out) {
    const Trits trits = Trits::load();
    for (size_t t = 0; t < n_tiles; ++t) {
      const uint8_t* blocks =
          w.data + (tile + t) * tile_bytes(w) + begin / kBlockCols * kTritBlockBytes;
      for (size_t c = 0; c < count; c += kBlockCols, blocks += kTritBlockBytes) {
        VI u[Trits::kDigits];
        trits.digits(load_bytes(blocks), u);
#pragma GCC unroll 5
        for (size_t d = 0; d < Trits::kDigits; ++d) store_unpacked(out, c + 4 * d, t, u[d]);
      }
    }
  }
};

// Sixteen lines of a row each: transposing their 32-bit lanes gives the bytes of a tile's block.
// The last tile may have fewer lines.
template <typename Trits>
struct RowUnpacker {
  static constexpr size_t kBlockCols = kTritBlockBytes * Trits::kDigits;
  static constexpr size_t kUnitTiles = 1;

  static size_t tile_bytes(const TernaryView& w) { return kTileRows * line_bytes(w); }
  static void unpack(const TernaryView& w, size_t tile, size_t n_tiles, size_t begin, size_t count,
                     uint8_t* out) {
    const Trits trits = Trits::load();
    for (size_t t = 0; t < n_tiles; ++t) {
      const size_t first = (tile + t) * kTileRows;
      const size_t n_rows = w.rows - first < kTileRows ? w.rows - first : kTileRows;
      const uint8_t* blocks = w.data + first * line_bytes(w) + begin / kBlockCols * kTritBlockBytes;
      for (size_t c = 0; c < count; c += kBlockCols, blocks += kTritBlockBytes) {
        VI rows[kTileRows];
        VI columns[kTileRows];
        for (size_t r = 0; r < kTileRows; ++r) {
          rows[r] = r < n_rows ? load_bytes(blocks + r * line_bytes(w)) : vi_zero();
        }
        transpose16(rows, columns);
        for (size_t j = 0; j < kTileRows; ++j) {
          VI u[Trits::kDigits];
          trits.digits(columns[j], u);
#pragma GCC unroll 5
          for (size_t d = 0; d < Trits::kDigits; ++d) {
            store_unpacked(out, c + kTritBlockBytes * d + 4 * j, t, u[d]);
          }
        }
      }
    }
  }

 private:
  static size_t line_bytes(const TernaryView& w) {
    return TritLines<typename Trits::Code>::blocks(w.cols) * kTritBlockBytes;
  }
};

// Lines of a column each: a block holds one digit of four tiles in each quarter of its bytes, and
// interleaving four columns gives what one lane multiplies. Bytes are moved first so that the lanes
// of a quarter are neighbouring rows.
template <typename Trits>
struct ColumnUnpacker {
  static constexpr size_t kBlockCols = 4;
  static constexpr size_t kUnitTiles = 4 * Trits::kDigits;

  // A line holds all tiles of a unit: the next ones are there already.
  static size_t tile_bytes(const TernaryView&) { return 0; }
  // Two tiles start at an even one, so they are in one half of the bytes, and both are there.
  static void unpack(const TernaryView& w, size_t tile, size_t, size_t begin, size_t count,
                     uint8_t* out) {
    if (tile % 4 < 2) {
      unpack_half<false>(w, tile, begin, count, out);
    } else {
      unpack_half<true>(w, tile, begin, count, out);
    }
  }

 private:
  static TERN_ALWAYS_INLINE VI load_in_order(const TernaryView& w, size_t column, size_t at) {
    if (column >= w.cols) return vi_zero();
    const VI order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const size_t line_bytes = w.n_units() * kTritBlockBytes;
    return _mm512_permutexvar_epi32(order, load_bytes(w.data + column * line_bytes + at));
  }
  template <bool kUpper>
  static void unpack_half(const TernaryView& w, size_t tile, size_t begin, size_t count,
                          uint8_t* out) {
    const Trits trits = Trits::load();
    const size_t at = tile / kUnitTiles * kTritBlockBytes;
    const size_t digit = tile % kUnitTiles / 4;
    for (size_t c = 0; c < count; c += 4) {
      const VI c0 = load_in_order(w, begin + c, at);
      const VI c1 = load_in_order(w, begin + c + 1, at);
      const VI c2 = load_in_order(w, begin + c + 2, at);
      const VI c3 = load_in_order(w, begin + c + 3, at);
      const VI low = kUpper ? _mm512_unpackhi_epi8(c0, c1) : _mm512_unpacklo_epi8(c0, c1);
      const VI high = kUpper ? _mm512_unpackhi_epi8(c2, c3) : _mm512_unpacklo_epi8(c2, c3);
      store_unpacked(out, c, 0, trits.digit(_mm512_unpacklo_epi16(low, high), digit));
      store_unpacked(out, c, 1, trits.digit(_mm512_unpackhi_epi16(low, high), digit));
    }
  }
};
