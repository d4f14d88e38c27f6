#include "tern/quant/trit_lines.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "support/trit_samples.hpp"

using namespace tern;
using tern_test::random_u;

TEMPLATE_TEST_CASE("a line holds elements b, b + 64, ... in byte b, and zero trits in the padding",
                   "", T2Code, T5Code) {
  using Lines = TritLines<TestType>;
  for (const size_t n : {1u, 63u, 64u, 65u, 255u, 256u, 257u, 319u, 320u, 321u, 1000u}) {
    CAPTURE(n);
    const auto u = random_u(n, n);
    const size_t blocks = (n + Lines::kBlockElems - 1) / Lines::kBlockElems;
    REQUIRE(Lines::blocks(n) == blocks);
    std::vector<uint8_t> line(blocks * 64, 0xFF);
    Lines::encode(u.data(), n, 1, line.data());
    bool as_specified = true;
    for (size_t byte = 0; byte < line.size(); ++byte) {
      uint8_t digits[5] = {};
      TestType::decode(line[byte], digits, 1);
      for (size_t k = 0; k < TestType::kDigits; ++k) {
        const size_t i = byte / 64 * Lines::kBlockElems + byte % 64 + 64 * k;
        as_specified &= digits[k] == (i < n ? u[i] : 1);
      }
    }
    CHECK(as_specified);
    std::vector<uint8_t> back(n, 9);
    Lines::decode(line.data(), n, 1, back.data());
    CHECK(back == u);
  }
}

TEMPLATE_TEST_CASE("columns of a matrix are the same lines, taken with a stride", "", T2Code,
                   T5Code) {
  using Lines = TritLines<TestType>;
  const size_t rows = 70;
  const size_t cols = 5;
  const auto u = random_u(rows * cols, 3);
  for (size_t col = 0; col < cols; ++col) {
    std::vector<uint8_t> column(rows);
    for (size_t row = 0; row < rows; ++row) column[row] = u[row * cols + col];
    std::vector<uint8_t> gathered(Lines::blocks(rows) * 64);
    std::vector<uint8_t> strided(Lines::blocks(rows) * 64);
    Lines::encode(column.data(), rows, 1, gathered.data());
    Lines::encode(u.data() + col, rows, cols, strided.data());
    CHECK(strided == gathered);
    std::vector<uint8_t> back(rows * cols, 9);
    Lines::decode(strided.data(), rows, cols, back.data() + col);
    for (size_t i = 0; i < back.size(); ++i) REQUIRE(back[i] == (i % cols == col ? u[i] : 9));
  }
}
