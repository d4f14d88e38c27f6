// The byte reader and checked sizes: nothing beyond the end, no overflow unseen.
#include "tern/base/byte_reader.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "tern/base/checked_math.hpp"

using tern::ByteReader;
using tern::Status;

TEST_CASE("A reader gives little-endian values in order") {
  const uint8_t bytes[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x00, 0x00, 0x80, 0x3F, 'a', 'b'};
  ByteReader reader(bytes);
  CHECK(*reader.read<uint8_t>() == 1);
  CHECK(*reader.read<uint32_t>() == 0x05040302u);
  CHECK(*reader.read<float>() == 1.0f);
  CHECK(reader.position() == 9);
  CHECK(reader.remaining() == 2);
  CHECK(*reader.read_text(2) == "ab");
  CHECK(reader.remaining() == 0);
}

TEST_CASE("A read beyond the end is truncated, says where, and moves nothing") {
  const uint8_t bytes[] = {1, 2, 3};
  ByteReader reader(bytes);
  CHECK(*reader.read<uint16_t>() == 0x0201);
  const auto failed = reader.read<uint32_t>();
  CHECK(failed.status() == Status::truncated);
  CHECK(failed.error().where == 2);
  CHECK(reader.position() == 2);
  CHECK(reader.read_bytes(2).status() == Status::truncated);
  CHECK(reader.read_bytes(~uint64_t{0}).status() == Status::truncated);
  CHECK(reader.read_text(~uint64_t{0} - 1).status() == Status::truncated);
  CHECK(reader.read_bytes(1)->size() == 1);
  CHECK(reader.read_bytes(0)->size() == 0);
  CHECK(reader.read<uint8_t>().error().where == 3);
}

TEST_CASE("An empty span has nothing to read") {
  ByteReader reader({});
  CHECK(reader.remaining() == 0);
  CHECK(reader.read<uint8_t>().status() == Status::truncated);
  CHECK(reader.read_text(0)->empty());
}

TEST_CASE("Checked sizes say when they do not fit") {
  constexpr uint64_t kMost = ~uint64_t{0};
  CHECK(*tern::checked_mul(1u << 31, 1u << 31) == uint64_t{1} << 62);
  CHECK_FALSE(tern::checked_mul(uint64_t{1} << 32, uint64_t{1} << 32));
  CHECK(*tern::checked_mul(kMost, 1) == kMost);
  CHECK(*tern::checked_mul(kMost, 0) == 0);
  CHECK(*tern::checked_add(kMost - 1, 1) == kMost);
  CHECK_FALSE(tern::checked_add(kMost, 1));
  CHECK(*tern::checked_round_up(0, 32) == 0);
  CHECK(*tern::checked_round_up(32, 32) == 32);
  CHECK(*tern::checked_round_up(33, 32) == 64);
  CHECK_FALSE(tern::checked_round_up(kMost, 32));
  CHECK(*tern::checked_round_up(kMost - 31, 32) == kMost - 31);
  CHECK(tern::round_up(17, 16) == 32);
}
