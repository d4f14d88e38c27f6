// The story model, asked to go on with a text.
#pragma once

#include <string>
#include <vector>

#include "support/model_fixture.hpp"
#include "tern/engine/generate.hpp"

namespace tern_test {

inline ModelPtr stories() {
  static const ModelPtr model = [] {
    auto loaded = tern::Model::load_file(TERN_SOURCE_DIR "/examples/models/stories.gguf", {});
    REQUIRE(loaded.ok());
    return *loaded;
  }();
  return model;
}

inline SessionPtr prompted(const ModelPtr& model, const std::string& prompt,
                           const tern::SessionOptions& options = {}) {
  auto session = open_session(model, options);
  tern::Vector<tern::TokenId> ids;
  REQUIRE(model->tokenizer()->encode(prompt, {}, ids).ok());
  REQUIRE(session->evaluate(ids).ok());
  return session;
}
inline SessionPtr prompted(const ModelPtr& model, const std::string& prompt, uint32_t context) {
  tern::SessionOptions options;
  options.context = context;
  return prompted(model, prompt, options);
}

struct Story {
  std::string text;
  std::vector<tern::TokenId> tokens;
  tern::Generation generation;
};

/// Stopped by the callback at its `stop_after`-th token.
inline Story tell(tern::Session& session, const tern::GenerateOptions& options,
                  size_t stop_after = SIZE_MAX) {
  Story story;
  const auto on_text = [&](std::string_view text, tern::TokenId token) {
    story.text += text;
    if (token != tern::kNoToken) story.tokens.push_back(token);
    return story.tokens.size() < stop_after;
  };
  const auto result = tern::generate(session, options, on_text);
  REQUIRE(result.ok());
  story.generation = *result;
  return story;
}

}  // namespace tern_test
