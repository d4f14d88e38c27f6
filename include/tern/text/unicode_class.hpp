// The class of a code point: what the pre-tokenizers call \p{L}, \p{N}, \p{P} and \s.
//
// Room: text. A lookup in a table of 128 entries for ASCII, a binary search over the generated runs
// (tern/text/unicode_tables.hpp) for the rest.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

#include "tern/text/unicode_tables.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// Disjoint classes; the numbers are those of the generated table.
enum class CharClass : uint8_t {
  other = 0,
  letter = 1,
  number = 2,
  punctuation = 3,
  whitespace = 4
};

namespace detail {
constexpr CharClass search_class(char32_t code_point) {
  // The low three bits hold the class, so the key sorts after every run that starts here.
  const uint32_t key = static_cast<uint32_t>(code_point) << 3 | 7;
  const auto* after = std::upper_bound(std::begin(kCharClassRuns), std::end(kCharClassRuns), key);
  return static_cast<CharClass>(*(after - 1) & 7);
}

inline constexpr auto kAsciiClasses = [] {
  std::array<CharClass, 128> classes{};
  for (size_t i = 0; i < classes.size(); ++i) classes[i] = search_class(static_cast<char32_t>(i));
  return classes;
}();
}  // namespace detail

/// The class of a code point; values above U+10FFFF (malformed bytes) are `other`.
constexpr CharClass class_of(char32_t code_point) {
  if (code_point < 128) return detail::kAsciiClasses[code_point];
  if (code_point > 0x10FFFF) return CharClass::other;
  return detail::search_class(code_point);
}

TERN_NAMESPACE_END
