#include "tern/quant/trit_packer.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "support/trit_samples.hpp"

using namespace tern;
using tern_test::kPackings;
using tern_test::random_u;

namespace {

TernaryView shape_of(Packing packing, uint32_t rows, uint32_t cols) {
  TernaryView w;
  w.rows = rows;
  w.cols = cols;
  w.packing = packing;
  return w;
}

/// Where element i of a line of n lies, by the words of trit_lines.hpp.
uint8_t line_digit(const uint8_t* line, bool five, size_t i) {
  const size_t elems = five ? 320 : 256;
  const uint8_t byte = line[i / elems * 64 + i % elems % 64];
  const size_t k = i % elems / 64;
  return five ? T5Code::digit(byte, k) : T2Code::digit(byte, k);
}

}  // namespace

TEST_CASE("units packed in any order give every element its place, and zero trits around them") {
  struct Shape {
    uint32_t rows, cols;
  };
  for (const Packing packing : kPackings) {
    for (const Shape s : {Shape{19, 45}, {16, 80}, {1, 1}, {700, 70}, {641, 129}}) {
      INFO(static_cast<int>(packing) << ": " << s.rows << " x " << s.cols);
      const auto u = random_u(s.rows * s.cols, 11);
      TernaryView w = shape_of(packing, s.rows, s.cols);
      std::vector<uint8_t> forwards(*packed_bytes(packing, s.rows, s.cols), 0);
      std::vector<uint8_t> backwards(forwards.size(), 0xFF);
      for (size_t i = 0; i < w.n_units(); ++i) {
        const auto put = [&](std::vector<uint8_t>& data, size_t unit) {
          pack_unit(w, data.data(), unit, u.data() + rows_of_unit(w, unit).begin * s.cols);
        };
        put(forwards, i);
        put(backwards, w.n_units() - 1 - i);
      }
      CHECK(forwards == backwards);

      w.data = forwards.data();
      std::vector<uint8_t> row(s.cols);
      bool same = true;
      for (size_t r = 0; r < s.rows; ++r) {
        unpack_row(w, r, row.data());
        same &= std::equal(row.begin(), row.end(), u.begin() + r * s.cols);
      }
      CHECK(same);

      const bool five = is_five(packing);
      if (is_rows(packing) || is_columns(packing)) {
        const size_t n_lines = is_rows(packing) ? s.rows : s.cols;
        const size_t length = is_rows(packing) ? s.cols : s.rows;
        const size_t line_bytes = forwards.size() / n_lines;
        const size_t padded = line_bytes * (five ? 5 : 4);
        for (size_t l = 0; l < n_lines; ++l) {
          for (size_t i = 0; i < padded; ++i) {
            const size_t at = is_rows(packing) ? l * s.cols + i : i * s.cols + l;
            const uint8_t wanted = i < length ? u[at] : kZeroTrit;
            REQUIRE(line_digit(forwards.data() + l * line_bytes, five, i) == wanted);
          }
        }
      } else {
        const size_t block_cols = five ? 20 : 16;
        const size_t padded_cols = (s.cols + block_cols - 1) / block_cols * block_cols;
        for (size_t r = 0; r < (s.rows + 15) / 16 * 16; ++r) {
          for (size_t c = 0; c < padded_cols; ++c) {
            const uint8_t wanted = r < s.rows && c < s.cols ? u[r * s.cols + c] : kZeroTrit;
            const uint8_t got = five ? T5Tiles::get(forwards.data(), s.cols, r, c)
                                     : T2Tiles::get(forwards.data(), s.cols, r, c);
            REQUIRE(got == wanted);
          }
        }
      }
    }
  }
}

TEST_CASE("the units of a matrix cover its rows once") {
  for (const Packing packing : kPackings) {
    for (const uint32_t rows : {1u, 16u, 17u, 255u, 256u, 320u, 321u, 641u}) {
      const TernaryView w = shape_of(packing, rows, 3);
      size_t next = 0;
      for (size_t unit = 0; unit < w.n_units(); ++unit) {
        CHECK(rows_of_unit(w, unit).begin == next);
        next = rows_of_unit(w, unit).end;
        CHECK(next > rows_of_unit(w, unit).begin);
      }
      CHECK(next == rows);
    }
  }
}
