// GrammarRules: a context-free grammar over bytes, checked so that matching it always ends.
//
// Room: text. A rule is a list of alternatives, an alternative a run of elements: one byte out of a
// set, or a rule. Characters are runs of bytes (UTF-8), so that a token which ends in the middle of
// one is nothing special. Rule 0 is where a text begins.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <span>

#include "tern/base/allocator.hpp"
#include "tern/base/status.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// What an alternative is made of.
struct GrammarElement {
  enum class Kind : uint8_t {
    end,    ///< of an alternative
    bytes,  ///< one byte out of set `index`
    rule,   ///< what rule `index` matches
  };
  Kind kind = Kind::end;
  uint32_t index = 0;

  friend bool operator==(const GrammarElement&, const GrammarElement&) = default;
};

using ByteSet = std::bitset<256>;

/// Code points from `first` to `last`, both included.
struct CharRange {
  char32_t first = 0;
  char32_t last = 0;
};

/// Limits of a grammar: what a schema of a few pages needs, many times over.
inline constexpr size_t kMaxGrammarRules = 1 << 17;
inline constexpr size_t kMaxGrammarElements = 1 << 19;
inline constexpr size_t kMaxGrammarSets = 1 << 12;

/// Built by a parser: rules and alternatives are added, then seal() checks them. Immutable from then
/// on. Errors of the building calls: unsupported (beyond the limits). Threads: const, any number.
class GrammarRules {
 public:
  explicit GrammarRules(const AllocatorHooks& hooks)
      : hooks_(hooks), elements_(hooks), alternatives_(hooks), first_(hooks), sets_(hooks) {}

  /// The number of a new rule, without alternatives.
  Result<uint32_t> add_rule();
  Result<void> add_alternative(uint32_t rule, std::span<const GrammarElement> elements);
  /// An element that matches one byte out of a set.
  Result<GrammarElement> add_bytes(const ByteSet& set);
  /// An element that matches one well-formed character in any of the ranges.
  /// Requires: first <= last <= U+10FFFF. Surrogates in a range match nothing.
  Result<GrammarElement> add_chars(std::span<const CharRange> ranges);

  /// Ends building. `at` of an error is the number of the rule concerned, to be named by the parser.
  /// Errors: malformed (a rule that cannot end, one that begins with itself).
  Result<void> seal(uint32_t* at);

  const AllocatorHooks& hooks() const { return hooks_; }
  uint32_t n_rules() const { return n_rules_; }
  /// An element by its position; an alternative's elements follow each other up to an `end`.
  const GrammarElement& element(uint32_t position) const { return elements_[position]; }
  /// The positions at which a rule's alternatives begin. Requires: sealed.
  std::span<const uint32_t> alternatives(uint32_t rule) const {
    return std::span<const uint32_t>(first_).subspan(starts_[rule],
                                                     starts_[rule + 1] - starts_[rule]);
  }
  const ByteSet& set(uint32_t index) const { return sets_[index]; }

  /// Bytes that no set tells apart are of one class. Requires: sealed.
  uint32_t n_byte_classes() const { return n_byte_classes_; }
  uint32_t byte_class(uint8_t byte) const { return byte_class_[byte]; }

 private:
  struct Alternative {
    uint32_t rule;
    uint32_t position;
  };

  Result<void> add_utf8(uint32_t rule, char32_t first, char32_t last);
  void sort_alternatives();
  void number_byte_classes();
  Vector<bool> rules_where_any(bool (*counts)(GrammarElement::Kind)) const;

  AllocatorHooks hooks_;
  Vector<GrammarElement> elements_;
  Vector<Alternative> alternatives_;  // as added
  Vector<uint32_t> first_;            // positions, by rule
  Vector<uint32_t> starts_{hooks_};   // [n_rules + 1] in first_
  Vector<ByteSet> sets_;
  std::array<uint32_t, 256> byte_class_{};
  uint32_t n_byte_classes_ = 1;
  uint32_t n_rules_ = 0;
};

TERN_NAMESPACE_END
