// A small GGUF writer for tests: builds a file in memory, and lies in it where a test asks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "tern/format/gguf_metadata.hpp"

namespace tern_test {

/// Metadata and tensors in the order of the calls; `build` gives the bytes.
class GgufWriter {
 public:
  using Bytes = std::vector<uint8_t>;

  // What the header says; by default the truth.
  uint32_t magic = 0x46554747;
  uint32_t version = 3;
  std::optional<uint64_t> claimed_tensors;
  std::optional<uint64_t> claimed_entries;
  uint32_t alignment = 32;  ///< of the data; `add("general.alignment", ...)` says so in the file

  template <typename T>
  GgufWriter& add(std::string_view key, const T& value) {
    begin_entry(key);
    put(entries_, type_id<T>());
    put_value(entries_, value);
    return *this;
  }
  GgufWriter& add(std::string_view key, const char* value) {
    return add(key, std::string_view(value));
  }
  template <typename T>
  GgufWriter& add_array(std::string_view key, const std::vector<T>& values) {
    begin_entry(key);
    put(entries_, static_cast<uint32_t>(tern::MetadataType::array));
    put(entries_, type_id<T>());
    put(entries_, uint64_t{values.size()});
    for (const T value : values) put_value(entries_, value);
    return *this;
  }
  /// Gives an entry that `add` wrote with a u32 another value.
  void replace_u32(std::string_view key, uint32_t value) {
    const auto at = std::search(entries_.begin(), entries_.end(), key.begin(), key.end());
    std::memcpy(&*at + key.size() + 4, &value, sizeof(value));
  }
  /// An entry whose bytes after the key are the caller's.
  GgufWriter& add_raw(std::string_view key, const Bytes& type_and_value) {
    begin_entry(key);
    entries_.insert(entries_.end(), type_and_value.begin(), type_and_value.end());
    return *this;
  }

  struct Tensor {
    std::string name;
    uint32_t type_id = 0;
    std::vector<uint64_t> dims;  ///< the contiguous one first
    Bytes data;
    std::optional<uint64_t> claimed_offset;
  };
  GgufWriter& add_tensor(Tensor tensor) {
    tensors_.push_back(std::move(tensor));
    return *this;
  }

  /// Puts another tensor in the place of the one of its name.
  void replace_tensor(Tensor tensor) {
    for (Tensor& old : tensors_) {
      if (old.name == tensor.name) old = tensor;
    }
  }

  void remove_tensor(std::string_view name) {
    std::erase_if(tensors_, [&](const Tensor& tensor) { return tensor.name == name; });
  }

  Bytes build() const {
    Bytes out;
    put(out, magic);
    put(out, version);
    put(out, claimed_tensors.value_or(tensors_.size()));
    put(out, claimed_entries.value_or(n_entries_));
    out.insert(out.end(), entries_.begin(), entries_.end());
    uint64_t offset = 0;
    for (const Tensor& tensor : tensors_) {
      put_value(out, std::string_view(tensor.name));
      put(out, static_cast<uint32_t>(tensor.dims.size()));
      for (const uint64_t dim : tensor.dims) put(out, dim);
      put(out, tensor.type_id);
      put(out, tensor.claimed_offset.value_or(offset));
      offset += padded(tensor.data.size());
    }
    if (!tensors_.empty()) out.resize(padded(out.size()));
    for (const Tensor& tensor : tensors_) {
      out.insert(out.end(), tensor.data.begin(), tensor.data.end());
      out.resize(out.size() + padded(tensor.data.size()) - tensor.data.size());
    }
    return out;
  }

  template <typename T>
  static void put(Bytes& out, T value) {
    uint8_t bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    out.insert(out.end(), bytes, bytes + sizeof(T));
  }

 private:
  template <typename T>
  static uint32_t type_id() {
    using tern::MetadataType;
    MetadataType type = MetadataType::string;
    if (std::is_same_v<T, uint8_t>) type = MetadataType::u8;
    if (std::is_same_v<T, int8_t>) type = MetadataType::i8;
    if (std::is_same_v<T, uint16_t>) type = MetadataType::u16;
    if (std::is_same_v<T, int16_t>) type = MetadataType::i16;
    if (std::is_same_v<T, uint32_t>) type = MetadataType::u32;
    if (std::is_same_v<T, int32_t>) type = MetadataType::i32;
    if (std::is_same_v<T, uint64_t>) type = MetadataType::u64;
    if (std::is_same_v<T, int64_t>) type = MetadataType::i64;
    if (std::is_same_v<T, float>) type = MetadataType::f32;
    if (std::is_same_v<T, double>) type = MetadataType::f64;
    if (std::is_same_v<T, bool>) type = MetadataType::boolean;
    return static_cast<uint32_t>(type);
  }
  template <typename T>
  static void put_value(Bytes& out, const T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      put(out, static_cast<uint8_t>(value ? 1 : 0));
    } else if constexpr (std::is_arithmetic_v<T>) {
      put(out, value);
    } else {
      const std::string_view text(value);
      put(out, uint64_t{text.size()});
      out.insert(out.end(), text.begin(), text.end());
    }
  }
  void begin_entry(std::string_view key) {
    put_value(entries_, key);
    ++n_entries_;
  }
  size_t padded(size_t n) const { return (n + alignment - 1) / alignment * alignment; }

  Bytes entries_;
  uint64_t n_entries_ = 0;
  std::vector<Tensor> tensors_;
};

}  // namespace tern_test
