// Generating through the C ABI: why it stops, what the callback sees, what is in the session after.
#include <string>

#include "capi_fixture.hpp"

using namespace capi_test;

namespace {
struct Outcome {
  tern_status status = 0;
  uint32_t n_tokens = 99;
  int32_t stop_reason = 99;
  Collected collected;
};
Outcome generate(const SessionPtr& session, const tern_generate_options* options,
                 size_t stop_after = ~size_t{0}) {
  Outcome out;
  out.collected.stop_after = stop_after;
  out.status = tern_session_generate(session.get(), options, Collected::on_text, &out.collected,
                                     &out.n_tokens, &out.stop_reason);
  return out;
}
tern_generate_options generate_options(uint32_t max_tokens, uint32_t flags = 0) {
  tern_generate_options options;
  tern_generate_options_init(&options);
  options.max_tokens = max_tokens;
  options.flags = flags;
  return options;
}
/// A sampler that gives one token, always.
struct Forced {
  uint64_t mask[5] = {};
  tern_sampler_options sampler;
  tern_generate_options options;
  Forced(int32_t token, uint32_t max_tokens, uint32_t flags = 0) {
    mask[token / 64] = uint64_t{1} << (token % 64);
    tern_sampler_options_init(&sampler);
    sampler.mask = mask;
    sampler.mask_size = 5;
    options = generate_options(max_tokens, flags);
    options.sampler = &sampler;
  }
};
}  // namespace

TEST_CASE("generating is sampling and evaluating in turns") {
  const auto model = load_stories();
  const auto prompt = tokenize(model, "Once upon a time");
  const auto session = open_session(model);
  evaluate(session, prompt);
  const auto options = generate_options(20);
  const auto outcome = generate(session, &options);
  CHECK(outcome.status == TERN_OK);
  CHECK(outcome.stop_reason == TERN_STOP_MAX_TOKENS);
  CHECK(outcome.n_tokens == 20);
  CHECK(tern_session_position(session.get()) == prompt.size() + 20);

  const auto by_hand = open_session(model);
  evaluate(by_hand, prompt);
  std::vector<int32_t> tokens;
  std::string text;
  for (int i = 0; i < 20; ++i) {
    int32_t token = 0;
    REQUIRE(tern_session_sample(by_hand.get(), nullptr, &token) == TERN_OK);
    const char* piece = nullptr;
    size_t size = 0;
    REQUIRE(tern_model_token_piece(model.get(), token, &piece, &size) == TERN_OK);
    text.append(piece, size);
    tokens.push_back(token);
    evaluate(by_hand, {token});
  }
  CHECK(outcome.collected.tokens == tokens);
  CHECK(outcome.collected.text == text);
  CHECK(logits(session) == logits(by_hand));
}

TEST_CASE("the default stops at 128 tokens, and results may be left out") {
  const auto model = load(tiny_bytes());
  tern_session_options session_options;
  tern_session_options_init(&session_options);
  session_options.context = 300;
  const auto session = open_session(model, &session_options);
  evaluate(session, {1});
  Forced forced('x', 0);
  CHECK(generate(session, &forced.options).n_tokens == 128);
  Collected collected;
  CHECK(tern_session_generate(session.get(), &forced.options, Collected::on_text, &collected,
                              nullptr, nullptr) == TERN_OK);
  CHECK(collected.text == std::string(128, 'x'));
}

TEST_CASE("a token that ends the text stops, unseen and not evaluated") {
  const auto model = load(tiny_bytes());
  const auto session = open_session(model);
  evaluate(session, {1, 2});
  Forced forced(kTinyEnd, 10);
  const auto outcome = generate(session, &forced.options);
  CHECK(outcome.status == TERN_OK);
  CHECK(outcome.stop_reason == TERN_STOP_END);
  CHECK(outcome.n_tokens == 0);
  CHECK(outcome.collected.tokens.empty());
  CHECK(tern_session_position(session.get()) == 2);
}

TEST_CASE("a callback that returns anything but 0 stops") {
  const auto model = load(tiny_bytes());
  const auto session = open_session(model);
  evaluate(session, {1});
  Forced forced('y', 10);
  const auto outcome = generate(session, &forced.options, 3);
  CHECK(outcome.status == TERN_OK);
  CHECK(outcome.stop_reason == TERN_STOP_CALLBACK);
  CHECK(outcome.n_tokens == 3);
  CHECK(outcome.collected.text == "yyy");
  CHECK(tern_session_position(session.get()) == 3);  // the last one was not evaluated
}

TEST_CASE("a full context stops after the last token that could be sampled") {
  const auto model = load(tiny_bytes());
  tern_session_options session_options;
  tern_session_options_init(&session_options);
  session_options.context = 5;
  const auto session = open_session(model, &session_options);
  evaluate(session, {1, 2});
  Forced forced('z', 10);
  const auto outcome = generate(session, &forced.options);
  CHECK(outcome.status == TERN_OK);
  CHECK(outcome.stop_reason == TERN_STOP_CONTEXT_FULL);
  CHECK(outcome.n_tokens == 4);
  CHECK(tern_session_position(session.get()) == 5);
}

