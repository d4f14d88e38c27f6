// Grammars, masks, scores and features through the C ABI.
#include <cmath>
#include <string>

#include "capi_fixture.hpp"

using namespace capi_test;

namespace {

GrammarPtr open_grammar(const ModelPtr& model, std::string_view text,
                        int32_t kind = TERN_GRAMMAR_GBNF) {
  tern_grammar* grammar = nullptr;
  const tern_status status =
      tern_grammar_create(model.get(), kind, text.data(), text.size(), &grammar);
  INFO(tern_last_error_message());
  REQUIRE(status == TERN_OK);
  return GrammarPtr(grammar);
}

std::string text_of(const ModelPtr& model, int32_t token) {
  const char* piece = nullptr;
  size_t size = 0;
  REQUIRE(tern_model_token_piece(model.get(), token, &piece, &size) == TERN_OK);
  return {piece, size};
}

}  // namespace

TEST_CASE("generating with a grammar is masking, sampling and accepting in turns") {
  const auto model = load_stories();
  const auto prompt = tokenize(model, "Tom had a pet: ");
  constexpr std::string_view kSchema =
      R"({"type":"object","properties":{"name":{"enum":["Max","Tim"]},"age":{"type":"integer",)"
      R"("minimum":1,"maximum":9}},"required":["name","age"]})";
  const auto grammar = open_grammar(model, kSchema, TERN_GRAMMAR_JSON_SCHEMA);
  tern_grammar* fork = nullptr;
  REQUIRE(tern_grammar_fork(grammar.get(), &fork) == TERN_OK);
  const GrammarPtr by_hand_grammar(fork);

  const auto session = open_session(model);
  evaluate(session, prompt);
  tern_generate_options options;
  tern_generate_options_init(&options);
  options.grammar = grammar.get();
  Collected collected;
  uint32_t n_tokens = 0;
  int32_t reason = 0;
  REQUIRE(tern_session_generate(session.get(), &options, Collected::on_text, &collected, &n_tokens,
                                &reason) == TERN_OK);
  CHECK(reason == TERN_STOP_GRAMMAR);
  CHECK(tern_grammar_is_finished(grammar.get()) == 1);
  CHECK(collected.text.front() == '{');
  CHECK(collected.text.back() == '}');

  const auto by_hand = open_session(model);
  evaluate(by_hand, prompt);
  std::string text;
  uint32_t n_by_hand = 0;
  while (tern_grammar_is_finished(fork) == 0) {
    tern_sampler_options sampler;
    tern_sampler_options_init(&sampler);
    REQUIRE(tern_grammar_mask(fork, &sampler.mask, &sampler.mask_size) == TERN_OK);
    int32_t token = 0;
    REQUIRE(tern_session_sample(by_hand.get(), &sampler, &token) == TERN_OK);
    REQUIRE(tern_grammar_accept(fork, token) == TERN_OK);
    text += text_of(model, token);
    const uint64_t* mask = nullptr;
    size_t mask_size = 0;
    REQUIRE(tern_grammar_mask(fork, &mask, &mask_size) == TERN_OK);
    REQUIRE(tern_session_set_mask(by_hand.get(), mask, mask_size) == TERN_OK);
    evaluate(by_hand, {token});
    ++n_by_hand;
  }
  CHECK(text == collected.text);
  CHECK(n_by_hand == n_tokens);
  CHECK(tern_grammar_may_end(fork) == 1);
  REQUIRE(tern_session_set_mask(by_hand.get(), nullptr, 0) == TERN_OK);
  REQUIRE(tern_grammar_reset(fork) == TERN_OK);
  CHECK(tern_grammar_may_end(fork) == 0);
}

