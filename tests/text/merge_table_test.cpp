#include "tern/text/merge_table.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "text/hash_collisions.hpp"

TEST_CASE("merge rules are found by their pair, the first of equal pairs", "[merge_table]") {
  std::vector<tern::MergeRule> rules;
  for (int32_t left = 0; left < 40; ++left) {
    for (int32_t right = 0; right < 40; ++right) {
      rules.push_back({left, right, static_cast<uint32_t>(rules.size()), 100 * left + right});
    }
  }
  rules.push_back({3, 4, 9999, 7});
  tern::MergeTable table(rules.size(), tern::default_allocator());
  REQUIRE(table.insert(rules));
  for (size_t i = 0; i + 1 < rules.size(); ++i) {
    const tern::MergeRule* found = table.find(rules[i].left, rules[i].right);
    REQUIRE(found != nullptr);
    REQUIRE(found->rank == i);
    REQUIRE(found->result == rules[i].result);
  }
  CHECK(table.find(40, 0) == nullptr);
  CHECK(table.find(-1, 0) == nullptr);
  CHECK(table.find(0, -1) == nullptr);
}

TEST_CASE("an empty merge table finds nothing", "[merge_table]") {
  const tern::MergeTable table(0, tern::default_allocator());
  CHECK(table.find(0, 0) == nullptr);
}

TEST_CASE("merge rules that were made to collide are found up to the limit, then refused",
          "[merge_table]") {
  const auto pairs = tern_test::colliding_pairs(tern::MergeTable::kMaxProbes + 1);
  std::vector<tern::MergeRule> rules;
  for (const auto& pair : pairs) {
    rules.push_back({pair.left, pair.right, static_cast<uint32_t>(rules.size()), 1});
  }
  const tern::MergeRule last = rules.back();
  tern::MergeTable refuses(rules.size(), tern::default_allocator());
  CHECK_FALSE(refuses.insert(rules));

  rules.pop_back();
  tern::MergeTable table(rules.size(), tern::default_allocator());
  REQUIRE(table.insert(rules));
  for (const tern::MergeRule& rule : rules) {
    const tern::MergeRule* found = table.find(rule.left, rule.right);
    REQUIRE(found != nullptr);
    REQUIRE(found->rank == rule.rank);
  }
  CHECK(table.find(last.left, last.right) == nullptr);
}
