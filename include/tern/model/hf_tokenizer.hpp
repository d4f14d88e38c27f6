// The tokenizer of a Hugging Face folder as GGUF metadata, so that one loader serves both.
//
// Room: model. tokenizer.json says how text becomes tokens (hf_text_rules.hpp, hf_vocabulary.hpp)
// and what is put around a text (post_processor); tokenizer_config.json, special_tokens_map.json
// and generation_config.json name tokens with a role. Where they disagree:
//
//   | what         | first of |
//   |--------------|-------------------------------------------------------------------------------|
//   | bos, eos     | the template of the post_processor, tokenizer_config.json, | |              |
//   special_tokens_map.json, generation_config.json                               | | add_bos, eos
//   | add_bos_token and add_eos_token of a class that writes its template itself    | | |
//   (kHfRewritingClasses), the template, those entries of any class, nothing      | | the end |
//   every eos that any of the files names                                         | | chat format
//   | chat_template.jinja, tokenizer_config.json                                    |
//
// What GGUF has no key for has keys of tern's own: docs/formats.md, Vocabularies. Contradictions
// that were met are listed under one of them, for `tern inspect`.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tern/base/memory_wall.hpp"
#include "tern/format/gguf_header.hpp"
#include "tern/format/json.hpp"
#include "tern/model/hf_text_rules.hpp"
#include "tern/model/hf_vocabulary.hpp"
#include "tern/model/tokenizer_keys.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// The bytes of the files of a folder that concern text; all but `tokenizer` may be empty.
struct HfTextFiles {
  std::span<const uint8_t> tokenizer;           ///< tokenizer.json
  std::span<const uint8_t> tokenizer_config;    ///< tokenizer_config.json
  std::span<const uint8_t> special_tokens_map;  ///< special_tokens_map.json
  std::span<const uint8_t> generation_config;   ///< generation_config.json
  std::string_view chat_template;               ///< chat_template.jinja
  /// Rows of the embedding; added tokens from there on are left out. 0 where it is not known.
  size_t vocab_size = 0;
};

/// Classes of transformers that replace the template by what their entries say, BOS by default.
inline constexpr std::string_view kHfRewritingClasses[] = {
    "LlamaTokenizer",         "LlamaTokenizerFast", "CodeLlamaTokenizer",
    "CodeLlamaTokenizerFast", "GemmaTokenizer",     "GemmaTokenizerFast",
};

namespace detail {

class HfTokenizerReader {
 public:
  HfTokenizerReader(const HfTextFiles& files, GgufHeader& header, const AllocatorHooks& hooks)
      : files_(files), header_(header), hooks_(hooks), ends_(hooks), conflicts_(hooks) {}

  Result<void> run() {
    TERN_TRY_ASSIGN(const JsonDocument tokenizer, parse(files_.tokenizer, "tokenizer.json"));
    TERN_TRY_ASSIGN(const JsonDocument config,
                    parse(files_.tokenizer_config, "tokenizer_config.json"));
    TERN_TRY_ASSIGN(const JsonDocument special,
                    parse(files_.special_tokens_map, "special_tokens_map.json"));
    TERN_TRY_ASSIGN(const JsonDocument generation,
                    parse(files_.generation_config, "generation_config.json"));
    config_ = config.root();
    special_ = special.root();
    generation_ = generation.root();

    TERN_TRY_ASSIGN(const HfTextRules rules, read_hf_text_rules(tokenizer.root()));
    TERN_TRY_ASSIGN(const HfVocabulary vocabulary,
                    HfVocabulary::read(tokenizer.root(), rules, files_.vocab_size, hooks_));
    TERN_TRY(read_template(tokenizer.root()));
    add_rules(rules);
    TERN_TRY(vocabulary.add_to(header_));
    if (rules.is_byte_level) {
      header_.add_flag(kTernIgnoreMergesKey,
                       json_flag(vocabulary.model().find("ignore_merges"), false));
    }
    add_strips(vocabulary);
    TERN_TRY(add_roles(vocabulary));
    add_chat_templates();
    if (conflicts_.empty()) return {};
    header_.begin_array(kTernConflictsKey, MetadataType::string, conflicts_.size());
    for (const std::string_view conflict : conflicts_) header_.put_element(conflict);
    return {};
  }

