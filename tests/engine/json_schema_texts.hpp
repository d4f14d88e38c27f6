// Schemas with texts that their grammars must and must not derive, and ranges of integers, for what
// reads the grammars.
//
// A text of `accepted` is valid against its schema. A text of `refused` is not valid, or valid in a
// way that grammars leave out (a space before a colon, members in another order).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace tern_test {

struct SchemaTexts {
  std::string_view schema;
  std::vector<std::string_view> accepted;
  std::vector<std::string_view> refused;
};

/// Integers low..high, whatever else the schema says.
struct SchemaRange {
  std::string_view schema;
  int64_t low;
  int64_t high;
};

inline constexpr int64_t kMostOfSchema = 999'999'999'999'999'999;

inline const std::vector<SchemaRange>& schema_ranges() {
  static const std::vector<SchemaRange> ranges = {
      {R"({"type":"integer"})", -kMostOfSchema, kMostOfSchema},
      {R"({"type":"integer","minimum":-123,"maximum":45})", -123, 45},
      {R"({"type":"integer","minimum":0,"maximum":9})", 0, 9},
      {R"({"type":"integer","minimum":7,"maximum":7})", 7, 7},
      {R"({"type":"integer","minimum":0,"maximum":0})", 0, 0},
      {R"({"type":"integer","minimum":-1,"maximum":0})", -1, 0},
      {R"({"type":"integer","minimum":99,"maximum":100})", 99, 100},
      {R"({"type":"integer","minimum":-5,"maximum":-5})", -5, -5},
      {R"({"type":"integer","minimum":-1000,"maximum":-10})", -1000, -10},
      {R"({"type":"integer","minimum":1,"maximum":1000000})", 1, 1000000},
      {R"({"type":"integer","minimum":10,"maximum":99})", 10, 99},
      {R"({"type":"integer","minimum":101,"maximum":1099})", 101, 1099},
      {R"({"type":"integer","minimum":1199,"maximum":1511})", 1199, 1511},
      {R"({"type":"integer","minimum":-1990,"maximum":1987})", -1990, 1987},
      {R"({"type":"integer","minimum":0})", 0, kMostOfSchema},
      {R"({"type":"integer","minimum":1})", 1, kMostOfSchema},
      {R"({"type":"integer","minimum":1234})", 1234, kMostOfSchema},
      {R"({"type":"integer","exclusiveMinimum":-10})", -9, kMostOfSchema},
      {R"({"type":"integer","exclusiveMaximum":0})", -kMostOfSchema, -1},
      {R"({"type":"integer","maximum":1001})", -kMostOfSchema, 1001},
      {R"({"type":"integer","minimum":0,"exclusiveMinimum":0,"maximum":256,)"
       R"("exclusiveMaximum":256})",
       1, 255},
      {R"({"type":"integer","minimum":-9223372036854775808,"maximum":9223372036854775807})",
       -kMostOfSchema, kMostOfSchema},
      {R"({"type":"integer","minimum":999999999999999998})", kMostOfSchema - 1, kMostOfSchema},
  };
  return ranges;
}

