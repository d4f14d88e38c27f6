// A bounds-checked cursor over untrusted little-endian bytes.
//
// Room: base. Parsers touch untrusted bytes through this class only; every read that would pass
// the end gives Status::truncated with the offset at which the value should have started.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "tern/base/status.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

static_assert(std::endian::native == std::endian::little, "tern supports little-endian hosts");

class ByteReader {
 public:
  explicit ByteReader(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  /// Offset of the next byte from the start.
  uint64_t position() const { return position_; }
  /// Bytes that are left.
  uint64_t remaining() const { return bytes_.size() - position_; }

  /// Reads one fixed-width integer or float, little-endian.
  template <typename T>
  requires std::is_arithmetic_v<T> Result<T> read() {
    if (remaining() < sizeof(T)) return end_of_bytes();
    T value;
    std::memcpy(&value, bytes_.data() + position_, sizeof(T));
    position_ += sizeof(T);
    return value;
  }

  /// A view of the next `n` bytes, valid as long as the underlying bytes.
  Result<std::span<const uint8_t>> read_bytes(uint64_t n) {
    if (remaining() < n) return end_of_bytes();
    const auto view = bytes_.subspan(static_cast<size_t>(position_), static_cast<size_t>(n));
    position_ += n;
    return view;
  }

  /// The same as characters.
  Result<std::string_view> read_text(uint64_t n) {
    TERN_TRY_ASSIGN(const auto view, read_bytes(n));
    return std::string_view(reinterpret_cast<const char*>(view.data()), view.size());
  }

 private:
  Error end_of_bytes() const { return {Status::truncated, "unexpected end of file", position_}; }

  std::span<const uint8_t> bytes_;
  uint64_t position_ = 0;
};

TERN_NAMESPACE_END
