// Reading the keywords of a JSON Schema.
//
// Room: engine.
#include "engine/schema_keywords.hpp"

#include <charconv>

TERN_NAMESPACE_BEGIN

namespace detail {
namespace {

enum class SchemaUse : uint8_t { ignored, type, constraint, values, any_of, one_of, all_of, ref };

constexpr unsigned json_kinds() { return 0; }
template <typename... More>
constexpr unsigned json_kinds(JsonKind kind, More... more) {
  return 1u << static_cast<unsigned>(kind) | json_kinds(more...);
}
constexpr unsigned kAnyJson = ~0u;
constexpr unsigned kJsonText = json_kinds(JsonKind::text);
constexpr unsigned kJsonBoolean = json_kinds(JsonKind::boolean);
constexpr unsigned kJsonNumber = json_kinds(JsonKind::integer, JsonKind::real);
constexpr unsigned kJsonArray = json_kinds(JsonKind::array);
constexpr unsigned kJsonObject = json_kinds(JsonKind::object);
constexpr unsigned kJsonSchema = json_kinds(JsonKind::object, JsonKind::boolean);

struct SchemaKeyword {
  std::string_view name;
  SchemaUse use;
  unsigned kinds;              // of its value
  SchemaTypes constrains = 0;  // the types that it speaks of
};

constexpr SchemaKeyword kSchemaKeywords[] = {
    {"type", SchemaUse::type, kJsonText | kJsonArray},
    {"enum", SchemaUse::values, kJsonArray},
    {"const", SchemaUse::values, kAnyJson},
    {"anyOf", SchemaUse::any_of, kJsonArray},
    {"oneOf", SchemaUse::one_of, kJsonArray},
    {"allOf", SchemaUse::all_of, kJsonArray},
    {"$ref", SchemaUse::ref, kJsonText},
    {"properties", SchemaUse::constraint, kJsonObject, kObjectType},
    {"required", SchemaUse::constraint, kJsonArray, kObjectType},
    {"additionalProperties", SchemaUse::constraint, kJsonSchema, kObjectType},
    {"minProperties", SchemaUse::constraint, kJsonNumber, kObjectType},
    {"maxProperties", SchemaUse::constraint, kJsonNumber, kObjectType},
    {"prefixItems", SchemaUse::constraint, kJsonArray, kArrayType},
    {"items", SchemaUse::constraint, kJsonSchema, kArrayType},
    {"minItems", SchemaUse::constraint, kJsonNumber, kArrayType},
    {"maxItems", SchemaUse::constraint, kJsonNumber, kArrayType},
    {"uniqueItems", SchemaUse::constraint, kJsonBoolean, kArrayType},
    {"minLength", SchemaUse::constraint, kJsonNumber, kStringType},
    {"maxLength", SchemaUse::constraint, kJsonNumber, kStringType},
    {"format", SchemaUse::constraint, kJsonText, kStringType},
    {"minimum", SchemaUse::constraint, kJsonNumber, kNumberType},
    {"maximum", SchemaUse::constraint, kJsonNumber, kNumberType},
    {"exclusiveMinimum", SchemaUse::constraint, kJsonNumber, kNumberType},
    {"exclusiveMaximum", SchemaUse::constraint, kJsonNumber, kNumberType},
    {"title", SchemaUse::ignored, kJsonText},
    {"description", SchemaUse::ignored, kJsonText},
    {"default", SchemaUse::ignored, kAnyJson},
    {"examples", SchemaUse::ignored, kJsonArray},
    {"$schema", SchemaUse::ignored, kJsonText},
    {"$id", SchemaUse::ignored, kJsonText},
    {"$comment", SchemaUse::ignored, kJsonText},
    {"$anchor", SchemaUse::ignored, kJsonText},
    {"$defs", SchemaUse::ignored, kJsonObject},
    {"definitions", SchemaUse::ignored, kJsonObject},
    {"deprecated", SchemaUse::ignored, kJsonBoolean},
    {"readOnly", SchemaUse::ignored, kJsonBoolean},
    {"writeOnly", SchemaUse::ignored, kJsonBoolean},
    {"contentEncoding", SchemaUse::ignored, kJsonText},
    {"contentMediaType", SchemaUse::ignored, kJsonText},
};

struct SchemaTypeName {
  std::string_view name;
  SchemaTypes types;
};

constexpr SchemaTypeName kSchemaTypeNames[] = {
    {"null", kNullType},     {"boolean", kBooleanType}, {"integer", kIntegerType},
    {"number", kNumberType}, {"string", kStringType},   {"object", kObjectType},
    {"array", kArrayType},
};

/// The row of a table; null where there is none of that name.
template <typename Row, size_t kRows>
const Row* find_schema_row(const Row (&rows)[kRows], std::string_view name) {
  for (const Row& row : rows) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

Result<SchemaTypes> read_type_name(JsonValue value) {
  const std::string_view name = value.as_text().value_or(std::string_view());
  const SchemaTypeName* row = find_schema_row(kSchemaTypeNames, name);
  if (row == nullptr) {
    return Error(Status::malformed, "a schema names a type that there is not", name, value.where());
  }
  return row->types;
}

Result<SchemaTypes> read_types(JsonValue value) {
  if (!value.is_array()) return read_type_name(value);
  SchemaTypes all = 0;
  for (const JsonValue element : value.elements()) {
    TERN_TRY_ASSIGN(const SchemaTypes one, read_type_name(element));
    all = static_cast<SchemaTypes>(all | one);
  }
  if (all == 0) return Error(Status::malformed, "an empty list of a schema", "type", value.where());
  return all;
}

Error bad_reference(std::string_view text, JsonValue at) {
  return {Status::malformed, "a $ref that leads nowhere", text, at.where()};
}

/// The bytes of a URI fragment. False where % is not followed by two digits.
bool decode_fragment(std::string_view fragment, String& out) {
  for (size_t i = 0; i < fragment.size(); ++i) {
    if (fragment[i] != '%') {
      out += fragment[i];
      continue;
    }
    if (fragment.size() - i < 3) return false;
    unsigned byte = 0;
    const char* end = fragment.data() + i + 3;
    const auto read = std::from_chars(fragment.data() + i + 1, end, byte, 16);
    if (read.ec != std::errc() || read.ptr != end) return false;
    out += static_cast<char>(byte);
    i += 2;
  }
  return true;
}

/// One name of a JSON pointer, ~0 and ~1 replaced. False where another character follows a ~.
bool decode_pointer_name(std::string_view spelled, String& out) {
  for (size_t i = 0; i < spelled.size(); ++i) {
    if (spelled[i] != '~') {
      out += spelled[i];
      continue;
    }
    if (++i == spelled.size() || (spelled[i] != '0' && spelled[i] != '1')) return false;
    out += spelled[i] == '0' ? '~' : '/';
  }
  return true;
}

JsonValue step_into(JsonValue value, std::string_view name) {
  if (value.is_object()) return value.find(name);
  size_t index = 0;
  const char* end = name.data() + name.size();
  const auto read = std::from_chars(name.data(), end, index);
  if (read.ec != std::errc() || read.ptr != end || (name.size() > 1 && name[0] == '0')) return {};
  if (index >= value.size() || !value.is_array()) return {};
  JsonElements::Iterator at = value.elements().begin();
  for (; index > 0; --index) ++at;
  return *at;
}

}  // namespace

SchemaTypes schema_types_of(JsonValue value) {
  switch (value.kind()) {
    case JsonKind::null: return kNullType;
    case JsonKind::boolean: return kBooleanType;
    case JsonKind::integer: return kIntegerType;
    case JsonKind::real: return kNumberType;
    case JsonKind::text: return kStringType;
    case JsonKind::object: return kObjectType;
    case JsonKind::array: return kArrayType;
    case JsonKind::absent: break;
  }
  return 0;
}

Result<uint64_t> schema_count(JsonValue schema, std::string_view keyword, uint64_t absent) {
  const JsonValue value = schema.find(keyword);
  if (value.is_absent()) return absent;
  const std::optional<int64_t> count = value.as_integer();
  if (!count) {
    return Error(Status::unsupported, "a schema's number that is no integer of 64 bits", keyword,
                 value.where());
  }
  if (*count < 0) {
    return Error(Status::malformed, "a count of a schema below 0", keyword, value.where());
  }
  return static_cast<uint64_t>(*count);
}

Result<SchemaPlace> SchemaDocument::resolve(JsonValue at) const {
  constexpr size_t kMaxHops = 64;
  for (size_t hops = 0; hops <= kMaxHops; ++hops) {
    TERN_TRY_ASSIGN(const SchemaPlace place, read(at));
    if (place.main_keyword == "$ref") {
      TERN_TRY_ASSIGN(at, follow(place.value.find("$ref")));
    } else if (place.main_keyword == "allOf") {
      const JsonValue list = place.value.find("allOf");
      if (list.size() != 1) {
        return Error(Status::unsupported, "allOf is supported with one schema alone", "allOf",
                     list.where());
      }
      at = *list.elements().begin();
    } else {
      return place;
    }
  }
  return Error(Status::malformed, "a $ref that leads back to itself, or through over 64 others",
               "$ref", at.where());
}

Result<SchemaPlace> SchemaDocument::read(JsonValue at) const {
  SchemaPlace place;
  place.value = at;
  if (const std::optional<bool> anything = at.as_bool()) {
    if (!*anything) place.form = SchemaForm::never;
    return place;
  }
  if (!at.is_object()) {
    return Error(Status::malformed, "a schema is an object, true or false", at.where());
  }
  std::string_view other;  // a keyword that may not be beside one that stands alone
  std::string_view type;
  for (const auto& [name, value] : at.members()) {
    const SchemaKeyword* keyword = find_schema_row(kSchemaKeywords, name);
    if (keyword == nullptr || (name == "$id" && at.where() != root_.where())) {
      return Error(Status::unsupported, "the schema keyword is not supported", name, value.where());
    }
    if ((keyword->kinds & json_kinds(value.kind())) == 0) {
      return Error(Status::malformed, "the schema keyword has a value of the wrong type", name,
                   value.where());
    }
    place.constrained = static_cast<SchemaTypes>(place.constrained | keyword->constrains);
    switch (keyword->use) {
      case SchemaUse::ignored: continue;
      case SchemaUse::type: {
        TERN_TRY_ASSIGN(place.types, read_types(value));
        type = name;
        continue;
      }
      case SchemaUse::constraint: other = name; continue;
      case SchemaUse::values: place.form = SchemaForm::values; break;
      case SchemaUse::any_of: place.form = SchemaForm::any_of; break;
      case SchemaUse::one_of: place.form = SchemaForm::one_of; break;
      case SchemaUse::all_of:
      case SchemaUse::ref: break;
    }
    if (!place.main_keyword.empty()) other = name;
    place.main_keyword = name;
  }
  if (place.main_keyword.empty()) return place;
  if (place.form != SchemaForm::values && !type.empty()) other = type;
  if (!other.empty()) {
    return Error(Status::unsupported,
                 "not supported beside $ref, allOf, anyOf, oneOf, enum or const", other,
                 at.find(other).where());
  }
  return place;
}

Result<JsonValue> SchemaDocument::follow(JsonValue reference) const {
  const std::string_view text = *reference.as_text();
  if (!text.starts_with('#') || (text.size() > 1 && text[1] != '/')) {
    return Error(Status::unsupported, "a $ref that is no JSON pointer into the schema", text,
                 reference.where());
  }
  String pointer(hooks_);
  if (!decode_fragment(text.substr(1), pointer)) return bad_reference(text, reference);
  JsonValue at = root_;
  String name(hooks_);
  for (size_t begin = 1; begin <= pointer.size();) {
    const size_t slash = pointer.find('/', begin);
    const size_t end = slash == String::npos ? pointer.size() : slash;
    name.clear();
    if (!decode_pointer_name(std::string_view(pointer).substr(begin, end - begin), name)) {
      return bad_reference(text, reference);
    }
    at = step_into(at, name);
    if (at.is_absent()) return bad_reference(text, reference);
    begin = end + 1;
  }
  return at;
}

}  // namespace detail

TERN_NAMESPACE_END
