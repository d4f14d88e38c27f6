// How SentencePiece vocabularies spell spaces and bytes.
//
// Room: text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tern/base/status.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {
/// U+2581, how SentencePiece writes a space.
inline constexpr std::string_view kSpmSpace = "\xE2\x96\x81";

/// The byte that "<0xHH>" spells.
inline std::optional<uint8_t> parse_byte_token(std::string_view text) {
  if (text.size() != 6 || text.substr(0, 3) != "<0x" || text[5] != '>') return std::nullopt;
  unsigned value = 0;
  for (const char c : text.substr(3, 2)) {
    if (c >= '0' && c <= '9') {
      value = value * 16 + static_cast<unsigned>(c - '0');
    } else if (c >= 'A' && c <= 'F') {
      value = value * 16 + static_cast<unsigned>(c - 'A') + 10;
    } else {
      return std::nullopt;
    }
  }
  return static_cast<uint8_t>(value);
}

/// Appends `text` to `out` with U+2581 as spaces; returns whether it held a space before.
template <typename Chars>
bool append_spm(std::string_view text, Chars& out) {
  bool had_space = false;
  for (size_t i = 0; i < text.size();) {
    if (text.substr(i, kSpmSpace.size()) == kSpmSpace) {
      out.push_back(' ');
      i += kSpmSpace.size();
    } else {
      had_space = had_space || text[i] == ' ';
      out.push_back(text[i++]);
    }
  }
  return had_space;
}

/// More texts with nearly one hash than chance makes: refused, as finding them would take too long.
inline Error collision_error(std::string_view text) {
  return Error(Status::malformed, "too many texts of the vocabulary collide in a hash table", text);
}
}  // namespace detail

TERN_NAMESPACE_END
