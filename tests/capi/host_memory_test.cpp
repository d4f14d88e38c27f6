// The host's memory: everything comes from it, refusals become statuses, nothing leaks, and a
// session that runs allocates nothing.
#include <string>

#include "capi_fixture.hpp"
#include "support/allocation_counter.hpp"

using namespace capi_test;
using tern_test::n_allocations;

namespace {

/// Everything that a program does, once; the first status that is not TERN_OK.
struct Program {
  const std::vector<uint8_t>& file;
  tern_load_options load_options;
  tern_session_options session_options;
  tern_generate_options generate_options;

  explicit Program(const std::vector<uint8_t>& bytes) : file(bytes) {
    tern_load_options_init(&load_options);
    tern_session_options_init(&session_options);
    tern_generate_options_init(&generate_options);
    generate_options.max_tokens = 2;
    session_options.context = 16;
    session_options.batch = 4;
  }

  tern_status run() const {
    tern_model* model = nullptr;
    tern_session* session = nullptr;
    tern_grammar* grammar = nullptr;
    const tern_status status = run(&model, &session, &grammar);
    tern_grammar_free(grammar);
    tern_session_free(session);
    tern_model_free(model);
    return status;
  }

 private:
  tern_status run(tern_model** model, tern_session** session, tern_grammar** grammar) const {
    const auto ignore = [](void*, const char*, size_t, int32_t) -> int32_t { return 0; };
    int32_t tokens[16];
    size_t n = 0;
    tern_status status = tern_model_load_memory(file.data(), file.size(), &load_options, model);
    if (status == TERN_OK) status = tern_session_create(*model, &session_options, session);
    if (status == TERN_OK) {
      status = tern_model_tokenize(*model, "the th", 6, TERN_TOKENIZE_ADD_SPECIAL, tokens, 16, &n);
    }
    const tern_chat_message message = {"x", 1, TERN_ROLE_USER};
    if (status == TERN_OK) {
      size_t n_chat = 0;
      status = tern_model_tokenize_chat(*model, &message, 1, 0, tokens, 0, &n_chat);
      if (status == TERN_BUFFER_TOO_SMALL) status = TERN_OK;
    }
    if (status == TERN_OK) status = tern_session_evaluate(*session, tokens, n, nullptr, 0);
    if (status == TERN_OK) {
      const std::string_view schema = R"({"enum":["the","thin"]})";
      status = tern_grammar_create(*model, TERN_GRAMMAR_JSON_SCHEMA, schema.data(), schema.size(),
                                   grammar);
    }
    tern_generate_options options = generate_options;
    for (tern_grammar* const used : {static_cast<tern_grammar*>(nullptr), *grammar}) {
      if (status != TERN_OK) break;
      options.grammar = used;
      status = tern_session_generate(*session, &options, ignore, nullptr, nullptr, nullptr);
    }
    if (status == TERN_OK) {
      double log_probs[2];
      status = tern_session_score(*session, tokens, 2, log_probs);
    }
    return status;
  }
};

}  // namespace

TEST_CASE("with a host's allocator nothing comes from elsewhere, and all of it goes back") {
  RefusingAllocator allocator;
  const tern_allocator hooks = allocator.hooks();
  Program program(tiny_chat_bytes());
  program.load_options.allocator = &hooks;
  const long before = n_allocations;
  const tern_status status = program.run();
  CHECK(n_allocations == before);
  CHECK(status == TERN_OK);
  CHECK(allocator.calls > 50);
  CHECK(allocator.live_blocks == 0);
  CHECK(allocator.live_bytes == 0);
}

TEST_CASE("a session's own allocator serves the session alone") {
  RefusingAllocator model_allocator;
  RefusingAllocator session_allocator;
  const tern_allocator model_hooks = model_allocator.hooks();
  const tern_allocator session_hooks = session_allocator.hooks();
  tern_load_options load_options;
  tern_load_options_init(&load_options);
  load_options.allocator = &model_hooks;
  tern_session_options session_options;
  tern_session_options_init(&session_options);
  session_options.allocator = &session_hooks;
  {
    const auto model = load(tiny_bytes(), &load_options);
    const size_t live = model_allocator.live_blocks;
    const auto session = open_session(model, &session_options);
    CHECK(model_allocator.live_blocks == live);
    CHECK(session_allocator.live_blocks > 5);
  }
  CHECK(session_allocator.live_blocks == 0);
  CHECK(model_allocator.live_blocks == 0);
}

