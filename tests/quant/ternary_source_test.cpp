#include "tern/quant/ternary_source.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "support/bfloat16.hpp"
#include "support/trit_samples.hpp"

using namespace tern;
using tern_test::random_u;

namespace {

constexpr uint32_t kRows = 3;
constexpr uint16_t kHalfScale = 0x3800;  // 0.5

template <TensorType type>
std::vector<uint8_t> stored_blocks(const std::vector<uint8_t>& u) {
  using Codec = BlockCodec<type>;
  std::vector<uint8_t> bytes(u.size() / Codec::kElems * Codec::kBytes);
  for (size_t b = 0; b * Codec::kElems < u.size(); ++b) {
    Codec::encode_u(u.data() + b * Codec::kElems, kHalfScale, bytes.data() + b * Codec::kBytes);
  }
  return bytes;
}

template <TensorType type>
std::vector<uint8_t> stored_rows(const std::vector<uint8_t>& u) {
  using Codec = RowScaledCodec<type>;
  const size_t cols = u.size() / kRows;
  std::vector<uint8_t> bytes;
  for (size_t row = 0; row < kRows; ++row) {
    uint8_t scale[4] = {0x00, 0x38, 0x00, 0x3F};  // 0.5 as binary16 and as binary32
    if (type == TensorType::iq2_bn) scale[1] = 0;
    bytes.insert(bytes.end(), scale, scale + Codec::kHeaderBytes);
    for (size_t col = 0; col < cols; col += Codec::kElems) {
      uint8_t block[Codec::kBytes];
      Codec::encode_u(u.data() + row * cols + col, block);
      bytes.insert(bytes.end(), block, block + Codec::kBytes);
    }
  }
  return bytes;
}

/// A matrix of trits, all with the scale 0.5, stored as `type`.
std::vector<uint8_t> stored(TensorType type, const std::vector<uint8_t>& u) {
  std::vector<uint8_t> bytes;
  const auto append = [&bytes](const uint8_t* data, size_t n) {
    bytes.insert(bytes.end(), data, data + n);
  };
  const uint32_t f32_bits[3] = {0xBF000000u, 0x80000000u, 0x3F000000u};
  switch (type) {
    case TensorType::f32:
    case TensorType::bf16:
    case TensorType::f16:
      for (const uint8_t value : u) {
        const uint32_t bits = f32_bits[value];
        uint8_t out[4];
        if (type == TensorType::f32) detail::store_u32(bits, out), append(out, 4);
        if (type == TensorType::bf16)
          detail::store_u16(tern_test::bf16_from_f32_bits(bits), out), append(out, 2);
        if (type == TensorType::f16)
          detail::store_u16(f16_from_f32_bits(bits), out), append(out, 2);
      }
      break;
    case TensorType::tq1_0: return stored_blocks<TensorType::tq1_0>(u);
    case TensorType::tq2_0: return stored_blocks<TensorType::tq2_0>(u);
    case TensorType::q1_0: return stored_blocks<TensorType::q1_0>(u);
    case TensorType::q2_0: return stored_blocks<TensorType::q2_0>(u);
    case TensorType::q2_0_g128: return stored_blocks<TensorType::q2_0_g128>(u);
    case TensorType::iq1_bn: return stored_rows<TensorType::iq1_bn>(u);
    case TensorType::iq2_bn: return stored_rows<TensorType::iq2_bn>(u);
    default:
      bytes.resize(u.size() / 4 + 32);
      I2SCodec::encode_u(u.data(), u.size(), f32_bits[2], bytes.data());
  }
  return bytes;
}

struct Row {
  Result<void> result;
  std::vector<uint8_t> u;
  std::vector<uint32_t> scale_bits;
};
Row read(const TernarySource& source, size_t row) {
  const size_t group = ternary_group_cols(source);
  Row out{{},
          std::vector<uint8_t>(source.cols, 9),
          std::vector<uint32_t>(group != 0 ? (source.cols + group - 1) / group : 0, 9)};
  out.result = read_ternary_row(source, row, out.u.data(), out.scale_bits.data());
  return out;
}

std::vector<uint8_t> row_of(const std::vector<uint8_t>& u, size_t cols, size_t row) {
  return {u.begin() + static_cast<long>(row * cols),
          u.begin() + static_cast<long>((row + 1) * cols)};
}

}  // namespace

