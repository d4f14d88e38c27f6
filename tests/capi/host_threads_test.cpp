// The host's threads and float modes: its scheduler, several sessions at once, cancelling, a
// session that is busy, and rounding and denormal modes that tern neither heeds nor changes.
#include <atomic>
#include <cfenv>
#include <string>
#include <thread>

#include "capi_fixture.hpp"
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

using namespace capi_test;

namespace {

const std::vector<int32_t> kPrompt = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

std::vector<float> plain_logits() {
  const auto model = load(tiny_bytes());
  const auto session = open_session(model);
  evaluate(session, kPrompt);
  return logits(session);
}

/// A host's scheduler that calls back before it runs its tasks, by one thread each or one after
/// another.
struct HostScheduler {
  bool threads = false;
  size_t n_jobs = 0;
  std::atomic<size_t> n_tasks{0};
  void (*before)(void*) = nullptr;
  void* before_user = nullptr;

  tern_scheduler hooks(uint32_t n_workers) { return {this, parallel_for, n_workers}; }

  static void parallel_for(void* user, size_t n, void (*task)(void*, size_t), void* context) {
    auto& self = *static_cast<HostScheduler*>(user);
    ++self.n_jobs;
    self.n_tasks += n;
    if (self.before != nullptr) self.before(self.before_user);
    if (!self.threads) {
      for (size_t i = n; i-- > 0;) task(context, i);  // any order will do
      return;
    }
    std::vector<std::thread> running;
    for (size_t i = 0; i < n; ++i) running.emplace_back(task, context, i);
    for (auto& thread : running) thread.join();
  }
};

SessionPtr open_with(const ModelPtr& model, const tern_scheduler& scheduler) {
  tern_session_options options;
  tern_session_options_init(&options);
  options.scheduler = &scheduler;
  return open_session(model, &options);
}

}  // namespace

TEST_CASE("a host's scheduler runs the tasks and changes no bit") {
  const auto expected = plain_logits();
  const auto model = load(tiny_bytes());
  for (const uint32_t n_workers : {0u, 1u, 2u, 7u}) {
#if defined(TERN_NO_THREADS)
    HostScheduler host;
#else
    HostScheduler host{true};
#endif
    const auto session = open_with(model, host.hooks(n_workers));
    evaluate(session, kPrompt);
    INFO(n_workers);
    CHECK(logits(session) == expected);
    CHECK((host.n_jobs > 0) == (n_workers > 1));
    CHECK((host.n_tasks > host.n_jobs) == (n_workers > 1));
  }
}

TEST_CASE("packing runs on the scheduler of the load options") {
  HostScheduler host;
  const tern_scheduler scheduler = host.hooks(3);
  tern_load_options options;
  tern_load_options_init(&options);
  options.scheduler = &scheduler;
  const auto model = load(tiny_bytes(), &options);
  CHECK(host.n_jobs > 0);
  const auto session = open_session(model);
  evaluate(session, kPrompt);
  CHECK(logits(session) == plain_logits());
}

TEST_CASE("a session that is running is busy for every other call, and undisturbed") {
  struct Intruder {
    tern_session* session = nullptr;
    size_t n = 0;
    static void call(void* user) {
      auto& self = *static_cast<Intruder*>(user);
      const int32_t token = 1;
      int32_t sampled = 0;
      double log_prob = 0;
      check_failed(tern_session_evaluate(self.session, &token, 1, nullptr, 0), TERN_BUSY,
                   "another call is running on this session");
      CHECK(tern_session_sample(self.session, nullptr, &sampled) == TERN_BUSY);
      CHECK(tern_session_log_prob(self.session, 1, &log_prob) == TERN_BUSY);
      CHECK(tern_session_truncate(self.session, 0) == TERN_BUSY);
      CHECK(tern_session_reset(self.session) == TERN_BUSY);
      ++self.n;
    }
  } intruder;
  HostScheduler host;
  host.before = Intruder::call;
  host.before_user = &intruder;
  const auto model = load(tiny_bytes());
  const auto session = open_with(model, host.hooks(2));
  intruder.session = session.get();
  evaluate(session, kPrompt);
  CHECK(intruder.n > 0);
  CHECK(logits(session) == plain_logits());
}

TEST_CASE("a cancel ends the call that runs, and no other") {
  const auto model = load(tiny_bytes());
  HostScheduler host;
  const auto session = open_with(model, host.hooks(2));
  evaluate(session, {1, 2, 3});
  host.before = [](void* user) { tern_session_cancel(static_cast<tern_session*>(user)); };
  host.before_user = session.get();
  check_failed(tern_session_evaluate(session.get(), kPrompt.data() + 3, 7, nullptr, 0),
               TERN_CANCELLED, "cancelled");
  CHECK(tern_session_position(session.get()) == 3);
  host.before = nullptr;
  evaluate(session, {kPrompt.begin() + 3, kPrompt.end()});
  CHECK(logits(session) == plain_logits());

  REQUIRE(tern_session_reset(session.get()) == TERN_OK);
  tern_session_cancel(session.get());
  evaluate(session, kPrompt);
  CHECK(logits(session) == plain_logits());
}

