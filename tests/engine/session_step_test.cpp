// Steps of an evaluation, several sessions in one pass, forks and saved sessions: the bits of
// plain evaluations, whatever happens in between.
#include "support/allocation_counter.hpp"
#include "support/counting_allocator.hpp"
#include "support/model_fixture.hpp"
#include "tern/engine/session.hpp"

using namespace tern_test;
using tern::Session;
using tern::Status;
using tern::TokenId;

namespace {

ModelPtr relu2_model(const std::string& isa = "") {
  static const auto bytes =
      gguf_of(random_model(small_shape("bitnet-b1.58"), 2, 3), tern::TensorType::tq2_0).build();
  return load(bytes, isa);
}

std::vector<float> logits_of(const Session& session) {
  return {session.logits().begin(), session.logits().end()};
}

std::vector<float> evaluated(const ModelPtr& model, const std::vector<TokenId>& tokens,
                             const tern::SessionOptions& options = {}) {
  const auto session = open_session(model, options);
  REQUIRE(session->evaluate(tokens).ok());
  return logits_of(*session);
}

/// Steps to the end with a budget; the number of steps.
size_t step_through(Session& session, uint64_t budget_ns) {
  for (size_t n = 1;; ++n) {
    const auto done = session.step(budget_ns);
    REQUIRE(done.ok());
    CHECK(session.is_stepping() != *done);
    if (*done) return n;
  }
}

}  // namespace

TEST_CASE("steps give the bits of one evaluation, in slices of a layer and of the head") {
  const auto tokens = some_tokens(21, 70);
  for (const auto& isa : available_isas()) {
    const auto model = relu2_model(isa);
    const auto expected = evaluated(model, tokens);
    for (const uint32_t threads : {1u, 3u}) {
      tern::SessionOptions options;
      options.n_threads = threads;
      options.batch = threads == 1 ? 5 : 0;
      const auto session = open_session(model, options);
      REQUIRE(session->begin(tokens).ok());
      CHECK(session->is_stepping());
      CHECK(session->position() == 0);
      // Without time a step is one slice: the layers of every pass, then the parts of the head.
      const size_t passes = threads == 1 ? 5 : 3;
      CHECK(step_through(*session, 0) == passes * model->config().n_layers + 16);
      CHECK(session->position() == tokens.size());
      CHECK(logits_of(*session) == expected);
      REQUIRE(session->reset().ok());
      REQUIRE(session->begin(tokens).ok());
      CHECK(step_through(*session, UINT64_MAX) == 1);
      CHECK(logits_of(*session) == expected);
    }
  }
}

TEST_CASE("a text goes on by evaluations and steps in turn") {
  const auto model = relu2_model();
  const auto tokens = some_tokens(20, 70);
  const auto session = open_session(model);
  const std::span<const TokenId> all(tokens);
  REQUIRE(session->evaluate(all.first(7)).ok());
  REQUIRE(session->begin(all.subspan(7, 12)).ok());
  step_through(*session, 1000);
  REQUIRE(session->begin(all.subspan(19)).ok());
  step_through(*session, 0);
  CHECK(logits_of(*session) == evaluated(model, tokens));
  CHECK(std::equal(tokens.begin(), tokens.end(), session->tokens().begin()));
}

TEST_CASE("while a session is stepping, what would use it is busy") {
  const auto session = open_session(relu2_model());
  const auto tokens = some_tokens(9, 70);
  CHECK(session->step(0).status() == Status::invalid_argument);
  REQUIRE(session->evaluate(tokens).ok());
  const auto before = logits_of(*session);
  REQUIRE(session->begin(tokens).ok());
  REQUIRE(session->step(0).ok());
  CHECK(session->begin(tokens).status() == Status::busy);
  CHECK(session->evaluate(tokens).status() == Status::busy);
  CHECK(session->truncate(1).status() == Status::busy);
  CHECK(session->sample({}).status() == Status::busy);
  CHECK(session->log_prob(1).status() == Status::busy);
  CHECK(session->fork().status() == Status::busy);
  std::vector<uint8_t> saved(session->saved_bytes());
  CHECK(session->save(saved).status() == Status::busy);
  CHECK(session->restore(saved).status() == Status::busy);
  CHECK(session->position() == 9);
  CHECK(logits_of(*session) == before);
  REQUIRE(session->reset().ok());
  CHECK(session->position() == 0);
  CHECK_FALSE(session->is_stepping());
}

