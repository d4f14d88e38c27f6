// The special tokens of a vocabulary, found in running text: the longest one at each position.
//
// Room: text. Token numbers sorted by text, one a text; a search narrows the range of tokens that
// agree with the text so far, one byte at a time, so a thousand tokens that begin with "<|" cost
// little more than ten, and no position costs more than kMaxBytes steps.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "tern/base/allocator.hpp"
#include "tern/base/assert.hpp"
#include "tern/text/piece_store.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

class SpecialIndex {
 public:
  /// The longest special token. Published ones have some tens of bytes.
  static constexpr size_t kMaxBytes = 512;

  explicit SpecialIndex(const AllocatorHooks& hooks) : numbers_(hooks) {}

  /// Adds piece `number`; an empty piece is left out, it would match everywhere.
  /// Requires: at most kMaxBytes bytes.
  void add(const PieceStore& store, int32_t number) {
    TERN_ASSERT(piece(store, number).size() <= kMaxBytes);
    if (!piece(store, number).empty()) numbers_.push_back(number);
  }

  /// Sorts what was added; of tokens with the same text the last one stays.
  /// Requires: called once, after the last `add`, before any search.
  void finish(const PieceStore& store) {
    std::sort(numbers_.begin(), numbers_.end(), [&store](int32_t a, int32_t b) {
      const int order = piece(store, a).compare(piece(store, b));
      return order != 0 ? order < 0 : a > b;
    });
    const auto is_same = [&store](int32_t a, int32_t b) {
      return piece(store, a) == piece(store, b);
    };
    numbers_.erase(std::unique(numbers_.begin(), numbers_.end(), is_same), numbers_.end());
    for (const int32_t number : numbers_) ++first_[byte_at(store, number, 0) + 1];
    for (size_t byte = 0; byte < 256; ++byte) first_[byte + 1] += first_[byte];
  }

  bool empty() const { return numbers_.empty(); }

  /// The token whose text is `text`, the last of equals, or -1.
  int32_t find(const PieceStore& store, std::string_view text) const {
    const int32_t number = longest_match(store, text, 0);
    return number >= 0 && piece(store, number).size() == text.size() ? number : -1;
  }

  /// Whether any special token begins with this byte.
  bool starts_with(char byte) const {
    const auto b = static_cast<uint8_t>(byte);
    return first_[b] != first_[b + size_t{1}];
  }

  /// The longest token that the text has at `position`, or -1.
  int32_t longest_match(const PieceStore& store, std::string_view text, size_t position) const {
    int32_t best = -1;
    if (position >= text.size()) return best;
    const auto first_byte = static_cast<uint8_t>(text[position]);
    size_t low = first_[first_byte];
    size_t high = first_[first_byte + size_t{1}];
    for (size_t depth = 1;; ++depth) {
      // Everything in [low, high) agrees on `depth` bytes; the token that ends here sorts first.
      if (low < high && piece(store, numbers_[low]).size() == depth) best = numbers_[low++];
      if (low == high || position + depth >= text.size()) return best;
      const auto byte = static_cast<uint8_t>(text[position + depth]);
      const auto bound = [&](size_t limit) {
        const auto begin = numbers_.begin();
        const auto it = std::partition_point(
            begin + static_cast<std::ptrdiff_t>(low), begin + static_cast<std::ptrdiff_t>(high),
            [&](int32_t number) { return byte_at(store, number, depth) < limit; });
        return static_cast<size_t>(it - begin);
      };
      const size_t next_low = bound(byte);
      high = bound(byte + size_t{1});
      low = next_low;
    }
  }

 private:
  static std::string_view piece(const PieceStore& store, int32_t number) {
    return store[static_cast<size_t>(number)];
  }
  static uint8_t byte_at(const PieceStore& store, int32_t number, size_t i) {
    return static_cast<uint8_t>(piece(store, number)[i]);
  }

  Vector<int32_t> numbers_;            // sorted by text, no text twice
  std::array<uint32_t, 257> first_{};  // tokens that begin with byte b: [first_[b], first_[b + 1])
};

TERN_NAMESPACE_END
