// Pre-tokenizers with patterns: a host's splitter between the steps that tern knows.
#include "tern/text/pretokenizer_with_patterns.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using tern::Error;
using tern::Pretokenizer;
using tern::Result;
using tern::Status;

namespace {

/// Cuts a text behind each of the first character of its pattern; what a test asks for may go
/// wrong.
class CharSplitter final : public tern::PatternSplitter {
 public:
  explicit CharSplitter(std::string_view pattern) : pattern_(pattern) {}
  Result<void> split(std::string_view text, tern::PieceSink& sink) const override {
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '!') return Error(Status::unsupported_tokenizer, "too much work");
      if (text[i] != pattern_[0]) continue;
      sink.piece_ends_at(i + 1);
      sink.piece_ends_at(i + 1);            // an empty piece is none
      sink.piece_ends_at(i);                // nor is one that goes back
      sink.piece_ends_at(text.size() + 1);  // or beyond the text
    }
    return {};
  }

 private:
  std::string pattern_;
};

class CharCompiler final : public tern::PatternCompiler {
 public:
  Result<std::shared_ptr<const tern::PatternSplitter>> compile(
      std::string_view pattern) const override {
    if (pattern == "bad") return Error(Status::unsupported_tokenizer, "no pattern", pattern);
    return std::shared_ptr<const tern::PatternSplitter>(std::make_shared<CharSplitter>(pattern));
  }
};

using Patterns = std::vector<std::string_view>;

Result<Pretokenizer> create(std::string_view name, const Patterns& patterns) {
  const CharCompiler compiler;
  return Pretokenizer::create(name, patterns, &compiler);
}

std::string pieces_of(const Pretokenizer& pretokenizer, std::string_view text) {
  std::string out;
  const auto split = pretokenizer.split(
      text, [&](std::string_view piece) { out += (out.empty() ? "" : "|") + std::string(piece); });
  return split.ok() ? out : std::string("error: ") + split.error().what;
}

}  // namespace

TEST_CASE("a pattern cuts what the steps before it leave, and the steps behind cut its pieces") {
  const auto alone = create("tern:pattern", {"-"});
  REQUIRE(alone.ok());
  CHECK(pieces_of(*alone, "a-b--c") == "a-|b-|-|c");
  CHECK(pieces_of(*alone, "-") == "-");
  CHECK(pieces_of(*alone, "abc") == "abc");
  CHECK(pieces_of(*alone, "") == "");
  const auto between = create("tern:digits_1,pattern,gpt2", {"-"});
  REQUIRE(between.ok());
  CHECK(pieces_of(*between, "ab c-d1e-2") == "ab| c|-|d|1|e|-|2");
  const auto two = create("tern:pattern,pattern", {"-", "+"});
  REQUIRE(two.ok());
  CHECK(pieces_of(*two, "a+b-c+-d") == "a+|b-|c+|-|d");
}

TEST_CASE("pre-tokenizers without patterns are as before") {
  const auto known = Pretokenizer::create("gpt-2", {}, nullptr);
  REQUIRE(known.ok());
  CHECK(known->spec().name == "gpt-2");
  CHECK(pieces_of(*known, "it's 12 o") == "it|'s| 12| o");
}

TEST_CASE("what a splitter refuses is an error, not pieces") {
  const auto splitting = create("tern:pattern,gpt2", {"-"});
  REQUIRE(splitting.ok());
  CHECK(pieces_of(*splitting, "a-b!") == "error: too much work");
  const auto inner = create("tern:pattern,pattern", {"-", "+"});
  REQUIRE(inner.ok());
  CHECK(pieces_of(*inner, "a-b") == "a-|b");
  CHECK(pieces_of(*inner, "a-!-b") == "error: too much work");
}

TEST_CASE("a pattern is refused by name without a compiler, and where it does not belong") {
  const Patterns one = {"[abc]+"};
  const auto refused = Pretokenizer::create("tern:pattern", one, nullptr);
  REQUIRE(refused.status() == Status::unsupported_tokenizer);
  CHECK(std::string_view(refused.error().subject) == "[abc]+");
  CHECK(create("tern:pattern", {"bad"}).status() == Status::unsupported_tokenizer);
  CHECK(create("tern:pattern", {}).status() == Status::malformed);
  CHECK(create("tern:pattern", {"a", "b"}).status() == Status::malformed);
  CHECK(create("gpt-2", {"a"}).status() == Status::malformed);
  CHECK(create("tern:pattern,no_step", {"a"}).status() == Status::unsupported_tokenizer);
}
