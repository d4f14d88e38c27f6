// Merges by token ids: the same tokens as merges by text, and nothing that text must not become.
#include "tiny_vocabularies.hpp"

using namespace tern_test;
using tern::Status;
using tern::TokenMerge;

namespace {

const std::vector<std::pair<std::string, std::string>> kPairs = {
    {"t", "h"}, {"th", "e"}, {" ", "the"}, {"a", "b"}, {"b", "a"}, {"ab", "ab"}, {"he", "a"}};

tern::Vector<TokenMerge> merges_of(const tern::Tokenizer& tokenizer) {
  auto merges = tokenizer.vocabulary().token_merges();
  REQUIRE(merges.ok());
  return *std::move(merges);
}

tern::Error error_with(TinyVocabulary& v, std::vector<TokenMerge> merges) {
  tern::VocabularyData data = v.data();
  data.merges = {};
  data.token_merges = merges;
  const auto result = tern::Vocabulary::create(data, tern::default_allocator());
  REQUIRE_FALSE(result.ok());
  return result.error();
}

}  // namespace

TEST_CASE("merges come out best first, as the ids of what they join and make") {
  TinyVocabulary v = tiny_byte_bpe({{"t", "h"}, {"th", "e"}});
  const auto merges = merges_of(v.tokenizer());
  REQUIRE(merges.size() == 2);
  CHECK((merges[0].left == 't' && merges[0].right == 'h' && merges[0].result == 256));
  CHECK((merges[1].left == 256 && merges[1].right == 'e' && merges[1].result == 257));
}

TEST_CASE("a vocabulary by token merges gives the tokens of the one by texts") {
  TinyVocabulary v = tiny_byte_bpe({kPairs.begin(), kPairs.end() - 1});  // {"he", "a"} has no "he"
  const tern::Tokenizer by_text = v.tokenizer();
  const auto merges = merges_of(by_text);
  CHECK(merges.size() == 6);
  tern::VocabularyData data = v.data();
  data.merges = {};
  data.token_merges = merges;
  auto by_ids = tern::Tokenizer::create(data, tern::default_allocator());
  REQUIRE(by_ids.ok());
  std::mt19937 random(5);
  for (int i = 0; i < 500; ++i) {
    const std::string text = random_text(random, 40, "thea b");
    CHECK(encode_plain(*by_ids, text) == encode_plain(by_text, text));
  }
}

TEST_CASE("where a merge passes through bytes that are no token, there are no token merges") {
  TinyVocabulary v = tiny_byte_bpe(kPairs);
  CHECK(merges_of(v.tokenizer()).empty());
}

TEST_CASE("token merges of what is no text token are refused: text never becomes a control token") {
  TinyVocabulary v = tiny_byte_bpe({{"t", "h"}});
  const auto control = static_cast<tern::TokenId>(*v.flags.bos);
  const auto past = static_cast<tern::TokenId>(v.tokens.size());
  for (const tern::TokenId bad : {control, past, tern::TokenId{-1}}) {
    CHECK(error_with(v, {{'t', 'h', bad}}).status == Status::malformed);
    CHECK(error_with(v, {{bad, 'h', 256}}).status == Status::malformed);
    CHECK(error_with(v, {{'t', bad, 256}}).status == Status::malformed);
  }
}

TEST_CASE("of equal token merges the first one counts") {
  TinyVocabulary v = tiny_byte_bpe({{"t", "h"}, {"h", "t"}});
  tern::VocabularyData data = v.data();
  data.merges = {};
  const std::vector<TokenMerge> merges = {{'t', 'h', 256}, {'t', 'h', 257}};
  data.token_merges = merges;
  auto tokenizer = tern::Tokenizer::create(data, tern::default_allocator());
  REQUIRE(tokenizer.ok());
  CHECK(encode_plain(*tokenizer, "th") == std::vector<tern::TokenId>{256});
}
