// Patterns by PCRE2: those that tern knows are cut as its own code does, others as they say.
#include "pcre2_patterns.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "support/hf_json_samples.hpp"
#include "support/hf_vocabulary_files.hpp"

using tern::Status;
using tern_test::HfJson;

namespace {

bool have_pcre2() {
  if (cli::pattern_compiler() != nullptr) return true;
  WARN("skipped: a build without PCRE2");
  return false;
}

std::shared_ptr<const tern::PatternSplitter> compiled(std::string_view pattern) {
  auto splitter = cli::pattern_compiler()->compile(pattern);
  if (!splitter.ok()) FAIL(splitter.error().what << ": " << splitter.error().subject);
  return *splitter;
}

class Ends final : public tern::PieceSink {
 public:
  void piece_ends_at(size_t end) override { ends.push_back(end); }
  std::vector<size_t> ends;
};

std::vector<size_t> ends_of(const tern::PatternSplitter& splitter, std::string_view text) {
  Ends sink;
  const auto split = splitter.split(text, sink);
  if (!split.ok()) FAIL(split.error().what);
  return sink.ends;
}

std::vector<size_t> ends_of(tern::PieceEnd step, std::string_view text) {
  std::vector<size_t> ends;
  for (size_t at = 0; at < text.size();) ends.push_back(at = step(text, at));
  return ends;
}

std::string pieces_of(std::string_view pattern, std::string_view text) {
  std::string out;
  size_t begin = 0;
  for (const size_t end : ends_of(*compiled(pattern), text)) {
    out += (begin == 0 ? "" : "|") + std::string(text.substr(begin, end - begin));
    begin = end;
  }
  return out;
}

/// Characters of many scripts and classes. Not among them are the two on which tern and its peers
/// differ from PCRE2: U+180E, a space there, and U+017F, an s in any case there.
std::string mixed_text(uint32_t seed) {
  struct Range {
    char32_t first, last;
  };
  constexpr Range kRanges[] = {
      {0x20, 0x7E},      {0x20, 0x20},     {0x09, 0x0D},     {0x27, 0x27},       {0x61, 0x7A},
      {0x30, 0x39},      {0x85, 0x85},     {0xA0, 0xFF},     {0x100, 0x17E},     {0x300, 0x30F},
      {0x391, 0x3A1},    {0x410, 0x44F},   {0x5D0, 0x5EA},   {0x621, 0x64A},     {0x660, 0x669},
      {0x904, 0x939},    {0x93E, 0x94D},   {0xE01, 0xE30},   {0x1100, 0x1112},   {0x2000, 0x200A},
      {0x200B, 0x200F},  {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F},   {0x3000, 0x3003},
      {0x2150, 0x215F},  {0x2160, 0x216B}, {0x2190, 0x21FF}, {0x3041, 0x3096},   {0x30A1, 0x30FA},
      {0x4E00, 0x4FFF},  {0xAC00, 0xACFF}, {0xFF01, 0xFF5E}, {0x1D400, 0x1D433}, {0x1F600, 0x1F64F},
      {0x20000, 0x200FF}};
  constexpr std::string_view kWords[] = {"'s", "'LL", "'Re", "\r\n", "  ", " \n", "don't", "2024"};
  std::mt19937 rng(seed);
  std::string text;
  for (size_t i = rng() % 60 + 1; i > 0; --i) {
    if (rng() % 8 == 0) {
      text += kWords[rng() % std::size(kWords)];
      continue;
    }
    const Range& range = kRanges[rng() % std::size(kRanges)];
    for (size_t n = rng() % 4 + 1; n > 0; --n) {
      const auto c = static_cast<char32_t>(range.first + rng() % (range.last - range.first + 1));
      text += tern::encode_utf8(c).view();
    }
  }
  return text;
}

}  // namespace

