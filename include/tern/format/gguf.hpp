// GGUF files, versions 2 and 3: bytes to named tensors and metadata.
//
// Room: format. A GgufFile is a set of views into bytes that somebody else keeps alive (a mapped
// file, a host's buffer); parsing checks everything that is untrusted once and copies nothing but
// the two directories. Layout: tern's docs/formats.md; the parser is in gguf.cpp. The reader is
// tolerant where a file can be understood (tensors in any order and with gaps, types that tern
// cannot decode) and refuses what is ambiguous (overlaps, duplicates, big-endian, a part of a split
// file without the others). Other containers become the same view: a header made in memory, and
// tensors that lie elsewhere (compose).
#pragma once

#include <span>

#include "tern/base/buffer.hpp"
#include "tern/base/byte_reader.hpp"
#include "tern/format/gguf_metadata.hpp"
#include "tern/format/name_index.hpp"
#include "tern/quant/tensor_type.hpp"
#include "tern/quant/ternary_source.hpp"

TERN_NAMESPACE_BEGIN

inline constexpr size_t kGgufMaxDims = 4;
inline constexpr uint64_t kGgufMaxKeyBytes = 65535;
inline constexpr uint64_t kGgufMaxNameBytes = 63;
inline constexpr uint64_t kGgufMaxArrayElems = uint64_t{1} << 30;
inline constexpr uint32_t kGgufDefaultAlignment = 32;
// Of the parts of a split file: which one, of how many, and the tensors of all together.
inline constexpr std::string_view kSplitNumberKey = "split.no";
inline constexpr std::string_view kSplitCountKey = "split.count";
inline constexpr std::string_view kSplitTensorsKey = "split.tensors.count";

/// A tensor of the file: its directory entry, and its bytes.
struct GgufTensor {
  std::string_view name;
  uint32_t n_dims;
  uint64_t dims[kGgufMaxDims];  ///< dims[0] is contiguous; 1 beyond n_dims
  uint32_t type_id;             ///< as in the file
  /// Null when the id is unknown, or the size confirms no meaning of it.
  const TypeInfo* type;
  uint64_t offset;                ///< of `data` from the start of its file
  std::span<const uint8_t> data;  ///< all bytes up to the next tensor where `type` is null
  TensorForm form;                ///< of tensors of other containers

  /// dims[1] * dims[2] * dims[3]: the rows of dims[0] elements.
  uint64_t rows() const { return dims[1] * dims[2] * dims[3]; }
};

/// The type of a tensor that must be decoded.
/// Errors: unsupported_type, with the name of the tensor; the text names a known type.
Result<TensorType> readable_type(const GgufTensor& tensor);

/// A tensor as rows of trits, whether or not it is ternary.
/// Requires: a readable type; rows() and dims[0] below 2^32.
inline TernarySource ternary_source(const GgufTensor& tensor) {
  return {tensor.type->type(), tensor.data.data(), static_cast<uint32_t>(tensor.rows()),
          static_cast<uint32_t>(tensor.dims[0]), tensor.form};
}

/// A parsed file. Immutable; valid as long as the bytes. Threads: any number.
class GgufFile {
 public:
  /// Parses a whole file.
  /// Errors: truncated, malformed, mismatch (general.alignment, split.count), unsupported
  ///         (big-endian, split files, nested arrays), unsupported_version, out_of_memory; with
  ///         the key or tensor and the offset.
  /// Cost:   one pass over the metadata; allocates less than 5 bytes for each byte of it.
  static Result<GgufFile> parse(std::span<const uint8_t> bytes, const AllocatorHooks& hooks);
  /// The same of one part of a split file: its metadata, and the tensors that lie in it.
  static Result<GgufFile> parse_part(std::span<const uint8_t> bytes, const AllocatorHooks& hooks);
  /// The metadata of `header` with tensors that lie anywhere; their names and data must live as
  /// long as the file. Errors: malformed (a name twice), out_of_memory.
  static Result<GgufFile> compose(GgufFile header, Buffer<GgufTensor> tensors,
                                  const AllocatorHooks& hooks);

