// The parser of GBNF: recursive descent, straight into rules.
//
// Room: text.
#include "tern/text/grammar_parser.hpp"

#include <algorithm>
#include <map>

#include "tern/base/memory_wall.hpp"
#include "tern/text/utf8.hpp"

TERN_NAMESPACE_BEGIN

namespace {

constexpr char32_t kLastChar = 0x10FFFF;
constexpr uint32_t kUnbounded = ~uint32_t{0};

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

class GrammarParser {
 public:
  GrammarParser(std::string_view text, const AllocatorHooks& hooks)
      : text_(text), hooks_(hooks), rules_(hooks), names_(hooks), where_(hooks) {}

  Result<GrammarRules> parse() {
    TERN_TRY(rule_of("root", 0));
    while (true) {
      skip_blank(true);
      if (at_end()) break;
      TERN_TRY(parse_rule());
    }
    for (const auto& [name, entry] : names_) {
      if (entry.is_defined) continue;
      return Error(Status::malformed, "the grammar has no rule of that name", name, entry.where);
    }
    uint32_t at = 0;
    const Result<void> sealed = rules_.seal(&at);
    if (sealed.ok()) return std::move(rules_);
    const size_t where = where_[at];
    return Error(sealed.error().status, sealed.error().what, name_at(where), where);
  }

 private:
  using Elements = Vector<GrammarElement>;
  struct Name {
    size_t where = 0;  // first met
    uint32_t rule = 0;
    bool is_defined = false;
  };
  using Names = std::map<std::string_view, Name, std::less<>,
                         HostAllocator<std::pair<const std::string_view, Name>>>;
  struct Times {
    uint32_t least;
    uint32_t most;
  };

  bool at_end() const { return position_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[position_]; }
  bool take(std::string_view expected) {
    if (!text_.substr(position_).starts_with(expected)) return false;
    position_ += expected.size();
    return true;
  }
  Error error(const char* what) const { return {Status::malformed, what, position_}; }
  std::string_view name_at(size_t where) const {
    size_t end = where;
    while (end < text_.size() && is_name_char(text_[end])) ++end;
    return text_.substr(where, end - where);
  }

  // Spaces and comments; line feeds too where a rule may go on behind them.
  void skip_blank(bool with_lines) {
    while (!at_end()) {
      const char c = peek();
      if (c == '#') {
        position_ = std::min(text_.find('\n', position_), text_.size());
      } else if (c == ' ' || c == '\t' || c == '\r' || (with_lines && c == '\n')) {
        ++position_;
      } else {
        return;
      }
    }
  }

  /// A new rule; what is wrong with it is said to be at `where`.
  Result<uint32_t> new_rule(size_t where) {
    TERN_TRY_ASSIGN(const uint32_t rule, rules_.add_rule());
    where_.resize(rule + 1, where);
    return rule;
  }
  Result<Name*> rule_of(std::string_view name, size_t where) {
    if (const auto found = names_.find(name); found != names_.end()) return &found->second;
    TERN_TRY_ASSIGN(const uint32_t rule, new_rule(where));
    return &names_.emplace(name, Name{where, rule, false}).first->second;
  }

  Result<void> parse_rule() {
    const size_t where = position_;
    const std::string_view name = name_at(where);
    if (name.empty()) return error("a rule's name was expected");
    position_ += name.size();
    skip_blank(false);
    if (!take("::=")) return error("`::=` was expected");
    TERN_TRY_ASSIGN(Name * entry, rule_of(name, where));
    if (entry->is_defined) {
      return Error(Status::malformed, "the rule is defined twice", name, where);
    }
    entry->is_defined = true;
    entry->where = where;
    const uint32_t rule = entry->rule;
    where_[rule] = where;
    skip_blank(true);
    // A line that begins the next rule ends this one, which is then empty.
    if (begins_rule()) return rules_.add_alternative(rule, {});
    rule_where_ = where;
    TERN_TRY(parse_alternatives(rule, 0));
    if (!at_end() && peek() != '\n') return error("the rule should end here");
    return {};
  }
  bool begins_rule() {
    const size_t begin = position_;
    position_ += name_at(begin).size();
    const bool has_name = position_ > begin;
    skip_blank(false);
    const bool found = has_name && text_.substr(position_).starts_with("::=");
    position_ = begin;
    return found;
  }

  // Up to the end of the line, or of the group.
  Result<void> parse_alternatives(uint32_t rule, size_t depth) {
    if (depth > kMaxGrammarDepth) {
      return Error(Status::unsupported, "groups of the grammar are nested too deeply", position_);
    }
    while (true) {
      Elements elements(hooks_);
      TERN_TRY(parse_sequence(elements, depth));
      TERN_TRY(rules_.add_alternative(rule, elements));
      const size_t end = position_;
      skip_blank(true);
      if (!take("|")) {
        if (depth == 0) position_ = end;
        return {};
      }
      skip_blank(true);
    }
  }

