// Safetensors files: every rule of the format, told with the tensor and the byte.
#include "tern/format/safetensors.hpp"

#include <catch2/catch.hpp>

#include "support/safetensors_writer.hpp"

using tern::SafetensorsFile;
using tern::Status;
using tern_test::SafetensorsWriter;
using Bytes = SafetensorsWriter::Bytes;

namespace {

SafetensorsWriter two_tensors() {
  SafetensorsWriter writer;
  writer.add({"first", "F32", {2, 3}, Bytes(24, 1)});
  writer.add({"second", "U8", {5}, Bytes(5, 2)});
  return writer;
}

Status status_of(const Bytes& bytes) {
  return SafetensorsFile::parse(bytes, tern::default_allocator()).status();
}
tern::Error error_of(const Bytes& bytes) {
  const auto file = SafetensorsFile::parse(bytes, tern::default_allocator());
  REQUIRE_FALSE(file.ok());
  return file.error();
}
/// A file of 8 bytes of data and this header.
Bytes with_header(const std::string& header) {
  SafetensorsWriter writer;
  writer.add({"data", "U8", {8}, Bytes(8)});
  return writer.build_with(header);
}

/// Whether this build reads JSON; a message where it does not.
bool have_json() {
  if (status_of(with_header("{}")) != Status::unsupported) return true;
  WARN("skipped: a build without JSON");
  return false;
}

}  // namespace

TEST_CASE("A file gives its tensors, in the order of their data") {
  if (!have_json()) return;
  SafetensorsWriter writer = two_tensors();
  writer.add({"scalar", "BF16", {}, Bytes(2, 3)});
  writer.add({"empty", "F16", {0, 4}, {}});
  const Bytes bytes = writer.build();
  const auto file = SafetensorsFile::parse(bytes, tern::default_allocator());
  REQUIRE(file.ok());
  REQUIRE(file->tensors().size() == 4);
  const auto& first = file->tensors()[0];
  CHECK(first.name == "first");
  CHECK(first.type->name == "F32");
  CHECK(first.type->type == tern::TensorType::f32);
  CHECK(first.n_dims == 2);
  CHECK(first.dims[0] == 2);
  CHECK(first.dims[1] == 3);
  CHECK(first.data.data() == bytes.data() + first.offset);
  CHECK(first.data.size() == 24);
  CHECK(first.offset == bytes.size() - 31);
  CHECK_FALSE(file->tensors()[1].type->type.has_value());
  REQUIRE(file->find("scalar") != nullptr);
  CHECK(file->find("scalar")->elems == 1);
  CHECK(file->find("scalar")->n_dims == 0);
  REQUIRE(file->find("empty") != nullptr);
  CHECK(file->find("empty")->elems == 0);
  CHECK(file->find("absent") == nullptr);
}

TEST_CASE("The order of the header does not matter") {
  if (!have_json()) return;
  const Bytes bytes = with_header(R"({"b":{"dtype":"U8","shape":[5],"data_offsets":[3,8]},)"
                                  R"("a":{"data_offsets":[0,3],"shape":[3],"dtype":"I8"}})");
  const auto file = SafetensorsFile::parse(bytes, tern::default_allocator());
  REQUIRE(file.ok());
  CHECK(file->tensors()[0].name == "a");
  CHECK(file->tensors()[1].name == "b");
}

TEST_CASE("Every truncation is refused") {
  if (!have_json()) return;
  const Bytes whole = two_tensors().build();
  for (size_t size = 0; size < whole.size(); ++size) {
    INFO(size);
    CHECK(status_of(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))) !=
          Status::ok);
  }
  Bytes longer = whole;
  longer.push_back(0);
  CHECK(error_of(longer).where == whole.size());
}

TEST_CASE("A header that is none is refused") {
  if (!have_json()) return;
  SafetensorsWriter writer = two_tensors();
  writer.claimed_header_bytes = 100'000'001;
  CHECK(error_of(writer.build()).where == 0);
  writer.claimed_header_bytes = 100'000'000;
  CHECK(status_of(writer.build()) == Status::truncated);
  writer.claimed_header_bytes = 0;
  CHECK(error_of(writer.build()).where == 8);
  CHECK(status_of(with_header("[]")) == Status::malformed);
  CHECK(status_of(with_header(" {}")) == Status::malformed);
  CHECK(error_of(with_header("{\"a\" 1}")).where >= 8);
}

