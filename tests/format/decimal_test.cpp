// Decimal numbers: every double comes back from its digits, and what lies between two goes to the
// nearer one.
#include "tern/format/decimal.hpp"

#include <catch2/catch.hpp>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

namespace {

using tern::parse_decimal;

uint64_t bits_of(double value) { return std::bit_cast<uint64_t>(value); }

// The C library rounds exactly, too.
void check(const std::string& text) {
  INFO(text);
  const double expected = std::strtod(text.c_str(), nullptr);
  const auto value = parse_decimal(text);
  if (expected - expected != 0) {
    CHECK_FALSE(value);
    return;
  }
  REQUIRE(value);
  CHECK(bits_of(*value) == bits_of(expected));
}

TEST_CASE("decimals that are hard to round") {
  for (const char* text : {"0",
                           "-0",
                           "0e64",
                           "-0.0e99",
                           "1e22",
                           "1e23",
                           "9007199254740993",
                           "184467440737095516158",
                           "0.00184467440737095516158",
                           "1.7976931348623157e308",
                           "1.7976931348623158e308",
                           "1.7976931348623159e308",
                           "4.9e-324",
                           "2.4703282292062327e-324",
                           "2.4703282292062328e-324",
                           "2.2250738585072011e-308",
                           "2.2250738585072014e-308",
                           "1e999",
                           "1e-999",
                           "-1e-400",
                           "123456789012345678901234567890e-10",
                           "100000000000000000000000000000000000e-35",
                           "1e18446744073709551616",
                           "1E-18446744073709551616"}) {
    check(text);
  }
  check("0." + std::string(2000, '0') + "1e2001");
  check(std::string(2000, '1') + "e-1990");
}

TEST_CASE("every double comes back from its digits") {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20000; ++i) {
    const double value = std::bit_cast<double>(static_cast<uint64_t>(random()));
    if (value - value != 0) continue;
    char text[64];
    std::snprintf(text, sizeof(text), "%.*e", static_cast<int>(random() % 20), value);
    check(text);
  }
}

TEST_CASE("the middle between two doubles goes to the even one, and its neighbours do not") {
  std::mt19937_64 random(8);
  for (int i = 0; i < 300; ++i) {
    // (2 m + 1) * 2^-k = (2 m + 1) * 5^k * 10^-k
    std::string digits = std::to_string(uint64_t{1} << 53 | random() >> 11 | 1);
    const unsigned k = 1 + static_cast<unsigned>(random() % 300);
    for (unsigned j = 0; j < k; ++j) {
      unsigned carry = 0;
      for (size_t at = digits.size(); at-- > 0;) {
        carry += static_cast<unsigned>(digits[at] - '0') * 5;
        digits[at] = static_cast<char>('0' + carry % 10);
        carry /= 10;
      }
      if (carry != 0) digits.insert(digits.begin(), static_cast<char>('0' + carry));
    }
    check(digits + "e-" + std::to_string(k));
    check(digits + "1e-" + std::to_string(k + 1));
    --digits.back();
    check(digits + "9e-" + std::to_string(k + 1));
  }
}

}  // namespace
