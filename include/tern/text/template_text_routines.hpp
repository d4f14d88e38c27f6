// The filters and methods of chat templates that work on texts.
//
// Room: text. A routine takes an object and up to three arguments; those that are absent are
// undefined. The tables of routines by name are in template_routines.hpp. Marks go where their
// bytes go.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "tern/text/template_operations.hpp"
#include "tern/text/whitespace.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {

using TemplateArguments = std::array<TemplateValue, 3>;

/// What a filter of texts works on: the text that a value prints.
inline Result<MarkedText> as_text(TemplateMemory& memory, const TemplateValue& value) {
  if (value.is(TemplateType::text)) return value.text();
  const size_t begin = memory.writer.size();
  TERN_TRY(write_value(memory, value));
  TERN_TRY_ASSIGN(const TemplateValue text, memory.cut(begin));
  return text.text();
}

/// An argument that must be a text.
inline Result<MarkedText> text_argument(const TemplateValue& value) {
  if (value.is(TemplateType::text)) return value.text();
  return wrong_type("the chat template gives something else where text is needed");
}

template <bool kBegin, bool kEnd>
Result<TemplateValue> strip_text(TemplateMemory& memory, const TemplateValue& object,
                                 const TemplateArguments& args) {
  TERN_TRY_ASSIGN(MarkedText text, as_text(memory, object));
  TERN_TRY(memory.charge_scan(text.size()));
  const bool has_chars = !args[0].is(TemplateType::undefined) && !args[0].is(TemplateType::none);
  MarkedText chars;
  if (has_chars) {
    TERN_TRY_ASSIGN(chars, text_argument(args[0]));
    TERN_TRY(charge_search(memory, text.size() + chars.size(), chars.size()));
  }
  const auto goes = [&](std::string_view character) {
    if (!has_chars) return is_whitespace(character);
    return chars.bytes.find(character) != std::string_view::npos;
  };
  if (kEnd) text = text.sub(0, strip_end(text.bytes, goes));
  if (kBegin) text = text.sub(strip_begin(text.bytes, goes));
  return TemplateValue::of(text);
}

constexpr bool is_ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr char ascii_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// A text with the case of each letter changed; `upper_at(text, i)` tells to which.
template <typename UpperAt>
Result<TemplateValue> change_case(TemplateMemory& memory, const TemplateValue& object,
                                  UpperAt&& upper_at) {
  TERN_TRY_ASSIGN(const MarkedText text, as_text(memory, object));
  TERN_TRY(memory.charge_scan(text.size()));
  TERN_TRY_ASSIGN(const std::span<char> bytes, memory.allocate<char>(text.size()));
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (static_cast<uint8_t>(text.bytes[i]) >= 0x80) {
      return template_error(Status::unsupported,
                            "the chat template changes the case of characters beyond ASCII",
                            text.bytes);
    }
    bytes[i] = upper_at(text.bytes, i) ? ascii_upper(text.bytes[i]) : ascii_lower(text.bytes[i]);
  }
  return TemplateValue::of(MarkedText{{bytes.data(), bytes.size()}, text.marks, text.is_content});
}

inline Result<TemplateValue> upper_text(TemplateMemory& memory, const TemplateValue& object,
                                        const TemplateArguments&) {
  return change_case(memory, object, [](std::string_view, size_t) { return true; });
}
inline Result<TemplateValue> lower_text(TemplateMemory& memory, const TemplateValue& object,
                                        const TemplateArguments&) {
  return change_case(memory, object, [](std::string_view, size_t) { return false; });
}
inline Result<TemplateValue> capitalize_text(TemplateMemory& memory, const TemplateValue& object,
                                             const TemplateArguments&) {
  return change_case(memory, object, [](std::string_view, size_t i) { return i == 0; });
}
/// The method: words are runs of letters.
inline Result<TemplateValue> title_letters(TemplateMemory& memory, const TemplateValue& object,
                                           const TemplateArguments&) {
  return change_case(memory, object, [](std::string_view text, size_t i) {
    return i == 0 || !is_ascii_letter(text[i - 1]);
  });
}
/// The filter: words begin after whitespace, hyphens and opening brackets.
inline Result<TemplateValue> title_words(TemplateMemory& memory, const TemplateValue& object,
                                         const TemplateArguments&) {
  return change_case(memory, object, [](std::string_view text, size_t i) {
    return i == 0 || std::string_view(" \t\n\r\f\v-({[<").find(text[i - 1]) != text.npos;
  });
}

