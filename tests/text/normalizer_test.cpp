#include "tern/text/normalizer.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

std::string nfc(std::string_view text) {
  tern::String scratch;
  return std::string(tern::normalize_nfc(text, scratch));
}

std::string utf8(char32_t value) { return std::string(tern::encode_utf8(value).view()); }

bool is_surrogate(char32_t value) { return value >= 0xD800 && value <= 0xDFFF; }

/// The characters of a field of NormalizationTest.txt, as "0044 030C".
std::string from_hex(const std::string& field) {
  std::istringstream in(field);
  std::string text;
  for (uint32_t value; in >> std::hex >> value;) text += utf8(value);
  return text;
}

}  // namespace

TEST_CASE("composed text is returned as it is", "[normalizer]") {
  for (const std::string_view text :
       {"", "plain", "caf\xC3\xA9", "\xEA\xB0\x80", "\xF0\x9F\x98\x80"}) {
    tern::String scratch;
    CHECK(tern::normalize_nfc(text, scratch).data() == text.data());
  }
}

TEST_CASE("marks join the letter before them", "[normalizer]") {
  CHECK(nfc("e\xCC\x81!") == "\xC3\xA9!");
  CHECK(nfc("caf\x65\xCC\x81 na\xC3\xAFve") == "caf\xC3\xA9 na\xC3\xAFve");
  CHECK(nfc("q\xCC\x87\xCC\xA3") == "q\xCC\xA3\xCC\x87");  // ordered, nothing to join
  CHECK(nfc("a\xCC\xA8\xCC\x81") == "\xC4\x85\xCC\x81");  // the first joins, the second has nowhere
  CHECK(nfc("\xE2\x84\xAB") == "\xC3\x85");               // the angstrom sign is a letter
  CHECK(nfc("\xE0\xA4\x95\xE0\xA4\xBC") == "\xE0\xA4\x95\xE0\xA4\xBC");  // an excluded composite
  CHECK(nfc("\xCC\x81"
            "a") ==
        "\xCC\x81"
        "a");
}

TEST_CASE("Hangul syllables are put together", "[normalizer]") {
  CHECK(nfc("\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB") == "\xED\x95\x9C");
  CHECK(nfc("\xEA\xB0\x80\xE1\x86\xA8") == "\xEA\xB0\x81");
  CHECK(nfc("\xEA\xB0\x81\xE1\x86\xA8") == "\xEA\xB0\x81\xE1\x86\xA8");
}

TEST_CASE("malformed bytes pass and keep marks apart", "[normalizer]") {
  CHECK(nfc("\xFF\xCC\x81") == "\xFF\xCC\x81");
  CHECK(nfc("e\xCC") == "e\xCC");
  CHECK(nfc("e\xCC\x81\xFF"
            "e\xCC\x81\xC0\xAF") == "\xC3\xA9\xFF\xC3\xA9\xC0\xAF");
  CHECK(nfc("e\xFF\xCC\x81") == "e\xFF\xCC\x81");
}

TEST_CASE("a long run of marks is ordered in time", "[normalizer]") {
  std::string text = "a";
  std::string above;
  std::string below;
  for (int i = 0; i < 100000; ++i) {
    text += i % 2 == 0 ? "\xCC\x8D" : "\xCC\x95";  // classes 230 and 232
    (i % 2 == 0 ? above : below) += i % 2 == 0 ? "\xCC\x8D" : "\xCC\x95";
  }
  CHECK(nfc(text) == "a" + above + below);
}

TEST_CASE("any bytes normalize once, and in parts at boundaries", "[normalizer][property]") {
  std::mt19937 random(7);
  const std::vector<std::string> alphabet = {"a",
                                             "e",
                                             "\xCC\x81",
                                             "\xCC\xA3",
                                             "\xCC\x88",
                                             "\xE1\x84\x92",
                                             "\xE1\x85\xA1",
                                             "\xE1\x86\xAB",
                                             "\xEA\xB0\x80",
                                             "\xCD\x84",
                                             "\xFF",
                                             "\xC3\xA9",
                                             "\xE0\xA4\xBC",
                                             "\xCC"};
  for (int round = 0; round < 5000; ++round) {
    std::string left;
    std::string right;
    for (size_t i = random() % 8; i > 0; --i) left += alphabet[random() % alphabet.size()];
    for (size_t i = random() % 8; i > 0; --i) right += alphabet[random() % alphabet.size()];
    const std::string once = nfc(left);
    REQUIRE(nfc(once) == once);
    REQUIRE(nfc(left + " " + right) == once + " " + nfc(right));
  }
}

TEST_CASE("Unicode's cases of normalization hold", "[normalizer]") {
  const char* path = std::getenv("TERN_NORMALIZATION_TEST");
  std::ifstream in(path == nullptr ? "" : path);
  if (!in) {
    WARN("skipped: no NormalizationTest.txt in TERN_NORMALIZATION_TEST (package unicode-data)");
    return;
  }
  std::set<char32_t> listed;  // what part 1 does not list stays as it is
  bool is_part_1 = false;
  size_t n_cases = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("@Part")) is_part_1 = line.starts_with("@Part1");
    if (line.empty() || line[0] == '#' || line[0] == '@') continue;
    std::istringstream fields(line);
    std::string column[5];
    for (std::string& text : column) {
      std::getline(fields, text, ';');
      if (&text == column && is_part_1) {
        listed.insert(static_cast<char32_t>(std::stoul(text, nullptr, 16)));
      }
      text = from_hex(text);
    }
    ++n_cases;
    INFO(line);
    bool holds = nfc(column[3]) == column[3] && nfc(column[4]) == column[3];
    for (size_t i = 0; i < 3; ++i) holds = holds && nfc(column[i]) == column[1];
    REQUIRE(holds);
  }
  CHECK(n_cases > 19000);
  for (char32_t value = 0; value <= 0x10FFFF; ++value) {
    if (is_surrogate(value) || listed.contains(value)) continue;
    const std::string text = utf8(value);
    if (nfc(text) != text) FAIL_CHECK("U+" << std::hex << static_cast<uint32_t>(value));
  }
}
