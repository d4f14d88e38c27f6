#include "tern/quant/trit.hpp"

#include <catch2/catch.hpp>
#include <vector>

using namespace tern;

TEST_CASE("the stored forms 0, 1, 2 are the trits -1, 0, +1, and code 3 counts as +2") {
  for (uint8_t u = 0; u < 4; ++u) CHECK(trit_from_u(u) == u - 1);
  for (uint8_t u = 0; u < 3; ++u) CHECK(trit_from_u(negated_u(u)) == -trit_from_u(u));
  CHECK(trit_from_u(kZeroTrit) == 0);
}

TEST_CASE("T2 puts the first code into the lowest bits") {
  const uint8_t u[4] = {2, 0, 1, 2};
  CHECK(T2Code::encode(u, 1) == 146);
  const uint8_t ones[4] = {1, 1, 1, 1};
  CHECK(T2Code::encode(ones, 1) == T2Code::kAllZeroTrits);
}

TEST_CASE("T2 decodes all 256 bytes to what their bit pairs say, and encodes them back") {
  for (unsigned byte = 0; byte < 256; ++byte) {
    uint8_t u[4] = {9, 9, 9, 9};
    T2Code::decode(static_cast<uint8_t>(byte), u, 1);
    CHECK(u[0] + 4 * u[1] + 16 * u[2] + 64 * u[3] == static_cast<int>(byte));
    for (size_t k = 0; k < 4; ++k) CHECK(T2Code::digit(static_cast<uint8_t>(byte), k) == u[k]);
    CHECK(T2Code::encode(u, 1) == byte);
  }
}

TEST_CASE("T5 stores five digits, the first most significant, as the ceiling of 256 q / 243") {
  const uint8_t u[5] = {2, 0, 1, 2, 0};  // q = 177
  CHECK(T5Code::encode(u, 1) == 187);    // 256 * 177 / 243 = 186.47
  const uint8_t ones[5] = {1, 1, 1, 1, 1};
  CHECK(T5Code::encode(ones, 1) == T5Code::kAllZeroTrits);
}

TEST_CASE("T5 encodes and decodes all 243 combinations") {
  for (unsigned q = 0; q < 243; ++q) {
    const uint8_t u[5] = {static_cast<uint8_t>(q / 81), static_cast<uint8_t>(q / 27 % 3),
                          static_cast<uint8_t>(q / 9 % 3), static_cast<uint8_t>(q / 3 % 3),
                          static_cast<uint8_t>(q % 3)};
    const uint8_t byte = T5Code::encode(u, 1);
    CHECK(byte * 243u >= 256 * q);
    CHECK((byte == 0 || (byte - 1) * 243u < 256 * q));
    uint8_t back[5] = {};
    T5Code::decode(byte, back, 1);
    CHECK(std::vector<uint8_t>(back, back + 5) == std::vector<uint8_t>(u, u + 5));
  }
}

TEST_CASE("the T5 table, the carry decoder and the power-of-3 rule agree on all 256 bytes") {
  constexpr unsigned kPowers[5] = {1, 3, 9, 27, 81};
  for (unsigned value = 0; value < 256; ++value) {
    const auto byte = static_cast<uint8_t>(value);
    uint8_t carried[5] = {};
    T5Code::decode(byte, carried, 1);
    for (size_t k = 0; k < 5; ++k) {
      const unsigned by_power = (((value * kPowers[k]) & 255) * 3) >> 8;
      CHECK(carried[k] == by_power);
      CHECK(T5Code::digit(byte, k) == by_power);
    }
    for (size_t k = 0; k < 4; ++k) {
      CHECK(T2Code::digit(kT5Table.first_four[byte], k) == carried[k]);
    }
    CHECK(kT5Table.fifth[byte] == carried[4]);
  }
}

TEST_CASE("strided digits are read and written where the stride says") {
  uint8_t u[17];
  for (size_t i = 0; i < 17; ++i) u[i] = static_cast<uint8_t>(i % 3);
  uint8_t back[17];
  for (uint8_t& value : back) value = 77;
  T5Code::decode(T5Code::encode(u, 4), back, 4);
  for (size_t i = 0; i < 17; ++i) CHECK(back[i] == (i % 4 == 0 ? u[i] : 77));
}

TEST_CASE("code 3 is found in every position and nowhere else") {
  std::vector<uint8_t> bytes(37, 0x99);  // codes 1, 2, 1, 2
  CHECK_FALSE(has_code_three(bytes.data(), bytes.size()));
  bytes.assign(37, 0x66);
  CHECK_FALSE(has_code_three(bytes.data(), bytes.size()));
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (unsigned k = 0; k < 4; ++k) {
      auto spoiled = bytes;
      spoiled[i] = static_cast<uint8_t>(spoiled[i] | (3u << (2 * k)));
      CHECK(has_code_three(spoiled.data(), spoiled.size()));
      CHECK_FALSE(has_code_three(spoiled.data(), i));
    }
  }
}
