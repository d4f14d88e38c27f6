#include "tern/text/special_index.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Specials {
  explicit Specials(const std::vector<std::string_view>& texts)
      : store(tern::default_allocator()), index(tern::default_allocator()) {
    for (const std::string_view text : texts) {
      store.append(text);
      index.add(store, static_cast<int32_t>(store.size() - 1));
    }
    index.finish(store);
  }
  int32_t at(std::string_view text, size_t position = 0) const {
    return index.longest_match(store, text, position);
  }
  tern::PieceStore store;
  tern::SpecialIndex index;
};

}  // namespace

TEST_CASE("the longest special token at a position is found", "[special_index]") {
  const Specials s({"<|a|>", "<|a", "<|ab|>", "<", "[x]", "\xFF\xFE"});
  CHECK(s.at("<|a|> tail") == 0);
  CHECK(s.at("<|ab|>") == 2);
  CHECK(s.at("<|ab|") == 1);
  CHECK(s.at("<|b") == 3);
  CHECK(s.at("..[x]", 2) == 4);
  CHECK(s.at("[x") == -1);
  CHECK(s.at("\xFF\xFE!") == 5);
  CHECK(s.at("\xFF") == -1);
  CHECK(s.at("", 0) == -1);
  CHECK(s.index.starts_with('['));
  CHECK(s.index.starts_with('\xFF'));
  CHECK_FALSE(s.index.starts_with(']'));
}

TEST_CASE("of tokens with the same text the last one is found, at no further cost",
          "[special_index]") {
  // With every copy looked at in every position this would take ten thousand million steps.
  std::vector<std::string_view> texts(100000, "aa");
  texts.insert(texts.begin(), "aaa");
  const Specials s(texts);
  const std::string text(100000, 'a');
  for (size_t i = 0; i + 2 < text.size(); ++i) REQUIRE(s.at(text, i) == 0);
  CHECK(s.at(text, text.size() - 2) == 100000);
  CHECK(s.at(text, text.size() - 1) == -1);
}

TEST_CASE("a special token as long as may be is found", "[special_index]") {
  const std::string longest(tern::SpecialIndex::kMaxBytes, '<');
  const Specials s({longest, "<"});
  CHECK(s.at(longest + "<") == 0);
  CHECK(s.at(longest, 1) == 1);
}

TEST_CASE("a special token is found by its whole text only", "[special_index]") {
  const Specials s({"<s>", "</s>", "<s>"});
  CHECK(s.index.find(s.store, "<s>") == 2);  // the last of equals
  CHECK(s.index.find(s.store, "</s>") == 1);
  CHECK(s.index.find(s.store, "</s") == -1);
  CHECK(s.index.find(s.store, "</s>>") == -1);
  CHECK(s.index.find(s.store, "") == -1);
}

TEST_CASE("an empty special token never matches", "[special_index]") {
  const Specials s({"", "a"});
  CHECK(s.at("b") == -1);
  CHECK(s.at("a") == 1);
  CHECK(s.index.find(s.store, "") == -1);
}
