// TokenOrder: the tokens that stand for text, by their bytes, as one walks a dictionary.
//
// Room: text.
#pragma once

#include <algorithm>
#include <span>

#include "tern/base/allocator.hpp"
#include "tern/text/vocabulary.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// Tokens in ascending order of their bytes, each with how much it shares with the one before: what
/// is known of a shared beginning need not be worked out again. Immutable. Threads: any number.
class TokenOrder {
 public:
  struct Entry {
    TokenId token;
    uint32_t n_shared;  ///< bytes, with the entry before; 0 for the first
  };

  /// Containers throw when memory is exhausted. Cost: a sort of the vocabulary.
  TokenOrder(const Vocabulary& vocabulary, const AllocatorHooks& hooks) : entries_(hooks) {
    const auto piece = [&](const Entry& entry) { return vocabulary.piece(entry.token); };
    for (TokenId id = 0; vocabulary.contains(id); ++id) {
      if (is_text(vocabulary, id)) entries_.push_back({id, 0});
    }
    // By unsigned bytes, as std::string_view compares.
    std::sort(entries_.begin(), entries_.end(), [&](const Entry& a, const Entry& b) {
      const int order = piece(a).compare(piece(b));
      return order != 0 ? order < 0 : a.token < b.token;
    });
    for (size_t i = 1; i < entries_.size(); ++i) {
      const std::string_view before = piece(entries_[i - 1]);
      const std::string_view now = piece(entries_[i]);
      const auto end = std::mismatch(before.begin(), before.end(), now.begin(), now.end()).first;
      entries_[i].n_shared = static_cast<uint32_t>(end - before.begin());
    }
  }

  /// Whether a token is here: control, unknown and unused ones and ends of generation are not.
  /// Requires: vocabulary.contains(id).
  static bool is_text(const Vocabulary& vocabulary, TokenId id) {
    const TokenType type = vocabulary.type(id);
    const bool has_text =
        type == TokenType::normal || type == TokenType::user_defined || type == TokenType::byte;
    return has_text && !vocabulary.piece(id).empty() && !vocabulary.is_end_of_generation(id);
  }

  std::span<const Entry> entries() const { return entries_; }

 private:
  Vector<Entry> entries_;
};

TERN_NAMESPACE_END
