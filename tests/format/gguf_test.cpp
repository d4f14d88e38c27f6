#include "tern/format/gguf.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "support/counting_allocator.hpp"
#include "support/gguf_samples.hpp"

using namespace tern;
using tern_test::GgufWriter;
using tern_test::sample_tensor;
using tern_test::small_file;
using tern_test::ternary_tensor;

namespace {

struct Refusal {
  Status status;
  std::string what;
  std::string subject;
  uint64_t where;
};
Refusal refusal_of(const GgufWriter& writer) {
  const auto bytes = writer.build();
  const auto file = GgufFile::parse(bytes, default_allocator());
  REQUIRE_FALSE(file.ok());
  const Error& error = file.error();
  return {error.status, error.what, error.subject, error.where};
}
Status status_of(const GgufWriter& writer) {
  const auto bytes = writer.build();
  return GgufFile::parse(bytes, default_allocator()).status();
}

}  // namespace

TEST_CASE("what the writer wrote is read back, in versions 2 and 3") {
  for (const uint32_t version : {2u, 3u}) {
    auto writer = small_file();
    writer.version = version;
    const auto bytes = writer.build();
    const auto file = GgufFile::parse(bytes, default_allocator());
    REQUIRE(file.ok());
    CHECK(file->version() == version);
    CHECK(file->metadata().size() == 17);
    CHECK(file->metadata()[0].key == "general.architecture");
    CHECK(*file->get<std::string_view>("general.architecture") == "bitnet-b1.58");
    CHECK(*file->get<uint8_t>("a.u8") == 200);
    CHECK(*file->get<int8_t>("a.i8") == -3);
    CHECK(*file->get<uint16_t>("a.u16") == 60000);
    CHECK(*file->get<int16_t>("a.i16") == -300);
    CHECK(*file->get<uint32_t>("a.u32") == 4000000000u);
    CHECK(*file->get<int32_t>("a.i32") == -70000);
    CHECK(*file->get<uint64_t>("a.u64") == uint64_t{1} << 40);
    CHECK(*file->get<int64_t>("a.i64") == -(int64_t{1} << 40));
    CHECK(*file->get<float>("a.f32") == 1.5f);
    CHECK(*file->get<double>("a.f64") == 2.5);
    CHECK(*file->get<bool>("a.yes") == true);
    CHECK(*file->get<bool>("a.no") == false);
    std::vector<std::string_view> words;
    const MetadataArray array = *file->get_array<std::string_view>("a.words");
    for (const MetadataScalar word : array) {
      words.push_back(*word.as<std::string_view>());
    }
    CHECK(words == std::vector<std::string_view>{"one", "", "three"});
    CHECK((*++file->get_array<int32_t>("a.numbers")->begin()).as<int32_t>() == -2);
    CHECK((*++file->get_array<float>("a.floats")->begin()).as<float>() == -1.0f);
    CHECK(file->get_array<uint32_t>("a.none")->size() == 0);
  }
}

TEST_CASE("tensors have their names, shapes, types and bytes") {
  const auto bytes = small_file().build();
  const auto file = GgufFile::parse(bytes, default_allocator());
  REQUIRE(file.ok());
  REQUIRE(file->tensors().size() == 4);
  const GgufTensor& half = file->tensors()[1];
  CHECK(half.name == "half");
  CHECK(half.n_dims == 2);
  CHECK(half.dims[0] == 5);
  CHECK(half.rows() == 3);
  CHECK(half.type_id == 1);
  CHECK(*readable_type(half) == TensorType::f16);
  CHECK(half.offset == file->tensors()[0].offset + 32);
  CHECK(half.data.data() == bytes.data() + half.offset);
  const auto wanted = sample_tensor("", 1, {}, 30).data;
  CHECK(std::vector<uint8_t>(half.data.begin(), half.data.end()) == wanted);
  CHECK(file->find_tensor("half") == &half);
  CHECK(*file->get_tensor("half") == &half);
  CHECK(*readable_type(*file->find_tensor("trits")) == TensorType::i2_s);
  CHECK(file->find_tensor("trits")->data.size() == 96);
}

