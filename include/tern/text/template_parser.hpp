// The statements of chat templates, parsed: text to TemplateProgram.
//
// Room: text.
#pragma once

#include <algorithm>

#include "tern/text/template_expression_parser.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {

class TemplateParser : private TemplateExpressionParser {
 public:
  using TemplateExpressionParser::TemplateExpressionParser;

  /// Fills the program's nodes.
  Result<void> parse() {
    add(TemplateKind::nothing, 0);
    TERN_TRY(advance());
    TERN_TRY_ASSIGN(program_.first, parse_statements({}));
    if (current_.kind != TemplateTokenKind::end) return unexpected();
    return {};
  }

 private:
  // Statements up to one of `ends`, whose name is then the current token, or to the end of the
  // text.
  Result<uint32_t> parse_statements(std::initializer_list<std::string_view> ends) {
    TERN_TRY(descend());
    TemplateNodeList statements;
    while (current_.kind != TemplateTokenKind::end) {
      const TemplateToken token = current_;
      TERN_TRY(advance());
      if (token.kind == TemplateTokenKind::text) {
        append(statements, add(TemplateKind::literal, token.where, token.where,
                               static_cast<uint32_t>(token.text.size())));
      } else if (token.kind == TemplateTokenKind::output_begin) {
        TERN_TRY_ASSIGN(const uint32_t expression, parse_expression());
        TERN_TRY(expect(TemplateTokenKind::output_end));
        append(statements, add(TemplateKind::output, token.where, expression));
      } else {
        if (current_.kind != TemplateTokenKind::name) return unexpected();
        if (std::find(ends.begin(), ends.end(), current_.text) != ends.end()) break;
        TERN_TRY_ASSIGN(const uint32_t statement, parse_statement());
        append(statements, statement);
      }
    }
    if (current_.kind == TemplateTokenKind::end && ends.size() != 0) return unexpected();
    ascend();
    return statements.first;
  }

  Result<uint32_t> parse_statement() {
    struct Row {
      std::string_view name;
      Result<uint32_t> (TemplateParser::*parse)(uint32_t where);
    };
    static constexpr Row kStatements[] = {
        {"if", &TemplateParser::parse_if},
        {"for", &TemplateParser::parse_for},
        {"set", &TemplateParser::parse_set},
        {"macro", &TemplateParser::parse_macro},
        {"break", &TemplateParser::parse_leave},
        {"continue", &TemplateParser::parse_leave},
        {"generation", &TemplateParser::parse_generation},
    };
    const TemplateToken name = current_;
    for (const Row& row : kStatements) {
      if (row.name == name.text) return (this->*row.parse)(name.where);
    }
    constexpr std::string_view kEnds[] = {"elif",   "else",     "endif",        "endfor",
                                          "endset", "endmacro", "endgeneration"};
    if (std::find(std::begin(kEnds), std::end(kEnds), name.text) != std::end(kEnds)) {
      return unexpected();
    }
    return refuse("the chat template uses a statement that tern does not have");
  }

  // The current token and the end of its tag.
  Result<void> close_tag() {
    TERN_TRY(advance());
    return expect(TemplateTokenKind::block_end);
  }

  Result<uint32_t> parse_if(uint32_t where) {
    TemplateNodeList branches;
    bool is_else = false;
    do {
      const uint32_t branch_where = current_.where;
      is_else = current_.is_name("else");
      TERN_TRY(advance());
      uint32_t condition = 0;
      if (!is_else) {
        TERN_TRY_ASSIGN(condition, parse_expression());
      }
      TERN_TRY(expect(TemplateTokenKind::block_end));
      TERN_TRY_ASSIGN(const uint32_t body, is_else ? parse_statements({"endif"})
                                                   : parse_statements({"elif", "else", "endif"}));
      append(branches, add(TemplateKind::branch, branch_where, condition, body));
    } while (!current_.is_name("endif"));
    TERN_TRY(close_tag());
    return add(TemplateKind::choice, where, branches.first);
  }

