// Embeddings of texts: the formula, the same bits alone and in company, refusals by name.
#include <cmath>
#include <numeric>

#include "support/allocation_counter.hpp"
#include "support/model_fixture.hpp"

using namespace tern_test;
using tern::Status;
using tern::TensorType;
using tern::TokenId;

namespace {

LogicalModel embedding_model(const std::string& architecture) {
  LogicalModel shape = small_shape(architecture);
  shape.head_dim = 96;
  shape.input_norms = true;
  shape.activation_bits = 8;
  shape.pooling = 3;
  return random_model(shape, 2, 29);
}

/// Texts one behind the other.
struct Texts {
  std::vector<TokenId> tokens;
  std::vector<size_t> lengths;
};
Texts some_texts() {
  Texts texts;
  texts.lengths = {5, 1, 17, 33, 2, 40, 9, 16, 1, 21};
  texts.tokens =
      some_tokens(std::accumulate(texts.lengths.begin(), texts.lengths.end(), size_t{0}), 70, 11);
  return texts;
}

std::vector<float> embed(tern::Session& session, std::span<const TokenId> tokens,
                         std::span<const size_t> lengths) {
  std::vector<float> out(lengths.size() * session.model().config().model_dim);
  const auto result = session.embed(tokens, lengths, out);
  if (!result.ok()) FAIL(result.error().what);
  return out;
}

}  // namespace

TEST_CASE("an embedding is the last token's state, of length 1") {
  // Elements are about 1/16. As in reference_test.cpp, an int8 value at a tie moves them by a few
  // percent; without one both passes agree to float rounding.
  size_t close = 0;
  for (const std::string architecture : {"qwen3", "gemma3"}) {
    const LogicalModel m = embedding_model(architecture);
    const auto bytes = gguf_of(m, TensorType::i2_s).build();
    const auto session = open_session(load(bytes));
    const Texts texts = some_texts();
    const auto actual = embed(*session, texts.tokens, texts.lengths);
    auto begin = texts.tokens.begin();
    for (size_t text = 0; text < texts.lengths.size(); ++text) {
      const auto end = begin + static_cast<std::ptrdiff_t>(texts.lengths[text]);
      const Row expected = reference_embedding(m, {begin, end});
      begin = end;
      double length = 0;
      double difference = 0;
      for (size_t i = 0; i < m.model_dim; ++i) {
        const double value = static_cast<double>(actual[text * m.model_dim + i]);
        length += value * value;
        difference = std::max(difference, std::fabs(value - expected[i]));
      }
      CHECK(std::fabs(length - 1) < 1e-6);
      CHECK(difference < 1e-2);
      close += difference < 1e-5 ? 1 : 0;
    }
  }
  INFO(close);
  CHECK(close >= 10);
}

TEST_CASE("a text has the same embedding alone, in company, and however the work is cut") {
  for (const std::string architecture : {"qwen3", "gemma3"}) {
    const auto bytes = gguf_of(embedding_model(architecture), TensorType::i2_s).build();
    const Texts texts = some_texts();
    std::vector<float> expected;
    {
      const auto session = open_session(load(bytes, "scalar"));
      std::span<const TokenId> rest = texts.tokens;
      for (const size_t length : texts.lengths) {
        const auto alone = embed(*session, rest.first(length), {&length, 1});
        expected.insert(expected.end(), alone.begin(), alone.end());
        rest = rest.subspan(length);
      }
    }
    for (const auto& isa : available_isas()) {
      const auto model = load(bytes, isa);
      for (const uint32_t threads : {1u, 2u, 5u}) {
        for (const auto& [batch, context] :
             {std::pair(1u, 64u), {7u, 40u}, {13u, 64u}, {40u, 200u}, {128u, 145u}}) {
          INFO(architecture << " " << isa << " threads " << threads << " batch " << batch);
          tern::SessionOptions options;
          options.n_threads = threads;
          options.batch = batch;
          options.context = context;
          CHECK(embed(*open_session(model, options), texts.tokens, texts.lengths) == expected);
        }
      }
    }
    // Int8 caches have units beside the codes.
    tern::SessionOptions options;
    options.kv = tern::CacheType::i8;
    options.context = 64;
    const auto together = open_session(load(bytes), options);
    const auto both = embed(*together, texts.tokens, texts.lengths);
    const auto last = std::span<const TokenId>(texts.tokens).last(21);
    const size_t length = 21;
    const auto alone = embed(*together, last, {&length, 1});
    CHECK(std::equal(alone.begin(), alone.end(), both.end() - 256));
  }
}

