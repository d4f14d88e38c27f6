// What chat templates may not do: constructs beyond the subset, limits, and control tokens from
// contents. Serves template_run.hpp, template_parser.hpp and template_value.hpp.
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "support/counting_allocator.hpp"
#include "text/template_fixture.hpp"

using tern::ChatMessage;
using tern::ChatRole;
using tern::Status;
using tern_test::compile;
using tern_test::render_template;
using tern_test::template_error;

TEST_CASE("what is beyond the subset is refused by name and byte", "[template]") {
  struct Row {
    const char* source;
    const char* subject;
    uint64_t where;
  };
  for (const Row& row : {Row{"a{% include 'x' %}", "include", 4},
                         {"{% import 'x' as y %}", "import", 3},
                         {"{% extends 'x' %}", "extends", 3},
                         {"{% block b %}{% endblock %}", "block", 3},
                         {"{% raw %}{% endraw %}", "raw", 3},
                         {"{% call f() %}{% endcall %}", "call", 3},
                         {"{% filter upper %}a{% endfilter %}", "filter", 3},
                         {"{% for x in y recursive %}{% endfor %}", "recursive", 14},
                         {"{% set a, b = c %}", ",", 8},
                         {"{{ a|sort }}", "sort", 5},
                         {"{{ a is escaped }}", "escaped", 8},
                         {"{{ 1 / 2 }}", "/", 5},
                         {"{{ 2 ** 3 }}", "**", 5},
                         {"{{ 99999999999999999999 }}", "99999999999999999999", 3},
                         {"{{ '\\101' }}", "'\\101'", 3},
                         {"{{ strftime_now('%d') }}", "strftime_now", 3},
                         {"{{ f(1).g }}", "f", 3},
                         {"{{ 'a'.encode() }}", "encode", 7},
                         {"{{ [].append(1) }}", "append", 6},
                         {"{{ 'a'|trim(1, 2) }}", "trim", 7},
                         {"{{ 'a'|trim(x=1) }}", "x", 7},
                         {"{{ [1]|tojson(indent=2) }}", "tojson(indent)", 7},
                         {"{{ '%s' % 1 }}", "%", 8},
                         {"{{ [1, 2] }}", "{{ ... }}", 0},
                         {"{{ '\xC3\xA4'|upper }}", "\xC3\xA4", 8},
                         {"{% for x in [1] %}{{ loop.cycle }}{% endfor %}", "cycle", 26},
                         {"{% macro m() %}{% endmacro %}{{ m(1) }}", "m", 32},
                         {"{{ namespace({}) }}", "namespace", 3}}) {
    INFO(row.source);
    const auto error = template_error(row.source);
    CHECK(error.status == Status::unsupported);
    CHECK(std::string(error.subject) == row.subject);
    CHECK(error.where == row.where);
  }
}

TEST_CASE("what is no template is refused at its byte", "[template]") {
  struct Row {
    const char* source;
    const char* subject;
    uint64_t where;
  };
  for (const Row& row : {Row{"{% if x %}a", "", 11},
                         {"{% endif %}", "endif", 3},
                         {"{% if x %}{% endfor %}", "endfor", 13},
                         {"{% else %}", "else", 3},
                         {"{% break %}", "break", 3},
                         {"{{ }}", "}}", 3},
                         {"{{ 1 2 }}", "2", 5},
                         {"{{ (1 }}", "{{", 0},
                         {"{{ 1) }}", ")", 4},
                         {"{{ a. }}", "}}", 6},
                         {"{{ a[] }}", "]", 5},
                         {"{{ a[1:2:3:4] }}", ":", 10},
                         {"{{ {1} }}", "}", 5},
                         {"{{ x not y }}", "y", 9},
                         {"{% for in x %}{% endfor %}", "x", 10},
                         {"{% for x x %}{% endfor %}", "x", 9},
                         {"{% set 1 = 2 %}", "1", 7},
                         {"{% 1 %}", "1", 3},
                         {"{{ '\\ud800' }}", "'\\ud800'", 3},
                         {"{{ '\\xg0' }}", "'\\xg0'", 3}}) {
    INFO(row.source);
    const auto error = template_error(row.source);
    CHECK(error.status == Status::malformed);
    CHECK(std::string(error.subject) == row.subject);
    CHECK(error.where == row.where);
  }
}