TEST_CASE("a step after a cancel ends with it, and the session is where it was") {
  const auto model = relu2_model();
  const auto tokens = some_tokens(30, 70);
  for (const size_t slices : {0u, 1u, 5u, 20u}) {
    const auto session = open_session(model);
    REQUIRE(session->evaluate({tokens.data(), 10}).ok());
    REQUIRE(session->begin(some_tokens(20, 70, 77)).ok());
    for (size_t i = 0; i < slices; ++i) REQUIRE(session->step(0).ok());
    session->cancel();
    CHECK(session->step(0).status() == Status::cancelled);
    CHECK_FALSE(session->is_stepping());
    CHECK(session->position() == 10);
    REQUIRE(session->evaluate({tokens.data() + 10, 20}).ok());
    CHECK(logits_of(*session) == evaluated(model, tokens));
  }
}

TEST_CASE("tokens of several sessions in one pass give the bits of each alone") {
  for (const tern::CacheType kv : kCacheTypes) {
    const auto model = relu2_model();
    for (const size_t n : {1u, 3u, 8u, 11u}) {
      std::vector<std::shared_ptr<Session>> sessions;
      std::vector<Session*> pointers;
      std::vector<std::vector<TokenId>> texts;
      tern::SessionOptions options;
      options.kv = kv;
      for (size_t i = 0; i < n; ++i) {
        texts.push_back(some_tokens(4 + 3 * i, 70, static_cast<uint32_t>(i)));
        options.n_threads = i == 0 ? 2 : 1;
        sessions.push_back(open_session(model, options));
        pointers.push_back(sessions[i].get());
        REQUIRE(sessions[i]->evaluate({texts[i].data(), texts[i].size() - 3}).ok());
      }
      for (size_t left = 3; left > 0; --left) {
        std::vector<TokenId> tokens;
        for (const auto& text : texts) tokens.push_back(text[text.size() - left]);
        REQUIRE(Session::evaluate_each(pointers, tokens).ok());
      }
      options.n_threads = 1;
      for (size_t i = 0; i < n; ++i) {
        INFO(i << " of " << n);
        CHECK(logits_of(*sessions[i]) == evaluated(model, texts[i], options));
        CHECK(sessions[i]->position() == texts[i].size());
      }
    }
  }
}

TEST_CASE("what cannot run together is refused, and no session moves") {
  const auto model = relu2_model();
  const auto a = open_session(model);
  const auto b = open_session(model);
  const auto other = open_session(relu2_model("scalar"));
  tern::SessionOptions tight;
  tight.context = 2;
  tight.batch = 1;
  const auto full = open_session(model, tight);
  REQUIRE(full->evaluate(some_tokens(2, 70)).ok());
  const auto result = [](std::vector<Session*> sessions, std::vector<TokenId> tokens) {
    return Session::evaluate_each(sessions, tokens);
  };
  CHECK(result({}, {}).status() == Status::invalid_argument);
  CHECK(result({a.get()}, {1, 2}).status() == Status::invalid_argument);
  CHECK(result({a.get(), other.get()}, {1, 2}).status() == Status::invalid_argument);
  CHECK(result({a.get(), a.get()}, {1, 2}).status() == Status::busy);
  CHECK(result({full.get(), a.get()}, {1, 2}).status() == Status::invalid_argument);
  // The first one's scratch has no room for the codes of a packed cache.
  tern::SessionOptions packed;
  packed.kv = tern::CacheType::i3;
  const auto small = open_session(model, packed);
  CHECK(result({a.get(), small.get()}, {1, 2}).status() == Status::invalid_argument);
  const auto bad = result({a.get(), b.get()}, {1, 70});
  CHECK(bad.status() == Status::token_out_of_range);
  CHECK(bad.error().where == 1);
  CHECK(result({a.get(), full.get()}, {1, 2}).status() == Status::context_full);
  CHECK(a->position() == 0);
  CHECK(b->position() == 0);
  REQUIRE(result({a.get(), b.get()}, {1, 2}).ok());
}

TEST_CASE("a fork goes its own way from where it was made") {
  const auto model = relu2_model();
  const auto tokens = some_tokens(24, 70);
  for (const tern::CacheType kv : kCacheTypes) {
    tern::SessionOptions options;
    options.kv = kv;
    options.n_threads = 2;
    const auto session = open_session(model, options);
    REQUIRE(session->evaluate({tokens.data(), 15}).ok());
    auto fork = session->fork();
    REQUIRE(fork.ok());
    CHECK(logits_of(**fork) == logits_of(*session));
    CHECK((*fork)->capacity() == session->capacity());
    REQUIRE(session->evaluate(some_tokens(9, 70, 5)).ok());
    REQUIRE((*fork)->evaluate({tokens.data() + 15, 9}).ok());
    CHECK(logits_of(**fork) == evaluated(model, tokens, options));
    CHECK(std::equal(tokens.begin(), tokens.end(), (*fork)->tokens().begin()));
  }
}

