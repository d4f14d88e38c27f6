#include "tern/quant/ternary_view.hpp"

#include <catch2/catch.hpp>
#include <limits>

using namespace tern;

TEST_CASE("packed sizes follow from whole blocks of 64 bytes") {
  CHECK(packed_bytes(Packing::t2, 16, 16) == 64);
  CHECK(packed_bytes(Packing::t2, 17, 17) == 4 * 64);
  CHECK(packed_bytes(Packing::t5, 16, 20) == 64);
  CHECK(packed_bytes(Packing::t5, 2560, 2560) == 160 * 128 * 64);
  CHECK(packed_bytes(Packing::t2r, 3, 257) == 3 * 128);
  CHECK(packed_bytes(Packing::t5r, 3, 320) == 3 * 64);
  CHECK(packed_bytes(Packing::t2c, 257, 3) == 3 * 128);
  CHECK(packed_bytes(Packing::t5c, 320, 3) == 3 * 64);
}

TEST_CASE("the largest dimensions give a size or nothing, never a wrapped one") {
  const uint32_t most = std::numeric_limits<uint32_t>::max();
  const uint64_t tiles = uint64_t{1} << 28;  // of 16 rows, and as many column blocks
  CHECK(packed_bytes(Packing::t2, most, most) == tiles * tiles * 64);
}

TEST_CASE("a row has as many groups as its columns begin, and one without groups") {
  TernaryView view;
  view.cols = 257;
  CHECK(view.n_groups() == 1);
  view.group_cols = 256;
  CHECK(view.n_groups() == 2);
  view.cols = 256;
  CHECK(view.n_groups() == 1);
  view.group_cols = 32;
  CHECK(view.n_groups() == 8);
  view.cols = std::numeric_limits<uint32_t>::max();
  CHECK(view.n_groups() == size_t{1} << 27);
}
