// The loop of every BPE: join the best adjacent pair of symbols until no pair can be joined.
//
// Room: text. Symbols are a doubly linked list in an array, candidate pairs a binary heap, so a
// piece of n symbols takes O(n log n). A candidate whose symbols have changed since is recognised
// when it comes up, by their lengths, and dropped. The order of pairs is the caller's (a rank or a
// score), ties go to the leftmost.
#pragma once

#include <algorithm>
#include <cstdint>

#include "tern/base/allocator.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

class MergeLoop {
 public:
  /// A stretch of the text. `id` is whatever the rule calls it, -1 for nothing known.
  struct Symbol {
    uint32_t begin = 0;   // bytes from the start of the text
    uint32_t length = 0;  // bytes; 0 once it is part of another symbol
    int32_t id = -1;
    uint32_t previous = kNone;
    uint32_t next = kNone;
  };

  /// What joining a pair gives: `id` is the new symbol, or -1 if the pair cannot be joined; of two
  /// pairs the one of lower `order` is joined first.
  struct Join {
    uint32_t order = 0;
    int32_t id = -1;
  };

  explicit MergeLoop(const AllocatorHooks& hooks) : symbols_(hooks), heap_(hooks) {}

  /// Starts a new text. Keeps the memory of the last one.
  void clear() { symbols_.clear(); }

  /// Appends the symbol of the next `length` bytes. Requires: less than 4 GiB in all.
  void push(uint32_t length, int32_t id) {
    const auto at = static_cast<uint32_t>(symbols_.size());
    Symbol symbol;
    symbol.length = length;
    symbol.id = id;
    if (at != 0) {
      symbol.begin = symbols_.back().begin + symbols_.back().length;
      symbol.previous = at - 1;
      symbols_.back().next = at;
    }
    symbols_.push_back(symbol);
  }

  /// Joins pairs; `rule(const Symbol& left, const Symbol& right) -> Join`.
  template <typename Rule>
  void run(Rule&& rule) {
    heap_.clear();
    for (uint32_t i = 0; i + 1 < symbols_.size(); ++i) add_candidate(i, rule);
    std::make_heap(heap_.begin(), heap_.end(), comes_later);
    while (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end(), comes_later);
      const Candidate best = heap_.back();
      heap_.pop_back();
      const auto left_at = static_cast<uint32_t>(best.key);
      Symbol& left = symbols_[left_at];
      if (left.length == 0 || left.next != best.right) continue;
      Symbol& right = symbols_[best.right];
      if (left.length + right.length != best.length) continue;

      left.length = best.length;
      left.id = best.id;
      left.next = right.next;
      right.length = 0;
      if (left.next != kNone) {
        symbols_[left.next].previous = left_at;
        if (add_candidate(left_at, rule)) std::push_heap(heap_.begin(), heap_.end(), comes_later);
      }
      if (left.previous != kNone && add_candidate(left.previous, rule)) {
        std::push_heap(heap_.begin(), heap_.end(), comes_later);
      }
    }
  }

  /// Calls `visit(const Symbol&)` for what is left, in order.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (const Symbol& symbol : symbols_) {
      if (symbol.length != 0) visit(symbol);
    }
  }

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};

  struct Candidate {
    uint64_t key;     // order, then the left symbol
    uint32_t right;   // the right symbol
    uint32_t length;  // of both when the candidate was made
    int32_t id;       // of the joined symbol
  };

  static bool comes_later(const Candidate& a, const Candidate& b) { return a.key > b.key; }

  template <typename Rule>
  bool add_candidate(uint32_t left_at, Rule& rule) {
    const Symbol& left = symbols_[left_at];
    const Symbol& right = symbols_[left.next];
    const Join join = rule(left, right);
    if (join.id < 0) return false;
    heap_.push_back(
        {uint64_t{join.order} << 32 | left_at, left.next, left.length + right.length, join.id});
    return true;
  }

  Vector<Symbol> symbols_;
  Vector<Candidate> heap_;
};

TERN_NAMESPACE_END
