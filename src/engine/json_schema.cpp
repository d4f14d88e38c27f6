// JSON Schemas to grammars: places, types, values, branches, strings and numbers.
//
// Room: engine.
#include "tern/engine/json_schema.hpp"

#include <algorithm>

#include "engine/schema_branches.hpp"
#include "engine/schema_compiler.hpp"
#include "tern/base/memory_wall.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {
namespace {

constexpr uint32_t rule_bits() { return 0; }
template <typename... More>
constexpr uint32_t rule_bits(SchemaSharedRule rule, More... more) {
  return uint32_t{1} << rule | rule_bits(more...);
}

/// A rule that many schemas use, and the rules that it uses.
struct SchemaSharedText {
  std::string_view name;
  std::string_view body;
  uint32_t uses = 0;
};

constexpr SchemaSharedText kSchemaSharedTexts[] = {
    {"ws", R"(| " " | "\n" [ \t]{0,20})"},
    {"value", "object | array | string | number | boolean | null",
     rule_bits(kRuleObject, kRuleArray, kRuleString, kRuleNumber, kRuleBoolean, kRuleNull)},
    {"object", R"("{" ws (member ("," ws member)* ws)? "}")", rule_bits(kRuleWs, kRuleMember)},
    {"member", R"(string ":" ws value)", rule_bits(kRuleString, kRuleWs, kRuleValue)},
    {"array", R"("[" ws (value ("," ws value)* ws)? "]")", rule_bits(kRuleWs, kRuleValue)},
    {"string", R"("\"" char* "\"")", rule_bits(kRuleChar)},
    {"char", R"([^"\\\x00-\x1F] | "\\" (["\\/bfnrt] | "u00" [01] [0-9a-fA-F]))"},
    {"name-rest", R"([^"\\\x00-\x1F]* "\"")"},
    {"number",
     R"("-"? ("0" | [1-9] [0-9]{0,17}) ("." [0-9]{1,17})? ([eE] ("+" | "-")? [0-9]{1,2})?)"},
    {"integer", R"("0" | "-"? [1-9] [0-9]{0,17})"},
    {"boolean", R"("true" | "false")"},
    {"null", R"("null")"},
    {"date-time", R"(date "T" time)", rule_bits(kRuleDate, kRuleTime)},
    {"date", R"(year "-" month-day | leap-year "-02-29")",
     rule_bits(kRuleYear, kRuleLeapYear, kRuleMonthDay)},
    {"year", "[1-9] [0-9]{3}"},
    {"leap-year", R"([1-9] [0-9] ("0" [48] | [2468] [048] | [13579] [26]) | )"
                  R"(("1" [26] | [2468] [048] | [3579] [26]) "00")"},
    {"month-day", R"(("0" [13578] | "1" [02]) "-" ("0" [1-9] | [12] [0-9] | "3" [01]) | )"
                  R"(("0" [469] | "11") "-" ("0" [1-9] | [12] [0-9] | "30") | )"
                  R"("02-" ("0" [1-9] | "1" [0-9] | "2" [0-8]))"},
    {"time", R"(hour-minute ":" [0-5] [0-9] ("." [0-9]{1,9})? ("Z" | ("+" | "-") hour-minute))",
     rule_bits(kRuleHourMinute)},
    {"hour-minute", R"(([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9])"},
    {"uuid", R"(hex{8} "-" hex{4} "-" hex{4} "-" hex{4} "-" hex{12})", rule_bits(kRuleHex)},
    {"hex", "[0-9a-fA-F]"},
};
static_assert(std::size(kSchemaSharedTexts) == kSharedRules);

struct SchemaTypeRule {
  SchemaTypes type;
  SchemaRule rule;
};
/// The types in the order in which they are written, and their rules where nothing constrains them.
constexpr SchemaTypeRule kSchemaTypeRules[] = {
    {kObjectType, kRuleObject}, {kArrayType, kRuleArray},     {kStringType, kRuleString},
    {kNumberType, kRuleNumber}, {kIntegerType, kRuleInteger}, {kBooleanType, kRuleBoolean},
    {kNullType, kRuleNull},     {kEveryType, kRuleValue},
};

struct SchemaFormat {
  std::string_view name;
  SchemaRule rule;
};
constexpr SchemaFormat kSchemaFormats[] = {
    {"date", kRuleDate}, {"time", kRuleTime}, {"date-time", kRuleDateTime}, {"uuid", kRuleUuid}};

constexpr std::string_view kSchemaBounds[] = {"minimum", "exclusiveMinimum", "maximum",
                                              "exclusiveMaximum"};

/// The least integer that two keywords allow and that is written; the greatest, negated, with
/// `is_negated`.
Result<int64_t> read_bound(JsonValue schema, std::string_view inclusive, std::string_view exclusive,
                           bool is_negated) {
  int64_t bound = -kSchemaIntegerMax;
  for (const std::string_view keyword : {inclusive, exclusive}) {
    const JsonValue value = schema.find(keyword);
    if (value.is_absent()) continue;
    const std::optional<int64_t> integer = value.as_integer();
    if (!integer) {
      return Error(Status::unsupported, "a schema's number that is no integer of 64 bits", keyword,
                   value.where());
    }
    // Cut to one digit more than is written, so that neither sign nor step overflows.
    constexpr int64_t kCut = kSchemaIntegerMax + 1;
    const int64_t cut = std::clamp(*integer, -kCut, kCut);
    bound = std::max(bound, (is_negated ? -cut : cut) + (keyword == exclusive ? 1 : 0));
  }
  return bound;
}

}  // namespace

