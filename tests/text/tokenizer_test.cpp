#include "tern/text/tokenizer.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "text/tiny_vocabularies.hpp"

using tern::TextSegment;
using tern::TokenId;
using tern_test::decode;
using tern_test::encode;
using tern_test::encode_plain;
using tern_test::tiny_byte_bpe;
using tern_test::tiny_spm;
using Ids = std::vector<TokenId>;

namespace {

Ids encode_segments(const tern::Tokenizer& tokenizer, const std::vector<TextSegment>& segments,
                    bool add_special = false) {
  tern::Vector<TokenId> ids;
  REQUIRE(tokenizer.encode(segments, add_special, ids).ok());
  return {ids.begin(), ids.end()};
}

// Of tiny_byte_bpe with one merge.
constexpr TokenId kMerge = 256, kBos = 257, kEos = 258, kEot = 259, kTool = 260;

}  // namespace

TEST_CASE("BOS and EOS are added as the vocabulary says, when asked for", "[tokenizer]") {
  auto tiny = tiny_byte_bpe({{"a", "b"}});
  CHECK(encode(tiny.tokenizer(), "ab", {}) == Ids{kMerge});
  tiny.flags.add_bos = true;
  tiny.flags.add_eos = true;
  CHECK(encode(tiny.tokenizer(), "ab", {}) == Ids{kBos, kMerge, kEos});
  CHECK(encode(tiny.tokenizer(), "", {}) == Ids{kBos, kEos});
  CHECK(encode(tiny.tokenizer(), "ab", {.add_special = false}) == Ids{kMerge});
}

TEST_CASE("control tokens are found only where special text is parsed", "[tokenizer]") {
  const auto t = tiny_byte_bpe({{"a", "b"}}).tokenizer();
  CHECK(encode(t, "ab<|eot_id|>ab", {.parse_special = true}) == Ids{kMerge, kEot, kMerge});
  const Ids plain = encode(t, "<|eot_id|>", {});
  CHECK(plain.size() == 10);
  CHECK(decode(t, plain) == "<|eot_id|>");
}

TEST_CASE("user-defined tokens are always found", "[tokenizer]") {
  const auto t = tiny_byte_bpe({{"a", "b"}}).tokenizer();
  CHECK(encode(t, "ab[tool]ab", {}) == Ids{kMerge, kTool, kMerge});
  CHECK(encode(t, "ab[tool", {}).size() == 6);
}

TEST_CASE("a control token that hides a user-defined one does so only where parsed",
          "[tokenizer]") {
  auto tiny = tiny_byte_bpe({{"a", "b"}});
  const auto longer = tiny.add("[tool]]", tern::TokenType::control);
  const auto t = tiny.tokenizer();
  CHECK(encode(t, "[tool]]", {.parse_special = true}) == Ids{longer});
  CHECK(encode(t, "[tool]]", {}) == Ids{kTool, ']'});
}

TEST_CASE("plain text is joined across the seams of segments, special text is not", "[tokenizer]") {
  const auto t = tiny_byte_bpe({{"a", "b"}}).tokenizer();
  CHECK(encode_segments(t, {{"a", true}, {"b", false}}) == Ids{kMerge});
  CHECK(encode_segments(t, {{"a", true}, {"", false}, {"b", true}}) == Ids{kMerge});
  CHECK(encode_segments(t, {{"<|eot_id|>a", true}, {"b<|eot_id|>", false}}).size() == 1 + 1 + 10);
  // Two halves that a user put beside a marker do not become one.
  const Ids halves = encode_segments(t, {{"<|eot", true}, {"_id|>", true}});
  CHECK(halves == encode_plain(t, "<|eot_id|>"));
  CHECK(encode_segments(t, {}, true).empty());
}

TEST_CASE("SentencePiece puts a space in front of a text and behind special tokens",
          "[tokenizer]") {
  const auto t = tiny_spm({{" ", 0}, {"a", 0}, {" a", -1}}).tokenizer();
  constexpr TokenId kSpace = 259, kA = 260, kSpaceA = 261;
  CHECK(encode(t, "a", {}) == Ids{1, kSpaceA});
  CHECK(encode(t, "<s>a</s>a", {.add_special = false, .parse_special = true}) ==
        Ids{1, kSpaceA, 2, kSpaceA});
  // A seam between plain segments is no beginning.
  CHECK(encode_segments(t, {{"a", false}, {"a", false}}) == Ids{kSpaceA, kA});
  CHECK(encode_segments(t, {{"a", false}, {" ", false}}) == Ids{kSpaceA, kSpace});
}