TEST_CASE("the same trits come out of every type that can hold them") {
  const uint32_t cols = 512;
  const auto u = random_u(kRows * cols, 21);
  for (const TensorType type :
       {TensorType::f32, TensorType::f16, TensorType::bf16, TensorType::tq1_0, TensorType::tq2_0,
        TensorType::i2_s, TensorType::q2_0, TensorType::q2_0_g128, TensorType::iq1_bn,
        TensorType::iq2_bn}) {
    CAPTURE(type_info(type).name);
    const auto bytes = stored(type, u);
    REQUIRE(tensor_bytes(type_info(type), cols, kRows) == bytes.size());
    const TernarySource source{type, bytes.data(), kRows, cols};
    for (size_t row = 0; row < kRows; ++row) {
      const Row got = read(source, row);
      REQUIRE(got.result.ok());
      CHECK(got.u == row_of(u, cols, row));
      for (const uint32_t scale : got.scale_bits) CHECK(scale == 0x3F000000u);
    }
  }
}

TEST_CASE("weights of one bit are trits without zeros") {
  const uint32_t cols = 256;
  auto u = random_u(kRows * cols, 22);
  for (uint8_t& value : u) value = static_cast<uint8_t>(value / 2 * 2);
  auto bytes = stored(TensorType::q1_0, u);
  detail::store_u16(0xB800, bytes.data() + 18);  // group 1 of row 0: -0.5
  const TernarySource source{TensorType::q1_0, bytes.data(), kRows, cols};
  CHECK(ternary_group_cols(source) == 128);
  for (size_t i = 128; i < 256; ++i) u[i] = negated_u(u[i]);
  for (size_t row = 0; row < kRows; ++row) {
    const Row got = read(source, row);
    REQUIRE(got.result.ok());
    CHECK(got.u == row_of(u, cols, row));
    CHECK(got.scale_bits == std::vector<uint32_t>(2, 0x3F000000u));
  }
}

TEST_CASE("rows that are interleaved in fours decode, each with its scale") {
  const uint32_t cols = 128;
  const auto u = random_u(8 * cols, 23);
  std::vector<uint8_t> bytes(2 * (16 + 4 * cols / 4));
  for (size_t row = 0; row < 8; ++row) {
    uint8_t* four = bytes.data() + row / 4 * (16 + cols);
    detail::store_u32(0x3F000000u + static_cast<uint32_t>(row), four + 4 * (row % 4));
    for (size_t b = 0; b < 2; ++b) {
      FourRowCodec::encode_u(u.data() + row * cols + 64 * b, row % 4, four + 16 + 64 * b);
    }
  }
  REQUIRE(tensor_bytes(type_info(TensorType::iq2_bn_r4), cols, 8) == bytes.size());
  const TernarySource source{TensorType::iq2_bn_r4, bytes.data(), 8, cols};
  for (uint32_t row = 0; row < 8; ++row) {
    const Row got = read(source, row);
    REQUIRE(got.result.ok());
    CHECK(got.u == row_of(u, cols, row));
    CHECK(got.scale_bits == std::vector<uint32_t>{0x3F000000u + row});
  }
  bytes[16 + cols + 16 + 70] = 0xFF;
  CHECK(read(source, 3).result.ok());
  CHECK(read(source, 4).result.status() == Status::malformed);
  detail::store_u32(0x7F800000u, bytes.data() + 4);
  CHECK(read(source, 1).result.status() == Status::malformed);
}

