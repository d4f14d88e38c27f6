// Writing pieces of a grammar.
//
// Room: engine. Grammars are ASCII: what is not is escaped, in literals and classes alike, and so
// is every character that could mean something to a reader of grammars.
#include "engine/schema_text.hpp"

#include <charconv>

#include "tern/engine/json_schema.hpp"
#include "tern/text/utf8.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {
namespace {

constexpr char kSchemaHexDigits[] = "0123456789ABCDEF";

void append_schema_hex(String& out, uint32_t value, int n_digits) {
  for (int shift = 4 * (n_digits - 1); shift >= 0; shift -= 4) {
    out += kSchemaHexDigits[value >> shift & 0xF];
  }
}

/// A character that is spelled by its number.
void append_schema_escape(String& out, char32_t value) {
  const bool is_byte = value < 0x80;
  const bool is_short = value < 0x10000;
  out += is_byte ? "\\x" : is_short ? "\\u" : "\\U";
  append_schema_hex(out, value, is_byte ? 2 : is_short ? 4 : 8);
}

bool is_schema_plain(char32_t value) { return value >= 0x20 && value < 0x7F; }

void append_literal_char(String& out, char32_t value) {
  if (value == '"' || value == '\\') {
    out += '\\';
    out += static_cast<char>(value);
  } else if (is_schema_plain(value)) {
    out += static_cast<char>(value);
  } else {
    append_schema_escape(out, value);
  }
}

void append_class_char(String& out, char32_t value) {
  const bool has_meaning =
      value == '[' || value == ']' || value == '^' || value == '-' || value == '\\';
  if (is_schema_plain(value) && !has_meaning) {
    out += static_cast<char>(value);
  } else {
    append_schema_escape(out, value);
  }
}

void append_digit_class(String& out, uint64_t first, uint64_t last) {
  out += '[';
  append_digits(out, first);
  out += '-';
  append_digits(out, last);
  out += ']';
}

/// The numbers low..high, without leading zeros, as alternatives of a literal, a class and free
/// digits each. From `low` on, the widest block of numbers that differ in their last digits alone
/// is taken, and with it the blocks beside it that differ in one digit more: "1" [2-4] [0-9]{2} for
/// 1200..1499. Whole decades go together: [1-9] [0-9]{2,4} for 100..99999. There are at most 2
/// alternatives a digit at the way up, and as many down.
/// Requires: high <= kSchemaIntegerMax, so that nothing overflows.
void append_natural_range(String& out, uint64_t low, uint64_t high) {
  for (bool is_first = true; low <= high; is_first = false) {
    if (!is_first) out += " | ";
    SchemaCount free{0, 0};
    uint64_t block = 1;
    while (low >= block * 10 && low % (block * 10) == 0 && high - low >= block * 10 - 1) {
      block *= 10;
      ++free.min;
    }
    free.max = free.min;
    const uint64_t first = low / block % 10;
    uint64_t last = first;
    while (last < 9 && high - low >= (last - first + 2) * block - 1) ++last;
    uint64_t next = low + (last - first + 1) * block;
    if (low == block && last == 9) {
      for (; next * 10 - 1 <= high; next *= 10) ++free.max;
    }
    if (first == last) {
      out += '"';
      append_digits(out, low / block);
      out += '"';
    } else {
      if (low >= block * 10) {
        out += '"';
        append_digits(out, low / block / 10);
        out += "\" ";
      }
      append_digit_class(out, first, last);
    }
    if (free.max > 0) {
      out += " [0-9]";
      append_count(out, free);
    }
    low = next;
  }
}

/// Whether a name is spelled without an escape.
bool is_unescaped_name(std::string_view name) {
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\') return false;
  }
  return true;
}

}  // namespace

void append_digits(String& out, uint64_t value) {
  char digits[20];
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof(digits), value);
  out.append(digits, static_cast<size_t>(end.ptr - digits));
}

void append_literal(String& out, std::string_view text) {
  out += '"';
  for (size_t at = 0; at < text.size();) {
    const DecodedChar c = decode_utf8(text, at);
    append_literal_char(out, c.value);
    at += c.length;
  }
  out += '"';
}

void append_count(String& out, const SchemaCount& count) {
  if (count.min == count.max) {
    if (count.min == 1) return;
  } else if (count.max == SchemaCount::kUnbounded && count.min <= 1) {
    out += count.min == 0 ? '*' : '+';
    return;
  } else if (count.min == 0 && count.max == 1) {
    out += '?';
    return;
  }
  out += '{';
  append_digits(out, count.min);
  if (count.min != count.max) {
    out += ',';
    if (count.max != SchemaCount::kUnbounded) append_digits(out, count.max);
  }
  out += '}';
}

