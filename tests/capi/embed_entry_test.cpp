// tern_session_embed: the vectors of C++, in pieces or together, and refusals.
#include "capi_fixture.hpp"
#include "tern/engine/session.hpp"

using namespace capi_test;

namespace {

constexpr size_t kWidth = 256;

std::vector<uint8_t> embedding_bytes() {
  tern_test::LogicalModel shape = tern_test::small_shape("qwen3");
  shape.input_norms = true;
  shape.pooling = 3;
  return gguf_of(random_model(shape, 2, 3), tern::TensorType::tq2_0).build();
}

tern_status embed(const SessionPtr& session, const std::vector<int32_t>& tokens,
                  const std::vector<size_t>& lengths, std::vector<float>& out) {
  return tern_session_embed(session.get(), tokens.data(), tokens.size(), lengths.data(),
                            lengths.size(), out.data(), out.size());
}

}  // namespace

TEST_CASE("tern_session_embed gives unit vectors, the same together as alone") {
  const auto bytes = embedding_bytes();
  const auto model = load(bytes);
  CHECK(tern_model_embedding_size(model.get()) == kWidth);
  const auto session = open_session(model);
  std::vector<float> both(2 * kWidth), first(kWidth), second(kWidth);
  REQUIRE(embed(session, {1, 2, 3, 4, 5}, {2, 3}, both) == TERN_OK);
  REQUIRE(embed(session, {1, 2}, {2}, first) == TERN_OK);
  REQUIRE(embed(session, {3, 4, 5}, {3}, second) == TERN_OK);
  CHECK(std::equal(first.begin(), first.end(), both.begin()));
  CHECK(std::equal(second.begin(), second.end(), both.begin() + kWidth));
  double length = 0;
  for (const float v : first) length += static_cast<double>(v) * static_cast<double>(v);
  CHECK(std::fabs(length - 1) < 1e-6);
  CHECK(tern_session_position(session.get()) == 0);
}

TEST_CASE("tern_session_embed refuses what it cannot embed, and models of logits") {
  const auto bytes = embedding_bytes();
  const auto model = load(bytes);
  const auto session = open_session(model);
  std::vector<float> out(kWidth);
  check_failed(embed(session, {1, 2}, {1, 1}, out), TERN_BUFFER_TOO_SMALL,
               "embeddings: the buffer is too small");
  CHECK(embed(session, {1, 2}, {1}, out) == TERN_INVALID_ARGUMENT);
  CHECK(embed(session, {1, 70}, {2}, out) == TERN_TOKEN_OUT_OF_RANGE);
  CHECK(tern_last_error_where() == 1);
  const int32_t token = 1;
  const size_t one = 1;
  CHECK(tern_session_embed(session.get(), nullptr, 1, &one, 1, out.data(), kWidth) ==
        TERN_INVALID_ARGUMENT);
  CHECK(tern_session_embed(session.get(), &token, 1, nullptr, 1, out.data(), kWidth) ==
        TERN_INVALID_ARGUMENT);
  CHECK(tern_session_embed(session.get(), &token, 1, &one, 1, nullptr, kWidth) ==
        TERN_INVALID_ARGUMENT);
  CHECK(tern_session_embed(nullptr, &token, 1, &one, 1, out.data(), kWidth) ==
        TERN_INVALID_ARGUMENT);
  check_failed(tern_session_evaluate(session.get(), &token, 1, nullptr, 0), TERN_UNSUPPORTED,
               "the model gives embeddings, not logits");

  const auto language = load(tiny_bytes());
  CHECK(tern_model_embedding_size(language.get()) == 0);
  CHECK(tern_model_embedding_size(nullptr) == 0);
  check_failed(embed(open_session(language), {1}, {1}, out), TERN_UNSUPPORTED,
               "the model gives logits, not embeddings");
}
