#include "tern/text/utf8.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace {

std::vector<char32_t> decode_all(std::string_view text) {
  std::vector<char32_t> values;
  for (size_t i = 0; i < text.size();) {
    const tern::DecodedChar c = tern::decode_utf8(text, i);
    values.push_back(c.value);
    i += c.length;
  }
  return values;
}

std::vector<char32_t> malformed(size_t n) { return std::vector<char32_t>(n, tern::kMalformedByte); }

}  // namespace

TEST_CASE("every scalar value survives encoding and decoding", "[utf8]") {
  for (char32_t value = 0; value <= 0x10FFFF; ++value) {
    if (value >= 0xD800 && value <= 0xDFFF) continue;
    const tern::EncodedChar encoded = tern::encode_utf8(value);
    const tern::DecodedChar decoded = tern::decode_utf8(encoded.view(), 0);
    if (decoded.value != value || decoded.length != encoded.length) {
      CAPTURE(static_cast<uint32_t>(value));
      REQUIRE(decoded.value == value);
      REQUIRE(decoded.length == encoded.length);
    }
  }
}

TEST_CASE("bytes outside well-formed sequences decode one by one", "[utf8]") {
  CHECK(decode_all("\xFF\x80") == malformed(2));
  CHECK(decode_all("\xC0\xAF") == malformed(2));          // overlong, 2 bytes
  CHECK(decode_all("\xE0\x9F\xBF") == malformed(3));      // overlong, 3 bytes
  CHECK(decode_all("\xF0\x8F\xBF\xBF") == malformed(4));  // overlong, 4 bytes
  CHECK(decode_all("\xED\xA0\x80") == malformed(3));      // a surrogate
  CHECK(decode_all("\xF4\x90\x80\x80") == malformed(4));  // above U+10FFFF
  CHECK(decode_all("\xE2\x82") == malformed(2));          // cut off
  CHECK(decode_all("\xE2\x82x") ==
        std::vector<char32_t>{tern::kMalformedByte, tern::kMalformedByte, U'x'});
  CHECK(decode_all("\xE2\x82\xAC") == std::vector<char32_t>{0x20AC});
}

TEST_CASE("the complete prefix holds back exactly what more bytes could finish", "[utf8]") {
  using tern::complete_utf8_prefix;
  CHECK(complete_utf8_prefix("") == 0);
  CHECK(complete_utf8_prefix("abc") == 3);
  const std::string family = "a\xF0\x9F\x91\xA8";  // a and a character of 4 bytes
  for (size_t n = 2; n <= 4; ++n) CHECK(complete_utf8_prefix(family.substr(0, n)) == 1);
  CHECK(complete_utf8_prefix(family) == 5);
  CHECK(complete_utf8_prefix("\xE2\x82\xAC\xE2") == 3);
  CHECK(complete_utf8_prefix("\xE2\x82\xAC\xE2\x82") == 3);
  // What can never become a character is not held back.
  CHECK(complete_utf8_prefix("\x80\x80\x80") == 3);
  CHECK(complete_utf8_prefix("\xED\xA0") == 2);
  CHECK(complete_utf8_prefix("\xF0\x80\x80") == 3);
  CHECK(complete_utf8_prefix("\xC1") == 1);
  CHECK(complete_utf8_prefix("\xF5") == 1);
}
