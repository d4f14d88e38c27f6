// Tokens of a chat template, and its whitespace rules.
//
// Room: text. The language is Jinja as chat templates are run by those who publish them: the first
// line feed behind a block or comment goes (trim_blocks), so does indentation in front of one
// (lstrip_blocks), a hyphen inside a tag takes all whitespace beside it, a plus keeps it, and the
// last line feed of the template goes. Line ends are line feeds before anything else happens.
#pragma once

#include <cstdint>
#include <string_view>

#include "tern/base/status.hpp"
#include "tern/text/whitespace.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {

enum class TemplateTokenKind : uint8_t {
  end,
  text,          ///< between tags, without what the rules above take away
  output_begin,  ///< {{
  output_end,
  block_begin,  ///< {%
  block_end,
  name,
  integer,
  string,  ///< with its quotes
  op,
};

struct TemplateToken {
  TemplateTokenKind kind = TemplateTokenKind::end;
  std::string_view text = {};  ///< of the template
  uint32_t where = 0;          ///< its byte in the template

  bool is_op(std::string_view op) const { return kind == TemplateTokenKind::op && text == op; }
  bool is_name(std::string_view name) const {
    return kind == TemplateTokenKind::name && text == name;
  }
};

class TemplateLexer {
 public:
  /// Requires: no carriage returns, less than 4 GiB.
  explicit TemplateLexer(std::string_view text) : text_(text) {
    if (text_.ends_with('\n')) text_.remove_suffix(1);
  }

  /// Errors: malformed (an unclosed tag, comment or string, a character that begins no token),
  ///   unsupported (fractions and other spellings of numbers).
  Result<TemplateToken> next() {
    while (tag_ == Tag::none) {
      if (pending_ != Tag::none) return begin_tag();
      if (position_ == text_.size()) return make(TemplateTokenKind::end, 0);
      TERN_TRY_ASSIGN(const TemplateToken token, read_text());
      if (!token.text.empty()) return token;
    }
    return read_expression_token();
  }

 private:
  enum class Tag : uint8_t { none, output, block, comment };

  char peek(size_t ahead = 0) const {
    return position_ + ahead < text_.size() ? text_[position_ + ahead] : '\0';
  }
  TemplateToken make(TemplateTokenKind kind, size_t size) {
    const TemplateToken token{kind, text_.substr(position_, size),
                              static_cast<uint32_t>(position_)};
    position_ += size;
    return token;
  }
  Error error(const char* what, std::string_view about) const {
    return {Status::malformed, what, about, position_};
  }

  // Text up to the next tag, and what the tag's beginning takes away of it.
  Result<TemplateToken> read_text() {
    size_t end = position_;
    pending_ = Tag::none;
    for (; end + 1 < text_.size() && pending_ == Tag::none; ++end) {
      if (text_[end] != '{') continue;
      if (text_[end + 1] == '{') pending_ = Tag::output;
      if (text_[end + 1] == '%') pending_ = Tag::block;
      if (text_[end + 1] == '#') pending_ = Tag::comment;
      if (pending_ != Tag::none) break;
    }
    if (pending_ == Tag::none) end = text_.size();
    TemplateToken token = make(TemplateTokenKind::text, end - position_);
    const bool at_line_start = after_line_feed_;
    after_line_feed_ = false;
    if (pending_ == Tag::none) return token;
    const char sign = peek(2);
    if (sign == '-') {
      token.text = token.text.substr(0, strip_end(token.text, is_whitespace));
    } else if (sign != '+' && pending_ != Tag::output) {
      const size_t line = token.text.rfind('\n') + 1;  // 0 where there is no line feed
      const bool is_indent =
          strip_begin(token.text.substr(line), is_whitespace) == token.text.size() - line;
      if ((line > 0 || at_line_start) && is_indent) token.text = token.text.substr(0, line);
    }
    if (pending_ == Tag::comment) TERN_TRY(skip_comment());
    return token;
  }

  Result<void> skip_comment() {
    pending_ = Tag::none;
    const size_t begin = position_ + (peek(2) == '-' || peek(2) == '+' ? 3 : 2);
    const size_t close = text_.find("#}", begin);
    if (close == std::string_view::npos) return error("a comment without an end", "{#");
    const char sign = close > begin ? text_[close - 1] : '\0';
    position_ = close + 2;
    end_tag(sign, true);
    return {};
  }

