// Sessions: the bits do not depend on how the work is cut, and failures leave no trace.
#include "tern/engine/session.hpp"

#if !defined(TERN_NO_THREADS)
#include <thread>
#endif

#include "support/allocation_counter.hpp"
#include "support/model_fixture.hpp"

using namespace tern_test;
using tern::Status;
using tern::TensorType;
using tern::TokenId;

namespace {

std::vector<uint8_t> model_bytes(const std::string& architecture = "bitnet-b1.58") {
  return gguf_of(random_model(small_shape(architecture), 2, 3), TensorType::tq2_0).build();
}

/// Odd sizes everywhere: heads of 20, widths that fill no tile, no vector and no block.
std::vector<uint8_t> odd_model_bytes(const std::string& architecture) {
  LogicalModel shape = small_shape(architecture);
  shape.model_dim = 60;
  shape.n_heads = 6;
  shape.n_kv_heads = 3;
  shape.head_dim = 10;
  shape.ffn_dim = 75;
  shape.vocab_size = 33;
  return gguf_of(random_model(shape, 3, 5, RandomScales::row), TensorType::f16).build();
}

}  // namespace

TEST_CASE("logits are the same bits for every table, thread count, batch and cut into calls") {
  for (const auto& architecture : {"bitnet-b1.58", "bitnet", "llama"}) {
    for (const bool odd : {false, true}) {
      const auto bytes = odd ? odd_model_bytes(architecture) : model_bytes(architecture);
      const auto reference = load(bytes, "scalar");
      const auto tokens = some_tokens(45, reference->config().vocab_size);
      const auto expected = all_logits(*open_session(reference), tokens, 1);
      for (const auto& isa : available_isas()) {
        const auto model = load(bytes, isa);
        for (const uint32_t threads : {1u, 2u, 5u}) {
          for (const uint32_t batch : {1u, 7u, 13u, 128u}) {
            INFO(architecture << " odd " << odd << " " << isa << " threads " << threads << " batch "
                              << batch);
            tern::SessionOptions options;
            options.n_threads = threads;
            options.batch = batch;
            CHECK(all_logits(*open_session(model, options), tokens, 45) == expected);
          }
        }
        CHECK(all_logits(*open_session(model), tokens, 4) == expected);
      }
    }
  }
}

TEST_CASE("truncating and evaluating again gives the bits of never having gone on") {
  const auto bytes = model_bytes();
  const auto model = load(bytes);
  const auto tokens = some_tokens(30, 70);
  const auto straight = open_session(model);
  REQUIRE(straight->evaluate(tokens).ok());

  const auto session = open_session(model);
  REQUIRE(session->evaluate({tokens.data(), 20}).ok());
  REQUIRE(session->evaluate(some_tokens(15, 70, 99)).ok());
  REQUIRE(session->truncate(20).ok());
  CHECK(session->logits().empty());
  CHECK(session->sample({}).status() == Status::invalid_argument);
  REQUIRE(session->evaluate({tokens.data() + 20, 10}).ok());
  CHECK(std::equal(session->logits().begin(), session->logits().end(), straight->logits().begin()));
  CHECK(
      std::equal(session->tokens().begin(), session->tokens().end(), tokens.begin(), tokens.end()));
  CHECK(session->truncate(31).status() == Status::invalid_argument);
  REQUIRE(session->reset().ok());
  CHECK(session->position() == 0);
  REQUIRE(session->evaluate(tokens).ok());
  CHECK(std::equal(session->logits().begin(), session->logits().end(), straight->logits().begin()));
}

