// The vocabulary of a GGUF file's metadata, for room text.
//
// Room: model. Gathers views and plain numbers; what they must satisfy, and the defaults of what is
// absent, is Vocabulary's to say.
#pragma once

#include <cstring>
#include <optional>

#include "tern/format/gguf.hpp"
#include "tern/format/tern_directory.hpp"
#include "tern/model/architecture.hpp"
#include "tern/model/tokenizer_keys.hpp"
#include "tern/text/chat_renderer.hpp"
#include "tern/text/tokenizer.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {

/// The elements of a metadata array as T; empty when the key is absent.
template <typename T>
Result<Vector<T>> read_metadata_array(const GgufFile& file, std::string_view key,
                                      const AllocatorHooks& hooks) {
  Vector<T> out(hooks);
  if (file.find(key) == nullptr) return out;
  TERN_TRY_ASSIGN(const MetadataArray array, file.get_array<T>(key));
  out.reserve(array.size());
  for (const MetadataScalar element : array) {
    const std::optional<T> value = element.as<T>();
    if (!value) return Error(Status::mismatch, "array element is out of range", key);
    out.push_back(*value);
  }
  return out;
}

/// The resolved merges of a tern file; empty where there are none.
inline Result<Vector<TokenMerge>> read_token_merges(const GgufFile& file,
                                                    const AllocatorHooks& hooks) {
  Vector<TokenMerge> out(hooks);
  if (file.find(kTernMergesKey) == nullptr) return out;
  TERN_TRY_ASSIGN(const MetadataArray array, file.get_array<int32_t>(kTernMergesKey));
  if (array.element_type() != MetadataType::i32 || array.size() % 3 != 0) {
    return Error(Status::mismatch, "resolved merges are not triples of i32", kTernMergesKey);
  }
  static_assert(sizeof(TokenMerge) == 3 * sizeof(int32_t));
  out.resize(array.size() / 3);
  if (!out.empty()) std::memcpy(out.data(), array.bytes().data(), array.bytes().size());
  return out;
}

template <typename T>
Result<std::optional<T>> read_optional(const GgufFile& file, std::string_view key) {
  if (file.find(key) == nullptr) return std::optional<T>();
  TERN_TRY_ASSIGN(const T value, file.get<T>(key));
  return std::optional<T>(value);
}

inline Result<void> read_special_ids(const GgufFile& file, VocabularyData& data) {
  struct Row {
    std::string_view key;
    std::optional<int64_t> VocabularyData::*id;
  };
  constexpr Row kRows[] = {
      {"tokenizer.ggml.bos_token_id", &VocabularyData::bos},
      {"tokenizer.ggml.eos_token_id", &VocabularyData::eos},
      {"tokenizer.ggml.eot_token_id", &VocabularyData::eot},
      {"tokenizer.ggml.eom_token_id", &VocabularyData::eom},
      {"tokenizer.ggml.unknown_token_id", &VocabularyData::unk},
      {"tokenizer.ggml.padding_token_id", &VocabularyData::pad},
  };
  for (const Row& row : kRows) {
    TERN_TRY_ASSIGN(data.*row.id, read_optional<int64_t>(file, row.key));
  }
  return {};
}

inline Result<void> read_text_flags(const GgufFile& file, VocabularyData& data) {
  struct Row {
    std::string_view key;
    std::optional<bool> VocabularyData::*flag;
  };
  constexpr Row kRows[] = {
      {"tokenizer.ggml.add_bos_token", &VocabularyData::add_bos},
      {"tokenizer.ggml.add_eos_token", &VocabularyData::add_eos},
      {kAddSpacePrefixKey, &VocabularyData::add_space_prefix},
      {kTernIgnoreMergesKey, &VocabularyData::ignore_merges},
  };
  for (const Row& row : kRows) {
    TERN_TRY_ASSIGN(data.*row.flag, read_optional<bool>(file, row.key));
  }
  return {};
}

/// What only tern's own keys say.
inline Result<void> read_tern_rules(const GgufFile& file, VocabularyData& data) {
  TERN_TRY_ASSIGN(const auto normalizer, file.get_or<std::string_view>(kTernNormalizerKey, ""));
  if (normalizer == kNfcName) {
    data.normalizer = Normalizer::nfc;
  } else if (!normalizer.empty()) {
    return Error(Status::unsupported_tokenizer, "normalizer is not supported", normalizer);
  }
  TERN_TRY_ASSIGN(const auto prefix, file.get_or<std::string_view>(kTernSpacePrefixKey, ""));
  for (const SpacePrefixName& row : kSpacePrefixNames) {
    if (row.name == prefix) data.space_prefix = row.prefix;
  }
  if (!prefix.empty() && !data.space_prefix) {
    return Error(Status::unsupported_tokenizer, "space prefix is not supported", prefix);
  }
  TERN_TRY_ASSIGN(data.split_at_spaces, file.get_or<bool>(kTernSplitAtSpacesKey, false));
  return {};
}