  Result<void> parse_sequence(Elements& out, size_t depth) {
    while (true) {
      skip_blank(depth > 0);
      const char c = peek();
      if (at_end() || c == '|' || c == '\n' || (c == ')' && depth > 0)) return {};
      Elements item(hooks_);
      TERN_TRY(parse_item(item, depth));
      TERN_TRY_ASSIGN(const Times times, parse_times());
      TERN_TRY(append_repeated(item, times, out));
    }
  }

  Result<void> parse_item(Elements& out, size_t depth) {
    if (take("\"")) return parse_text(out);
    if (take("[")) return parse_class(out);
    if (take(".")) {
      constexpr CharRange kAll{0, kLastChar};
      return append(rules_.add_chars({&kAll, 1}), out);
    }
    if (take("(")) {
      TERN_TRY_ASSIGN(const uint32_t group, new_rule(rule_where_));
      TERN_TRY(parse_alternatives(group, depth + 1));
      if (!take(")")) return error("a group without an end");
      out.push_back({GrammarElement::Kind::rule, group});
      return {};
    }
    if (peek() == '<' || peek() == '!') {
      return Error(Status::unsupported, "tokens in a grammar are not supported", position_);
    }
    const std::string_view name = name_at(position_);
    if (name.empty()) return error("this begins nothing that a grammar knows");
    TERN_TRY_ASSIGN(const Name* entry, rule_of(name, position_));
    position_ += name.size();
    out.push_back({GrammarElement::Kind::rule, entry->rule});
    return {};
  }

  static Result<void> append(Result<GrammarElement> element, Elements& out) {
    if (!element.ok()) return element.error();
    out.push_back(*element);
    return {};
  }

  Result<void> parse_text(Elements& out) {
    while (!take("\"")) {
      if (at_end() || peek() == '\n') return error("a text without an end");
      TERN_TRY_ASSIGN(const char32_t c, parse_char());
      const EncodedChar encoded = encode_utf8(c);
      for (const char byte : encoded.view()) {
        ByteSet one;
        one.set(static_cast<uint8_t>(byte));
        TERN_TRY(append(rules_.add_bytes(one), out));
      }
    }
    return {};
  }

  Result<void> parse_class(Elements& out) {
    const size_t where = position_ - 1;
    const bool is_negated = take("^");
    Vector<CharRange> ranges(hooks_);
    while (!take("]")) {
      if (at_end() || peek() == '\n') return error("a range without an end");
      CharRange range;
      TERN_TRY_ASSIGN(range.first, parse_char());
      range.last = range.first;
      // A hyphen in front of the bracket is one.
      if (peek() == '-' && text_.substr(position_, 2) != "-]") {
        ++position_;
        if (at_end() || peek() == '\n') return error("a range without an end");
        TERN_TRY_ASSIGN(range.last, parse_char());
      }
      if (range.last < range.first) return error("a range that ends before it begins");
      ranges.push_back(range);
    }
    merge(ranges);
    if (is_negated) negate(ranges);
    if (ranges.empty()) {
      return Error(Status::malformed, "a range without characters", uint64_t{where});
    }
    return append(rules_.add_chars(ranges), out);
  }
  /// Ascending, none touching another.
  static void merge(Vector<CharRange>& ranges) {
    std::sort(ranges.begin(), ranges.end(),
              [](const CharRange& a, const CharRange& b) { return a.first < b.first; });
    size_t n = 0;
    for (const CharRange& range : ranges) {
      if (n > 0 && range.first <= ranges[n - 1].last + 1) {
        ranges[n - 1].last = std::max(ranges[n - 1].last, range.last);
      } else {
        ranges[n++] = range;
      }
    }
    ranges.resize(n);
  }
  void negate(Vector<CharRange>& ranges) const {
    Vector<CharRange> others(hooks_);
    char32_t next = 0;
    for (const CharRange& range : ranges) {
      if (range.first > next) others.push_back({next, range.first - 1});
      next = range.last + 1;
    }
    if (next <= kLastChar) others.push_back({next, kLastChar});
    ranges = std::move(others);
  }