 private:
  /// A file that is absent is an empty object.
  Result<JsonDocument> parse(std::span<const uint8_t> bytes, std::string_view name) const {
    constexpr uint8_t kNothing[] = {'{', '}'};
    auto document = JsonDocument::parse(bytes.empty() ? std::span(kNothing) : bytes, hooks_);
    if (!document) {
      return Error(document.error().status, document.error().what, name, document.error().where);
    }
    return document;
  }

  Result<void> read_template(JsonValue root) {
    return for_each_hf_part(root.find("post_processor"), "processors",
                            [this](JsonValue part) -> Result<void> {
                              const std::string_view type = json_text(part.find("type"));
                              if (type == "ByteLevel") return {};  // offsets only
                              if (type == "TemplateProcessing") return read_single(part);
                              if (type == "BertProcessing" || type == "RobertaProcessing") {
                                return read_pair(part);
                              }
                              return hf_unsupported("post-processor is not supported", type);
                            });
  }

  /// [BOS] text [EOS]
  Result<void> read_single(JsonValue part) {
    has_template_ = true;
    bool is_behind = false;
    for (const JsonValue piece : part.find("single").elements()) {
      const JsonValue special = piece.find("SpecialToken");
      if (special.is_absent()) {
        if (is_behind || json_text(piece.find("Sequence").find("id")) != "A") {
          return hf_unsupported("template is not BOS, text, EOS", "post_processor");
        }
        is_behind = true;
        continue;
      }
      const std::string_view name = json_text(special.find("id"));
      const JsonValue ids = part.find("special_tokens").find(name).find("ids");
      std::optional<int64_t>& slot = is_behind ? template_eos_ : template_bos_;
      if (slot || ids.size() != 1) {
        return hf_unsupported("template is not BOS, text, EOS", "post_processor");
      }
      for (const JsonValue id : ids.elements()) slot = id.as_integer();
      if (!slot) return Error(Status::malformed, "a template's token has no id", name);
    }
    if (!is_behind) return hf_unsupported("template is not BOS, text, EOS", "post_processor");
    return {};
  }

  /// What BERT's classes say instead of a template: "cls" in front, "sep" behind, as [text, id].
  Result<void> read_pair(JsonValue part) {
    const auto id_of = [&](std::string_view name) {
      std::optional<int64_t> id;
      for (const JsonValue element : part.find(name).elements()) id = element.as_integer();
      return id;
    };
    if (has_template_) return hf_unsupported("template is not BOS, text, EOS", "post_processor");
    has_template_ = true;
    template_bos_ = id_of("cls");
    template_eos_ = id_of("sep");
    if (template_bos_ && template_eos_) return {};
    return Error(Status::malformed, "a template's token has no id", "post_processor");
  }

  void add_rules(const HfTextRules& rules) {
    header_.add(kTokenizerModelKey, std::string_view(rules.is_byte_level ? "gpt2" : "llama"));
    if (rules.normalizer == Normalizer::nfc) header_.add(kTernNormalizerKey, kNfcName);
    if (rules.is_byte_level) {
      String scratch(hooks_);
      header_.add(kPretokenizerKey, pretokenizer_name(rules, scratch));
      add_space_prefix(rules.space_prefix);
      if (rules.n_patterns == 0) return;
      header_.begin_array(kTernPatternsKey, MetadataType::string, rules.n_patterns);
      for (size_t i = 0; i < rules.n_patterns; ++i) header_.put_element(rules.patterns[i]);
      return;
    }
    header_.add(kPretokenizerKey, std::string_view("default"));
    header_.add_flag(kAddSpacePrefixKey, rules.space_prefix != SpacePrefix::none);
    add_space_prefix(rules.space_prefix);
    if (rules.split_at_spaces) header_.add_flag(kTernSplitAtSpacesKey, true);
  }