TEST_CASE("embedding allocates nothing and leaves the session empty") {
  const auto bytes = gguf_of(embedding_model("qwen3"), TensorType::i2_s).build();
  const auto session = open_session(load(bytes));
  const Texts texts = some_texts();
  std::vector<float> out(texts.lengths.size() * 256);
  const long before = n_allocations;
  REQUIRE(session->embed(texts.tokens, texts.lengths, out).ok());
  CHECK(n_allocations == before);
  CHECK(session->position() == 0);
  CHECK(session->tokens().empty());
  CHECK(session->logits().empty());
}

TEST_CASE("texts that cannot be embedded are refused") {
  const auto bytes = gguf_of(embedding_model("qwen3"), TensorType::i2_s).build();
  tern::SessionOptions options;
  options.context = 10;
  const auto session = open_session(load(bytes), options);
  const auto tokens = some_tokens(14, 70);
  std::vector<float> out(2 * 256);
  const auto error_of = [&](std::vector<size_t> lengths, std::span<float> to) {
    const auto result = session->embed(tokens, lengths, to);
    REQUIRE_FALSE(result.ok());
    return result.error();
  };
  CHECK(error_of({}, out).status == Status::invalid_argument);
  CHECK(error_of({7, 0}, out).status == Status::invalid_argument);
  CHECK(error_of({7, 8}, out).status == Status::invalid_argument);
  CHECK(error_of({7, 6}, out).status == Status::invalid_argument);
  CHECK(error_of({7, 7}, std::span(out).first(511)).status == Status::invalid_argument);
  const tern::Error full = error_of({3, 11}, out);
  CHECK(full.status == Status::context_full);
  CHECK(full.where == 13);
  std::vector<TokenId> bad = {1, 2, 70};
  const size_t length = 3;
  const auto result = session->embed(bad, {&length, 1}, std::span(out).first(256));
  CHECK(result.status() == Status::token_out_of_range);
  CHECK(result.error().where == 2);
}

TEST_CASE("models of embeddings give no logits, models of logits no embeddings") {
  const auto bytes = gguf_of(embedding_model("gemma3"), TensorType::i2_s).build();
  const auto embedder = open_session(load(bytes));
  const auto tokens = some_tokens(4, 70);
  CHECK(embedder->evaluate(tokens).status() == Status::unsupported);
  CHECK(embedder->sample({}).status() == Status::invalid_argument);

  const auto language = gguf_of(random_model(small_shape("qwen3"), 2, 3), TensorType::f32).build();
  const auto session = open_session(load(language));
  std::vector<float> out(256);
  const size_t length = 4;
  CHECK(session->embed(tokens, {&length, 1}, out).status() == Status::unsupported);
}

TEST_CASE("poolings but that of the last token are refused by name") {
  LogicalModel m = embedding_model("qwen3");
  const char* const names[] = {"mean", "cls", "", "rank"};
  for (const unsigned type : {1u, 2u, 4u}) {
    m.pooling = type;
    const tern::Error error = load_error(gguf_of(m, TensorType::i2_s).build());
    CHECK(error.status == Status::unsupported);
    CHECK(error.subject == std::string_view(names[type - 1]));
  }
  m.pooling = 5;
  CHECK(load_error(gguf_of(m, TensorType::i2_s).build()).status == Status::mismatch);
}

TEST_CASE("attention to later tokens is refused by name") {
  GgufWriter writer = gguf_of(embedding_model("qwen3"), TensorType::i2_s);
  writer.add("qwen3.attention.causal", false);
  const tern::Error error = load_error(writer.build());
  CHECK(error.status == Status::unsupported);
  CHECK(error.subject == std::string_view("attention.causal"));
}
