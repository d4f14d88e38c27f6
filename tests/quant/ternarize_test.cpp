#include "tern/quant/ternarize.hpp"

#include <bit>
#include <catch2/catch.hpp>
#include <limits>
#include <vector>

using namespace tern;

namespace {

std::vector<uint32_t> bits_of(const std::vector<float>& values) {
  std::vector<uint32_t> bits;
  for (const float value : values) bits.push_back(std::bit_cast<uint32_t>(value));
  return bits;
}

struct Ternarized {
  Status status;
  std::vector<uint8_t> u;
  uint32_t scale_bits = 0x12345678;
};
Ternarized ternarized(const std::vector<float>& values) {
  const auto bits = bits_of(values);
  Ternarized result{Status::ok, std::vector<uint8_t>(values.size())};
  result.status = ternarize_group<TensorType::f32>(reinterpret_cast<const uint8_t*>(bits.data()),
                                                   bits.size(), result.u.data(), result.scale_bits);
  return result;
}

struct Collapsed {
  ScalePlan plan;
  std::vector<float> scales;
};
Collapsed collapsed(const std::vector<float>& read, size_t rows, size_t cols, size_t group_cols) {
  const auto bits = bits_of(read);
  const ScaleGrid grid{bits.data(), rows, cols, group_cols};
  REQUIRE(read.size() == rows * grid.groups_per_row());
  Collapsed result{plan_scales(grid), {}};
  result.scales.resize(scale_count(result.plan, rows, cols));
  collapse_scales(grid, result.plan, result.scales.data());
  return result;
}

}  // namespace

TEST_CASE("values of one magnitude become trits and that magnitude") {
  const float g = 0.4725f;
  const auto row = ternarized({g, 0.0f, -0.0f, -g});
  CHECK(row.status == Status::ok);
  CHECK(row.u == std::vector<uint8_t>{2, 1, 1, 0});
  CHECK(row.scale_bits == std::bit_cast<uint32_t>(g));
}

TEST_CASE("a group of zeros of either sign has the wildcard scale") {
  const auto row = ternarized({0.0f, -0.0f, 0.0f});
  CHECK(row.status == Status::ok);
  CHECK(row.u == std::vector<uint8_t>{1, 1, 1});
  CHECK(row.scale_bits == kWildcardScale);
}

TEST_CASE("a subnormal magnitude is a magnitude like any other") {
  const float tiny = std::numeric_limits<float>::denorm_min();
  const auto row = ternarized({-tiny, 0.0f, tiny});
  CHECK(row.status == Status::ok);
  CHECK(row.u == std::vector<uint8_t>{0, 1, 2});
  CHECK(row.scale_bits == 1);
}

TEST_CASE("magnitudes that differ by one bit are not ternary") {
  const float g = 0.5f;
  const float next = std::bit_cast<float>(std::bit_cast<uint32_t>(g) + 1);
  CHECK(ternarized({g, -next}).status == Status::not_ternary);
  CHECK(ternarized({next, -g}).status == Status::not_ternary);
  CHECK(ternarized({g, 0.0f, std::numeric_limits<float>::denorm_min()}).status ==
        Status::not_ternary);
}

TEST_CASE("infinities and NaNs are refused wherever they stand") {
  const float inf = std::numeric_limits<float>::infinity();
  for (const float bad : {inf, -inf, std::numeric_limits<float>::quiet_NaN()}) {
    CHECK(ternarized({bad, bad}).status == Status::malformed);
    CHECK(ternarized({1.0f, bad}).status == Status::malformed);
    CHECK(ternarized({bad, 0.0f}).status == Status::malformed);
  }
}

TEST_CASE("half floats are compared by their own bits and the scale is widened") {
  // f16: 2^-24, 0, -2^-24, -0; then one bit more.
  uint8_t halves[8] = {0x01, 0x00, 0x00, 0x00, 0x01, 0x80, 0x00, 0x80};
  uint8_t u[4] = {};
  uint32_t scale = 0;
  REQUIRE(ternarize_group<TensorType::f16>(halves, 4, u, scale) == Status::ok);
  CHECK(std::vector<uint8_t>(u, u + 4) == std::vector<uint8_t>{2, 1, 0, 1});
  CHECK(scale == std::bit_cast<uint32_t>(5.9604644775390625e-8f));
  halves[4] = 0x02;
  CHECK(ternarize_group<TensorType::f16>(halves, 4, u, scale) == Status::not_ternary);
  halves[5] = 0xFC;
  CHECK(ternarize_group<TensorType::f16>(halves, 4, u, scale) == Status::malformed);
  // The same bytes 0xFC02 are a finite bfloat16, 0xFF80 an infinite one.
  halves[0] = 0x02, halves[1] = 0x7C;
  REQUIRE(ternarize_group<TensorType::bf16>(halves, 4, u, scale) == Status::ok);
  CHECK(scale == 0x7C020000u);
  halves[4] = 0x80, halves[5] = 0xFF;
  CHECK(ternarize_group<TensorType::bf16>(halves, 4, u, scale) == Status::malformed);
}

