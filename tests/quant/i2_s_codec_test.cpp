#include "tern/quant/i2_s_codec.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "support/trit_samples.hpp"

using namespace tern;
using tern_test::hex;
using tern_test::pattern_u;
using tern_test::random_u;

TEST_CASE("the published I2_S block encodes, with the scale behind it") {
  const auto u = pattern_u(128);
  std::vector<uint8_t> tensor(128 / 4 + 32, 0xFF);
  I2SCodec::encode_u(u.data(), 128, 0x3FC00000u, tensor.data());
  CHECK(hex({tensor.begin(), tensor.begin() + 32}) ==
        "2556600664400aa88448899558811990022aa112222556600664400aa8844889");
  CHECK(hex({tensor.begin() + 32, tensor.end()}) == "0000c03f" + std::string(56, '0'));
  CHECK(I2SCodec::scale_bits(tensor.data(), 128) == 0x3FC00000u);
}

TEST_CASE("the first of four codes is in the highest bits") {
  std::vector<uint8_t> u(128, 1);
  u[0] = 2, u[32] = 0, u[64] = 1, u[96] = 2;
  std::vector<uint8_t> tensor(64);
  I2SCodec::encode_u(u.data(), 128, 0, tensor.data());
  CHECK(tensor[0] == 134);
}

TEST_CASE("any range of elements decodes, wherever it starts in a block") {
  const size_t elems = 5 * 128;
  const auto u = random_u(elems, 8);
  std::vector<uint8_t> tensor(elems / 4 + 32);
  I2SCodec::encode_u(u.data(), elems, 0x3F800000u, tensor.data());
  for (const size_t first : {0u, 1u, 31u, 64u, 127u, 128u, 200u, 639u}) {
    for (const size_t n : {1u, 64u, 100u, 128u, 129u, 257u, 440u, 640u}) {
      if (first + n > elems) continue;
      CAPTURE(first, n);
      std::vector<uint8_t> back(n + 1, 9);
      I2SCodec::decode_u(tensor.data(), first, n, I2sLayout::x86, back.data());
      CHECK(back[n] == 9);
      back.pop_back();
      CHECK(back == std::vector<uint8_t>(u.begin() + static_cast<long>(first),
                                         u.begin() + static_cast<long>(first + n)));
    }
  }
  for (size_t i = 0; i < elems; ++i)
    REQUIRE(I2SCodec::get(tensor.data(), i, I2sLayout::x86) == u[i]);
}

TEST_CASE("the layout of ARM builds has element j of 64 in byte j mod 16, the first highest") {
  const size_t elems = 3 * 128;
  const auto u = random_u(elems, 9);
  std::vector<uint8_t> tensor(elems / 4 + 32);
  for (size_t i = 0; i < elems; ++i) {
    uint8_t& byte = tensor[i / 64 * 16 + i % 16];
    byte = static_cast<uint8_t>(byte | (u[i] << (6 - i % 64 / 16 * 2)));
  }
  for (const size_t first : {0u, 5u, 64u, 200u}) {
    std::vector<uint8_t> back(elems - first);
    I2SCodec::decode_u(tensor.data(), first, back.size(), I2sLayout::arm, back.data());
    CHECK(back == std::vector<uint8_t>(u.begin() + static_cast<long>(first), u.end()));
  }
}
