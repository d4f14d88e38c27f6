// JSON Schemas to grammars: the text of small ones, what is refused, and memory. What grammars
// derive is in json_schema_texts.hpp.
#include "tern/engine/json_schema.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "engine/json_schema_texts.hpp"
#include "support/counting_allocator.hpp"

namespace {

using tern::Status;

std::string gbnf_of(std::string_view schema) {
  const auto grammar = tern::json_schema_grammar(schema);
  INFO(schema);
  if (!grammar.ok()) FAIL(grammar.error().what << ": " << grammar.error().subject);
  return std::string(*grammar);
}

/// The grammar without the rules that all schemas share.
std::string own_rules_of(std::string_view schema) {
  const std::string grammar = gbnf_of(schema);
  std::string own;
  for (size_t begin = 0; begin < grammar.size();) {
    const size_t end = grammar.find('\n', begin) + 1;
    const std::string line = grammar.substr(begin, end - begin);
    const bool is_numbered = line[0] == 's' && line[1] >= '0' && line[1] <= '9';
    if (line.rfind("root", 0) == 0 || is_numbered) own += line;
    begin = end;
  }
  return own;
}

constexpr const char* kWs = R"(ws ::= | " " | "\n" [ \t]{0,20}
)";
constexpr const char* kString = R"(string ::= "\"" char* "\""
char ::= [^"\\\x00-\x1F] | "\\" (["\\/bfnrt] | "u00" [01] [0-9a-fA-F])
)";

}  // namespace

TEST_CASE("any value", "[json_schema]") {
  CHECK(gbnf_of("true") == std::string("root ::= value\n") + kWs +
                                  R"(value ::= object | array | string | number | boolean | null
object ::= "{" ws (member ("," ws member)* ws)? "}"
member ::= string ":" ws value
array ::= "[" ws (value ("," ws value)* ws)? "]"
)" + kString +
                                  R"(number ::= "-"? ("0" | [1-9] [0-9]{0,17}) ("." [0-9]{1,17})? )"
                                  R"(([eE] ("+" | "-")? [0-9]{1,2})?
boolean ::= "true" | "false"
null ::= "null"
)");
  CHECK(gbnf_of("{}") == gbnf_of("true"));
}

TEST_CASE("a grammar is its schema's rules and those that they use", "[json_schema]") {
  CHECK(gbnf_of(R"({"type":"object","required":["name"],"properties":{"name":{"type":"string"},
                       "age":{"type":"integer","minimum":0,"maximum":120}}})") ==
        R"(root ::= "{" ws "\"name\":" ws string ("," ws "\"age\":" ws s1)? ws "}"
s1 ::= [0-9] | [1-9] [0-9] | "1" [0-1] [0-9] | "120"
)" + std::string(kWs) +
            kString);
}

TEST_CASE("rules of each kind of schema", "[json_schema]") {
  struct Row {
    const char* schema;
    const char* rules;
  };
  for (const Row& row :
       {Row{R"({"type":"integer"})", "root ::= integer\n"},
        {R"({"type":["null","object"]})", "root ::= object | null\n"},
        {R"({"enum":["a\"\\\u0007\u00e9\ud83d\ude00",-1,null,[{}]]})",
         R"(root ::= "\"a\\\"\\\\\\u0007\u00E9\U0001F600\"" | "-1" | "null" | "[{}]")"
         "\n"},
        {R"({"type":"string","minLength":2,"maxLength":5})", R"(root ::= "\"" char{2,5} "\"")"
                                                             "\n"},
        {R"({"format":"date"})", R"(root ::= "\"" date "\"")"
                                 "\n"},
        {R"({"items":{"type":"null"},"minItems":2,"maxItems":4})",
         R"(root ::= "[" ws null ("," ws null){1,3} ws "]")"
         "\n"},
        {R"({"prefixItems":[{"type":"null"},{"type":"string"}],"items":false})",
         "root ::= \"[\" ws (null root-item-1 ws)? \"]\"\n"
         "root-item-1 ::= | \",\" ws string\n"},
        {R"({"properties":{"a":{},"b":{}}})",
         R"(root ::= "{" ws (root-from-1 ws)? "}"
root-from-1 ::= "\"a\":" ws value root-after-1 | root-from-2
root-after-1 ::= ("," ws "\"b\":" ws value)?
root-from-2 ::= "\"b\":" ws value
)"},
        {R"({"properties":{"a":{},"b":{},"c":{}},"required":["b"]})",
         R"(root ::= "{" ws ("\"a\":" ws value "," ws)? "\"b\":" ws value )"
         R"(("," ws "\"c\":" ws value)? ws "}")"
         "\n"},
        {R"({"required":["a"],"properties":{"a":{},"ab]":{}},)"
         R"("additionalProperties":{"type":"null"}})",
         R"(root ::= "{" ws "\"a\":" ws value ("," ws "\"ab]\":" ws value)? )"
         R"(("," ws root-more)* ws "}"
