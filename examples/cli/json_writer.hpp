// Writes JSON: indented, ASCII but for valid UTF-8, numbers in the C locale, NaN and infinities
// null.
//
// Program tern. Strings may come from untrusted files: bytes that are not UTF-8 become U+FFFD.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cli {

/// One JSON value, built from the outside in. Every member is key() and then a value.
class JsonWriter {
 public:
  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }
  /// A list of plain values that stays on its line; ended by end_array.
  void begin_short_array();

  void key(std::string_view name);

  void text(std::string_view value);
  void boolean(bool value) { literal(value ? "true" : "false"); }
  void null() { literal("null"); }
  void whole(int64_t value);
  void count(uint64_t value);
  void real(double value);
  void real(float value);

  /// The document, with a line end. Requires: every begin has its end.
  std::string finish();

 private:
  void open(char bracket);
  void close(char bracket);
  void literal(std::string_view value);
  /// What comes before a value: a comma, a line.
  void separate();
  void new_line();
  void quote(std::string_view value);

  std::string out_;
  size_t depth_ = 0;
  bool is_first_ = true;  // nothing yet in the innermost array or object
  bool after_key_ = false;
  bool is_short_ = false;  // the innermost array is a short one
};

}  // namespace cli