TEST_CASE("values that do not fit are told with what stands there", "[template]") {
  for (const char* source : {"{{ a.b.c }}",
                             "{{ 1 + 'a' }}",
                             "{{ 1 // 0 }}",
                             "{{ 1 % 0 }}",
                             "{{ 'a' < 1 }}",
                             "{{ 1 in 2 }}",
                             "{{ 9223372036854775807 + 1 }}",
                             "{{ 5|length }}",
                             "{{ -'a' }}",
                             "{% for x in 5 %}{% endfor %}",
                             "{% for a, b in [[1]] %}{% endfor %}",
                             "{% for a, b in [[1, 2, 3]] %}{% endfor %}",
                             "{% set x = 1 %}{% set x.y = 2 %}",
                             "{{ 'a'[::0] }}",
                             "{{ 'a'['b':] }}",
                             "{{ 'a'.split('') }}",
                             "{{ 'a'|replace('', 'b') }}",
                             "{{ range('a') }}",
                             "{{ x|tojson }}",
                             "{{ 'a' is even }}",
                             "{{ {1: 2}|tojson }}",
                             "{{ 5[1:] }}",
                             "{{ 'a'.startswith(1) }}",
                             "{{ range(-9223372036854775807, 5) }}"}) {
    INFO(source);
    const auto error = template_error(source);
    CHECK(error.status == Status::invalid_argument);
    CHECK(error.has_where());
    CHECK(error.has_subject());
  }
  CHECK(std::string(template_error("x\n{{ a.b.c }}\ny").subject) == "b.c }}");
}

TEST_CASE("bombs end with a status", "[template]") {
  const std::string doubling =
      "{% set ns = namespace(x='aaaaaaaa') %}{% for i in range(60) %}"
      "{% set ns.x = ns.x + ns.x %}{% endfor %}";
  const std::string nest =
      "{% set ns = namespace(x=[]) %}{% for i in range(500) %}"
      "{% set ns.x = [ns.x, ns.x] %}{% endfor %}";
  const std::string deep = std::string(100, '(') + "1" + std::string(100, ')');
  const std::string lists = std::string(1000, '[') + std::string(1000, ']');
  std::string filters;
  for (int i = 0; i < 1000; ++i) filters += "|trim";
  std::string blocks;
  for (int i = 0; i < 100; ++i) blocks += "{% if 1 %}";
  std::string negations;
  for (int i = 0; i < 1000; ++i) negations += "not ";
  for (const std::string& source :
       {std::string("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}"),
        std::string("{{ range(1000000000) }}"), std::string("{{ 'abcdefgh' * 1000000000 }}"),
        std::string("{% for i in range(9999) %}{{ 'abcdefgh' * 999 }}{% endfor %}"), doubling,
        nest + "{{ ns.x == ns.x }}", nest + "{{ ns.x|tojson }}",
        std::string("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"),
        std::string("{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}"),
        "{{ " + deep + " }}", "{{ 'a'" + filters + " }}", blocks, "{{ " + negations + "1 }}",
        "{{ " + std::string(1000, '-') + "1 }}", "{{ " + lists + " }}"}) {
    INFO(source.substr(0, 80));
    CHECK(template_error(source).status == Status::unsupported);
  }
  CHECK(template_error(std::string(tern::ChatTemplate::kMaxBytes + 1, 'a')).status ==
        Status::unsupported);
}

TEST_CASE("long sums and chains do not count as deep", "[template]") {
  std::string sum = "{{ 'a'";
  for (int i = 0; i < 500; ++i) sum += " + 'a'";
  CHECK(tern_test::write(sum + " }}") == std::string(501, 'a'));
  std::string choice = "{% if 0 %}";
  for (int i = 0; i < 500; ++i) choice += "{% elif 0 %}";
  CHECK(tern_test::write(choice + "{% else %}x{% endif %}") == "x");
}

TEST_CASE("a large content passes through a template", "[template]") {
  const std::string content(3'000'000, 'x');
  const auto out = render_template(
      "{% for m in messages %}{{ '[' + m.role + ']' + m.content | trim + eos_token }}{% endfor %}",
      {{ChatRole::user, content}});
  CHECK(out.text == "[user]" + content + "</s>");
}

TEST_CASE("compiling allocates no more than the template justifies", "[template]") {
  for (const std::string part :
       {"{{1+1}}", "a", "{{a(b)[c:d]|d}}", "{%if 1%}{%endif%}", "{{1*1+1}}"}) {
    std::string source;
    while (source.size() < 10000) source += part;
    tern_test::CountingAllocator counter;
    counter.budget = 40 * source.size() + 512;
    {
      const auto compiled = tern::ChatTemplate::compile(source, {}, counter.hooks());
      INFO(part << " " << counter.peak);
      CHECK(compiled.ok());
      CHECK(counter.refused == 0);
    }
    CHECK(counter.live == 0);
  }
}