#if defined(__cpp_exceptions)
TEST_CASE("each allocation refused in turn gives out_of_memory, no crash and no leak") {
  Program program(tiny_chat_bytes());
#if !defined(TERN_NO_THREADS)
  program.session_options.n_threads = 2;
#endif
  size_t n_refused = 0;
  tern_status status = TERN_OUT_OF_MEMORY;
  for (; status != TERN_OK; ++n_refused) {
    RefusingAllocator allocator;
    allocator.refused_call = n_refused;
    const tern_allocator hooks = allocator.hooks();
    program.load_options.allocator = &hooks;
    status = program.run();
    INFO("allocation " << n_refused);
    if (status != TERN_OK) {
      REQUIRE(status == TERN_OUT_OF_MEMORY);
      CHECK(std::string(tern_last_error_message()) == "out of memory");
    }
    REQUIRE(allocator.live_blocks == 0);
    REQUIRE(allocator.live_bytes == 0);
  }
  CHECK(n_refused > 50);
}
#endif

TEST_CASE("evaluating, sampling, decoding and reading logits allocate nothing") {
  RefusingAllocator allocator;
  const tern_allocator hooks = allocator.hooks();
  tern_load_options load_options;
  tern_load_options_init(&load_options);
  load_options.allocator = &hooks;
  const auto model = load(tiny_bytes(), &load_options);
  const auto session = open_session(model);
  tern_sampler_options sampler;
  tern_sampler_options_init(&sampler);
  sampler.temperature = 50.0f;
  sampler.top_p = 0.9f;
  sampler.min_p = 0.01f;
  sampler.repeat_penalty = 1.1f;
  const tern_logit_bias bias = {7, 1.0f};
  sampler.biases = &bias;
  sampler.n_biases = 1;
  int32_t token = 5;
  const float* view = nullptr;
  double log_prob = 0;
  char text[16];
  size_t n = 0;
  tern_status status = TERN_OK;
  const auto step = [&](tern_status result) {
    if (status == TERN_OK) status = result;
  };
  std::vector<float> all(4 * kTinyVocab);
  const std::vector<int32_t> prompt = {1, 2, 3, 4};

  const size_t calls = allocator.calls;
  const long before = n_allocations;
  step(tern_session_evaluate(session.get(), prompt.data(), 4, all.data(), all.size()));
  for (uint64_t i = 0; i < 30; ++i) {
    sampler.seed = i;
    step(tern_session_sample(session.get(), &sampler, &token));
    step(tern_session_log_prob(session.get(), token, &log_prob));
    step(tern_model_detokenize(model.get(), &token, 1, 0, text, 16, &n));
    step(tern_session_evaluate(session.get(), &token, 1, nullptr, 0));
    step(tern_session_logits(session.get(), &view, &n));
  }
  step(tern_session_truncate(session.get(), 10));
  step(tern_session_evaluate(session.get(), &token, 1, nullptr, 0));
  const bool failed_as_it_should =
      tern_session_truncate(session.get(), 60) == TERN_INVALID_ARGUMENT;
  const long after = n_allocations;

  CHECK(status == TERN_OK);
  CHECK(failed_as_it_should);
  CHECK(after == before);
  CHECK(allocator.calls == calls);
}

TEST_CASE("generating allocates once a call, however many tokens there are") {
  RefusingAllocator allocator;
  const tern_allocator hooks = allocator.hooks();
  tern_load_options load_options;
  tern_load_options_init(&load_options);
  load_options.allocator = &hooks;
  const auto model = load(tiny_bytes(), &load_options);
  const auto session = open_session(model);
  evaluate(session, {1});
  const auto ignore = [](void*, const char*, size_t, int32_t) -> int32_t { return 0; };
  tern_generate_options options;
  tern_generate_options_init(&options);
  for (const uint32_t max_tokens : {1u, 20u}) {
    options.max_tokens = max_tokens;
    const size_t calls = allocator.calls;
    const long before = n_allocations;
    const tern_status status =
        tern_session_generate(session.get(), &options, ignore, nullptr, nullptr, nullptr);
    CHECK(n_allocations == before);
    CHECK(status == TERN_OK);
    CHECK(allocator.calls == calls + 1);
  }
}