  void add_space_prefix(SpacePrefix prefix) {
    for (const SpacePrefixName& row : kSpacePrefixNames) {
      if (row.prefix == prefix) header_.add(kTernSpacePrefixKey, row.name);
    }
  }

  void add_ids(std::string_view key, std::span<const int32_t> ids) {
    if (ids.empty()) return;
    header_.begin_array(key, MetadataType::i32, ids.size());
    for (const int32_t id : ids) header_.put_element(static_cast<uint32_t>(id));
  }

  void add_strips(const HfVocabulary& vocabulary) {
    Vector<int32_t> left(hooks_);
    Vector<int32_t> right(hooks_);
    if (vocabulary.has_loose_special()) {
      conflicts_.push_back(
          "tokenizer.json looks for special tokens in normalized text; they are found anywhere");
    }
    for (const HfAddedToken& token : vocabulary.added()) {
      if (token.strips_left) left.push_back(token.id);
      if (token.strips_right) right.push_back(token.id);
    }
    add_ids(kTernStripLeftKey, left);
    add_ids(kTernStripRightKey, right);
  }

  /// The token that a file names for a role: by its text, or by an object that has it as content.
  static TokenId named(JsonValue file, std::string_view key, const HfVocabulary& vocabulary) {
    const JsonValue entry = file.find(key);
    return vocabulary.find(json_text(entry.is_object() ? entry.find("content") : entry));
  }
  TokenId role(std::string_view key, const HfVocabulary& vocabulary) const {
    const TokenId id = named(config_, key, vocabulary);
    return id != kNoToken ? id : named(special_, key, vocabulary);
  }

  static bool is_token(std::optional<int64_t> id, const HfVocabulary& vocabulary) {
    return id && *id >= 0 && static_cast<uint64_t>(*id) < vocabulary.size();
  }
  void add_id(std::string_view key, std::optional<int64_t> id, const HfVocabulary& vocabulary) {
    if (is_token(id, vocabulary)) header_.add(key, static_cast<uint32_t>(*id));
  }
  void add_end(std::optional<int64_t> id, const HfVocabulary& vocabulary) {
    if (!is_token(id, vocabulary)) return;
    const auto end = static_cast<int32_t>(*id);
    if (std::find(ends_.begin(), ends_.end(), end) == ends_.end()) ends_.push_back(end);
  }

  Result<void> add_roles(const HfVocabulary& vocabulary) {
    const TokenId named_bos = role("bos_token", vocabulary);
    const TokenId named_eos = role("eos_token", vocabulary);
    add_end(template_eos_, vocabulary);
    add_end(named_eos, vocabulary);
    const JsonValue more_ends = generation_.find("eos_token_id");
    constexpr size_t kMostEnds = 1024;
    if (more_ends.size() > kMostEnds) {
      return Error(Status::malformed, "too many tokens end a text", "generation_config.json");
    }
    add_end(more_ends.as_integer(), vocabulary);
    for (const JsonValue end : more_ends.elements()) add_end(end.as_integer(), vocabulary);
    std::optional<int64_t> bos = template_bos_;
    if (!is_token(bos, vocabulary)) bos = named_bos;
    if (!is_token(bos, vocabulary)) bos = generation_.find("bos_token_id").as_integer();
    const std::optional<int64_t> eos =
        ends_.empty() ? std::nullopt : std::optional<int64_t>(ends_.front());
    if ((named_bos != kNoToken && bos != named_bos) ||
        (named_eos != kNoToken && eos != named_eos)) {
      conflicts_.push_back("bos_token or eos_token is not the template's token, which is followed");
    }
    add_id("tokenizer.ggml.bos_token_id", bos, vocabulary);
    add_id("tokenizer.ggml.eos_token_id", eos, vocabulary);
    add_id("tokenizer.ggml.unknown_token_id",
           vocabulary.find(json_text(vocabulary.model().find("unk_token"))), vocabulary);
    add_id("tokenizer.ggml.padding_token_id", role("pad_token", vocabulary), vocabulary);
    if (ends_.size() > 1) add_ids(kTernEndTokensKey, ends_);

    const std::string_view class_name = json_text(config_.find("tokenizer_class"));
    const bool rewrites = std::find(std::begin(kHfRewritingClasses), std::end(kHfRewritingClasses),
                                    class_name) != std::end(kHfRewritingClasses);
    add_insertion({"tokenizer.ggml.add_bos_token", "add_bos_token", template_bos_.has_value(),
                   rewrites, rewrites},
                  is_token(bos, vocabulary));
    add_insertion({"tokenizer.ggml.add_eos_token", "add_eos_token", template_eos_.has_value(),
                   rewrites, false},
                  is_token(eos, vocabulary));
    return {};
  }

