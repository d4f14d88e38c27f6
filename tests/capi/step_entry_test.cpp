// Steps, sessions together, forks, saved sessions and statistics through the C ABI.
#include <string>

#include "capi_fixture.hpp"

using namespace capi_test;

namespace {
int32_t step(const SessionPtr& session, uint64_t budget_us) {
  int32_t done = 99;
  REQUIRE(tern_session_step(session.get(), budget_us, &done) == TERN_OK);
  return done;
}
std::vector<float> evaluated(const ModelPtr& model, const std::vector<int32_t>& tokens) {
  const auto session = open_session(model);
  evaluate(session, tokens);
  return logits(session);
}
const std::vector<int32_t> kTokens = {256, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100};
}  // namespace

TEST_CASE("a stepped evaluation gives the bits of a plain one") {
  const auto model = load(tiny_bytes());
  const auto session = open_session(model);
  REQUIRE(tern_session_begin(session.get(), kTokens.data(), kTokens.size()) == TERN_OK);
  int steps = 0;
  while (step(session, 0) == 0) ++steps;
  CHECK(steps > 16);
  CHECK(logits(session) == evaluated(model, kTokens));
  CHECK(tern_session_position(session.get()) == kTokens.size());
  // All the time there is: one step.
  REQUIRE(tern_session_reset(session.get()) == TERN_OK);
  REQUIRE(tern_session_begin(session.get(), kTokens.data(), kTokens.size()) == TERN_OK);
  CHECK(step(session, UINT64_MAX) == 1);
  CHECK(logits(session) == evaluated(model, kTokens));
}

TEST_CASE("what is not legal while stepping, or without it, says so") {
  const auto session = open_session(load(tiny_bytes()));
  int32_t done = 99;
  check_failed(tern_session_step(session.get(), 1, &done), TERN_INVALID_ARGUMENT,
               "nothing was begun on this session");
  CHECK(done == 0);
  REQUIRE(tern_session_begin(session.get(), kTokens.data(), 2) == TERN_OK);
  check_failed(tern_session_evaluate(session.get(), kTokens.data(), 1, nullptr, 0), TERN_BUSY,
               "the session is stepping");
  tern_session_cancel(session.get());
  check_failed(tern_session_step(session.get(), 1, &done), TERN_CANCELLED, "cancelled");
  evaluate(session, kTokens);
  CHECK(tern_session_step(session.get(), 1, nullptr) == TERN_INVALID_ARGUMENT);
  CHECK(tern_session_begin(session.get(), nullptr, 1) == TERN_INVALID_ARGUMENT);
  CHECK(tern_session_begin(nullptr, kTokens.data(), 1) == TERN_INVALID_ARGUMENT);
}

TEST_CASE("sessions step together, and a bad one is named by its index") {
  const auto model = load(tiny_bytes());
  const auto a = open_session(model);
  const auto b = open_session(model);
  evaluate(a, {256, 1});
  evaluate(b, {256, 2, 3});
  tern_session* both[] = {a.get(), b.get()};
  const int32_t tokens[] = {7, 8};
  REQUIRE(tern_session_step_many(both, tokens, 2) == TERN_OK);
  CHECK(logits(a) == evaluated(model, {256, 1, 7}));
  CHECK(logits(b) == evaluated(model, {256, 2, 3, 8}));
  const int32_t bad[] = {7, 4711};
  CHECK(tern_session_step_many(both, bad, 2) == TERN_TOKEN_OUT_OF_RANGE);
  CHECK(tern_last_error_where() == 1);
  tern_session* twice[] = {a.get(), a.get()};
  CHECK(tern_session_step_many(twice, tokens, 2) == TERN_BUSY);
  tern_session* none[] = {a.get(), nullptr};
  CHECK(tern_session_step_many(none, tokens, 2) == TERN_INVALID_ARGUMENT);
  CHECK(tern_session_step_many(both, tokens, 0) == TERN_INVALID_ARGUMENT);
  CHECK(tern_session_step_many(both, tokens, 65) == TERN_INVALID_ARGUMENT);
  CHECK(tern_session_position(a.get()) == 3);
}

TEST_CASE("a fork and a restored session go on alike") {
  const auto model = load(tiny_bytes());
  const auto session = open_session(model);
  evaluate(session, {256, 5, 6});
  tern_session* made = nullptr;
  REQUIRE(tern_session_fork(session.get(), &made) == TERN_OK);
  const SessionPtr fork(made);
  size_t size = 0;
  CHECK(tern_session_save(session.get(), nullptr, 0, &size) == TERN_BUFFER_TOO_SMALL);
  std::vector<uint8_t> saved(size);
  REQUIRE(tern_session_save(session.get(), saved.data(), saved.size(), &size) == TERN_OK);
  CHECK(size == saved.size());
  evaluate(session, {9, 9});
  evaluate(fork, {7});
  const auto restored = open_session(model);
  REQUIRE(tern_session_restore(restored.get(), saved.data(), saved.size()) == TERN_OK);
  evaluate(restored, {7});
  CHECK(logits(fork) == evaluated(model, {256, 5, 6, 7}));
  CHECK(logits(restored) == logits(fork));
  saved[60] ^= 1;
  check_failed(tern_session_restore(restored.get(), saved.data(), saved.size()), TERN_MALFORMED,
               "the saved session is damaged at byte 32");
}

TEST_CASE("a session's memory is told before, and its work after") {
  const auto model = load(tiny_bytes());
  tern_session_options options;
  tern_session_options_init(&options);
  options.context = 64;
  uint64_t f16 = 0;
  uint64_t i8 = 0;
  REQUIRE(tern_session_memory(model.get(), &options, &f16) == TERN_OK);
  options.kv = TERN_KV_I8;
  REQUIRE(tern_session_memory(model.get(), &options, &i8) == TERN_OK);
  CHECK(i8 < f16);
  const auto session = open_session(model, &options);
  evaluate(session, {256, 1, 2});
  evaluate(session, {3});
  tern_session_statistics did;
  tern_session_statistics_init(&did);
  REQUIRE(tern_session_get_statistics(session.get(), &did) == TERN_OK);
  CHECK(did.n_tokens == 4);
  CHECK(did.n_passes == 2);
  CHECK(did.gates > 0);
  CHECK(did.weight_bytes <= 2 * tern_model_pass_bytes(model.get()));
  CHECK(did.weight_bytes > tern_model_pass_bytes(model.get()));
  did.struct_size = 8;
  CHECK(tern_session_get_statistics(session.get(), &did) == TERN_INVALID_ARGUMENT);
}

TEST_CASE("skipping zeros or not is the caller's choice, and changes no bit") {
  tern_load_options load_options;
  tern_load_options_init(&load_options);
  load_options.flags = TERN_LOAD_NO_SKIPPING;
  const auto plain = load(tiny_bytes(), &load_options);
  tern_session_options options;
  tern_session_options_init(&options);
  options.flags = TERN_SESSION_NO_SKIPPING;
  const auto model = load(tiny_bytes());
  const auto session = open_session(model, &options);
  for (const int32_t token : kTokens) evaluate(session, {token});
  CHECK(logits(session) == evaluated(model, kTokens));
  CHECK(evaluated(plain, kTokens) == evaluated(model, kTokens));
  options.flags = 2;
  tern_session* made = nullptr;
  CHECK(tern_session_create(model.get(), &options, &made) == TERN_INVALID_ARGUMENT);
  options.flags = 0;
  options.kv = 5;
  CHECK(tern_session_create(model.get(), &options, &made) == TERN_INVALID_ARGUMENT);
}
