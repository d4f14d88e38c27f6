// From a JSON Schema to the rules of a grammar.
//
// Room: engine. A schema is a place of the document. Each place that is more than the name of a
// type gets a rule, once, however many references lead there: the root's is `root`, others are s1,
// s2, ... in the order in which they are met. Places wait in a list, so nothing here calls itself.
// What a rule needs besides are rules of its own, root-after-1, and shared rules, which are written
// at the end where something uses them.
#pragma once

#include <functional>
#include <map>

#include "engine/schema_closure.hpp"
#include "engine/schema_keywords.hpp"
#include "engine/schema_text.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {

/// A rule: below kSharedRules one of those that schemas share, else of a place, from there on.
using SchemaRule = uint32_t;

enum SchemaSharedRule : SchemaRule {
  kRuleWs,
  kRuleValue,
  kRuleObject,
  kRuleMember,
  kRuleArray,
  kRuleString,
  kRuleChar,
  kRuleNameRest,
  kRuleNumber,
  kRuleInteger,
  kRuleBoolean,
  kRuleNull,
  kRuleDateTime,
  kRuleDate,
  kRuleYear,
  kRuleLeapYear,
  kRuleMonthDay,
  kRuleTime,
  kRuleHourMinute,
  kRuleUuid,
  kRuleHex,
  kSharedRules,
};

class SchemaCompiler {
 public:
  SchemaCompiler(JsonValue root, const AllocatorHooks& hooks);

  /// The grammar. To be called once.
  Result<String> compile();

 private:
  /// A property of an object. A name that is only required has no value.
  struct Property {
    std::string_view name;
    size_t order = 0;
    JsonValue value = {};
    bool is_required = false;
    bool is_never = false;
    SchemaRule rule = kRuleValue;
  };
  /// What may be behind the properties of an object.
  struct Additional {
    bool is_allowed = false;
    bool is_valid = true;  // by the schema; where `properties` is, more than is written
    SchemaRule rule = kRuleValue;
  };

  // Rules: json_schema.cpp.
  SchemaRule rule_of(const SchemaPlace& place);
  Result<SchemaRule> rule_at(JsonValue at);
  void append_rule(String& out, SchemaRule rule);
  void append_helper(String& out, std::string_view role, size_t number) const;
  Result<void> write_place();
  Result<void> write_types(String& body, const SchemaPlace& place);
  Result<void> write_values(String& body, const SchemaPlace& place);
  Result<void> write_branches(String& body, const SchemaPlace& place);
  Result<void> write_string(String& body, JsonValue schema);
  Result<void> write_number(String& body, const SchemaPlace& place);
  void add_ending_need(SchemaRule rule);
  Result<void> check_closure();
  void append_shared_rules();

  // Objects and arrays: schema_containers.cpp.
  Result<void> write_object(String& body, JsonValue schema);
  Result<void> collect_properties(JsonValue schema, Vector<Property>& properties);
  Result<Additional> read_additional(JsonValue schema);
  Result<void> settle_properties(JsonValue schema, const Additional& additional,
                                 Vector<Property>& properties);
  Result<void> append_additional_rules(const Vector<Property>& properties, SchemaRule value);
  Result<bool> read_member_count(JsonValue schema, size_t n_required, size_t n_properties,
                                 bool has_additional) const;
  void append_properties(String& body, const Vector<Property>& properties);
  void append_property(String& out, const Property& property);
  void append_more(String& out);
  void append_optional_properties(String& body, const Vector<Property>& properties,
                                  bool has_additional);
  void add_ending_alternatives(const Vector<Property>& properties, const Additional& additional);
  Result<void> write_array(String& body, JsonValue schema);

  AllocatorHooks hooks_;
  SchemaDocument schemas_;
  JsonValue root_;
  Vector<SchemaPlace> places_;
  std::map<uint64_t, SchemaRule, std::less<>, HostAllocator<std::pair<const uint64_t, SchemaRule>>>
      rules_;               // by the byte of a place
  SchemaClosure endings_;   // a rule can end
  SchemaClosure openings_;  // a rule leads to no rule, or to such, before it has written something
  uint32_t shared_ = 0;     // a bit for each shared rule that is used
  uint32_t current_ = 0;    // the place that is written
  String out_;
  String stem_;     // the name of the rule that is written
  String helpers_;  // the rules that it has for itself
  String json_;     // scratch
};

}  // namespace detail

TERN_NAMESPACE_END
