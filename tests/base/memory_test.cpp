// Allocators, buffers and tensors: every byte through the hooks, exhaustion as a status.
#include <catch2/catch.hpp>
#include <cstdint>

#include "support/counting_allocator.hpp"
#include "tern/base/tensor.hpp"

using tern::Buffer;
using tern::Status;
using tern_test::CountingAllocator;

TEST_CASE("Containers take all memory from the host and give it back") {
  CountingAllocator host;
  {
    tern::Vector<uint64_t> numbers(host.hooks());
    for (uint64_t i = 0; i < 1000; ++i) numbers.push_back(i);
    tern::String text(std::string(200, 'x').c_str(), host.hooks());
    CHECK(host.live >= 1000 * sizeof(uint64_t) + 200);
    const tern::Vector<uint64_t> copy = numbers;
    CHECK(copy.get_allocator().hooks() == host.hooks());
    tern::Vector<uint64_t> moved = std::move(numbers);
    CHECK(moved == copy);
  }
  CHECK(host.live == 0);
  CHECK(host.calls > 2);
}

#if defined(__cpp_exceptions)
TEST_CASE("A container beyond the host's memory throws bad_alloc, also for sizes that overflow") {
  CountingAllocator host;
  host.budget = 1000;
  tern::Vector<uint64_t> numbers(host.hooks());
  CHECK_THROWS_AS(numbers.reserve(126), std::bad_alloc);
  numbers.reserve(125);
  CHECK(host.refused == 1);
  tern::HostAllocator<uint64_t> allocator(host.hooks());
  CHECK_THROWS_AS(allocator.allocate(SIZE_MAX / 4), std::bad_alloc);
}
#endif

TEST_CASE("A buffer is zeroed and aligned to a cache line") {
  CountingAllocator host;
  {
    auto buffer = Buffer<float>::create(37, host.hooks());
    REQUIRE(buffer.ok());
    CHECK(buffer->size() == 37);
    CHECK(buffer->size_bytes() == 37 * sizeof(float));
    CHECK(reinterpret_cast<uintptr_t>(buffer->data()) % tern::kBufferAlignment == 0);
    for (const float v : buffer->span()) CHECK(v == 0.0f);
    CHECK(host.live == 37 * sizeof(float));
    const auto none = Buffer<float>::create(0, host.hooks());
    REQUIRE(none.ok());
    CHECK(none->data() == nullptr);
    CHECK(host.calls == 1);
  }
  CHECK(host.live == 0);
}

TEST_CASE("A buffer that the host refuses or that overflows is out of memory") {
  CountingAllocator host;
  host.budget = 100;
  CHECK(Buffer<uint8_t>::create(101, host.hooks()).status() == Status::out_of_memory);
  CHECK(host.refused == 1);
  CHECK(Buffer<uint64_t>::create(SIZE_MAX / 4, host.hooks()).status() == Status::out_of_memory);
  CHECK(host.refused == 1);  // not even asked
  CHECK(host.live == 0);
}

TEST_CASE("A moved buffer leaves nothing behind and releases once") {
  CountingAllocator host;
  {
    Buffer<int> first = *Buffer<int>::create(10, host.hooks());
    first[3] = 5;
    Buffer<int> second = std::move(first);
    CHECK(first.size() == 0);
    CHECK(first.data() == nullptr);
    CHECK(second[3] == 5);
    Buffer<int> third = *Buffer<int>::create(20, host.hooks());
    third = std::move(second);
    CHECK(third.size() == 10);
    CHECK(third[3] == 5);
  }
  CHECK(host.live == 0);
}

TEST_CASE("A tensor view finds elements by its strides") {
  int data[24];
  for (int i = 0; i < 24; ++i) data[i] = i;
  const tern::TensorView<int, 3> cube(data, {2, 3, 4});
  CHECK(cube(1, 2, 3) == 23);
  CHECK(cube(0, 1, 0) == 4);
  CHECK(cube.extent(2) == 4);
  CHECK(cube.stride(0) == 12);
  // A transposed view of the same memory.
  const tern::TensorView<int, 2> transposed(data, {4, 3}, {1, 4});
  CHECK(transposed(3, 2) == 11);
  transposed(3, 2) = -1;
  CHECK(data[11] == -1);
}

TEST_CASE("A tensor starts its rows where they are asked to start") {
  CountingAllocator host;
  {
    auto tensor = tern::Tensor<float, 2>::create({3, 5}, host.hooks(), 16);
    REQUIRE(tensor.ok());
    CHECK(tensor->stride(0) == 16);
    CHECK(tensor->row(2) == tensor->data() + 32);
    CHECK(tensor->size_bytes() == 3 * 16 * sizeof(float));
    tensor->view()(2, 4) = 7;
    CHECK(tensor->row(2)[4] == 7);
    const auto cube = tern::Tensor<uint8_t, 3>::create({2, 3, 4}, host.hooks());
    CHECK(cube->size_bytes() == 24);
    CHECK(cube->stride(0) == 12);
  }
  CHECK(host.live == 0);
}

TEST_CASE("A tensor whose shape overflows is out of memory") {
  CountingAllocator host;
  const size_t huge = size_t{1} << (4 * sizeof(size_t) + 8);
  CHECK(tern::Tensor<float, 2>::create({huge, huge}, host.hooks()).status() ==
        Status::out_of_memory);
  // The last dimension overflows by its padding alone.
  CHECK(tern::Tensor<uint8_t, 2>::create({1, SIZE_MAX - 3}, host.hooks(), 16).status() ==
        Status::out_of_memory);
  CHECK(host.calls == 0);
}