  /// Whether a token is put beside a text: what may say so.
  struct Insertion {
    std::string_view key;
    std::string_view entry;  // of tokenizer_config.json
    bool in_template;
    bool rewrites;  // the class follows its entry, not the template
    bool by_class;  // what the class does without an entry and a template
  };
  void add_insertion(const Insertion& insertion, bool has_token) {
    const auto given = config_.find(insertion.entry).as_bool();
    bool wanted = has_template_ ? insertion.in_template : insertion.by_class;
    if (given && has_template_ && *given != wanted) {
      conflicts_.push_back(
          insertion.rewrites
              ? "add_bos_token or add_eos_token, which is followed, contradicts the template"
              : "add_bos_token or add_eos_token contradicts the template, which is followed");
    }
    if (insertion.rewrites || !has_template_) wanted = given.value_or(wanted);
    header_.add_flag(insertion.key, wanted && has_token);
  }

  void add_chat_templates() {
    const JsonValue entry = config_.find("chat_template");
    const std::string_view only =
        files_.chat_template.empty() ? json_text(entry) : files_.chat_template;
    if (!only.empty()) header_.add(kChatTemplateKey, only);
    String key(hooks_);
    for (const JsonValue named_template : entry.elements()) {
      const std::string_view name = json_text(named_template.find("name"));
      const std::string_view text = json_text(named_template.find("template"));
      if (name.empty() || text.empty()) continue;
      const bool is_default = name == "default";
      if (is_default && !only.empty()) continue;
      key.assign(kChatTemplateKey);
      if (!is_default) key.append(".").append(name);
      header_.add(key, text);
    }
  }

  const HfTextFiles& files_;
  GgufHeader& header_;
  AllocatorHooks hooks_;
  JsonValue config_;
  JsonValue special_;
  JsonValue generation_;
  bool has_template_ = false;
  std::optional<int64_t> template_bos_;
  std::optional<int64_t> template_eos_;
  Vector<int32_t> ends_;                // the first one is eos
  Vector<std::string_view> conflicts_;  // static texts
};

}  // namespace detail

/// Appends the tokenizer of a folder to a header: every tokenizer.* and tern.tokenizer.* key.
/// Errors: malformed (with the file's name and the byte), mismatch, unsupported_tokenizer (with the
///   name or pattern that tern does not follow), unsupported (a build without JSON), out_of_memory.
///   What was appended before stays: the header is then of no use.
/// Cost: memory a small multiple of the files.
inline Result<void> add_tokenizer_metadata(const HfTextFiles& files, GgufHeader& header,
                                           const AllocatorHooks& hooks) {
  return catch_out_of_memory(
      [&]() -> Result<void> { return detail::HfTokenizerReader(files, header, hooks).run(); });
}

TERN_NAMESPACE_END
