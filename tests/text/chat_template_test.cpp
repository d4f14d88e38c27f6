#include "tern/text/chat_template.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "text/template_fixture.hpp"

using tern::Status;
using tern_test::render_template;
using tern_test::template_error;
using tern_test::two_turns;
using tern_test::write;

namespace {

struct Row {
  const char* source;
  const char* written;
};

void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    INFO(row.source);
    CHECK(write(row.source) == row.written);
  }
}

/// "{{ EXPRESSION }}" for each.
void check_expressions(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    INFO(row.source);
    CHECK(write("{{ " + std::string(row.source) + " }}") == row.written);
  }
}

}  // namespace

TEST_CASE("literals print as Python does", "[template]") {
  check_expressions(
      {{"'a' \"b\"", "ab"},
       {"'\\n\\t\\\\\\'\\\"|\\x41\\u00e4\\U0001F600\\q'", "\n\t\\'\"|A\xC3\xA4\xF0\x9F\x98\x80\\q"},
       {"'a\\\nb'", "ab"},
       {"12", "12"},
       {"1_000", "1000"},
       {"-7", "-7"},
       {"+7", "7"},
       {"9223372036854775807", "9223372036854775807"},
       {"-9223372036854775807 - 1", "-9223372036854775808"},
       {"true", "True"},
       {"False", "False"},
       {"none", "None"},
       {"undefined_name", ""},
       {"(1)", "1"},
       {"[1, 2, 3,][1]", "2"},
       {"(1, 2)[0]", "1"},
       {"{'a': 1, 'b': 2, 'a': 3,}['a']", "3"},
       {"{}|length", "0"}});
}

TEST_CASE("operators calculate as Python does, and bind as Jinja's", "[template]") {
  check_expressions({{"1 + 2 * 3", "7"},
                     {"(1 + 2) * 3", "9"},
                     {"7 // 2", "3"},
                     {"-7 // 2", "-4"},
                     {"7 % 3", "1"},
                     {"-7 % 3", "2"},
                     {"7 % -3", "-2"},
                     {"7 % -1", "0"},
                     {"5 - 2 - 1", "2"},
                     {"-2 * -3", "6"},
                     {"true + true", "2"},
                     {"'a' + 'b' + 'c'", "abc"},
                     {"'a' ~ 1 ~ none ~ x ~ true", "a1NoneTrue"},
                     {"'ab' * 3", "ababab"},
                     {"2 * 'x' * 2", "xxxx"},
                     {"'x' * -1", ""},
                     {"([1] + [2, 3])|length", "3"},
                     {"not true", "False"},
                     {"not 1 == 2", "True"},
                     {"not not 1", "True"},
                     {"1 and 2", "2"},
                     {"0 and 2", "0"},
                     {"'' or 'x' or 'y'", "x"},
                     {"0 or none", "None"},
                     {"1 or 0 and 0", "1"},
                     {"'a' if true else 'b'", "a"},
                     {"'a' if false", ""},
                     {"'a' if 0 else 'b' if 0 else 'c'", "c"},
                     {"1 + 1 if true else 5", "2"}});
  CHECK(template_error("{{ 1 + 2 ~ 3 }}").status == Status::invalid_argument);
}

TEST_CASE("comparisons and membership", "[template]") {
  check_expressions({{"1 == 1", "True"},
                     {"1 == true", "True"},
                     {"1 == '1'", "False"},
                     {"none == none", "True"},
                     {"x == y", "True"},
                     {"'a' != 'b'", "True"},
                     {"[1, 'a'] == [1, 'a']", "True"},
                     {"[1] == [1, 2]", "False"},
                     {"{'a': 1} == {'a': 1}", "True"},
                     {"1 < 2", "True"},
                     {"2 <= 1", "False"},
                     {"2 > 1", "True"},
                     {"1 >= 2", "False"},
                     {"'a' < 'b'", "True"},
                     {"1 < 2 < 3", "True"},
                     {"1 < 3 < 2", "False"},
                     {"3 > 2 == 2", "True"},
                     {"'b' in 'abc'", "True"},
                     {"'' in 'a'", "True"},
                     {"'ac' not in 'abc'", "True"},
                     {"2 in [1, 2]", "True"},
                     {"3 not in [1, 2]", "True"},
                     {"'a' in {'a': 1}", "True"},
                     {"'x' in nothing", "False"}});
}

