// Generation: where it stops, what it hands out, what it leaves in the session.
#include "tern/engine/generate.hpp"

#include <string>

#include "engine/story_fixture.hpp"
#include "support/shared_fixtures.hpp"

using namespace tern_test;
using tern::StopReason;
using tern::TokenId;

TEST_CASE("generation stops at max_tokens with every token in the session") {
  const auto model = stories();
  const auto session = prompted(model, "Once upon a time");
  const uint32_t before = session->position();
  tern::GenerateOptions options;
  options.max_tokens = 12;
  const Story story = tell(*session, options);
  CHECK(story.generation.reason == StopReason::max_tokens);
  CHECK(story.generation.n_tokens == 12);
  CHECK(session->position() == before + 12);
  CHECK(std::equal(story.tokens.begin(), story.tokens.end(), session->tokens().begin() + before));
  CHECK_FALSE(story.text.empty());
}

TEST_CASE("going on after a stop gives the text of not having stopped") {
  const auto model = stories();
  tern::GenerateOptions options;
  options.sampler.temperature = 0.8f;
  options.sampler.seed = 5;
  options.max_tokens = 40;
  const std::string whole = tell(*prompted(model, "The dog"), options).text;
  const auto session = prompted(model, "The dog");
  options.max_tokens = 15;
  std::string parts = tell(*session, options).text;
  options.max_tokens = 25;
  parts += tell(*session, options).text;
  CHECK(parts == whole);
}

TEST_CASE("a full context ends generation, and the last token is handed out") {
  const auto model = stories();
  const auto session = prompted(model, "Once upon a time", 16);
  tern::GenerateOptions options;
  options.max_tokens = 100;
  const Story story = tell(*session, options);
  CHECK(story.generation.reason == StopReason::context_full);
  CHECK(session->position() == 16);
  CHECK(story.tokens.size() == 16 - prompted(model, "Once upon a time")->position() + 1);
}

TEST_CASE("the callback can stop, and the token at which it did is not in the session") {
  const auto model = stories();
  const auto session = prompted(model, "Once upon a time");
  const uint32_t before = session->position();
  tern::GenerateOptions options;
  options.max_tokens = 100;
  const Story story = tell(*session, options, 5);
  CHECK(story.generation.reason == StopReason::callback);
  CHECK(story.generation.n_tokens == 5);
  CHECK(session->position() == before + 4);
}

TEST_CASE("inside the callback the session is in use, and cancel ends the generation") {
  const auto model = stories();
  const auto session = prompted(model, "Once upon a time");
  tern::GenerateOptions options;
  options.max_tokens = 100;
  int n = 0;
  const auto result = tern::generate(*session, options, [&](std::string_view, TokenId) {
    CHECK(session->truncate(0).status() == tern::Status::busy);
    CHECK(session->reset().status() == tern::Status::busy);
    CHECK(session->sample({}).status() == tern::Status::busy);
    if (++n == 3) session->cancel();
    return true;
  });
  CHECK(result.status() == tern::Status::cancelled);
  CHECK(n == 3);
  CHECK(session->truncate(0).ok());
}

TEST_CASE("an end token stops generation and is not shown") {
  const auto model = stories();
  tern::GenerateOptions options;
  options.sampler.temperature = 1;
  options.max_tokens = 250;
  bool ended = false;
  for (uint64_t seed = 0; seed < 20 && !ended; ++seed) {
    options.sampler.seed = seed;
    const auto session = prompted(model, "Once upon a time");
    const Story story = tell(*session, options);
    if (story.generation.reason != StopReason::end_of_generation) continue;
    ended = true;
    CHECK(story.text.find("<|end_of_text|>") == std::string::npos);
    CHECK(story.generation.n_tokens == story.tokens.size());
  }
  CHECK(ended);
}

