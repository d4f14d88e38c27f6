// JSON Schemas to grammars: objects and arrays.
//
// Room: engine. Where a property is required, everything else has its comma towards that property,
// and the object is one sequence: ("a" ",")? "b" ("," "c")?. Where none is, it matters which comes
// first: rule `from-i` begins with the i-th property or a later one, rule `after-i` follows the
// i-th, and both are of constant size. An array's tail behind its i-th element is rule `item-i` as
// long as prefixItems say what comes next.
#include <algorithm>

#include "engine/schema_compiler.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {
namespace {

constexpr std::string_view kSchemaComma = R"("," ws )";
constexpr uint64_t kAnyCount = SchemaCount::kUnbounded;

}  // namespace

/// The properties by their order, then the names that are only required.
Result<void> SchemaCompiler::collect_properties(JsonValue schema, Vector<Property>& properties) {
  size_t order = 0;
  for (const auto& [name, value] : schema.find("properties").members()) {
    properties.push_back({name, order++, value});
  }
  for (const JsonValue element : schema.find("required").elements()) {
    const std::optional<std::string_view> name = element.as_text();
    if (!name) {
      return Error(Status::malformed, "a required name that is no string", "required",
                   element.where());
    }
    properties.push_back({*name, order++, JsonValue(), true});
  }
  std::sort(properties.begin(), properties.end(), [](const Property& a, const Property& b) {
    return a.name != b.name ? a.name < b.name : a.order < b.order;
  });
  size_t kept = 0;
  for (const Property& property : properties) {
    if (kept == 0 || properties[kept - 1].name != property.name) {
      properties[kept++] = property;
    } else if (property.value.is_absent()) {
      properties[kept - 1].is_required = true;
    } else {
      return Error(Status::malformed, "a property that is there twice", property.name,
                   property.value.where());
    }
  }
  properties.resize(kept);
  return {};
}

Result<SchemaCompiler::Additional> SchemaCompiler::read_additional(JsonValue schema) {
  const JsonValue value = schema.find("additionalProperties");
  if (value.is_absent()) return Additional{schema.find("properties").is_absent(), true, kRuleValue};
  TERN_TRY_ASSIGN(const SchemaPlace place, schemas_.resolve(value));
  if (place.form == SchemaForm::never) return Additional{false, false, kRuleValue};
  return Additional{true, true, rule_of(place)};
}

/// Gives each property its rule, takes away those that cannot be, and restores the order.
Result<void> SchemaCompiler::settle_properties(JsonValue schema, const Additional& additional,
                                               Vector<Property>& properties) {
  std::sort(properties.begin(), properties.end(),
            [](const Property& a, const Property& b) { return a.order < b.order; });
  for (Property& property : properties) {
    if (property.value.is_absent()) {
      if (!additional.is_valid) return no_valid_value(property.name, schema.find("required"));
      property.rule = additional.rule;
      continue;
    }
    TERN_TRY_ASSIGN(const SchemaPlace place, schemas_.resolve(property.value));
    property.is_never = place.form == SchemaForm::never;
    if (!property.is_never) {
      property.rule = rule_of(place);
    } else if (property.is_required) {
      return no_valid_value(property.name, property.value);
    }
  }
  std::erase_if(properties, [](const Property& property) { return property.is_never; });
  return {};
}

/// The rules of an additional member. Requires: the properties by name, those too that cannot be.
Result<void> SchemaCompiler::append_additional_rules(const Vector<Property>& properties,
                                                     SchemaRule value) {
  helpers_ += stem_;
  helpers_ += "-more ::= ";
  if (properties.empty()) {
    append_rule(helpers_, kRuleString);
  } else {
    helpers_ += R"("\"" )";
    append_helper(helpers_, "name", 0);
  }
  helpers_ += R"( ":" ws )";
  append_rule(helpers_, value);
  helpers_ += '\n';
  if (properties.empty()) return {};
  shared_ |= uint32_t{1} << kRuleNameRest;
  Vector<std::string_view> names(hooks_);
  for (const Property& property : properties) names.push_back(property.name);
  String stem(stem_);
  stem += "-name";
  return append_other_names(helpers_, stem, names);
}