TEST_CASE("parts count characters, from either end", "[template]") {
  check_expressions({{"'a\xC3\xA4z'[1]", "\xC3\xA4"},
                     {"'abc'[-1]", "c"},
                     {"'abc'[5]", ""},
                     {"[1, 2, 3][-3]", "1"},
                     {"[1, 2][2] is defined", "False"},
                     {"'abcd'[1:]", "bcd"},
                     {"'abcd'[:-1]", "abc"},
                     {"'abcd'[1:3]", "bc"},
                     {"'abcd'[::-1]", "dcba"},
                     {"'abcd'[::2]", "ac"},
                     {"'abcd'[3:0:-2]", "db"},
                     {"'\xC3\xA4\xC3\xB6\xC3\xBC'[1:]", "\xC3\xB6\xC3\xBC"},
                     {"'abcd'[10:]", ""},
                     {"'abcd'[-10:2]", "ab"},
                     {"'abcd'[2:1]", ""},
                     {"'abcd'[none:2]", "ab"},
                     {"[1, 2, 3][1:]|join", "23"},
                     {"[1, 2, 3][::-1]|join", "321"},
                     {"[][::-1]|length", "0"},
                     {"'ab'[::-9223372036854775807]", "b"},
                     {"{'k': {'n': 5}}.k.n", "5"},
                     {"{'k': 5}['k']", "5"},
                     {"{1: 'x'}[1]", "x"},
                     {"{'k': 5}.missing is undefined", "True"}});
}

TEST_CASE("conditions, loops and their variable", "[template]") {
  check({{"{% if 0 %}a{% elif '' %}b{% elif 1 %}c{% else %}d{% endif %}", "c"},
         {"{% if 0 %}a{% else %}d{% endif %}", "d"},
         {"{% if 0 %}a{% endif %}", ""},
         {"{% for x in [1, 2, 3] %}{{ x }},{% endfor %}", "1,2,3,"},
         {"{% for x in 'a\xC3\xA4' %}{{ x }},{% endfor %}", "a,\xC3\xA4,"},
         {"{% for k in {'a': 1, 'b': 2} %}{{ k }}{% endfor %}", "ab"},
         {"{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}{{ v }}{% endfor %}", "a1b2"},
         {"{% for x in nothing %}a{% else %}none{% endfor %}", "none"},
         {"{% for x in [1] %}a{% else %}none{% endfor %}", "a"},
         {"{% for x in range(6) if x % 2 == 1 %}{{ x }}/{{ loop.length }} {% endfor %}",
          "1/3 3/3 5/3 "},
         {"{% for x in range(3) if x > 5 %}{% else %}none{% endfor %}", "none"},
         {"{% for x in 'abc' %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}"
          "{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }} {% endfor %}",
          "1032TrueFalse3 2121FalseFalse3 3210FalseTrue3 "},
         {"{% for x in 'abc' %}[{{ loop.previtem }}{{ x }}{{ loop.nextitem }}]{% endfor %}",
          "[ab][abc][bc]"},
         {"{% for x in range(5) %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}"
          "{% if x == 3 %}{% break %}{% endif %}{% endfor %}",
          "023"},
         {"{% for x in [1, 2] %}{% for y in [3, 4] %}{{ loop.index }}{% endfor %}{{ loop.index }}"
          "{% endfor %}",
          "121122"},
         {"{% for x in range(1, 10, 4) %}{{ x }}{% endfor %}|{% for x in range(3, 0, -1) %}{{ x }}"
          "{% endfor %}",
          "159|321"},
         {"{% generation %}a{{ 1 }}{% endgeneration %}", "a1"}});
}

