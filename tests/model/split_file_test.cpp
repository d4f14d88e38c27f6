// Split GGUF files: the parts together are the whole file.
#include <catch2/catch.hpp>

#if defined(__wasi__)
TEST_CASE("Split GGUF files") { WARN("skipped: no file system for tests"); }
#else

#include "support/model_fixture.hpp"
#include "support/temporary_folder.hpp"

using namespace tern_test;
using tern::Status;

namespace {

constexpr uint16_t kParts = 3;

std::string part_name(size_t number) {
  return "m-0000" + std::to_string(number + 1) + "-of-00003.gguf";
}

/// A writer for each part: the metadata in the first, the tensors dealt out.
struct Parts {
  GgufWriter writers[kParts];
  size_t n_tensors = 0;

  explicit Parts(const LogicalModel& m) {
    const auto bytes = gguf_of(m, tern::TensorType::tq2_0).build();
    const auto whole = tern::GgufFile::parse(bytes, tern::default_allocator());
    REQUIRE(whole.ok());
    for (size_t i = 0; i < whole->metadata().size(); ++i) {
      const auto entry = whole->entry_bytes(i);
      const std::string_view key = whole->metadata()[i].key;
      writers[0].add_raw(
          key, {entry.begin() + 8 + static_cast<std::ptrdiff_t>(key.size()), entry.end()});
    }
    for (const tern::GgufTensor& tensor : whole->tensors()) {
      writers[n_tensors++ % kParts].add_tensor({std::string(tensor.name),
                                                tensor.type_id,
                                                {tensor.dims, tensor.dims + tensor.n_dims},
                                                {tensor.data.begin(), tensor.data.end()},
                                                {}});
    }
  }
  template <typename Count>
  void number(size_t part, Count number, Count count) {
    writers[part].add("split.no", number).add("split.count", count);
  }
  void write(const TemporaryFolder& folder) const {
    for (size_t i = 0; i < kParts; ++i) folder.write(part_name(i), writers[i].build());
  }
};

Parts good_parts(const LogicalModel& m) {
  Parts parts(m);
  for (uint16_t i = 0; i < kParts; ++i) parts.number<uint16_t>(i, i, kParts);
  parts.writers[0].add("split.tensors.count", static_cast<int32_t>(parts.n_tensors));
  return parts;
}

tern::Error load_error(const TemporaryFolder& folder) {
  const auto model = tern::Model::load_file(folder.path_of(part_name(0)), {});
  REQUIRE_FALSE(model.ok());
  return model.error();
}

}  // namespace

TEST_CASE("Any part of a split file opens all of it, whatever integers it counts in") {
  const LogicalModel m = random_model(small_shape(), 2, 21);
  const auto bytes = gguf_of(m, tern::TensorType::tq2_0).build();
  const auto whole = open_session(load(bytes));
  const auto tokens = some_tokens(5, 70);
  const auto expected = all_logits(*whole, tokens, 5);
  Parts wide(m);
  wide.number<int64_t>(0, 0, kParts);
  wide.number<uint32_t>(1, 1, kParts);
  wide.number<int8_t>(2, 2, kParts);
  wide.writers[0].add("split.tensors.count", static_cast<uint64_t>(wide.n_tensors));
  for (const Parts& parts : {good_parts(m), wide}) {
    const TemporaryFolder folder("split");
    parts.write(folder);
    for (size_t i = 0; i < kParts; ++i) {
      const auto model = tern::Model::load_file(folder.path_of(part_name(i)), {});
      REQUIRE(model.ok());
      CHECK(all_logits(*open_session(*model), tokens, 5) == expected);
    }
  }
}

TEST_CASE("Parts that are missing or contradict each other are told by name") {
  const LogicalModel m = random_model(small_shape(), 1, 22);
  const TemporaryFolder folder("split_broken");
  const auto check = [&](Status status, const std::string& subject) {
    CHECK(load_error(folder).status == status);
    CHECK(std::string(load_error(folder).subject) == subject);
  };
  good_parts(m).write(folder);
  folder.remove(part_name(1));
  check(Status::not_found, part_name(1));

  Parts swapped = good_parts(m);
  std::swap(swapped.writers[1], swapped.writers[2]);
  swapped.write(folder);
  check(Status::mismatch, part_name(1) + ": split.no");

  Parts other(m);
  other.number<uint16_t>(0, 0, kParts);
  other.number<uint16_t>(1, 1, 4);
  other.number<uint16_t>(2, 2, kParts);
  other.write(folder);
  check(Status::mismatch, part_name(1) + ": split.count");

  Parts counted(m);
  for (uint16_t i = 0; i < kParts; ++i) counted.number<uint16_t>(i, i, kParts);
  counted.writers[0].add("split.tensors.count", uint16_t{7});
  counted.write(folder);
  check(Status::mismatch, "split.tensors.count");

  Parts twice = good_parts(m);
  twice.writers[1] = GgufWriter();
  twice.number<uint16_t>(1, 1, kParts);
  const std::vector<uint8_t> gain = encode_floats(m.output_norm, tern::TensorType::f32);
  for (size_t i = 1; i < kParts; ++i) {
    twice.writers[i].add_tensor({"output_norm.weight", 0, {m.model_dim}, gain, {}});
  }
  twice.write(folder);
  CHECK(load_error(folder).status != Status::ok);

  Parts unsplit = good_parts(m);
  unsplit.write(folder);
  folder.write(part_name(2), GgufWriter().build());
  check(Status::missing, part_name(2) + ": split.no");
  folder.write(part_name(2), std::string("GGUX"));
  check(Status::malformed, part_name(2));
}

TEST_CASE("A part under another name, and one in memory, are refused") {
  const LogicalModel m = random_model(small_shape(), 1, 23);
  const Parts parts = good_parts(m);
  const TemporaryFolder folder("split_names");
  folder.write("renamed.gguf", parts.writers[0].build());
  const auto renamed = tern::Model::load_file(folder.path_of("renamed.gguf"), {});
  REQUIRE_FALSE(renamed.ok());
  CHECK(renamed.status() == Status::mismatch);
  const auto bytes = parts.writers[0].build();
  const auto in_memory = tern::Model::load_memory(bytes, {});
  REQUIRE_FALSE(in_memory.ok());
  CHECK(in_memory.status() == Status::unsupported);
}

#endif
