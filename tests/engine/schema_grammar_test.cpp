// Grammars of JSON schemas, run: every text of the tables byte by byte, and whole ranges of integers.
#include <catch2/catch.hpp>

#include "engine/json_schema_texts.hpp"
#include "tern/engine/json_schema.hpp"
#include "text/grammar_fixture.hpp"

using namespace tern_test;

namespace {

std::shared_ptr<tern::Grammar> schema_grammar(std::string_view schema,
                                              const tern::Tokenizer& tokenizer) {
  const auto gbnf = tern::json_schema_grammar(schema, tern::default_allocator());
  INFO(schema);
  REQUIRE(gbnf.ok());
  return grammar_of(*gbnf, tokenizer);
}

}  // namespace

TEST_CASE("grammars of schemas match the texts that are valid against them, and no others") {
  const tern::Tokenizer tokenizer = grammar_tokenizer();
  for (const SchemaTexts& texts : schema_texts()) {
    INFO(texts.schema);
    const auto grammar = schema_grammar(texts.schema, tokenizer);
    for (const std::string_view text : texts.accepted) {
      INFO(text);
      CHECK(matches(*grammar, text));
    }
    for (const std::string_view text : texts.refused) {
      INFO(text);
      CHECK_FALSE(matches(*grammar, text));
    }
  }
}

TEST_CASE("grammars of integers match every integer of their range, and no other") {
  const tern::Tokenizer tokenizer = grammar_tokenizer();
  for (const SchemaRange& range : schema_ranges()) {
    INFO(range.schema);
    const auto grammar = schema_grammar(range.schema, tokenizer);
    const auto check = [&](int64_t value) {
      const bool is_inside = value >= range.low && value <= range.high;
      if (matches(*grammar, std::to_string(value)) != is_inside) {
        INFO(value);
        CHECK_FALSE(is_inside);
        FAIL("an integer on the wrong side");
      }
    };
    for (int64_t value = -2000; value <= 2000; ++value) check(value);
    for (int64_t power = 1000; power <= 100'000'000'000'000'000; power *= 10) {
      for (const int64_t near : {power - 1, power, power + 1}) {
        check(near);
        check(-near);
      }
    }
    for (const int64_t edge : {range.low, range.high}) {
      for (int64_t step = -1; step <= 1; ++step) {
        const int64_t value = edge + step;
        if (value >= -kMostOfSchema && value <= kMostOfSchema) check(value);
      }
    }
    for (const char* text : {"", "-", "-0", "01", "+1", "1.0", "1e1", " 1"}) {
      INFO(text);
      CHECK_FALSE(matches(*grammar, text));
    }
  }
}
