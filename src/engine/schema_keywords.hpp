// What a JSON Schema says at one place: its keywords checked, its references followed.
//
// Room: engine. Every keyword that is not in the table of the source file is refused by name.
#pragma once

#include <cstdint>
#include <string_view>

#include "tern/base/allocator.hpp"
#include "tern/base/status.hpp"
#include "tern/format/json.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {

/// A set of types. A number is an integer or has a fraction: they are told apart by value.
using SchemaTypes = uint8_t;
inline constexpr SchemaTypes kNullType = 1;
inline constexpr SchemaTypes kBooleanType = 2;
inline constexpr SchemaTypes kIntegerType = 4;
inline constexpr SchemaTypes kFractionType = 8;
inline constexpr SchemaTypes kNumberType = kIntegerType | kFractionType;
inline constexpr SchemaTypes kStringType = 16;
inline constexpr SchemaTypes kObjectType = 32;
inline constexpr SchemaTypes kArrayType = 64;
inline constexpr SchemaTypes kEveryType = 127;

enum class SchemaForm : uint8_t {
  never,   ///< false
  typed,   ///< types and what constrains their values; true and {} too
  values,  ///< enum or const
  any_of,
  one_of,
};

/// A schema that is no reference.
struct SchemaPlace {
  JsonValue value = {};  ///< an object, or a boolean
  SchemaForm form = SchemaForm::typed;
  SchemaTypes types = kEveryType;      ///< of `type`; all where it is absent
  SchemaTypes constrained = 0;         ///< those that a keyword speaks of
  std::string_view main_keyword = {};  ///< of values and branches

  /// The types that are written: where `type` is absent, those that are spoken of.
  SchemaTypes written_types() const {
    return types == kEveryType && constrained != 0 ? constrained : types;
  }
};

/// The types of one JSON value. A real number may be an integer: 1.0.
SchemaTypes schema_types_of(JsonValue value);

class SchemaDocument {
 public:
  /// Views the document.
  SchemaDocument(JsonValue root, const AllocatorHooks& hooks) : root_(root), hooks_(hooks) {}

  /// The schema that stands at a place, or where references and allOf of one schema lead from
  /// there. Errors: malformed, unsupported, of this place alone: what is in its subschemas is not
  /// looked at.
  Result<SchemaPlace> resolve(JsonValue at) const;

 private:
  Result<SchemaPlace> read(JsonValue at) const;
  Result<JsonValue> follow(JsonValue reference) const;

  JsonValue root_;
  AllocatorHooks hooks_;
};

/// The error of a schema that nothing is valid against.
inline Error no_valid_value(std::string_view keyword, JsonValue at) {
  return {Status::unsupported, "no value is valid against the schema", keyword, at.where()};
}

/// A count that a keyword gives, or `absent`.
/// Errors: malformed (below 0), unsupported (a real number).
Result<uint64_t> schema_count(JsonValue schema, std::string_view keyword, uint64_t absent);

}  // namespace detail

TERN_NAMESPACE_END
