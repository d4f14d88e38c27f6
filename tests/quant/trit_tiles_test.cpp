#include "tern/quant/trit_tiles.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "support/trit_samples.hpp"

using namespace tern;
using tern_test::random_u;

namespace {

// The layout as it is specified, written without the code under test.
unsigned t2_digit(uint8_t byte, size_t k) { return (byte >> (2 * k)) & 3u; }
unsigned t5_digit(uint8_t byte, size_t k) {
  unsigned power = 1;
  while (k-- > 0) power *= 3;
  return (((byte * power) & 255) * 3) >> 8;
}
template <typename Code>
unsigned specified_u(const std::vector<uint8_t>& tiles, size_t cols, size_t row, size_t col) {
  constexpr size_t kDigits = Code::kDigits;
  const size_t blocks = (cols + 4 * kDigits - 1) / (4 * kDigits);
  const size_t block = row / 16 * blocks + col / (4 * kDigits);
  const size_t in_block = col % (4 * kDigits);
  const uint8_t byte = tiles[block * 64 + row % 16 * 4 + in_block % 4];
  return kDigits == 4 ? t2_digit(byte, in_block / 4) : t5_digit(byte, in_block / 4);
}

}  // namespace

TEMPLATE_TEST_CASE("tiles hold every trit where the layout says, and zero trits in the padding", "",
                   T2Code, T5Code) {
  using Tiles = TritTiles<TestType>;
  for (const size_t rows : {1u, 15u, 16u, 17u, 33u}) {
    for (const size_t cols : {1u, 3u, 4u, 15u, 16u, 17u, 19u, 20u, 21u, 40u, 63u, 80u}) {
      CAPTURE(rows, cols);
      const auto u = random_u(rows * cols, rows * 1000 + cols);
      const size_t padded_rows = (rows + 15) / 16 * 16;
      const size_t padded_cols =
          (cols + Tiles::kBlockCols - 1) / Tiles::kBlockCols * Tiles::kBlockCols;
      REQUIRE(Tiles::bytes(rows, cols) == padded_rows * padded_cols / TestType::kDigits);
      std::vector<uint8_t> tiles(Tiles::bytes(rows, cols), 0xFF);
      for (size_t row = 0; row < rows; ++row) {
        Tiles::encode_row(u.data() + row * cols, cols, row, tiles.data());
      }
      for (size_t row = rows; row < padded_rows; ++row) Tiles::clear_row(cols, row, tiles.data());

      bool as_specified = true;
      bool as_read = true;
      for (size_t row = 0; row < padded_rows; ++row) {
        for (size_t col = 0; col < padded_cols; ++col) {
          const bool inside = row < rows && col < cols;
          const unsigned wanted = inside ? u[row * cols + col] : 1;
          as_specified &= specified_u<TestType>(tiles, cols, row, col) == wanted;
          as_read &= Tiles::get(tiles.data(), cols, row, col) == wanted;
        }
      }
      CHECK(as_specified);
      CHECK(as_read);
    }
  }
}

TEMPLATE_TEST_CASE("a block decodes at once to the rows that were encoded", "", T2Code, T5Code) {
  using Tiles = TritTiles<TestType>;
  const size_t stride = Tiles::kBlockCols + 3;
  const auto u = random_u(kTileRows * stride, 5);
  std::vector<uint8_t> block(kTritBlockBytes);
  for (size_t row = 0; row < kTileRows; ++row) {
    Tiles::encode_row(u.data() + row * stride, Tiles::kBlockCols, row, block.data());
  }
  std::vector<uint8_t> back(u.size(), 9);
  Tiles::decode_block(block.data(), back.data(), stride);
  for (size_t i = 0; i < u.size(); ++i) {
    REQUIRE(back[i] == (i % stride < Tiles::kBlockCols ? u[i] : 9));
  }
}

TEST_CASE("the first bytes of a small tile are what a reader computes by hand") {
  // One row: columns 0..15 are 0 1 2 0 1 2 ...; byte c holds columns c, c+4, c+8, c+12.
  std::vector<uint8_t> u(16);
  for (size_t i = 0; i < 16; ++i) u[i] = static_cast<uint8_t>(i % 3);
  std::vector<uint8_t> tiles(64);
  T2Tiles::encode_row(u.data(), 16, 0, tiles.data());
  CHECK(tiles[0] == 0 + 4 * 1 + 16 * 2 + 64 * 0);
  CHECK(tiles[1] == 1 + 4 * 2 + 16 * 0 + 64 * 1);
  std::vector<uint8_t> tiles5(64);
  T5Tiles::encode_row(u.data(), 16, 0, tiles5.data());
  // Digits 0 1 2 0 and a padding 1: q = 27 + 18 + 1 = 46, ceil(256 * 46 / 243) = 49.
  CHECK(tiles5[0] == 49);
}