TEST_CASE("lookups of what is absent or of another kind say so") {
  const auto bytes = small_file().build();
  const auto file = GgufFile::parse(bytes, default_allocator());
  REQUIRE(file.ok());
  CHECK(file->find("a.u") == nullptr);
  CHECK(file->find_tensor("hal") == nullptr);
  CHECK(file->get<uint32_t>("absent").status() == Status::missing);
  CHECK(std::string(file->get<uint32_t>("absent").error().subject) == "absent");
  CHECK(file->get_array<float>("absent").status() == Status::missing);
  CHECK(file->get_tensor("absent").status() == Status::missing);
  CHECK(*file->get_or<uint32_t>("absent", 7) == 7);
  CHECK(*file->get_or<uint32_t>("a.u8", 7) == 200);

  const auto large = file->get<uint32_t>("a.u64");
  CHECK(large.status() == Status::mismatch);
  CHECK(std::string(large.error().what) == "metadata value out of range");
  CHECK(std::string(large.error().subject) == "a.u64");
  // The entry starts at the length of its key.
  const uint64_t where = large.error().where;
  CHECK(std::string(bytes.begin() + static_cast<long>(where) + 8,
                    bytes.begin() + static_cast<long>(where) + 13) == "a.u64");
  CHECK(file->get_or<bool>("a.u8", true).status() == Status::mismatch);
  CHECK(file->get<float>("a.words").status() == Status::mismatch);
  CHECK(file->get_array<float>("a.numbers").status() == Status::mismatch);
  CHECK(file->get_array<float>("a.f32").status() == Status::mismatch);
}

TEST_CASE("other bytes, versions and byte orders are refused by name") {
  auto writer = small_file();
  writer.magic = 0x47475546;
  CHECK(refusal_of(writer).what == "not a GGUF file");
  writer = small_file();
  for (const uint32_t version : {0u, 1u, 4u, 77u}) {
    writer.version = version;
    CHECK(status_of(writer) == Status::unsupported_version);
  }
  for (const uint32_t version : {0x02000000u, 0x03000000u}) {
    writer.version = version;
    const Refusal refusal = refusal_of(writer);
    CHECK(refusal.status == Status::unsupported);
    CHECK(refusal.what == "big-endian GGUF files are not supported");
    CHECK(refusal.where == 4);
  }
}

TEST_CASE("a part of a split file is refused, a file split into one is not") {
  auto one = small_file();
  CHECK(status_of(one.add("split.count", uint16_t{1})) == Status::ok);
  auto two = small_file();
  const Refusal refusal = refusal_of(two.add("split.count", uint16_t{2}));
  CHECK(refusal.status == Status::unsupported);
  CHECK(refusal.subject == "split.count");
}

TEST_CASE("keys must be there, unique and of a possible length") {
  CHECK(status_of(GgufWriter().add("", true).add("key", true)) == Status::malformed);
  CHECK(status_of(GgufWriter().add(std::string(65535, 'k'), true)) == Status::ok);
  CHECK(status_of(GgufWriter().add(std::string(65536, 'k'), true)) == Status::malformed);
  GgufWriter twice;
  const Refusal refusal = refusal_of(twice.add("b", true).add("a", 1.0f).add("b", false));
  CHECK(refusal.status == Status::malformed);
  CHECK(refusal.what == "duplicate metadata key");
  CHECK(refusal.subject == "b");
  CHECK(refusal.where == 24 + (8 + 1 + 4 + 1) + (8 + 1 + 4 + 4));
}

