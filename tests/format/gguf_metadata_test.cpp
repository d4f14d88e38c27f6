#include "tern/format/gguf_metadata.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <vector>

#include "support/gguf_writer.hpp"

using namespace tern;
using tern_test::GgufWriter;

namespace {
template <typename T>
std::vector<uint8_t> stored_bytes(T value) {
  std::vector<uint8_t> bytes;
  GgufWriter::put(bytes, value);
  return bytes;
}
}  // namespace

TEST_CASE("an integer converts to every integer type that can hold it, and to no other") {
  const auto big = stored_bytes(uint32_t{4000000000u});
  const MetadataScalar u32(MetadataType::u32, big.data());
  CHECK(u32.as<uint32_t>() == 4000000000u);
  CHECK(u32.as<uint64_t>() == 4000000000u);
  CHECK(u32.as<int64_t>() == 4000000000);
  CHECK_FALSE(u32.as<int32_t>());
  CHECK_FALSE(u32.as<uint16_t>());

  const auto negative = stored_bytes(int8_t{-3});
  const MetadataScalar i8(MetadataType::i8, negative.data());
  CHECK(i8.as<int32_t>() == -3);
  CHECK(i8.as<int64_t>() == -3);
  CHECK_FALSE(i8.as<uint32_t>());
  CHECK_FALSE(i8.as<uint64_t>());

  const auto largest = stored_bytes(std::numeric_limits<uint64_t>::max());
  const MetadataScalar u64(MetadataType::u64, largest.data());
  CHECK(u64.as<uint64_t>() == std::numeric_limits<uint64_t>::max());
  CHECK_FALSE(u64.as<int64_t>());
}

TEST_CASE("kinds of values do not convert into each other") {
  const auto bits = stored_bytes(1.0f);
  const MetadataScalar number(MetadataType::f32, bits.data());
  CHECK(number.as<float>() == 1.0f);
  CHECK_FALSE(number.as<double>());
  CHECK_FALSE(number.as<uint32_t>());
  CHECK_FALSE(number.as<bool>());
  CHECK_FALSE(number.as<std::string_view>());

  const auto one = stored_bytes(uint8_t{1});
  CHECK(MetadataScalar(MetadataType::boolean, one.data()).as<bool>() == true);
  CHECK_FALSE(MetadataScalar(MetadataType::boolean, one.data()).as<uint8_t>());
  CHECK_FALSE(MetadataScalar(MetadataType::u8, one.data()).as<bool>());
  CHECK(MetadataScalar(MetadataType::u8, one.data()).as<uint32_t>() == 1);
}

TEST_CASE("an array of strings is walked in order") {
  std::vector<uint8_t> bytes;
  for (const std::string_view text : {"one", "", "three"}) {
    GgufWriter::put(bytes, uint64_t{text.size()});
    bytes.insert(bytes.end(), text.begin(), text.end());
  }
  const MetadataValue value(MetadataType::string, 3, bytes.data());
  CHECK(value.type() == MetadataType::array);
  CHECK_FALSE(value.as<std::string_view>());
  const auto array = value.as_array();
  REQUIRE(array);
  REQUIRE(array->size() == 3);
  std::vector<std::string_view> seen;
  for (const MetadataScalar element : *array) seen.push_back(*element.as<std::string_view>());
  CHECK(seen == std::vector<std::string_view>{"one", "", "three"});
}

TEST_CASE("an array of numbers is walked") {
  std::vector<uint8_t> bytes;
  for (const int16_t number : {int16_t{7}, int16_t{-8}, int16_t{9}}) GgufWriter::put(bytes, number);
  const auto array = MetadataValue(MetadataType::i16, 3, bytes.data()).as_array();
  REQUIRE(array);
  std::vector<int> walked;
  for (const MetadataScalar element : *array) walked.push_back(*element.as<int>());
  CHECK(walked == std::vector<int>{7, -8, 9});
}

TEST_CASE("a scalar is no array") {
  const auto one = stored_bytes(uint32_t{1});
  CHECK_FALSE(MetadataValue(MetadataType::u32, one.data()).as_array());
}
