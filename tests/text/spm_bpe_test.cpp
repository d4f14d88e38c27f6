#include "tern/text/spm_bpe.hpp"

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <iterator>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "text/tiny_vocabularies.hpp"

using tern::TokenId;
using tern_test::encode;
using tern_test::encode_plain;
using tern_test::tiny_spm;
using Ids = std::vector<TokenId>;

namespace {

constexpr TokenId kFirst = 259;  // the first piece of tiny_spm

TokenId byte_id(uint8_t byte) { return static_cast<TokenId>(3 + byte); }

/// SentencePiece-BPE as the textbook has it, over the whole text at once. ASCII only.
std::vector<std::string> naive_spm(const std::string& text, const tern::Vocabulary& vocabulary) {
  std::vector<std::string> parts;
  for (const char c : text) parts.emplace_back(1, c);
  for (;;) {
    size_t best = parts.size();
    float best_score = 0.0f;
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      const TokenId id = vocabulary.find_piece(parts[i] + parts[i + 1]);
      if (id == tern::kNoToken) continue;
      if (best == parts.size() || vocabulary.score(id) > best_score) {
        best = i;
        best_score = vocabulary.score(id);
      }
    }
    if (best == parts.size()) return parts;
    parts[best] += parts[best + 1];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

}  // namespace

TEST_CASE("the highest score is merged first, ties from the left", "[spm_bpe]") {
  auto tiny =
      tiny_spm({{" ", 0}, {"a", 0}, {"b", 0}, {"ab", -3}, {"ba", -2}, {" a", -4}, {"aa", -5}});
  tiny.flags.add_space_prefix = false;
  const auto t = tiny.tokenizer();
  CHECK(encode_plain(t, "aba") == Ids{kFirst + 1, kFirst + 4});
  CHECK(encode_plain(t, "aaa") == Ids{kFirst + 6, kFirst + 1});
  CHECK(encode_plain(t, " ab") == Ids{kFirst + 0, kFirst + 3});
}

TEST_CASE("a text begins with a space, an empty one does not begin", "[spm_bpe]") {
  const auto t = tiny_spm({{" ", 0}, {"a", 0}, {" a", -1}, {"  ", -2}}).tokenizer();
  CHECK(encode_plain(t, "a") == Ids{kFirst + 2});
  CHECK(encode_plain(t, " a") == Ids{kFirst, kFirst + 2});
  CHECK(encode_plain(t, "").empty());
  CHECK(encode_plain(t, " ") == Ids{kFirst + 3});
  // U+2581 in a text is the space that it stands for.
  CHECK(encode_plain(t,
                     "\xE2\x96\x81"
                     "a") == encode_plain(t, " a"));
}

TEST_CASE("resolved merges stand for the scores", "[spm_bpe]") {
  auto tiny = tiny_spm({{" ", 0}, {"a", 0}, {"b", 0}, {"ab", -3}, {"ba", -2}, {"aba", 0}});
  tiny.flags.add_space_prefix = false;
  const TokenId a = kFirst + 1;
  const TokenId b = kFirst + 2;
  const TokenId ab = kFirst + 3;
  CHECK(encode_plain(tiny.tokenizer(), "aba") == Ids{kFirst + 5});
  const tern::TokenMerge merges[] = {{a, b, ab}, {b, a, kFirst + 4}};
  tiny.flags.token_merges = merges;
  const auto t = tiny.tokenizer();
  CHECK(encode_plain(t, "aba") == Ids{ab, a});  // none leads to "aba"
  CHECK(encode_plain(t, "ba\xFF") == Ids{kFirst + 4, byte_id(0xFF)});
  const auto kept = t.vocabulary().token_merges();
  REQUIRE(kept.ok());
  CHECK(kept->size() == 2);
}

TEST_CASE("a space is put before runs as the vocabulary says", "[spm_bpe]") {
  auto tiny = tiny_spm({{" ", 0}, {"a", 0}});
  const auto ids_of = [&tiny](tern::SpacePrefix prefix, std::string_view text) {
    tiny.flags.space_prefix = prefix;
    return encode(tiny.tokenizer(), text, {.add_special = false, .parse_special = true});
  };
  const TokenId space = kFirst;
  const TokenId a = kFirst + 1;
  CHECK(ids_of(tern::SpacePrefix::none, "a<s>a") == Ids{a, 1, a});
  CHECK(ids_of(tern::SpacePrefix::runs, "a<s> a") == Ids{space, a, 1, space, space, a});
  CHECK(ids_of(tern::SpacePrefix::unspaced_runs, "a<s> a") == Ids{space, a, 1, space, a});
  CHECK(ids_of(tern::SpacePrefix::unspaced_runs, "<s>a") == Ids{1, space, a});
  CHECK(ids_of(tern::SpacePrefix::first_unspaced, "a<s>a") == Ids{space, a, 1, a});
  CHECK(ids_of(tern::SpacePrefix::first_unspaced, "<s>a") == Ids{1, a});
  CHECK(ids_of(tern::SpacePrefix::first_unspaced,
               "\xE2\x96\x81"
               "a") == Ids{space, a});
}

TEST_CASE("no merge reaches back over a space where the text is split there", "[spm_bpe]") {
  auto tiny = tiny_spm({{" ", 0}, {"a", 0}, {"  ", -1}, {" a", -2}});
  tiny.flags.add_space_prefix = false;
  CHECK(encode_plain(tiny.tokenizer(), "  a") == Ids{kFirst + 2, kFirst + 1});
  tiny.flags.split_at_spaces = true;
  CHECK(encode_plain(tiny.tokenizer(), "  a") == Ids{kFirst, kFirst + 3});
}

TEST_CASE("characters without a token become their bytes", "[spm_bpe]") {
  const auto t = tiny_spm({{" ", 0}, {"a", 0}}).tokenizer();
  CHECK(encode_plain(t, "a\xE2\x82\xAC") ==
        Ids{kFirst, kFirst + 1, byte_id(0xE2), byte_id(0x82), byte_id(0xAC)});
  CHECK(encode_plain(t, "\n\xFF") == Ids{kFirst, byte_id('\n'), byte_id(0xFF)});
}

TEST_CASE("bytes without a token become the unknown token", "[spm_bpe]") {
  tern_test::TinyVocabulary tiny;
  tiny.flags.kind = tern::TokenizerKind::spm_bpe;
  tiny.flags.add_space_prefix = false;
  tiny.add("<unk>", tern::TokenType::unknown);
  tiny.add("a", tern::TokenType::normal);
  tiny.add("b", tern::TokenType::normal);
  CHECK(encode_plain(tiny.tokenizer(), "ax") == Ids{1, 0});
}

TEST_CASE("the names of control, unknown and byte tokens are text like any other", "[spm_bpe]") {
  // Every step of a merge to <s> and to <0x41> is there.
  auto tiny = tiny_spm({{"<", 0},
                        {"s", 0},
                        {">", 0},
                        {"<s", -1},
                        {"0", 0},
                        {"x", 0},
                        {"4", 0},
                        {"1", 0},
                        {"<0", -1},
                        {"<0x", -1},
                        {"<0x4", -1},
                        {"<0x41", -1}});
  tiny.flags.add_space_prefix = false;
  const auto t = tiny.tokenizer();
  CHECK(encode_plain(t, "<s>") == Ids{kFirst + 3, kFirst + 2});
  CHECK(encode_plain(t, "<0x41>") == Ids{kFirst + 11, kFirst + 2});
}

TEST_CASE("scores order like floats", "[spm_bpe]") {
  const float infinity = std::numeric_limits<float>::infinity();
  const float scores[] = {infinity, 3.5f, 1e-30f, 0.0f, -1e-30f, -1.0f, -1000.0f, -infinity};
  for (size_t i = 1; i < std::size(scores); ++i) {
    CHECK(tern::detail::order_of_score(scores[i - 1]) < tern::detail::order_of_score(scores[i]));
  }
  CHECK(tern::detail::order_of_score(-0.0f) == tern::detail::order_of_score(0.0f));
}

TEST_CASE("scores of random bits order like floats, and all of them have an order",
          "[spm_bpe][property]") {
  using tern::detail::order_of_score;
  std::mt19937 random(17);
  const auto any = [&random] { return std::bit_cast<float>(static_cast<uint32_t>(random())); };
  int normals = 0;
  for (int round = 0; round < 20000; ++round) {
    const float a = any();
    const float b = round % 2 == 0 ? any() : std::bit_cast<float>(std::bit_cast<uint32_t>(a) ^ 1u);
    if (!std::isnormal(a) || !std::isnormal(b)) continue;
    ++normals;
    REQUIRE((order_of_score(a) < order_of_score(b)) == (a > b));
    REQUIRE((order_of_score(a) == order_of_score(b)) == (a == b));
  }
  CHECK(normals > 15000);

  // Subnormal numbers and NaN, by their bits.
  const uint32_t descending[] = {0x7FC00000, 0x7F800000, 0x00800000, 0x007FFFFF, 0x00000001, 0,
                                 0x80000001, 0x807FFFFF, 0x80800000, 0xFF800000, 0xFFC00000};
  for (size_t i = 1; i < std::size(descending); ++i) {
    CHECK(order_of_score(std::bit_cast<float>(descending[i - 1])) <
          order_of_score(std::bit_cast<float>(descending[i])));
  }
}

#if defined(__SSE2__)
TEST_CASE("a host that takes subnormal numbers for zero changes no order", "[spm_bpe]") {
  const volatile float smallest = std::numeric_limits<float>::denorm_min();
  constexpr unsigned kDenormalsAreZero = 0x40;
  const unsigned before = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(before | kDenormalsAreZero);
  const bool is_zero = smallest == 0.0f;
  const uint32_t order = tern::detail::order_of_score(smallest);
  __builtin_ia32_ldmxcsr(before);
  CHECK(is_zero);  // the host's mode was on
  CHECK(order < tern::detail::order_of_score(0.0f));
}
#endif

TEST_CASE("cutting at spaces changes nothing", "[spm_bpe][property]") {
  std::mt19937 random(11);
  for (int round = 0; round < 120; ++round) {
    std::vector<std::pair<std::string, float>> pieces = {{" ", 0}, {"a", 0}, {"b", 0}};
    // Every other vocabulary has tokens with spaces inside, so its texts cannot be cut.
    const bool inner = round % 2 == 0;
    for (int i = 0; i < 12; ++i) {
      std::string piece = pieces[random() % pieces.size()].first;
      const std::string& tail = pieces[random() % pieces.size()].first;
      const bool is_blank = piece.find_first_not_of(' ') == std::string::npos;
      if (!inner && !is_blank && tail.find(' ') != std::string::npos) continue;
      if (!inner && tail.find_last_of(' ') != std::string::npos && tail.back() != ' ' &&
          !is_blank) {
        continue;
      }
      piece += tail;
      pieces.push_back({piece, -static_cast<float>(random() % 8)});
    }
    auto tiny = tiny_spm(pieces);
    tiny.flags.add_space_prefix = false;
    const auto t = tiny.tokenizer();
    if (!inner) REQUIRE(t.vocabulary().spaces_begin_pieces());
    for (int k = 0; k < 20; ++k) {
      std::string text(random() % 40, ' ');
      for (char& c : text) c = "  ab"[random() % 4];
      Ids expected;
      for (const std::string& part : naive_spm(text, t.vocabulary())) {
        expected.push_back(t.vocabulary().find_piece(part));
      }
      REQUIRE(encode_plain(t, text) == expected);
    }
  }
}
