#include "tern/text/piece_store.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace std::string_view_literals;

TEST_CASE("pieces of any bytes are stored and found", "[piece_store]") {
  const tern::AllocatorHooks hooks = tern::default_allocator();
  tern::PieceStore store(hooks);
  tern::PieceIndex index(0, hooks);
  // More than the index expects, so it grows; neighbours that differ in zeros and length.
  for (int i = 0; i < 1000; ++i) {
    store.append(std::to_string(i) + std::string(static_cast<size_t>(i % 3), '\0'));
    index.insert(store, i);
  }
  REQUIRE(store.size() == 1000);
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(index.find(store, store[static_cast<size_t>(i)]) == i);
  }
  CHECK(store[7] == "7\0"sv);
  CHECK(index.find(store, "7"sv) == tern::PieceIndex::kNotFound);
  CHECK(index.find(store, "7\0\0"sv) == tern::PieceIndex::kNotFound);
  CHECK(index.find(store, ""sv) == tern::PieceIndex::kNotFound);
}

TEST_CASE("of equal pieces the last one is found", "[piece_store]") {
  const tern::AllocatorHooks hooks = tern::default_allocator();
  tern::PieceStore store(hooks);
  tern::PieceIndex index(2, hooks);
  store.append("same");
  store.append("same");
  index.insert(store, 0);
  index.insert(store, 1);
  CHECK(index.find(store, "same") == 1);
}
