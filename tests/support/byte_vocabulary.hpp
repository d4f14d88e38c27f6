// A byte-level vocabulary small enough for random models: every byte, a few merges, an end of text.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/gguf_writer.hpp"
#include "tern/text/byte_map.hpp"
#include "tern/text/utf8.hpp"

namespace tern_test {

struct ByteVocabulary {
  std::vector<std::string> texts;
  std::vector<int32_t> types;
  std::vector<std::string> merges;

  ByteVocabulary() {
    constexpr int32_t kNormal = 1;
    constexpr int32_t kControl = 3;
    for (int byte = 0; byte < 256; ++byte) {
      const auto spelled =
          tern::encode_utf8(tern::byte_level_code_point(static_cast<uint8_t>(byte)));
      add(std::string(spelled.view()), kNormal);
    }
    for (const auto& [left, right] : {std::pair("t", "h"), {"th", "e"}, {"i", "n"}, {"e", "r"}}) {
      add(std::string(left) + right, kNormal);
      merges.push_back(std::string(left) + " " + right);
    }
    add("<|endoftext|>", kControl);
  }

  uint32_t end_of_text() const { return static_cast<uint32_t>(texts.size() - 1); }

  void add_to(GgufWriter& writer, const char* pretokenizer = "gpt-2") const {
    writer.add("tokenizer.ggml.model", "gpt2");
    writer.add("tokenizer.ggml.pre", pretokenizer);
    writer.add_array("tokenizer.ggml.tokens", views(texts));
    writer.add_array("tokenizer.ggml.token_type", types);
    writer.add_array("tokenizer.ggml.merges", views(merges));
    writer.add("tokenizer.ggml.bos_token_id", end_of_text());
    writer.add("tokenizer.ggml.eos_token_id", end_of_text());
  }

 private:
  static std::vector<std::string_view> views(const std::vector<std::string>& texts) {
    return {texts.begin(), texts.end()};
  }
  void add(const std::string& text, int32_t type) {
    texts.push_back(text);
    types.push_back(type);
  }
};

}  // namespace tern_test
