#include "tern/platform/large_pages.hpp"

#include <catch2/catch.hpp>
#include <utility>

#include "support/counting_allocator.hpp"

using namespace tern;

TEST_CASE("streamed buffers are aligned to large pages once they fill one, and usable to the end") {
  tern_test::CountingAllocator counter;
  for (const size_t bytes :
       {size_t{1}, kLargePageBytes - 1, kLargePageBytes, 3 * kLargePageBytes + 4097}) {
    auto buffer = create_streamed_buffer(bytes, counter.hooks());
    REQUIRE(buffer.ok());
    REQUIRE(buffer->size() == bytes);
    const auto address = reinterpret_cast<uintptr_t>(buffer->data());
    CHECK(address % (bytes < kLargePageBytes ? kBufferAlignment : kLargePageBytes) == 0);
    (*buffer)[0] = 1;
    (*buffer)[bytes - 1] = 2;
    const Buffer<uint8_t> moved = *std::move(buffer);
    CHECK(moved[bytes - 1] == 2);
  }
  CHECK(counter.live == 0);
}

TEST_CASE("exhaustion is a status") {
  tern_test::CountingAllocator counter;
  counter.budget = kLargePageBytes;
  CHECK(create_streamed_buffer(kLargePageBytes + 1, counter.hooks()).status() ==
        Status::out_of_memory);
}
