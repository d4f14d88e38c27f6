// The filters, tests, functions and methods of chat templates, by name.
//
// Room: text. Tables of routines (template_text_routines.hpp) with the names of their parameters.
// What is not in a table is refused by name: a filter or test when the template is compiled, a
// function or method when it is called.
#pragma once

#include <algorithm>
#include <iterator>

#include "tern/text/template_text_routines.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {

/// A row of a table. A parameter without a name does not exist.
struct TemplateRoutine {
  std::string_view name;
  std::array<std::string_view, 3> parameters;
  Result<TemplateValue> (*run)(TemplateMemory&, const TemplateValue& object,
                               const TemplateArguments&);
};

/// An argument of a call; by position where it has no name.
struct TemplateArgument {
  std::string_view name;
  TemplateValue value;
};

/// Gives arguments to parameters. Errors: unsupported (one too many, an unknown name).
inline Result<TemplateArguments> bind_arguments(const TemplateRoutine& routine,
                                                std::span<const TemplateArgument> given) {
  TemplateArguments out;
  size_t position = 0;
  for (const TemplateArgument& argument : given) {
    size_t at = position;
    if (argument.name.empty()) {
      ++position;
    } else {
      at = static_cast<size_t>(
          std::find(routine.parameters.begin(), routine.parameters.end(), argument.name) -
          routine.parameters.begin());
    }
    if (at >= out.size() || routine.parameters[at].empty()) {
      return template_error(Status::unsupported, "an argument that tern does not know",
                            argument.name.empty() ? routine.name : argument.name);
    }
    out[at] = argument.value;
  }
  return out;
}

// Filters.

inline Result<TemplateValue> default_filter(TemplateMemory&, const TemplateValue& object,
                                            const TemplateArguments& args) {
  const bool counts = is_true(args[1]) ? is_true(object) : !object.is(TemplateType::undefined);
  if (counts) return object;
  return args[0].is(TemplateType::undefined) ? TemplateValue::of(std::string_view()) : args[0];
}

inline Result<TemplateValue> length_filter(TemplateMemory& memory, const TemplateValue& object,
                                           const TemplateArguments&) {
  TERN_TRY(memory.charge_scan(object.size));
  const auto n = length_of(object);
  if (!n) return wrong_type("the chat template takes the length of what has none");
  return TemplateValue::of(static_cast<int64_t>(*n));
}

inline Result<TemplateValue> join_filter(TemplateMemory& memory, const TemplateValue& object,
                                         const TemplateArguments& args) {
  return join_texts(memory, object, args[0]);
}

inline Result<TemplateValue> first_filter(TemplateMemory& memory, const TemplateValue& object,
                                          const TemplateArguments&) {
  TERN_TRY_ASSIGN(const TemplateValue items, iterate(memory, object));
  return items.size == 0 ? TemplateValue() : items.items().front();
}
inline Result<TemplateValue> last_filter(TemplateMemory& memory, const TemplateValue& object,
                                         const TemplateArguments&) {
  TERN_TRY_ASSIGN(const TemplateValue items, iterate(memory, object));
  return items.size == 0 ? TemplateValue() : items.items().back();
}
inline Result<TemplateValue> list_filter(TemplateMemory& memory, const TemplateValue& object,
                                         const TemplateArguments&) {
  return iterate(memory, object);
}
inline Result<TemplateValue> string_filter(TemplateMemory& memory, const TemplateValue& object,
                                           const TemplateArguments&) {
  TERN_TRY_ASSIGN(const MarkedText text, as_text(memory, object));
  return TemplateValue::of(text);
}
inline Result<TemplateValue> same_filter(TemplateMemory&, const TemplateValue& object,
                                         const TemplateArguments&) {
  return object;
}

