// The pieces of a grammar's text that JSON Schemas are written with: literals, counts, JSON values,
// ranges of integers, and the names that are none of a list.
//
// Room: engine. Functions append to a text, none of them a line's end but those of rules.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "tern/base/allocator.hpp"
#include "tern/base/status.hpp"
#include "tern/format/json.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {

/// The largest magnitude of an integer in a grammar: 18 digits.
inline constexpr int64_t kSchemaIntegerMax = 999'999'999'999'999'999;

/// How often something occurs.
struct SchemaCount {
  static constexpr uint64_t kUnbounded = ~uint64_t{0};
  uint64_t min = 0;
  uint64_t max = kUnbounded;
};

/// A number in decimal digits.
void append_digits(String& out, uint64_t value);

/// A literal that derives `text`, in quotes. Requires: well-formed UTF-8.
void append_literal(String& out, std::string_view text);

/// What stands behind something that occurs so often: nothing for once, else ? * + or braces.
/// Requires: min <= max, 0 < max.
void append_count(String& out, const SchemaCount& count);

/// A JSON string in its canonical spelling, quotes included; not yet a literal.
void append_json_string(String& out, std::string_view text);

/// A JSON value without whitespace, strings canonically; not yet a literal.
/// Errors: unsupported (a real number).
Result<void> append_json_value(String& out, JsonValue value);

/// Alternatives that derive the integers of low..high, each in one spelling, and nothing else.
/// Requires: low <= high, magnitudes up to kSchemaIntegerMax.
void append_integer_range(String& out, int64_t low, int64_t high);

/// Rules that derive the rest of a JSON string behind its opening quote, closing quote included,
/// where that is none of `names` and holds no escapes: `stem`-0 and so on, the first of them to
/// begin with. They use the rule name-rest.
/// Requires: the names sorted, none twice, well-formed UTF-8.
/// Errors: unsupported (more than the largest grammar).
/// Cost: a rule for each character.
Result<void> append_other_names(String& rules, std::string_view stem,
                                std::span<const std::string_view> names);

}  // namespace detail

TERN_NAMESPACE_END
