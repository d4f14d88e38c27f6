// Small tokenizer.json files and their neighbours, part by part, for tests and fuzz corpora.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tern/model/hf_tokenizer.hpp"
#include "tern/text/byte_map.hpp"
#include "tern/text/utf8.hpp"

namespace tern_test {

inline constexpr std::string_view kSpace = "\xE2\x96\x81";
inline const std::string kReplaceSpaces =
    R"({"type":"Replace","pattern":{"String":" "},"content":")" + std::string(kSpace) + R"("})";
inline const std::string kPrependAndReplace =
    R"({"type":"Sequence","normalizers":[{"type":"Prepend","prepend":")" + std::string(kSpace) +
    R"("},)" + kReplaceSpaces + "]}";

/// A text as JSON spells it.
inline std::string quoted(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') json += '\\';
    json += c;
  }
  return json + '"';
}

inline std::string sequence(const std::vector<std::string>& parts) {
  std::string json = R"({"type":"Sequence","pretokenizers":[)";
  for (const std::string& part : parts) json += (&part == parts.data() ? "" : ",") + part;
  return json + "]}";
}

inline std::string split_and_byte_level(std::string_view regex) {
  return sequence({R"({"type":"Split","pattern":{"Regex":)" + quoted(regex) +
                       R"(},"behavior":"Isolated","invert":false})",
                   R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":false})"});
}

/// A TemplateProcessing with a token in front and one behind; "" for none.
inline std::string template_of(std::string_view front, int front_id, std::string_view behind,
                               int behind_id) {
  const auto special = [](std::string_view name) {
    return R"({"SpecialToken":{"id":)" + quoted(name) + R"(,"type_id":0}})";
  };
  const auto ids = [](std::string_view name, int id) {
    return quoted(name) + R"(:{"ids":[)" + std::to_string(id) + "]}";
  };
  std::string json = R"({"type":"TemplateProcessing","single":[)";
  if (!front.empty()) json += special(front) + ",";
  json += R"({"Sequence":{"id":"A","type_id":0}})";
  if (!behind.empty()) json += "," + special(behind);
  json += R"(],"special_tokens":{)";
  if (!front.empty()) json += ids(front, front_id);
  if (!front.empty() && !behind.empty()) json += ",";
  if (!behind.empty()) json += ids(behind, behind_id);
  return json + "}}";
}

/// The files of a tokenizer under construction; `files()` views it. Parts are JSON.
struct HfJson {
  std::string vocab;  // members of the object
  std::string merges;
  std::string model_rest = R"("dropout": null)";
  std::string normalizer = "null";
  std::string pre_tokenizer = "null";
  std::string post_processor = "null";
  std::string added = "[]";
  std::string config;
  std::string generation;

  std::string tokenizer() const {
    return R"({"version":"1.0","added_tokens":)" + added + R"(,"normalizer":)" + normalizer +
           R"(,"pre_tokenizer":)" + pre_tokenizer + R"(,"post_processor":)" + post_processor +
           R"(,"model":{"type":"BPE","vocab":{)" + vocab + R"(},"merges":)" + merges + "," +
           model_rest + "}}";
  }

  tern::HfTextFiles files() const {
    const auto view = [](const std::string& text) {
      return std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size());
    };
    built_ = tokenizer();
    tern::HfTextFiles files;
    files.tokenizer = view(built_);
    files.tokenizer_config = view(config);
    files.generation_config = view(generation);
    return files;
  }

  void add_token(std::string_view text, int id) {
    vocab += (vocab.empty() ? "" : ", ") + quoted(text) + ": " + std::to_string(id);
  }

  /// The 256 bytes, then ab, space ab and abcd; GPT-2's expression.
  static HfJson byte_level() {
    HfJson json;
    for (int byte = 0; byte < 256; ++byte) {
      const char32_t spelled = tern::byte_level_code_point(static_cast<uint8_t>(byte));
      json.add_token(tern::encode_utf8(spelled).view(), byte);
    }
    json.add_token("ab", 256);
    json.add_token(
        "\xC4\xA0"
        "ab",
        257);
    json.add_token("abcd", 258);
    json.merges = R"(["a b","\u0120 ab"])";
    json.pre_tokenizer = R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":true})";
    return json;
  }

  /// <unk>, <s>, </s>, the byte tokens from 3 on, then pieces; as Llama 2 has it.
  static HfJson byte_fallback() {
    HfJson json;
    int id = 0;
    for (const std::string_view special : {"<unk>", "<s>", "</s>"}) json.add_token(special, id++);
    constexpr char kHex[] = "0123456789ABCDEF";
    for (int byte = 0; byte < 256; ++byte) {
      json.add_token(std::string("<0x") + kHex[byte / 16] + kHex[byte % 16] + ">", id++);
    }
    const std::string space(kSpace);
    for (const std::string& piece :
         {space, std::string("a"), std::string("b"), std::string("ab"), space + "ab", space + "b",
          std::string("aba"), std::string("ba"), space + space}) {
      json.add_token(piece, id++);
    }
    json.merges = R"(["a b","\u2581 ab","ab a","\u2581 b","a ba","b a","\u2581 \u2581"])";
    json.model_rest = R"("byte_fallback": true, "unk_token": "<unk>")";
    json.normalizer = kPrependAndReplace;
    return json;
  }

 private:
  mutable std::string built_;
};

}  // namespace tern_test