  /// Requires: not at the end.
  Result<char32_t> parse_char() {
    if (take("\\")) return parse_escape();
    const DecodedChar c = decode_utf8(text_, position_);
    if (c.value == kMalformedByte) return error("the grammar is not UTF-8");
    position_ += c.length;
    return c.value;
  }
  Result<char32_t> parse_escape() {
    const char c = peek();
    ++position_;
    switch (c) {
      case 'n': return U'\n';
      case 'r': return U'\r';
      case 't': return U'\t';
      case 'x': return parse_hex(2);
      case 'u': return parse_hex(4);
      case 'U': return parse_hex(8);
      case '\\':
      case '"':
      case '[':
      case ']':
      case '-':
      case '^': return static_cast<char32_t>(c);
      default: --position_; return error("an escape that a grammar does not know");
    }
  }
  Result<char32_t> parse_hex(size_t digits) {
    uint32_t value = 0;
    for (size_t i = 0; i < digits; ++i, ++position_) {
      const char c = peek();
      const auto digit = [&](char first, unsigned base) {
        return static_cast<uint32_t>(c - first) + base;
      };
      value <<= 4;
      if (c >= '0' && c <= '9') {
        value |= digit('0', 0);
      } else if (c >= 'a' && c <= 'f') {
        value |= digit('a', 10);
      } else if (c >= 'A' && c <= 'F') {
        value |= digit('A', 10);
      } else {
        return error("a hexadecimal digit was expected");
      }
    }
    if (value > kLastChar || (value >= 0xD800 && value <= 0xDFFF)) {
      return error("an escape is no character");
    }
    return value;
  }

  Result<Times> parse_times() {
    if (take("*")) return Times{0, kUnbounded};
    if (take("+")) return Times{1, kUnbounded};
    if (take("?")) return Times{0, 1};
    if (!take("{")) return Times{1, 1};
    Times times{};
    TERN_TRY_ASSIGN(times.least, parse_number());
    times.most = times.least;
    skip_blank(false);
    if (take(",")) {
      skip_blank(false);
      times.most = kUnbounded;
      if (peek() != '}') {
        TERN_TRY_ASSIGN(times.most, parse_number());
      }
    }
    skip_blank(false);
    if (!take("}")) return error("a repetition without an end");
    if (times.most < times.least) return error("a repetition that ends before it begins");
    return times;
  }
  Result<uint32_t> parse_number() {
    skip_blank(false);
    uint32_t value = 0;
    const size_t begin = position_;
    for (; peek() >= '0' && peek() <= '9'; ++position_) {
      value = value * 10 + static_cast<uint32_t>(peek() - '0');
      if (value > kMaxGrammarRepeats) {
        return Error(Status::unsupported, "a repetition of the grammar is too long",
                     uint64_t{begin});
      }
    }
    if (position_ == begin) return error("a number was expected");
    return value;
  }

  Result<void> append_repeated(const Elements& item, Times times, Elements& out) {
    if (times.least == 1 && times.most == 1) {
      out.insert(out.end(), item.begin(), item.end());
      return {};
    }
    // One element for what is repeated.
    GrammarElement one{GrammarElement::Kind::end, 0};
    if (item.size() == 1) {
      one = item[0];
    } else {
      TERN_TRY_ASSIGN(const uint32_t rule, new_rule(rule_where_));
      TERN_TRY(rules_.add_alternative(rule, item));
      one = {GrammarElement::Kind::rule, rule};
    }
    if (times.least > kMaxGrammarElements - out.size()) {
      return Error(Status::unsupported, "the grammar is too large");
    }
    out.insert(out.end(), times.least, one);
    if (times.most == times.least) return {};
    // any ::= one any | nothing;  up_to_3 ::= one up_to_2 | nothing, and so on.
    const bool has_end = times.most != kUnbounded;
    const uint32_t n_rules = has_end ? times.most - times.least : 1;
    GrammarElement rest{GrammarElement::Kind::end, 0};
    for (uint32_t i = 0; i < n_rules; ++i) {
      TERN_TRY_ASSIGN(const uint32_t rule, new_rule(rule_where_));
      if (!has_end) rest = {GrammarElement::Kind::rule, rule};
      const GrammarElement both[] = {one, rest};
      const bool is_last = rest.kind == GrammarElement::Kind::end;
      TERN_TRY(rules_.add_alternative(rule, std::span(both).first(is_last ? 1 : 2)));
      TERN_TRY(rules_.add_alternative(rule, {}));
      rest = {GrammarElement::Kind::rule, rule};
    }
    out.push_back(rest);
    return {};
  }

  std::string_view text_;
  AllocatorHooks hooks_;
  GrammarRules rules_;
  Names names_;
  Vector<size_t> where_;  // of the rules
  size_t position_ = 0;
  size_t rule_where_ = 0;  // of the rule that is being parsed
};

}  // namespace

Result<GrammarRules> parse_grammar(std::string_view text, const AllocatorHooks& hooks) {
  return catch_out_of_memory([&] { return GrammarParser(text, hooks).parse(); });
}

TERN_NAMESPACE_END
