// A JSON Schema to a grammar whose every text is JSON that is valid against the schema.
//
// Room: engine. The grammar is text in GBNF, one rule a line, the first rule `root`. It is sound
// and not complete: each text that it derives is one JSON value, valid against the schema by JSON
// Schema 2020-12, but there may be valid texts that it does not derive. What cannot be kept exactly
// is refused by name, never dropped. The grammar's size is linear in the schema's.
//
// | keyword | what is read of it |
// |---|---|
// | true, {} | any JSON value |
// | false | nothing is written; refused where a value must be |
// | type | a name or a list; where absent, the types that the other keywords speak of |
// | enum, const | any values but real numbers; beside them `type`, which filters |
// | $ref | `#` and JSON pointers, `#/$defs/x`; recursion where it writes before it returns |
// | allOf | one schema |
// | anyOf | any number of schemas |
// | oneOf | up to 256 that are told apart, see below |
// | properties | in the schema's order, each at most once |
// | required | without a property: any value, or what additionalProperties says |
// | additionalProperties | members behind the named ones; absent: only without `properties` |
// | minProperties | up to 1, or up to the number of required ones |
// | maxProperties | where there cannot be more anyway |
// | prefixItems, items | as they are; absent items: any value |
// | minItems, maxItems | any |
// | uniqueItems | false |
// | minLength, maxLength | in code points |
// | format | date, time, date-time, uuid, not beside a length; others mean nothing |
// | minimum, maximum | integers, for the type integer alone |
// | exclusiveMinimum, exclusiveMaximum | the same |
// | title, description, default, examples, deprecated, readOnly, writeOnly | ignored |
// | $schema, $comment, $anchor, $defs, definitions, $id of the root | ignored |
// | contentEncoding, contentMediaType | ignored |
//
// Beside $ref, allOf, anyOf, oneOf, enum and const there may only be what is ignored. Any other
// keyword is refused: pattern, multipleOf, patternProperties, not, if, dependentRequired, ...
//
// Two schemas of a oneOf are told apart if they have no type in common; or are both enum or const
// of values without brackets, none in common; or have only objects in common, of which both require
// a property that is such an enum or const in both.
//
// | written | spelling |
// |---|---|
// | whitespace | behind { [ , : and before } ] alone: nothing, a space, or a line feed with up to |
// |            | 20 spaces and tabs |
// | strings | code points but control characters; \" \\ \/ \b \f \n \r \t, \u0000 to \u001F |
// | constants, named members | one spelling, which escapes only what must be |
// | additional names | none of the named ones; no escapes where there are such; may repeat |
// | integers | up to 18 digits, no -0; wider bounds are cut to that |
// | numbers | 18 digits, a fraction of up to 17, an exponent of up to 2 |
// | dates | days of the calendar, in the years 1000 to 9999 |
// | times | 00:00:00 to 23:59:59, up to 9 digits of a fraction, Z or an offset |
#pragma once

#include <string_view>

#include "tern/base/allocator.hpp"
#include "tern/base/status.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// The largest schema that is read, and about the largest grammar that is written.
inline constexpr size_t kSchemaMaxBytes = size_t{1} << 20;
inline constexpr size_t kSchemaGrammarMaxBytes = size_t{1} << 20;

/// The grammar of a JSON Schema, in GBNF.
/// Ensures: every rule can end, none leads to itself before it has written something.
/// Errors: malformed (no JSON, a keyword's value of the wrong type, a $ref that leads nowhere or
///   back to itself); unsupported (see above; no finite value is valid; the sizes); out_of_memory.
///   The subject is the keyword or name concerned, the place its byte in `schema`.
/// Cost: linear in the schema, but for looking up names: each $ref walks the objects on its way.
Result<String> json_schema_grammar(std::string_view schema,
                                   const AllocatorHooks& hooks = default_allocator());

TERN_NAMESPACE_END
