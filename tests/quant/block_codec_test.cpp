#include "tern/quant/block_codec.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "support/trit_samples.hpp"

using namespace tern;
using tern_test::hex;
using tern_test::pattern_u;
using tern_test::random_u;
using tern_test::SampleRandom;

namespace {

constexpr uint16_t kHalfOne = 0x3C00;

std::vector<uint8_t> random_bytes(size_t n, uint64_t seed) {
  SampleRandom random(seed);
  std::vector<uint8_t> bytes(n);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.next());
  return bytes;
}

/// A block decoded, with room for every type.
template <TensorType type>
struct Decoded {
  std::vector<int8_t> codes = std::vector<int8_t>(BlockCodec<type>::kElems);
  uint16_t d_bits = 0;
  std::vector<int8_t> sub_scales =
      std::vector<int8_t>(BlockCodec<type>::kElems / BlockCodec<type>::kSubElems);

  explicit Decoded(const std::vector<uint8_t>& block) {
    REQUIRE(block.size() == BlockCodec<type>::kBytes);
    BlockCodec<type>::decode(block.data(), codes.data(), d_bits, sub_scales.data());
  }
};

}  // namespace

TEST_CASE("the published TQ2_0 vector encodes and decodes") {
  using Codec = BlockCodec<TensorType::tq2_0>;
  const auto u = pattern_u(256);
  std::vector<uint8_t> block(Codec::kBytes);
  Codec::encode_u(u.data(), kHalfOne, block.data());
  CHECK(
      hex(block) ==
      "589509901901a02a122162562542640680a84a8488589509901901a02a12216209901901a02a1221625625426406"
      "80a84a8488589509901901a02a1221625625003c");
  const Decoded<TensorType::tq2_0> back(block);
  CHECK(back.d_bits == kHalfOne);
  CHECK(back.sub_scales[0] == 1);
  for (size_t i = 0; i < 256; ++i) REQUIRE(back.codes[i] == u[i] - 1);
}

TEST_CASE("the published TQ1_0 vector encodes and decodes") {
  using Codec = BlockCodec<TensorType::tq1_0>;
  const auto u = pattern_u(256);
  std::vector<uint8_t> block(Codec::kBytes);
  Codec::encode_u(u.data(), kHalfOne, block.data());
  CHECK(
      hex(block) ==
      "4782901198581cf8b76bc2d685b033c80953e723414782901198581cf8b76bc2e429ee3d35f70d501567a805705c"
      "22e38fc1e756003c");
  const Decoded<TensorType::tq1_0> back(block);
  CHECK(back.d_bits == kHalfOne);
  for (size_t i = 0; i < 256; ++i) REQUIRE(back.codes[i] == u[i] - 1);
}

TEMPLATE_TEST_CASE_SIG("random trits survive a block of trits", "", ((TensorType kType), kType),
                       TensorType::tq1_0, TensorType::tq2_0, TensorType::q2_0,
                       TensorType::q2_0_g128, TensorType::q1_0) {
  using Codec = BlockCodec<kType>;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    auto u = random_u(Codec::kElems, seed);
    if (kType == TensorType::q1_0) {
      for (uint8_t& value : u) value = static_cast<uint8_t>(value / 2 * 2);
    }
    std::vector<uint8_t> block(Codec::kBytes);
    const auto d = static_cast<uint16_t>(seed * 1117);
    Codec::encode_u(u.data(), d, block.data());
    std::vector<uint8_t> back(Codec::kElems);
    uint16_t d_back = 0;
    Codec::decode_u(block.data(), back.data(), d_back);
    REQUIRE(back == u);
    REQUIRE(d_back == d);
  }
}

TEST_CASE("code 3 of a TQ2_0 block is not hidden: u is 3 and the code +2") {
  std::vector<uint8_t> block(66, 0x55);
  block[33] = 0x75;  // half 1, byte 1, pair 2: element 128 + 64 + 1
  const Decoded<TensorType::tq2_0> back(block);
  for (size_t i = 0; i < 256; ++i) REQUIRE(back.codes[i] == (i == 193 ? 2 : 0));
}

TEMPLATE_TEST_CASE_SIG("Q2_0 holds element 4i + k in bits 2k of byte i, behind its scale", "",
                       ((TensorType kType), kType), TensorType::q2_0, TensorType::q2_0_g128) {
  const auto block = random_bytes(BlockCodec<kType>::kBytes, 42);
  const Decoded<kType> back(block);
  CHECK(back.d_bits == (block[0] | block[1] << 8));
  CHECK(back.sub_scales[0] == 1);
  for (size_t i = 0; i < back.codes.size(); ++i) {  // code 3 is +2
    REQUIRE(back.codes[i] == ((block[2 + i / 4] >> (i % 4 * 2)) & 3) - 1);
  }
}

TEST_CASE("Q1_0 holds element 8i + k in bit k of byte i: 1 is +1, 0 is -1") {
  const auto block = random_bytes(18, 41);
  const Decoded<TensorType::q1_0> back(block);
  CHECK(back.d_bits == (block[0] | block[1] << 8));
  for (size_t i = 0; i < 128; ++i) {
    REQUIRE(back.codes[i] == (((block[2 + i / 8] >> (i % 8)) & 1) != 0 ? 1 : -1));
  }
}

