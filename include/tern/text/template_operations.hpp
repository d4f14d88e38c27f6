// What expressions of chat templates do with values: truth, order, membership, parts, sums.
//
// Room: text. As Python does it, for the types that there are; what Python would do and this does
// not is refused by name. Numbers are whole and of 64 bits. Positions in texts count characters.
#pragma once

#include <algorithm>
#include <limits>
#include <optional>

#include "tern/text/template_value.hpp"
#include "tern/text/utf8.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {

inline Error wrong_type(const char* what) { return template_error(Status::invalid_argument, what); }

inline bool is_true(const TemplateValue& value) {
  switch (value.type) {
    case TemplateType::undefined:
    case TemplateType::none: return false;
    case TemplateType::boolean:
    case TemplateType::integer: return value.number != 0;
    case TemplateType::text:
    case TemplateType::list:
    case TemplateType::dict: return value.size != 0;
    default: return true;
  }
}

/// How many characters a text has.
inline size_t count_chars(std::string_view text) {
  size_t n = 0;
  for (size_t at = 0; at < text.size(); at += decode_utf8(text, at).length) ++n;
  return n;
}

/// Where character n begins. Requires: n <= count_chars(text).
inline size_t char_position(std::string_view text, size_t n) {
  size_t at = 0;
  for (; n > 0; --n) at += decode_utf8(text, at).length;
  return at;
}

/// Characters, elements or keys; undefined has none. Nothing for what has no length.
inline std::optional<size_t> length_of(const TemplateValue& value) {
  switch (value.type) {
    case TemplateType::undefined: return 0;
    case TemplateType::text: return count_chars(value.text().bytes);
    case TemplateType::list: return value.size;
    case TemplateType::dict: return value.size / 2;
    default: return std::nullopt;
  }
}

inline Result<bool> equals(TemplateMemory& memory, const TemplateValue& a, const TemplateValue& b) {
  const TemplateDepth depth(memory);
  TERN_TRY(depth.check());
  TERN_TRY(memory.charge(1));
  if (a.is_number() && b.is_number()) return a.number == b.number;
  if (a.type != b.type) return false;
  switch (a.type) {
    case TemplateType::text:
      TERN_TRY(memory.charge_scan(a.size));
      return a.text().bytes == b.text().bytes;
    case TemplateType::list:
    case TemplateType::dict:  // by order, too, which tern makes but templates cannot tell apart
      if (a.size != b.size) return false;
      for (size_t i = 0; i < a.size; ++i) {
        TERN_TRY_ASSIGN(const bool same, equals(memory, a.items()[i], b.items()[i]));
        if (!same) return false;
      }
      return true;
    case TemplateType::macro:
    case TemplateType::function: return a.number == b.number;
    default: return a.data == b.data;
  }
}

/// a < b, of two numbers or two texts.
inline Result<bool> less(TemplateMemory& memory, const TemplateValue& a, const TemplateValue& b) {
  if (a.is_number() && b.is_number()) return a.number < b.number;
  if (!a.is(TemplateType::text) || !b.is(TemplateType::text)) {
    return wrong_type("the chat template compares values that have no order");
  }
  TERN_TRY(memory.charge_scan(std::min(a.size, b.size)));
  return a.text().bytes < b.text().bytes;
}

/// The value of a key, or null.
inline Result<const TemplateValue*> find_key(TemplateMemory& memory, const TemplateValue& dict,
                                             const TemplateValue& key) {
  const auto items = dict.items();
  for (size_t i = 0; i < items.size(); i += 2) {
    TERN_TRY_ASSIGN(const bool same, equals(memory, items[i], key));
    if (same) return &items[i + 1];
  }
  return static_cast<const TemplateValue*>(nullptr);
}

/// Counts a search, which may look at all of the part at each byte of the whole.
inline Result<void> charge_search(TemplateMemory& memory, uint64_t whole, uint64_t part) {
  return memory.charge(1 + whole / 16 + (whole > part ? (whole - part) * part / 256 : 0));
}

/// part in whole.
inline Result<bool> contains(TemplateMemory& memory, const TemplateValue& whole,
                             const TemplateValue& part) {
  if (whole.is(TemplateType::undefined)) return false;
  if (whole.is(TemplateType::text) && part.is(TemplateType::text)) {
    TERN_TRY(charge_search(memory, whole.size, part.size));
    return whole.text().bytes.find(part.text().bytes) != std::string_view::npos;
  }
  if (whole.is(TemplateType::dict)) {
    TERN_TRY_ASSIGN(const TemplateValue* value, find_key(memory, whole, part));
    return value != nullptr;
  }
  if (!whole.is(TemplateType::list)) {
    return wrong_type("the chat template looks for something in what holds nothing");
  }
  for (const TemplateValue& item : whole.items()) {
    TERN_TRY_ASSIGN(const bool same, equals(memory, item, part));
    if (same) return true;
  }
  return false;
}

