// The header of a GGUF file under construction: metadata and tensor directory to bytes.
//
// Room: format. Entries are appended in their order, new ones or raw ones of another file; tensors
// are given their places by finish():
//
//     "GGUF" 3 n_tensors n_entries | entries | tensor infos | padding | data of each tensor,
//     aligned
//
// What the tensors hold is the caller's to write at the offsets that come out.
#pragma once

#include <cstring>
#include <span>
#include <string_view>

#include "tern/base/allocator.hpp"
#include "tern/base/checked_math.hpp"
#include "tern/format/gguf.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// A tensor to be written. Offsets count from the start of the file.
struct PlannedTensor {
  std::string_view name;  ///< kept alive by the caller until finish()
  TensorType type = TensorType::f32;
  uint64_t dims[2] = {1, 1};  ///< the contiguous one first
  uint32_t n_dims = 1;
  uint64_t bytes = 0;
  uint64_t alignment = 0;  ///< of its place; 0 takes the file's
  uint64_t offset = 0;     ///< set by finish()
};

/// Errors of its Vectors are std::bad_alloc: callers stand behind catch_out_of_memory.
class GgufHeader {
 public:
  /// Alignment of the data, and of each tensor that asks for no more: a cache line.
  static constexpr uint32_t kAlignment = 64;

  explicit GgufHeader(const AllocatorHooks& hooks) : entries_(hooks), bytes_(hooks) {
    add(kAlignmentKey, kAlignment);
  }

  /// An entry of another file, as GgufFile::entry_bytes gives it.
  void add_raw(std::span<const uint8_t> entry) {
    entries_.insert(entries_.end(), entry.begin(), entry.end());
    ++n_entries_;
  }
  void add(std::string_view key, uint32_t value) { add_scalar(key, MetadataType::u32, value); }
  void add(std::string_view key, uint64_t value) { add_scalar(key, MetadataType::u64, value); }
  void add(std::string_view key, float value) { add_scalar(key, MetadataType::f32, value); }
  void add(std::string_view key, std::string_view value) {
    begin_entry(key, MetadataType::string);
    put_text(entries_, value);
  }
  void add_flag(std::string_view key, bool value) {
    add_scalar(key, MetadataType::boolean, static_cast<uint8_t>(value ? 1 : 0));
  }
  /// The elements follow by put_element, as many as announced.
  void begin_array(std::string_view key, MetadataType element_type, uint64_t size) {
    begin_entry(key, MetadataType::array);
    put(entries_, static_cast<uint32_t>(element_type));
    put(entries_, size);
  }
  void put_element(uint32_t value) { put(entries_, value); }
  void put_element(std::string_view value) { put_text(entries_, value); }
  void put_elements(std::span<const uint8_t> bytes) {
    entries_.insert(entries_.end(), bytes.begin(), bytes.end());
  }

  /// Gives every tensor its offset, in the order of the span, and composes the header.
  /// Errors: out_of_memory (the size of the file does not fit).
  Result<void> finish(std::span<PlannedTensor> tensors);

  /// What finish() composed, padded to where the data start.
  std::span<const uint8_t> bytes() const { return bytes_; }
  /// Bytes of the whole file, the padding of its end included.
  uint64_t file_bytes() const { return file_bytes_; }
  static constexpr std::string_view kAlignmentKey = "general.alignment";

 private:
  using Bytes = Vector<uint8_t>;

  template <typename T>
  static void put(Bytes& out, T value) {
    uint8_t bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    out.insert(out.end(), bytes, bytes + sizeof(T));
  }
  static void put_text(Bytes& out, std::string_view text) {
    put(out, uint64_t{text.size()});
    out.insert(out.end(), text.begin(), text.end());
  }
  void begin_entry(std::string_view key, MetadataType type) {
    put_text(entries_, key);
    put(entries_, static_cast<uint32_t>(type));
    ++n_entries_;
  }
  template <typename T>
  void add_scalar(std::string_view key, MetadataType type, T value) {
    begin_entry(key, type);
    put(entries_, value);
  }

  Bytes entries_;
  Bytes bytes_;
  uint64_t n_entries_ = 0;
  uint64_t file_bytes_ = 0;
};

inline Result<void> GgufHeader::finish(std::span<PlannedTensor> tensors) {
  constexpr uint32_t kMagic = 0x46554747;
  constexpr uint32_t kVersion = 3;
  bytes_.clear();
  put(bytes_, kMagic);
  put(bytes_, kVersion);
  put(bytes_, uint64_t{tensors.size()});
  put(bytes_, n_entries_);
  bytes_.insert(bytes_.end(), entries_.begin(), entries_.end());
  // A tensor info has one size wherever the tensor lies, so the end of the header is known first.
  uint64_t header_bytes = bytes_.size();
  for (const PlannedTensor& tensor : tensors) {
    header_bytes += sizeof(uint64_t) + tensor.name.size() + sizeof(uint32_t) +
                    tensor.n_dims * sizeof(uint64_t) + sizeof(uint32_t) + sizeof(uint64_t);
  }
  const uint64_t data_offset = round_up(header_bytes, uint64_t{kAlignment});
  uint64_t end = data_offset;
  for (PlannedTensor& tensor : tensors) {
    const uint64_t alignment = tensor.alignment > kAlignment ? tensor.alignment : kAlignment;
    const auto begin = checked_round_up(end, alignment);
    const auto behind = begin ? checked_add(*begin, tensor.bytes) : std::nullopt;
    if (!behind) return Error(Status::out_of_memory, "out of memory", tensor.name);
    tensor.offset = *begin;
    end = *behind;
    put_text(bytes_, tensor.name);
    put(bytes_, tensor.n_dims);
    for (uint32_t d = 0; d < tensor.n_dims; ++d) put(bytes_, tensor.dims[d]);
    put(bytes_, gguf_type_id(tensor.type));
    put(bytes_, tensor.offset - data_offset);
  }
  bytes_.resize(static_cast<size_t>(data_offset));
  file_bytes_ = round_up(end, uint64_t{kAlignment});
  return {};
}

TERN_NAMESPACE_END
