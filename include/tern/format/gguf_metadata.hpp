// The metadata values of a GGUF file: typed views into its bytes.
//
// Room: format. Nothing is copied or converted until it is asked for; the parser (gguf.cpp) has
// checked that every value lies inside the file before a view of it exists.
#pragma once

#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "tern/base/assert.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// The value types of GGUF by their ids.
enum class MetadataType : uint32_t {
  u8 = 0,
  i8 = 1,
  u16 = 2,
  i16 = 3,
  u32 = 4,
  i32 = 5,
  f32 = 6,
  boolean = 7,
  string = 8,
  array = 9,
  u64 = 10,
  i64 = 11,
  f64 = 12,
};
inline constexpr uint32_t kMetadataTypes = 13;

/// Bytes of a value by its type; 0 for strings, which say their length, and for arrays.
// clang-format off
inline constexpr uint8_t kMetadataTypeBytes[kMetadataTypes] = {
    1, 1, 2, 2, 4, 4, 4,  // u8 i8 u16 i16 u32 i32 f32
    1, 0, 0,              // boolean string array
    8, 8, 8,              // u64 i64 f64
};
// clang-format on

/// Whether values of `type` can be asked for as T: any integer as an integer, else the same kind.
template <typename T>
constexpr bool metadata_type_gives(MetadataType type) {
  if constexpr (std::is_same_v<T, bool>) return type == MetadataType::boolean;
  if constexpr (std::is_same_v<T, std::string_view>) return type == MetadataType::string;
  if constexpr (std::is_same_v<T, float>) return type == MetadataType::f32;
  if constexpr (std::is_same_v<T, double>) return type == MetadataType::f64;
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    return type <= MetadataType::i32 || type == MetadataType::u64 || type == MetadataType::i64;
  }
  return false;
}

/// One number, truth value or string.
class MetadataScalar {
 public:
  /// Requires: a whole value of `type` at `at`.
  MetadataScalar(MetadataType type, const uint8_t* at) : type_(type), at_(at) {}

  MetadataType type() const { return type_; }

  /// The value as T: bool, float, double, an integer type or std::string_view (which points into
  /// the file). Nothing when it is of another kind, or an integer that T cannot hold.
  template <typename T>
  std::optional<T> as() const {
    if (!metadata_type_gives<T>(type_)) return std::nullopt;
    if constexpr (std::is_same_v<T, bool>) {
      return *at_ != 0;
    } else if constexpr (std::is_same_v<T, std::string_view>) {
      return std::string_view(reinterpret_cast<const char*>(at_ + 8),
                              static_cast<size_t>(load<uint64_t>()));
    } else if constexpr (std::is_floating_point_v<T>) {
      return load<T>();
    } else {
      switch (type_) {
        case MetadataType::u8: return fitting<T>(load<uint8_t>());
        case MetadataType::i8: return fitting<T>(load<int8_t>());
        case MetadataType::u16: return fitting<T>(load<uint16_t>());
        case MetadataType::i16: return fitting<T>(load<int16_t>());
        case MetadataType::u32: return fitting<T>(load<uint32_t>());
        case MetadataType::i32: return fitting<T>(load<int32_t>());
        case MetadataType::u64: return fitting<T>(load<uint64_t>());
        default: return fitting<T>(load<int64_t>());
      }
    }
  }

  /// Bytes of the value in the file.
  size_t bytes() const {
    if (type_ == MetadataType::string) return 8 + static_cast<size_t>(load<uint64_t>());
    return kMetadataTypeBytes[static_cast<uint32_t>(type_)];
  }

 private:
  template <typename T>
  T load() const {
    T value;
    std::memcpy(&value, at_, sizeof(T));
    return value;
  }
  template <typename T, typename Stored>
  static std::optional<T> fitting(Stored value) {
    if (!std::in_range<T>(value)) return std::nullopt;
    return static_cast<T>(value);
  }

  MetadataType type_;
  const uint8_t* at_;
};

/// The elements of an array, one after the other as they lie in the file.
class MetadataArray {
 public:
  class Iterator {
   public:
    using difference_type = std::ptrdiff_t;
    using value_type = MetadataScalar;

    Iterator(MetadataType type, const uint8_t* at, size_t left)
        : type_(type), at_(at), left_(left) {}
    MetadataScalar operator*() const {
      TERN_ASSERT(left_ > 0);
      return {type_, at_};
    }
    Iterator& operator++() {
      at_ += (**this).bytes();
      --left_;
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.left_ == b.left_; }

   private:
    MetadataType type_;
    const uint8_t* at_;
    size_t left_;
  };

  MetadataArray(MetadataType element_type, size_t size, const uint8_t* first)
      : element_type_(element_type), size_(size), first_(first) {}

  MetadataType element_type() const { return element_type_; }
  size_t size() const { return size_; }
  /// All elements as they lie in the file, at any alignment; empty for strings.
  std::span<const uint8_t> bytes() const {
    return {first_, size_ * kMetadataTypeBytes[static_cast<uint32_t>(element_type_)]};
  }
  Iterator begin() const { return {element_type_, first_, size_}; }
  Iterator end() const { return {element_type_, nullptr, 0}; }

 private:
  MetadataType element_type_;
  size_t size_;
  const uint8_t* first_;
};

/// The value of a key: one scalar, or an array of them.
class MetadataValue {
 public:
  /// A scalar. Requires: as MetadataScalar; type is not array.
  MetadataValue(MetadataType type, const uint8_t* at) : type_(type), element_type_(type), at_(at) {}
  /// An array whose first element is at `first`.
  MetadataValue(MetadataType element_type, size_t size, const uint8_t* first)
      : type_(MetadataType::array), element_type_(element_type), size_(size), at_(first) {}

  MetadataType type() const { return type_; }

  /// As MetadataScalar::as; nothing for an array.
  template <typename T>
  std::optional<T> as() const {
    if (type_ == MetadataType::array) return std::nullopt;
    return MetadataScalar(type_, at_).as<T>();
  }
  /// The elements; nothing for a scalar.
  std::optional<MetadataArray> as_array() const {
    if (type_ != MetadataType::array) return std::nullopt;
    return MetadataArray(element_type_, size_, at_);
  }

 private:
  MetadataType type_;
  MetadataType element_type_;
  size_t size_ = 1;
  const uint8_t* at_;
};

/// One key of a file and its value.
struct MetadataEntry {
  std::string_view key;
  MetadataValue value;
};

TERN_NAMESPACE_END
