// The expressions of chat templates, evaluated.
//
// Room: text. Included by template_run.hpp only.
#pragma once

#include "tern/text/template_run.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {

inline Result<TemplateValue> TemplateRunner::evaluate(uint32_t index) {
  const TemplateDepth depth(memory_);
  TERN_TRY(depth.check());
  TERN_TRY(memory_.charge(1));
  const TemplateNode& n = node(index);
  const Result<TemplateValue> value = evaluate_node(n);
  if (!value.ok()) return placed(value.error(), n);
  return *value;
}

inline Result<TemplateValue> TemplateRunner::evaluate_node(const TemplateNode& n) {
  switch (n.kind) {
    case TemplateKind::name: return look_up(text_ab(n));
    case TemplateKind::string: return TemplateValue::of(text_ab(n));
    case TemplateKind::integer:
      return TemplateValue::of(static_cast<int64_t>(uint64_t{n.b} << 32 | n.a));
    case TemplateKind::boolean: return TemplateValue::of(n.a != 0);
    case TemplateKind::none: return TemplateValue::none();
    case TemplateKind::list: return evaluate_list(n);
    case TemplateKind::dict: return evaluate_dict(n);
    case TemplateKind::slice: return evaluate_slice(n);
    case TemplateKind::call: return call(n);
    case TemplateKind::chain: return evaluate_chain(n);
    case TemplateKind::condition: {
      TERN_TRY_ASSIGN(const TemplateValue condition, evaluate(n.b));
      if (is_true(condition)) return evaluate(n.a);
      return n.c != 0 ? evaluate(n.c) : TemplateValue();
    }
    default: break;
  }
  TERN_TRY_ASSIGN(const TemplateValue object, evaluate(n.a));
  switch (n.kind) {
    case TemplateKind::attribute: return attribute_of(object, text_bc(n));
    case TemplateKind::item: {
      TERN_TRY_ASSIGN(const TemplateValue index, evaluate(n.b));
      return item_of(memory_, object, index);
    }
    case TemplateKind::filter: return run_routine(kTemplateFilters[n.op], object, n.b);
    case TemplateKind::test: return run_routine(kTemplateTests[n.op], object, n.b);
    case TemplateKind::negation: return TemplateValue::of(!is_true(object));
    case TemplateKind::minus:
      return arithmetic(memory_, '-', TemplateValue::of(int64_t{0}), object);
    default: return Error(Status::internal, "a node of a chat template is no expression");
  }
}

inline Result<TemplateValue> TemplateRunner::evaluate_list(const TemplateNode& n) {
  size_t count = 0;
  for (uint32_t i = n.a; i != 0; i = node(i).next) ++count;
  TERN_TRY_ASSIGN(const auto items, memory_.allocate<TemplateValue>(count));
  count = 0;
  for (uint32_t i = n.a; i != 0; i = node(i).next) {
    TERN_TRY_ASSIGN(items[count++], evaluate(i));
  }
  return TemplateValue::of_list(items);
}

inline Result<TemplateValue> TemplateRunner::evaluate_dict(const TemplateNode& n) {
  size_t count = 0;
  for (uint32_t i = n.a; i != 0; i = node(i).next) count += 2;
  TERN_TRY_ASSIGN(const auto items, memory_.allocate<TemplateValue>(count));
  count = 0;
  for (uint32_t i = n.a; i != 0; i = node(i).next) {
    TERN_TRY_ASSIGN(const TemplateValue key, evaluate(node(i).a));
    TERN_TRY_ASSIGN(const TemplateValue value, evaluate(node(i).b));
    // The last of equal keys counts, in the place of the first.
    size_t at = 0;
    for (; at < count; at += 2) {
      TERN_TRY_ASSIGN(const bool same, equals(memory_, items[at], key));
      if (same) break;
    }
    if (at == count) {
      items[at] = key;
      count += 2;
    }
    items[at + 1] = value;
  }
  return TemplateValue::of_dict(items.first(count));
}

inline Result<TemplateValue> TemplateRunner::evaluate_slice(const TemplateNode& n) {
  TERN_TRY_ASSIGN(const TemplateValue object, evaluate(n.a));
  const TemplateNode& parts = node(n.b);
  TemplateSlice slice;
  if (parts.a != 0) {
    TERN_TRY_ASSIGN(slice.start, evaluate(parts.a));
  }
  if (parts.b != 0) {
    TERN_TRY_ASSIGN(slice.stop, evaluate(parts.b));
  }
  if (parts.c != 0) {
    TERN_TRY_ASSIGN(slice.step, evaluate(parts.c));
  }
  return slice_of(memory_, object, slice);
}

