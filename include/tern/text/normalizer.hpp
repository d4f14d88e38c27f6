// Canonical composition of texts: Unicode's normalization form C (UAX #15).
//
// Room: text. A text is walked once; stretches that the quick check passes are copied as they are.
// What it does not pass lies between two characters that neither compose with what is before them
// nor move; such a stretch is decomposed, put in canonical order and composed. Malformed bytes pass
// as they are, and nothing composes with them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "tern/base/allocator.hpp"
#include "tern/text/unicode_tables.hpp"
#include "tern/text/utf8.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {

/// What composition asks of a character.
struct ComposeMarks {
  uint8_t combining_class = 0;
  bool is_unsafe = false;  // the quick check cannot pass it
  /// Nothing before it has to do with anything from it on.
  bool is_boundary() const { return combining_class == 0 && !is_unsafe; }
};

inline ComposeMarks compose_marks(char32_t value) {
  constexpr char32_t kFirstMark = 0x300;
  if (value < kFirstMark || value > 0x10FFFF) return {};
  const uint32_t key = static_cast<uint32_t>(value) << 9 | 0x1FF;
  const uint32_t run =
      *(std::upper_bound(std::begin(kComposeRuns), std::end(kComposeRuns), key) - 1);
  return {static_cast<uint8_t>(run & 0xFF), (run & 0x100) != 0};
}

/// Hangul syllables: L + V, then + T, each by arithmetic.
inline constexpr char32_t kHangulBase = 0xAC00;
inline constexpr char32_t kHangulL = 0x1100;
inline constexpr char32_t kHangulV = 0x1161;
inline constexpr char32_t kHangulT = 0x11A7;  // one before the first
inline constexpr char32_t kHangulCountL = 19;
inline constexpr char32_t kHangulCountV = 21;
inline constexpr char32_t kHangulCountT = 28;
inline constexpr char32_t kHangulCount = kHangulCountL * kHangulCountV * kHangulCountT;

inline constexpr uint64_t kCodePointMask = (uint64_t{1} << 21) - 1;

/// The entry of a table that begins with `key` << shift, or 0.
template <size_t kSize>
uint64_t find_mapping(const uint64_t (&table)[kSize], uint64_t key, int shift) {
  const uint64_t* at = std::lower_bound(std::begin(table), std::end(table), key << shift);
  return at != std::end(table) && *at >> shift == key ? *at : 0;
}

/// The character that two others compose to, or 0.
inline char32_t composite_of(char32_t first, char32_t second) {
  if (first - kHangulL < kHangulCountL && second - kHangulV < kHangulCountV) {
    const char32_t index = (first - kHangulL) * kHangulCountV + (second - kHangulV);
    return kHangulBase + index * kHangulCountT;
  }
  const char32_t syllable = first - kHangulBase;
  if (syllable < kHangulCount && syllable % kHangulCountT == 0 && second > kHangulT &&
      second - kHangulT < kHangulCountT) {
    return first + (second - kHangulT);
  }
  const uint64_t pair = uint64_t{first} << 21 | second;
  return static_cast<char32_t>(find_mapping(kCompositions, pair, 21) & kCodePointMask);
}

/// A stretch of characters on their way through decomposition, order and composition.
class ComposeBuffer {
 public:
  explicit ComposeBuffer(const AllocatorHooks& hooks) : chars_(hooks) {}

  void push_decomposed(char32_t value) {
    const char32_t syllable = value - kHangulBase;
    if (syllable < kHangulCount) {
      const char32_t last = syllable % kHangulCountT;
      const char32_t pair = syllable / kHangulCountT;
      push(kHangulL + pair / kHangulCountV);
      push(kHangulV + pair % kHangulCountV);
      if (last != 0) push(kHangulT + last);
      return;
    }
    const uint64_t mapping = find_mapping(kDecompositions, value, 42);
    if (mapping == 0) {
      push(value);
      return;
    }
    // Mappings of mappings end after a few steps.
    push_decomposed(static_cast<char32_t>(mapping >> 21 & kCodePointMask));
    const auto second = static_cast<char32_t>(mapping & kCodePointMask);
    if (second != 0) push_decomposed(second);
  }
  void push_malformed(uint8_t byte) { chars_.push_back({kMalformedByte + byte, 0, 0}); }