SchemaCompiler::SchemaCompiler(JsonValue root, const AllocatorHooks& hooks)
    : hooks_(hooks),
      schemas_(root, hooks),
      root_(root),
      places_(hooks),
      rules_(hooks),
      endings_(hooks),
      openings_(hooks),
      out_(hooks),
      stem_(hooks),
      helpers_(hooks),
      json_(hooks) {}

Result<String> SchemaCompiler::compile() {
  TERN_TRY_ASSIGN(const SchemaRule first, rule_at(root_));
  if (first < kSharedRules) {
    out_ += "root ::= ";
    append_rule(out_, first);
    out_ += '\n';
  }
  for (; current_ < places_.size(); ++current_) TERN_TRY(write_place());
  TERN_TRY(check_closure());
  append_shared_rules();
  return std::move(out_);
}

/// The rule of a place, which is written later where it is new.
SchemaRule SchemaCompiler::rule_of(const SchemaPlace& place) {
  if (place.form == SchemaForm::typed && place.constrained == 0) {
    for (const auto& [type, rule] : kSchemaTypeRules) {
      if (type == place.types) return rule;
    }
  }
  const auto next = static_cast<SchemaRule>(kSharedRules + places_.size());
  const auto [found, is_new] = rules_.try_emplace(place.value.where(), next);
  if (is_new) places_.push_back(place);
  return found->second;
}

Result<SchemaRule> SchemaCompiler::rule_at(JsonValue at) {
  TERN_TRY_ASSIGN(const SchemaPlace place, schemas_.resolve(at));
  if (place.form == SchemaForm::never) return no_valid_value("", at);
  return rule_of(place);
}

void SchemaCompiler::append_rule(String& out, SchemaRule rule) {
  if (rule < kSharedRules) {
    shared_ |= uint32_t{1} << rule;
    out += kSchemaSharedTexts[rule].name;
  } else if (rule == kSharedRules) {
    out += "root";
  } else {
    out += 's';
    append_digits(out, rule - kSharedRules);
  }
}

/// The name of a rule that the present one has for itself.
void SchemaCompiler::append_helper(String& out, std::string_view role, size_t number) const {
  out += stem_;
  out += '-';
  out += role;
  out += '-';
  append_digits(out, number);
}

Result<void> SchemaCompiler::write_place() {
  const SchemaPlace place = places_[current_];
  stem_.clear();
  helpers_.clear();
  append_rule(stem_, kSharedRules + current_);
  const bool has_branches = place.form == SchemaForm::any_of || place.form == SchemaForm::one_of;
  openings_.add_clause(current_);
  String body(hooks_);
  if (has_branches) {
    TERN_TRY(write_branches(body, place));
  } else if (place.form == SchemaForm::values) {
    endings_.add_clause(current_);
    TERN_TRY(write_values(body, place));
  } else {
    TERN_TRY(write_types(body, place));
  }
  out_ += stem_;
  out_ += " ::= ";
  out_ += body;
  out_ += '\n';
  out_ += helpers_;
  if (out_.size() > kSchemaGrammarMaxBytes) {
    return Error(Status::unsupported, "the grammar of the schema is too large");
  }
  return {};
}

Result<void> SchemaCompiler::write_types(String& body, const SchemaPlace& place) {
  SchemaTypes left = place.written_types();
  for (const auto& [type, plain] : kSchemaTypeRules) {
    if ((left & type) != type) continue;
    left = static_cast<SchemaTypes>(left & ~type);
    if (!body.empty()) body += " | ";
    endings_.add_clause(current_);
    if ((place.constrained & type) == 0) {
      append_rule(body, plain);
    } else if (type == kObjectType) {
      TERN_TRY(write_object(body, place.value));
    } else if (type == kArrayType) {
      TERN_TRY(write_array(body, place.value));
    } else if (type == kStringType) {
      TERN_TRY(write_string(body, place.value));
    } else {
      TERN_TRY(write_number(body, place));
    }
  }
  return {};
}

Result<void> SchemaCompiler::write_values(String& body, const SchemaPlace& place) {
  const JsonValue values = place.value.find(place.main_keyword);
  const auto write_value = [&](JsonValue value) -> Result<void> {
    if ((schema_types_of(value) & place.types) == 0) return {};
    json_.clear();
    TERN_TRY(append_json_value(json_, value));
    if (!body.empty()) body += " | ";
    append_literal(body, json_);
    return {};
  };
  if (place.main_keyword == "const") {
    TERN_TRY(write_value(values));
  } else {
    for (const JsonValue value : values.elements()) TERN_TRY(write_value(value));
  }
  if (body.empty()) return no_valid_value(place.main_keyword, values);
  return {};
}