  uint32_t version() const { return version_; }

  /// In the order of the file.
  std::span<const MetadataEntry> metadata() const { return metadata_.span(); }
  std::span<const GgufTensor> tensors() const { return tensors_.span(); }
  /// The bytes of entry i of the metadata as they stand in the file: key, type, value.
  std::span<const uint8_t> entry_bytes(size_t i) const {
    const uint64_t begin = entry_offset(metadata_[i].key);
    const bool is_last = i + 1 == metadata_.size();
    const uint64_t end = is_last ? metadata_end_ : entry_offset(metadata_[i + 1].key);
    return bytes_.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
  }

  /// Null when absent; the pointer is good as long as the file is neither moved from nor destroyed.
  const MetadataValue* find(std::string_view key) const;
  const GgufTensor* find_tensor(std::string_view name) const;

  /// The value of a key as T: bool, float, double, std::string_view or an integer type, which takes
  /// any integer of the file that it can hold. Errors: missing; mismatch (another kind of value, or
  /// too large).
  template <typename T>
  Result<T> get(std::string_view key) const;
  /// The same for a key that may be absent. Errors: mismatch.
  template <typename T>
  Result<T> get_or(std::string_view key, std::type_identity_t<T> fallback) const;
  /// The array of a key whose elements can be asked for as T. Errors: missing, mismatch.
  template <typename T>
  Result<MetadataArray> get_array(std::string_view key) const;
  /// Errors: missing.
  Result<const GgufTensor*> get_tensor(std::string_view name) const;

 private:
  GgufFile() = default;

  Result<void> read_all(const AllocatorHooks& hooks);
  Result<void> read_metadata(ByteReader& reader, uint64_t count, const AllocatorHooks& hooks);
  Result<void> read_tensor_infos(ByteReader& reader, uint64_t count, const AllocatorHooks& hooks);
  Result<void> place_tensors(const AllocatorHooks& hooks);
  template <typename NameOf>
  Result<void> refuse_duplicate(const NameIndex& index, NameOf name_of, const char* what) const;
  /// Where the entry starts whose key or name is `name`, a view into the file: at its length.
  uint64_t entry_offset(std::string_view name) const {
    return static_cast<uint64_t>(reinterpret_cast<const uint8_t*>(name.data()) - bytes_.data()) - 8;
  }
  /// Where the entry of a key starts, or Error::kNowhere.
  uint64_t where(std::string_view key) const;

  std::span<const uint8_t> bytes_;
  uint32_t version_ = 0;
  uint32_t alignment_ = kGgufDefaultAlignment;
  uint64_t metadata_end_ = 0;
  uint64_t data_offset_ = 0;
  Buffer<MetadataEntry> metadata_;
  Buffer<GgufTensor> tensors_;
  NameIndex keys_;
  NameIndex names_;
};

template <typename T>
Result<T> GgufFile::get(std::string_view key) const {
  const MetadataValue* value = find(key);
  if (value == nullptr) return Error(Status::missing, "required metadata key is absent", key);
  const auto converted = value->as<T>();
  if (converted) return *converted;
  const bool is_integer = metadata_type_gives<T>(value->type()) && std::is_integral_v<T>;
  return Error(Status::mismatch,
               is_integer ? "metadata value out of range" : "metadata value of another type", key,
               where(key));
}

template <typename T>
Result<T> GgufFile::get_or(std::string_view key, std::type_identity_t<T> fallback) const {
  if (find(key) == nullptr) return fallback;
  return get<T>(key);
}

template <typename T>
Result<MetadataArray> GgufFile::get_array(std::string_view key) const {
  const MetadataValue* value = find(key);
  if (value == nullptr) return Error(Status::missing, "required metadata key is absent", key);
  const auto array = value->as_array();
  if (array && metadata_type_gives<T>(array->element_type())) return *array;
  return Error(Status::mismatch, "metadata value of another type", key, where(key));
}

TERN_NAMESPACE_END