TEST_CASE("a model without a vocabulary cannot generate text") {
  const auto bytes = gguf_of(random_model(small_shape(), 1, 3), tern::TensorType::tq2_0).build();
  const auto session = open_session(load(bytes));
  REQUIRE(session->evaluate(some_tokens(3, 70)).ok());
  const auto result = tern::generate(*session, {}, [](std::string_view, TokenId) { return true; });
  CHECK(result.status() == tern::Status::unsupported_tokenizer);
}

TEST_CASE("a stop text ends the text before it, wherever the tokens cut it") {
  const auto model = stories();
  tern::GenerateOptions options;
  options.max_tokens = 40;
  const std::string whole = tell(*prompted(model, "Once upon a time"), options).text;
  REQUIRE(whole.size() > 30);
  for (size_t begin = 1; begin < 30; begin += 3) {
    for (const size_t size : {1u, 4u, 11u}) {
      const std::string stop = whole.substr(begin, size);
      const std::string_view stops[] = {"never in it", stop, ""};
      options.stop_texts = stops;
      const auto session = prompted(model, "Once upon a time");
      const Story story = tell(*session, options);
      INFO(stop);
      CHECK(story.text == whole.substr(0, whole.find(stop)));
      CHECK(story.generation.reason == StopReason::stop_text);
    }
  }
  // What only begins like a stop text comes out in the end.
  const std::string nearly = whole.substr(whole.size() - 5) + "\x01";
  const std::string_view stops[] = {nearly};
  options.stop_texts = stops;
  const Story story = tell(*prompted(model, "Once upon a time"), options);
  CHECK(story.text == whole);
  CHECK(story.generation.reason == StopReason::max_tokens);
}

TEST_CASE("a stop token ends the text and is not in it") {
  const auto model = stories();
  tern::GenerateOptions options;
  options.max_tokens = 20;
  const Story whole = tell(*prompted(model, "Once upon a time"), options);
  const TokenId stop[] = {whole.tokens[5]};
  size_t first = 0;
  while (whole.tokens[first] != stop[0]) ++first;
  options.stop_tokens = stop;
  const auto session = prompted(model, "Once upon a time");
  const uint32_t before = session->position();
  const Story story = tell(*session, options);
  CHECK(story.generation.reason == StopReason::end_of_generation);
  CHECK(story.tokens == std::vector<TokenId>(whole.tokens.begin(),
                                             whole.tokens.begin() + static_cast<ptrdiff_t>(first)));
  CHECK(session->position() == before + first);
}

TEST_CASE("a grammar rules every token, and ends the text where nothing may follow") {
  const auto model = stories();
  const auto grammar = tern::Grammar::create("root ::= \"yes\" | \"no\"", *model->tokenizer(),
                                             tern::default_allocator());
  REQUIRE(grammar.ok());
  tern::GenerateOptions options;
  options.grammar = grammar->get();
  for (const float temperature : {0.0f, 1.0f, 5.0f}) {
    options.sampler.temperature = temperature;
    REQUIRE((*grammar)->reset().ok());
    const auto session = prompted(model, "Once upon a time");
    const uint32_t before = session->position();
    const Story story = tell(*session, options);
    CHECK((story.text == "yes" || story.text == "no"));
    CHECK(story.generation.reason == StopReason::grammar);
    CHECK(session->position() == before + story.generation.n_tokens);

    // There is nothing to add.
    const Story more = tell(*session, options);
    CHECK(more.tokens.empty());
    CHECK(more.generation.reason == StopReason::grammar);
  }
}

TEST_CASE("a grammar whose text was ended by a token lets nothing follow") {
  const auto model = stories();
  const auto grammar =
      tern::Grammar::create("root ::= [a-z ]*", *model->tokenizer(), tern::default_allocator());
  REQUIRE(grammar.ok());
  REQUIRE((*grammar)->accept(model->tokenizer()->vocabulary().special_tokens().eos).ok());
  const auto session = prompted(model, "Once upon a time");
  tern::GenerateOptions options;
  options.grammar = grammar->get();
  const Story story = tell(*session, options);
  CHECK(story.tokens.empty());
  CHECK(story.generation.reason == StopReason::grammar);
}
