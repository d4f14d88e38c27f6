// Rows in planes: the logits of int8 rows, bit for bit; sums and bounds of every table are
// scalar's, and every bound holds.
#include <algorithm>

#include "kernels/kernel_cases.hpp"
#include "tern/quant/plane_codec.hpp"

using namespace tern_test;
using tern::KernelTable;
using tern::TensorType;

namespace {

enum class Levels { random, least, most, small };

struct Planes {
  size_t k, n_rows;
  std::vector<int8_t> codes;
  std::vector<uint8_t> bytes;
  std::vector<float> units, rests;

  Planes(Levels kind, size_t columns, size_t rows)
      : k(columns),
        n_rows(rows),
        codes(k * rows),
        bytes(*tern::planes_bytes(k, rows)),
        units(values(Values::ordinary, rows, k)) {
    SampleRandom random(k + rows);
    for (int8_t& code : codes) {
      code = kind == Levels::random  ? static_cast<int8_t>(random.next())
             : kind == Levels::least ? int8_t{-128}
             : kind == Levels::most  ? int8_t{127}
                                     : static_cast<int8_t>(random.below(5)) - 2;
    }
    for (float& unit : units) unit = std::abs(unit);
    const KernelTable scalar = scalar_kernels();
    for (size_t r = 0; r < rows; ++r) {
      const int8_t* row = codes.data() + r * k;
      tern::store_plane_row(row, k, r, bytes.data());
      for (size_t known = 1; known < tern::kPlanes; ++known) {
        rests.push_back(scalar.plane_norm(tern::plane_rest_squares(row, k, known)));
      }
    }
  }
  tern::HeadView stored(const uint8_t* data) const {
    return {TensorType::i8_planes, data, tern::planes_row_bytes(k), k, units.data(), 0,
            rests.data()};
  }
  tern::HeadView plain() const {
    return {TensorType::i8, reinterpret_cast<const uint8_t*>(codes.data()), k, k, units.data()};
  }
};

struct Activations {
  size_t stride, n;
  GuardedBuffer<int8_t> high, low;
  std::vector<tern::QuantizedToken> tokens;

  Activations(Values kind, size_t k, size_t n_tokens)
      : stride(tern::activation_stride(k)), n(n_tokens), high(n * stride), low(n * stride) {
    for (size_t t = 0; t < n; ++t) {
      const auto x = values(kind, k, k + t);
      tokens.push_back(scalar_kernels().quantize_i16(x.data(), k, high.data() + t * stride,
                                                     low.data() + t * stride, stride));
    }
  }
  tern::ActivationView view() const { return {high.data(), low.data(), tokens.data(), stride, n}; }
};

constexpr size_t kRows = tern::kPlaneRows + 21;  // a block and a part of one
constexpr size_t kColumns[] = {1, 31, 128, 129, 300, 2560, 8192, 8320, 9000};

}  // namespace

TEST_CASE("Rows in planes give the logits and the values of int8 rows") {
  for (const size_t k : kColumns) {
    for (const Levels kind : {Levels::random, Levels::least, Levels::most}) {
      const Planes planes(kind, k, kRows);
      const GuardedBuffer<uint8_t> bytes(planes.bytes);
      const Activations a(k % 2 == 0 ? Values::ordinary : Values::ties, k, 3);
      for (const KernelTable& table : runnable_kernels()) {
        INFO(table.isa << ", k = " << k);
        for (const auto& [begin, end] : {std::pair{size_t{0}, kRows},
                                         {size_t{5}, size_t{6}},
                                         {tern::kPlaneRows - 1, kRows},
                                         {tern::kPlaneRows, tern::kPlaneRows + 16}}) {
          std::vector<float> expected(a.n * kRows), logits(a.n * kRows);
          table.head_rows(planes.plain(), {nullptr, 0, a.view()}, begin, end, expected.data(),
                          kRows);
          table.head_rows(planes.stored(bytes.data()), {nullptr, 0, a.view()}, begin, end,
                          logits.data(), kRows);
          CHECK(std::memcmp(expected.data(), logits.data(), logits.size() * sizeof(float)) == 0);
        }
        std::vector<float> row(k), plain(k);
        table.decode_row(planes.stored(bytes.data()), kRows - 1, row.data());
        table.decode_row(planes.plain(), kRows - 1, plain.data());
        CHECK(row == plain);
      }
    }
  }
}