void SchemaCompiler::append_property(String& out, const Property& property) {
  json_.clear();
  append_json_string(json_, property.name);
  json_ += ':';
  append_literal(out, json_);
  out += " ws ";
  append_rule(out, property.rule);
}

/// Any number of further members, each with its comma.
void SchemaCompiler::append_more(String& out) {
  out += '(';
  out += kSchemaComma;
  out += stem_;
  out += "-more)*";
}

/// At least one of properties that are all optional, and of additional members.
void SchemaCompiler::append_optional_properties(String& body, const Vector<Property>& properties,
                                                bool has_additional) {
  const size_t n = properties.size();
  const auto append_only_more = [&](String& out) {
    out += stem_;
    out += "-more ";
    append_more(out);
  };
  if (n == 0) return append_only_more(body);
  append_helper(body, "from", 1);
  for (size_t i = 1; i <= n; ++i) {
    append_helper(helpers_, "from", i);
    helpers_ += " ::= ";
    append_property(helpers_, properties[i - 1]);
    if (i < n || has_additional) {
      helpers_ += ' ';
      append_helper(helpers_, "after", i);
      helpers_ += " | ";
    }
    if (i < n) {
      append_helper(helpers_, "from", i + 1);
    } else if (has_additional) {
      append_only_more(helpers_);
    }
    helpers_ += '\n';
    if (i == n && !has_additional) break;
    append_helper(helpers_, "after", i);
    helpers_ += " ::= ";
    if (i == n) {
      append_more(helpers_);
    } else {
      helpers_ += '(';
      helpers_ += kSchemaComma;
      append_property(helpers_, properties[i]);
      helpers_ += ")?";
      if (i + 1 < n || has_additional) {
        helpers_ += ' ';
        append_helper(helpers_, "after", i + 1);
      }
    }
    helpers_ += '\n';
  }
}

/// An object that needs a member ends if one of them does. Requires: a clause without needs.
void SchemaCompiler::add_ending_alternatives(const Vector<Property>& properties,
                                             const Additional& additional) {
  bool is_first = true;
  const auto add = [&](SchemaRule rule) {
    if (!is_first) endings_.add_clause(current_);
    add_ending_need(rule);
    is_first = false;
  };
  for (const Property& property : properties) add(property.rule);
  if (additional.is_allowed) add(additional.rule);
}

/// Whether an object without required properties needs a member; refuses other counts.
Result<bool> SchemaCompiler::read_member_count(JsonValue schema, size_t n_required,
                                               size_t n_properties, bool has_additional) const {
  TERN_TRY_ASSIGN(const uint64_t min, schema_count(schema, "minProperties", 0));
  TERN_TRY_ASSIGN(const uint64_t max, schema_count(schema, "maxProperties", kAnyCount));
  if (min > 1 && min > n_required) {
    return Error(Status::unsupported, "supported up to 1 and up to the required properties",
                 "minProperties", schema.find("minProperties").where());
  }
  if (max != kAnyCount && (has_additional || max < n_properties)) {
    return Error(Status::unsupported, "supported where there cannot be more properties anyway",
                 "maxProperties", schema.find("maxProperties").where());
  }
  if (min > 0 && n_properties == 0 && !has_additional) {
    return no_valid_value("minProperties", schema.find("minProperties"));
  }
  return min > 0;
}

/// Properties of which one at least is required.
void SchemaCompiler::append_properties(String& body, const Vector<Property>& properties) {
  bool is_behind = false;  // the first required one
  for (const Property& property : properties) {
    if (!property.is_required) body += '(';
    if (is_behind) body += kSchemaComma;
    append_property(body, property);
    if (property.is_required) {
      body += ' ';
      is_behind = true;
      add_ending_need(property.rule);
    } else {
      body += is_behind ? ")? " : R"( "," ws)? )";
    }
  }
}