TEST_CASE("metadata of unknown types and nested arrays are refused with their key") {
  GgufWriter::Bytes value;
  GgufWriter::put(value, uint32_t{13});
  GgufWriter::put(value, uint64_t{0});
  GgufWriter unknown;
  CHECK(refusal_of(unknown.add_raw("k", value)).what == "unknown metadata type");
  CHECK(refusal_of(unknown).subject == "k");

  value.clear();
  GgufWriter::put(value, uint32_t{9});
  GgufWriter::put(value, uint32_t{9});
  GgufWriter::put(value, uint64_t{0});
  GgufWriter nested;
  const Refusal refusal = refusal_of(nested.add_raw("k", value));
  CHECK(refusal.status == Status::unsupported);
  CHECK(refusal.what == "arrays of arrays are not supported");
  CHECK(refusal.subject == "k");
}

TEST_CASE("any power of two is an alignment, and nothing else") {
  for (const uint32_t alignment : {1u, 8u, 32u, 4096u}) {
    auto writer = small_file();
    writer.alignment = alignment;
    const auto bytes = writer.add("general.alignment", alignment).build();
    const auto file = GgufFile::parse(bytes, default_allocator());
    CAPTURE(alignment);
    REQUIRE(file.ok());
    for (const GgufTensor& tensor : file->tensors()) CHECK(tensor.offset % alignment == 0);
    const auto half = file->find_tensor("half")->data;
    CHECK(std::vector<uint8_t>(half.begin(), half.end()) == sample_tensor("", 1, {}, 30).data);
    CHECK(*readable_type(*file->find_tensor("trits")) == TensorType::i2_s);
  }
  for (const uint32_t alignment : {0u, 3u, 48u}) {
    auto writer = small_file();
    const Refusal refusal = refusal_of(writer.add("general.alignment", alignment));
    CHECK(refusal.status == Status::malformed);
    CHECK(refusal.subject == "general.alignment");
  }
  auto text = small_file();
  CHECK(status_of(text.add("general.alignment", "32")) == Status::mismatch);
}

TEST_CASE("tensor directories with impossible entries are refused") {
  const auto with = [](GgufWriter::Tensor tensor) {
    GgufWriter writer;
    return refusal_of(writer.add_tensor(std::move(tensor))).what;
  };
  CHECK(with(sample_tensor("", 0, {1}, 4)) == "tensor without a name");
  CHECK(with(sample_tensor(std::string(64, 'n'), 0, {1}, 4)) == "tensor name too long");
  CHECK(with(sample_tensor("t", 0, {1, 1, 1, 1, 1}, 4)) == "tensor with more than 4 dimensions");
  CHECK(with(sample_tensor("t", 0, {4, 0}, 4)) == "tensor with an empty dimension");
  CHECK(with(sample_tensor("t", 0, {uint64_t{1} << 40, uint64_t{1} << 40}, 4)) ==
        "tensor with too many elements");
  CHECK(with(sample_tensor("t", 0, {uint64_t{1} << 63}, 4)) == "tensor with too many elements");
  CHECK(with(sample_tensor("t", 0, {uint64_t{1} << 62}, 4)) ==
        "tensor dimensions do not fill whole blocks of its type");
  CHECK(with(sample_tensor("t", 35, {255}, 66)) ==
        "tensor dimensions do not fill whole blocks of its type");
  CHECK(with(sample_tensor("t", 0, {9}, 32)) == "tensor data pass the end of the file");
  GgufWriter longest;
  longest.add_tensor(sample_tensor(std::string(63, 'n'), 0, {}, 4));
  CHECK(status_of(longest) == Status::ok);
  GgufWriter twice;
  twice.add_tensor(sample_tensor("t", 0, {1}, 4)).add_tensor(sample_tensor("t", 0, {1}, 4));
  CHECK(refusal_of(twice).what == "duplicate tensor name");
  CHECK(refusal_of(twice).subject == "t");
}

