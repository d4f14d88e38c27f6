// Safetensors files: bytes to named tensors.
//
// Room: format. A 64-bit length, that many bytes of JSON, then the data without a hole. A
// SafetensorsFile views bytes that somebody else keeps alive; parsing checks everything once, at
// the strictness of the format's reference: every byte of the data belongs to exactly one tensor.
// Layout: docs/formats.md.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>

#include "tern/base/buffer.hpp"
#include "tern/base/byte_reader.hpp"
#include "tern/base/checked_math.hpp"
#include "tern/format/json.hpp"
#include "tern/format/name_index.hpp"
#include "tern/quant/tensor_type.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

inline constexpr uint64_t kSafetensorsMaxHeaderBytes = 100'000'000;
inline constexpr size_t kSafetensorsMaxDims = 8;

/// An element type of the format.
struct SafetensorsType {
  std::string_view name;
  uint32_t bytes;
  std::optional<TensorType> type;  ///< the same type in GGUF, where tern reads it
};

inline constexpr SafetensorsType kSafetensorsTypes[] = {
    {"BOOL", 1, {}},    {"U8", 1, {}},
    {"I8", 1, {}},      {"F8_E5M2", 1, {}},
    {"F8_E4M3", 1, {}}, {"I16", 2, {}},
    {"U16", 2, {}},     {"F16", 2, TensorType::f16},
    {"I32", 4, {}},     {"BF16", 2, TensorType::bf16},
    {"U32", 4, {}},     {"F32", 4, TensorType::f32},
    {"F64", 8, {}},     {"I64", 8, {}},
    {"U64", 8, {}},
};

/// A tensor of the file; views the file object and the bytes.
struct SafetensorsTensor {
  std::string_view name;
  const SafetensorsType* type;
  uint32_t n_dims;
  uint64_t dims[kSafetensorsMaxDims];  ///< the contiguous one last, as in the file
  uint64_t elems;                      ///< 0 for an empty tensor, 1 for a scalar
  uint64_t offset;                     ///< of `data` from the start of the file
  std::span<const uint8_t> data;
};

/// A parsed file. Immutable; valid as long as the bytes. Threads: any number.
class SafetensorsFile {
 public:
  /// Parses a whole file.
  /// Errors: truncated, malformed, with the tensor and the byte; unsupported_type (an element type
  /// that is not in kSafetensorsTypes); unsupported (a build without JSON); out_of_memory.
  static Result<SafetensorsFile> parse(std::span<const uint8_t> bytes, const AllocatorHooks& hooks);

  /// By ascending place of their data.
  std::span<const SafetensorsTensor> tensors() const { return tensors_.span(); }
  /// Null when absent.
  const SafetensorsTensor* find(std::string_view name) const {
    const size_t i = names_.find(name, [this](size_t at) { return tensors_[at].name; });
    return i == NameIndex::kNone ? nullptr : &tensors_[i];
  }

 private:
  explicit SafetensorsFile(JsonDocument header) : header_(std::move(header)) {}

  Result<void> check_metadata(JsonValue metadata) const;
  Result<SafetensorsTensor> read_tensor(const JsonMember& member) const;
  Result<void> place_tensors(std::span<const uint8_t> data);

  JsonDocument header_;  // keeps the names
  uint64_t data_offset_ = 0;
  Buffer<SafetensorsTensor> tensors_;
  NameIndex names_;
};

