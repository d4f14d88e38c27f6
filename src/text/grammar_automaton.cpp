// GrammarAutomaton's bodies.
//
// Room: text.
#include "tern/text/grammar_automaton.hpp"

#include <algorithm>

#include "tern/base/content_hash.hpp"

TERN_NAMESPACE_BEGIN

namespace {
using Kind = GrammarElement::Kind;
/// What is kept before is_large(): steps of 4 bytes, and nodes of some 60 with their index.
constexpr size_t kMostSteps = size_t{1} << 20;
constexpr size_t kMostNodes = size_t{1} << 16;
}  // namespace

GrammarAutomaton::GrammarAutomaton(const GrammarRules& rules)
    : rules_(rules),
      nodes_(rules.hooks()),
      node_index_(rules.hooks()),
      tops_(rules.hooks()),
      states_(rules.hooks()),
      state_index_(rules.hooks()),
      next_(rules.hooks()),
      new_tops_(rules.hooks()),
      work_(rules.hooks()) {
  begin_state();
  end_state();  // kDeadState: no stack, no end
}

Result<GrammarState> GrammarAutomaton::start() {
  begin_state();
  for (const uint32_t position : rules_.alternatives(0)) TERN_TRY(expand(position, kNone));
  return end_state();
}

Result<GrammarState> GrammarAutomaton::step(GrammarState state, uint8_t byte) {
  const size_t at = size_t{state} * rules_.n_byte_classes() + rules_.byte_class(byte);
  if (next_[at] != kNone) return next_[at];
  begin_state();
  const State from = states_[state];
  for (size_t i = 0; i < from.n_tops; ++i) {
    const Node top = nodes_[tops_[from.first_top + i]];
    if (!rules_.set(rules_.element(top.position).index)[byte]) continue;
    TERN_TRY(expand(top.position + 1, top.below));
  }
  const GrammarState to = end_state();
  next_[at] = to;
  return to;
}

uint32_t GrammarAutomaton::node(uint32_t position, uint32_t below) {
  const uint64_t key = uint64_t{position} << 32 | below;
  if (const auto found = node_index_.find(key); found != node_index_.end()) return found->second;
  const auto number = static_cast<uint32_t>(nodes_.size());
  nodes_.push_back({position, below});
  node_index_.emplace(key, number);
  return number;
}

// A rule that is the last element of its alternative leaves nothing on the stack: what a loop's
// rule calls is then the same node again, and seen.
Result<void> GrammarAutomaton::expand(uint32_t position, uint32_t below) {
  work_.push_back({position, below});
  while (!work_.empty()) {
    const Node item = work_.back();
    work_.pop_back();
    const GrammarElement& element = rules_.element(item.position);
    if (element.kind == Kind::end) {
      if (item.below == kNone) {
        new_may_end_ = true;
      } else {
        work_.push_back(nodes_[item.below]);
      }
      continue;
    }
    const uint32_t number = node(item.position, item.below);
    if (nodes_[number].seen == n_made_) continue;
    nodes_[number].seen = n_made_;
    if (element.kind == Kind::bytes) {
      new_tops_.push_back(number);
    } else {
      const bool is_last = rules_.element(item.position + 1).kind == Kind::end;
      const uint32_t behind = is_last ? item.below : node(item.position + 1, item.below);
      for (const uint32_t begin : rules_.alternatives(element.index)) {
        work_.push_back({begin, behind});
      }
    }
    if (new_tops_.size() > kMaxGrammarStacks || work_.size() > kMaxGrammarElements) {
      return Error(Status::unsupported, "the grammar is too ambiguous");
    }
  }
  return {};
}

void GrammarAutomaton::begin_state() {
  ++n_made_;
  work_.clear();
  new_tops_.clear();
  new_may_end_ = false;
}

GrammarState GrammarAutomaton::end_state() {
  std::sort(new_tops_.begin(), new_tops_.end());
  ContentHash hash;
  hash.add({reinterpret_cast<const uint8_t*>(new_tops_.data()),
            new_tops_.size() * sizeof(uint32_t)});
  const uint64_t key = hash.value() ^ (new_may_end_ ? 1 : 0);
  const auto [begin, end] = state_index_.equal_range(key);
  for (auto it = begin; it != end; ++it) {
    const State& old = states_[it->second];
    if (old.may_end == new_may_end_ && old.n_tops == new_tops_.size() &&
        std::equal(new_tops_.begin(), new_tops_.end(),
                   tops_.begin() + static_cast<ptrdiff_t>(old.first_top))) {
      return it->second;
    }
  }
  // Each of these may throw: the state counts once it is in states_.
  const auto number = static_cast<GrammarState>(states_.size());
  const size_t first_top = tops_.size();
  tops_.insert(tops_.end(), new_tops_.begin(), new_tops_.end());
  next_.resize((size_t{number} + 1) * rules_.n_byte_classes(), kNone);
  states_.push_back({first_top, static_cast<uint32_t>(new_tops_.size()), new_may_end_});
  state_index_.emplace(key, number);
  return number;
}

bool GrammarAutomaton::is_large() const {
  return next_.size() - kept_steps_ > kMostSteps || tops_.size() - kept_tops_ > kMostSteps ||
         nodes_.size() - kept_nodes_ > kMostNodes;
}

void GrammarAutomaton::compact(std::span<GrammarState> keep) {
  GrammarAutomaton small(rules_);
  Vector<uint32_t> numbers(nodes_.size(), kNone, rules_.hooks());
  Vector<GrammarState> kept(rules_.hooks());
  for (const GrammarState state : keep) kept.push_back(small.copied_state(*this, state, numbers));
  std::copy(kept.begin(), kept.end(), keep.begin());
  std::swap(nodes_, small.nodes_);
  std::swap(node_index_, small.node_index_);
  std::swap(tops_, small.tops_);
  std::swap(states_, small.states_);
  std::swap(state_index_, small.state_index_);
  std::swap(next_, small.next_);
  std::swap(n_made_, small.n_made_);
  kept_nodes_ = nodes_.size();
  kept_tops_ = tops_.size();
  kept_steps_ = next_.size();
}

GrammarState GrammarAutomaton::copied_state(const GrammarAutomaton& from, GrammarState state) {
  Vector<uint32_t> numbers(from.nodes_.size(), kNone, rules_.hooks());
  return copied_state(from, state, numbers);
}

/// `numbers`: of the nodes that were copied before.
GrammarState GrammarAutomaton::copied_state(const GrammarAutomaton& from, GrammarState state,
                                            Vector<uint32_t>& numbers) {
  const State& old = from.states_[state];
  begin_state();
  for (size_t i = 0; i < old.n_tops; ++i) {
    new_tops_.push_back(copied_node(from, from.tops_[old.first_top + i], numbers));
  }
  new_may_end_ = old.may_end;
  return end_state();
}

/// A node with all that is below it: from the lowest that is new upwards.
uint32_t GrammarAutomaton::copied_node(const GrammarAutomaton& from, uint32_t top,
                                       Vector<uint32_t>& numbers) {
  uint32_t at = top;
  for (; at != kNone && numbers[at] == kNone; at = from.nodes_[at].below) work_.push_back({at, 0});
  uint32_t below = at == kNone ? kNone : numbers[at];
  while (!work_.empty()) {
    const uint32_t old = work_.back().position;
    work_.pop_back();
    below = numbers[old] = node(from.nodes_[old].position, below);
  }
  return below;
}

TERN_NAMESPACE_END
