#include "tern/text/whitespace.hpp"

#include <catch2/catch.hpp>
#include <string_view>

TEST_CASE("trimming takes off Unicode whitespace at both ends only", "[chat]") {
  CHECK(tern::trim_whitespace("\xC2\xA0\n a b \t\xE3\x80\x80") == "a b");
  CHECK(tern::trim_whitespace(" \n ").empty());
  CHECK(tern::trim_whitespace("").empty());
  CHECK(tern::trim_whitespace(" \xFF ") == "\xFF");
}

TEST_CASE("any set of characters can be taken off, whole characters only", "[chat]") {
  const auto is_umlaut = [](std::string_view c) { return c == "\xC3\xA4"; };
  CHECK(tern::strip_begin("\xC3\xA4\xC3\xA4x\xC3\xA4", is_umlaut) == 4);
  CHECK(tern::strip_end("\xC3\xA4x\xC3\xA4\xC3\xA4", is_umlaut) == 3);
  CHECK(tern::strip_end("x\xA4", is_umlaut) == 2);
  CHECK(tern::strip_end("\xE3\x80\x80\x80", tern::is_whitespace) == 4);
}
