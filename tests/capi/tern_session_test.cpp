// Sessions through the C ABI: evaluating, moving back, logits, sampling, generating.
#include <cmath>
#include <limits>
#include <string>

#include "capi_fixture.hpp"
#include "tern/tern.hpp"

using namespace capi_test;

namespace {
tern_session_options session_options() {
  tern_session_options options;
  tern_session_options_init(&options);
  return options;
}
tern_sampler_options sampler_options() {
  tern_sampler_options options;
  tern_sampler_options_init(&options);
  return options;
}
int32_t sample(const SessionPtr& session, const tern_sampler_options* options = nullptr) {
  int32_t token = -1;
  REQUIRE(tern_session_sample(session.get(), options, &token) == TERN_OK);
  return token;
}
}  // namespace

TEST_CASE("logits are those of the C++ interface, however a text is cut") {
  const auto model = load(tiny_bytes());
  const auto tokens = tokenize(model, "a text of some length");
  const auto cpp_model = tern::Model::load_memory(tiny_bytes(), {});
  const auto cpp_session = tern::Session::create(*cpp_model, {});
  REQUIRE((*cpp_session)->evaluate(tokens).ok());
  const std::vector<float> expected((*cpp_session)->logits().begin(),
                                    (*cpp_session)->logits().end());

  const auto whole = open_session(model);
  evaluate(whole, tokens);
  CHECK(logits(whole) == expected);
  const auto cut = open_session(model);
  for (const int32_t token : tokens) evaluate(cut, {token});
  CHECK(logits(cut) == expected);

  const auto all = open_session(model);
  std::vector<float> all_logits(tokens.size() * kTinyVocab + 1, -1.0f);
  REQUIRE(tern_session_evaluate(all.get(), tokens.data(), tokens.size(), all_logits.data(),
                                all_logits.size()) == TERN_OK);
  CHECK(std::equal(expected.begin(), expected.end(), all_logits.end() - 1 - kTinyVocab));
  CHECK(all_logits.back() == -1.0f);  // no more than was promised
}

TEST_CASE("a session counts its tokens and gives them back") {
  const auto model = load(tiny_bytes());
  auto options = session_options();
  options.context = 10;
  options.batch = 3;
  const auto session = open_session(model, &options);
  CHECK(tern_session_capacity(session.get()) == 10);
  CHECK(tern_session_position(session.get()) == 0);
  evaluate(session, {1, 2, 3, 4});
  CHECK(tern_session_position(session.get()) == 4);
  const int32_t* tokens = nullptr;
  size_t n = 0;
  REQUIRE(tern_session_tokens(session.get(), &tokens, &n) == TERN_OK);
  CHECK(std::vector<int32_t>(tokens, tokens + n) == std::vector<int32_t>{1, 2, 3, 4});
  REQUIRE(tern_session_truncate(session.get(), 2) == TERN_OK);
  CHECK(tern_session_position(session.get()) == 2);
  REQUIRE(tern_session_reset(session.get()) == TERN_OK);
  CHECK(tern_session_position(session.get()) == 0);
  CHECK(tern_session_capacity(open_session(model).get()) == 64);
}

TEST_CASE("a session goes on when its model is freed") {
  auto model = load(tiny_bytes());
  const auto session = open_session(model);
  model.reset();
  evaluate(session, {1, 2, 3});
  CHECK(logits(session).size() == kTinyVocab);
}

TEST_CASE("sessions with options out of range are not created") {
  const auto model = load(tiny_bytes());
  tern_session* out = reinterpret_cast<tern_session*>(1);
  auto options = session_options();
  const auto status_of = [&] { return tern_session_create(model.get(), &options, &out); };
  options.context = 1048576;
  check_failed(status_of(), TERN_INVALID_ARGUMENT, "context: session option is out of range");
  CHECK(out == nullptr);
  options = session_options();
  options.n_threads = 100000;
  CHECK(status_of() == TERN_INVALID_ARGUMENT);
  tern_scheduler scheduler = {};
  options.n_threads = 0;
  options.scheduler = &scheduler;
  check_failed(status_of(), TERN_INVALID_ARGUMENT, "scheduler.parallel_for: an argument is NULL");
  options.n_threads = 1;
  check_failed(status_of(), TERN_INVALID_ARGUMENT, "n_threads: either a scheduler or own threads");
  check_failed(tern_session_create(nullptr, nullptr, &out), TERN_INVALID_ARGUMENT,
               "model: an argument is NULL");
  check_failed(tern_session_create(model.get(), nullptr, nullptr), TERN_INVALID_ARGUMENT,
               "out: an argument is NULL");
}

