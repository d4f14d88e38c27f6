// Loading models and running them in a line, for tests.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string_view>
#include <vector>

#include "support/logical_gguf.hpp"
#include "tern/tern.hpp"

namespace tern_test {

using ModelPtr = std::shared_ptr<const tern::Model>;
using SessionPtr = std::shared_ptr<tern::Session>;

/// The bytes must outlive the model.
inline ModelPtr load_with(const std::vector<uint8_t>& bytes, const tern::LoadOptions& options) {
  auto model = tern::Model::load_memory(bytes, options);
  if (!model.ok()) FAIL(model.error().what << ": " << model.error().subject);
  return *model;
}
inline ModelPtr load(const std::vector<uint8_t>& bytes, std::string_view isa = {}) {
  tern::LoadOptions options;
  options.isa = isa;
  return load_with(bytes, options);
}

/// The bytes must outlive the file.
inline tern::GgufFile parse_gguf(const std::vector<uint8_t>& bytes) {
  auto file = tern::GgufFile::parse(bytes, tern::default_allocator());
  REQUIRE(file.ok());
  return *std::move(file);
}

inline SessionPtr open_session(const ModelPtr& model, const tern::SessionOptions& options = {}) {
  auto session = tern::Session::create(model, options);
  if (!session.ok()) FAIL(session.error().what);
  return *session;
}

/// The error of loading bytes that must not load.
inline tern::Error load_error(const std::vector<uint8_t>& bytes) {
  const auto model = tern::Model::load_memory(bytes, {});
  REQUIRE_FALSE(model.ok());
  return model.error();
}

/// Logits of every token of a text, [tokens * vocab_size], evaluated in calls of `step` tokens.
inline std::vector<float> all_logits(tern::Session& session,
                                     const std::vector<tern::TokenId>& tokens, size_t step) {
  const size_t vocab_size = session.model().config().vocab_size;
  std::vector<float> out(tokens.size() * vocab_size);
  for (size_t done = 0; done < tokens.size(); done += step) {
    const size_t n = std::min(step, tokens.size() - done);
    const auto result = session.evaluate({tokens.data() + done, n},
                                         {out.data() + done * vocab_size, n * vocab_size});
    if (!result.ok()) FAIL(result.error().what);
  }
  return out;
}

/// Deterministic token ids within a vocabulary.
inline std::vector<tern::TokenId> some_tokens(size_t n, uint32_t vocab_size, uint32_t seed = 7) {
  std::mt19937 rng(seed);
  std::vector<tern::TokenId> out(n);
  for (auto& token : out) token = static_cast<tern::TokenId>(rng() % vocab_size);
  return out;
}

/// What a model of small_shape says to a text: the logits of all its tokens, or of the last.
inline std::vector<float> logits_of(const ModelPtr& model) {
  const auto session = open_session(model);
  return all_logits(*session, some_tokens(9, 70), 3);
}
inline std::vector<float> logits_of(const std::vector<uint8_t>& bytes) {
  return logits_of(load(bytes));
}
inline std::vector<float> last_logits(const ModelPtr& model) {
  const auto session = open_session(model);
  REQUIRE(session->evaluate(some_tokens(9, 70)).ok());
  return {session->logits().begin(), session->logits().end()};
}
inline std::vector<float> last_logits(const std::vector<uint8_t>& bytes) {
  return last_logits(load(bytes));
}

/// Names of the tables that this machine runs.
inline constexpr tern::CacheType kCacheTypes[] = {tern::CacheType::f16, tern::CacheType::i8,
                                                  tern::CacheType::i4, tern::CacheType::i3,
                                                  tern::CacheType::f32};

inline std::vector<std::string> available_isas() {
  std::vector<std::string> out;
  for (const tern::KernelTable* table : tern::compiled_kernels()) {
    if (tern::select_kernels(table->isa).ok()) out.emplace_back(table->isa);
  }
  return out;
}

}  // namespace tern_test