TEST_CASE("a saved session goes on where it was, in another one of any capacity and table") {
  const auto tokens = some_tokens(24, 70);
  for (const tern::CacheType kv : kCacheTypes) {
    tern::SessionOptions options;
    options.kv = kv;
    const auto session = open_session(relu2_model(), options);
    REQUIRE(session->evaluate({tokens.data(), 15}).ok());
    std::vector<uint8_t> saved(session->saved_bytes());
    std::vector<uint8_t> small(saved.size() - 1);
    CHECK(session->save(small).status() == Status::buffer_too_small);
    REQUIRE(session->save(saved).ok());
    for (const auto& isa : available_isas()) {
      const auto model = relu2_model(isa);
      tern::SessionOptions wanted = options;
      wanted.context = isa == "scalar" ? 24 : 100;
      const auto restored = open_session(model, wanted);
      REQUIRE(restored->evaluate(some_tokens(20, 70, 9)).ok());
      REQUIRE(restored->restore(saved).ok());
      CHECK(restored->position() == 15);
      CHECK(logits_of(*restored) == logits_of(*session));
      REQUIRE(restored->evaluate({tokens.data() + 15, 9}).ok());
      CHECK(logits_of(*restored) == evaluated(model, tokens, options));
    }
  }
}

TEST_CASE("an empty session, and one without logits, are saved too") {
  const auto model = relu2_model();
  const auto session = open_session(model);
  for (const uint32_t position : {5u, 0u}) {
    REQUIRE(session->reset().ok());
    REQUIRE(session->evaluate(some_tokens(6, 70)).ok());
    REQUIRE(session->truncate(position).ok());
    std::vector<uint8_t> saved(session->saved_bytes());
    REQUIRE(session->save(saved).ok());
    const auto restored = open_session(model);
    REQUIRE(restored->restore(saved).ok());
    CHECK(restored->position() == position);
    CHECK(restored->logits().empty());
  }
}

TEST_CASE("what is no saved session of the model is refused, and changes nothing") {
  const auto model = relu2_model();
  const auto session = open_session(model);
  REQUIRE(session->evaluate(some_tokens(6, 70)).ok());
  std::vector<uint8_t> saved(session->saved_bytes());
  REQUIRE(session->save(saved).ok());
  const auto before = logits_of(*session);
  const auto status = [&](const std::vector<uint8_t>& bytes) {
    const auto result = session->restore(bytes).status();
    CHECK(session->position() == 6);
    CHECK(logits_of(*session) == before);
    return result;
  };
  for (size_t at = 0; at < saved.size(); at += at < 40 ? 1 : 97) {
    INFO(at);
    auto damaged = saved;
    damaged[at] ^= 0x40;
    CHECK(status(damaged) != Status::ok);
  }
  for (const size_t size : {size_t{0}, size_t{39}, size_t{40}, saved.size() - 1}) {
    CHECK(status({saved.begin(), saved.begin() + static_cast<ptrdiff_t>(size)}) ==
          Status::truncated);
  }
  tern::SessionOptions options;
  options.context = 5;
  CHECK(open_session(model, options)->restore(saved).status() == Status::context_full);
  options = {};
  options.kv = tern::CacheType::i8;
  CHECK(open_session(model, options)->restore(saved).status() == Status::mismatch);
  const auto other =
      gguf_of(random_model(small_shape("bitnet-b1.58"), 2, 4), tern::TensorType::tq2_0).build();
  CHECK(open_session(load(other))->restore(saved).status() == Status::mismatch);
}

TEST_CASE("the memory of a session is known before it is made") {
  const auto model = relu2_model();
  for (const uint32_t context : {16u, 300u}) {
    for (const tern::CacheType kv : kCacheTypes) {
      CountingAllocator allocator;
      tern::SessionOptions options;
      options.context = context;
      options.kv = kv;
      options.allocator = allocator.hooks();
      const auto bytes = Session::memory(model, options);
      REQUIRE(bytes.ok());
      CHECK(allocator.calls == 0);
      const auto session = open_session(model, options);
      CHECK(allocator.live <= *bytes + 4096);
      CHECK(allocator.live >= *bytes);
    }
  }
  tern::SessionOptions bad;
  bad.n_threads = 0;
  CHECK(Session::memory(model, bad).status() == Status::invalid_argument);
}

TEST_CASE("steps, sessions together and saving allocate nothing") {
  const auto model = relu2_model();
  const auto a = open_session(model);
  const auto b = open_session(model);
  std::vector<Session*> both = {a.get(), b.get()};
  const auto tokens = some_tokens(12, 70);
  const TokenId two[] = {3, 4};
  std::vector<uint8_t> saved(1 << 20);
  const long before = n_allocations;
  const bool begun = a->begin(tokens).ok();
  while (!*a->step(0)) {
  }
  const bool together = Session::evaluate_each(both, two).ok();
  const auto size = static_cast<size_t>(a->saved_bytes());
  const bool moved = a->save(saved).ok() && b->restore({saved.data(), size}).ok();
  CHECK(n_allocations == before);
  CHECK(begun);
  CHECK(together);
  CHECK(moved);
}
