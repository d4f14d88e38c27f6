// Speculation: the text, the session and its logits are those of plain decoding, whatever is
// guessed.
#include "tern/engine/speculation.hpp"

#include "engine/story_fixture.hpp"
#include "text/grammar_fixture.hpp"

using namespace tern_test;
using tern::StopReason;
using tern::TokenId;

namespace {

constexpr char kAgain[] =
    "One day, Tom saw a big dog. The big dog was sad. One day, Tom saw a big dog. The big dog was "
    "sad. One day, Tom saw";

std::vector<float> logits_of(tern::Session& session) {
  return {session.logits().begin(), session.logits().end()};
}

// The same generation with and without guesses; then both sessions go on alike.
void compare(const ModelPtr& model, const std::string& prompt, tern::GenerateOptions options,
             const tern::SessionOptions& session_options = {}) {
  const auto plain = prompted(model, prompt, session_options);
  options.n_draft = 0;
  const Story expected = tell(*plain, options);
  CHECK(plain->statistics().n_drafted == 0);
  for (const uint32_t n_draft : {1u, 2u, 3u, 7u}) {
    INFO("guesses " << n_draft);
    const auto session = prompted(model, prompt, session_options);
    options.n_draft = n_draft;
    const Story story = tell(*session, options);
    CHECK(story.tokens == expected.tokens);
    CHECK(story.text == expected.text);
    CHECK(story.generation.reason == expected.generation.reason);
    CHECK(session->statistics().n_accepted <= session->statistics().n_drafted);
    REQUIRE(session->position() == plain->position());
    CHECK(std::ranges::equal(session->tokens(), plain->tokens()));
    CHECK(logits_of(*session) == logits_of(*plain));
    CHECK(std::ranges::equal(session->features(), plain->features()));
    // What was guessed and not taken is forgotten.
    const auto other = *plain->fork();
    const TokenId next = 5;
    if (session->position() == session->capacity()) continue;
    REQUIRE(session->evaluate({&next, 1}).ok());
    REQUIRE(other->evaluate({&next, 1}).ok());
    CHECK(logits_of(*session) == logits_of(*other));
  }
}

}  // namespace

TEST_CASE("A draft is what followed the place that is most like the end of the text") {
  const std::vector<TokenId> text = {1, 2, 3, 4, 5, 9, 2, 3, 4, 6, 7, 8, 2, 3, 4};
  const auto draft = [](std::span<const TokenId> ids, size_t most) {
    const auto found = tern::look_up_draft(ids, most);
    return std::vector<TokenId>(found.begin(), found.end());
  };
  CHECK(draft(text, 3) == std::vector<TokenId>{6, 7, 8});  // the latest of equals
  CHECK(draft(text, 9) == std::vector<TokenId>{6, 7, 8, 2, 3, 4});
  CHECK(draft(text, 0).empty());
  CHECK(draft(std::span(text).first(14), 3).empty());  // two tokens are too few
  CHECK(draft({}, 3).empty());
  const std::vector<TokenId> longer = {1, 2, 3, 4, 5, 9, 2, 3, 4, 6, 1, 2, 3, 4};
  CHECK(draft(longer, 1) == std::vector<TokenId>{5});  // four tokens before three, though earlier
  CHECK(draft(std::vector<TokenId>(40, 7), 4) == std::vector<TokenId>{7});
  std::vector<TokenId> far(tern::kLookupWindow + 100, 1);
  for (size_t i = 0; i < far.size(); ++i) far[i] = static_cast<TokenId>(i);
  std::copy_n(text.begin(), 3, far.end() - 3);
  std::copy_n(text.begin(), 4, far.begin() + 10);
  CHECK(draft(far, 1).empty());  // beyond the window
  std::copy_n(text.begin(), 4, far.begin() + 200);
  CHECK(draft(far, 1) == std::vector<TokenId>{4});
}