TEST_CASE("bad tokens and a full context are refused and leave the session as it was") {
  const auto bytes = model_bytes();
  tern::SessionOptions options;
  options.context = 10;
  const auto session = open_session(load(bytes), options);
  const auto tokens = some_tokens(8, 70);
  REQUIRE(session->evaluate(tokens).ok());
  const std::vector<float> before(session->logits().begin(), session->logits().end());
  const auto unchanged = [&] {
    return session->position() == 8 &&
           std::equal(before.begin(), before.end(), session->logits().begin(),
                      session->logits().end());
  };
  const TokenId bad[] = {1, 70};
  auto result = session->evaluate(bad);
  CHECK(result.status() == Status::token_out_of_range);
  CHECK(result.error().where == 1);
  CHECK(result.error().where_is_index);
  CHECK(unchanged());
  const TokenId negative[] = {-1};
  CHECK(session->evaluate(negative).status() == Status::token_out_of_range);
  CHECK(session->evaluate(some_tokens(3, 70)).status() == Status::context_full);
  CHECK(session->evaluate({}).status() == Status::invalid_argument);
  std::vector<float> small(70);
  CHECK(session->evaluate(some_tokens(2, 70), small).status() == Status::invalid_argument);
  CHECK(unchanged());
  REQUIRE(session->evaluate(some_tokens(2, 70)).ok());
  CHECK(session->position() == session->capacity());
  CHECK(session->evaluate(some_tokens(1, 70)).status() == Status::context_full);
}

TEST_CASE("a cancelled call leaves the session as it was, and the next call runs") {
  // The host's scheduler cancels in the middle of a call, deterministically.
  struct Canceller {
    tern::Session* session = nullptr;
    int jobs_left = -1;
  } canceller;
  tern::ParallelForHooks hooks;
  hooks.user = &canceller;
  hooks.n_workers = 2;
  hooks.parallel_for = [](void* user, size_t n, void (*task)(void*, size_t), void* context) {
    auto& self = *static_cast<Canceller*>(user);
    if (self.jobs_left-- == 0) self.session->cancel();
    for (size_t i = 0; i < n; ++i) task(context, i);
  };
  tern::SessionOptions options;
  options.runner = tern::TaskRunner(hooks);
  const auto bytes = model_bytes();
  const auto model = load(bytes);
  const auto session = open_session(model, options);
  const auto tokens = some_tokens(20, 70);
  REQUIRE(session->evaluate({tokens.data(), 10}).ok());
  const std::vector<float> before(session->logits().begin(), session->logits().end());
  canceller.session = session.get();
  for (const int jobs : {0, 1, 5, 9}) {
    canceller.jobs_left = jobs;
    CHECK(session->evaluate({tokens.data() + 10, 10}).status() == Status::cancelled);
    CHECK(session->position() == 10);
    CHECK(std::equal(before.begin(), before.end(), session->logits().begin(),
                     session->logits().end()));
  }
  canceller.jobs_left = -1;
  REQUIRE(session->evaluate({tokens.data() + 10, 10}).ok());
  const auto fresh = open_session(model);
  REQUIRE(fresh->evaluate(tokens).ok());
  CHECK(std::equal(fresh->logits().begin(), fresh->logits().end(), session->logits().begin()));
}

TEST_CASE("a cancel while nothing runs harms no later call") {
  const auto bytes = model_bytes();
  const auto session = open_session(load(bytes));
  session->cancel();
  CHECK(session->evaluate(some_tokens(3, 70)).ok());
}

#if !defined(TERN_NO_THREADS)
TEST_CASE("cancel from another thread ends a running call") {
  LogicalModel shape = small_shape();
  shape.context_len = 100000;
  const auto bytes = gguf_of(random_model(shape, 2, 3), TensorType::tq2_0).build();
  tern::SessionOptions options;
  options.context = 100000;
  const auto session = open_session(load(bytes, "scalar"), options);
  const auto tokens = some_tokens(100000, 70);  // minutes of work, if nothing stopped it
  std::atomic<bool> done{false};
  std::thread canceller([&] {
    while (!done) session->cancel();  // a request before the call begins has no effect
  });
  CHECK(session->evaluate(tokens).status() == Status::cancelled);
  done = true;
  canceller.join();
  CHECK(session->position() == 0);
}
#endif