TEST_CASE("Q4_K puts its bits together as the format's formula says") {
  const auto block = random_bytes(144, 12);
  const Decoded<TensorType::q4_k> back(block);
  int8_t mins[8];
  uint16_t dmin_bits = 0;
  BlockCodec<TensorType::q4_k>::decode_mins(block.data(), mins, dmin_bits);
  CHECK(back.d_bits == (block[0] | block[1] << 8));
  CHECK(dmin_bits == (block[2] | block[3] << 8));
  const uint8_t* s = block.data() + 4;
  for (size_t j = 0; j < 8; ++j) {
    const int sc = j < 4 ? s[j] & 63 : (s[j + 4] & 15) | ((s[j - 4] >> 6) << 4);
    const int mn = j < 4 ? s[j + 4] & 63 : (s[j + 4] >> 4) | ((s[j] >> 6) << 4);
    CHECK(back.sub_scales[j] == sc);
    CHECK(mins[j] == mn);
  }
  for (size_t c = 0; c < 4; ++c) {
    for (size_t l = 0; l < 32; ++l) {
      REQUIRE(back.codes[64 * c + l] == (block[16 + 32 * c + l] & 15));
      REQUIRE(back.codes[64 * c + 32 + l] == (block[16 + 32 * c + l] >> 4));
    }
  }
}

TEST_CASE("Q8_0 is a scale and 32 signed bytes") {
  std::vector<uint8_t> block(34);
  block[0] = 0x34;
  block[1] = 0x12;
  for (size_t i = 0; i < 32; ++i) block[2 + i] = static_cast<uint8_t>(i * 8);
  const Decoded<TensorType::q8_0> back(block);
  CHECK(back.d_bits == 0x1234);
  CHECK(back.sub_scales == std::vector<int8_t>{1});
  for (int i = 0; i < 32; ++i)
    CHECK(back.codes[static_cast<size_t>(i)] == (i < 16 ? i * 8 : i * 8 - 256));
}

TEST_CASE("Q4_0 holds elements j and j + 16 in the nibbles of byte j, less 8") {
  std::vector<uint8_t> block(18);
  block[1] = 0xBC;
  for (unsigned j = 0; j < 16; ++j) block[2 + j] = static_cast<uint8_t>(j | ((15 - j) << 4));
  const Decoded<TensorType::q4_0> back(block);
  CHECK(back.d_bits == 0xBC00);
  for (int j = 0; j < 16; ++j) {
    CHECK(back.codes[static_cast<size_t>(j)] == j - 8);
    CHECK(back.codes[static_cast<size_t>(j) + 16] == 7 - j);
  }
}

TEST_CASE("Q6_K puts its bits together as the format's formula says") {
  const auto block = random_bytes(210, 6);
  const Decoded<TensorType::q6_k> back(block);
  CHECK(back.d_bits == (block[208] | block[209] << 8));
  // The formula of the format, element by element, as value / d.
  std::vector<int> wanted(256);
  for (size_t h = 0; h < 2; ++h) {
    const uint8_t* ql = block.data() + 64 * h;
    const uint8_t* qh = block.data() + 128 + 32 * h;
    const auto* sc = reinterpret_cast<const int8_t*>(block.data() + 192 + 8 * h);
    int* y = wanted.data() + 128 * h;
    for (size_t l = 0; l < 32; ++l) {
      const size_t s = l / 16;
      y[l] = sc[s] * (((ql[l] & 15) | ((qh[l] & 3) << 4)) - 32);
      y[l + 32] = sc[s + 2] * (((ql[l + 32] & 15) | (((qh[l] >> 2) & 3) << 4)) - 32);
      y[l + 64] = sc[s + 4] * (((ql[l] >> 4) | (((qh[l] >> 4) & 3) << 4)) - 32);
      y[l + 96] = sc[s + 6] * (((ql[l + 32] >> 4) | (((qh[l] >> 6) & 3) << 4)) - 32);
    }
  }
  for (size_t i = 0; i < 256; ++i) REQUIRE(back.sub_scales[i / 16] * back.codes[i] == wanted[i]);
}

TEST_CASE("every codec's sizes are those of the type table") {
  const auto check = [](TensorType type, size_t elems, size_t bytes) {
    CHECK(type_info(type).block_elems == elems);
    CHECK(type_info(type).block_bytes == bytes);
  };
#define CHECK_CODEC(TYPE) check(TYPE, BlockCodec<TYPE>::kElems, BlockCodec<TYPE>::kBytes)
  CHECK_CODEC(TensorType::q8_0);
  CHECK_CODEC(TensorType::q4_0);
  CHECK_CODEC(TensorType::q4_k);
  CHECK_CODEC(TensorType::q6_k);
  CHECK_CODEC(TensorType::tq1_0);
  CHECK_CODEC(TensorType::tq2_0);
  CHECK_CODEC(TensorType::i2_s);
  CHECK_CODEC(TensorType::q1_0);
  CHECK_CODEC(TensorType::q2_0);
  CHECK_CODEC(TensorType::q2_0_g128);
#undef CHECK_CODEC
  check(TensorType::f32, 1, FloatCodec<TensorType::f32>::kBytes);
  check(TensorType::f16, 1, FloatCodec<TensorType::f16>::kBytes);
  check(TensorType::bf16, 1, FloatCodec<TensorType::bf16>::kBytes);
}

TEST_CASE("float elements give their exact binary32 bits from unaligned bytes") {
  const uint8_t bytes[5] = {0xFF, 0x00, 0x3C, 0x80, 0xBF};
  CHECK(FloatCodec<TensorType::f16>::f32_bits(bytes + 1) == 0x3F800000u);
  CHECK(FloatCodec<TensorType::bf16>::f32_bits(bytes + 3) == 0xBF800000u);
  CHECK(FloatCodec<TensorType::f32>::f32_bits(bytes + 1) == 0xBF803C00u);
}