TEST_CASE("a loop's names stay inside a turn, a namespace's do not", "[template]") {
  check({{"{% set x = 1 %}{% for i in [1, 2] %}{{ x }}{% set x = 5 %}{{ x }}{% endfor %}{{ x }}",
          "15151"},
         {"{% set x = 1 %}{% if true %}{% set x = 2 %}{% endif %}{{ x }}", "2"},
         {"{% set ns = namespace(n=0, s='a') %}{% for i in [1, 2] %}{% set ns.n = ns.n + i %}"
          "{% set ns.new = i %}{% endfor %}{{ ns.n }}{{ ns.s }}{{ ns.new }}{{ ns.nothing }}",
          "3a2"},
         {"{% set x %}a{{ 1 }}{% endset %}[{{ x }}]", "[a1]"},
         {"{% set loop_messages = messages %}{{ loop_messages|length }}", "0"}});
}

TEST_CASE("macros take positions, names and defaults, and see the top's names", "[template]") {
  check({{"{% macro m(a, b='x', c=a) %}<{{ a }}{{ b }}{{ c }}>{% endmacro %}"
          "{{ m(1) }}{{ m(1, 2) }}{{ m(c=3, a=1) }}{{ m() }}",
          "<1x1><121><1x3><x>"},
         {"{% set g = 7 %}{% macro m() %}{{ g }}{{ i }}{% endmacro %}"
          "{% for i in [1] %}{{ m() }}{% endfor %}",
          "7"},
         {"{% macro fall(n) %}{{ n }}{% if n > 0 %}{{ fall(n - 1) }}{% endif %}{% endmacro %}"
          "{{ fall(3) }}",
          "3210"},
         {"{% macro m() %}x{% endmacro %}{{ m() + m() }}{{ m is defined }}", "xxTrue"}});
}

TEST_CASE("filters", "[template]") {
  check_expressions({{"'  a '|trim", "a"},
                     {"'xxaxx'|trim('x')", "a"},
                     {"5|trim", "5"},
                     {"'aB'|upper", "AB"},
                     {"'aB'|lower", "ab"},
                     {"'aB c'|capitalize", "Ab c"},
                     {"'ab cd-ef it\\'s'|title", "Ab Cd-Ef It's"},
                     {"'aXbX'|replace('X', 'yy')", "ayybyy"},
                     {"'aXbX'|replace('X', '', 1)", "abX"},
                     {"'a\xC3\xA4'|length", "2"},
                     {"[1, 2]|count", "2"},
                     {"nothing|length", "0"},
                     {"nothing|default('d')", "d"},
                     {"''|default('d')", ""},
                     {"''|default('d', true)", "d"},
                     {"''|default('d', boolean=true)", "d"},
                     {"none|d('x')", "None"},
                     {"nothing|default", ""},
                     {"[1, 'a', none]|join(', ')", "1, a, None"},
                     {"'abc'|join('-')", "a-b-c"},
                     {"[1, 2]|first", "1"},
                     {"'abc'|last", "c"},
                     {"[]|first is undefined", "True"},
                     {"'ab'|list|length", "2"},
                     {"5|string + 'x'", "5x"},
                     {"'a'|safe", "a"},
                     {"'a' + ' b '|trim", "ab"},
                     {"-1|string", "-1"},
                     {"({'a': 1}|items|first)[0]", "a"},
                     {"[{'k': 1}, {'k': 2}]|selectattr('k', 'equalto', 2)|list|length", "1"},
                     {"[{'k': 1}, {'k': 0}, {}]|selectattr('k')|list|length", "1"},
                     {"[{'k': 1}, {'k': 2}]|rejectattr('k', '==', 2)|list|length", "1"},
                     {"[1, 'a\"\\n\\x01\\xe4', true, none, {'k': []}]|tojson",
                      "[1, \"a\\\"\\n\\u0001\xC3\xA4\", true, null, {\"k\": []}]"}});
}