  TemplateToken begin_tag() {
    tag_ = pending_;
    pending_ = Tag::none;
    tag_begin_ = position_;
    const bool has_sign = peek(2) == '-' || peek(2) == '+';
    return make(
        tag_ == Tag::output ? TemplateTokenKind::output_begin : TemplateTokenKind::block_begin,
        has_sign ? 3 : 2);
  }

  // What goes behind a tag.
  void end_tag(char sign, bool takes_line_feed) {
    tag_ = Tag::none;
    const size_t begin = position_;
    if (sign == '-') {
      position_ += strip_begin(text_.substr(position_), is_whitespace);
    } else if (takes_line_feed && sign != '+' && peek() == '\n') {
      ++position_;
    }
    after_line_feed_ = position_ > begin && text_[position_ - 1] == '\n';
  }

  Result<TemplateToken> read_expression_token() {
    position_ += strip_begin(text_.substr(position_), is_whitespace);
    if (position_ == text_.size()) {
      position_ = tag_begin_;
      return error("a tag without an end", text_.substr(tag_begin_, 2));
    }
    const char c = peek();
    if (depth_ == 0) {
      const char first = tag_ == Tag::output ? '}' : '%';
      const bool has_sign = c == '-' || (c == '+' && tag_ == Tag::block);
      const size_t at = has_sign ? 1 : 0;
      if (peek(at) == first && peek(at + 1) == '}') {
        const bool is_block = tag_ == Tag::block;
        const TemplateToken token =
            make(is_block ? TemplateTokenKind::block_end : TemplateTokenKind::output_end, at + 2);
        end_tag(has_sign ? c : '\0', is_block);
        return token;
      }
    }
    if (c == '\'' || c == '"') return read_string();
    if (is_digit(c)) return read_number();
    if (is_name_char(c)) {
      size_t size = 1;
      while (is_name_char(peek(size))) ++size;
      return make(TemplateTokenKind::name, size);
    }
    return read_operator();
  }

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool is_name_char(char c) {
    return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  }

  Result<TemplateToken> read_string() {
    size_t size = 1;
    while (position_ + size < text_.size() && peek(size) != peek()) {
      size += peek(size) == '\\' ? size_t{2} : size_t{1};
    }
    if (position_ + size >= text_.size()) {
      return error("a string without an end", text_.substr(position_));
    }
    return make(TemplateTokenKind::string, size + 1);
  }

  Result<TemplateToken> read_number() {
    size_t size = 1;
    while (is_digit(peek(size)) || peek(size) == '_') ++size;
    const bool has_fraction = peek(size) == '.' && is_digit(peek(size + 1));
    if (has_fraction || is_name_char(peek(size))) {
      while (is_name_char(peek(size)) || peek(size) == '.') ++size;
      return Error(Status::unsupported, "the chat template has a number that is not whole",
                   text_.substr(position_, size), position_);
    }
    return make(TemplateTokenKind::integer, size);
  }

  Result<TemplateToken> read_operator() {
    for (const std::string_view op : {"//", "**", "==", "!=", "<=", ">="}) {
      if (text_.substr(position_, 2) == op) return make(TemplateTokenKind::op, 2);
    }
    const char c = peek();
    if (std::string_view("+-*/%~<>=.:,|()[]{}").find(c) == std::string_view::npos || c == '\0') {
      return error("a character that begins nothing in a chat template",
                   text_.substr(position_, decode_utf8(text_, position_).length));
    }
    if (c == '(' || c == '[' || c == '{') ++depth_;
    if ((c == ')' || c == ']' || c == '}') && depth_ > 0) --depth_;
    return make(TemplateTokenKind::op, 1);
  }

  std::string_view text_;
  size_t position_ = 0;
  size_t tag_begin_ = 0;
  size_t depth_ = 0;         // of brackets: inside them no tag ends
  Tag tag_ = Tag::none;      // the one that the position is in
  Tag pending_ = Tag::none;  // the one that begins at the position
  bool after_line_feed_ = true;
};

}  // namespace detail

TERN_NAMESPACE_END