TEST_CASE("control tokens are shown when asked for") {
  const auto model = load(tiny_bytes());
  const auto session = open_session(model);
  evaluate(session, {1});
  Forced hidden(kTinyStart, 2);
  CHECK(generate(session, &hidden.options).collected.text.empty());
  Forced shown(kTinyStart, 2, TERN_GENERATE_SHOW_SPECIAL | TERN_GENERATE_BEGINS_TEXT);
  CHECK(generate(session, &shown.options).collected.text == "<|im_start|><|im_start|>");
}

TEST_CASE("answers of a chat need a chat format") {
  const auto options = generate_options(2, TERN_GENERATE_CHAT);
  const auto plain = load(tiny_bytes());
  const auto session = open_session(plain);
  evaluate(session, {1});
  CHECK(generate(session, &options).status == TERN_UNSUPPORTED);
  const auto model = load(tiny_chat_bytes());
  const auto chat = open_session(model);
  evaluate(chat, {1});
  Forced forced(kTinyEnd, 2, TERN_GENERATE_CHAT);
  CHECK(generate(chat, &forced.options).stop_reason == TERN_STOP_END);
}

TEST_CASE("the text comes in whole characters, and what is left at the end") {
  const auto model = load(tiny_bytes());
  const auto session = open_session(model);
  evaluate(session, {1});
  Forced forced(0xE2, 2);  // the first byte of three
  const auto outcome = generate(session, &forced.options);
  // The second lead byte shows that the first one is alone; the flush gives the second.
  CHECK(outcome.n_tokens == 2);
  CHECK(outcome.collected.text == "\xE2\xE2");
  CHECK(outcome.collected.tokens == std::vector<int32_t>{0xE2, 0xE2, -1});
}

TEST_CASE("a cancelled generation says so and the session goes on from there") {
  const auto model = load(tiny_bytes());
  const auto session = open_session(model);
  evaluate(session, {1});
  struct Canceller {
    tern_session* session;
    int n = 0;
    static int32_t on_text(void* user, const char*, size_t, int32_t) {
      auto& self = *static_cast<Canceller*>(user);
      if (++self.n == 3) tern_session_cancel(self.session);
      return 0;
    }
  } canceller{session.get()};
  uint32_t n_tokens = 99;
  int32_t stop_reason = 99;
  Forced forced('a', 10);
  CHECK(tern_session_generate(session.get(), &forced.options, Canceller::on_text, &canceller,
                              &n_tokens, &stop_reason) == TERN_CANCELLED);
  CHECK(n_tokens == 0);
  CHECK(stop_reason == 0);
  CHECK(canceller.n == 3);
  CHECK(tern_session_position(session.get()) == 3);
  const auto fresh = open_session(model);
  evaluate(fresh, {1, 'a', 'a'});
  // The mask allowed one token; its logit is that of the text up to there.
  CHECK(logits(session)['a'] == logits(fresh)['a']);
}

#if defined(__cpp_exceptions)
TEST_CASE("an exception of a callback does not leave the interface") {
  const auto model = load(tiny_bytes());
  const auto session = open_session(model);
  evaluate(session, {1});
  const auto thrower = [](void*, const char*, size_t, int32_t) -> int32_t { throw 7; };
  check_failed(tern_session_generate(session.get(), nullptr, thrower, nullptr, nullptr, nullptr),
               TERN_INTERNAL, "an unexpected exception");
  const auto outcome = generate(session, nullptr, 1);
  CHECK(outcome.status == TERN_OK);
}
#endif

TEST_CASE("guessing tokens changes none, and statistics count the guesses") {
  const auto model = load_stories();
  const auto prompt = tokenize(model, "The dog ran. The dog ran. The dog ran. The dog");
  std::string text;
  for (const uint32_t n_draft : {0u, 1u, uint32_t{TERN_MAX_DRAFT}}) {
    const auto session = open_session(model);
    evaluate(session, prompt);
    auto options = generate_options(40);
    options.n_draft = n_draft;
    const auto outcome = generate(session, &options);
    CHECK(outcome.status == TERN_OK);
    if (n_draft == 0) text = outcome.collected.text;
    CHECK(outcome.collected.text == text);
    tern_session_statistics did;
    tern_session_statistics_init(&did);
    REQUIRE(tern_session_get_statistics(session.get(), &did) == TERN_OK);
    CHECK((did.n_drafted != 0) == (n_draft != 0));
    CHECK(did.n_accepted <= did.n_drafted);
    CHECK(did.n_tokens == prompt.size() + 40 + did.n_drafted - did.n_accepted);
  }
}