inline Result<TemplateValue> TemplateRunner::evaluate_chain(const TemplateNode& n) {
  TERN_TRY_ASSIGN(TemplateValue value, evaluate(n.a));
  const auto first_op = static_cast<TemplateOperator>(node(n.b).op);
  if (first_op > TemplateOperator::not_in) return evaluate_sum(n, value);
  if (first_op > TemplateOperator::logical_and) return evaluate_comparisons(n, value);
  const bool goes_on = first_op == TemplateOperator::logical_and;
  for (uint32_t i = n.b; i != 0 && is_true(value) == goes_on; i = node(i).next) {
    TERN_TRY_ASSIGN(value, evaluate(node(i).a));
  }
  return value;
}

// a < b < c is a < b and b < c.
inline Result<TemplateValue> TemplateRunner::evaluate_comparisons(const TemplateNode& n,
                                                                  TemplateValue left) {
  for (uint32_t i = n.b; i != 0; i = node(i).next) {
    TERN_TRY_ASSIGN(const TemplateValue right, evaluate(node(i).a));
    TERN_TRY_ASSIGN(const bool holds,
                    compare(static_cast<TemplateOperator>(node(i).op), left, right));
    if (!holds) return TemplateValue::of(false);
    left = right;
  }
  return TemplateValue::of(true);
}

inline Result<bool> TemplateRunner::compare(TemplateOperator op, const TemplateValue& a,
                                            const TemplateValue& b) {
  // Each is one of three questions, with the operands in order or not, and the answer or its
  // opposite.
  Result<bool> answer = false;
  switch (op) {
    case TemplateOperator::equal:
    case TemplateOperator::unequal: answer = equals(memory_, a, b); break;
    case TemplateOperator::less:
    case TemplateOperator::greater_or_equal: answer = less(memory_, a, b); break;
    case TemplateOperator::greater:
    case TemplateOperator::less_or_equal: answer = less(memory_, b, a); break;
    default: answer = contains(memory_, b, a);
  }
  TERN_TRY_ASSIGN(const bool holds, answer);
  const bool is_opposite = op == TemplateOperator::unequal || op == TemplateOperator::not_in ||
                           op == TemplateOperator::greater_or_equal ||
                           op == TemplateOperator::less_or_equal;
  return holds != is_opposite;
}

// Texts are joined all at once: a content in a long sum is copied once.
inline Result<TemplateValue> TemplateRunner::evaluate_sum(const TemplateNode& n,
                                                          const TemplateValue& first) {
  const size_t begin = operands_.size();
  bool is_join = true;
  operands_.push_back(first);
  bool all_texts = first.is(TemplateType::text);
  for (uint32_t i = n.b; i != 0; i = node(i).next) {
    TERN_TRY_ASSIGN(const TemplateValue operand, evaluate(node(i).a));
    operands_.push_back(operand);
    const auto op = static_cast<TemplateOperator>(node(i).op);
    all_texts = all_texts && operand.is(TemplateType::text) && op == TemplateOperator::add;
    is_join = is_join && op == TemplateOperator::join;
  }
  TemplateValue value = first;
  if (is_join || all_texts) {
    const size_t text_begin = memory_.writer.size();
    for (size_t i = begin; i < operands_.size(); ++i) {
      TERN_TRY(write_value(memory_, operands_[i]));
    }
    TERN_TRY_ASSIGN(value, memory_.cut(text_begin));
  } else {
    constexpr std::string_view kSymbols = "+-~*/%";
    size_t at = begin;
    for (uint32_t i = n.b; i != 0; i = node(i).next) {
      const char op = kSymbols[node(i).op - static_cast<size_t>(TemplateOperator::add)];
      const Result<TemplateValue> result = arithmetic(memory_, op, value, operands_[++at]);
      if (!result.ok()) return placed(result.error(), node(i));
      value = *result;
    }
  }
  operands_.resize(begin);
  return value;
}

inline Result<TemplateValue> TemplateRunner::attribute_of(const TemplateValue& object,
                                                          std::string_view name) {
  if (object.is(TemplateType::space)) {
    const auto* space = static_cast<const TemplateSpace*>(object.data);
    TERN_TRY(memory_.charge(space->n_fields / 8));
    const TemplateField* field = space->find(name);
    return field != nullptr ? field->value : TemplateValue();
  }
  if (object.is(TemplateType::loop)) {
    return loop_field(*static_cast<const TemplateLoop*>(object.data), name);
  }
  return item_of(memory_, object, TemplateValue::of(name));
}

inline Result<TemplateValue> TemplateRunner::loop_field(const TemplateLoop& loop,
                                                        std::string_view name) {
  const auto n = static_cast<int64_t>(loop.items.size());
  const auto at = static_cast<int64_t>(loop.index);
  struct Row {
    std::string_view name;
    TemplateValue value;
  };
  const Row rows[] = {
      {"index", TemplateValue::of(at + 1)},
      {"index0", TemplateValue::of(at)},
      {"revindex", TemplateValue::of(n - at)},
      {"revindex0", TemplateValue::of(n - at - 1)},
      {"first", TemplateValue::of(at == 0)},
      {"last", TemplateValue::of(at + 1 == n)},
      {"length", TemplateValue::of(n)},
      {"previtem", at > 0 ? loop.items[loop.index - 1] : TemplateValue()},
      {"nextitem", at + 1 < n ? loop.items[loop.index + 1] : TemplateValue()},
  };
  for (const Row& row : rows) {
    if (row.name == name) return row.value;
  }
  return template_error(Status::unsupported, "a field of loop that tern does not have", name);
}