Result<void> SchemaCompiler::write_object(String& body, JsonValue schema) {
  Vector<Property> properties(hooks_);
  TERN_TRY(collect_properties(schema, properties));
  TERN_TRY_ASSIGN(const Additional additional, read_additional(schema));
  if (additional.is_allowed) TERN_TRY(append_additional_rules(properties, additional.rule));
  TERN_TRY(settle_properties(schema, additional, properties));
  size_t n_required = 0;
  for (const Property& property : properties) n_required += property.is_required ? 1 : 0;
  TERN_TRY_ASSIGN(const bool needs_member,
                  read_member_count(schema, n_required, properties.size(), additional.is_allowed));
  shared_ |= uint32_t{1} << kRuleWs;
  body += R"("{" ws )";
  if (n_required > 0) {
    append_properties(body, properties);
    if (additional.is_allowed) {
      append_more(body);
      body += ' ';
    }
    body += R"(ws "}")";
  } else if (properties.empty() && !additional.is_allowed) {
    body += R"("}")";
  } else if (needs_member) {
    add_ending_alternatives(properties, additional);
    append_optional_properties(body, properties, additional.is_allowed);
    body += R"( ws "}")";
  } else {
    body += '(';
    append_optional_properties(body, properties, additional.is_allowed);
    body += R"( ws)? "}")";
  }
  return {};
}

Result<void> SchemaCompiler::write_array(String& body, JsonValue schema) {
  if (schema.find("uniqueItems").as_bool().value_or(false)) {
    return Error(Status::unsupported, "the schema keyword is supported as false alone",
                 "uniqueItems", schema.find("uniqueItems").where());
  }
  SchemaCount count;
  TERN_TRY_ASSIGN(count.min, schema_count(schema, "minItems", count.min));
  TERN_TRY_ASSIGN(count.max, schema_count(schema, "maxItems", count.max));
  Vector<SchemaRule> prefix(hooks_);
  for (const JsonValue item : schema.find("prefixItems").elements()) {
    TERN_TRY_ASSIGN(const SchemaPlace place, schemas_.resolve(item));
    if (place.form == SchemaForm::never) count.max = std::min<uint64_t>(count.max, prefix.size());
    if (prefix.size() >= count.max) break;
    prefix.push_back(rule_of(place));
  }
  SchemaRule item = kRuleValue;
  const JsonValue items = schema.find("items");
  if (!items.is_absent() && prefix.size() < count.max) {
    TERN_TRY_ASSIGN(const SchemaPlace place, schemas_.resolve(items));
    if (place.form == SchemaForm::never) {
      count.max = prefix.size();
    } else {
      item = rule_of(place);
    }
  }
  if (count.min > count.max) return no_valid_value("minItems", schema.find("minItems"));
  shared_ |= uint32_t{1} << kRuleWs;
  body += R"("[" ws )";
  if (count.max == 0) {
    body += R"("]")";
    return {};
  }
  const auto element = [&](size_t i) { return i < prefix.size() ? prefix[i] : item; };
  // What follows `n` elements, n > 0: a rule of its own as long as each element has its own schema.
  const auto append_tail = [&](String& out, size_t n) {
    if (n == count.max) return;
    out += ' ';
    if (n < prefix.size()) return append_helper(out, "item", n);
    out += "(";
    out += kSchemaComma;
    append_rule(out, item);
    out += ')';
    const uint64_t least = count.min > n ? count.min - n : 0;
    const bool is_open = count.max == SchemaCount::kUnbounded;
    append_count(out, {least, is_open ? count.max : count.max - n});
  };
  if (count.min == 0) body += '(';
  append_rule(body, element(0));
  append_tail(body, 1);
  body += count.min == 0 ? R"( ws)? "]")" : R"( ws "]")";
  for (size_t n = 1; n < prefix.size(); ++n) {
    append_helper(helpers_, "item", n);
    helpers_ += count.min > n ? " ::= " : " ::= | ";
    helpers_ += kSchemaComma;
    append_rule(helpers_, element(n));
    append_tail(helpers_, n + 1);
    helpers_ += '\n';
  }
  for (size_t n = 0; n < count.min && n <= prefix.size(); ++n) {
    add_ending_need(element(n));
  }
  return {};
}

}  // namespace detail

TERN_NAMESPACE_END
