#include "tern/text/piece_store.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "text/hash_collisions.hpp"

using namespace std::string_view_literals;

TEST_CASE("pieces of any bytes are stored and found", "[piece_store]") {
  const tern::AllocatorHooks hooks = tern::default_allocator();
  tern::PieceStore store(hooks);
  tern::PieceIndex index(0, hooks);
  // More than the index expects, so it grows; neighbours that differ in zeros and length.
  for (int i = 0; i < 1000; ++i) {
    store.append(std::to_string(i) + std::string(static_cast<size_t>(i % 3), '\0'));
    REQUIRE(index.insert(store, i));
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
  REQUIRE(index.insert(store, 0));
  REQUIRE(index.insert(store, 1));
  CHECK(index.find(store, "same") == 1);
}

TEST_CASE("pieces that were made to collide are found up to the limit, then refused",
          "[piece_store]") {
  const tern::AllocatorHooks hooks = tern::default_allocator();
  constexpr size_t kLimit = tern::PieceIndex::kMaxProbes;
  const std::vector<std::string> texts = tern_test::colliding_texts(kLimit + 1);
  // Whether the table has its size from the start or grows, where all of it is entered again.
  for (const size_t expected : {size_t{0}, 4 * kLimit}) {
    tern::PieceStore store(hooks);
    tern::PieceIndex index(expected, hooks);
    for (size_t i = 0; i < kLimit; ++i) {
      store.append(texts[i]);
      REQUIRE(index.insert(store, static_cast<int32_t>(i)));
    }
    for (size_t i = 0; i < kLimit; ++i) {
      REQUIRE(index.find(store, texts[i]) == static_cast<int32_t>(i));
    }
    CHECK(index.find(store, texts[kLimit]) == tern::PieceIndex::kNotFound);
    store.append(texts[kLimit]);
    CHECK_FALSE(index.insert(store, static_cast<int32_t>(kLimit)));
  }
}
