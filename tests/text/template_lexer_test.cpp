#include "tern/text/template_lexer.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "text/template_fixture.hpp"

using tern::detail::TemplateLexer;
using tern::detail::TemplateToken;
using tern::detail::TemplateTokenKind;
using tern_test::write;

TEST_CASE("the line feed behind a block or comment goes, behind an output it stays", "[template]") {
  CHECK(write("a\n{% if true %}\nb\n{% endif %}\nc") == "a\nb\nc");
  CHECK(write("{% if true %}\n\nb{% endif %}") == "\nb");
  CHECK(write("{{ 1 }}\n{{ 2 }}\nx") == "1\n2\nx");
  CHECK(write("a{# c #}\nb") == "ab");
  CHECK(write("a{% if true +%}\nb{% endif %}") == "a\nb");
}

TEST_CASE("indentation in front of a block or comment goes, other text stays", "[template]") {
  CHECK(write("  {% if true %}x{% endif %}") == "x");
  CHECK(write("a\n \t{% if true %}x{% endif %}") == "a\nx");
  CHECK(write("a  {% if true %}x{% endif %}") == "a  x");
  CHECK(write("a\n  {{ 1 }}") == "a\n  1");
  CHECK(write("a\n  {# c #}b") == "a\nb");
  CHECK(write("a\n  {%+ if true %}x{% endif %}") == "a\n  x");
  // Indentation behind a tag counts only where its line feed was taken.
  CHECK(write("{% if true %}\n  {% endif %}x") == "x");
  CHECK(write("{% if true %}  {% endif %}x") == "  x");
  CHECK(write("{# c #}\n  {% if true %}x{% endif %}") == "x");
  CHECK(write("{{ 1 }}  {% if true %}x{% endif %}") == "1  x");
}

TEST_CASE("hyphens take all whitespace beside a tag", "[template]") {
  CHECK(write("a \n {{- 1 -}} \n\t b") == "a1b");
  CHECK(write("a \n {%- if true -%} \n x \n {%- endif -%} \n b") == "axb");
  CHECK(write("a \n {#- c -#} \n b") == "ab");
  CHECK(write("a \xC2\xA0{{- 1 }}") == "a1");
  CHECK(write("{{ 1 -}}\n  {% if true %}x{% endif %}") == "1x");
  CHECK(write("{#-#} x") == " x");
}

TEST_CASE("the last line feed goes, and line ends are line feeds", "[template]") {
  CHECK(write("a\n") == "a");
  CHECK(write("a\n\n") == "a\n");
  CHECK(write("a\r\nb\rc\r\n") == "a\nb\nc");
  CHECK(write("\n") == "");
  CHECK(write("") == "");
}

TEST_CASE("braces that begin no tag are text, and brackets hide the ends of tags", "[template]") {
  CHECK(write("{ } {a} %} }} { {") == "{ } {a} %} }} { {");
  CHECK(write("{{ {'a': {'b': '}}'}}.a.b }}") == "}}");
  CHECK(write("{{ '%}' }}{% if '%}' %}x{% endif %}") == "%}x");
  CHECK(write("a{") == "a{");
}

TEST_CASE("tokens know their places", "[template]") {
  TemplateLexer lexer("ab{{ x1 + 'y' }}");
  std::vector<std::string> texts;
  std::vector<uint32_t> places;
  for (;;) {
    const auto token = lexer.next();
    REQUIRE(token.ok());
    if (token->kind == TemplateTokenKind::end) break;
    texts.emplace_back(token->text);
    places.push_back(token->where);
  }
  CHECK(texts == std::vector<std::string>{"ab", "{{", "x1", "+", "'y'", "}}"});
  CHECK(places == std::vector<uint32_t>{0, 2, 5, 8, 10, 14});
}

TEST_CASE("what is not closed, and what begins nothing, is refused at its place", "[template]") {
  struct Row {
    const char* source;
    const char* subject;
    uint64_t where;
  };
  for (const Row& row : {Row{"ab{# c", "{#", 2},
                         {"ab{{ x", "{{", 2},
                         {"{% if x", "{%", 0},
                         {"{{ 'x }}", "'x }}", 3},
                         {"{{ 'x\\' }}", "'x\\' }}", 3},
                         {"{{ a ? b }}", "?", 5},
                         {"{{ \xC3\xA4 }}", "\xC3\xA4", 3},
                         {"{{ a; b }}", ";", 4}}) {
    const auto error = tern_test::template_error(row.source);
    INFO(row.source);
    CHECK(error.status == tern::Status::malformed);
    CHECK(std::string(error.subject) == row.subject);
    CHECK(error.where == row.where);
  }
  for (const char* number : {"1.5", "1e5", "0x10", "12ab"}) {
    const auto error = tern_test::template_error("{{ " + std::string(number) + " }}");
    CHECK(error.status == tern::Status::unsupported);
    CHECK(std::string(error.subject) == number);
  }
}
