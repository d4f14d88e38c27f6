// Telling the schemas of a oneOf apart.
//
// Room: engine. All of this is about the schemas' own meaning, not about what is written for them:
// a schema without `type` takes every type, whatever its other keywords speak of.
#include "engine/schema_branches.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {
namespace {

/// The most comparisons of two lists of values.
constexpr size_t kMaxValuePairs = size_t{1} << 20;

/// The values of an enum or const, of which const has one.
struct SchemaValues {
  JsonValue list;
  bool is_const;

  size_t size() const { return is_const ? 1 : list.size(); }
  template <typename Visit>
  bool all_of(const Visit& visit) const {
    if (is_const) return visit(list);
    for (const JsonValue value : list.elements()) {
      if (!visit(value)) return false;
    }
    return true;
  }
};

SchemaValues values_of(const SchemaPlace& place) {
  return {place.value.find(place.main_keyword), place.main_keyword == "const"};
}

/// Whether two values are surely not equal as JSON Schema compares: 1 equals 1.0, and objects in
/// any order, so neither real numbers nor what has brackets is compared.
bool surely_differ(JsonValue a, JsonValue b) {
  if ((schema_types_of(a) & schema_types_of(b)) == 0) return true;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case JsonKind::boolean: return a.as_bool() != b.as_bool();
    case JsonKind::integer: return a.as_integer() != b.as_integer();
    case JsonKind::text: return a.as_text() != b.as_text();
    default: return false;
  }
}

bool have_no_common_value(const SchemaPlace& a, const SchemaPlace& b) {
  if (a.form != SchemaForm::values || b.form != SchemaForm::values) return false;
  const SchemaValues left = values_of(a);
  const SchemaValues right = values_of(b);
  if (right.size() != 0 && left.size() > kMaxValuePairs / right.size()) return false;
  return left.all_of([&](JsonValue one) {
    return right.all_of([&](JsonValue other) { return surely_differ(one, other); });
  });
}

/// The types that a schema may take; of branches within branches, every type.
SchemaTypes taken_types(const SchemaPlace& place) {
  if (place.form == SchemaForm::never) return 0;
  if (place.form != SchemaForm::values) return place.types;
  SchemaTypes types = 0;
  values_of(place).all_of([&](JsonValue value) {
    types = static_cast<SchemaTypes>(types | schema_types_of(value));
    return true;
  });
  return static_cast<SchemaTypes>(types & place.types);
}

bool requires_member(const SchemaPlace& place, std::string_view name) {
  for (const JsonValue required : place.value.find("required").elements()) {
    if (required.as_text() == name) return true;
  }
  return false;
}

/// Whether both schemas require a property by whose value they differ.
Result<bool> have_a_tag(const SchemaDocument& schemas, const SchemaPlace& a, const SchemaPlace& b) {
  const JsonValue others = b.value.find("properties");
  for (const auto& [name, value] : a.value.find("properties").members()) {
    if (!requires_member(a, name) || !requires_member(b, name)) continue;
    const JsonValue other = others.find(name);
    if (other.is_absent()) continue;
    TERN_TRY_ASSIGN(const SchemaPlace left, schemas.resolve(value));
    TERN_TRY_ASSIGN(const SchemaPlace right, schemas.resolve(other));
    if (have_no_common_value(left, right)) return true;
  }
  return false;
}

Result<bool> are_told_apart(const SchemaDocument& schemas, const SchemaPlace& a,
                            const SchemaPlace& b) {
  const unsigned common = taken_types(a) & taken_types(b);
  if (common == 0 || have_no_common_value(a, b)) return true;
  const bool are_typed = a.form == SchemaForm::typed && b.form == SchemaForm::typed;
  if (!are_typed || common != kObjectType) return false;
  return have_a_tag(schemas, a, b);
}

}  // namespace

Result<void> check_branches_differ(const SchemaDocument& schemas, JsonValue list,
                                   const AllocatorHooks& hooks) {
  constexpr size_t kMaxBranches = 256;
  if (list.size() > kMaxBranches) {
    return Error(Status::unsupported, "a oneOf of over 256 schemas", "oneOf", list.where());
  }
  Vector<SchemaPlace> places(hooks);
  for (const JsonValue branch : list.elements()) {
    TERN_TRY_ASSIGN(const SchemaPlace place, schemas.resolve(branch));
    for (const SchemaPlace& earlier : places) {
      TERN_TRY_ASSIGN(const bool is_apart, are_told_apart(schemas, earlier, place));
      if (is_apart) continue;
      return Error(Status::unsupported,
                   "schemas of a oneOf that no type, constant or required tag tells apart", "oneOf",
                   branch.where());
    }
    places.push_back(place);
  }
  return {};
}

}  // namespace detail

TERN_NAMESPACE_END