root-more ::= "\"" root-name-0 ":" ws null
root-name-0 ::= "\"" | [^"\\\x00-\x1Fa] name-rest | "a" root-name-1
root-name-1 ::= [^"\\\x00-\x1Fb] name-rest | "b" root-name-2
root-name-2 ::= "\"" | [^"\\\x00-\x1F\x5D] name-rest | "]" root-name-3
root-name-3 ::= [^"\\\x00-\x1F] name-rest
)"},
        {R"({"anyOf":[{"type":"string"},{"$ref":"#/anyOf/2"},{"items":{"$ref":"#"}},false]})",
         R"(root ::= string | s1 | s1
s1 ::= "[" ws (root ("," ws root)* ws)? "]"
)"},
        {R"({"$ref":"#/$defs/a","$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},"b":{"const":1}}})",
         "root ::= \"1\"\n"}}) {
    INFO(row.schema);
    CHECK(own_rules_of(row.schema) == row.rules);
  }
}

TEST_CASE("ranges of integers are few alternatives", "[json_schema]") {
  struct Row {
    const char* bounds;
    const char* rule;
  };
  for (const Row& row :
       {Row{R"("minimum":7,"maximum":7)", R"("7")"},
        {R"("minimum":-5,"maximum":-5)", R"("-" ("5"))"},
        {R"("minimum":99,"maximum":100)", R"("99" | "100")"},
        {R"("minimum":0,"maximum":255)",
         R"([0-9] | [1-9] [0-9] | "1" [0-9]{2} | "2" [0-4] [0-9] | "25" [0-5])"},
        {R"("minimum":1,"maximum":1000000)", R"([1-9] [0-9]{0,5} | "1000000")"},
        {R"("minimum":1200,"maximum":1499)", R"("1" [2-4] [0-9]{2})"},
        {R"("minimum":0)", R"([0-9] | [1-9] [0-9]{1,17})"},
        {R"("exclusiveMinimum":0)", R"([1-9] [0-9]{0,17})"},
        {R"("maximum":-100)", R"("-" ([1-9] [0-9]{2,17}))"},
        {R"("minimum":-123,"maximum":45)", R"("-" ([1-9] [0-9]? | "1" [0-1] [0-9] | "12" [0-3]) | )"
                                           R"([0-9] | [1-3] [0-9] | "4" [0-5])"}}) {
    INFO(row.bounds);
    const std::string schema = R"({"type":"integer",)" + std::string(row.bounds) + "}";
    CHECK(gbnf_of(schema) == "root ::= " + std::string(row.rule) + "\n");
  }
}

TEST_CASE("the tables of texts and ranges have grammars in ASCII", "[json_schema]") {
  std::vector<std::string_view> schemas;
  for (const auto& row : tern_test::schema_texts()) schemas.push_back(row.schema);
  for (const auto& row : tern_test::schema_ranges()) schemas.push_back(row.schema);
  for (const std::string_view schema : schemas) {
    INFO(schema);
    const std::string grammar = gbnf_of(schema);
    CHECK(grammar.rfind("root ::= ", 0) == 0);
    for (const char c : grammar) CHECK((c == '\n' || (c >= ' ' && c <= '~')));
  }
}

