// The expressions of chat templates, parsed.
//
// Room: text. Recursive descent with one token of lookahead; operators of one rank make a chain, so
// that long sums nest no deeper than short ones.
#pragma once

#include <iterator>

#include "tern/text/template_routines.hpp"
#include "tern/text/template_token_reader.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {

class TemplateExpressionParser : protected TemplateTokenReader {
 public:
  using TemplateTokenReader::TemplateTokenReader;

 protected:
  // Lower ranks bind weaker.
  enum Rank : uint8_t { kOr, kAnd, kCompare, kAdd, kJoin, kMultiply };
  struct OperatorRow {
    std::string_view text;
    Rank rank;
    TemplateOperator op;
  };
  static constexpr OperatorRow kOperators[] = {
      {"or", kOr, TemplateOperator::logical_or},
      {"and", kAnd, TemplateOperator::logical_and},
      {"==", kCompare, TemplateOperator::equal},
      {"!=", kCompare, TemplateOperator::unequal},
      {"<", kCompare, TemplateOperator::less},
      {"<=", kCompare, TemplateOperator::less_or_equal},
      {">", kCompare, TemplateOperator::greater},
      {">=", kCompare, TemplateOperator::greater_or_equal},
      {"in", kCompare, TemplateOperator::in},
      {"not", kCompare, TemplateOperator::not_in},
      {"+", kAdd, TemplateOperator::add},
      {"-", kAdd, TemplateOperator::subtract},
      {"~", kJoin, TemplateOperator::join},
      {"*", kMultiply, TemplateOperator::multiply},
      {"//", kMultiply, TemplateOperator::divide},
      {"%", kMultiply, TemplateOperator::remainder},
  };

  Result<uint32_t> parse_expression() {
    TERN_TRY(descend());
    TERN_TRY_ASSIGN(uint32_t expression, parse_binary(kOr));
    while (current_.is_name("if")) {
      const uint32_t where = current_.where;
      TERN_TRY(advance());
      TERN_TRY_ASSIGN(const uint32_t condition, parse_binary(kOr));
      uint32_t otherwise = 0;
      if (current_.is_name("else")) {
        TERN_TRY(advance());
        TERN_TRY_ASSIGN(otherwise, parse_expression());
      }
      expression = add(TemplateKind::condition, where, expression, condition, otherwise);
    }
    ascend();
    return expression;
  }

  Result<uint32_t> parse_binary(Rank rank) {
    TERN_TRY_ASSIGN(const uint32_t first, parse_operand(rank));
    const uint32_t where = current_.where;
    TemplateNodeList links;
    while (const OperatorRow* row = find_operator(rank)) {
      const uint32_t link = add(TemplateKind::link, current_.where);
      node(link).op = static_cast<uint8_t>(row->op);
      TERN_TRY(advance());
      if (row->op == TemplateOperator::not_in) {
        if (!current_.is_name("in")) return unexpected();
        TERN_TRY(advance());
      }
      TERN_TRY_ASSIGN(const uint32_t operand, parse_operand(rank));
      node(link).a = operand;
      append(links, link);
    }
    if (rank == kMultiply && (current_.is_op("/") || current_.is_op("**"))) {
      return refuse("the chat template uses an operator that tern does not have");
    }
    if (links.first == 0) return first;
    return add(TemplateKind::chain, where, first, links.first);
  }

 private:
  const OperatorRow* find_operator(Rank rank) const {
    const bool can_be =
        current_.kind == TemplateTokenKind::op || current_.kind == TemplateTokenKind::name;
    for (const OperatorRow& row : kOperators) {
      if (can_be && row.rank == rank && row.text == current_.text) return &row;
    }
    return nullptr;
  }

  Result<uint32_t> parse_operand(Rank rank) {
    if (rank == kAnd) return parse_not();
    if (rank == kMultiply) return parse_unary(true);
    return parse_binary(static_cast<Rank>(rank + 1));
  }

  Result<uint32_t> parse_not() {
    if (!current_.is_name("not")) return parse_binary(kCompare);
    TERN_TRY(descend());
    const uint32_t where = current_.where;
    TERN_TRY(advance());
    TERN_TRY_ASSIGN(const uint32_t operand, parse_not());
    ascend();
    return add(TemplateKind::negation, where, operand);
  }

  Result<uint32_t> parse_unary(bool with_filters) {
    uint32_t operand = 0;
    if (current_.is_op("-") || current_.is_op("+")) {
      TERN_TRY(descend());
      const TemplateToken sign = current_;
      TERN_TRY(advance());
      TERN_TRY_ASSIGN(operand, parse_unary(false));
      if (sign.text == "-") operand = add(TemplateKind::minus, sign.where, operand);
      ascend();
    } else {
      TERN_TRY_ASSIGN(operand, parse_primary());
      TERN_TRY_ASSIGN(operand, parse_postfix(operand));
    }
    while (with_filters && (current_.is_op("|") || current_.is_name("is"))) {
      if (current_.is_op("|")) {
        TERN_TRY_ASSIGN(operand, parse_filter(operand));
      } else {
        TERN_TRY_ASSIGN(operand, parse_test(operand));
      }
    }
    return operand;
  }