TEST_CASE("an evaluation that cannot be done leaves the session as it was") {
  const auto model = load(tiny_bytes());
  auto options = session_options();
  options.context = 8;
  const auto session = open_session(model, &options);
  evaluate(session, {1, 2, 3});
  const auto before = logits(session);
  const int32_t good[] = {4, 5, 6, 7, 8, 9};
  const int32_t bad[] = {4, kTinyVocab};
  float one[kTinyVocab];
  const auto eval = [&](const int32_t* tokens, size_t n, float* all, size_t size) {
    return tern_session_evaluate(session.get(), tokens, n, all, size);
  };
  check_failed(eval(good, 6, nullptr, 0), TERN_CONTEXT_FULL, "the context is full at index 5");
  check_failed(eval(bad, 2, nullptr, 0), TERN_TOKEN_OUT_OF_RANGE,
               "a token id is outside the vocabulary at index 1");
  CHECK(tern_last_error_where() == 1);
  check_failed(eval(good, 0, nullptr, 0), TERN_INVALID_ARGUMENT, "no tokens to evaluate");
  check_failed(eval(nullptr, 1, nullptr, 0), TERN_INVALID_ARGUMENT, "tokens: an argument is NULL");
  check_failed(eval(good, 2, one, kTinyVocab), TERN_BUFFER_TOO_SMALL,
               "all_logits: the buffer is too small");
  CHECK(eval(good, 1, one, kTinyVocab - 1) == TERN_BUFFER_TOO_SMALL);
  CHECK(eval(good, ~size_t{0} / 4, one, kTinyVocab) == TERN_BUFFER_TOO_SMALL);
  CHECK(tern_session_position(session.get()) == 3);
  CHECK(logits(session) == before);
  CHECK(eval(good, 1, one, kTinyVocab) == TERN_OK);
}

TEST_CASE("without logits there is nothing to read, sample or generate from") {
  const auto model = load(tiny_bytes());
  const auto session = open_session(model);
  const std::string message = "no logits: evaluate tokens first";
  const float* view = reinterpret_cast<const float*>(1);
  size_t n = 99;
  int32_t token = 99;
  double log_prob = 99;
  Collected collected;
  const auto check_none = [&] {
    check_failed(tern_session_logits(session.get(), &view, &n), TERN_INVALID_ARGUMENT, message);
    CHECK(view == nullptr);
    CHECK(n == 0);
    check_failed(tern_session_sample(session.get(), nullptr, &token), TERN_INVALID_ARGUMENT,
                 message);
    CHECK(token == 0);
    check_failed(tern_session_log_prob(session.get(), 1, &log_prob), TERN_INVALID_ARGUMENT,
                 message);
    CHECK(log_prob == 0);
    check_failed(tern_session_generate(session.get(), nullptr, Collected::on_text, &collected,
                                       nullptr, nullptr),
                 TERN_INVALID_ARGUMENT, message);
  };
  check_none();
  evaluate(session, {1, 2, 3});
  REQUIRE(tern_session_truncate(session.get(), 2) == TERN_OK);
  check_none();
}