inline Result<TokenizerKind> read_tokenizer_kind(const GgufFile& file) {
  TERN_TRY_ASSIGN(const std::string_view name, file.get<std::string_view>(kTokenizerModelKey));
  if (name == "gpt2") return TokenizerKind::byte_bpe;
  if (name == "llama") return TokenizerKind::spm_bpe;
  return Error(Status::unsupported_tokenizer, "tokenizer model is not supported", name);
}

}  // namespace detail

/// Whether the file has a vocabulary at all; models of random weights have none.
inline bool has_vocabulary(const GgufFile& file) {
  const MetadataValue* value = file.find(kTokenizerModelKey);
  if (value == nullptr) return false;
  return value->as<std::string_view>() != std::string_view("no_vocab");
}

/// The tokenizer of a file. `default_pretokenizer` stands in where the file names none; `patterns`
/// makes splitters of patterns that tern does not know, and may be null.
/// Errors: missing, mismatch (keys), unsupported_tokenizer, and those of Vocabulary::create.
inline Result<Tokenizer> load_tokenizer(const GgufFile& file, std::string_view default_pretokenizer,
                                        const AllocatorHooks& hooks,
                                        const PatternCompiler* patterns = nullptr) {
  VocabularyData data;
  data.pattern_compiler = patterns;
  TERN_TRY_ASSIGN(data.kind, detail::read_tokenizer_kind(file));
  TERN_TRY_ASSIGN(data.pretokenizer,
                  file.get_or<std::string_view>(kPretokenizerKey, default_pretokenizer));
  TERN_TRY_ASSIGN(const Vector<std::string_view> steps,
                  detail::read_metadata_array<std::string_view>(file, kTernPatternsKey, hooks));
  data.patterns = steps;
  TERN_TRY_ASSIGN(
      const Vector<std::string_view> tokens,
      detail::read_metadata_array<std::string_view>(file, "tokenizer.ggml.tokens", hooks));
  TERN_TRY_ASSIGN(const Vector<float> scores,
                  detail::read_metadata_array<float>(file, "tokenizer.ggml.scores", hooks));
  TERN_TRY_ASSIGN(const Vector<int32_t> types,
                  detail::read_metadata_array<int32_t>(file, "tokenizer.ggml.token_type", hooks));
  TERN_TRY_ASSIGN(const Vector<TokenMerge> token_merges, detail::read_token_merges(file, hooks));
  Vector<std::string_view> merges(hooks);
  if (token_merges.empty()) {
    TERN_TRY_ASSIGN(merges, detail::read_metadata_array<std::string_view>(
                                file, "tokenizer.ggml.merges", hooks));
  }
  TERN_TRY_ASSIGN(const Vector<int32_t> strip_left,
                  detail::read_metadata_array<int32_t>(file, kTernStripLeftKey, hooks));
  TERN_TRY_ASSIGN(const Vector<int32_t> strip_right,
                  detail::read_metadata_array<int32_t>(file, kTernStripRightKey, hooks));
  TERN_TRY_ASSIGN(const Vector<int32_t> end_tokens,
                  detail::read_metadata_array<int32_t>(file, kTernEndTokensKey, hooks));
  data.strip_left = strip_left;
  data.strip_right = strip_right;
  data.end_tokens = end_tokens;
  data.tokens = tokens;
  data.scores = scores;
  data.types = types;
  data.merges = merges;
  data.token_merges = token_merges;
  if (const MetadataValue* text = file.find(kChatTemplateKey)) {
    data.chat_template = text->as<std::string_view>().value_or("");
  }
  TERN_TRY(detail::read_special_ids(file, data));
  TERN_TRY(detail::read_text_flags(file, data));
  TERN_TRY(detail::read_tern_rules(file, data));
  return Tokenizer::create(data, hooks);
}

/// How a file says that conversations are written. Errors: mismatch (keys), and those of
/// ChatRenderer::create.
inline Result<ChatRenderer> load_chat_renderer(const GgufFile& file, const Vocabulary& vocabulary) {
  ChatHints hints;
  TERN_TRY_ASSIGN(hints.chat_template, file.get_or<std::string_view>(kChatTemplateKey, ""));
  TERN_TRY_ASSIGN(hints.architecture, file.get_or<std::string_view>("general.architecture", ""));
  TERN_TRY_ASSIGN(hints.pretokenizer, file.get_or<std::string_view>(kPretokenizerKey, ""));
  return ChatRenderer::create(hints, vocabulary);
}

TERN_NAMESPACE_END
