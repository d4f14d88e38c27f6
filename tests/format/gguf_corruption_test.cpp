// Files that are cut, flipped or lying: a status each time, and no allocation beyond what the file
// justifies. Run under sanitizers this also shows that no view reaches outside the file.
#include <catch2/catch.hpp>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "support/counting_allocator.hpp"
#include "support/gguf_exercise.hpp"
#include "support/gguf_samples.hpp"

using namespace tern;
using tern_test::CountingAllocator;
using tern_test::GgufExercise;
using tern_test::GgufWriter;
using tern_test::small_file;

namespace {

/// The factor that GgufFile::parse promises, and its smallest allocation.
size_t allowed_bytes(size_t file_bytes) { return 5 * file_bytes + 64; }

/// Parses a copy that ends where the heap block ends, within the promised memory.
Status exercise(const std::vector<uint8_t>& bytes) {
  const std::unique_ptr<uint8_t[]> exact(new uint8_t[bytes.size()]);
  if (!bytes.empty()) std::memcpy(exact.get(), bytes.data(), bytes.size());
  CountingAllocator counter;
  counter.budget = allowed_bytes(bytes.size());
  const Status status = GgufExercise().run({exact.get(), bytes.size()}, counter.hooks());
  REQUIRE(counter.refused == 0);
  REQUIRE(counter.live == 0);
  return status;
}

bool is_file_status(Status status) {
  const int group = static_cast<int>(status) / 10;
  return group == 2 || group == 3;
}

}  // namespace

TEST_CASE("a file cut at any byte is refused as truncated") {
  const auto whole = small_file().build();
  REQUIRE(exercise(whole) == Status::ok);
  // The last tensor has 34 bytes in 64, so the padding after it may be missing.
  const size_t needed = whole.size() - 30;
  for (size_t n = 0; n < whole.size(); ++n) {
    CAPTURE(n);
    const Status status = exercise({whole.begin(), whole.begin() + static_cast<long>(n)});
    REQUIRE(status == (n < needed ? Status::truncated : Status::ok));
  }
}

TEST_CASE("every single flipped bit gives a file or a status") {
  const auto whole = small_file().build();
  size_t still_readable = 0;
  size_t refused = 0;
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto flipped = whole;
    flipped[bit / 8] = static_cast<uint8_t>(flipped[bit / 8] ^ (1u << (bit % 8)));
    const Status status = exercise(flipped);
    CAPTURE(bit, status_name(status));
    REQUIRE((status == Status::ok || is_file_status(status)));
    ++(status == Status::ok ? still_readable : refused);
  }
  // Bits of names and data may flip; those of counts and lengths may not.
  CHECK(still_readable > 1000);
  CHECK(refused > 1000);
}

TEST_CASE("every byte overwritten by its extremes gives a file or a status") {
  const auto whole = small_file().build();
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const uint8_t value : {uint8_t{0}, uint8_t{0x7F}, uint8_t{0x80}, uint8_t{0xFF}}) {
      auto spoiled = whole;
      spoiled[i] = value;
      const Status status = exercise(spoiled);
      CAPTURE(i, value, status_name(status));
      REQUIRE((status == Status::ok || is_file_status(status)));
    }
  }
}

TEST_CASE("counts that the file cannot hold are refused before anything is allocated") {
  for (const uint64_t count : {uint64_t{1000}, uint64_t{1} << 31, uint64_t{1} << 32,
                               uint64_t{1} << 60, std::numeric_limits<uint64_t>::max()}) {
    CAPTURE(count);
    for (const bool tensors : {false, true}) {
      auto writer = small_file();
      (tensors ? writer.claimed_tensors : writer.claimed_entries) = count;
      const auto bytes = writer.build();
      CountingAllocator counter;
      CHECK(GgufFile::parse(bytes, counter.hooks()).status() == Status::truncated);
      CHECK(counter.calls == 0);
    }
  }
}

TEST_CASE("a tensor count that fits the file but not what follows the metadata is refused") {
  GgufWriter writer;
  writer.add("long", std::string_view("0123456789012345678901234567890123456789012345678901"));
  writer.claimed_tensors = 2;
  const auto bytes = writer.build();
  CHECK(GgufFile::parse(bytes, default_allocator()).status() == Status::truncated);
}

TEST_CASE("lengths of strings and arrays beyond the file are refused") {
  for (const uint64_t length : {uint64_t{10}, uint64_t{1} << 30, uint64_t{1} << 31,
                                uint64_t{1} << 61, std::numeric_limits<uint64_t>::max()}) {
    CAPTURE(length);
    GgufWriter::Bytes string;
    GgufWriter::put(string, uint32_t{8});
    GgufWriter::put(string, length);
    CHECK(exercise(GgufWriter().add_raw("k", string).build()) == Status::truncated);
    for (const uint32_t element_type : {0u, 6u, 7u, 8u, 12u}) {
      GgufWriter::Bytes array;
      GgufWriter::put(array, uint32_t{9});
      GgufWriter::put(array, element_type);
      GgufWriter::put(array, length);
      const Status status = exercise(GgufWriter().add_raw("k", array).build());
      CHECK(status == (length > kGgufMaxArrayElems ? Status::malformed : Status::truncated));
    }
  }
}

TEST_CASE("as many of the smallest entries as fit stay within the promised memory") {
  GgufWriter entries;
  for (unsigned i = 0; i < 256; ++i) entries.add(std::string(1, static_cast<char>(i)), true);
  CHECK(exercise(entries.build()) == Status::ok);
  GgufWriter::Bytes tensors = GgufWriter().build();
  const uint64_t n = 255;
  std::memcpy(tensors.data() + 8, &n, 8);
  for (uint64_t i = 0; i < n; ++i) {
    GgufWriter::put(tensors, uint64_t{1});
    GgufWriter::put(tensors, static_cast<uint8_t>(i));
    GgufWriter::put(tensors, uint32_t{0});  // no dimensions
    GgufWriter::put(tensors, uint32_t{0});
    GgufWriter::put(tensors, i * 32);
  }
  tensors.resize((tensors.size() + 31) / 32 * 32);
  // Without the data: the directory alone must not cost more than it may.
  CHECK(exercise(tensors) == Status::truncated);
}
