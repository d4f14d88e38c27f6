// GrammarRules' bodies: characters as bytes, and the checks of a whole grammar.
//
// Room: text.
#include "tern/text/grammar_rules.hpp"

#include <algorithm>

#include "tern/text/utf8.hpp"

TERN_NAMESPACE_BEGIN

namespace {

using Kind = GrammarElement::Kind;

Error too_large() { return {Status::unsupported, "the grammar is too large"}; }

/// Which rules begin with which: strongly connected parts by Tarjan's algorithm, with a stack of
/// our own, as grammars may be deep.
class LeftRecursion {
 public:
  LeftRecursion(const GrammarRules& rules, const Vector<bool>& can_be_empty)
      : rules_(rules),
        can_be_empty_(can_be_empty),
        edges_(rules.hooks()),
        first_edge_(rules.hooks()),
        order_(rules.n_rules(), 0, rules.hooks()),
        low_(rules.n_rules(), 0, rules.hooks()),
        part_(rules.n_rules(), kNone, rules.hooks()),
        open_(rules.hooks()),
        calls_(rules.hooks()) {}

  /// A rule that comes back to itself with something left to match behind it, without a byte in
  /// between: matching it would go on for ever. kNone if there is none. (A rule that comes back to
  /// itself as its last element is the same rule again, which matching notices.)
  uint32_t find() {
    for (uint32_t rule = 0; rule < rules_.n_rules(); ++rule) {
      first_edge_.push_back(static_cast<uint32_t>(edges_.size()));
      add_edges(rule);
    }
    first_edge_.push_back(static_cast<uint32_t>(edges_.size()));
    for (uint32_t rule = 0; rule < rules_.n_rules(); ++rule) {
      if (order_[rule] == 0) visit(rule);
    }
    for (uint32_t rule = 0; rule < rules_.n_rules(); ++rule) {
      for (uint32_t e = first_edge_[rule]; e < first_edge_[rule + 1]; ++e) {
        if (!edges_[e].is_last && part_[edges_[e].to] == part_[rule]) return rule;
      }
    }
    return kNone;
  }

  static constexpr uint32_t kNone = ~uint32_t{0};

 private:
  struct Edge {
    uint32_t to;
    bool is_last;  // nothing is behind it in its alternative
  };
  struct Call {
    uint32_t rule;
    uint32_t edge;  // the next one to follow
  };

  void add_edges(uint32_t rule) {
    for (uint32_t at : rules_.alternatives(rule)) {
      for (; rules_.element(at).kind == Kind::rule; ++at) {
        const uint32_t to = rules_.element(at).index;
        edges_.push_back({to, rules_.element(at + 1).kind == Kind::end});
        if (!can_be_empty_[to]) break;
      }
    }
  }

  void visit(uint32_t root) {
    enter(root);
    while (!calls_.empty()) {
      const uint32_t rule = calls_.back().rule;
      if (calls_.back().edge < first_edge_[rule + 1]) {
        const uint32_t to = edges_[calls_.back().edge++].to;
        if (order_[to] == 0) {
          enter(to);
        } else if (part_[to] == kNone) {
          low_[rule] = std::min(low_[rule], order_[to]);
        }
        continue;
      }
      calls_.pop_back();
      if (!calls_.empty()) {
        const uint32_t caller = calls_.back().rule;
        low_[caller] = std::min(low_[caller], low_[rule]);
      }
      if (low_[rule] == order_[rule]) close(rule);
    }
  }
  void enter(uint32_t rule) {
    order_[rule] = low_[rule] = ++n_visited_;
    open_.push_back(rule);
    calls_.push_back({rule, first_edge_[rule]});
  }
  void close(uint32_t root) {
    uint32_t rule = kNone;
    do {
      rule = open_.back();
      open_.pop_back();
      part_[rule] = root;
    } while (rule != root);
  }

  const GrammarRules& rules_;
  const Vector<bool>& can_be_empty_;
  Vector<Edge> edges_;
  Vector<uint32_t> first_edge_;
  Vector<uint32_t> order_;  // of visiting, from 1; 0: not yet
  Vector<uint32_t> low_;    // the earliest rule that is reached and not closed
  Vector<uint32_t> part_;   // the rule that stands for the part, once closed
  Vector<uint32_t> open_;
  Vector<Call> calls_;
  uint32_t n_visited_ = 0;
};

}  // namespace

