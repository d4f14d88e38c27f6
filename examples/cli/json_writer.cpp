// The JSON writer (json_writer.hpp).
#include "json_writer.hpp"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "tern/text/utf8.hpp"

namespace cli {

namespace {
// The shortest digits that give the value back; the comparisons are false for a NaN.
template <typename T>
std::string real_text(T value) {
  constexpr T kMost = std::numeric_limits<T>::max();
  return value >= -kMost && value <= kMost ? fmt::format("{}", value) : "null";
}
}  // namespace

void JsonWriter::new_line() {
  out_ += '\n';
  out_.append(2 * depth_, ' ');
}

void JsonWriter::separate() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (!is_first_) out_ += is_short_ ? ", " : ",";
  if (depth_ > 0 && !is_short_) new_line();
  is_first_ = false;
}

void JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  ++depth_;
  is_first_ = true;
}

void JsonWriter::begin_short_array() {
  open('[');
  is_short_ = true;
}

void JsonWriter::close(char bracket) {
  --depth_;
  if (!is_first_ && !is_short_) new_line();
  out_ += bracket;
  is_first_ = false;
  is_short_ = false;
}

void JsonWriter::key(std::string_view name) {
  separate();
  quote(name);
  out_ += ": ";
  after_key_ = true;
}

void JsonWriter::literal(std::string_view value) {
  separate();
  out_ += value;
}

void JsonWriter::text(std::string_view value) {
  separate();
  quote(value);
}

void JsonWriter::whole(int64_t value) { literal(fmt::format("{}", value)); }
void JsonWriter::count(uint64_t value) { literal(fmt::format("{}", value)); }

void JsonWriter::real(double value) { literal(real_text(value)); }
void JsonWriter::real(float value) { literal(real_text(value)); }

void JsonWriter::quote(std::string_view value) {
  out_ += '"';
  for (size_t at = 0; at < value.size();) {
    const tern::DecodedChar c = tern::decode_utf8(value, at);
    if (c.value == '"' || c.value == '\\') {
      out_ += '\\';
      out_ += static_cast<char>(c.value);
    } else if (c.value == tern::kMalformedByte) {
      out_ += "\\ufffd";
    } else if (c.value < 0x20 || c.value == 0x7F) {
      out_ += fmt::format("\\u{:04x}", static_cast<uint32_t>(c.value));
    } else {
      out_ += value.substr(at, c.length);
    }
    at += c.length;
  }
  out_ += '"';
}

std::string JsonWriter::finish() {
  out_ += '\n';
  return std::move(out_);
}

}  // namespace cli