void append_json_string(String& out, std::string_view text) {
  constexpr std::string_view kEscaped = "\"\\\b\f\n\r\t";
  constexpr std::string_view kLetters = "\"\\bfnrt";
  out += '"';
  for (const char c : text) {
    const size_t escape = kEscaped.find(c);
    if (escape != std::string_view::npos) {
      out += '\\';
      out += kLetters[escape];
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u";
      append_schema_hex(out, static_cast<unsigned char>(c), 4);
    } else {
      out += c;
    }
  }
  out += '"';
}

// As deep as the document: its reader allows kJsonMaxDepth.
Result<void> append_json_value(String& out, JsonValue value) {
  const bool is_object = value.is_object();
  if (is_object || value.is_array()) {
    out += is_object ? '{' : '[';
    const size_t begin = out.size();
    for (const JsonMember member : value.members()) {
      if (out.size() != begin) out += ',';
      append_json_string(out, member.name);
      out += ':';
      TERN_TRY(append_json_value(out, member.value));
    }
    for (const JsonValue element : value.elements()) {
      if (out.size() != begin) out += ',';
      TERN_TRY(append_json_value(out, element));
    }
    out += is_object ? '}' : ']';
  } else if (const std::optional<std::string_view> text = value.as_text()) {
    append_json_string(out, *text);
  } else if (const std::optional<int64_t> integer = value.as_integer()) {
    char digits[20];
    const std::to_chars_result end = std::to_chars(digits, digits + sizeof(digits), *integer);
    out.append(digits, static_cast<size_t>(end.ptr - digits));
  } else if (const std::optional<bool> boolean = value.as_bool()) {
    out += *boolean ? "true" : "false";
  } else if (value.is_null()) {
    out += "null";
  } else {
    return Error(Status::unsupported, "real numbers in enum and const are not supported",
                 value.where());
  }
  return {};
}

void append_integer_range(String& out, int64_t low, int64_t high) {
  if (low < 0) {
    const int64_t nearest = high < 0 ? -high : 1;  // no -0
    out += "\"-\" (";
    append_natural_range(out, static_cast<uint64_t>(nearest), static_cast<uint64_t>(-low));
    out += ')';
    if (high < 0) return;
    out += " | ";
  }
  const int64_t least = low < 0 ? 0 : low;
  append_natural_range(out, static_cast<uint64_t>(least), static_cast<uint64_t>(high));
}

Result<void> append_other_names(String& rules, std::string_view stem,
                                std::span<const std::string_view> names) {
  /// A node of the names' trie: those of begin..end share their first `depth` bytes.
  struct Node {
    size_t begin;
    size_t end;
    size_t depth;
  };
  const HostAllocator<char>& allocator = rules.get_allocator();
  Vector<std::string_view> spelled(allocator);
  for (const std::string_view name : names) {
    if (is_unescaped_name(name)) spelled.push_back(name);
  }
  Vector<Node> nodes(allocator);
  nodes.push_back({0, spelled.size(), 0});
  String children(allocator);
  const auto append_name = [stem](String& out, size_t index) {
    out += stem;
    out += '-';
    append_digits(out, index);
  };
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (rules.size() > kSchemaGrammarMaxBytes) {
      return Error(Status::unsupported, "the grammar of the schema is too large");
    }
    const Node node = nodes[i];
    size_t at = node.begin;
    const bool is_name = at < node.end && spelled[at].size() == node.depth;
    if (is_name) ++at;
    append_name(rules, i);
    rules += is_name ? " ::= [^\"\\\\\\x00-\\x1F" : " ::= \"\\\"\" | [^\"\\\\\\x00-\\x1F";
    children.clear();
    while (at < node.end) {
      const size_t begin = at;
      const DecodedChar c = decode_utf8(spelled[at], node.depth);
      const std::string_view bytes = spelled[at].substr(node.depth, c.length);
      while (at < node.end && spelled[at].substr(node.depth, c.length) == bytes) ++at;
      append_class_char(rules, c.value);
      children += " | ";
      append_literal(children, bytes);
      children += ' ';
      append_name(children, nodes.size());
      nodes.push_back({begin, at, node.depth + c.length});
    }
    rules += "] name-rest";
    rules += children;
    rules += '\n';
  }
  return {};
}

}  // namespace detail

TERN_NAMESPACE_END