TEST_CASE("rows of I2_S that start inside a block decode") {
  const uint32_t cols = 192;
  const auto u = random_u(4 * cols, 4);
  const auto bytes = stored(TensorType::i2_s, u);
  const TernarySource source{TensorType::i2_s, bytes.data(), 4, cols};
  for (size_t row = 0; row < 4; ++row) CHECK(read(source, row).u == row_of(u, cols, row));
}

TEST_CASE("float rows need not be whole groups") {
  const uint32_t cols = 70;
  auto u = random_u(kRows * cols, 5);
  for (size_t col = 32; col < 64; ++col) u[cols + col] = kZeroTrit;  // row 1, group 1
  const auto bytes = stored(TensorType::f16, u);
  const TernarySource source{TensorType::f16, bytes.data(), kRows, cols};
  const Row got = read(source, 1);
  REQUIRE(got.result.ok());
  CHECK(got.u == row_of(u, cols, 1));
  CHECK(got.scale_bits == std::vector<uint32_t>{0x3F000000u, kWildcardScale, 0x3F000000u});
}

TEST_CASE("negative and zero block scales are folded into the trits") {
  const auto u = random_u(512, 6);
  std::vector<uint8_t> bytes(2 * 54);
  BlockCodec<TensorType::tq1_0>::encode_u(u.data(), 0xB800, bytes.data());
  BlockCodec<TensorType::tq1_0>::encode_u(u.data() + 256, 0x8000, bytes.data() + 54);
  const Row got = read({TensorType::tq1_0, bytes.data(), 1, 512}, 0);
  REQUIRE(got.result.ok());
  for (size_t i = 0; i < 256; ++i) REQUIRE(got.u[i] == 2 - u[i]);
  for (size_t i = 256; i < 512; ++i) REQUIRE(got.u[i] == kZeroTrit);
  CHECK(got.scale_bits == std::vector<uint32_t>{0x3F000000u, kWildcardScale});
}

TEST_CASE("a code 3 is refused with its block's offset") {
  const auto u = random_u(kRows * 256, 7);
  auto bytes = stored(TensorType::tq2_0, u);
  bytes[2 * 66 + 40] |= 0x30;
  bytes[2 * 66 + 40] |= 0xC0;
  const TernarySource tq2{TensorType::tq2_0, bytes.data(), kRows, 256};
  CHECK(read(tq2, 1).result.ok());
  const Row refused = read(tq2, 2);
  CHECK(refused.result.status() == Status::malformed);
  CHECK(refused.result.error().where == 2 * 66);

  for (const TensorType type : {TensorType::q2_0, TensorType::q2_0_g128, TensorType::iq2_bn}) {
    auto other = stored(type, u);
    other[other.size() / 3 * 2 - 1] = 0xC0;  // the last byte of row 1
    CHECK(read({type, other.data(), kRows, 256}, 0).result.ok());
    CHECK(read({type, other.data(), kRows, 256}, 1).result.status() == Status::malformed);
    CHECK(read({type, other.data(), kRows, 256}, 2).result.ok());
  }

  auto flat = stored(TensorType::i2_s, u);
  flat[3 * 32 + 31] = 0x03;  // a block of row 1
  const TernarySource i2_s{TensorType::i2_s, flat.data(), kRows, 256};
  CHECK(read(i2_s, 0).result.ok());
  CHECK(read(i2_s, 1).result.status() == Status::malformed);
  CHECK(read(i2_s, 2).result.ok());
}

