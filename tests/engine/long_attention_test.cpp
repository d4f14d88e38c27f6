// Single tokens behind a long text, whose attention is split by positions: the bits of one thread,
// on every table, with every cache.
#include "support/model_fixture.hpp"

using namespace tern_test;
using tern::Session;
using tern::TokenId;

namespace {

struct Heads {
  uint32_t n, n_kv, dim;
};

/// Two layers, of which the first sees a window.
std::vector<uint8_t> model_of(const Heads& heads, size_t window) {
  LogicalModel shape = small_shape("gemma3");
  shape.n_heads = heads.n;
  shape.n_kv_heads = heads.n_kv;
  shape.head_dim = heads.dim;
  shape.context_len = 1000;
  shape.window = window;
  shape.window_period = 2;
  return gguf_of(random_model(shape, 2, 29), tern::TensorType::f32).build();
}

constexpr size_t kText = 2 * tern::kSplitPositions - 100;
constexpr size_t kSingles = 3;

/// A session that has read the text, as bytes.
std::vector<uint8_t> saved_text(const ModelPtr& model, const tern::SessionOptions& options) {
  const auto session = open_session(model, options);
  REQUIRE(session->evaluate(some_tokens(kText, 70)).ok());
  std::vector<uint8_t> bytes(session->saved_bytes());
  REQUIRE(session->save(bytes).ok());
  return bytes;
}

/// Logits of single tokens behind the text, then of others in their place.
std::vector<float> decoded(const ModelPtr& model, const tern::SessionOptions& options,
                           const std::vector<uint8_t>& text) {
  const auto session = open_session(model, options);
  const auto tokens = some_tokens(kText + kSingles, 70);
  std::vector<float> logits;
  REQUIRE(session->restore(text).ok());
  for (size_t turn = 0; turn < 2; ++turn) {
    for (size_t i = 0; i < kSingles; ++i) {
      REQUIRE(
          session->evaluate({tokens.data() + kText + (turn == 0 ? i : kSingles - 1 - i), 1}).ok());
      logits.insert(logits.end(), session->logits().begin(), session->logits().end());
    }
    REQUIRE(session->truncate(kText - turn).ok());
  }
  return logits;
}

}  // namespace

TEST_CASE("a token behind a long text has the same bits on any table, threads and cache") {
  for (const Heads& heads : {Heads{6, 3, 14}, Heads{4, 1, 128}, Heads{2, 2, 64}}) {
    const auto bytes = model_of(heads, heads.dim == 14 ? 700 : 30);
    for (const tern::CacheType kv : kCacheTypes) {
      tern::SessionOptions options;
      options.kv = kv;
      options.context = 1000;
      options.n_threads = 1;
      const auto text = saved_text(load(bytes), options);
      const auto expected = decoded(load(bytes, "scalar"), options, text);
      for (const auto& isa : available_isas()) {
        const auto model = load(bytes, isa);
        // Reading the text takes long where nothing is vectors: once, with the wide window.
        if (heads.dim == 14 && kv == tern::CacheType::f16) {
          CHECK(saved_text(model, options) == text);
        }
        for (const uint32_t threads : {2u, 5u}) {
          INFO(isa << " head dim " << heads.dim << " threads " << threads << " cache "
                   << static_cast<int>(kv));
          options.n_threads = threads;
          CHECK(decoded(model, options, text) == expected);
        }
      }
    }
  }
}

TEST_CASE("several sessions with long texts have the bits of each alone") {
  const auto bytes = model_of({4, 1, 128}, 30);
  const auto model = load(bytes);
  const auto tokens = some_tokens(kText + 1, 70);
  tern::SessionOptions options;
  options.kv = tern::CacheType::i3;
  options.context = 1000;
  options.n_threads = 3;
  const size_t lengths[] = {kText, 40, kText - 60};
  std::vector<SessionPtr> sessions;
  std::vector<Session*> together;
  std::vector<TokenId> next;
  for (const size_t length : lengths) {
    sessions.push_back(open_session(model, options));
    REQUIRE(sessions.back()->evaluate({tokens.data(), length}).ok());
    together.push_back(sessions.back().get());
    next.push_back(tokens[length]);
  }
  REQUIRE(Session::evaluate_each(together, next).ok());
  for (size_t i = 0; i < std::size(lengths); ++i) {
    const auto alone = open_session(model, options);
    REQUIRE(alone->evaluate({tokens.data(), lengths[i]}).ok());
    REQUIRE(alone->evaluate({&next[i], 1}).ok());
    CHECK(
        std::equal(alone->logits().begin(), alone->logits().end(), sessions[i]->logits().begin()));
  }
}