TEST_CASE("Each rule for a tensor is checked") {
  if (!have_json()) return;
  struct Case {
    const char* entry;
    Status status;
    const char* what;
  };
  const Case cases[] = {
      {R"({"dtype":"U8","shape":[8],"data_offsets":[0,8]})", Status::ok, ""},
      {R"({"shape":[8],"data_offsets":[0,8]})", Status::malformed, "without a type"},
      {R"({"dtype":7,"shape":[8],"data_offsets":[0,8]})", Status::malformed, "without a type"},
      {R"({"dtype":"F5","shape":[8],"data_offsets":[0,8]})", Status::unsupported_type, "unknown"},
      {R"({"dtype":"U8","data_offsets":[0,8]})", Status::malformed, "without a shape"},
      {R"({"dtype":"U8","shape":[-8],"data_offsets":[0,8]})", Status::malformed, "sizes"},
      {R"({"dtype":"U8","shape":[8.5],"data_offsets":[0,8]})", Status::malformed, "sizes"},
      {R"({"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,8]})", Status::malformed,
       "sizes"},
      {R"({"dtype":"F64","shape":[4611686018427387904],"data_offsets":[0,8]})", Status::malformed,
       "another size"},
      {R"({"dtype":"U8","shape":[1,1,1,1,1,1,1,1,8],"data_offsets":[0,8]})", Status::unsupported,
       "8 dimensions"},
      {R"({"dtype":"U8","shape":[8]})", Status::malformed, "range"},
      {R"({"dtype":"U8","shape":[8],"data_offsets":[8]})", Status::malformed, "range"},
      {R"({"dtype":"U8","shape":[8],"data_offsets":[8,0]})", Status::malformed, "range"},
      {R"({"dtype":"U8","shape":[8],"data_offsets":[-8,0]})", Status::malformed, "range"},
      {R"({"dtype":"U8","shape":[7],"data_offsets":[0,8]})", Status::malformed, "another size"},
      {R"({"dtype":"U16","shape":[8],"data_offsets":[0,8]})", Status::malformed, "another size"},
      {R"({"dtype":"U8","shape":[7],"data_offsets":[1,8]})", Status::malformed, "hole"},
      {R"({"dtype":"U8","shape":[7],"data_offsets":[0,7]})", Status::malformed, "behind the last"},
      {R"({"dtype":"U8","shape":[9],"data_offsets":[0,9]})", Status::truncated, "pass the end"},
      {R"(8)", Status::malformed, "without a type"},
  };
  for (const Case& c : cases) {
    INFO(c.entry);
    const Bytes bytes = with_header(std::string("{\"t\":") + c.entry + "}");
    CHECK(status_of(bytes) == c.status);
    if (c.status != Status::ok) CHECK_THAT(error_of(bytes).what, Catch::Contains(c.what));
  }
}

TEST_CASE("Tensors that overlap, and names given twice, are refused") {
  if (!have_json()) return;
  const std::string half = R"({"dtype":"U8","shape":[4],"data_offsets":[0,4]})";
  const std::string late = R"({"dtype":"U8","shape":[4],"data_offsets":[4,8]})";
  const std::string overlap = R"({"dtype":"U8","shape":[5],"data_offsets":[3,8]})";
  CHECK(status_of(with_header("{\"a\":" + half + ",\"b\":" + late + "}")) == Status::ok);
  const auto overlapping = error_of(with_header("{\"a\":" + half + ",\"b\":" + overlap + "}"));
  CHECK(overlapping.status == Status::malformed);
  CHECK(std::string(overlapping.subject) == "b");
  const auto twice = error_of(with_header("{\"a\":" + half + ",\"a\":" + late + "}"));
  CHECK(twice.status == Status::malformed);
  CHECK(std::string(twice.subject) == "a");
}

TEST_CASE("Metadata are texts, once") {
  if (!have_json()) return;
  SafetensorsWriter writer = two_tensors();
  writer.metadata = R"({"format":"pt","more":""})";
  CHECK(status_of(writer.build()) == Status::ok);
  writer.metadata = "";
  CHECK(status_of(writer.build()) == Status::ok);
  writer.metadata = R"({"format":1})";
  CHECK(status_of(writer.build()) == Status::malformed);
  writer.metadata = "\"pt\"";
  CHECK(status_of(writer.build()) == Status::malformed);
  writer.metadata = R"({},"__metadata__":{})";
  CHECK(status_of(writer.build()) == Status::malformed);
}
