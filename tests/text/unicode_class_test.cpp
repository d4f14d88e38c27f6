#include "tern/text/unicode_class.hpp"

#include <catch2/catch.hpp>
#include <iterator>

using tern::CharClass;
using tern::class_of;

TEST_CASE("characters have the classes of their general category", "[unicode]") {
  CHECK(class_of(U'a') == CharClass::letter);
  CHECK(class_of(0x00AA) == CharClass::letter);  // Lo: feminine ordinal
  CHECK(class_of(0x0401) == CharClass::letter);  // Lu: Cyrillic io
  CHECK(class_of(0x3400) == CharClass::letter);  // the first of a range of ideographs
  CHECK(class_of(0x4DBF) == CharClass::letter);  // its last
  CHECK(class_of(0x4DC0) == CharClass::other);   // So: hexagram
  CHECK(class_of(0xD7A3) == CharClass::letter);  // the last Hangul syllable
  CHECK(class_of(0x20000) == CharClass::letter);
  CHECK(class_of(U'7') == CharClass::number);
  CHECK(class_of(0x00BD) == CharClass::number);       // No: one half
  CHECK(class_of(0x2167) == CharClass::number);       // Nl: Roman eight
  CHECK(class_of(0x0967) == CharClass::number);       // Nd: Devanagari one
  CHECK(class_of(U'_') == CharClass::punctuation);    // Pc
  CHECK(class_of(0x3001) == CharClass::punctuation);  // Po
  CHECK(class_of(U'$') == CharClass::other);          // Sc
  CHECK(class_of(U'`') == CharClass::other);          // Sk
  CHECK(class_of(0x0301) == CharClass::other);        // Mn: combining acute
  CHECK(class_of(0x200D) == CharClass::other);        // Cf: zero width joiner
  CHECK(class_of(0x1F600) == CharClass::other);       // So: emoji
  CHECK(class_of(0x10FFFF) == CharClass::other);
  CHECK(class_of(0x110000) == CharClass::other);  // a malformed byte
}

TEST_CASE("exactly the 25 White_Space characters are whitespace", "[unicode]") {
  int count = 0;
  for (char32_t c = 0; c <= 0x10FFFF; ++c) count += class_of(c) == CharClass::whitespace ? 1 : 0;
  CHECK(count == 25);
  for (const char32_t c : {U'\t', U'\n', U'\v', U'\f', U'\r', U' ', char32_t{0x85}, char32_t{0xA0},
                           char32_t{0x1680}, char32_t{0x2003}, char32_t{0x2028}, char32_t{0x2029},
                           char32_t{0x202F}, char32_t{0x205F}, char32_t{0x3000}}) {
    CHECK(class_of(c) == CharClass::whitespace);
  }
  CHECK(class_of(0x200B) == CharClass::other);  // zero width space
  CHECK(class_of(0xFEFF) == CharClass::other);  // byte order mark
}

TEST_CASE("the runs of the generated table ascend and change the class", "[unicode]") {
  const auto n = std::size(tern::kCharClassRuns);
  CHECK(tern::kCharClassRuns[0] >> 3 == 0);
  for (size_t i = 1; i < n; ++i) {
    REQUIRE(tern::kCharClassRuns[i] >> 3 > tern::kCharClassRuns[i - 1] >> 3);
    REQUIRE((tern::kCharClassRuns[i] & 7) != (tern::kCharClassRuns[i - 1] & 7));
    REQUIRE((tern::kCharClassRuns[i] & 7) <= 4);
  }
}