TEST_CASE("a grammar outlives its model's handle, and what it says is checked") {
  auto model = load(tiny_bytes());
  const auto grammar = open_grammar(model, "root ::= \"th\" | \"t\" [a-c]");
  const auto other = load(tiny_bytes());
  model.reset();
  const uint64_t* mask = nullptr;
  size_t mask_size = 0;
  REQUIRE(tern_grammar_mask(grammar.get(), &mask, &mask_size) == TERN_OK);
  CHECK(mask_size == (kTinyVocab + 63) / 64);
  CHECK(mask['t' / 64] == uint64_t{1} << ('t' % 64));
  CHECK(mask[259 / 64] == uint64_t{1} << (259 % 64));
  check_failed(tern_grammar_accept(grammar.get(), 'a'), TERN_INVALID_ARGUMENT,
               "a: the grammar does not allow the token");
  check_failed(tern_grammar_accept(grammar.get(), kTinyVocab), TERN_TOKEN_OUT_OF_RANGE,
               "a token id is outside the vocabulary");
  REQUIRE(tern_grammar_accept(grammar.get(), 't') == TERN_OK);
  REQUIRE(tern_grammar_accept(grammar.get(), 'b') == TERN_OK);
  CHECK(tern_grammar_is_finished(grammar.get()) == 1);
  // Of another model, although its file is the same.
  const auto session = open_session(other);
  evaluate(session, {5});
  tern_generate_options options;
  tern_generate_options_init(&options);
  options.grammar = grammar.get();
  Collected collected;
  check_failed(tern_session_generate(session.get(), &options, Collected::on_text, &collected,
                                     nullptr, nullptr),
               TERN_INVALID_ARGUMENT, "the grammar is of another model");
}

TEST_CASE("wrong arguments of grammars, masks, scores and features have statuses") {
  const auto model = load(tiny_bytes());
  tern_grammar* out = nullptr;
  const auto create = [&](int32_t kind, std::string_view text) {
    return tern_grammar_create(model.get(), kind, text.data(), text.size(), &out);
  };
  check_failed(create(2, "root ::= \"a\""), TERN_INVALID_ARGUMENT, "kind: no such kind of grammar");
  check_failed(create(TERN_GRAMMAR_GBNF, "root ::= x"), TERN_MALFORMED,
               "x: the grammar has no rule of that name at byte 9");
  CHECK(create(TERN_GRAMMAR_JSON_SCHEMA, "{") == TERN_MALFORMED);
  CHECK(create(TERN_GRAMMAR_JSON_SCHEMA, R"({"pattern":"a"})") == TERN_UNSUPPORTED);
  CHECK(tern_grammar_create(nullptr, 0, "", 0, &out) == TERN_INVALID_ARGUMENT);
  CHECK(tern_grammar_create(model.get(), 0, nullptr, 1, &out) == TERN_INVALID_ARGUMENT);
  CHECK(tern_grammar_create(model.get(), 0, "", 0, nullptr) == TERN_INVALID_ARGUMENT);
  CHECK(out == nullptr);
  const auto bare_bytes = tiny_writer(false).build();
  const auto bare = load(bare_bytes);
  CHECK(tern_grammar_create(bare.get(), 0, "root ::= \"a\"", 12, &out) ==
        TERN_UNSUPPORTED_TOKENIZER);
  CHECK(tern_grammar_fork(nullptr, &out) == TERN_INVALID_ARGUMENT);
  CHECK(tern_grammar_reset(nullptr) == TERN_INVALID_ARGUMENT);
  CHECK(tern_grammar_accept(nullptr, 0) == TERN_INVALID_ARGUMENT);
  CHECK(tern_grammar_may_end(nullptr) == 0);
  CHECK(tern_grammar_is_finished(nullptr) == 1);
  const uint64_t* mask = nullptr;
  size_t size = 7;
  CHECK(tern_grammar_mask(nullptr, &mask, &size) == TERN_INVALID_ARGUMENT);
  CHECK(size == 0);
  tern_grammar_free(nullptr);

  const auto session = open_session(model);
  const uint64_t word = 1;
  CHECK(tern_session_set_mask(session.get(), &word, 1) == TERN_INVALID_ARGUMENT);
  CHECK(tern_session_set_mask(session.get(), &word, 0) == TERN_INVALID_ARGUMENT);
  CHECK(tern_session_set_mask(session.get(), nullptr, 1) == TERN_INVALID_ARGUMENT);
  const float* features = nullptr;
  check_failed(tern_session_features(session.get(), &features, &size), TERN_INVALID_ARGUMENT,
               "no features: evaluate tokens first");
  const int32_t tokens[] = {5, 6, 7};
  double log_probs[3] = {};
  CHECK(tern_session_score(session.get(), tokens, 3, nullptr) == TERN_INVALID_ARGUMENT);
  CHECK(tern_session_score(session.get(), tokens, 0, log_probs) == TERN_INVALID_ARGUMENT);
  REQUIRE(tern_session_score(session.get(), tokens, 3, log_probs) == TERN_OK);
  CHECK(std::isnan(log_probs[0]));
  CHECK(log_probs[1] < 0);
  REQUIRE(tern_session_features(session.get(), &features, &size) == TERN_OK);
  CHECK(size == tern_model_dim(model.get()));
}