TEST_CASE("Sums over planes are scalar's, of rows in order and of listed ones") {
  for (const size_t k : kColumns) {
    const Planes planes(Levels::random, k, kRows);
    const GuardedBuffer<uint8_t> bytes(planes.bytes);
    const Activations a(Values::ordinary, k, 1);
    std::vector<uint32_t> list;
    for (uint32_t r = 1; r < kRows; r += 1 + r % 3) list.push_back(r);
    const auto sums = [&](const KernelTable& table) {
      std::vector<double> dots(kRows, 0.5);
      for (size_t plane = 0; plane < tern::kPlanes; ++plane) {
        table.plane_dots(planes.stored(bytes.data()), plane, a.view(), nullptr, 3, kRows - 2,
                         dots.data());
        table.plane_dots(planes.stored(bytes.data()), plane, a.view(), list.data(), 1,
                         list.size() - 1, dots.data());
      }
      return dots;
    };
    const auto expected = sums(scalar_kernels());
    for (const KernelTable& table : runnable_kernels()) {
      INFO(table.isa << ", k = " << k);
      CHECK(sums(table) == expected);
    }
  }
}

TEST_CASE("A logit is between the bounds that the planes give, and narrower ones with each plane") {
  const KernelTable scalar = scalar_kernels();
  for (const Levels kind : {Levels::random, Levels::least, Levels::most, Levels::small}) {
    for (const size_t k : {size_t{1}, size_t{256}, size_t{2560}}) {
      for (const Values inputs : {Values::ordinary, Values::ties, Values::largest, Values::zeros}) {
        const Planes planes(kind, k, 40);
        const Activations a(inputs, k, 1);
        const tern::HeadView head = planes.stored(planes.bytes.data());
        std::vector<float> logits(40), lows(40), highs(40);
        scalar.head_rows(head, {nullptr, 0, a.view()}, 0, 40, logits.data(), 0);
        const double reach = scalar.plane_reach(a.view(), k, false);
        std::vector<double> dots(40);
        std::vector<float> widths(40, std::numeric_limits<float>::infinity());
        for (size_t plane = 0; plane < tern::kPlanes; ++plane) {
          scalar.plane_dots(head, plane, a.view(), nullptr, 0, 40, dots.data());
          scalar.plane_bounds(head, plane + 1, a.view(), reach, nullptr, 0, 40, dots.data(),
                              lows.data(), highs.data());
          for (size_t r = 0; r < 40; ++r) {
            INFO("k = " << k << ", plane " << plane << ", row " << r);
            CHECK(lows[r] <= logits[r]);
            CHECK(logits[r] <= highs[r]);
            // A single column can be nearer to the middle of two planes than to that of one.
            if (k > 1) CHECK_FALSE(highs[r] - lows[r] > widths[r]);
            widths[r] = highs[r] - lows[r];
          }
        }
        CHECK(lows == logits);
        CHECK(highs == logits);
      }
    }
  }
}

TEST_CASE("The code that is farthest from the middle of its planes is within their bound") {
  // Activations along what the planes leave out: the bound is met, but for its rounding.
  const KernelTable scalar = scalar_kernels();
  constexpr size_t kCols = 256;
  Planes planes(Levels::random, kCols, 1);
  std::vector<float> x(kCols);
  for (size_t i = 0; i < kCols; ++i) {
    x[i] = static_cast<float>(2 * ((planes.codes[i] + 128) & 15) - 15);
  }
  const size_t stride = tern::activation_stride(kCols);
  std::vector<int8_t> high(stride), low(stride);
  const auto token = scalar.quantize_i16(x.data(), kCols, high.data(), low.data(), stride);
  const tern::ActivationView a{high.data(), low.data(), &token, stride, 1};
  const tern::HeadView head = planes.stored(planes.bytes.data());
  double dot = 0;
  float low_bound = 0, high_bound = 0, logit = 0;
  scalar.plane_dots(head, 0, a, nullptr, 0, 1, &dot);
  scalar.plane_bounds(head, 1, a, scalar.plane_reach(a, kCols, false), nullptr, 0, 1, &dot,
                      &low_bound, &high_bound);
  scalar.head_rows(head, {nullptr, 0, a}, 0, 1, &logit, 0);
  CHECK(logit <= high_bound);
  CHECK(high_bound - logit < (high_bound - low_bound) * 1e-3f);
}