TEST_CASE("scales and weights that are not finite are refused") {
  const auto u = random_u(kRows * 256, 8);
  for (const TensorType type : {TensorType::tq1_0, TensorType::tq2_0}) {
    auto bytes = stored(type, u);
    detail::store_u16(0x7C00, bytes.data() + bytes.size() - 2);
    CHECK(read({type, bytes.data(), kRows, 256}, 2).result.status() == Status::malformed);
  }
  for (const TensorType type :
       {TensorType::q1_0, TensorType::q2_0, TensorType::q2_0_g128, TensorType::iq1_bn}) {
    auto bytes = stored(type, u);
    detail::store_u16(0xFC00, bytes.data() + bytes.size() / 3);  // where row 1 begins
    CHECK(read({type, bytes.data(), kRows, 256}, 0).result.ok());
    CHECK(read({type, bytes.data(), kRows, 256}, 1).result.status() == Status::malformed);
  }
  auto wide = stored(TensorType::iq2_bn, u);
  detail::store_u32(0xFF800000u, wide.data() + wide.size() / 3);
  CHECK(read({TensorType::iq2_bn, wide.data(), kRows, 256}, 1).result.status() ==
        Status::malformed);
  auto flat = stored(TensorType::i2_s, u);
  detail::store_u32(0x7FC00000u, flat.data() + u.size() / 4);
  CHECK(read({TensorType::i2_s, flat.data(), kRows, 256}, 0).result.status() == Status::malformed);
  auto floats = stored(TensorType::bf16, u);
  detail::store_u16(0x7F80, floats.data() + 2 * 300);
  const TernarySource source{TensorType::bf16, floats.data(), kRows, 256};
  CHECK(read(source, 0).result.ok());
  CHECK(read(source, 1).result.status() == Status::malformed);
}

TEST_CASE("float rows of more than one magnitude in a group are not ternary") {
  auto bytes = stored(TensorType::f32, std::vector<uint8_t>(kRows * 64, 2));
  detail::store_u32(0x3F000001u, bytes.data() + 4 * (64 + 40));
  const TernarySource source{TensorType::f32, bytes.data(), kRows, 64};
  CHECK(read(source, 0).result.ok());
  const Row refused = read(source, 1);
  CHECK(refused.result.status() == Status::not_ternary);
  CHECK(refused.result.error().where == 4 * (64 + 32));
}

TEST_CASE(
    "rows whose quarters share bytes are read at any width, and code 3 is seen in any column") {
  for (uint32_t cols = 1; cols <= 26; ++cols) {
    const uint32_t rows = 8;
    const auto u = random_u(rows * cols, cols);
    std::vector<uint8_t> bytes(u.size() / 4);
    for (size_t i = 0; i < u.size(); ++i) {
      const size_t at = i % bytes.size(), quarter = i / bytes.size();
      bytes[at] = static_cast<uint8_t>(bytes[at] | u[i] << (2 * quarter));
    }
    TernarySource source{TensorType::f32, bytes.data(), rows, cols};
    source.form.kind = FormKind::row_quarters;
    source.form.scale_bits = 0x3F000000u;
    for (size_t row = 0; row < rows; ++row) {
      const std::vector<uint8_t> expected(u.begin() + static_cast<long>(row * cols),
                                          u.begin() + static_cast<long>((row + 1) * cols));
      std::vector<uint8_t> out(cols, 9);
      uint32_t scale_bits = 0;
      REQUIRE(read_ternary_row(source, row, out.data(), &scale_bits).ok());
      CHECK(out == expected);
      const bool is_zero = out == std::vector<uint8_t>(cols, kZeroTrit);
      CHECK(scale_bits == (is_zero ? kWildcardScale : 0x3F000000u));
      const size_t quarter = row / 2;
      for (size_t col = 0; col < cols; ++col) {
        uint8_t& byte = bytes[row % 2 * cols + col];
        const uint8_t kept = byte;
        byte = static_cast<uint8_t>(byte | 3 << (2 * quarter));
        CHECK(read_ternary_row(source, row, out.data(), &scale_bits).status() == Status::malformed);
        byte = kept;
      }
    }
  }
}

TEST_CASE("types without trits are refused") {
  const uint8_t bytes[64] = {};
  for (const TensorType type :
       {TensorType::q8_0, TensorType::q4_0, TensorType::q4_k, TensorType::q6_k}) {
    const TernarySource source{type, bytes, 1, 32};
    CHECK(ternary_group_cols(source) == 0);
    CHECK(read(source, 0).result.status() == Status::unsupported_type);
  }
}
