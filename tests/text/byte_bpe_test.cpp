#include "tern/text/byte_bpe.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "text/tiny_vocabularies.hpp"

using tern::TokenId;
using tern_test::encode_plain;
using tern_test::tiny_byte_bpe;
using Ids = std::vector<TokenId>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

namespace {

/// BPE as the textbook has it: find the pair of lowest rank, leftmost, join it, start again.
std::vector<std::string> naive_bpe(std::string_view piece, const Pairs& merges) {
  std::vector<std::string> parts;
  for (const char byte : piece) parts.emplace_back(1, byte);
  for (;;) {
    size_t best_rank = merges.size();
    size_t best_at = 0;
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto pair = std::make_pair(parts[i], parts[i + 1]);
      const auto rank =
          static_cast<size_t>(std::find(merges.begin(), merges.end(), pair) - merges.begin());
      if (rank < best_rank) {
        best_rank = rank;
        best_at = i;
      }
    }
    if (best_rank == merges.size()) return parts;
    parts[best_at] += parts[best_at + 1];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best_at) + 1);
  }
}

}  // namespace

TEST_CASE("merges apply by rank inside the pieces of the pre-tokenizer", "[byte_bpe]") {
  const auto t = tiny_byte_bpe({{"h", "e"}, {" ", "t"}, {" t", "he"}, {"e", "n"}}).tokenizer();
  CHECK(encode_plain(t, "the then") == Ids{'t', 256, 258, 'n'});
  CHECK(encode_plain(t, "").empty());
}

TEST_CASE("only vocabularies that ignore merges take a piece that is a token whole", "[byte_bpe]") {
  // "abc" is a token that the merges cannot reach: b c comes first.
  auto tiny = tiny_byte_bpe({{"b", "c"}, {"ab", "c"}}, "llama3");
  CHECK(encode_plain(tiny.tokenizer(), "abc") == Ids{257});
  tiny.flags.ignore_merges = false;
  CHECK(encode_plain(tiny.tokenizer(), "abc") == Ids{'a', 256});
}

TEST_CASE("bytes without a token are dropped", "[byte_bpe]") {
  tern_test::TinyVocabulary tiny;
  tiny.flags.pretokenizer = "gpt-2";
  const auto a = tiny.add("a", tern::TokenType::normal);
  const auto aa = tiny.add("aa", tern::TokenType::normal);
  tiny.merges = {"a a"};
  CHECK(encode_plain(tiny.tokenizer(),
                     "aabaa\xFF"
                     "a") == Ids{aa, aa, a});
}

TEST_CASE("random merges give what the textbook gives", "[byte_bpe][property]") {
  std::mt19937 random(7);
  for (int round = 0; round < 60; ++round) {
    // Merges of what is there already, in random order, so that some cannot be reached.
    std::vector<std::string> pieces = {"a", "b", "c"};
    Pairs pairs;
    for (int i = 0; i < 14; ++i) {
      const auto pair =
          std::make_pair(pieces[random() % pieces.size()], pieces[random() % pieces.size()]);
      if (std::find(pairs.begin(), pairs.end(), pair) != pairs.end()) continue;
      if (pair.first.size() + pair.second.size() > 12) continue;
      pairs.push_back(pair);
      pieces.push_back(pair.first + pair.second);
    }
    std::shuffle(pairs.begin(), pairs.end(), random);
    const auto tokenizer = tiny_byte_bpe(pairs).tokenizer();
    for (int k = 0; k < 20; ++k) {
      std::string word(random() % 60, 'a');
      for (char& c : word) c = static_cast<char>('a' + random() % 3);
      Ids expected;
      for (const std::string& part : naive_bpe(word, pairs)) {
        expected.push_back(tokenizer.vocabulary().find_piece(part));
      }
      REQUIRE(encode_plain(tokenizer, word) == expected);
    }
  }
}
