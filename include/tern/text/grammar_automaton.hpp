// GrammarAutomaton: where in a grammar a text may be, byte by byte.
//
// Room: text. A pushdown automaton, made deterministic as texts come by: a stack is a node, a
// position in a rule with the stack to go on with behind the rule, and equal stacks are one node. A
// state is the set of all stacks that a text leaves possible. States and the steps between them are
// kept, so that what texts have in common is worked out once. Rules can end (GrammarRules), so every
// state but the dead one has a text that goes on from it to an end.
#pragma once

#include <span>
#include <unordered_map>

#include "tern/text/grammar_rules.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// A set of stacks, by number. Valid until the next compact().
using GrammarState = uint32_t;
/// The state of texts that the grammar does not begin with.
inline constexpr GrammarState kDeadState = 0;
/// Most stacks of a state: a grammar which needs more is ambiguous beyond use.
inline constexpr size_t kMaxGrammarStacks = 4096;

/// Threads: one at a time. The rules must outlive it. Containers throw when memory is exhausted;
/// what was there before the call stays good.
class GrammarAutomaton {
 public:
  /// Requires: sealed rules.
  explicit GrammarAutomaton(const GrammarRules& rules);

  /// The state of the empty text. Errors: unsupported (more stacks than kMaxGrammarStacks).
  Result<GrammarState> start();
  /// The state behind one more byte. Errors: those of start(). Cost: a look at a table, unless it
  /// is the first time; then O(stacks and rules entered), and the state is kept.
  Result<GrammarState> step(GrammarState state, uint8_t byte);

  /// Whether the text may end here.
  bool may_end(GrammarState state) const { return states_[state].may_end; }
  /// Whether the text may go on.
  bool may_go_on(GrammarState state) const { return states_[state].n_tops != 0; }

  /// The state of another automaton of the same rules.
  GrammarState copied_state(const GrammarAutomaton& from, GrammarState state);

  /// Whether so much was added since the last compact() that it is time for another one. What that
  /// had to keep does not count: the brackets of a deep text are no reason to begin anew each time.
  bool is_large() const;
  /// Forgets all states but these, which get new numbers.
  void compact(std::span<GrammarState> keep);

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};

  /// A stack: the element to match next, and the stack behind the rule it is in.
  struct Node {
    uint32_t position;
    uint32_t below;
    uint32_t seen = 0;  ///< the last state that was made with it
  };
  struct State {
    size_t first_top;  // in tops_
    uint32_t n_tops;
    bool may_end;
  };
  template <typename Value>
  using Index =
      std::unordered_multimap<uint64_t, Value, std::hash<uint64_t>, std::equal_to<uint64_t>,
                              HostAllocator<std::pair<const uint64_t, Value>>>;

  uint32_t node(uint32_t position, uint32_t below);
  /// Takes everything that can be next into the state that is being made.
  Result<void> expand(uint32_t position, uint32_t below);
  void begin_state();
  /// The number of the state that was made.
  GrammarState end_state();
  GrammarState copied_state(const GrammarAutomaton& from, GrammarState state,
                            Vector<uint32_t>& numbers);
  uint32_t copied_node(const GrammarAutomaton& from, uint32_t top, Vector<uint32_t>& numbers);

  const GrammarRules& rules_;
  Vector<Node> nodes_;
  Index<uint32_t> node_index_;    // by position and stack below
  Vector<uint32_t> tops_;         // of the states: nodes at a set of bytes, ascending
  Vector<State> states_;
  Index<GrammarState> state_index_;  // by a hash of the tops
  Vector<GrammarState> next_;        // [states, byte classes]; kNone: not worked out yet
  // The state that is being made.
  Vector<uint32_t> new_tops_;
  Vector<Node> work_;
  uint32_t n_made_ = 0;
  bool new_may_end_ = false;
  // What the last compact() kept: sizes of nodes_, tops_ and next_.
  size_t kept_nodes_ = 0;
  size_t kept_tops_ = 0;
  size_t kept_steps_ = 0;
};

TERN_NAMESPACE_END