/// Appends a text as JSON does, characters beyond ASCII as they are.
inline Result<void> write_json_text(TemplateMemory& memory, const MarkedText& text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  constexpr std::string_view kEscaped = "\"\\\n\r\t\b\f";
  constexpr std::string_view kLetters = "\"\\nrtbf";
  TERN_TRY(memory.charge_scan(text.size() * 4));
  TERN_TRY(memory.writer.append({"\""}));
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<uint8_t>(text.bytes[i]);
    const size_t at = kEscaped.find(text.bytes[i]);
    if (byte >= 0x20 && at == kEscaped.npos) continue;
    TERN_TRY(memory.writer.append(text.sub(begin, i - begin)));
    const char shorter[] = {'\\', at == kEscaped.npos ? 'u' : kLetters[at]};
    TERN_TRY(memory.writer.append({{shorter, 2}, nullptr, text.mark(i) != 0}));
    if (at == kEscaped.npos) {
      const char digits[] = {'0', '0', kHex[byte >> 4], kHex[byte & 15]};
      TERN_TRY(memory.writer.append({{digits, 4}, nullptr, text.mark(i) != 0}));
    }
    begin = i + 1;
  }
  TERN_TRY(memory.writer.append(text.sub(begin)));
  return memory.writer.append({"\""});
}

inline Result<void> write_json(TemplateMemory& memory, const TemplateValue& value) {
  const TemplateDepth depth(memory);
  TERN_TRY(depth.check());
  TERN_TRY(memory.charge(1));
  switch (value.type) {
    case TemplateType::none: return memory.writer.append({"null"});
    case TemplateType::boolean: return memory.writer.append({value.number != 0 ? "true" : "false"});
    case TemplateType::integer: return write_value(memory, value);
    case TemplateType::text: return write_json_text(memory, value.text());
    case TemplateType::list:
    case TemplateType::dict: break;
    default: return wrong_type("the chat template writes as JSON what JSON does not have");
  }
  const bool is_dict = value.is(TemplateType::dict);
  TERN_TRY(memory.writer.append({is_dict ? "{" : "["}));
  for (size_t i = 0; i < value.size; ++i) {
    const bool is_key = is_dict && i % 2 == 0;
    if (is_key && !value.items()[i].is(TemplateType::text)) {
      return wrong_type("a key of JSON is no text");
    }
    if (i > 0) TERN_TRY(memory.writer.append({is_dict && !is_key ? ": " : ", "}));
    TERN_TRY(write_json(memory, value.items()[i]));
  }
  return memory.writer.append({is_dict ? "}" : "]"});
}

inline Result<TemplateValue> tojson_filter(TemplateMemory& memory, const TemplateValue& object,
                                           const TemplateArguments& args) {
  if (is_true(args[0])) {
    return template_error(Status::unsupported, "the chat template indents JSON", "tojson(indent)");
  }
  const size_t begin = memory.writer.size();
  TERN_TRY(write_json(memory, object));
  return memory.cut(begin);
}

// Functions.

inline Result<TemplateValue> raise_exception(TemplateMemory& memory, const TemplateValue&,
                                             const TemplateArguments& args) {
  TERN_TRY_ASSIGN(const MarkedText message, as_text(memory, args[0]));
  return template_error(Status::invalid_argument, "the chat template refuses the conversation",
                        message.bytes);
}

inline Result<TemplateValue> range_function(TemplateMemory& memory, const TemplateValue&,
                                            const TemplateArguments& args) {
  const bool has_start = args[1].is_number();
  const int64_t start = has_start ? args[0].number : 0;
  const int64_t stop = args[has_start ? 1 : 0].number;
  const int64_t step = args[2].is_number() ? args[2].number : 1;
  if (!args[0].is_number() || step == 0) return wrong_type("range() of what is no number");
  const auto distance = calculate('-', step > 0 ? stop : start, step > 0 ? start : stop);
  const auto stride = calculate('*', step, step > 0 ? 1 : -1);
  if (!distance || !stride) return wrong_type("range() of numbers too large");
  const size_t n = *distance <= 0 ? 0 : static_cast<size_t>((*distance - 1) / *stride + 1);
  TERN_TRY(memory.charge(n));
  TERN_TRY_ASSIGN(const auto items, memory.allocate<TemplateValue>(n));
  for (size_t i = 0; i < n; ++i) {
    items[i] = TemplateValue::of(start + static_cast<int64_t>(i) * step);
  }
  return TemplateValue::of_list(items);
}

// Methods of dicts.