TEST_CASE("no memory is a status, wherever it ends", "[template]") {
  const std::vector<ChatMessage> messages = {{ChatRole::user, "Hello"}};
  for (size_t budget = 0;; budget += 200) {
    tern_test::CountingAllocator counter;
    counter.budget = budget;
    const auto compiled = tern::ChatTemplate::compile(
        "{% macro m(x) %}{{ x }}{% endmacro %}{{ m(messages[0].content ~ '!') }}",
        tern_test::kTokens, counter.hooks());
    if (!compiled.ok()) {
      CHECK(compiled.status() == Status::out_of_memory);
      continue;
    }
    const auto prompt = compiled->render(messages, {});
    if (prompt.ok()) break;
    CHECK(prompt.status() == Status::out_of_memory);
  }
}

TEST_CASE("contents stay plain text whatever a template does with them", "[template]") {
  struct Row {
    const char* expression;
    const char* marked;
  };
  const std::vector<ChatMessage> messages = {{ChatRole::user, " <|im_end|>,b"}};
  for (const Row& row :
       {Row{"c", "{ <|im_end|>,b}"},
        {"c|trim", "{<|im_end|>,b}"},
        {"'<' + c|trim + '>'", "<{<|im_end|>,b}>"},
        {"'<' ~ c ~ '>'", "<{ <|im_end|>,b}>"},
        {"c[1:11]", "{<|im_end|>}"},
        {"c[::-1][2:]", "{>|dne_mi|< }"},
        {"c[1] + 'x'", "{<}x"},
        {"c.split(',')[0].strip()", "{<|im_end|>}"},
        {"c.split(',')|join('<|im_start|>')", "{ <|im_end|>}<|im_start|>{b}"},
        {"c.replace(',', '<s>')", "{ <|im_end|>}<s>{b}"},
        {"'a,b'.replace(',', c)", "a{ <|im_end|>,b}b"},
        {"'-'|replace('-', c|trim)", "{<|im_end|>,b}"},
        {"c|upper", "{ <|IM_END|>,B}"},
        {"(c + 'x')|capitalize", "{ <|im_end|>,b}x"},
        {"c * 2", "{ <|im_end|>,b <|im_end|>,b}"},
        {"[c]|tojson", "[\"{ <|im_end|>,b}\"]"},
        {"c|list|join", "{ <|im_end|>,b}"},
        {"c|first ~ c|last", "{ b}"},
        {"(c ~ '')|string", "{ <|im_end|>,b}"},
        {"m('[', c)", "[{ <|im_end|>,b}]"},
        {"s", "({ <|im_end|>,b})"},
        {"ns.c ~ d.k ~ {c: 1}.keys()|first", "{ <|im_end|>,b <|im_end|>,b <|im_end|>,b}"},
        {"','.join([c|trim, c[0]])", "{<|im_end|>,b},{ }"},
        {"x|default(c)", "{ <|im_end|>,b}"},
        {"c if c else ''", "{ <|im_end|>,b}"},
        {"c or ''", "{ <|im_end|>,b}"}}) {
    const std::string source =
        "{% macro m(a, b) %}{{ a }}{{ b }}]{% endmacro %}{% set c = messages[0]['content'] %}"
        "{% set s %}({{ c }}){% endset %}{% set ns = namespace(c=c) %}{% set d = {'k': c} %}{{ " +
        std::string(row.expression) + " }}";
    INFO(row.expression);
    CHECK(render_template(source, messages).marked == row.marked);
  }
}

TEST_CASE("JSON escapes of contents are contents", "[template]") {
  CHECK(
      render_template("{{ messages[0].content|tojson }}", {{ChatRole::user, "a\n\"\x01"}}).marked ==
      "\"{a\\n\\\"\\u0001}\"");
}

TEST_CASE("a compiled template can be moved and outlives its source", "[template]") {
  auto source = std::make_unique<std::string>("{{ 'a\\n' + messages[0].content }}");
  tern::ChatTemplate first = compile(*source);
  source->assign(source->size(), '?');
  source.reset();
  const tern::ChatTemplate second = std::move(first);
  const std::vector<ChatMessage> messages = {{ChatRole::user, "x"}};
  const auto prompt = second.render(messages, {});
  REQUIRE(prompt.ok());
  REQUIRE(prompt->segments().size() == 2);
  CHECK(prompt->segments()[0].text == "a\n");
  CHECK(prompt->segments()[1].text == "x");
}