/// Appends what `{{ value }}` prints.
inline Result<void> write_value(TemplateMemory& memory, const TemplateValue& value) {
  switch (value.type) {
    case TemplateType::undefined: return {};
    case TemplateType::none: return memory.writer.append({"None"});
    case TemplateType::boolean: return memory.writer.append({value.number != 0 ? "True" : "False"});
    case TemplateType::text: return memory.writer.append(value.text());
    case TemplateType::integer: break;
    default:
      return template_error(Status::unsupported, "the chat template prints what is not text",
                            "{{ ... }}");
  }
  char digits[20];
  size_t first = sizeof(digits);
  // Negated as unsigned: the least number has no positive counterpart.
  uint64_t rest = static_cast<uint64_t>(value.number);
  if (value.number < 0) rest = ~rest + 1;
  do {
    digits[--first] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  if (value.number < 0) TERN_TRY(memory.writer.append({"-"}));
  return memory.writer.append({{digits + first, sizeof(digits) - first}});
}

/// The elements of a list, the keys of a dict, the characters of a text; nothing in undefined.
inline Result<TemplateValue> iterate(TemplateMemory& memory, const TemplateValue& value) {
  if (value.is(TemplateType::list)) return value;
  if (value.is(TemplateType::undefined)) return TemplateValue::of_list({});
  if (!value.is(TemplateType::text) && !value.is(TemplateType::dict)) {
    return wrong_type("the chat template loops over what holds nothing");
  }
  const size_t n = *length_of(value);
  TERN_TRY(memory.charge(n));
  TERN_TRY_ASSIGN(const std::span<TemplateValue> items, memory.allocate<TemplateValue>(n));
  size_t at = 0;
  for (size_t i = 0; i < n; ++i) {
    if (value.is(TemplateType::dict)) {
      items[i] = value.items()[2 * i];
    } else {
      const size_t length = decode_utf8(value.text().bytes, at).length;
      items[i] = TemplateValue::of(value.text().sub(at, length));
      at += length;
    }
  }
  return TemplateValue::of_list(items);
}

/// value[index]; undefined where there is nothing.
inline Result<TemplateValue> item_of(TemplateMemory& memory, const TemplateValue& value,
                                     const TemplateValue& index) {
  if (value.is(TemplateType::dict)) {
    TERN_TRY_ASSIGN(const TemplateValue* found, find_key(memory, value, index));
    return found != nullptr ? *found : TemplateValue();
  }
  if (value.is(TemplateType::undefined)) {
    return wrong_type("the chat template takes a part of something undefined");
  }
  const bool has_positions = value.is(TemplateType::list) || value.is(TemplateType::text);
  if (!has_positions || !index.is_number()) return TemplateValue();
  TERN_TRY(memory.charge_scan(value.size));
  const auto n = static_cast<int64_t>(*length_of(value));
  const int64_t at = index.number < 0 ? index.number + n : index.number;
  if (at < 0 || at >= n) return TemplateValue();
  if (value.is(TemplateType::list)) return value.items()[static_cast<size_t>(at)];
  const MarkedText text = value.text();
  const size_t begin = char_position(text.bytes, static_cast<size_t>(at));
  return TemplateValue::of(text.sub(begin, decode_utf8(text.bytes, begin).length));
}

/// The bounds of value[start:stop:step]; an absent one is undefined or none.
struct TemplateSlice {
  TemplateValue start, stop, step;
};

/// Which elements of n a slice takes: `count` from `first` on, `step` apart.
struct SliceRange {
  int64_t first = 0;
  int64_t step = 1;
  size_t count = 0;
};

inline Result<SliceRange> slice_range(const TemplateSlice& slice, int64_t n) {
  for (const TemplateValue* bound : {&slice.start, &slice.stop, &slice.step}) {
    const bool is_absent = bound->is(TemplateType::undefined) || bound->is(TemplateType::none);
    if (!is_absent && !bound->is_number()) return wrong_type("a slice's bound is no number");
  }
  SliceRange range;
  if (slice.step.is_number()) range.step = slice.step.number;
  if (range.step == 0) return wrong_type("a slice's step is 0");
  const bool forward = range.step > 0;
  const int64_t low = forward ? 0 : -1;
  const int64_t high = forward ? n : n - 1;
  const auto bound_of = [&](const TemplateValue& bound, int64_t absent) {
    if (!bound.is_number()) return absent;
    return std::clamp(bound.number < 0 ? bound.number + n : bound.number, low, high);
  };
  range.first = bound_of(slice.start, forward ? low : high);
  const int64_t stop = bound_of(slice.stop, forward ? high : low);
  const int64_t distance = forward ? stop - range.first : range.first - stop;
  if (distance <= 0) return range;
  // No step needs to be longer than the whole, and the least number could not be negated.
  range.step = std::clamp(range.step, -n, n);
  const int64_t stride = forward ? range.step : -range.step;
  range.count = static_cast<size_t>((distance - 1) / stride + 1);
  return range;
}

inline Result<TemplateValue> slice_of(TemplateMemory& memory, const TemplateValue& value,
                                      const TemplateSlice& slice) {
  if (!value.is(TemplateType::list) && !value.is(TemplateType::text)) {
    return wrong_type("the chat template slices what has no parts");
  }
  TERN_TRY(memory.charge_scan(value.size));
  TERN_TRY_ASSIGN(const SliceRange range,
                  slice_range(slice, static_cast<int64_t>(*length_of(value))));
  const auto first = static_cast<size_t>(range.first);
  if (range.count == 0) {
    return value.is(TemplateType::list) ? TemplateValue::of_list({})
                                        : TemplateValue::of(value.text().sub(0, 0));
  }
  if (range.step == 1) {
    if (value.is(TemplateType::list)) {
      return TemplateValue::of_list(value.items().subspan(first, range.count));
    }
    const size_t begin = char_position(value.text().bytes, first);
    const size_t n = char_position(value.text().bytes.substr(begin), range.count);
    return TemplateValue::of(value.text().sub(begin, n));
  }
  TERN_TRY_ASSIGN(const TemplateValue whole, iterate(memory, value));
  TERN_TRY(memory.charge(range.count));
  TERN_TRY_ASSIGN(const auto items, memory.allocate<TemplateValue>(range.count));
  int64_t at = range.first;
  for (TemplateValue& item : items) {
    item = whole.items()[static_cast<size_t>(at)];
    at += range.step;
  }
  if (value.is(TemplateType::list)) return TemplateValue::of_list(items);
  const size_t begin = memory.writer.size();
  for (const TemplateValue& item : items) TERN_TRY(memory.writer.append(item.text()));
  return memory.cut(begin);
}

/// Python's //: towards minus infinity. Requires: b is neither 0 nor -1.
constexpr int64_t floor_divide(int64_t a, int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

/// a OP b of two numbers. Nothing where the result has no 64 bits, or a divisor is 0.
inline std::optional<int64_t> calculate(char op, int64_t a, int64_t b) {
  int64_t out = 0;
  bool overflows = false;
  switch (op) {
    case '+': overflows = __builtin_add_overflow(a, b, &out); break;
    case '-': overflows = __builtin_sub_overflow(a, b, &out); break;
    case '*': overflows = __builtin_mul_overflow(a, b, &out); break;
    default:
      if (b == 0) return std::nullopt;
      if (b == -1) {
        overflows = op == '/' && __builtin_sub_overflow(int64_t{0}, a, &out);
      } else {
        out = op == '/' ? floor_divide(a, b) : a - floor_divide(a, b) * b;
      }
  }
  return overflows ? std::nullopt : std::optional<int64_t>(out);
}

/// The text of two values, one behind the other.
inline Result<TemplateValue> join_values(TemplateMemory& memory, const TemplateValue& a,
                                         const TemplateValue& b) {
  const size_t begin = memory.writer.size();
  TERN_TRY(write_value(memory, a));
  TERN_TRY(write_value(memory, b));
  return memory.cut(begin);
}

/// a OP b for + - * / % (where / is //).
inline Result<TemplateValue> arithmetic(TemplateMemory& memory, char op, const TemplateValue& a,
                                        const TemplateValue& b) {
  if (a.is_number() && b.is_number()) {
    const auto result = calculate(op, a.number, b.number);
    if (!result) return wrong_type("the chat template divides by 0 or leaves the range of numbers");
    return TemplateValue::of(*result);
  }
  if (op == '+' && a.is(TemplateType::text) && b.is(TemplateType::text)) {
    return join_values(memory, a, b);
  }
  if (op == '+' && a.is(TemplateType::list) && b.is(TemplateType::list)) {
    TERN_TRY_ASSIGN(const auto items, memory.allocate<TemplateValue>(size_t{a.size} + b.size));
    TERN_TRY(memory.charge(items.size()));
    std::copy(b.items().begin(), b.items().end(),
              std::copy(a.items().begin(), a.items().end(), items.begin()));
    return TemplateValue::of_list(items);
  }
  if (op == '*' && (a.is(TemplateType::text) ? b : a).is_number()) {
    const TemplateValue& text = a.is(TemplateType::text) ? a : b;
    const int64_t n = (a.is(TemplateType::text) ? b : a).number;
    if (text.is(TemplateType::text)) {
      const size_t begin = memory.writer.size();
      for (int64_t i = 0; i < n && text.size > 0; ++i) {
        TERN_TRY(memory.charge(1));
        TERN_TRY(memory.writer.append(text.text()));
      }
      return memory.cut(begin);
    }
  }
  if (op == '%' && a.is(TemplateType::text)) {
    return template_error(Status::unsupported, "the chat template formats text", "%");
  }
  return wrong_type("the chat template calculates with what is no number");
}

}  // namespace detail

TERN_NAMESPACE_END
