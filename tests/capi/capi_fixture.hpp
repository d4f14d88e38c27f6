// Models, sessions and allocators of the C ABI, in a line each, for tests.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/aligned_memory.hpp"
#include "support/logical_gguf.hpp"
#include "tern.h"
#include "tern/text/byte_map.hpp"
#include "tern/text/utf8.hpp"

namespace capi_test {

struct Free {
  void operator()(tern_model* model) const { tern_model_free(model); }
  void operator()(tern_session* session) const { tern_session_free(session); }
  void operator()(tern_grammar* grammar) const { tern_grammar_free(grammar); }
};
using ModelPtr = std::unique_ptr<tern_model, Free>;
using SessionPtr = std::unique_ptr<tern_session, Free>;
using GrammarPtr = std::unique_ptr<tern_grammar, Free>;

/// The story model that the repository holds.
inline std::string stories_path() {
  return std::string(TERN_SOURCE_DIR) + "/examples/models/stories.gguf";
}

/// The text of a byte in the vocabulary of a file.
inline std::string byte_spelling(uint8_t byte) {
  const char32_t c = tern::byte_level_code_point(byte);
  if (c < 0x80) return {static_cast<char>(c)};
  return {static_cast<char>(0xC0 | (c >> 6)), static_cast<char>(0x80 | (c & 0x3F))};
}

inline constexpr int32_t kTinyBos = 256, kTinyEnd = 257, kTinyStart = 258, kTinyVocab = 260;

/// A model with random weights whose tokens are the 256 bytes, then three control tokens and "th".
inline tern_test::GgufWriter tiny_writer(bool with_vocabulary = true) {
  tern_test::LogicalModel shape = tern_test::small_shape();
  shape.vocab_size = kTinyVocab;
  auto writer = gguf_of(random_model(shape, 2, 3), tern::TensorType::tq2_0);
  writer.add("general.name", "tiny");
  if (!with_vocabulary) return writer;
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte)
    tokens.push_back(byte_spelling(static_cast<uint8_t>(byte)));
  for (const char* text : {"<|begin|>", "<|im_end|>", "<|im_start|>", "th"})
    tokens.emplace_back(text);
  std::vector<int32_t> types(tokens.size(), 1);
  for (const int32_t id : {kTinyBos, kTinyEnd, kTinyStart}) types[static_cast<size_t>(id)] = 3;
  writer.add("tokenizer.ggml.model", "gpt2").add("tokenizer.ggml.pre", "gpt-2");
  writer.add_array<std::string_view>("tokenizer.ggml.tokens", {tokens.begin(), tokens.end()});
  writer.add_array<int32_t>("tokenizer.ggml.token_type", types);
  writer.add_array<std::string_view>("tokenizer.ggml.merges", {"t h"});
  writer.add("tokenizer.ggml.bos_token_id", uint32_t{kTinyBos});
  writer.add("tokenizer.ggml.eos_token_id", uint32_t{kTinyEnd});
  writer.add("tokenizer.ggml.add_bos_token", true);
  return writer;
}
inline const std::vector<uint8_t>& tiny_bytes() {
  static const std::vector<uint8_t> bytes = tiny_writer().build();
  return bytes;
}
inline const std::vector<uint8_t>& tiny_chat_bytes() {
  static const std::vector<uint8_t> bytes =
      tiny_writer().add("tokenizer.chat_template", "<|im_start|>role<|im_end|>").build();
  return bytes;
}

/// The bytes must outlive the model.
inline ModelPtr load(const std::vector<uint8_t>& bytes,
                     const tern_load_options* options = nullptr) {
  tern_model* model = nullptr;
  const tern_status status = tern_model_load_memory(bytes.data(), bytes.size(), options, &model);
  INFO(tern_last_error_message());
  REQUIRE(status == TERN_OK);
  REQUIRE(model != nullptr);
  return ModelPtr(model);
}
inline ModelPtr load_stories(const tern_load_options* options = nullptr) {
  tern_model* model = nullptr;
  const std::string path = stories_path();
  const tern_status status = tern_model_load_file(path.data(), path.size(), options, &model);
  INFO(tern_last_error_message());
  REQUIRE(status == TERN_OK);
  return ModelPtr(model);
}
inline SessionPtr open_session(const ModelPtr& model,
                               const tern_session_options* options = nullptr) {
  tern_session* session = nullptr;
  const tern_status status = tern_session_create(model.get(), options, &session);
  INFO(tern_last_error_message());
  REQUIRE(status == TERN_OK);
  return SessionPtr(session);
}

inline std::vector<int32_t> tokenize(const ModelPtr& model, std::string_view text,
                                     uint32_t flags = TERN_TOKENIZE_ADD_SPECIAL) {
  std::vector<int32_t> tokens(text.size() + 2);
  size_t n = 0;
  REQUIRE(tern_model_tokenize(model.get(), text.data(), text.size(), flags, tokens.data(),
                              tokens.size(), &n) == TERN_OK);
  tokens.resize(n);
  return tokens;
}

inline void evaluate(const SessionPtr& session, const std::vector<int32_t>& tokens) {
  REQUIRE(tern_session_evaluate(session.get(), tokens.data(), tokens.size(), nullptr, 0) ==
          TERN_OK);
}
inline std::vector<float> logits(const SessionPtr& session) {
  const float* view = nullptr;
  size_t n = 0;
  REQUIRE(tern_session_logits(session.get(), &view, &n) == TERN_OK);
  return {view, view + n};
}

/// What a callback got, and how to stop it.
struct Collected {
  std::string text;
  std::vector<int32_t> tokens;
  size_t stop_after = ~size_t{0};  ///< tokens

  static int32_t on_text(void* user, const char* text, size_t size, int32_t token) {
    auto& self = *static_cast<Collected*>(user);
    self.text.append(text, size);
    self.tokens.push_back(token);
    return self.tokens.size() >= self.stop_after ? 1 : 0;
  }
};

/// Counts what lives, and refuses one allocation.
struct RefusingAllocator {
  size_t refused_call = ~size_t{0};  ///< the number, from 0, of the allocation that gives nothing
  size_t calls = 0;
  size_t live_blocks = 0;
  size_t live_bytes = 0;

  tern_allocator hooks() {
    return {this,
            [](void* user, size_t bytes, size_t alignment) -> void* {
              auto& self = *static_cast<RefusingAllocator*>(user);
              if (self.calls++ == self.refused_call) return nullptr;
              ++self.live_blocks;
              self.live_bytes += bytes;
              // From malloc: the test of what bypasses the hooks counts operator new.
              return tern_test::allocate_block(bytes, alignment);
            },
            [](void* user, void* block, size_t bytes, size_t) {
              auto& self = *static_cast<RefusingAllocator*>(user);
              --self.live_blocks;
              self.live_bytes -= bytes;
              tern_test::free_block(block);
            }};
  }
};

/// Checks that a call failed so, and that the thread knows what it said.
inline void check_failed(tern_status status, tern_status expected, const std::string& message) {
  CHECK(status == expected);
  CHECK(tern_last_error_status() == expected);
  CHECK(std::string(tern_last_error_message()) == message);
}

}  // namespace capi_test