TEST_CASE("tensors may lie in any order and with gaps, but not overlap") {
  auto first = sample_tensor("first", 0, {8}, 32);
  auto second = sample_tensor("second", 0, {8}, 32);
  GgufWriter swapped;
  first.claimed_offset = 32, second.claimed_offset = 0;
  CHECK(status_of(swapped.add_tensor(first).add_tensor(second)) == Status::ok);

  GgufWriter gap;
  first.claimed_offset = 0, second.claimed_offset = 64;
  gap.add_tensor(first).add_tensor(second).add_tensor(sample_tensor("filler", 0, {8}, 32));
  CHECK(refusal_of(gap).what == "tensors overlap");  // with the filler, also claimed to be at 64
  GgufWriter real_gap;
  second.data.resize(64);
  CHECK(status_of(real_gap.add_tensor(first).add_tensor(second)) == Status::ok);

  GgufWriter same;
  first.claimed_offset = 32, second.claimed_offset = 32;
  const Refusal refusal = refusal_of(same.add_tensor(first).add_tensor(second));
  CHECK(refusal.status == Status::malformed);
  CHECK(refusal.what == "tensors overlap");
  CHECK(refusal.subject == "first");

  GgufWriter crooked;
  first.claimed_offset = 16;
  CHECK(refusal_of(crooked.add_tensor(first)).what == "tensor offset is not aligned");
  GgufWriter outside;
  first.claimed_offset = uint64_t{0} - 32;
  CHECK(refusal_of(outside.add_tensor(first)).what == "tensor data start past the end of the file");
}

TEST_CASE("tensors of types that cannot be decoded are listed, and named when needed") {
  GgufWriter writer;
  writer.add_tensor(sample_tensor("named", 13, {256}, 176));
  writer.add_tensor(sample_tensor("unknown", 99, {256}, 100));
  writer.add_tensor(sample_tensor("fork", 36, {64, 64}, 64 * 64 / 32 * 18));
  writer.add_tensor(sample_tensor("unclear", 36, {64, 64}, 1500));
  writer.add_tensor(sample_tensor("lookup", 39, {256, 6}, 416));
  const auto bytes = writer.build();
  const auto file = GgufFile::parse(bytes, default_allocator());
  REQUIRE(file.ok());
  const auto refused = [&](const char* name) {
    const auto type = readable_type(*file->find_tensor(name));
    REQUIRE(type.status() == Status::unsupported_type);
    CHECK(std::string(type.error().subject) == name);
    return std::string(type.error().what);
  };
  CHECK(refused("named") == "tensor type Q5_K is not supported");
  CHECK(refused("unknown") == "tensor type id unknown, or its meaning unclear");
  CHECK(file->find_tensor("unknown")->data.size() == 128);
  CHECK(refused("fork") == "tensor type IQ4_NL_4_4 is not supported");
  CHECK(refused("lookup") ==
        "tensor type TL2 is not supported: its tile sizes are not in the file; take the I2_S file "
        "of the model");
  CHECK(refused("unclear") == "tensor type id unknown, or its meaning unclear");
}

TEST_CASE("a file of metadata alone need not be padded") {
  const auto bytes = GgufWriter().add("k", true).build();
  const auto file = GgufFile::parse(bytes, default_allocator());
  REQUIRE(file.ok());
  CHECK(file->metadata().size() == 1);
  CHECK(file->tensors().empty());
}

TEST_CASE("a file survives being moved") {
  const auto bytes = small_file().build();
  auto parsed = GgufFile::parse(bytes, default_allocator());
  REQUIRE(parsed.ok());
  const GgufFile file = *std::move(parsed);
  CHECK(*file.get<uint8_t>("a.u8") == 200);
  CHECK(file.find_tensor("eight")->data.size() == 34);
}

TEST_CASE("exhausted memory is a status at every allocation, and nothing leaks") {
  const auto bytes = small_file().build();
  tern_test::CountingAllocator unlimited;
  REQUIRE(GgufFile::parse(bytes, unlimited.hooks()).ok());
  CHECK(unlimited.live == 0);
  size_t failures = 0;
  for (size_t budget = 0; budget < unlimited.peak; budget += 8) {
    tern_test::CountingAllocator counter;
    counter.budget = budget;
    CHECK(GgufFile::parse(bytes, counter.hooks()).status() == Status::out_of_memory);
    CHECK(counter.live == 0);
    ++failures;
  }
  CHECK(failures > 10);
}
