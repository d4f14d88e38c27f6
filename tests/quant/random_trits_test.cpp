#include "tern/quant/random_trits.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "support/trit_samples.hpp"
#include "tern/quant/trit_packer.hpp"

using namespace tern;
using tern_test::kPackings;

namespace {

TernaryView random_matrix(Packing packing, uint32_t rows, uint32_t cols, uint64_t seed,
                          std::vector<uint8_t>& bytes) {
  bytes.assign(*packed_bytes(packing, rows, cols), 0xA5);
  fill_random_packed(packing, rows, cols, seed, bytes.data());
  TernaryView w;
  w.data = bytes.data();
  w.rows = rows;
  w.cols = cols;
  w.packing = packing;
  return w;
}

}  // namespace

TEST_CASE("random matrices are what packing their own trits gives, padding included") {
  for (const Packing packing : kPackings) {
    for (const uint32_t rows : {1u, 31u, 333u}) {
      for (const uint32_t cols : {1u, 47u, 320u, 399u}) {
        INFO(static_cast<int>(packing) << ": " << rows << " x " << cols);
        std::vector<uint8_t> bytes;
        const TernaryView w = random_matrix(packing, rows, cols, 5, bytes);
        std::vector<uint8_t> u(size_t{rows} * cols);
        for (uint32_t row = 0; row < rows; ++row) unpack_row(w, row, u.data() + size_t{row} * cols);
        for (const uint8_t value : u) REQUIRE(value <= 2);
        std::vector<uint8_t> packed(bytes.size());
        for (size_t unit = 0; unit < w.n_units(); ++unit) {
          pack_unit(w, packed.data(), unit, u.data() + rows_of_unit(w, unit).begin * cols);
        }
        CHECK(packed == bytes);
      }
    }
  }
}

TEST_CASE("about a third of random trits is zero, and as many are positive as negative") {
  for (const Packing packing : kPackings) {
    std::vector<uint8_t> bytes;
    const TernaryView w = random_matrix(packing, 320, 1280, 1, bytes);
    size_t counts[3] = {};
    std::vector<uint8_t> u(w.cols);
    for (uint32_t row = 0; row < w.rows; ++row) {
      unpack_row(w, row, u.data());
      for (const uint8_t value : u) ++counts[value];
    }
    const double n = 320 * 1280;
    CHECK(static_cast<double>(counts[1]) / n == Approx(0.34).margin(0.015));
    CHECK(static_cast<double>(counts[0]) / n == Approx(0.33).margin(0.015));
    CHECK(static_cast<double>(counts[2]) / n == Approx(0.33).margin(0.015));
  }
}

TEST_CASE("a seed gives the same bytes always, another seed and another run other ones") {
  std::vector<uint8_t> first, second, third;
  random_matrix(Packing::t5, 32, 320, 7, first);
  random_matrix(Packing::t5, 32, 320, 7, second);
  random_matrix(Packing::t5, 32, 320, 8, third);
  CHECK(first == second);
  CHECK(first != third);
  CHECK_FALSE(std::equal(first.begin(), first.begin() + 1024, first.begin() + 1024));
  // Published models of a seed rest on these bytes.
  CHECK(SplitMix(0).next() == 0xE220A8397B1DCDAF);
  const std::vector<uint8_t> start(first.begin(), first.begin() + 8);
  CHECK(start == std::vector<uint8_t>{154, 200, 73, 56, 200, 202, 108, 78});
}
