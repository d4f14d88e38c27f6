// Whether the schemas of a oneOf exclude each other, as far as that is to be seen.
//
// Room: engine.
#pragma once

#include "engine/schema_keywords.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {

/// Makes sure that no value is valid against two schemas of the list: they have no type in common;
/// or both are enum or const, of values without brackets, none in common; or they have no type in
/// common but objects, and both require a property that is such an enum or const in both. Errors:
/// unsupported (where that is not so, over 256 schemas); malformed, of what was looked at.
Result<void> check_branches_differ(const SchemaDocument& schemas, JsonValue list,
                                   const AllocatorHooks& hooks);

}  // namespace detail

TERN_NAMESPACE_END