#if !defined(TERN_NO_THREADS)
TEST_CASE("a cancel from another thread ends an evaluation") {
  const auto model = load_stories();
  const auto session = open_session(model);
  std::atomic<bool> done{false};
  std::thread canceller([&] {
    while (!done) tern_session_cancel(session.get());
  });
  const std::vector<int32_t> tokens(200, 100);
  tern_status status = TERN_OK;
  while (status == TERN_OK) {  // until the other thread has come that far
    status = tern_session_evaluate(session.get(), tokens.data(), tokens.size(), nullptr, 0);
    if (status == TERN_OK) REQUIRE(tern_session_truncate(session.get(), 0) == TERN_OK);
  }
  done = true;
  canceller.join();
  CHECK(status == TERN_CANCELLED);
  CHECK(tern_session_position(session.get()) == 0);
  const auto fresh = open_session(model);
  evaluate(session, tokens);
  evaluate(fresh, tokens);
  CHECK(logits(session) == logits(fresh));
}

TEST_CASE("eight sessions of one model run on eight threads at once") {
  const auto expected = plain_logits();
  const auto model = load(tiny_bytes());
  struct Outcome {
    std::vector<float> logits;
    std::string text;
  };
  std::vector<Outcome> results(8);
  std::vector<std::thread> threads;
  for (auto& result : results) {
    threads.emplace_back([&model, &result] {
      tern_session* session = nullptr;
      if (tern_session_create(model.get(), nullptr, &session) != TERN_OK) return;
      const float* view = nullptr;
      size_t n = 0;
      if (tern_session_evaluate(session, kPrompt.data(), kPrompt.size(), nullptr, 0) == TERN_OK &&
          tern_session_logits(session, &view, &n) == TERN_OK) {
        result.logits.assign(view, view + n);
      }
      // A generation with a grammar of its own.
      constexpr char kWords[] = "root ::= [a-z]{3} (\" \" [a-z]{3}){2}";
      tern_grammar* grammar = nullptr;
      if (tern_grammar_create(model.get(), TERN_GRAMMAR_GBNF, kWords, sizeof(kWords) - 1,
                              &grammar) == TERN_OK) {
        tern_generate_options options;
        tern_generate_options_init(&options);
        options.grammar = grammar;
        Collected collected;
        tern_session_generate(session, &options, Collected::on_text, &collected, nullptr, nullptr);
        result.text = collected.text;
      }
      tern_grammar_free(grammar);
      tern_session_free(session);
    });
  }
  for (auto& thread : threads) thread.join();
  for (const Outcome& result : results) {
    CHECK(result.logits == expected);
    CHECK(result.text == results[0].text);
    CHECK(result.text.size() == 11);
  }
}

TEST_CASE("own threads change no bit") {
  const auto model = load(tiny_bytes());
  tern_session_options options;
  tern_session_options_init(&options);
  options.n_threads = 3;
  const auto session = open_session(model, &options);
  evaluate(session, kPrompt);
  CHECK(logits(session) == plain_logits());
}
#endif

#if defined(FE_UPWARD) && !defined(__wasm__)
TEST_CASE("the host's rounding and denormal modes change no bit and are left alone") {
  const auto expected = plain_logits();
  const auto flush_denormals = [](bool on) {
#if defined(__SSE__)
    _mm_setcsr((_mm_getcsr() & ~0x8040u) | (on ? 0x8040u : 0u));
#else
    (void)on;
#endif
  };
  const auto flushes_denormals = [] {
#if defined(__SSE__)
    return (_mm_getcsr() & 0x8040u) == 0x8040u;
#else
    return true;
#endif
  };
  struct Modes {
    int rounding;
    bool kept = true;
  };
  for (const int rounding : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    std::fesetround(rounding);
    flush_denormals(true);
    const auto still = [&] { return std::fegetround() == rounding && flushes_denormals(); };
    // Nothing of the test framework runs in the odd mode.
    bool kept = true;
    tern_model* model = nullptr;
    tern_session* session = nullptr;
    const float* view = nullptr;
    size_t n = 0;
    int32_t token = 0;
    double log_prob = 0;
    std::vector<float> result;
    tern_status status =
        tern_model_load_memory(tiny_bytes().data(), tiny_bytes().size(), nullptr, &model);
    kept &= still();
    if (status == TERN_OK) status = tern_session_create(model, nullptr, &session);
    kept &= still();
    if (status == TERN_OK) {
      status = tern_session_evaluate(session, kPrompt.data(), kPrompt.size(), nullptr, 0);
    }
    kept &= still();
    if (status == TERN_OK) status = tern_session_logits(session, &view, &n);
    result.assign(view, view + n);
    if (status == TERN_OK) status = tern_session_sample(session, nullptr, &token);
    if (status == TERN_OK) status = tern_session_log_prob(session, token, &log_prob);
    kept &= still();
    Modes in_callback{rounding};
    const auto on_text = [](void* user, const char*, size_t, int32_t) -> int32_t {
      auto& modes = *static_cast<Modes*>(user);
      modes.kept &= std::fegetround() == modes.rounding;
      return 0;
    };
    if (status == TERN_OK) {
      status = tern_session_generate(session, nullptr, on_text, &in_callback, nullptr, nullptr);
    }
    kept &= still();
    tern_session_free(session);
    tern_model_free(model);
    std::fesetround(FE_TONEAREST);
    flush_denormals(false);
    INFO("rounding " << rounding);
    CHECK(status == TERN_OK);
    CHECK(kept);
    CHECK(in_callback.kept);
    CHECK(result == expected);
  }
}
#endif
