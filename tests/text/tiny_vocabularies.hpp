// Vocabularies small enough to read, and the naive algorithms that their tokens are checked
// against.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/text/byte_map.hpp"
#include "tern/text/tokenizer.hpp"
#include "tern/text/utf8.hpp"

namespace tern_test {

/// A vocabulary under construction; `data()` views it.
struct TinyVocabulary {
  tern::VocabularyData flags;  // everything but the spans
  std::vector<std::string> tokens;
  std::vector<float> scores;
  std::vector<int32_t> types;
  std::vector<std::string> merges;

  tern::TokenId add(std::string text, tern::TokenType type, float score = 0.0f) {
    tokens.push_back(std::move(text));
    types.push_back(static_cast<int32_t>(type));
    scores.push_back(score);
    return static_cast<tern::TokenId>(tokens.size() - 1);
  }

  tern::VocabularyData data() {
    token_views_.assign(tokens.begin(), tokens.end());
    merge_views_.assign(merges.begin(), merges.end());
    tern::VocabularyData views = flags;
    views.tokens = token_views_;
    views.types = types;
    if (flags.kind == tern::TokenizerKind::spm_bpe) views.scores = scores;
    if (flags.kind == tern::TokenizerKind::byte_bpe) views.merges = merge_views_;
    return views;
  }

  tern::Tokenizer tokenizer() {
    auto result = tern::Tokenizer::create(data(), tern::default_allocator());
    REQUIRE(result.ok());
    return *std::move(result);
  }
  tern::Error error() {
    const auto result = tern::Vocabulary::create(data(), tern::default_allocator());
    REQUIRE_FALSE(result.ok());
    return result.error();
  }

 private:
  std::vector<std::string_view> token_views_;
  std::vector<std::string_view> merge_views_;
};

/// How a byte-level vocabulary spells bytes.
inline std::string spell(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    text += tern::encode_utf8(tern::byte_level_code_point(static_cast<uint8_t>(byte))).view();
  }
  return text;
}

/// Tokens 0 to 255 are the bytes, then come the merges of `pairs`, then the control tokens <|bos|>,
/// <|eos|> and <|eot_id|> and the user-defined token [tool].
inline TinyVocabulary tiny_byte_bpe(const std::vector<std::pair<std::string, std::string>>& pairs,
                                    std::string_view pretokenizer = "gpt-2") {
  TinyVocabulary v;
  v.flags.kind = tern::TokenizerKind::byte_bpe;
  v.flags.pretokenizer = pretokenizer;
  for (int byte = 0; byte < 256; ++byte) {
    v.add(spell(std::string(1, static_cast<char>(byte))), tern::TokenType::normal);
  }
  for (const auto& [left, right] : pairs) {
    v.add(spell(left + right), tern::TokenType::normal);
    v.merges.push_back(spell(left) + " " + spell(right));
  }
  v.flags.bos = v.add("<|bos|>", tern::TokenType::control);
  v.flags.eos = v.add("<|eos|>", tern::TokenType::control);
  v.add("<|eot_id|>", tern::TokenType::control);
  v.add("[tool]", tern::TokenType::user_defined);
  return v;
}

/// A byte-level vocabulary with the control tokens of Llama 3, or of ChatML.
inline TinyVocabulary llama3_vocabulary() {
  auto tiny = tiny_byte_bpe({{" ", "H"}, {":", " "}});
  for (const char* text :
       {"<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>"}) {
    tiny.add(text, tern::TokenType::control);
  }
  return tiny;
}

/// <unk>, <s>, </s>, the 256 byte tokens from id 3 on, then normal tokens with their scores; spaces
/// in `pieces` are written as SentencePiece does.
inline TinyVocabulary tiny_spm(const std::vector<std::pair<std::string, float>>& pieces) {
  TinyVocabulary v;
  v.flags.kind = tern::TokenizerKind::spm_bpe;
  v.add("<unk>", tern::TokenType::unknown);
  v.add("<s>", tern::TokenType::control);
  v.add("</s>", tern::TokenType::control);
  for (int byte = 0; byte < 256; ++byte) {
    constexpr char kHex[] = "0123456789ABCDEF";
    v.add(std::string("<0x") + kHex[byte / 16] + kHex[byte % 16] + ">", tern::TokenType::byte);
  }
  for (const auto& [piece, score] : pieces) {
    std::string text;
    for (const char c : piece) text += c == ' ' ? std::string("\xE2\x96\x81") : std::string(1, c);
    v.add(text, tern::TokenType::normal, score);
  }
  return v;
}

inline std::vector<tern::TokenId> encode(const tern::Tokenizer& tokenizer, std::string_view text,
                                         const tern::EncodeOptions& options) {
  tern::Vector<tern::TokenId> ids;
  REQUIRE(tokenizer.encode(text, options, ids).ok());
  return {ids.begin(), ids.end()};
}

/// The ids of a text alone, nothing added.
inline std::vector<tern::TokenId> encode_plain(const tern::Tokenizer& tokenizer,
                                               std::string_view text) {
  return encode(tokenizer, text, {.add_special = false, .parse_special = false});
}

inline std::string decode(const tern::Tokenizer& tokenizer, const std::vector<tern::TokenId>& ids,
                          const tern::DecodeOptions& options = {}) {
  tern::String text;
  REQUIRE(tokenizer.decode(ids, options, text).ok());
  return {text.begin(), text.end()};
}

/// Any bytes, or, every other time, characters of an alphabet.
inline std::string random_text(std::mt19937& random, size_t max_bytes, std::string_view alphabet) {
  std::string text(random() % (max_bytes + 1), '\0');
  const bool any = random() % 2 == 0;
  for (char& c : text) {
    c = any ? static_cast<char>(random() % 256) : alphabet[random() % alphabet.size()];
  }
  return text;
}

}  // namespace tern_test
