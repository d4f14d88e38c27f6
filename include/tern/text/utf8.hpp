// UTF-8: decoding that survives malformed bytes, encoding, and the cut between whole and
// unfinished.
//
// Room: text. A byte that is not part of a well-formed sequence (Unicode 15, table 3-7: no overlong
// forms, no surrogates, nothing above U+10FFFF) decodes alone, as the value kMalformedByte, so that
// walking a text visits every byte exactly once and nothing is replaced or lost.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// The value of a byte outside every well-formed sequence; not a code point.
inline constexpr char32_t kMalformedByte = 0x110000;

/// One step through a text.
struct DecodedChar {
  char32_t value;   ///< the code point, or kMalformedByte
  uint32_t length;  ///< bytes consumed, 1 to 4
};

namespace detail {
/// The shape of a sequence by its first byte: length 0 means that no sequence begins so.
struct Utf8Lead {
  uint8_t length;
  uint8_t payload;     // bits of the code point in the first byte
  uint8_t second_min;  // the bounds of the second byte exclude overlong forms, surrogates and
  uint8_t second_max;  // values above U+10FFFF
};

constexpr Utf8Lead utf8_lead(uint8_t byte) {
  const auto low = [byte](uint8_t mask) { return static_cast<uint8_t>(byte & mask); };
  if (byte < 0x80) return {1, byte, 0, 0};
  if (byte < 0xC2) return {0, 0, 0, 0};
  if (byte < 0xE0) return {2, low(0x1F), 0x80, 0xBF};
  if (byte == 0xE0) return {3, low(0x0F), 0xA0, 0xBF};
  if (byte == 0xED) return {3, low(0x0F), 0x80, 0x9F};
  if (byte < 0xF0) return {3, low(0x0F), 0x80, 0xBF};
  if (byte == 0xF0) return {4, low(0x07), 0x90, 0xBF};
  if (byte < 0xF4) return {4, low(0x07), 0x80, 0xBF};
  if (byte == 0xF4) return {4, low(0x07), 0x80, 0x8F};
  return {0, 0, 0, 0};
}

constexpr bool is_utf8_continuation(uint8_t byte, size_t index, const Utf8Lead& lead) {
  if (index == 1) return byte >= lead.second_min && byte <= lead.second_max;
  return byte >= 0x80 && byte <= 0xBF;
}
}  // namespace detail

/// Decodes the character that begins at `position`.
/// Requires: position < text.size().
constexpr DecodedChar decode_utf8(std::string_view text, size_t position) {
  const auto first = static_cast<uint8_t>(text[position]);
  if (first < 0x80) return {first, 1};
  const detail::Utf8Lead lead = detail::utf8_lead(first);
  if (lead.length == 0 || text.size() - position < lead.length) return {kMalformedByte, 1};
  char32_t value = lead.payload;
  for (size_t i = 1; i < lead.length; ++i) {
    const auto byte = static_cast<uint8_t>(text[position + i]);
    if (!detail::is_utf8_continuation(byte, i, lead)) return {kMalformedByte, 1};
    value = value << 6 | (byte & 0x3Fu);
  }
  return {value, lead.length};
}

/// The bytes of a code point.
struct EncodedChar {
  std::array<char, 4> bytes{};
  size_t length = 0;
  constexpr std::string_view view() const { return {bytes.data(), length}; }
};

/// Encodes a code point. Requires: a Unicode scalar value.
constexpr EncodedChar encode_utf8(char32_t value) {
  const auto tail = [value](int shift) {
    return static_cast<char>(0x80 | ((value >> shift) & 0x3F));
  };
  if (value < 0x80) return {{static_cast<char>(value)}, 1};
  if (value < 0x800) return {{static_cast<char>(0xC0 | (value >> 6)), tail(0)}, 2};
  if (value < 0x10000) return {{static_cast<char>(0xE0 | (value >> 12)), tail(6), tail(0)}, 3};
  return {{static_cast<char>(0xF0 | (value >> 18)), tail(12), tail(6), tail(0)}, 4};
}

/// How many bytes of `text` can be shown now: all but a last sequence that more bytes could finish.
/// Ensures: at most 3 bytes are held back; malformed bytes are never held back.
constexpr size_t complete_utf8_prefix(std::string_view text) {
  const size_t window = text.size() < 3 ? text.size() : 3;
  for (size_t held = 1; held <= window; ++held) {
    const size_t start = text.size() - held;
    const detail::Utf8Lead lead = detail::utf8_lead(static_cast<uint8_t>(text[start]));
    if (lead.length <= held) continue;
    bool unfinished = true;
    for (size_t i = 1; i < held; ++i) {
      const auto byte = static_cast<uint8_t>(text[start + i]);
      unfinished = unfinished && detail::is_utf8_continuation(byte, i, lead);
    }
    if (unfinished) return start;
  }
  return text.size();
}

TERN_NAMESPACE_END