namespace detail {

inline constexpr uint64_t kSafetensorsHeaderAt = sizeof(uint64_t);
inline constexpr std::string_view kSafetensorsMetadata = "__metadata__";

inline const SafetensorsType* find_safetensors_type(std::string_view name) {
  for (const SafetensorsType& row : kSafetensorsTypes) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

/// A JSON number that is a size.
inline std::optional<uint64_t> json_size(JsonValue value) {
  const auto number = value.as_integer();
  if (!number || *number < 0) return std::nullopt;
  return static_cast<uint64_t>(*number);
}

}  // namespace detail

inline Result<SafetensorsFile> SafetensorsFile::parse(std::span<const uint8_t> bytes,
                                                      const AllocatorHooks& hooks) {
  ByteReader reader(bytes);
  TERN_TRY_ASSIGN(const auto header_bytes, reader.read<uint64_t>());
  if (header_bytes > kSafetensorsMaxHeaderBytes) {
    return Error(Status::malformed, "header too long", 0);
  }
  TERN_TRY_ASSIGN(const auto text, reader.read_bytes(header_bytes));
  if (text.empty() || text[0] != '{') {
    return Error(Status::malformed, "header is no JSON object", detail::kSafetensorsHeaderAt);
  }
  auto parsed = JsonDocument::parse(text, hooks);
  if (!parsed.ok()) {
    Error error = parsed.error();
    if (error.has_where()) error.where += detail::kSafetensorsHeaderAt;
    return error;
  }
  SafetensorsFile file(*std::move(parsed));
  file.data_offset_ = reader.position();
  const JsonValue root = file.header_.root();
  size_t n = 0;
  bool has_metadata = false;
  for (const JsonMember member : root.members()) {
    if (member.name != detail::kSafetensorsMetadata) {
      ++n;
      continue;
    }
    if (has_metadata) return Error(Status::malformed, "metadata given twice", member.name);
    has_metadata = true;
    TERN_TRY(file.check_metadata(member.value));
  }
  TERN_TRY_ASSIGN(file.tensors_, Buffer<SafetensorsTensor>::create(n, hooks));
  n = 0;
  for (const JsonMember member : root.members()) {
    if (member.name == detail::kSafetensorsMetadata) continue;
    TERN_TRY_ASSIGN(file.tensors_[n++], file.read_tensor(member));
  }
  TERN_TRY(file.place_tensors(bytes.subspan(static_cast<size_t>(file.data_offset_))));
  const auto name_of = [&file](size_t i) { return file.tensors_[i].name; };
  TERN_TRY_ASSIGN(file.names_, NameIndex::create(n, name_of, hooks));
  const size_t duplicate = file.names_.find_duplicate(name_of);
  if (duplicate != NameIndex::kNone) {
    return Error(Status::malformed, "duplicate tensor name", name_of(duplicate));
  }
  return file;
}

inline Result<void> SafetensorsFile::check_metadata(JsonValue metadata) const {
  bool good = metadata.is_object();
  for (const JsonMember member : metadata.members()) good &= member.value.as_text().has_value();
  if (good) return {};
  return Error(Status::malformed, "metadata are not texts by name", detail::kSafetensorsMetadata,
               detail::kSafetensorsHeaderAt + metadata.where());
}

/// All but `data`; `offset` is relative to the data. The size agrees with shape and type.
inline Result<SafetensorsTensor> SafetensorsFile::read_tensor(const JsonMember& member) const {
  const auto refused = [&member](Status status, const char* what, JsonValue value) {
    const uint64_t at = value.is_absent() ? member.value.where() : value.where();
    return Error(status, what, member.name, detail::kSafetensorsHeaderAt + at);
  };
  SafetensorsTensor tensor{};
  tensor.name = member.name;
  const JsonValue type = member.value.find("dtype");
  if (!type.as_text()) return refused(Status::malformed, "tensor without a type", type);
  tensor.type = detail::find_safetensors_type(*type.as_text());
  if (tensor.type == nullptr) {
    return refused(Status::unsupported_type, "unknown type of safetensors", type);
  }
  const JsonValue shape = member.value.find("shape");
  if (!shape.is_array()) return refused(Status::malformed, "tensor without a shape", shape);
  if (shape.size() > kSafetensorsMaxDims) {
    return refused(Status::unsupported, "tensor with more than 8 dimensions", shape);
  }
  tensor.elems = 1;
  for (const JsonValue extent : shape.elements()) {
    const auto size = detail::json_size(extent);
    const auto elems = size ? checked_mul(tensor.elems, *size) : std::nullopt;
    if (!elems) return refused(Status::malformed, "shape is not one of sizes", shape);
    tensor.dims[tensor.n_dims++] = *size;
    tensor.elems = *elems;
  }
  const JsonValue range = member.value.find("data_offsets");
  std::optional<uint64_t> ends[2];
  size_t n = 0;
  if (range.size() == 2) {
    for (const JsonValue end : range.elements()) ends[n++] = detail::json_size(end);
  }
  if (!ends[0] || !ends[1] || *ends[0] > *ends[1]) {
    return refused(Status::malformed, "tensor without a range of data", range);
  }
  const auto size = checked_mul(tensor.elems, tensor.type->bytes);
  if (!size || *ends[1] - *ends[0] != *size) {
    return refused(Status::malformed, "tensor data of another size than type and shape", range);
  }
  tensor.offset = *ends[0];
  return tensor;
}

/// Sorts the tensors by place, and gives them their data if those follow each other without a hole
/// up to the end of the file.
inline Result<void> SafetensorsFile::place_tensors(std::span<const uint8_t> data) {
  const auto bytes_of = [](const SafetensorsTensor& tensor) {
    return tensor.elems * tensor.type->bytes;
  };
  std::sort(tensors_.data(), tensors_.data() + tensors_.size(),
            [&](const SafetensorsTensor& a, const SafetensorsTensor& b) {
              if (a.offset != b.offset) return a.offset < b.offset;
              if (bytes_of(a) != bytes_of(b)) return bytes_of(a) < bytes_of(b);
              return a.name < b.name;
            });
  uint64_t end = 0;
  for (SafetensorsTensor& tensor : tensors_.span()) {
    const uint64_t size = bytes_of(tensor);
    if (tensor.offset != end) {
      return Error(Status::malformed,
                   tensor.offset < end ? "tensors overlap" : "a hole before the tensor's data",
                   tensor.name, data_offset_ + end);
    }
    if (size > data.size() - end) {
      return Error(Status::truncated, "tensor data pass the end of the file", tensor.name,
                   data_offset_ + end);
    }
    tensor.data = data.subspan(static_cast<size_t>(end), static_cast<size_t>(size));
    tensor.offset += data_offset_;
    end += size;
  }
  if (end == data.size()) return {};
  return Error(Status::malformed, "bytes behind the last tensor", data_offset_ + end);
}

TERN_NAMESPACE_END