TEST_CASE("known patterns cut mixed text as tern's own code does") {
  if (!have_pcre2()) return;
  for (const tern::HfPattern& known : tern::kHfPatterns) {
    const auto splitter = compiled(known.regex);
    const tern::PieceEnd step = tern::detail::step_end(known.step);
    for (uint32_t seed = 0; seed < 3000; ++seed) {
      const std::string text = mixed_text(seed);
      const auto expected = ends_of(step, text);
      if (ends_of(*splitter, text) == expected) continue;
      FAIL(known.step << " differs, seed " << seed << ": " << text);
    }
  }
  SUCCEED();
}

TEST_CASE("matches and what is between them are pieces") {
  if (!have_pcre2()) return;
  CHECK(pieces_of("[abc]+", "xxabcxa") == "xx|abc|x|a");
  CHECK(pieces_of("[abc]+", "xyz") == "xyz");
  CHECK(pieces_of("x*", "axxb") == "a|xx|b");
  CHECK(pieces_of("(?=b)", "abab") == "a|ba|b");  // a match without characters cuts
  CHECK(pieces_of(R"((?=(\d{3})+(?!\d)))", "x1234567 12") == "x1|234|567 12");
  CHECK(pieces_of(R"(\p{Lu}\p{Ll}+)", "\xC3\x89tat\xC3\x89t\xC3\xA9") ==
        "\xC3\x89tat|\xC3\x89t\xC3\xA9");
  CHECK(pieces_of("^a", "aa\nab") == "a|a\n|a|b");  // at the beginning of every line
}

TEST_CASE("any bytes are cut somewhere, and together are the text") {
  if (!have_pcre2()) return;
  const auto splitter = compiled(tern::kHfPatterns[0].regex);
  CHECK(ends_of(*splitter,
                "ab\xFF\xFE"
                "cd") == std::vector<size_t>{2, 4, 6});
  std::mt19937 rng(5);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (size_t n = rng() % 40 + 1; n > 0; --n) text += static_cast<char>(rng());
    size_t last = 0;
    for (const size_t end : ends_of(*splitter, text)) {
      CHECK(end > last);
      last = end;
    }
    CHECK(last == text.size());
  }
}

TEST_CASE("patterns that are none, and those with another meaning, are refused") {
  if (!have_pcre2()) return;
  for (const char* pattern :
       {"[abc", "(", "a{2}+", "[a-z&&[^b]]", "[a[bc]]", R"(\h+)", "(?m:a.b)", "[]a]"}) {
    INFO(pattern);
    const auto refused = cli::pattern_compiler()->compile(pattern);
    CHECK(refused.status() == Status::unsupported_tokenizer);
  }
  for (const char* pattern :
       {R"([\[\]]+)", "[[:alpha:]]+", "(?i:'s)", "(?<name>a)b", "(?:a|b)++", "(?!a)b"}) {
    INFO(pattern);
    CHECK(cli::pattern_compiler()->compile(pattern).ok());
  }
}

TEST_CASE("a text that takes too long is an error") {
  if (!have_pcre2()) return;
  const auto splitter = compiled("(a|aa)+$");
  Ends sink;
  const auto split = splitter->split(std::string(60, 'a') + "b", sink);
  CHECK(split.status() == Status::unsupported_tokenizer);
}

TEST_CASE("a tokenizer.json with an unknown pattern needs a splitter, and then has its pieces") {
  if (!have_pcre2()) return;
  HfJson json = HfJson::byte_level();
  json.pre_tokenizer = tern_test::split_and_byte_level("[ab]b?");
  const auto refused = tern_test::load_hf_tokenizer(json.files());
  REQUIRE(refused.status() == Status::unsupported_tokenizer);
  CHECK(std::string_view(refused.error().subject) == "[ab]b?");
  const auto tokenizer = tern_test::load_hf_tokenizer(json.files(), tern::default_allocator(),
                                                      cli::pattern_compiler());
  REQUIRE(tokenizer.ok());
  tern::Vector<tern::TokenId> ids;
  REQUIRE(tokenizer->encode("abab bb", {}, ids).ok());
  CHECK(std::vector<int>(ids.begin(), ids.end()) == std::vector<int>{256, 256, ' ', 'b', 'b'});
}
