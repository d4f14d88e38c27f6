#include "tern/quant/tile_packer.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "support/trit_samples.hpp"

using namespace tern;
using tern_test::random_u;

TEST_CASE("rows put in any order give the same tiles") {
  for (const Packing packing : {Packing::t2, Packing::t5}) {
    const uint32_t rows = 19;
    const uint32_t cols = 45;
    const auto u = random_u(rows * cols, 11);
    std::vector<uint8_t> forwards(*packed_bytes(packing, rows, cols), 0);
    std::vector<uint8_t> backwards(forwards.size(), 0xFF);
    const TilePacker up{forwards.data(), rows, cols, packing};
    const TilePacker down{backwards.data(), rows, cols, packing};
    for (uint32_t row = 0; row < rows; ++row) up.put_row(row, u.data() + row * cols);
    up.finish();
    down.finish();
    for (uint32_t row = rows; row-- > 0;) down.put_row(row, u.data() + row * cols);
    CHECK(forwards == backwards);
    for (uint32_t row = 0; row < 32; ++row) {
      for (uint32_t col = 0; col < cols; ++col) {
        const uint8_t wanted = row < rows ? u[row * cols + col] : kZeroTrit;
        const uint8_t got = packing == Packing::t2 ? T2Tiles::get(forwards.data(), cols, row, col)
                                                   : T5Tiles::get(forwards.data(), cols, row, col);
        REQUIRE(got == wanted);
      }
    }
  }
}