inline Result<Vector<TemplateArgument>> TemplateRunner::evaluate_arguments(uint32_t first) {
  Vector<TemplateArgument> arguments(memory_.hooks());
  for (uint32_t i = first; i != 0; i = node(i).next) {
    TERN_TRY_ASSIGN(const TemplateValue value, evaluate(node(i).a));
    arguments.push_back({text_bc(node(i)), value});
  }
  return arguments;
}

inline Result<TemplateValue> TemplateRunner::run_routine(const TemplateRoutine& routine,
                                                         const TemplateValue& object,
                                                         uint32_t arguments) {
  TERN_TRY_ASSIGN(const Vector<TemplateArgument> given, evaluate_arguments(arguments));
  TERN_TRY_ASSIGN(const TemplateArguments bound, bind_arguments(routine, given));
  return routine.run(memory_, object, bound);
}

inline Result<TemplateValue> TemplateRunner::call(const TemplateNode& n) {
  const TemplateNode& callee = node(n.a);
  if (callee.kind == TemplateKind::attribute) return call_method(callee, n.b);
  const std::string_view name =
      callee.kind == TemplateKind::name ? text_ab(callee) : std::string_view();
  TERN_TRY_ASSIGN(const TemplateValue function, evaluate(n.a));
  if (name == "namespace" && function.is(TemplateType::undefined)) return make_space(n.b);
  return call_value(function, name, n.b);
}

inline Result<TemplateValue> TemplateRunner::call_method(const TemplateNode& callee,
                                                         uint32_t arguments) {
  TERN_TRY_ASSIGN(const TemplateValue object, evaluate(callee.a));
  const std::string_view name = text_bc(callee);
  const TemplateRoutine* row = nullptr;
  if (object.is(TemplateType::text)) row = find_routine(kTemplateTextMethods, name);
  if (object.is(TemplateType::dict)) row = find_routine(kTemplateDictMethods, name);
  if (row != nullptr) return run_routine(*row, object, arguments);
  TERN_TRY_ASSIGN(const TemplateValue function, attribute_of(object, name));
  return call_value(function, name, arguments);
}

inline Result<TemplateValue> TemplateRunner::call_value(const TemplateValue& function,
                                                        std::string_view name, uint32_t arguments) {
  if (function.is(TemplateType::function)) {
    return run_routine(kTemplateFunctions[function.number], {}, arguments);
  }
  if (function.is(TemplateType::macro)) {
    return call_macro(node(static_cast<uint32_t>(function.number)), arguments);
  }
  return template_error(Status::unsupported,
                        "the chat template calls a function that tern does not have", name);
}

inline Result<TemplateValue> TemplateRunner::call_macro(const TemplateNode& macro,
                                                        uint32_t arguments) {
  TERN_TRY_ASSIGN(const Vector<TemplateArgument> given, evaluate_arguments(arguments));
  size_t n_used = 0;
  const Scope scope(*this, true);
  size_t position = 0;
  for (uint32_t i = macro.b; i != 0; i = node(i).next, ++position) {
    const std::string_view name = text_ab(node(i));
    TERN_TRY(memory_.charge(1 + given.size()));
    TemplateValue value;
    bool is_given = false;
    for (size_t g = 0; g < given.size(); ++g) {
      if (given[g].name.empty() ? g != position : given[g].name != name) continue;
      value = given[g].value;
      is_given = true;
      ++n_used;
    }
    if (!is_given && node(i).c != 0) {
      TERN_TRY_ASSIGN(value, evaluate(node(i).c));
    }
    locals_.push_back({name, value});
  }
  if (n_used != given.size()) {
    return template_error(Status::unsupported, "an argument that the macro does not have",
                          text_ab(node(macro.a)));
  }
  const size_t begin = memory_.writer.size();
  TERN_TRY(run_statements(macro.c));
  return memory_.cut(begin);
}

inline Result<TemplateValue> TemplateRunner::make_space(uint32_t arguments) {
  TERN_TRY_ASSIGN(const Vector<TemplateArgument> given, evaluate_arguments(arguments));
  TERN_TRY_ASSIGN(const auto space, memory_.allocate<TemplateSpace>(1));
  const TemplateValue value{.type = TemplateType::space, .data = space.data()};
  for (const TemplateArgument& argument : given) {
    if (argument.name.empty()) {
      return template_error(Status::unsupported, "a namespace made of a value", "namespace");
    }
    TERN_TRY(set_field(value, argument.name, argument.value));
  }
  return value;
}

}  // namespace detail

TERN_NAMESPACE_END