TEST_CASE("the default sampler is greedy, and log probabilities sum to one") {
  const auto model = load(tiny_bytes());
  const auto session = open_session(model);
  evaluate(session, {1, 2, 3});
  const auto all = logits(session);
  const auto best = std::max_element(all.begin(), all.end()) - all.begin();
  CHECK(sample(session) == best);
  double sum = 0;
  double best_log_prob = -1e9;
  for (int32_t token = 0; token < kTinyVocab; ++token) {
    double log_prob = 1;
    REQUIRE(tern_session_log_prob(session.get(), token, &log_prob) == TERN_OK);
    sum += std::exp(log_prob);
    best_log_prob = std::max(best_log_prob, log_prob);
  }
  CHECK(std::abs(sum - 1) < 1e-5);  // float sums of 260 terms
  double log_prob = 1;
  REQUIRE(tern_session_log_prob(session.get(), static_cast<int32_t>(best), &log_prob) == TERN_OK);
  CHECK(log_prob == best_log_prob);
  CHECK(tern_session_log_prob(session.get(), kTinyVocab, &log_prob) == TERN_TOKEN_OUT_OF_RANGE);
  CHECK(tern_session_log_prob(session.get(), -1, &log_prob) == TERN_TOKEN_OUT_OF_RANGE);
}

TEST_CASE("sampler options mean what they mean in C++") {
  const auto model = load(tiny_bytes());
  const auto session = open_session(model);
  evaluate(session, {1, 2, 3, 1});
  const auto cpp_model = tern::Model::load_memory(tiny_bytes(), {});
  const auto cpp_session = *tern::Session::create(*cpp_model, {});
  REQUIRE(cpp_session->evaluate(std::vector<int32_t>{1, 2, 3, 1}).ok());
  const std::vector<uint64_t> mask = {~uint64_t{1}, 0x5555555555555555, 7, 0, 1};
  const std::vector<tern_logit_bias> biases = {{70, 9.0f}, {5, 3.5f}};
  const std::vector<tern::LogitBias> cpp_biases = {{70, 9.0f}, {5, 3.5f}};
  std::vector<int32_t> seen;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    auto options = sampler_options();
    tern::SamplerOptions cpp;
    options.temperature = cpp.temperature = 50.0f;  // random logits are far apart
    options.seed = cpp.seed = seed;
    if (seed % 2 != 0) options.top_k = cpp.top_k = 40;
    if (seed % 3 != 0) options.top_p = cpp.top_p = 0.95f;
    if (seed % 5 != 0) options.min_p = cpp.min_p = 0.001f;
    if (seed % 7 != 0) options.repeat_penalty = cpp.repeat_penalty = 1.5f;
    if (seed % 11 != 0) {
      options.mask = mask.data();
      options.mask_size = mask.size();
      cpp.mask = mask;
    }
    if (seed % 13 != 0) {
      options.biases = biases.data();
      options.n_biases = biases.size();
      cpp.biases = cpp_biases;
    }
    const int32_t token = sample(session, &options);
    CHECK(token == *cpp_session->sample(cpp));
    seen.push_back(token);
  }
  std::sort(seen.begin(), seen.end());
  CHECK(std::unique(seen.begin(), seen.end()) - seen.begin() > 5);  // the seed matters
}