  Result<uint32_t> parse_for(uint32_t where) {
    TemplateNodeList names;
    do {
      TERN_TRY(advance());
      const TemplateToken name = current_;
      TERN_TRY(expect(TemplateTokenKind::name));
      append(names, add_name(name));
    } while (current_.is_op(","));
    if (!current_.is_name("in")) return unexpected();
    TERN_TRY(advance());
    TERN_TRY_ASSIGN(const uint32_t items, parse_binary(kOr));
    uint32_t filter = 0;
    if (current_.is_name("if")) {
      TERN_TRY(advance());
      TERN_TRY_ASSIGN(filter, parse_expression());
    }
    if (current_.is_name("recursive")) {
      return refuse("the chat template uses a statement that tern does not have");
    }
    TERN_TRY(expect(TemplateTokenKind::block_end));
    ++loops_;
    TERN_TRY_ASSIGN(const uint32_t body, parse_statements({"else", "endfor"}));
    --loops_;
    uint32_t otherwise = 0;
    if (current_.is_name("else")) {
      TERN_TRY(close_tag());
      TERN_TRY_ASSIGN(otherwise, parse_statements({"endfor"}));
    }
    TERN_TRY(close_tag());
    const uint32_t parts = add(TemplateKind::loop_parts, where, filter, body, otherwise);
    return add(TemplateKind::loop, where, names.first, items, parts);
  }

  Result<uint32_t> parse_set(uint32_t where) {
    TERN_TRY(advance());
    const TemplateToken name = current_;
    TERN_TRY(expect(TemplateTokenKind::name));
    uint32_t target = add_name(name);
    if (current_.is_op(".")) {
      TERN_TRY(advance());
      const TemplateToken field = current_;
      TERN_TRY(expect(TemplateTokenKind::name));
      target = add(TemplateKind::attribute, name.where, target, field.where,
                   static_cast<uint32_t>(field.text.size()));
    }
    if (current_.is_op(",") || current_.is_op("|")) {
      return refuse("the chat template sets several names, or through a filter");
    }
    if (current_.is_op("=")) {
      TERN_TRY(advance());
      TERN_TRY_ASSIGN(const uint32_t value, parse_expression());
      TERN_TRY(expect(TemplateTokenKind::block_end));
      return add(TemplateKind::assign, where, target, value);
    }
    TERN_TRY(expect(TemplateTokenKind::block_end));
    TERN_TRY_ASSIGN(const uint32_t body, parse_statements({"endset"}));
    TERN_TRY(close_tag());
    return add(TemplateKind::capture, where, target, body);
  }

  Result<uint32_t> parse_macro(uint32_t where) {
    TERN_TRY(advance());
    const TemplateToken name = current_;
    TERN_TRY(expect(TemplateTokenKind::name));
    const uint32_t target = add_name(name);
    TERN_TRY(expect_op("("));
    TemplateNodeList parameters;
    while (!current_.is_op(")")) {
      const TemplateToken parameter = current_;
      TERN_TRY(expect(TemplateTokenKind::name));
      uint32_t default_value = 0;
      if (current_.is_op("=")) {
        TERN_TRY(advance());
        TERN_TRY_ASSIGN(default_value, parse_expression());
      }
      append(parameters, add(TemplateKind::parameter, parameter.where, parameter.where,
                             static_cast<uint32_t>(parameter.text.size()), default_value));
      if (current_.is_op(")")) break;
      TERN_TRY(expect_op(","));
    }
    TERN_TRY(close_tag());
    const uint32_t outer_loops = loops_;
    loops_ = 0;
    TERN_TRY_ASSIGN(const uint32_t body, parse_statements({"endmacro"}));
    loops_ = outer_loops;
    TERN_TRY(close_tag());
    return add(TemplateKind::macro, where, target, parameters.first, body);
  }

  Result<uint32_t> parse_leave(uint32_t where) {
    if (loops_ == 0) return unexpected();
    const bool is_break = current_.is_name("break");
    TERN_TRY(close_tag());
    return add(is_break ? TemplateKind::leave : TemplateKind::continue_on, where);
  }

  // Marks what a model is trained on; prints what is inside.
  Result<uint32_t> parse_generation(uint32_t where) {
    TERN_TRY(close_tag());
    TERN_TRY_ASSIGN(const uint32_t body, parse_statements({"endgeneration"}));
    TERN_TRY(close_tag());
    return add(TemplateKind::group, where, body);
  }

  uint32_t loops_ = 0;  // around the current token, within the macro
};

}  // namespace detail

TERN_NAMESPACE_END
