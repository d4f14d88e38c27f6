// Half floats by bits against the definition: every binary16, and every kind of rounding to it.
#include "tern/base/half.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>

#include "reference/naive_ops.hpp"

namespace {

/// Rounds by search among all binary16 values, half to even: slow, and shares nothing with
/// half.hpp.
uint16_t nearest_half(double x) {
  const uint16_t sign = std::signbit(x) ? 0x8000 : 0;
  const double magnitude = std::fabs(x);
  uint32_t low = 0, high = 0x7C00;  // 0x7C00 stands for 65536, the value after the largest
  const auto value = [](uint32_t bits) {
    return bits == 0x7C00 ? 65536.0 : naive::half_value(static_cast<uint16_t>(bits));
  };
  if (magnitude >= 65536.0) return sign | 0x7C00;
  while (high - low > 1) {
    const uint32_t middle = (low + high) / 2;
    (value(middle) <= magnitude ? low : high) = middle;
  }
  const double below = magnitude - value(low), above = value(high) - magnitude;
  const bool up = above < below || (above == below && (low & 1) != 0);
  return static_cast<uint16_t>(sign | (up ? high : low));
}

}  // namespace

TEST_CASE("Every binary16 becomes its exact value and comes back") {
  for (uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = tern::f32_from_f16(half);
    const double expected = naive::half_value(half);
    if (std::isnan(expected)) {
      REQUIRE(std::isnan(value));
      REQUIRE(std::isnan(tern::f32_from_f16(tern::f16_from_f32(value))));
      REQUIRE((tern::f32_bits_from_f16(half) >> 31) == bits >> 15);
      continue;
    }
    REQUIRE(static_cast<double>(value) == expected);
    REQUIRE(std::signbit(value) == std::signbit(expected));
    REQUIRE(tern::f16_from_f32(value) == half);
  }
}

TEST_CASE("Rounding to binary16 takes the nearest, ties to even") {
  // Between every two neighbours: just above the lower, around the middle, just below the upper.
  size_t wrong = 0;
  for (uint32_t bits = 0; bits <= 0x7C00; ++bits) {
    const double low = naive::half_value(static_cast<uint16_t>(bits == 0x7C00 ? 0x7BFF : bits));
    const double high =
        bits + 1 >= 0x7C00 ? 65536.0 : naive::half_value(static_cast<uint16_t>(bits + 1));
    const auto middle = static_cast<float>((low + high) / 2);
    const float candidates[] = {
        static_cast<float>(low),           std::nextafterf(static_cast<float>(low), INFINITY),
        std::nextafterf(middle, 0.0f),     middle,
        std::nextafterf(middle, INFINITY), std::nextafterf(static_cast<float>(high), 0.0f)};
    for (const float x : candidates) {
      wrong += tern::f16_from_f32(x) != nearest_half(x) ? 1 : 0;
      wrong += tern::f16_from_f32(-x) != nearest_half(-static_cast<double>(x)) ? 1 : 0;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("Rounding to binary16 overflows at 65520") {
  CHECK(tern::f16_from_f32(65504.0f) == 0x7BFF);
  CHECK(tern::f16_from_f32(65519.99f) == 0x7BFF);
  CHECK(tern::f16_from_f32(65520.0f) == 0x7C00);
  CHECK(tern::f16_from_f32(-65520.0f) == 0xFC00);
  CHECK(tern::f16_from_f32(3e38f) == 0x7C00);
  CHECK(tern::f16_from_f32(INFINITY) == 0x7C00);
  CHECK(std::isnan(tern::f32_from_f16(tern::f16_from_f32(NAN))));
  CHECK(tern::f16_from_f32(0x1p-25f) == 0);
  CHECK(tern::f16_from_f32(0x1.000002p-25f) == 1);
  CHECK(tern::f16_from_f32(-0.0f) == 0x8000);
}

TEST_CASE("Every bfloat16 is the upper half of a float") {
  for (uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    REQUIRE(tern::f32_bits_from_bf16(static_cast<uint16_t>(bits)) == bits << 16);
  }
}

TEST_CASE("Finite is what is neither infinite nor NaN") {
  for (const float x : {0.0f, -0.0f, 1e-45f, 3.4e38f}) CHECK(tern::is_finite(x));
  for (const float x : {INFINITY, -INFINITY, NAN, -NAN}) CHECK_FALSE(tern::is_finite(x));
}
