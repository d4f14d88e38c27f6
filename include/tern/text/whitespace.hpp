// What is taken off at the ends of texts: whitespace, as Unicode has it, or any set of characters.
//
// Room: text.
#pragma once

#include <cstddef>
#include <string_view>

#include "tern/text/unicode_class.hpp"
#include "tern/text/utf8.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// Whether the character that the text begins with is whitespace. Requires: not empty.
inline bool is_whitespace(std::string_view character) {
  return class_of(decode_utf8(character, 0).value) == CharClass::whitespace;
}

/// Where the first character begins that does not go; text.size() if all do.
/// `goes(std::string_view character)` tells.
template <typename Goes>
size_t strip_begin(std::string_view text, Goes&& goes) {
  size_t at = 0;
  while (at < text.size()) {
    const size_t length = decode_utf8(text, at).length;
    if (!goes(text.substr(at, length))) break;
    at += length;
  }
  return at;
}

/// Where the last character ends that does not go; 0 if all do.
template <typename Goes>
size_t strip_end(std::string_view text, Goes&& goes) {
  size_t end = text.size();
  while (end > 0) {
    // Back to where a character of at most four bytes begins; a malformed byte stands alone.
    size_t begin = end - 1;
    while (begin > 0 && end - begin < 4 && (static_cast<uint8_t>(text[begin]) & 0xC0) == 0x80) {
      --begin;
    }
    if (decode_utf8(text.substr(0, end), begin).length != end - begin) begin = end - 1;
    if (!goes(text.substr(begin, end - begin))) break;
    end = begin;
  }
  return end;
}

/// `text` without the whitespace at both ends.
inline std::string_view trim_whitespace(std::string_view text) {
  text = text.substr(0, strip_end(text, is_whitespace));
  return text.substr(strip_begin(text, is_whitespace));
}

TERN_NAMESPACE_END
