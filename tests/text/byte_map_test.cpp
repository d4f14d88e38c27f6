#include "tern/text/byte_map.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <string>

TEST_CASE("the byte map has its published values", "[byte_map]") {
  CHECK(tern::byte_level_code_point('!') == U'!');
  CHECK(tern::byte_level_code_point(0x00) == 0x100);
  CHECK(tern::byte_level_code_point('\n') == 0x10A);
  CHECK(tern::byte_level_code_point(' ') == 0x120);
  CHECK(tern::byte_level_code_point(0x7F) == 0x121);
  CHECK(tern::byte_level_code_point(0xA0) == 0x142);
  CHECK(tern::byte_level_code_point(0xAD) == 0x143);
  CHECK(tern::byte_level_code_point(0xFF) == 0xFF);
}

TEST_CASE("the byte map is one to one and is undone", "[byte_map]") {
  std::set<char32_t> images;
  std::string spelled;
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) {
    const char32_t c = tern::byte_level_code_point(static_cast<uint8_t>(byte));
    images.insert(c);
    spelled += tern::encode_utf8(c).view();
    bytes.push_back(static_cast<char>(byte));
  }
  CHECK(images.size() == 256);
  std::string undone = "kept ";
  CHECK(tern::append_byte_level(spelled, undone));
  CHECK(undone == "kept " + bytes);
}

TEST_CASE("text outside the byte map is refused and leaves nothing behind", "[byte_map]") {
  std::string out = "kept";
  CHECK_FALSE(tern::append_byte_level("ab c", out));            // a raw space
  CHECK_FALSE(tern::append_byte_level("ab\xE4\xBD\xA0", out));  // an ideograph
  CHECK_FALSE(tern::append_byte_level("ab\xFF", out));          // a malformed byte
  CHECK_FALSE(tern::append_byte_level("ab\xC5\x84", out));      // U+0144, one past the end
  CHECK(out == "kept");
}
