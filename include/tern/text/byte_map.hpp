// The byte map of byte-level BPE: how token texts of the GPT-2 family spell arbitrary bytes.
//
// Room: text. Printable bytes (0x21..0x7E, 0xA1..0xAC, 0xAE..0xFF) stand for themselves; the other
// 68, in increasing order, are the code points U+0100, U+0101, ... So a space is U+0120 and a
// newline U+010A. tern undoes the map once, at load; everything later works on plain bytes.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "tern/text/utf8.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// One past the last code point of the map: 256 + 68.
inline constexpr uint32_t kByteMapEnd = 324;

namespace detail {
struct ByteMap {
  std::array<char32_t, 256> code_point_of{};
  std::array<int16_t, kByteMapEnd> byte_of{};  // -1: not in the map
};

inline constexpr ByteMap kByteMap = [] {
  ByteMap map;
  map.byte_of.fill(-1);
  char32_t next = 256;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
    const char32_t code_point = printable ? char32_t{byte} : next++;
    map.code_point_of[byte] = code_point;
    map.byte_of[code_point] = static_cast<int16_t>(byte);
  }
  return map;
}();
}  // namespace detail

/// The code point that spells `byte` in the text of a byte-level token.
constexpr char32_t byte_level_code_point(uint8_t byte) {
  return detail::kByteMap.code_point_of[byte];
}

/// Appends the bytes that `text` spells to `out`, a container of char.
/// Ensures: returns false, with `out` as it was, when a character is outside the map.
template <typename Chars>
bool append_byte_level(std::string_view text, Chars& out) {
  const auto before = out.size();
  for (size_t position = 0; position < text.size();) {
    const DecodedChar c = decode_utf8(text, position);
    position += c.length;
    const int byte = c.value < kByteMapEnd ? detail::kByteMap.byte_of[c.value] : -1;
    if (byte < 0) {
      out.resize(before);
      return false;
    }
    out.push_back(static_cast<char>(byte));
  }
  return true;
}

TERN_NAMESPACE_END