Result<uint32_t> GrammarRules::add_rule() {
  if (n_rules_ == kMaxGrammarRules) return too_large();
  return n_rules_++;
}

Result<void> GrammarRules::add_alternative(uint32_t rule,
                                           std::span<const GrammarElement> elements) {
  if (elements.size() >= kMaxGrammarElements - elements_.size()) return too_large();
  alternatives_.push_back({rule, static_cast<uint32_t>(elements_.size())});
  elements_.insert(elements_.end(), elements.begin(), elements.end());
  elements_.push_back({Kind::end, 0});
  return {};
}

Result<GrammarElement> GrammarRules::add_bytes(const ByteSet& set) {
  const auto found = std::find(sets_.begin(), sets_.end(), set);
  const auto index = static_cast<uint32_t>(found - sets_.begin());
  if (found == sets_.end()) {
    if (sets_.size() == kMaxGrammarSets) return too_large();
    sets_.push_back(set);
  }
  return GrammarElement{Kind::bytes, index};
}

Result<GrammarElement> GrammarRules::add_chars(std::span<const CharRange> ranges) {
  ByteSet ascii;
  bool is_ascii = true;
  for (const CharRange& range : ranges) {
    for (char32_t c = range.first; c < 0x80 && c <= range.last; ++c) ascii.set(c);
    is_ascii = is_ascii && range.last < 0x80;
  }
  if (is_ascii) return add_bytes(ascii);
  TERN_TRY_ASSIGN(const uint32_t rule, add_rule());
  if (ascii.any()) {
    TERN_TRY_ASSIGN(const GrammarElement one, add_bytes(ascii));
    TERN_TRY(add_alternative(rule, {&one, 1}));
  }
  // The ranges in which all characters have as many bytes; surrogates are in none.
  constexpr CharRange kLengths[] = {
      {0x80, 0x7FF}, {0x800, 0xD7FF}, {0xE000, 0xFFFF}, {0x10000, 0x10FFFF}};
  for (const CharRange& range : ranges) {
    for (const CharRange& length : kLengths) {
      const char32_t first = std::max(range.first, length.first);
      const char32_t last = std::min(range.last, length.last);
      if (first <= last) TERN_TRY(add_utf8(rule, first, last));
    }
  }
  return GrammarElement{Kind::rule, rule};
}

// Cuts a range of characters of one length where the bytes behind the first do not run from 80 to
// BF in all of it, until every piece is a product of ranges of bytes.
Result<void> GrammarRules::add_utf8(uint32_t rule, char32_t first, char32_t last) {
  const size_t length = encode_utf8(first).length;
  for (size_t i = 1; i < length; ++i) {
    const char32_t low = (char32_t{1} << (6 * i)) - 1;
    if ((first & ~low) == (last & ~low)) continue;
    if ((first & low) != 0) {
      TERN_TRY(add_utf8(rule, first, first | low));
      return add_utf8(rule, (first | low) + 1, last);
    }
    if ((last & low) != low) {
      TERN_TRY(add_utf8(rule, first, (last & ~low) - 1));
      return add_utf8(rule, last & ~low, last);
    }
  }
  const EncodedChar from = encode_utf8(first);
  const EncodedChar to = encode_utf8(last);
  std::array<GrammarElement, 4> elements;
  for (size_t i = 0; i < length; ++i) {
    ByteSet set;
    const auto end = static_cast<uint8_t>(to.bytes[i]);
    for (size_t byte = static_cast<uint8_t>(from.bytes[i]); byte <= end; ++byte) set.set(byte);
    TERN_TRY_ASSIGN(elements[i], add_bytes(set));
  }
  return add_alternative(rule, std::span(elements).first(length));
}

