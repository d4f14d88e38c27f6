// The merge rules of byte-level BPE, found by the pair of symbols that they join.
//
// Room: text. An open-addressing hash table, at most two thirds full, 16 bytes a slot. A search
// looks at kMaxProbes slots at most and a rule that would need more is refused, so rules that were
// made to collide cannot take more than linear time.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "tern/base/allocator.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// "left right" at line `rank` of the merges makes `result`. Symbols are numbers of pieces.
struct MergeRule {
  int32_t left = -1;
  int32_t right = -1;
  uint32_t rank = 0;
  int32_t result = -1;
};

class MergeTable {
 public:
  /// In a table two thirds full of n rules with random hashes, one needs more than k slots with a
  /// chance of about n * exp(-0.07 k).
  static constexpr size_t kMaxProbes = 512;

  MergeTable(size_t expected, const AllocatorHooks& hooks) : slots_(hooks) {
    size_t capacity = kMinCapacity;
    while (2 * capacity < 3 * expected) capacity *= 2;
    slots_.resize(capacity);
  }

  /// Enters rules; of rules for the same pair the first one entered counts.
  /// Requires: at most as many rules as expected at construction.
  /// Ensures: false where too many pairs collide; the table is then of no more use.
  [[nodiscard]] bool insert(std::span<const MergeRule> rules) {
    // The table is larger than a cache, so its slots are asked for ahead of their use.
    constexpr size_t kAhead = 8;
    for (size_t i = 0; i < rules.size(); ++i) {
      if (i + kAhead < rules.size()) {
        const MergeRule& later = rules[i + kAhead];
        __builtin_prefetch(&slots_[home_of(later.left, later.right)], 1);
      }
      const size_t at = slot_of(rules[i].left, rules[i].right);
      if (at == kNoSlot) return false;
      if (slots_[at].left < 0) slots_[at] = rules[i];
    }
    return true;
  }

  /// The rule for a pair of symbols, or null. Symbols of -1 have no rules.
  const MergeRule* find(int32_t left, int32_t right) const {
    if (left < 0 || right < 0) return nullptr;
    const size_t at = slot_of(left, right);
    return at == kNoSlot || slots_[at].left < 0 ? nullptr : &slots_[at];
  }

  /// Calls `visit(const MergeRule&)` for every rule, in no order.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (const MergeRule& slot : slots_) {
      if (slot.left >= 0) visit(slot);
    }
  }

 private:
  static constexpr size_t kMinCapacity = 16;
  static constexpr size_t kNoSlot = std::numeric_limits<size_t>::max();

  /// Where the search for a pair begins.
  size_t home_of(int32_t left, int32_t right) const {
    constexpr uint64_t kOddConstant = 0x9E3779B97F4A7C15;  // 2^64 / golden ratio
    const uint64_t pair =
        uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
    // Folded before and after: a product's low bits know nothing of the left symbol.
    const uint64_t mixed = (pair ^ pair >> 32) * kOddConstant;
    return (mixed ^ mixed >> 32) & (slots_.size() - 1);
  }

  /// The slot that holds the pair, or the free slot where it would go, or kNoSlot.
  size_t slot_of(int32_t left, int32_t right) const {
    size_t i = home_of(left, right);
    for (size_t n = 0; n < kMaxProbes; ++n, i = (i + 1) & (slots_.size() - 1)) {
      const MergeRule& slot = slots_[i];
      if (slot.left < 0 || (slot.left == left && slot.right == right)) return i;
    }
    return kNoSlot;
  }

  Vector<MergeRule> slots_;
};

TERN_NAMESPACE_END