inline Result<TemplateValue> get_from_dict(TemplateMemory& memory, const TemplateValue& object,
                                           const TemplateArguments& args) {
  TERN_TRY_ASSIGN(const TemplateValue* value, find_key(memory, object, args[0]));
  if (value != nullptr) return *value;
  return args[1].is(TemplateType::undefined) ? TemplateValue::none() : args[1];
}
inline Result<TemplateValue> keys_of_dict(TemplateMemory& memory, const TemplateValue& object,
                                          const TemplateArguments&) {
  return iterate(memory, object);
}
inline Result<TemplateValue> values_of_dict(TemplateMemory& memory, const TemplateValue& object,
                                            const TemplateArguments&) {
  TERN_TRY(memory.charge(object.size));
  TERN_TRY_ASSIGN(const auto items, memory.allocate<TemplateValue>(object.size / 2));
  for (size_t i = 0; i < items.size(); ++i) items[i] = object.items()[2 * i + 1];
  return TemplateValue::of_list(items);
}
inline Result<TemplateValue> items_of_dict(TemplateMemory& memory, const TemplateValue& object,
                                           const TemplateArguments&) {
  if (!object.is(TemplateType::dict)) return wrong_type("items() of what is no dict");
  TERN_TRY(memory.charge(object.size));
  TERN_TRY_ASSIGN(const auto items, memory.allocate<TemplateValue>(object.size / 2));
  for (size_t i = 0; i < items.size(); ++i) {
    items[i] = TemplateValue::of_list(object.items().subspan(2 * i, 2));
  }
  return TemplateValue::of_list(items);
}

// Tests.

template <TemplateType kType>
Result<TemplateValue> has_type(TemplateMemory&, const TemplateValue& object,
                               const TemplateArguments&) {
  return TemplateValue::of(object.is(kType));
}
inline Result<TemplateValue> is_defined(TemplateMemory&, const TemplateValue& object,
                                        const TemplateArguments&) {
  return TemplateValue::of(!object.is(TemplateType::undefined));
}
inline Result<TemplateValue> is_a_number(TemplateMemory&, const TemplateValue& object,
                                         const TemplateArguments&) {
  return TemplateValue::of(object.is_number());
}
template <bool kValue>
Result<TemplateValue> is_exactly(TemplateMemory&, const TemplateValue& object,
                                 const TemplateArguments&) {
  return TemplateValue::of(object.is(TemplateType::boolean) && (object.number != 0) == kValue);
}
inline Result<TemplateValue> is_sequence(TemplateMemory&, const TemplateValue& object,
                                         const TemplateArguments&) {
  return TemplateValue::of(length_of(object).has_value());
}
inline Result<TemplateValue> is_callable(TemplateMemory&, const TemplateValue& object,
                                         const TemplateArguments&) {
  return TemplateValue::of(object.is(TemplateType::macro) || object.is(TemplateType::function));
}
template <bool kWanted>
Result<TemplateValue> is_equal(TemplateMemory& memory, const TemplateValue& object,
                               const TemplateArguments& args) {
  TERN_TRY_ASSIGN(const bool same, equals(memory, object, args[0]));
  return TemplateValue::of(same == kWanted);
}
inline Result<TemplateValue> is_in(TemplateMemory& memory, const TemplateValue& object,
                                   const TemplateArguments& args) {
  TERN_TRY_ASSIGN(const bool is_there, contains(memory, args[0], object));
  return TemplateValue::of(is_there);
}
template <int64_t kRemainder>
Result<TemplateValue> is_of_parity(TemplateMemory&, const TemplateValue& object,
                                   const TemplateArguments&) {
  if (!object.is_number()) return wrong_type("even or odd is asked of what is no number");
  return TemplateValue::of((object.number & 1) == kRemainder);
}
inline Result<TemplateValue> is_divisible(TemplateMemory&, const TemplateValue& object,
                                          const TemplateArguments& args) {
  const auto rest = object.is_number() && args[0].is_number()
                        ? calculate('%', object.number, args[0].number)
                        : std::nullopt;
  if (!rest) return wrong_type("divisibility is asked of what is no number, or by 0");
  return TemplateValue::of(*rest == 0);
}