TEST_CASE("tests", "[template]") {
  check_expressions({{"x is defined", "False"},
                     {"x is undefined", "True"},
                     {"x is not defined", "True"},
                     {"none is none", "True"},
                     {"none is not none", "False"},
                     {"'a' is string", "True"},
                     {"{} is mapping", "True"},
                     {"[] is mapping", "False"},
                     {"[] is sequence and 'a' is iterable", "True"},
                     {"5 is iterable", "False"},
                     {"true is boolean", "True"},
                     {"1 is integer", "True"},
                     {"true is integer", "False"},
                     {"true is number", "True"},
                     {"true is true", "True"},
                     {"1 is true", "False"},
                     {"false is false", "True"},
                     {"4 is even", "True"},
                     {"-3 is odd", "True"},
                     {"6 is divisibleby 3", "True"},
                     {"6 is divisibleby(4)", "False"},
                     {"'a' is equalto 'a'", "True"},
                     {"1 is ne 2", "True"},
                     {"2 is in [1, 2]", "True"},
                     {"range is callable", "True"},
                     {"strftime_now is defined", "False"},
                     {"raise_exception is defined", "True"},
                     {"x is defined and x or 'no'", "no"},
                     {"x is defined == false", "True"}});
}

TEST_CASE("methods of texts and dicts", "[template]") {
  check_expressions({{"' a '.strip() + '|'", "a|"},
                     {"'xax'.lstrip('x') ~ ' a '.rstrip()", "ax a"},
                     {"'\xC3\xA4xy\xC3\xA4'.strip('x\xC3\xA4')", "y"},
                     {"'abc'.startswith('ab')", "True"},
                     {"'abc'.endswith(('x', 'c'))", "True"},
                     {"'a,b,,c'.split(',')|join('|')", "a|b||c"},
                     {"'a,b,c'.split(',', 1)|join('|')", "a|b,c"},
                     {"' a  b '.split()|join('|')", "a|b"},
                     {"''.split(',')|length", "1"},
                     {"''.split()|length", "0"},
                     {"'x</t>y'.split('</t>')[-1]", "y"},
                     {"'aB'.upper() + 'aB'.lower()", "ABab"},
                     {"'it\\'s ab'.title()", "It'S Ab"},
                     {"'aXa'.replace('a', 'b')", "bXb"},
                     {"','.join(['a', 'b'])", "a,b"},
                     {"{'a': 1}.get('a')", "1"},
                     {"{'a': 1}.get('b')", "None"},
                     {"{'a': 1}.get('b', 'c')", "c"},
                     {"{'a': 1, 'b': 2}.keys()|join", "ab"},
                     {"{'a': 1, 'b': 2}.values()|join", "12"}});
}

TEST_CASE("what a template is given", "[template]") {
  CHECK(render_template("{{ bos_token }}{{ eos_token }}{{ unk_token }}{{ pad_token is defined }}"
                        "{{ add_generation_prompt }}{{ tools is none }}{{ not documents }}"
                        "{% for m in messages %}{{ m.role }}{{ m['content'] }}{% endfor %}",
                        two_turns())
            .text == "<s></s><unk>FalseTrueTrueTrueuserHiassistantYes?user Why \n");
  CHECK(render_template("{{ add_generation_prompt }}", {}, {false, false}).text == "False");
}

TEST_CASE("a template refuses a conversation in its own words", "[template]") {
  const auto error = template_error(
      "{% if messages[0].role == 'user' %}{{ raise_exception('No ' + messages[0].role) }}{% endif "
      "%}",
      two_turns());
  CHECK(error.status == Status::invalid_argument);
  CHECK(std::string(error.subject) == "No user");
  CHECK(std::string(error.what) == "the chat template refuses the conversation");
  CHECK(error.where == 38);
}