  Result<uint32_t> parse_primary() {
    const TemplateToken token = current_;
    switch (token.kind) {
      case TemplateTokenKind::name: return parse_word();
      case TemplateTokenKind::string: return parse_strings();
      case TemplateTokenKind::integer: return parse_integer();
      default: break;
    }
    if (token.is_op("{")) return parse_dict();
    if (!token.is_op("(") && !token.is_op("[")) return unexpected();
    const std::string_view close = token.is_op("(") ? ")" : "]";
    TERN_TRY(advance());
    TemplateNodeList elements;
    bool is_list = token.is_op("[");
    while (!current_.is_op(close)) {
      TERN_TRY_ASSIGN(const uint32_t element, parse_expression());
      append(elements, element);
      if (current_.is_op(close)) break;
      TERN_TRY(expect_op(","));
      is_list = true;
    }
    TERN_TRY(advance());
    if (!is_list && elements.first != 0) return elements.first;
    return add(TemplateKind::list, token.where, elements.first);
  }

  Result<uint32_t> parse_dict() {
    const uint32_t where = current_.where;
    TERN_TRY(advance());
    TemplateNodeList pairs;
    while (!current_.is_op("}")) {
      const uint32_t pair_where = current_.where;
      TERN_TRY_ASSIGN(const uint32_t key, parse_expression());
      TERN_TRY(expect_op(":"));
      TERN_TRY_ASSIGN(const uint32_t value, parse_expression());
      append(pairs, add(TemplateKind::pair, pair_where, key, value));
      if (current_.is_op("}")) break;
      TERN_TRY(expect_op(","));
    }
    TERN_TRY(advance());
    return add(TemplateKind::dict, where, pairs.first);
  }

  // What stands directly behind a value: .name, [index], [start:stop:step], (arguments).
  Result<uint32_t> parse_postfix(uint32_t object) {
    for (;;) {
      if (current_.is_op(".")) {
        TERN_TRY(advance());
        const TemplateToken name = current_;
        TERN_TRY(expect(TemplateTokenKind::name));
        object = add(TemplateKind::attribute, name.where, object, name.where,
                     static_cast<uint32_t>(name.text.size()));
      } else if (current_.is_op("[")) {
        TERN_TRY_ASSIGN(object, parse_subscript(object));
      } else if (current_.is_op("(")) {
        TERN_TRY_ASSIGN(const uint32_t arguments, parse_arguments());
        object = add(TemplateKind::call, node(object).where, object, arguments);
      } else {
        return object;
      }
    }
  }

  Result<uint32_t> parse_subscript(uint32_t object) {
    const uint32_t where = current_.where;
    TERN_TRY(advance());
    uint32_t bounds[3] = {0, 0, 0};
    size_t colons = 0;
    while (!current_.is_op("]")) {
      if (current_.is_op(":")) {
        if (++colons > 2) return unexpected();
        TERN_TRY(advance());
      } else if (bounds[colons] != 0) {
        return unexpected();
      } else {
        TERN_TRY_ASSIGN(bounds[colons], parse_expression());
      }
    }
    if (colons == 0 && bounds[0] == 0) return unexpected();
    TERN_TRY(advance());
    if (colons == 0) return add(TemplateKind::item, where, object, bounds[0]);
    const uint32_t parts = add(TemplateKind::slice_parts, where, bounds[0], bounds[1], bounds[2]);
    return add(TemplateKind::slice, where, object, parts);
  }

  // Behind the opening bracket that is the current token.
  Result<uint32_t> parse_arguments() {
    TERN_TRY(advance());
    TemplateNodeList arguments;
    while (!current_.is_op(")")) {
      const uint32_t where = current_.where;
      TERN_TRY_ASSIGN(uint32_t value, parse_expression());
      const uint32_t argument = add(TemplateKind::argument, where, value);
      if (current_.is_op("=") && node(value).kind == TemplateKind::name) {
        node(argument).b = node(value).a;
        node(argument).c = node(value).b;
        TERN_TRY(advance());
        TERN_TRY_ASSIGN(value, parse_expression());
        node(argument).a = value;
      }
      append(arguments, argument);
      if (current_.is_op(")")) break;
      TERN_TRY(expect_op(","));
    }
    TERN_TRY(advance());
    return arguments.first;
  }

  Result<uint32_t> parse_filter(uint32_t object) {
    TERN_TRY(advance());
    const TemplateToken name = current_;
    TERN_TRY(expect(TemplateTokenKind::name));
    const TemplateRoutine* row = find_routine(kTemplateFilters, name.text);
    if (row == nullptr) {
      return refuse("the chat template uses a filter that tern does not have", name);
    }
    uint32_t arguments = 0;
    if (current_.is_op("(")) {
      TERN_TRY_ASSIGN(arguments, parse_arguments());
    }
    const uint32_t filter = add(TemplateKind::filter, name.where, object, arguments);
    node(filter).op = static_cast<uint8_t>(row - std::begin(kTemplateFilters));
    return filter;
  }

  Result<uint32_t> parse_test(uint32_t object) {
    TERN_TRY(advance());
    const bool is_negated = current_.is_name("not");
    if (is_negated) TERN_TRY(advance());
    const TemplateToken name = current_;
    TERN_TRY(expect(TemplateTokenKind::name));
    const TemplateRoutine* row = find_routine(kTemplateTests, name.text);
    if (row == nullptr) {
      return refuse("the chat template uses a test that tern does not have", name);
    }
    uint32_t arguments = 0;
    if (current_.is_op("(")) {
      TERN_TRY_ASSIGN(arguments, parse_arguments());
    } else if (!row->parameters[0].empty()) {
      TERN_TRY_ASSIGN(const uint32_t value, parse_unary(false));
      arguments = add(TemplateKind::argument, name.where, value);
    }
    const uint32_t test = add(TemplateKind::test, name.where, object, arguments);
    node(test).op = static_cast<uint8_t>(row - std::begin(kTemplateTests));
    return is_negated ? add(TemplateKind::negation, name.where, test) : test;
  }
};

}  // namespace detail

TERN_NAMESPACE_END