TEST_CASE("sampler options out of range are refused by name") {
  const auto model = load(tiny_bytes());
  const auto session = open_session(model);
  evaluate(session, {1});
  const auto refused = [&](const std::string& message, auto&& change) {
    auto options = sampler_options();
    change(options);
    int32_t token = 99;
    check_failed(tern_session_sample(session.get(), &options, &token), TERN_INVALID_ARGUMENT,
                 message);
    CHECK(token == 0);
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto range = [](const char* name) {
    return std::string(name) + ": sampler option is out of range";
  };
  for (const float bad : {-1.0f, nan, std::numeric_limits<float>::infinity()}) {
    refused(range("temperature"), [&](auto& o) { o.temperature = bad; });
    refused(range("top_p"), [&](auto& o) { o.top_p = bad; });
    refused(range("min_p"), [&](auto& o) { o.min_p = bad; });
    refused(range("repeat_penalty"), [&](auto& o) { o.repeat_penalty = bad; });
  }
  uint64_t none[5] = {};
  refused("the mask allows no token", [&](auto& o) { o.mask = none, o.mask_size = 5; });
  refused("the mask is shorter than the vocabulary",
          [&](auto& o) { o.mask = none, o.mask_size = 4; });
  refused("mask_size: the mask is shorter than the vocabulary", [&](auto& o) { o.mask = none; });
  refused("mask: an argument is NULL", [&](auto& o) { o.mask_size = 5; });
  refused("biases: an argument is NULL", [&](auto& o) { o.n_biases = 1; });
  std::vector<tern_logit_bias> many(TERN_MAX_BIASES + 1, {1, 0.5f});
  refused("n_biases: too many biases",
          [&](auto& o) { o.biases = many.data(), o.n_biases = many.size(); });
  many[0] = {kTinyVocab, 1};
  refused("a biased token is outside the vocabulary",
          [&](auto& o) { o.biases = many.data(), o.n_biases = 1; });
  many[0] = {1, nan};
  refused(range("biases"), [&](auto& o) { o.biases = many.data(), o.n_biases = 1; });
}

TEST_CASE("missing arguments of session functions are refused") {
  const auto model = load(tiny_bytes());
  const auto session = open_session(model);
  evaluate(session, {1});
  const auto refused = [](tern_status status, const char* name) {
    check_failed(status, TERN_INVALID_ARGUMENT, std::string(name) + ": an argument is NULL");
  };
  const int32_t* tokens = nullptr;
  const float* view = nullptr;
  size_t n = 0;
  int32_t token = 0;
  double log_prob = 0;
  Collected c;
  refused(tern_session_tokens(nullptr, &tokens, &n), "session");
  refused(tern_session_tokens(session.get(), nullptr, &n), "tokens");
  refused(tern_session_tokens(session.get(), &tokens, nullptr), "n_tokens");
  refused(tern_session_truncate(nullptr, 0), "session");
  refused(tern_session_reset(nullptr), "session");
  refused(tern_session_evaluate(nullptr, &token, 1, nullptr, 0), "session");
  refused(tern_session_evaluate_best(nullptr, &token, 1, 1), "session");
  refused(tern_session_logits(nullptr, &view, &n), "session");
  refused(tern_session_logits(session.get(), nullptr, &n), "logits");
  refused(tern_session_logits(session.get(), &view, nullptr), "n_logits");
  refused(tern_session_sample(nullptr, nullptr, &token), "session");
  refused(tern_session_sample(session.get(), nullptr, nullptr), "token");
  refused(tern_session_log_prob(nullptr, 1, &log_prob), "session");
  refused(tern_session_log_prob(session.get(), 1, nullptr), "log_prob");
  refused(tern_session_generate(nullptr, nullptr, Collected::on_text, &c, nullptr, nullptr),
          "session");
  refused(tern_session_generate(session.get(), nullptr, nullptr, nullptr, nullptr, nullptr),
          "on_text");
  CHECK(tern_session_position(nullptr) == 0);
  CHECK(tern_session_capacity(nullptr) == 0);
  tern_session_cancel(nullptr);
  tern_session_free(nullptr);
}

TEST_CASE("the largest logits alone give the same greedy text") {
  tern_load_options options;
  tern_load_options_init(&options);
  options.head = TERN_HEAD_TWO_STAGE;
  const auto model = load_stories(&options);
  const auto all = open_session(model), best = open_session(model);
  std::vector<int32_t> tokens = tokenize(model, "Once upon a time");
  evaluate(all, tokens);
  REQUIRE(tern_session_evaluate_best(best.get(), tokens.data(), tokens.size(), 1) == TERN_OK);
  for (int i = 0; i < 20; ++i) {
    int32_t token = 0, same = 0;
    REQUIRE(tern_session_sample(all.get(), nullptr, &token) == TERN_OK);
    REQUIRE(tern_session_sample(best.get(), nullptr, &same) == TERN_OK);
    REQUIRE(token == same);
    evaluate(all, {token});
    REQUIRE(tern_session_evaluate_best(best.get(), &token, 1, 1) == TERN_OK);
  }
  double log_prob = 0, same = 0;
  REQUIRE(tern_session_log_prob(all.get(), 5, &log_prob) == TERN_OK);
  REQUIRE(tern_session_log_prob(best.get(), 5, &same) == TERN_OK);
  CHECK(log_prob == same);
  check_failed(tern_session_evaluate_best(best.get(), tokens.data(), 1, 0), TERN_INVALID_ARGUMENT,
               "n_best: no logits are wanted");
}