// clang-format off
inline constexpr TemplateRoutine kTemplateTests[] = {
    {"defined", {}, is_defined},
    {"undefined", {}, has_type<TemplateType::undefined>},
    {"none", {}, has_type<TemplateType::none>},
    {"string", {}, has_type<TemplateType::text>},
    {"mapping", {}, has_type<TemplateType::dict>},
    {"boolean", {}, has_type<TemplateType::boolean>},
    {"integer", {}, has_type<TemplateType::integer>},
    {"number", {}, is_a_number},
    {"true", {}, is_exactly<true>},
    {"false", {}, is_exactly<false>},
    {"sequence", {}, is_sequence},
    {"iterable", {}, is_sequence},
    {"callable", {}, is_callable},
    {"even", {}, is_of_parity<0>},
    {"odd", {}, is_of_parity<1>},
    {"divisibleby", {"num"}, is_divisible},
    {"equalto", {"other"}, is_equal<true>},
    {"eq", {"other"}, is_equal<true>},
    {"==", {"other"}, is_equal<true>},
    {"ne", {"other"}, is_equal<false>},
    {"in", {"seq"}, is_in},
};
inline constexpr TemplateRoutine kTemplateFunctions[] = {
    {"raise_exception", {"message"}, raise_exception},
    {"range", {"start", "stop", "step"}, range_function},
};
inline constexpr TemplateRoutine kTemplateTextMethods[] = {
    {"strip", {"chars"}, strip_text<true, true>},
    {"lstrip", {"chars"}, strip_text<true, false>},
    {"rstrip", {"chars"}, strip_text<false, true>},
    {"startswith", {"prefix"}, has_end<true>},
    {"endswith", {"suffix"}, has_end<false>},
    {"split", {"sep", "maxsplit"}, split_text},
    {"upper", {}, upper_text},
    {"lower", {}, lower_text},
    {"title", {}, title_letters},
    {"capitalize", {}, capitalize_text},
    {"replace", {"old", "new", "count"}, replace_text},
    {"join", {"iterable"}, join_by_text},
};
inline constexpr TemplateRoutine kTemplateDictMethods[] = {
    {"get", {"key", "default"}, get_from_dict},
    {"items", {}, items_of_dict},
    {"keys", {}, keys_of_dict},
    {"values", {}, values_of_dict},
};
// clang-format on

/// The row of a name, or null.
inline const TemplateRoutine* find_routine(std::span<const TemplateRoutine> table,
                                           std::string_view name) {
  for (const TemplateRoutine& routine : table) {
    if (routine.name == name) return &routine;
  }
  return nullptr;
}

/// Elements of a list by a test of one of their fields, which is truth where no test is named.
template <bool kWanted>
Result<TemplateValue> select_by_field(TemplateMemory& memory, const TemplateValue& object,
                                      const TemplateArguments& args) {
  TERN_TRY_ASSIGN(const TemplateValue items, iterate(memory, object));
  const TemplateRoutine* test = nullptr;
  if (!args[1].is(TemplateType::undefined)) {
    TERN_TRY_ASSIGN(const MarkedText name, text_argument(args[1]));
    test = find_routine(kTemplateTests, name.bytes);
    if (test == nullptr) {
      return template_error(Status::unsupported, "a test that tern does not have", name.bytes);
    }
  }
  TERN_TRY_ASSIGN(const auto kept, memory.allocate<TemplateValue>(items.size));
  size_t n = 0;
  for (const TemplateValue& item : items.items()) {
    TERN_TRY_ASSIGN(TemplateValue field, item_of(memory, item, args[0]));
    if (test != nullptr) {
      TERN_TRY_ASSIGN(field, test->run(memory, field, {args[2]}));
    }
    if (is_true(field) == kWanted) kept[n++] = item;
  }
  return TemplateValue::of_list(kept.first(n));
}

// clang-format off
inline constexpr TemplateRoutine kTemplateFilters[] = {
    {"trim", {"chars"}, strip_text<true, true>},
    {"upper", {}, upper_text},
    {"lower", {}, lower_text},
    {"capitalize", {}, capitalize_text},
    {"title", {}, title_words},
    {"replace", {"old", "new", "count"}, replace_text},
    {"length", {}, length_filter},
    {"count", {}, length_filter},
    {"default", {"default_value", "boolean"}, default_filter},
    {"d", {"default_value", "boolean"}, default_filter},
    {"join", {"d"}, join_filter},
    {"tojson", {"indent"}, tojson_filter},
    {"first", {}, first_filter},
    {"last", {}, last_filter},
    {"list", {}, list_filter},
    {"string", {}, string_filter},
    {"safe", {}, same_filter},
    {"items", {}, items_of_dict},
    {"selectattr", {"attribute", "test", "value"}, select_by_field<true>},
    {"rejectattr", {"attribute", "test", "value"}, select_by_field<false>},
};
// clang-format on

}  // namespace detail

TERN_NAMESPACE_END
