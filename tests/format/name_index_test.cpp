#include "tern/format/name_index.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "support/counting_allocator.hpp"

using namespace tern;

namespace {
struct Names {
  std::vector<std::string> names;
  std::string_view operator()(size_t i) const { return names[i]; }
};
}  // namespace

TEST_CASE("every name is found at its position, and no other name is found") {
  const Names names{{"pear", "", "apple", "apples", "zebra", "Apple", std::string("a\0b", 3)}};
  const auto index = NameIndex::create(names.names.size(), names, default_allocator());
  REQUIRE(index.ok());
  for (size_t i = 0; i < names.names.size(); ++i) CHECK(index->find(names(i), names) == i);
  for (const char* absent : {"a", "applf", "zebras", "zz", "A"}) {
    CHECK(index->find(absent, names) == NameIndex::kNone);
  }
  CHECK(index->find_duplicate(names) == NameIndex::kNone);
}

TEST_CASE("the later of two equal names is the duplicate") {
  const Names names{{"b", "a", "c", "a", "d"}};
  const auto index = NameIndex::create(names.names.size(), names, default_allocator());
  REQUIRE(index.ok());
  CHECK(index->find_duplicate(names) == 3);
}

TEST_CASE("an empty index finds nothing") {
  const Names names{};
  const auto index = NameIndex::create(0, names, default_allocator());
  REQUIRE(index.ok());
  CHECK(index->find("", names) == NameIndex::kNone);
  CHECK(index->find_duplicate(names) == NameIndex::kNone);
}

TEST_CASE("exhausted memory is a status") {
  tern_test::CountingAllocator counter;
  counter.budget = 3;
  const Names names{{"a"}};
  CHECK(NameIndex::create(1, names, counter.hooks()).status() == Status::out_of_memory);
}