TEST_CASE("a negative file scale negates the trits") {
  std::vector<uint8_t> u = {0, 1, 2, 2};
  uint32_t scale = 0;
  REQUIRE(canonicalize_group(std::bit_cast<uint32_t>(-2.0f), 4, u.data(), scale) == Status::ok);
  CHECK(u == std::vector<uint8_t>{2, 1, 0, 0});
  CHECK(scale == std::bit_cast<uint32_t>(2.0f));
}

TEST_CASE("a zero file scale of either sign zeroes the trits") {
  for (const float zero : {0.0f, -0.0f}) {
    std::vector<uint8_t> u = {0, 1, 2, 2};
    uint32_t scale = 7;
    REQUIRE(canonicalize_group(std::bit_cast<uint32_t>(zero), 4, u.data(), scale) == Status::ok);
    CHECK(u == std::vector<uint8_t>{1, 1, 1, 1});
    CHECK(scale == kWildcardScale);
  }
}

TEST_CASE("the scale of a group without a nonzero trit is forgotten, but must be finite") {
  std::vector<uint8_t> u = {1, 1};
  uint32_t scale = 7;
  REQUIRE(canonicalize_group(std::bit_cast<uint32_t>(3.0f), 2, u.data(), scale) == Status::ok);
  CHECK(scale == kWildcardScale);
  CHECK(canonicalize_group(0x7F800000u, 2, u.data(), scale) == Status::malformed);
  CHECK(canonicalize_group(0xFFC00000u, 2, u.data(), scale) == Status::malformed);
}

TEST_CASE("scales that all agree collapse to one, wildcards agreeing with everything") {
  const auto one = collapsed({2, 0, 2, 2, 0, 0}, 2, 96, 32);
  CHECK(one.plan == ScalePlan{ScaleKind::tensor, 0});
  CHECK(one.scales == std::vector<float>{2});
  const auto none = collapsed({0, 0}, 2, 32, 32);
  CHECK(none.plan == ScalePlan{ScaleKind::tensor, 0});
  CHECK(none.scales == std::vector<float>{0});
}

TEST_CASE("rows that agree in themselves get a scale each") {
  const auto rows = collapsed({2, 0, 3, 3, 0, 0}, 3, 64, 32);
  CHECK(rows.plan == ScalePlan{ScaleKind::row, 0});
  CHECK(rows.scales == std::vector<float>{2, 3, 0});
}

TEST_CASE("other scales stay in groups of the widest width that fits") {
  // 10 groups of 32 columns: one of 256 and a cut one of 64.
  const std::vector<float> wide = {2, 2, 0, 2, 2, 2, 2, 2, 3, 3};
  const auto by_256 = collapsed(wide, 1, 320, 32);
  CHECK(by_256.plan == ScalePlan{ScaleKind::group, 256});
  CHECK(by_256.scales == std::vector<float>{2, 3});

  const auto by_128 = collapsed({2, 2, 2, 2, 3, 3, 3, 3, 4, 0}, 1, 320, 32);
  CHECK(by_128.plan == ScalePlan{ScaleKind::group, 128});
  CHECK(by_128.scales == std::vector<float>{2, 3, 4});

  const auto by_64 = collapsed({2, 2, 3, 3, 3, 3, 2, 2, 2, 0}, 1, 300, 32);
  CHECK(by_64.plan == ScalePlan{ScaleKind::group, 64});
  CHECK(by_64.scales == std::vector<float>{2, 3, 3, 2, 2});

  const auto by_32 = collapsed({2, 2, 3, 4, 5, 5}, 2, 96, 32);
  CHECK(by_32.plan == ScalePlan{ScaleKind::group, 32});
  CHECK(by_32.scales == std::vector<float>{2, 2, 3, 4, 5, 5});

  const auto blocks = collapsed({2, 3, 3, 2}, 2, 512, 256);
  CHECK(blocks.plan == ScalePlan{ScaleKind::group, 256});
  CHECK(blocks.scales == std::vector<float>{2, 3, 3, 2});
}

TEST_CASE("a scale for a whole row of any width never becomes groups") {
  const auto rows = collapsed({2, 3}, 2, 100, 100);
  CHECK(rows.plan == ScalePlan{ScaleKind::row, 0});
  CHECK(rows.scales == std::vector<float>{2, 3});
}
