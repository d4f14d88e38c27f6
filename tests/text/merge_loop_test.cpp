#include "tern/text/merge_loop.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace {

/// Joins single characters; a pair is joined if its text is in `orders`.
struct Rules {
  std::string_view text;
  std::vector<std::pair<std::string, uint32_t>> orders;

  std::vector<std::string> run() const {
    tern::MergeLoop loop(tern::default_allocator());
    loop.push(1, 0);  // what an earlier text left must not matter
    loop.clear();
    for (size_t i = 0; i < text.size(); ++i) loop.push(1, 0);
    loop.run([&](const auto& left, const auto& right) -> tern::MergeLoop::Join {
      const auto joined = text.substr(left.begin, left.length + right.length);
      for (const auto& [piece, order] : orders) {
        if (piece == joined) return {order, 1};
      }
      return {};
    });
    std::vector<std::string> pieces;
    loop.for_each([&](const auto& s) { pieces.emplace_back(text.substr(s.begin, s.length)); });
    return pieces;
  }
};

using Pieces = std::vector<std::string>;

}  // namespace

TEST_CASE("the pair of lowest order is joined first", "[merge_loop]") {
  CHECK(Rules{"abc", {{"ab", 1}, {"bc", 2}}}.run() == Pieces{"ab", "c"});
  CHECK(Rules{"abc", {{"ab", 2}, {"bc", 1}}}.run() == Pieces{"a", "bc"});
  CHECK(Rules{"abc", {{"ab", 2}, {"bc", 1}, {"abc", 0}}}.run() == Pieces{"abc"});
}

TEST_CASE("equal orders are joined from the left", "[merge_loop]") {
  CHECK(Rules{"aaaaa", {{"aa", 5}}}.run() == Pieces{"aa", "aa", "a"});
  CHECK(Rules{"aaaa", {{"aa", 5}, {"aaa", 1}}}.run() == Pieces{"aaa", "a"});
}

TEST_CASE("texts of no and of one symbol stay", "[merge_loop]") {
  CHECK(Rules{"", {{"aa", 1}}}.run().empty());
  CHECK(Rules{"a", {{"aa", 1}}}.run() == Pieces{"a"});
}

TEST_CASE("a long run is merged in less than quadratic time", "[merge_loop]") {
  // 2^20 symbols; a quadratic loop would take hours.
  const size_t n = size_t{1} << 20;
  tern::MergeLoop loop(tern::default_allocator());
  for (size_t i = 0; i < n; ++i) loop.push(1, 0);
  loop.run([&](const auto& left, const auto& right) -> tern::MergeLoop::Join {
    if (left.length != right.length) return {};
    return {left.length, 1};
  });
  size_t symbols = 0;
  loop.for_each([&](const auto& symbol) {
    ++symbols;
    CHECK(symbol.length == n);
  });
  CHECK(symbols == 1);
}