TEST_CASE("guesses change no token and no logit, greedy and sampled") {
  tern::GenerateOptions options;
  options.max_tokens = 70;
  compare(stories(), kAgain, options);
  compare(stories(), "Once upon a time", options);
  options.sampler.temperature = 0.8f;
  for (options.sampler.seed = 1; options.sampler.seed < 4; ++options.sampler.seed) {
    compare(stories(), kAgain, options);
  }
  options.sampler.top_k = 5;
  options.sampler.repeat_penalty = 1.3f;
  compare(stories(), kAgain, options);
}

TEST_CASE("guesses end where the tokens, the context or a stop text end") {
  tern::GenerateOptions options;
  for (uint32_t n = 1; n < 12; ++n) {
    options.max_tokens = n;
    compare(stories(), kAgain, options);
  }
  const uint32_t asked = prompted(stories(), kAgain)->position();
  options.max_tokens = 100;
  tern::SessionOptions session_options;
  for (uint32_t more = 0; more < 12; ++more) {
    session_options.context = asked + more;
    compare(stories(), kAgain, options, session_options);
  }
  const std::string_view stop = "dog was";
  options.stop_texts = {&stop, 1};
  compare(stories(), kAgain, options);
}

TEST_CASE("guesses are forgotten in every type of cache and fit the session's batch") {
  tern::GenerateOptions options;
  options.max_tokens = 40;
  tern::SessionOptions session_options;
  for (const tern::CacheType kv :
       {tern::CacheType::i8, tern::CacheType::i4, tern::CacheType::i3, tern::CacheType::f32}) {
    session_options.kv = kv;
    compare(stories(), kAgain, options, session_options);
  }
  session_options = {};
  for (const uint32_t batch : {1u, 2u, 4u}) {
    session_options.batch = batch;
    compare(stories(), kAgain, options, session_options);
  }
  session_options = {};
  session_options.n_threads = 3;
  compare(stories(), kAgain, options, session_options);
}

TEST_CASE("guesses follow masks and grammars") {
  const auto grammar =
      grammar_of(R"(root ::= (" One day" | " Tom" | " saw" | " a big dog"){1,30} ".")",
                 *stories()->tokenizer());
  tern::GenerateOptions options;
  options.max_tokens = 60;
  std::vector<TokenId> expected;
  for (const uint32_t n_draft : {0u, 7u}) {
    const auto session = prompted(stories(), kAgain);
    REQUIRE(grammar->reset().ok());
    options.grammar = grammar.get();
    options.n_draft = n_draft;
    const Story story = tell(*session, options);
    if (n_draft == 0) expected = story.tokens;
    CHECK(story.tokens == expected);
  }
  options.grammar = nullptr;
  std::vector<uint64_t> mask(tern::token_mask_words(stories()->n_tokens()), 0x5555555555555555u);
  options.sampler.mask = mask;
  compare(stories(), kAgain, options);
}

TEST_CASE("a text that repeats itself is guessed, in fewer passes") {
  const auto session = prompted(stories(), kAgain);
  const uint64_t before = session->statistics().n_passes;
  tern::GenerateOptions options;
  options.max_tokens = 30;
  // The model is made to repeat what it read, so that guesses are right.
  std::vector<uint64_t> mask(tern::token_mask_words(stories()->n_tokens()));
  for (const TokenId id : session->tokens()) {
    mask[static_cast<size_t>(id) / 64] |= uint64_t{1} << static_cast<size_t>(id) % 64;
  }
  options.sampler.mask = mask;
  options.n_draft = tern::kMostDraft;
  const Story story = tell(*session, options);
  const tern::SessionStatistics did = session->statistics();
  CHECK(did.n_drafted > 0);
  CHECK(did.n_accepted > 0);
  CHECK(did.n_passes - before + did.n_accepted == story.generation.n_tokens);
}

TEST_CASE("more guesses than one pass takes are refused") {
  const auto session = prompted(stories(), "Once");
  tern::GenerateOptions options;
  options.n_draft = tern::kMostDraft + 1;
  const auto nothing = [](std::string_view, TokenId) { return true; };
  CHECK(tern::generate(*session, options, nothing).status() == tern::Status::invalid_argument);
}