TEST_CASE("special tokens take the whitespace beside them where the vocabulary says so",
          "[tokenizer]") {
  auto tiny = tiny_byte_bpe({{"a", "b"}});
  const int32_t ids[] = {kEot};
  tiny.flags.strip_left = ids;
  const auto left = tiny.tokenizer();
  const tern::EncodeOptions parsed = {.add_special = false, .parse_special = true};
  CHECK(encode(left, "a \t<|eot_id|> a", parsed) == Ids{'a', kEot, ' ', 'a'});
  CHECK(encode(left, " <|eot_id|><|eot_id|>", parsed) == Ids{kEot, kEot});
  CHECK(encode_segments(left, {{"a ", false}, {" <|eot_id|>", true}}) == Ids{'a', kEot});
  tiny.flags.strip_left = {};
  tiny.flags.strip_right = ids;
  CHECK(encode(tiny.tokenizer(),
               "a <|eot_id|> \xC2\xA0"
               "a ",
               parsed) == Ids{'a', ' ', kEot, 'a', ' '});
  const int32_t outside[] = {100000};
  tiny.flags.strip_right = outside;
  CHECK(tiny.error().status == tern::Status::mismatch);
}

TEST_CASE("generation ends at further tokens that the vocabulary names", "[tokenizer]") {
  auto tiny = tiny_byte_bpe({{"a", "b"}});
  const int32_t ids[] = {'a'};
  CHECK_FALSE(tiny.tokenizer().vocabulary().is_end_of_generation('a'));
  tiny.flags.end_tokens = ids;
  CHECK(tiny.tokenizer().vocabulary().is_end_of_generation('a'));
}

TEST_CASE("a normalizer composes each run between special tokens", "[tokenizer]") {
  auto tiny = tiny_byte_bpe({{"\xC3", "\xA9"}});
  tiny.flags.normalizer = tern::Normalizer::nfc;
  const auto t = tiny.tokenizer();
  const tern::EncodeOptions parsed = {.add_special = false, .parse_special = true};
  CHECK(encode(t, "e\xCC\x81", parsed) == Ids{kMerge});
  CHECK(encode(t, "e<|eot_id|>\xCC\x81", parsed) == Ids{'e', kEot, 0xCC, 0x81});
  // The seam of segments is none to a run.
  CHECK(encode_segments(t, {{"e", false}, {"\xCC\x81", false}}) == Ids{kMerge});
}

TEST_CASE("decoding hides or shows control tokens and takes off the first space", "[tokenizer]") {
  const auto t = tiny_spm({{" ", 0}, {"a", 0}, {" a", -1}}).tokenizer();
  constexpr TokenId kSpaceA = 261;
  CHECK(decode(t, {1, kSpaceA, kSpaceA, 2}) == "a a");
  CHECK(decode(t, {1, kSpaceA, 2}, {.show_special = true}) == "<s>a</s>");
  CHECK(decode(t, {kSpaceA}, {.begins_text = false}) == " a");
  CHECK(decode(t, {3 + 0xE2, 3 + 0x82, 3 + 0xAC}) == "\xE2\x82\xAC");
  CHECK(decode(t, {}).empty());
}

TEST_CASE("an id outside the vocabulary is an error at its index", "[tokenizer]") {
  const auto t = tiny_byte_bpe({{"a", "b"}}).tokenizer();
  const TokenId ids[] = {'a', 261};
  tern::String text;
  const auto result = t.decode(ids, {}, text);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().status == tern::Status::token_out_of_range);
  CHECK(result.error().where == 1);
  CHECK(text == "a");
  CHECK(t.piece(-1).status() == tern::Status::token_out_of_range);
  CHECK(*t.piece(kEot) == "<|eot_id|>");
}

TEST_CASE("encoding appends", "[tokenizer]") {
  const auto t = tiny_byte_bpe({{"a", "b"}}).tokenizer();
  tern::Vector<TokenId> ids = {42};
  REQUIRE(t.encode("ab", {}, ids).ok());
  CHECK(Ids(ids.begin(), ids.end()) == Ids{42, kMerge});
}

TEST_CASE("any bytes survive byte-level encoding and decoding", "[tokenizer][property]") {
  std::mt19937 random(3);
  for (const tern::PretokenizerSpec& spec : tern::kPretokenizers) {
    const auto t = tiny_byte_bpe({{"a", "b"}, {" ", "ab"}, {"\xE4", "\xBD"}, {"1", "2"}}, spec.name)
                       .tokenizer();
    for (int round = 0; round < 100; ++round) {
      const std::string text =
          tern_test::random_text(random, 50, " ab12\n'\xE4\xBD\xA0[tool]<|eos|>");
      REQUIRE(decode(t, encode_plain(t, text)) == text);
    }
  }
}

TEST_CASE("any bytes survive SentencePiece with byte tokens", "[tokenizer][property]") {
  std::mt19937 random(5);
  const auto t = tiny_spm({{" ", 0}, {"a", 0}, {" a", -1}, {"  ", -2}, {"ab", -1}}).tokenizer();
  const std::string replaced = "\xE2\x96\x81";  // U+2581 alone does not: it becomes a space
  for (int round = 0; round < 3000; ++round) {
    const std::string text = tern_test::random_text(random, 40, " ab<s>\n\xE4\xBD\xA0");
    if (text.find(replaced) != std::string::npos) continue;
    REQUIRE(decode(t, encode_plain(t, text)) == text);
  }
}