TEST_CASE("evaluate, sample and log_prob allocate nothing") {
  const auto bytes = model_bytes();
  tern::SessionOptions options;
  options.n_threads = 2;
  const auto session = open_session(load(bytes), options);
  const auto prompt = some_tokens(20, 70);
  tern::SamplerOptions sampler;
  sampler.temperature = 0.8f;
  sampler.top_k = 40;
  sampler.top_p = 0.9f;
  sampler.min_p = 0.01f;
  sampler.repeat_penalty = 1.1f;
  const long before = n_allocations;
  REQUIRE(session->evaluate(prompt).ok());
  for (int i = 0; i < 20; ++i) {
    const auto token = session->sample(sampler);
    REQUIRE(token.ok());
    REQUIRE(session->log_prob(*token).ok());
    REQUIRE(session->evaluate({&*token, 1}).ok());
  }
  const long after = n_allocations;
  CHECK(after == before);
}

#if !defined(TERN_NO_THREADS)
TEST_CASE("a host's scheduler gives the same bits as tern's own pool") {
  struct Host {
    std::atomic<int> calls{0};
  } host;
  tern::ParallelForHooks hooks;
  hooks.user = &host;
  hooks.n_workers = 3;
  hooks.parallel_for = [](void* user, size_t n, void (*task)(void*, size_t), void* context) {
    ++static_cast<Host*>(user)->calls;
    std::vector<std::thread> threads;
    for (size_t i = n; i-- > 0;) threads.emplace_back([=] { task(context, i); });
    for (auto& thread : threads) thread.join();
  };
  const auto bytes = model_bytes();
  const auto model = load(bytes);
  const auto tokens = some_tokens(12, 70);
  tern::SessionOptions options;
  options.runner = tern::TaskRunner(hooks);
  const auto hosted = all_logits(*open_session(model, options), tokens, 12);
  CHECK(host.calls > 0);
  CHECK(hosted == all_logits(*open_session(model), tokens, 12));
}

TEST_CASE("sessions of one model run on many threads at once") {
  const auto bytes = model_bytes();
  const auto model = load(bytes);
  const auto tokens = some_tokens(24, 70);
  const auto expected = all_logits(*open_session(model), tokens, 24);
  std::vector<std::vector<float>> results(4);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < results.size(); ++i) {
    threads.emplace_back([&, i] {
      auto session = tern::Session::create(model, {});
      if (session.ok()) results[i] = all_logits(**session, tokens, i + 1);
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& result : results) CHECK(result == expected);
}
#endif

TEST_CASE("an activation that overflows gives a status, not logits") {
  LogicalModel m = random_model(small_shape("llama"), 1, 3);
  for (float& s : m.layers[0].gate.scales) s = 1e30f;
  for (float& s : m.layers[0].up.scales) s = 1e30f;
  const auto bytes = gguf_of(m, TensorType::f32).build();
  for (const auto& isa : available_isas()) {
    const auto session = open_session(load(bytes, isa));
    CHECK(session->evaluate(some_tokens(3, 70)).status() == Status::non_finite);
    CHECK(session->position() == 0);
    CHECK(session->logits().empty());
  }
}

TEST_CASE("options out of range are refused by name") {
  const auto bytes = model_bytes();
  const auto model = load(bytes);
  tern::SessionOptions options;
  options.context = tern::kMaxContext + 1;
  auto session = tern::Session::create(model, options);
  CHECK(session.status() == Status::invalid_argument);
  CHECK(std::string(session.error().subject) == "context");
  options = {};
  options.n_threads = 0;
  CHECK(tern::Session::create(model, options).status() == Status::invalid_argument);
  options = {};
  options.batch = tern::kMaxBatch + 1;
  CHECK(tern::Session::create(model, options).status() == Status::invalid_argument);
  options = {};
  options.n_threads = 2;
  tern::ParallelForHooks serial;
  serial.n_workers = 1;
  serial.parallel_for = [](void*, size_t n, void (*task)(void*, size_t), void* context) {
    for (size_t i = 0; i < n; ++i) task(context, i);
  };
  options.runner = tern::TaskRunner(serial);
  CHECK(tern::Session::create(model, options).status() == Status::invalid_argument);
  options = {};
  options.allocator = tern::AllocatorHooks{nullptr, nullptr, nullptr};
  CHECK(tern::Session::create(model, options).status() == Status::invalid_argument);
  CHECK(tern::Session::create(nullptr, {}).status() == Status::invalid_argument);
}