inline Result<TemplateValue> replace_text(TemplateMemory& memory, const TemplateValue& object,
                                          const TemplateArguments& args) {
  TERN_TRY_ASSIGN(MarkedText text, as_text(memory, object));
  TERN_TRY_ASSIGN(const MarkedText old_text, text_argument(args[0]));
  TERN_TRY_ASSIGN(const MarkedText new_text, text_argument(args[1]));
  if (old_text.size() == 0) return wrong_type("the chat template replaces the empty text");
  TERN_TRY(charge_search(memory, text.size(), old_text.size()));
  int64_t n = args[2].is_number() ? args[2].number : -1;
  const size_t begin = memory.writer.size();
  for (; n != 0; --n) {
    const size_t at = text.bytes.find(old_text.bytes);
    if (at == std::string_view::npos) break;
    TERN_TRY(memory.charge(1));
    TERN_TRY(memory.writer.append(text.sub(0, at)));
    TERN_TRY(memory.writer.append(new_text));
    text = text.sub(at + old_text.size());
    if (n < 0) n = 0;  // no limit: stays below 0 in the next round
  }
  TERN_TRY(memory.writer.append(text));
  return memory.cut(begin);
}

/// The next piece of a text that is split at whitespace or at `separator`, taken off it.
inline MarkedText next_piece(MarkedText& text, const TemplateValue& separator) {
  size_t end = text.size();
  size_t length = 0;  // of what separates
  if (separator.is(TemplateType::text)) {
    end = text.bytes.find(separator.text().bytes);
    length = separator.size;
  } else {
    end = strip_begin(text.bytes, [](std::string_view c) { return !is_whitespace(c); });
    length = strip_begin(text.bytes.substr(end), is_whitespace);
  }
  const MarkedText piece = text.sub(0, end);
  text = text.sub(end + length);
  return piece;
}

/// split(separator, limit): between separators, or the words; after `limit` cuts the rest whole.
inline Result<TemplateValue> split_text(TemplateMemory& memory, const TemplateValue& object,
                                        const TemplateArguments& args) {
  TERN_TRY_ASSIGN(const MarkedText whole, text_argument(object));
  const bool at_spaces = args[0].is(TemplateType::undefined) || args[0].is(TemplateType::none);
  if (!at_spaces) {
    TERN_TRY_ASSIGN(const MarkedText separator, text_argument(args[0]));
    if (separator.size() == 0) return wrong_type("the chat template splits at the empty text");
    TERN_TRY(charge_search(memory, whole.size(), separator.size()));
  }
  TERN_TRY(memory.charge_scan(whole.size()));
  const int64_t limit = args[1].is_number() ? args[1].number : -1;
  const auto has_next = [&](const MarkedText& rest, int64_t n) {
    if (limit >= 0 && n >= limit) return false;
    return at_spaces ? rest.size() > 0 : rest.bytes.find(args[0].text().bytes) != rest.bytes.npos;
  };
  // Twice the same walk: first to count.
  std::span<TemplateValue> pieces;
  for (const bool is_counting : {true, false}) {
    MarkedText rest = whole;
    if (at_spaces) rest = rest.sub(strip_begin(rest.bytes, is_whitespace));
    int64_t n = 0;
    while (has_next(rest, n)) {
      const MarkedText piece = next_piece(rest, args[0]);
      if (!is_counting) pieces[static_cast<size_t>(n)] = TemplateValue::of(piece);
      ++n;
    }
    if (!at_spaces || rest.size() > 0) {
      if (!is_counting) pieces[static_cast<size_t>(n)] = TemplateValue::of(rest);
      ++n;
    }
    if (!is_counting) break;
    TERN_TRY(memory.charge(static_cast<size_t>(n)));
    TERN_TRY_ASSIGN(pieces, memory.allocate<TemplateValue>(static_cast<size_t>(n)));
  }
  return TemplateValue::of_list(pieces);
}

/// startswith and endswith: of one text, or any of a list.
template <bool kBegin>
Result<TemplateValue> has_end(TemplateMemory& memory, const TemplateValue& object,
                              const TemplateArguments& args) {
  TERN_TRY_ASSIGN(const MarkedText text, text_argument(object));
  const auto ends = args[0].is(TemplateType::list) ? args[0].items()
                                                   : std::span<const TemplateValue>(&args[0], 1);
  for (const TemplateValue& end : ends) {
    TERN_TRY_ASSIGN(const MarkedText part, text_argument(end));
    TERN_TRY(memory.charge_scan(part.size()));
    if (kBegin ? text.bytes.starts_with(part.bytes) : text.bytes.ends_with(part.bytes)) {
      return TemplateValue::of(true);
    }
  }
  return TemplateValue::of(false);
}

/// The texts of `list` with `separator` between them.
inline Result<TemplateValue> join_texts(TemplateMemory& memory, const TemplateValue& list,
                                        const TemplateValue& separator) {
  TERN_TRY_ASSIGN(const TemplateValue items, iterate(memory, list));
  const size_t begin = memory.writer.size();
  for (const TemplateValue& item : items.items()) {
    TERN_TRY(memory.charge(1));
    if (&item != items.items().data()) TERN_TRY(write_value(memory, separator));
    TERN_TRY(write_value(memory, item));
  }
  return memory.cut(begin);
}

/// The method: the object stands between the texts of a list.
inline Result<TemplateValue> join_by_text(TemplateMemory& memory, const TemplateValue& object,
                                          const TemplateArguments& args) {
  return join_texts(memory, args[0], object);
}

}  // namespace detail

TERN_NAMESPACE_END