  /// Orders, composes, appends the bytes to `out`, and is empty again.
  void finish(String& out) {
    order();
    compose();
    for (const Char& c : chars_) {
      if (c.value >= kMalformedByte) {
        out.push_back(static_cast<char>(c.value - kMalformedByte));
      } else {
        out.append(encode_utf8(c.value).view());
      }
    }
    chars_.clear();
  }

 private:
  struct Char {
    char32_t value;
    uint32_t index;
    uint8_t combining_class;
  };

  void push(char32_t value) {
    const uint8_t combining_class = compose_marks(value).combining_class;
    chars_.push_back({value, static_cast<uint32_t>(chars_.size()), combining_class});
  }

  void order() {
    const auto is_starter = [](const Char& c) { return c.combining_class == 0; };
    for (auto begin = chars_.begin(); begin != chars_.end();) {
      const auto end = std::find_if(begin, chars_.end(), is_starter);
      std::sort(begin, end, [](const Char& a, const Char& b) {
        return a.combining_class != b.combining_class ? a.combining_class < b.combining_class
                                                      : a.index < b.index;
      });
      begin = end == chars_.end() ? end : end + 1;
    }
  }

  /// A character joins the last starter unless one of its class, or a starter, stands between.
  void compose() {
    constexpr size_t kNone = ~size_t{0};
    size_t starter = kNone;
    size_t n = 0;
    for (const Char c : chars_) {
      const bool is_adjacent = starter != kNone && n == starter + 1;
      const bool is_blocked =
          !is_adjacent && (n == 0 || chars_[n - 1].combining_class >= c.combining_class);
      if (starter != kNone && !is_blocked) {
        const char32_t composite = composite_of(chars_[starter].value, c.value);
        if (composite != 0) {
          chars_[starter].value = composite;
          continue;
        }
      }
      if (c.combining_class == 0) starter = n;
      chars_[n++] = c;
    }
    chars_.resize(n);
  }

  Vector<Char> chars_;
};

/// Where the first stretch begins that the quick check does not pass, or the size of the text.
inline size_t composed_prefix(std::string_view text) {
  size_t boundary = 0;
  uint8_t last_class = 0;
  for (size_t at = 0; at < text.size();) {
    const DecodedChar c = decode_utf8(text, at);
    const ComposeMarks marks = compose_marks(c.value);
    if (marks.is_boundary()) boundary = at;
    const bool is_ordered = marks.combining_class == 0 || last_class <= marks.combining_class;
    if (marks.is_unsafe || !is_ordered) return boundary;
    last_class = marks.combining_class;
    at += c.length;
  }
  return text.size();
}
}  // namespace detail

/// The text in normalization form C; `text` itself where it is in that form, else a view of
/// `scratch`, which is overwritten. Cost: O(n log n) in the longest run of combining characters.
inline std::string_view normalize_nfc(std::string_view text, String& scratch) {
  size_t at = detail::composed_prefix(text);
  if (at == text.size()) return text;
  scratch.assign(text.substr(0, at));
  detail::ComposeBuffer buffer(scratch.get_allocator().hooks());
  while (at < text.size()) {
    bool is_first = true;
    while (at < text.size()) {
      const DecodedChar c = decode_utf8(text, at);
      if (!is_first && detail::compose_marks(c.value).is_boundary()) break;
      if (c.value == kMalformedByte) {
        buffer.push_malformed(static_cast<uint8_t>(text[at]));
      } else {
        buffer.push_decomposed(c.value);
      }
      is_first = false;
      at += c.length;
    }
    buffer.finish(scratch);
    const size_t passed = detail::composed_prefix(text.substr(at));
    scratch.append(text.substr(at, passed));
    at += passed;
  }
  return scratch;
}

TERN_NAMESPACE_END