inline const std::vector<SchemaTexts>& schema_texts() {
  static const std::vector<SchemaTexts> texts = {
      // Any value.
      {"true",
       {"null", "true", "-0", "0.50", "12e-9", R"("")", "[]", "{}", R"([1, [2,{"a":null }],"x"])",
        "{\n  \"a\": [\n\t1\n  ]\n}"},
       {"", " 1", "1 ", "nul", "01", "1.", ".5", "+1", "1e100", "[1,]", "[,1]", "{1:2}",
        R"({"a" :1})", R"({"a":1 ,"b":2})", "[1 ,2]", "[  1]", "[\r\n1]", R"("a)", "'a'"}},
      {"{}", {"1", "[[[[]]]]", R"({"a":{"b":{}}})"}, {"[[[[]]]", "{\"a\"}"}},
      {R"({"description":"anything","$comment":"at all"})", {"false", "[]"}, {"undefined"}},
      // Types.
      {R"({"type":"null"})", {"null"}, {"Null", "\"null\"", "0", ""}},
      {R"({"type":"boolean"})", {"true", "false"}, {"True", "1", "\"true\"", "truefalse"}},
      {R"({"type":"integer"})",
       {"0", "7", "-7", "10", "999999999999999999"},
       {"-0", "00", "1.0", "1e2", "", "-", "1000000000000000000", "\"1\""}},
      {R"({"type":"number"})",
       {"0", "-0", "1.0", "-12.50", "1e2", "1E+2", "0.5e-10"},
       {"00", "1.", ".1", "1e", "1e+", "--1", "+1", "NaN", "1e999", "Infinity"}},
      {R"({"type":"array"})",
       {"[]", "[1]", "[ ]", "[\n1,\n\"a\"\n]", "[[],{}]"},
       {"{}", "[", "[1 2]", "[1,,2]", "[1]]"}},
      {R"({"type":"object"})",
       {"{}", "{ }", R"({"a":1})", R"({"a": 1, "b": {"c": []}})", R"({"":null})"},
       {"[]", "{\"a\":}", "{,}", R"({"a":1,})", R"({"a":1 "b":2})"}},
      {R"({"type":["string","null","integer"]})",
       {"null", "\"a\"", "5", "-5"},
       {"1.5", "true", "[]", "{}"}},
      {R"({"type":["object","array"],"items":{"type":"null"},"required":["a"]})",
       {"[]", "[null]", R"({"a":1})", R"({"a":null,"b":2})"},
       {"{}", "[1]", R"({"b":1})", "null"}},
      // Types that keywords speak of.
      {R"({"properties":{"a":{"type":"null"}}})",
       {"{}", R"({"a":null})"},
       {"1", "[]", R"({"a":1})"}},
      {R"({"items":{"maxLength":1}})", {"[]", R"(["a",""])"}, {R"(["ab"])", "\"a\"", "[1]"}},
      // Strings.
      {R"({"type":"string"})",
       {R"("")", R"("a b")", "\"\xC3\xA9\xF0\x9F\x98\x80\"", R"("\"\\\/\b\f\n\r\t")",
        R"("\u0000\u001F")", "\"\x7F\""},
       {"\"\n\"", "\"\t\"", R"("\x")", R"("\u0041")", R"("\ud83d\ude00")", R"("a)", R"(a")",
        R"("\")", "\"\xFF\"", "\"\xC0\x80\"", "\"\xED\xA0\x80\""}},
      {R"({"type":"string","minLength":2,"maxLength":3})",
       {R"("ab")", R"("abc")", "\"\xC3\xA9\xC3\xA9\"", R"("\n\n")", R"("\u0001a")",
        "\"\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80\""},
       {R"("")", R"("a")", R"("abcd")", "\"\xC3\xA9\"", R"("\n")", R"("\n\n\n\n")"}},
      {R"({"type":"string","minLength":1})", {R"("a")", R"("abcdefghij")"}, {R"("")", "1"}},
      {R"({"type":"string","maxLength":0})", {R"("")"}, {R"("a")", R"(" ")"}},
      {R"({"minLength":3,"maxLength":3})", {R"("abc")"}, {R"("ab")", R"("abcd")", "123"}},
      {R"({"type":"string","format":"email"})", {R"("whatever")", R"("")"}, {"1"}},
      {R"({"type":"string","format":"date"})",
       {R"("2024-02-29")", R"("2000-02-29")", R"("2023-02-28")", R"("1999-12-31")",
        R"("2024-04-30")", R"("1600-02-29")", R"("1012-02-29")"},
       {R"("2023-02-29")", R"("1900-02-29")", R"("2100-02-29")", R"("2024-04-31")",
        R"("2024-13-01")", R"("2024-00-10")", R"("2024-01-00")", R"("2024-01-32")", R"("24-01-01")",
        R"("2024-1-1")", R"("")", "2024-01-01"}},
      {R"({"type":"string","format":"time"})",
       {R"("00:00:00Z")", R"("23:59:59.123456+05:30")", R"("12:30:00.5-00:00")"},
       {R"("24:00:00Z")", R"("12:60:00Z")", R"("12:00:60Z")", R"("12:00:00")", R"("12:00Z")",
        R"("12:00:00.Z")", R"("12:00:00+24:00")", R"("1:00:00Z")"}},
      {R"({"format":"date-time"})",
       {R"("2024-02-29T12:00:00Z")", R"("1985-04-12T23:20:50.52Z")",
        R"("1996-12-19T16:39:57-08:00")"},
       {R"("2023-02-29T12:00:00Z")", R"("2024-02-29 12:00:00Z")", R"("2024-02-29T25:00:00Z")",
        R"("2024-02-29")", R"("2024-02-29T12:00:00")"}},
      {R"({"type":"string","format":"uuid"})",
       {R"("123e4567-e89b-12d3-a456-426614174000")", R"("00000000-0000-0000-0000-0000000000FF")"},
       {R"("123e4567e89b12d3a456426614174000")", R"("123e4567-e89b-12d3-a456-42661417400")",
        R"("123e4567-e89b-12d3-a456-4266141740000")", R"("g23e4567-e89b-12d3-a456-426614174000")",
        R"("")"}},
      // Constants.
      {R"({"enum":["red","green",1,null,true,[1,{"a":"b"}]]})",
       {R"("red")", R"("green")", "1", "null", "true", R"([1,{"a":"b"}])"},
       {R"("re")", R"("redgreen")", "2", "false", "red", R"([1, {"a":"b"}])", "[1]", ""}},
      {R"({"type":"string","enum":["a",1,"b",null]})",
       {R"("a")", R"("b")"},
       {"1", "null", R"("c")"}},
      {R"({"type":"integer","enum":[1,10,-3]})", {"1", "10", "-3"}, {"0", "3", "11", "-1"}},
      {R"({"const":"q\"\\\n\u0001/\u00e9"})",
       {"\"q\\\"\\\\\\n\\u0001/\xC3\xA9\""},
       {"\"q\\\"\\\\\\n\\u0001\\/\xC3\xA9\"", R"("q")", R"("q\"\\\n\u0001/\u00e9")"}},
      {R"({"const":null,"title":"nothing"})", {"null"}, {"0", "\"\"", "{}"}},
      {R"({"const":{"b":[],"a":{"c":-5}}})",
       {R"({"b":[],"a":{"c":-5}})"},
       {R"({"a":{"c":-5},"b":[]})", R"({"b":[]})", "{}"}},
      // Objects.
      {R"({"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]})",
       {R"({"a":1})", R"({"a": 1})", R"({ "a":1 })", "{\n  \"a\": 1\n}"},
       {"{}", R"({"a":"1"})", R"({"a":1,})", R"({"b":1})", R"({"a":1,"b":1})", R"({"a":1,"a":2})",
        R"({"A":1})", R"({"a" :1})"}},
      {R"({"type":"object","properties":{"a":{"const":1},"b":{"const":2},"c":{"const":3}}})",
       {"{}", "{ }", R"({"a":1})", R"({"b":2})", R"({"c":3})", R"({"a":1,"b":2})",
        R"({"a":1,"c":3})", R"({"b":2,"c":3})", R"({"a":1, "b":2,"c":3 })"},
       {R"({,"a":1})", R"({"a":1,})", R"({"a":1"b":2})", R"({"b":2,"a":1})", R"({"a":1,,"c":3})",
        R"({"a":1,"a":1})", R"({"d":4})", R"({"a":2})", "{ \n}"}},
      {R"({"type":"object","required":["b","d"],"properties":{"a":{"const":1},"b":{"const":2},)"
       R"("c":{"const":3},"d":{"const":4},"e":{"const":5}}})",
       {R"({"b":2,"d":4})", R"({"a":1,"b":2,"d":4})", R"({"b":2,"c":3,"d":4})",
        R"({"b":2,"d":4,"e":5})", R"({"a":1,"b":2,"c":3,"d":4,"e":5})"},
       {"{}", R"({"b":2})", R"({"d":4})", R"({"a":1,"d":4})", R"({"a":1"b":2,"d":4})",
        R"({,"b":2,"d":4})", R"({"b":2,"d":4,})", R"({"b":2,,"d":4})", R"({"d":4,"b":2})",
        R"({"b":2,"c":3"d":4})"}},
      {R"({"type":"object","properties":{}})", {"{}", "{ }"}, {R"({"a":1})", "[]"}},
      {R"({"type":"object","additionalProperties":false})", {"{}"}, {R"({"a":1})"}},
      {R"({"type":"object","properties":{"a":{}},"additionalProperties":false})",
       {"{}", R"({"a":[1]})"},
       {R"({"b":1})", R"({"a":1,"b":1})"}},
      {R"({"type":"object","additionalProperties":{"type":"integer"}})",
       {"{}", R"({"a":1})", R"({"a":1,"b":-2})", R"({"":0,"\n":1})", R"({"a":1,"a":2})"},
       {R"({"a":null})", R"({"a":1,"b":null})", R"({"a":1,})", R"({a:1})"}},
      {R"({"type":"object","minProperties":1,"additionalProperties":{"type":"null"}})",
       {R"({"a":null})", R"({"a":null, "b":null})"},
       {"{}", "{ }", R"({"a":1})"}},
      // Additional names are none of the properties', in no spelling.
      {R"({"type":"object","properties":{"a":{"const":1},"ab":{"const":2},"b/":{"const":3}},)"
       R"("additionalProperties":{"type":"null"}})",
       {"{}", R"({"a":1})", R"({"x":null})", R"({"":null})", R"({"abc":null,"b":null})",
        R"({"a":1,"aa":null})", R"({"ab":2,"b/":3,"b//":null,"x":null})", R"({"b/":3})",
        "{\"a\xC3\xA9\":null}"},
       {R"({"a":null})", R"({"ab":null})", R"({"b/":null})", R"({"b\/":null})",
        R"({"x":null,"a":1})", R"({"x":null,"a":null})", R"({"a":1,"ab":null})", R"({"x":1})",
        R"({"\u0061":null})", R"({"x":null,})"}},
      {R"({"type":"object","properties":{"\u00e9t\u00e9":{"const":1},"-]":{"const":2},)"
       R"("q\"":{"const":3}},"required":["-]"],"additionalProperties":true})",
       {R"({"-]":2})", "{\"\xC3\xA9t\xC3\xA9\":1,\"-]\":2}", R"({"-]":2,"q\"":3})",
        R"({"-]":2,"q\"":3,"q":4,"-":5,"]":6})", "{\"-]\":2,\"\xC3\xA9\":null}"},
       {"{}", R"({"-]":3})", R"({"x":1,"-]":2})", "{\"-]\":2,\"\xC3\xA9t\xC3\xA9\":2}",
        R"({"-]":2,"-]":2})", R"({"-]":2,"q\"":4})"}},
      {R"({"type":"object","properties":{"a":false,"b":{"const":1}},)"
       R"("additionalProperties":{"const":2}})",
       {"{}", R"({"b":1})", R"({"b":1,"c":2})", R"({"aa":2})"},
       {R"({"a":2})", R"({"a":1})", R"({"b":2})"}},
      {R"({"type":"object","required":["id"],"properties":{"a":{"const":1}}})",
       {R"({"id":7})", R"({"a":1,"id":[]})"},
       {"{}", R"({"a":1})", R"({"id":7,"a":1})", R"({"id":7,"b":1})"}},
      {R"({"required":["id"],"additionalProperties":{"type":"string"}})",
       {R"({"id":"x"})", R"({"id":"x","y":"z"})"},
       {"{}", R"({"id":1})", R"({"y":"z"})", R"({"id":"x","id":"y"})"}},
      {R"({"type":"object","properties":{"":{"const":1}},"additionalProperties":{"const":2}})",
       {R"({"":1})", R"({"a":2})", R"({"":1,"a":2})"},
       {R"({"":2})", R"({"a":1})"}},
      {R"({"type":"object","maxProperties":2,"properties":{"a":{},"b":{}},)"
       R"("required":["a"],"minProperties":1})",
       {R"({"a":0})", R"({"a":0,"b":0})"},
       {"{}", R"({"b":0})"}},
      // Arrays.
      {R"({"type":"array","items":{"type":"integer"},"minItems":2,"maxItems":4})",
       {"[1,2]", "[1, 2, 3]", "[1,2,3,4]"},
       {"[]", "[1]", "[1,2,3,4,5]", "[1,\"2\"]", "[1,2,]"}},
      {R"({"type":"array","items":{"type":"integer"},"minItems":1})",
       {"[1]", "[1,2,3,4,5,6,7,8,9]"},
       {"[]", "[ ]", "[null]"}},
      {R"({"type":"array","maxItems":1})", {"[]", "[null]", "[ {} ]"}, {"[1,2]", "[1,]"}},
      {R"({"type":"array","maxItems":0})", {"[]", "[ ]"}, {"[1]", "[null]"}},
      {R"({"type":"array","items":false})", {"[]"}, {"[1]"}},
      {R"({"type":"array","minItems":3,"maxItems":3,"items":{"type":"boolean"},)"
       R"("uniqueItems":false})",
       {"[true,true,false]"},
       {"[true,true]", "[true,true,true,true]"}},
      {R"({"type":"array","prefixItems":[{"const":1},{"const":2},{"const":3}],)"
       R"("items":{"type":"null"}})",
       {"[]", "[1]", "[1,2]", "[1,2,3]", "[1,2,3,null]", "[1,2,3,null,null]"},
       {"[2]", "[1,3]", "[1,null]", "[1,2,null]", "[null]", "[1,2,3,4]"}},
      {R"({"type":"array","prefixItems":[{"const":1},{"const":2},{"const":3}],)"
       R"("items":false,"minItems":2})",
       {"[1,2]", "[1,2,3]"},
       {"[]", "[1]", "[1,2,3,4]", "[1,2,3,3]"}},
      {R"({"type":"array","prefixItems":[{"const":1},false,{"const":3}]})",
       {"[]", "[1]"},
       {"[1,2]", "[1,3]", "[3]"}},
      {R"({"type":"array","prefixItems":[{"const":1},{"const":2}],"minItems":3,"maxItems":4})",
       {"[1,2,{}]", "[1,2,3,4]"},
       {"[1,2]", "[1,2,3,4,5]", "[2,1,3]"}},
      {R"({"type":"array","prefixItems":[{"const":1},{"const":2}],"maxItems":1})",
       {"[]", "[1]"},
       {"[1,2]", "[2]"}},
      {R"({"items":{"items":{"type":"integer","minimum":0,"maximum":1}}})",
       {"[]", "[[]]", "[[0,1],[1]]"},
       {"[0]", "[[2]]", "[[[]]]"}},
      // Branches and references.
      {R"({"anyOf":[{"type":"string"},{"type":"null"},{"type":"integer","maximum":0},false]})",
       {"null", "\"x\"", "0", "-12"},
       {"1", "true", "[]"}},
      {R"({"anyOf":[{"type":"integer","minimum":1,"maximum":5},)"
       R"({"type":"integer","minimum":4,"maximum":8}]})",
       {"1", "4", "5", "8"},
       {"0", "9", "45"}},
      {R"({"oneOf":[{"type":"string"},{"type":"number"},{"type":"array","items":{"const":0}}]})",
       {"\"\"", "1.5", "[0]"},
       {"null", "[1]", "{}"}},
      {R"({"oneOf":[{"const":"a","title":"first"},{"enum":["b","c"]},{"type":"integer"}]})",
       {"\"a\"", "\"b\"", "\"c\"", "4"},
       {"\"d\"", "null"}},
      {R"({"oneOf":[{"$ref":"#/$defs/cat"},{"$ref":"#/$defs/dog"}],"$defs":{)"
       R"("cat":{"type":"object","properties":{"kind":{"const":"cat"},)"
       R"("lives":{"type":"integer"}},"required":["kind"]},)"
       R"("dog":{"type":"object","properties":{"kind":{"enum":["dog","wolf"]},)"
       R"("name":{"type":"string"}},"required":["kind","name"]}}})",
       {R"({"kind":"cat"})", R"({"kind":"cat","lives":9})", R"({"kind":"dog","name":"x"})",
        R"({"kind":"wolf","name":""})"},
       {"{}", R"({"kind":"dog"})", R"({"kind":"cow"})", R"({"kind":"cat","name":"x"})",
        R"({"lives":9})"}},
      {R"({"allOf":[{"$ref":"#/$defs/name"}],"title":"x",)"
       R"("$defs":{"name":{"type":"string","maxLength":2}}})",
       {"\"\"", "\"ab\""},
       {"\"abc\"", "1"}},
      {R"({"type":"object","properties":{"value":{"type":"integer"},"next":{"$ref":"#"}},)"
       R"("required":["value"]})",
       {R"({"value":1})", R"({"value":1,"next":{"value":2}})",
        R"({"value":1,"next":{"value":2,"next":{"value":3}}})"},
       {R"({"next":{"value":2}})", R"({"value":1,"next":{}})", R"({"value":1,"next":null})"}},
      {R"({"$ref":"#/$defs/tree","$defs":{"tree":{"type":"array","items":)"
       R"({"anyOf":[{"$ref":"#/$defs/tree"},{"type":"boolean"}]}}}})",
       {"[]", "[true]", "[[],[[false]],true]"},
       {"true", "[1]", "[[]"}},
      {R"({"$ref":"#/definitions/a~1b~0c%20d/anyOf/1",)"
       R"("definitions":{"a/b~c d":{"anyOf":[true,{"const":5}]}}})",
       {"5"},
       {"4", "null"}},
      {R"({"type":"object","properties":{"a":{"$ref":"#/properties/b"},"b":{"type":"null"}},)"
       R"("required":["a","b"]})",
       {R"({"a":null,"b":null})"},
       {R"({"a":1,"b":null})", R"({"a":null})"}},
      // A tool's arguments.
      {R"({"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"weather",)"
       R"("title":"Weather","type":"object","properties":{)"
       R"("city":{"type":"string","minLength":1,"description":"A city"},)"
       R"("days":{"type":"integer","minimum":1,"maximum":14,"default":1},)"
       R"("units":{"anyOf":[{"enum":["metric","imperial"]},{"type":"null"}],"default":null},)"
       R"("tags":{"type":"array","items":{"type":"string"}}},)"
       R"("required":["city"],"additionalProperties":false})",
       {R"({"city":"Oslo"})", R"({"city": "Oslo", "days": 14, "units": "metric"})",
        "{\n  \"city\": \"Oslo\",\n  \"units\": null,\n  \"tags\": [\n    \"a\",\n    \"b\"\n  "
        "]\n}"},
       {R"({"city":""})", R"({"days":1})", R"({"city":"Oslo","days":15})",
        R"({"city":"Oslo","units":"kelvin"})", R"({"city":"Oslo","tags":["a",1]})",
        R"({"city":"Oslo","extra":1})"}},
  };
  return texts;
}

}  // namespace tern_test
