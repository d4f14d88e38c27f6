// The tokens of a chat template, read one by one into nodes: what all of the parser needs.
//
// Room: text.
#pragma once

#include <algorithm>
#include <iterator>
#include <limits>

#include "tern/text/template_lexer.hpp"
#include "tern/text/template_node.hpp"
#include "tern/text/template_value.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {

/// A list of nodes that grows.
struct TemplateNodeList {
  uint32_t first = 0;
  uint32_t last = 0;
};

class TemplateTokenReader {
 public:
  /// Requires: `program` holds the template's text, which `lexer` reads, and stays; its pool has
  ///   room for as much again (undone escapes are shorter), so that views of it stay valid.
  TemplateTokenReader(TemplateProgram& program, const TemplateLexer& lexer)
      : program_(program), lexer_(lexer) {}

 protected:
  /// What tern does not have, at the current token.
  Error refuse(const char* what) const { return refuse(what, current_); }
  static Error refuse(const char* what, const TemplateToken& token) {
    return {Status::unsupported, what, token.text, token.where};
  }
  Error unexpected() const {
    const bool at_end = current_.kind == TemplateTokenKind::end;
    return {Status::malformed,
            at_end ? "the chat template ends too early" : "not expected in the chat template here",
            current_.text, current_.where};
  }

  Result<void> advance() {
    TERN_TRY_ASSIGN(current_, lexer_.next());
    return {};
  }
  Result<void> expect_op(std::string_view op) {
    if (!current_.is_op(op)) return unexpected();
    return advance();
  }
  Result<void> expect(TemplateTokenKind kind) {
    if (current_.kind != kind) return unexpected();
    return advance();
  }

  TemplateNode& node(uint32_t index) { return program_.nodes[index]; }
  uint32_t add(TemplateKind kind, uint32_t where, uint32_t a = 0, uint32_t b = 0, uint32_t c = 0) {
    program_.nodes.push_back({kind, 0, where, a, b, c, 0});
    return static_cast<uint32_t>(program_.nodes.size() - 1);
  }
  uint32_t add_name(const TemplateToken& token) {
    return add(TemplateKind::name, token.where, token.where,
               static_cast<uint32_t>(token.text.size()));
  }
  void append(TemplateNodeList& list, uint32_t index) {
    if (list.first == 0) {
      list.first = index;
    } else {
      node(list.last).next = index;
    }
    list.last = index;
  }

  /// One more level, or the error that there is none.
  Result<void> descend() {
    if (depth_ == TemplateLimits::kMaxDepth) return refuse("the chat template is nested too deep");
    ++depth_;
    return {};
  }
  void ascend() { --depth_; }

  Result<uint32_t> parse_word() {
    struct Row {
      std::string_view name;
      TemplateKind kind;
      uint32_t value;
    };
    constexpr Row kWords[] = {
        {"true", TemplateKind::boolean, 1},  {"True", TemplateKind::boolean, 1},
        {"false", TemplateKind::boolean, 0}, {"False", TemplateKind::boolean, 0},
        {"none", TemplateKind::none, 0},     {"None", TemplateKind::none, 0},
    };
    const TemplateToken token = current_;
    TERN_TRY(advance());
    for (const Row& row : kWords) {
      if (row.name == token.text) return add(row.kind, token.where, row.value);
    }
    return add_name(token);
  }

  Result<uint32_t> parse_integer() {
    uint64_t value = 0;
    for (const char c : current_.text) {
      if (c == '_') continue;
      const auto digit = static_cast<uint64_t>(c - '0');
      if (value > (uint64_t{std::numeric_limits<int64_t>::max()} - digit) / 10) {
        return refuse("the chat template has a number that is too large");
      }
      value = value * 10 + digit;
    }
    const uint32_t where = current_.where;
    TERN_TRY(advance());
    return add(TemplateKind::integer, where, static_cast<uint32_t>(value),
               static_cast<uint32_t>(value >> 32));
  }

  // One string, or several side by side, which are one.
  Result<uint32_t> parse_strings() {
    const uint32_t where = current_.where;
    const auto begin = static_cast<uint32_t>(program_.pool.size());
    while (current_.kind == TemplateTokenKind::string) {
      TERN_TRY(unescape(current_));
      TERN_TRY(advance());
    }
    return add(TemplateKind::string, where, begin,
               static_cast<uint32_t>(program_.pool.size()) - begin);
  }

  // Appends what a string stands for to the pool.
  Result<void> unescape(const TemplateToken& token) {
    struct Row {
      char letter, byte;
    };
    constexpr Row kEscapes[] = {{'n', '\n'}, {'t', '\t'}, {'r', '\r'}, {'\\', '\\'}, {'\'', '\''},
                                {'"', '"'},  {'a', '\a'}, {'b', '\b'}, {'f', '\f'},  {'v', '\v'}};
    Vector<char>& pool = program_.pool;
    const std::string_view text = token.text.substr(1, token.text.size() - 2);
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '\\') {
        pool.push_back(text[i]);
        continue;
      }
      const char letter = text[++i];
      if (letter == '\n') continue;
      const auto* row = std::find_if(std::begin(kEscapes), std::end(kEscapes),
                                     [letter](const Row& r) { return r.letter == letter; });
      const size_t digits = letter == 'x' ? 2 : letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
      if (row != std::end(kEscapes)) {
        pool.push_back(row->byte);
      } else if (digits > 0) {
        char32_t value = 0;
        for (size_t d = 1; d <= digits; ++d) {
          constexpr std::string_view kHex = "0123456789abcdefABCDEF";
          const size_t digit = i + d < text.size() ? kHex.find(text[i + d]) : kHex.npos;
          if (digit == kHex.npos) return unexpected();
          value = value << 4 | static_cast<char32_t>(digit < 16 ? digit : digit - 6);
        }
        if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) return unexpected();
        const EncodedChar encoded = encode_utf8(value);
        pool.insert(pool.end(), encoded.bytes.data(), encoded.bytes.data() + encoded.length);
        i += digits;
      } else if (letter == 'N' || (letter >= '0' && letter <= '7')) {
        return refuse("the chat template has an escape that tern does not have");
      } else {
        pool.push_back('\\');
        pool.push_back(letter);
      }
    }
    return {};
  }

  TemplateProgram& program_;
  TemplateLexer lexer_;
  TemplateToken current_;
  uint32_t depth_ = 0;
};

}  // namespace detail

TERN_NAMESPACE_END
