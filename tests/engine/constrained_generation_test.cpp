// Generation with a grammar: the text is the grammar's, the tokens are those of sampling with a
// mask, and reading less of the head changes nothing.
#include <string>

#include "engine/story_fixture.hpp"
#include "support/shared_fixtures.hpp"
#include "tern/engine/json_schema.hpp"
#include "text/grammar_fixture.hpp"

using namespace tern_test;
using tern::Status;
using tern::StopReason;
using tern::TokenId;

namespace {

SessionPtr asked(const std::string& prompt) { return prompted(stories(), prompt); }

constexpr char kPet[] =
    R"({"type":"object","properties":{"name":{"type":"string","minLength":1,"maxLength":12},)"
    R"("kind":{"enum":["cat","dog"]},"age":{"type":"integer","minimum":1,"maximum":20}},)"
    R"("required":["name","kind","age"]})";

}  // namespace

TEST_CASE("a generation with a grammar gives a text of it and stops when it is whole") {
  const auto grammar = grammar_of("root ::= \" yes\" | \" no\" \"!\"{3}", *stories()->tokenizer());
  for (uint64_t seed = 0; seed < 8; ++seed) {
    const auto session = asked("Was the dog happy?");
    const uint32_t before = session->position();
    REQUIRE(grammar->reset().ok());
    tern::GenerateOptions options;
    options.grammar = grammar.get();
    options.sampler.temperature = 2;
    options.sampler.seed = seed;
    const Story out = tell(*session, options);
    CHECK((out.text == " yes" || out.text == " no!!!"));
    CHECK(out.generation.reason == StopReason::grammar);
    CHECK(out.generation.n_tokens == out.tokens.size());
    CHECK(session->position() == before + out.tokens.size());
    // A grammar that is at its end stays there.
    const Story more = tell(*session, options);
    CHECK(more.text.empty());
    CHECK(more.generation.n_tokens == 0);
  }
}

TEST_CASE("tokens are those of sampling with the mask from logits of everything") {
  const auto& tokenizer = *stories()->tokenizer();
  const auto gbnf = tern::json_schema_grammar(kPet);
  REQUIRE(gbnf.ok());
  const auto grammar = grammar_of(*gbnf, tokenizer);
  for (uint64_t seed = 0; seed < 6; ++seed) {
    INFO(seed);
    tern::GenerateOptions options;
    options.grammar = grammar.get();
    options.sampler.temperature = seed == 0 ? 0.0f : 1.0f;
    options.sampler.seed = seed;
    options.max_tokens = 100;
    REQUIRE(grammar->reset().ok());
    const auto session = asked("Once upon a time there was a pet: ");
    const Story out = tell(*session, options);
    CHECK(out.generation.reason == StopReason::grammar);
    REQUIRE(grammar->reset().ok());
    CHECK(matches(*grammar_of(*gbnf, grammar_tokenizer()), out.text));

    const auto by_hand = asked("Once upon a time there was a pet: ");
    const auto follower = grammar->fork();
    REQUIRE(follower.ok());
    for (const TokenId token : out.tokens) {
      tern::SamplerOptions sampler = options.sampler;
      const auto mask = (*follower)->mask();
      REQUIRE(mask.ok());
      sampler.mask = *mask;
      const auto sampled = by_hand->sample(sampler);
      REQUIRE(sampled.ok());
      REQUIRE(*sampled == token);
      REQUIRE((*follower)->accept(token).ok());
      REQUIRE(by_hand->evaluate({&token, 1}).ok());
    }
    CHECK((*follower)->is_finished());
    // Less was read.
    CHECK(session->statistics().weight_bytes < by_hand->statistics().weight_bytes);
  }
}

TEST_CASE("a text may end early where the grammar lets it, by any token that ends one") {
  const auto& tokenizer = *stories()->tokenizer();
  const auto grammar = grammar_of("root ::= \"a\"*", tokenizer);
  tern::GenerateOptions options;
  options.grammar = grammar.get();
  options.max_tokens = 5;
  const TokenId comma = 200;
  options.stop_tokens = {&comma, 1};
  tern::LogitBias bias{comma, 1e6f};
  options.sampler.biases = {&bias, 1};
  const Story stopped = tell(*asked("The"), options);
  CHECK(stopped.generation.reason == StopReason::end_of_generation);
  CHECK(stopped.text.empty());
  const TokenId end = tokenizer.vocabulary().special_tokens().eos;
  bias.token = end;
  options.stop_tokens = {};
  CHECK(tell(*asked("The"), options).generation.reason == StopReason::end_of_generation);
  // With a mask of one's own that rules the end out, on it goes.
  std::vector<uint64_t> mask((tokenizer.vocabulary().size() + 63) / 64, ~uint64_t{0});
  mask[static_cast<size_t>(end) / 64] &= ~(uint64_t{1} << (end % 64));
  options.sampler.mask = mask;
  const Story longer = tell(*asked("The"), options);
  CHECK(longer.generation.reason == StopReason::max_tokens);
  CHECK(longer.text.find_first_not_of('a') == std::string::npos);
  CHECK(longer.text.size() >= 5);
}

TEST_CASE("a mask of the session's holds in generations, and is there afterwards") {
  const auto& tokenizer = *stories()->tokenizer();
  const size_t n_tokens = tokenizer.vocabulary().size();
  std::vector<uint64_t> even((n_tokens + 63) / 64, 0x5555555555555555);
  const auto session = asked("The dog");
  REQUIRE(session->set_mask(even).ok());
  tern::GenerateOptions options;
  options.max_tokens = 10;
  options.sampler.mask = even;  // for the first token, whose logits came before the mask
  const Story both = tell(*session, options);
  for (const TokenId token : both.tokens) CHECK(token % 2 == 0);
  const TokenId token = 4;
  REQUIRE(session->evaluate({&token, 1}).ok());
  CHECK(session->logits()[5] == tern::kMaskedLogit);
  CHECK(session->logits()[6] != tern::kMaskedLogit);
}

TEST_CASE("what a grammar and a vocabulary cannot do together is an error") {
  const auto grammar = grammar_of("root ::= \"a\"", *stories()->tokenizer());
  tern::GenerateOptions options;
  options.grammar = grammar.get();
  const auto nothing = [](std::string_view, TokenId) { return true; };
  const auto other = tern::Model::load_file(TERN_SOURCE_DIR "/examples/models/stories.gguf", {});
  REQUIRE(other.ok());
  const auto session = open_session(*other);
  const TokenId token = 1;
  REQUIRE(session->evaluate({&token, 1}).ok());
  CHECK(tern::generate(*session, options, nothing).status() == Status::invalid_argument);
  // Nothing is left of the mask.
  std::vector<uint64_t> none((stories()->tokenizer()->vocabulary().size() + 63) / 64);
  options.sampler.mask = none;
  CHECK(tern::generate(*asked("The"), options, nothing).status() == Status::invalid_argument);
}