Result<void> SchemaCompiler::write_branches(String& body, const SchemaPlace& place) {
  const JsonValue branches = place.value.find(place.main_keyword);
  if (branches.size() == 0) {
    return Error(Status::malformed, "an empty list of a schema", place.main_keyword,
                 branches.where());
  }
  if (place.form == SchemaForm::one_of) {
    TERN_TRY(check_branches_differ(schemas_, branches, hooks_));
  }
  for (const JsonValue branch : branches.elements()) {
    TERN_TRY_ASSIGN(const SchemaPlace found, schemas_.resolve(branch));
    if (found.form == SchemaForm::never) continue;
    const SchemaRule target = rule_of(found);
    if (!body.empty()) body += " | ";
    append_rule(body, target);
    endings_.add_clause(current_);
    add_ending_need(target);
    if (target >= kSharedRules) openings_.add_need(target - kSharedRules);
  }
  if (body.empty()) return no_valid_value(place.main_keyword, branches);
  return {};
}

Result<void> SchemaCompiler::write_string(String& body, JsonValue schema) {
  SchemaCount length;
  TERN_TRY_ASSIGN(length.min, schema_count(schema, "minLength", length.min));
  TERN_TRY_ASSIGN(length.max, schema_count(schema, "maxLength", length.max));
  const JsonValue format = schema.find("format");
  for (const auto& [name, rule] : kSchemaFormats) {
    if (format.as_text() != name) continue;
    if (length.min != 0 || length.max != SchemaCount::kUnbounded) {
      return Error(Status::unsupported, "this format is not supported beside a length", name,
                   format.where());
    }
    body += R"("\"" )";
    append_rule(body, rule);
    body += R"( "\"")";
    return {};
  }
  if (length.min > length.max) return no_valid_value("maxLength", schema.find("maxLength"));
  if (length.min == 0 && length.max == SchemaCount::kUnbounded) {
    append_rule(body, kRuleString);
    return {};
  }
  body += R"("\"")";
  if (length.max > 0) {
    body += ' ';
    append_rule(body, kRuleChar);
    append_count(body, length);
  }
  body += R"( "\"")";
  return {};
}

Result<void> SchemaCompiler::write_number(String& body, const SchemaPlace& place) {
  const JsonValue schema = place.value;
  if ((place.written_types() & kFractionType) != 0) {
    for (const std::string_view keyword : kSchemaBounds) {
      const JsonValue value = schema.find(keyword);
      if (value.is_absent()) continue;
      return Error(Status::unsupported, "bounds are supported for the type integer alone", keyword,
                   value.where());
    }
  }
  TERN_TRY_ASSIGN(const int64_t low, read_bound(schema, "minimum", "exclusiveMinimum", false));
  TERN_TRY_ASSIGN(const int64_t minus_high,
                  read_bound(schema, "maximum", "exclusiveMaximum", true));
  const int64_t high = -minus_high;
  if (low > high) return no_valid_value(low > kSchemaIntegerMax ? "minimum" : "maximum", schema);
  append_integer_range(body, low, high);
  return {};
}

/// Shared rules end without help.
void SchemaCompiler::add_ending_need(SchemaRule rule) {
  if (rule >= kSharedRules) endings_.add_need(rule - kSharedRules);
}

Result<void> SchemaCompiler::check_closure() {
  const auto n_rules = static_cast<uint32_t>(places_.size());
  const uint32_t circle = openings_.find_failing(n_rules);
  if (circle < n_rules) {
    return Error(Status::malformed, "schemas that lead back to themselves before any text",
                 places_[circle].main_keyword, places_[circle].value.where());
  }
  const uint32_t endless = endings_.find_failing(n_rules);
  if (endless < n_rules) {
    return Error(Status::unsupported, "every value of the schema is endless",
                 places_[endless].value.where());
  }
  return {};
}

void SchemaCompiler::append_shared_rules() {
  for (uint32_t known = 0; known != shared_;) {
    known = shared_;
    for (size_t i = 0; i < kSharedRules; ++i) {
      if ((known >> i & 1) != 0) shared_ |= kSchemaSharedTexts[i].uses;
    }
  }
  for (size_t i = 0; i < kSharedRules; ++i) {
    if ((shared_ >> i & 1) == 0) continue;
    out_ += kSchemaSharedTexts[i].name;
    out_ += " ::= ";
    out_ += kSchemaSharedTexts[i].body;
    out_ += '\n';
  }
}

}  // namespace detail

Result<String> json_schema_grammar(std::string_view schema, const AllocatorHooks& hooks) {
  if (schema.size() > kSchemaMaxBytes) {
    return Error(Status::unsupported, "a JSON Schema of over 1 MiB is not read");
  }
  return catch_out_of_memory([&]() -> Result<String> {
    const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(schema.data()),
                                         schema.size());
    TERN_TRY_ASSIGN(const JsonDocument document, JsonDocument::parse(bytes, hooks));
    return detail::SchemaCompiler(document.root(), hooks).compile();
  });
}

TERN_NAMESPACE_END