Result<void> GrammarRules::seal(uint32_t* at) {
  sort_alternatives();
  number_byte_classes();
  const auto can_end = rules_where_any([](Kind kind) { return kind == Kind::bytes; });
  const auto dead = std::find(can_end.begin(), can_end.end(), false);
  if (dead != can_end.end()) {
    *at = static_cast<uint32_t>(dead - can_end.begin());
    return Error(Status::malformed, "a rule of the grammar can never end");
  }
  const auto can_be_empty = rules_where_any([](Kind) { return false; });
  const uint32_t recursive = LeftRecursion(*this, can_be_empty).find();
  if (recursive == LeftRecursion::kNone) return {};
  *at = recursive;
  return Error(Status::malformed, "a rule of the grammar begins with itself");
}

void GrammarRules::sort_alternatives() {
  starts_.assign(n_rules_ + 1, 0);
  for (const Alternative& a : alternatives_) ++starts_[a.rule + 1];
  for (uint32_t rule = 0; rule < n_rules_; ++rule) starts_[rule + 1] += starts_[rule];
  first_.resize(alternatives_.size());
  Vector<uint32_t> next(starts_);
  for (const Alternative& a : alternatives_) first_[next[a.rule]++] = a.position;
}

/// The rules of which an alternative consists of rules for which that is so, and of bytes if
/// `counts` says so: a fixed point, reached by counting what each alternative still waits for.
Vector<bool> GrammarRules::rules_where_any(bool (*counts)(Kind)) const {
  Vector<bool> holds(n_rules_, false, hooks_);
  Vector<uint32_t> waits(alternatives_.size(), 0, hooks_);  // elements that do not hold yet
  // Where each rule is used: alternatives, by rule.
  Vector<uint32_t> use_starts(n_rules_ + 1, 0, hooks_);
  Vector<uint32_t> uses(hooks_);
  const auto for_uses = [&](auto&& f) {
    for (uint32_t i = 0; i < alternatives_.size(); ++i) {
      for (uint32_t p = alternatives_[i].position; elements_[p].kind != Kind::end; ++p) {
        f(i, elements_[p]);
      }
    }
  };
  for_uses([&](uint32_t i, const GrammarElement& element) {
    if (element.kind == Kind::rule) ++use_starts[element.index + 1];
    if (element.kind == Kind::rule || !counts(element.kind)) ++waits[i];
  });
  for (uint32_t rule = 0; rule < n_rules_; ++rule) use_starts[rule + 1] += use_starts[rule];
  uses.resize(use_starts[n_rules_]);
  Vector<uint32_t> next(use_starts);
  for_uses([&](uint32_t i, const GrammarElement& element) {
    if (element.kind == Kind::rule) uses[next[element.index]++] = i;
  });
  Vector<uint32_t> found(hooks_);  // rules whose uses are not told yet
  const auto ends = [&](uint32_t alternative) {
    const uint32_t rule = alternatives_[alternative].rule;
    if (waits[alternative] != 0 || holds[rule]) return;
    holds[rule] = true;
    found.push_back(rule);
  };
  for (uint32_t i = 0; i < alternatives_.size(); ++i) ends(i);
  while (!found.empty()) {
    const uint32_t rule = found.back();
    found.pop_back();
    for (uint32_t u = use_starts[rule]; u < use_starts[rule + 1]; ++u) {
      --waits[uses[u]];
      ends(uses[u]);
    }
  }
  return holds;
}

// Each set in turn splits the classes that are partly in it.
void GrammarRules::number_byte_classes() {
  byte_class_.fill(0);
  n_byte_classes_ = 1;
  for (const ByteSet& set : sets_) {
    std::array<uint32_t, 256> inside;  // the class of the part of a class that is in the set
    inside.fill(0);
    std::array<bool, 256> is_split{};
    for (size_t byte = 0; byte < 256; ++byte) {
      if (!set[byte]) is_split[byte_class_[byte]] = true;
    }
    for (size_t byte = 0; byte < 256; ++byte) {
      uint32_t& of_byte = byte_class_[byte];
      if (!set[byte] || !is_split[of_byte]) continue;
      if (inside[of_byte] == 0) inside[of_byte] = n_byte_classes_++;
      of_byte = inside[of_byte];
    }
  }
}

TERN_NAMESPACE_END
