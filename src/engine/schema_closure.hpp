// Which rules of a grammar hold, where a rule holds by others that hold: to find those that never
// end and those that lead to themselves.
//
// Room: engine. A rule has clauses, a clause needs rules; a rule holds when one of its clauses has
// all that it needs. Rules are numbered from 0.
#pragma once

#include <cstdint>

#include "tern/base/allocator.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {

class SchemaClosure {
 public:
  explicit SchemaClosure(const AllocatorHooks& hooks) : clauses_(hooks), needs_(hooks) {}

  /// Begins a clause of a rule. What follows belongs to it.
  void add_clause(uint32_t rule) { clauses_.push_back({rule, 0}); }
  /// Requires: a clause.
  void add_need(uint32_t rule) {
    ++clauses_.back().n_missing;
    needs_.push_back({rule, static_cast<uint32_t>(clauses_.size() - 1), kNone});
  }

  /// The first of the rules 0..n_rules that does not hold; n_rules where all do. To be asked once.
  /// Requires: no other rules were named. Cost: O(rules, clauses and needs).
  uint32_t find_failing(uint32_t n_rules) {
    const auto& allocator = clauses_.get_allocator();
    Vector<uint32_t> first_need(n_rules, kNone, allocator);  // those of a rule are a chain
    for (uint32_t i = 0; i < needs_.size(); ++i) {
      needs_[i].next = first_need[needs_[i].rule];
      first_need[needs_[i].rule] = i;
    }
    Vector<bool> holds(n_rules, false, allocator);
    Vector<uint32_t> waiting(allocator);  // rules that hold, whose clauses are to be told
    const auto note = [&](const Clause& clause) {
      if (clause.n_missing != 0 || holds[clause.rule]) return;
      holds[clause.rule] = true;
      waiting.push_back(clause.rule);
    };
    for (const Clause& clause : clauses_) note(clause);
    while (!waiting.empty()) {
      uint32_t need = first_need[waiting.back()];
      waiting.pop_back();
      for (; need != kNone; need = needs_[need].next) {
        Clause& clause = clauses_[needs_[need].clause];
        --clause.n_missing;
        note(clause);
      }
    }
    uint32_t rule = 0;
    while (rule < n_rules && holds[rule]) ++rule;
    return rule;
  }

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};
  struct Clause {
    uint32_t rule;
    uint32_t n_missing;
  };
  struct Need {
    uint32_t rule;
    uint32_t clause;
    uint32_t next;
  };
  Vector<Clause> clauses_;
  Vector<Need> needs_;
};

}  // namespace detail

TERN_NAMESPACE_END