TEST_CASE("what is not supported is refused by name and byte", "[json_schema]") {
  struct Row {
    const char* schema;
    const char* subject;
    uint64_t where;
  };
  for (const Row& row :
       {Row{R"({"type":"string","pattern":"a"})", "pattern", 30},
        {R"({"type":"integer","multipleOf":2})", "multipleOf", 32},
        {R"({"patternProperties":{}})", "patternProperties", 21},
        {R"({"propertyNames":{}})", "propertyNames", 17},
        {R"({"unevaluatedProperties":false})", "unevaluatedProperties", 30},
        {R"({"not":{}})", "not", 7},
        {R"({"if":{}})", "if", 6},
        {R"({"contains":{}})", "contains", 12},
        {R"({"nullable":true})", "nullable", 16},
        {R"({"items":{"items":{"x":1}}})", "x", 24},
        {R"({"properties":{"a":{"$id":"b"}}})", "$id", 29},
        {R"({"uniqueItems":true})", "uniqueItems", 19},
        {R"({"type":"number","minimum":0})", "minimum", 28},
        {R"({"exclusiveMaximum":0})", "exclusiveMaximum", 21},
        {R"({"type":"integer","minimum":0.5})", "minimum", 31},
        {R"({"minLength":1.0})", "minLength", 16},
        {R"({"format":"date","maxLength":10})", "date", 16},
        {R"({"enum":[1,1.5]})", "", 14},
        {R"({"const":[{"a":1e1}]})", "", 18},
        {R"({"minProperties":2,"properties":{"a":{},"b":{}}})", "minProperties", 18},
        {R"({"maxProperties":1,"properties":{"a":{},"b":{}}})", "maxProperties", 18},
        {R"({"maxProperties":1})", "maxProperties", 18},
        {R"({"allOf":[{},{}]})", "allOf", 9},
        {R"({"anyOf":[{}],"type":"null"})", "type", 27},
        {R"({"$ref":"#","minimum":1})", "minimum", 23},
        {R"({"enum":[1],"minimum":1})", "minimum", 23},
        {R"({"const":1,"enum":[1]})", "enum", 18},
        {R"({"$ref":"other.json"})", "other.json", 20},
        {R"({"$ref":"#name"})", "#name", 15},
        // A oneOf whose branches have a value in common, or may have.
        {R"({"oneOf":[{"type":"integer"},{"type":"number"}]})", "oneOf", 29},
        {R"({"oneOf":[{"properties":{}},{"type":"null"}]})", "oneOf", 28},
        {R"({"oneOf":[{"enum":["a","b"]},{"enum":["b","c"]}]})", "oneOf", 29},
        {R"({"oneOf":[{"const":[1]},{"const":[2]}]})", "oneOf", 24},
        {R"({"oneOf":[{"const":1},{"enum":[1.0]}]})", "oneOf", 22},
        {R"({"oneOf":[{"type":"object","properties":{"k":{"const":1}}},
                   {"type":"object","properties":{"k":{"const":2}},"required":["k"]}]})",
         "oneOf", 79},
        {R"({"oneOf":[{"type":["object","null"],"properties":{"k":{"const":1}},"required":["k"]},
                   {"type":["object","null"],"properties":{"k":{"const":2}},"required":["k"]}]})",
         "oneOf", 105},
        {R"({"oneOf":[{},{}]})", "oneOf", 13},
        // Nothing is valid.
        {"false", "", 5},
        {R"({"$ref":"#/$defs/a","$defs":{"a":false}})", "", 0},
        {R"({"type":"string","enum":[1]})", "enum", 24},
        {R"({"enum":[]})", "enum", 8},
        {R"({"anyOf":[false]})", "anyOf", 9},
        {R"({"type":"integer","minimum":3,"maximum":2})", "maximum", 0},
        {R"({"type":"integer","minimum":1000000000000000000})", "minimum", 0},
        {R"({"type":"integer","exclusiveMaximum":-999999999999999999})", "maximum", 0},
        {R"({"minLength":3,"maxLength":2})", "maxLength", 28},
        {R"({"minItems":2,"maxItems":1})", "minItems", 13},
        {R"({"minItems":1,"items":false})", "minItems", 13},
        {R"({"properties":{"a":false},"required":["a"]})", "a", 24},
        {R"({"required":["a"],"additionalProperties":false})", "a", 12},
        {R"({"properties":{},"minProperties":1})", "minProperties", 34},
        {R"({"properties":{"a":{"$ref":"#"}},"required":["a"]})", "", 0},
        {R"({"items":{"minItems":1,"items":{"$ref":"#/items"}}})", "", 9},
        {R"({"additionalProperties":{"$ref":"#"},"minProperties":1})", "", 0}}) {
    INFO(row.schema);
    const auto grammar = tern::json_schema_grammar(row.schema);
    REQUIRE_FALSE(grammar.ok());
    CHECK(grammar.error().status == Status::unsupported);
    CHECK(std::string(grammar.error().subject) == row.subject);
    CHECK(grammar.error().where == row.where);
  }
}

TEST_CASE("what is no schema is refused by name and byte", "[json_schema]") {
  struct Row {
    const char* schema;
    const char* subject;
    uint64_t where;
  };
  for (const Row& row : {Row{"", "", 0},
                         {"{} {}", "", 3},
                         {"1", "", 1},
                         {"[]", "", 0},
                         {R"({"items":1})", "items", 10},
                         {R"({"items":[{}]})", "items", 9},
                         {R"({"properties":{"a":null}})", "", 23},
                         {R"({"properties":[]})", "properties", 14},
                         {R"({"type":"text"})", "text", 14},
                         {R"({"type":["null",1]})", "", 17},
                         {R"({"type":[]})", "type", 8},
                         {R"({"title":1})", "title", 10},
                         {R"({"required":[1]})", "required", 14},
                         {R"({"minLength":-1})", "minLength", 15},
                         {R"({"minLength":"1"})", "minLength", 16},
                         {R"({"exclusiveMinimum":true})", "exclusiveMinimum", 24},
                         {R"({"anyOf":[]})", "anyOf", 9},
                         {R"({"properties":{"a":{},"b":{},"a":{}}})", "a", 33},
                         {R"({"$ref":"#/a"})", "#/a", 13},
                         {R"({"$ref":"#/$defs/x","$defs":{}})", "#/$defs/x", 19},
                         {R"({"$ref":"#/$defs/~2","$defs":{}})", "#/$defs/~2", 20},
                         {R"({"$ref":"#/%4"})", "#/%4", 14},
                         {R"({"anyOf":[{"$ref":"#/anyOf/01"}]})", "#/anyOf/01", 30},
                         {R"({"anyOf":[{"$ref":"#/anyOf/1"}]})", "#/anyOf/1", 29},
                         {R"({"$ref":"#"})", "$ref", 0},
                         {R"({"anyOf":[{"$ref":"#"},{"type":"null"}]})", "anyOf", 0},
                         {R"({"items":{"anyOf":[{"anyOf":[{"$ref":"#/items"}]}]}})", "anyOf", 9}}) {
    INFO(row.schema);
    const auto grammar = tern::json_schema_grammar(row.schema);
    REQUIRE_FALSE(grammar.ok());
    CHECK(grammar.error().status == Status::malformed);
    CHECK(std::string(grammar.error().subject) == row.subject);
    CHECK(grammar.error().where == row.where);
  }
}

TEST_CASE("an object of one member may end by another than itself", "[json_schema]") {
  CHECK(tern::json_schema_grammar(R"({"minProperties":1,"properties":{"a":{"$ref":"#"},"b":{}}})")
            .ok());
  CHECK(tern::json_schema_grammar(R"({"anyOf":[{"minItems":1,"items":{"$ref":"#"}},{"const":1}]})")
            .ok());
}

TEST_CASE("long schemas are refused, or have grammars as long", "[json_schema]") {
  CHECK(tern::json_schema_grammar(std::string(tern::kSchemaMaxBytes + 1, ' ')).status() ==
        Status::unsupported);
  const std::string name(100'000, 'a');
  CHECK(tern::json_schema_grammar(R"({"properties":{")" + name +
                                  R"(":{}},"additionalProperties":{}})")
            .status() == Status::unsupported);
  std::string chain = R"({"$ref":"#/$defs/0","$defs":{)";
  for (int i = 0; i < 100; ++i) {
    const std::string next = std::to_string(i + 1);
    chain += '"' + std::to_string(i) + R"(":{"$ref":"#/$defs/)" + next + "\"},";
  }
  CHECK(tern::json_schema_grammar(chain + R"("100":{}}})").status() == Status::malformed);
  std::string properties;
  for (int i = 0; i < 2000; ++i)
    properties += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":{}";
  const std::string grammar = gbnf_of(R"({"properties":{)" + properties + "}}");
  CHECK(grammar.size() < 20 * properties.size());
  std::string deep = "true";
  for (size_t i = 0; i < 30; ++i) deep = R"({"items":)" + deep + "}";
  CHECK(own_rules_of(deep).size() < 30 * 50);
}

TEST_CASE("schemas use the hooks' memory and give it back", "[json_schema]") {
  const std::string_view schema = tern_test::schema_texts().back().schema;
  tern_test::CountingAllocator counter;
  {
    const auto grammar = tern::json_schema_grammar(schema, counter.hooks());
    REQUIRE(grammar.ok());
    CHECK(std::string(*grammar) == gbnf_of(schema));
    CHECK(counter.calls > 0);
  }
  CHECK(counter.live == 0);
}

#if defined(__cpp_exceptions)  // without, a refused small allocation ends the program
TEST_CASE("memory that ends is a status, wherever it ends", "[json_schema]") {
  for (const auto& row : tern_test::schema_texts()) {
    for (size_t budget = 0;; budget += 100) {
      tern_test::CountingAllocator counter;
      counter.budget = budget;
      const bool ok = [&] {
        const auto grammar = tern::json_schema_grammar(row.schema, counter.hooks());
        CHECK((grammar.ok() || grammar.status() == Status::out_of_memory));
        return grammar.ok();
      }();
      CHECK(counter.live == 0);
      if (ok) break;
    }
  }
}
#endif
