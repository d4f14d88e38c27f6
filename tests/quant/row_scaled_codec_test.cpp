#include "tern/quant/row_scaled_codec.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "support/trit_samples.hpp"

using namespace tern;
using tern_test::hex;
using tern_test::pattern_u;
using tern_test::random_u;

namespace {

template <TensorType type>
std::vector<uint8_t> encoded(const std::vector<uint8_t>& u) {
  using Codec = RowScaledCodec<type>;
  std::vector<uint8_t> bytes(u.size() / Codec::kElems * Codec::kBytes);
  for (size_t b = 0; b * Codec::kElems < u.size(); ++b) {
    Codec::encode_u(u.data() + b * Codec::kElems, bytes.data() + b * Codec::kBytes);
  }
  return bytes;
}

}  // namespace

TEST_CASE("the published IQ1_BN and IQ2_BN blocks encode") {
  CHECK(hex(encoded<TensorType::iq1_bn>(pattern_u(64))) == "62a34b1362a3c31362e1c31312");
  CHECK(hex(encoded<TensorType::iq2_bn>(pattern_u(64))) == "2091a940a18144a602850612990a141a");
}

TEMPLATE_TEST_CASE_SIG("random trits survive a block of a row with a scale", "",
                       ((TensorType kType), kType), TensorType::iq1_bn, TensorType::iq2_bn) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const auto u = random_u(64, seed);
    const auto bytes = encoded<kType>(u);
    std::vector<uint8_t> back(64);
    RowScaledCodec<kType>::decode_u(bytes.data(), back.data());
    REQUIRE(back == u);
  }
}

TEST_CASE("IQ1_BN never gives a code above 2, and IQ2_BN does not hide code 3") {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const std::vector<uint8_t> block(13, static_cast<uint8_t>(byte));
    uint8_t u[64];
    RowScaledCodec<TensorType::iq1_bn>::decode_u(block.data(), u);
    for (const uint8_t value : u) REQUIRE(value <= 2);
  }
  std::vector<uint8_t> block(16, 0x55);
  block[3] = 0x5D;  // pair 1: element 16 + 3
  uint8_t u[64];
  RowScaledCodec<TensorType::iq2_bn>::decode_u(block.data(), u);
  for (size_t i = 0; i < 64; ++i) CHECK(u[i] == (i == 19 ? 3 : 1));
}

TEST_CASE(
    "four interleaved rows hold columns 16l + i, + 4, + 8, + 12 of row k in byte 4k + i + 16l") {
  const auto u = random_u(4 * 64, 335);
  std::vector<uint8_t> block(64);
  for (size_t k = 0; k < 4; ++k) FourRowCodec::encode_u(u.data() + 64 * k, k, block.data());
  for (size_t k = 0; k < 4; ++k) {
    for (size_t col = 0; col < 64; ++col) {
      const size_t l = col / 16, i = col % 4, pair = col % 16 / 4;
      REQUIRE(((block[4 * k + i + 16 * l] >> (2 * pair)) & 3) == u[64 * k + col]);
    }
    std::vector<uint8_t> back(64);
    FourRowCodec::decode_u(block.data(), k, back.data());
    REQUIRE(back == std::vector<uint8_t>(u.begin() + static_cast<long>(64 * k),
                                         u.begin() + static_cast<long>(64 * k + 64)));
  }
}

TEST_CASE("scales of rows are a binary16, a binary32, and four of those") {
  const uint8_t bytes[16] = {0x00, 0x38, 0x00, 0x3F, 0, 0, 0x80, 0xBF};
  CHECK(RowScaledCodec<TensorType::iq1_bn>::scale_bits(bytes) == 0x3F000000u);
  CHECK(RowScaledCodec<TensorType::iq2_bn>::scale_bits(bytes) == 0x3F003800u);
  CHECK(FourRowCodec::scale_bits(bytes, 1) == 0xBF800000u);
}
