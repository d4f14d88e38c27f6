// The tokens and merges of a tokenizer.json as metadata.
//
// Room: model. Texts are numbered by the file's ids; numbers without a text become unused tokens.
// Byte-level BPE keeps its merges as texts. BPE with byte_fallback becomes SentencePiece-BPE: the
// score of a token is minus the rank of the first merge that makes it, as converters write it, and
// the merges themselves are kept by ids (kTernMergesKey), since two ways to make a token may have
// ranks apart.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "tern/base/allocator.hpp"
#include "tern/format/gguf_header.hpp"
#include "tern/format/json.hpp"
#include "tern/format/name_index.hpp"
#include "tern/format/tern_directory.hpp"
#include "tern/model/hf_text_rules.hpp"
#include "tern/text/piece_store.hpp"
#include "tern/text/token_spelling.hpp"
#include "tern/text/vocabulary.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// A token that the text is cut at, or whose text is hidden.
struct HfAddedToken {
  std::string_view content;
  int32_t id = kNoToken;
  bool is_special = false;
  bool is_loose = false;  ///< the file looks for it in normalized text, tern in any
  bool strips_left = false;
  bool strips_right = false;
};

namespace detail {
inline void append_decimal(uint64_t value, String& out) {
  char digits[20];
  size_t first = sizeof(digits);
  do {
    digits[--first] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  out.append(digits + first, sizeof(digits) - first);
}
}  // namespace detail

/// The vocabulary of a tokenizer.json; views the document.
class HfVocabulary {
 public:
  /// Errors: malformed, mismatch (ids that contradict each other), unsupported_tokenizer, and
  ///   std::bad_alloc: callers stand behind catch_out_of_memory.
  /// `max_tokens`: added tokens from there on are left out; 0 for no limit.
  static Result<HfVocabulary> read(JsonValue root, const HfTextRules& rules, size_t max_tokens,
                                   const AllocatorHooks& hooks) {
    HfVocabulary vocabulary(hooks);
    vocabulary.model_ = root.find("model");
    TERN_TRY(vocabulary.check_model(rules));
    TERN_TRY(vocabulary.read_tokens(root.find("added_tokens"), rules, max_tokens));
    return vocabulary;
  }

  size_t size() const { return texts_.size(); }
  std::span<const HfAddedToken> added() const { return added_; }
  bool has_byte_fallback() const { return has_byte_fallback_; }
  JsonValue model() const { return model_; }
  bool has_loose_special() const {
    return std::any_of(added_.begin(), added_.end(),
                       [](const HfAddedToken& token) { return token.is_loose; });
  }

  /// The token with this text, added or not, or kNoToken. Cost: O(tokens).
  TokenId find(std::string_view text) const {
    const auto at = std::find(texts_.begin(), texts_.end(), text);
    return at == texts_.end() || text.empty() ? kNoToken
                                              : static_cast<TokenId>(at - texts_.begin());
  }

  /// Appends tokens, types and merges. Errors: malformed (merges).
  Result<void> add_to(GgufHeader& header) const;

 private:
  static constexpr uint8_t kUnset = 0;
  static constexpr uint64_t kMaxUnused = 1024;  // ids without a text, beside as many as have one
  using Sides = std::array<std::string_view, 2>;

  explicit HfVocabulary(const AllocatorHooks& hooks)
      : hooks_(hooks), texts_(hooks), types_(hooks), added_(hooks) {}

  Result<void> check_model(const HfTextRules& rules);
  Result<void> read_tokens(JsonValue added_tokens, const HfTextRules& rules, size_t max_tokens);
  Result<HfAddedToken> read_added(JsonValue token, const HfTextRules& rules) const;
  TokenType added_type(const HfAddedToken& token) const;
  Result<void> check_bytes() const;
  Result<void> place(std::string_view text, int64_t id, TokenType type);
  Result<void> add_text_merges(GgufHeader& header) const;
  Result<void> add_scores(GgufHeader& header) const;
  /// Both sides of a merge: ["a", "b"], or "a b" in older files.
  static Result<Sides> merge_sides(JsonValue merge);

  AllocatorHooks hooks_;
  JsonValue model_;
  bool has_byte_fallback_ = false;
  std::string_view unknown_;
  Vector<std::string_view> texts_;  // [size()], by id
  Vector<uint8_t> types_;           // [size()], TokenType's numbers; kUnset where there is no text
  Vector<HfAddedToken> added_;
};

inline Result<void> HfVocabulary::check_model(const HfTextRules& rules) {
  // Files of before 2020 leave the type out.
  const std::string_view type = detail::json_text(model_.find("type"), "BPE");
  if (type != "BPE") return detail::hf_unsupported("tokenizer model is not supported", type);
  if (!model_.find("vocab").is_object() || !model_.find("merges").is_array()) {
    return Error(Status::malformed, "the tokenizer has no vocabulary and merges", "model");
  }
  for (const std::string_view name : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    const std::string_view affix = detail::json_text(model_.find(name));
    if (!affix.empty()) return detail::hf_unsupported("tokens with an affix", affix);
  }
  const JsonValue dropout = model_.find("dropout");
  if (dropout.as_real().value_or(0.0) != 0.0) {
    return detail::hf_unsupported("merges at random", "dropout");
  }
  has_byte_fallback_ = detail::json_flag(model_.find("byte_fallback"), false);
  unknown_ = detail::json_text(model_.find("unk_token"));
  if (has_byte_fallback_ == rules.is_byte_level) {
    return detail::hf_unsupported("BPE needs either a ByteLevel pre-tokenizer or byte_fallback",
                                  "model");
  }
  if (has_byte_fallback_ && !rules.spells_spaces) {
    return detail::hf_unsupported("byte_fallback without spaces as U+2581", "model");
  }
  if (has_byte_fallback_ && detail::json_flag(model_.find("ignore_merges"), false)) {
    return detail::hf_unsupported("byte_fallback with ignore_merges", "model");
  }
  return {};
}

inline Result<void> HfVocabulary::place(std::string_view text, int64_t id, TokenType type) {
  const auto at = static_cast<size_t>(id);
  if (types_[at] != kUnset && texts_[at] != text) {
    return Error(Status::mismatch, "two tokens have one id", text);
  }
  texts_[at] = text;
  types_[at] = static_cast<uint8_t>(type);
  return {};
}

inline Result<HfAddedToken> HfVocabulary::read_added(JsonValue token,
                                                     const HfTextRules& rules) const {
  const auto content = token.find("content").as_text();
  const auto id = token.find("id").as_integer();
  if (!content || content->empty() || !id || *id < 0) {
    return Error(Status::malformed, "an added token without content and id", token.where());
  }
  HfAddedToken added;
  added.content = *content;
  added.is_special = detail::json_flag(token.find("special"), false);
  added.strips_left = detail::json_flag(token.find("lstrip"), false);
  added.strips_right = detail::json_flag(token.find("rstrip"), false);
  if (detail::json_flag(token.find("single_word"), false)) {
    return detail::hf_unsupported("an added token that is found as a single word only", *content);
  }
  // Such a token is looked for in the normalized text. With a space in front of each run it would
  // be found at the start of runs alone: special ones are meant to be found anywhere.
  const bool is_ascii = std::all_of(content->begin(), content->end(),
                                    [](char c) { return static_cast<uint8_t>(c) < 0x80; });
  const bool changes = (rules.normalizer != Normalizer::none && !is_ascii) ||
                       rules.space_prefix == SpacePrefix::runs;
  added.is_loose = changes && detail::json_flag(token.find("normalized"), !added.is_special);
  if (added.is_loose && !added.is_special) {
    return detail::hf_unsupported("an added token that is found in normalized text", *content);
  }
  added.id = *id > std::numeric_limits<int32_t>::max() ? std::numeric_limits<int32_t>::max()
                                                       : static_cast<int32_t>(*id);
  return added;
}

// Runs of spaces among the added tokens are found by merging: a text has spaces, and not what
// spells them here.
inline TokenType HfVocabulary::added_type(const HfAddedToken& token) const {
  if (token.content == unknown_) return TokenType::unknown;
  if (token.is_special) return TokenType::control;
  const bool is_merged = has_byte_fallback_ && types_[static_cast<size_t>(token.id)] != kUnset &&
                         token.content.find(detail::kHfSpace) != std::string_view::npos;
  return is_merged ? TokenType::normal : TokenType::user_defined;
}

inline Result<void> HfVocabulary::read_tokens(JsonValue added_tokens, const HfTextRules& rules,
                                              size_t max_tokens) {
  const JsonValue vocab = model_.find("vocab");
  const uint64_t n_texts = uint64_t{vocab.size()} + added_tokens.size();
  const auto limit = static_cast<int64_t>(2 * n_texts + kMaxUnused);
  int64_t n_tokens = 0;
  for (const JsonMember member : vocab.members()) {
    const auto id = member.value.as_integer();
    if (!id || *id < 0 || *id >= limit) {
      return Error(Status::malformed, "the id of a token is no number in range", member.name);
    }
    n_tokens = std::max(n_tokens, *id + 1);
  }
  if (max_tokens != 0 && n_tokens > static_cast<int64_t>(max_tokens)) {
    return Error(Status::mismatch, "the tokenizer has more tokens than the model", "model.vocab");
  }
  for (const JsonValue token : added_tokens.elements()) {
    TERN_TRY_ASSIGN(const HfAddedToken added, read_added(token, rules));
    if (max_tokens != 0 && static_cast<size_t>(added.id) >= max_tokens) continue;
    if (added.id >= limit) {
      return Error(Status::malformed, "the id of a token is no number in range", added.content);
    }
    n_tokens = std::max(n_tokens, int64_t{added.id} + 1);
    added_.push_back(added);
  }
  const auto content_of = [this](size_t i) { return added_[i].content; };
  TERN_TRY_ASSIGN(const NameIndex contents, NameIndex::create(added_.size(), content_of, hooks_));
  for (const JsonMember member : vocab.members()) {
    const size_t i = contents.find(member.name, content_of);
    if (i != NameIndex::kNone && added_[i].id != *member.value.as_integer()) {
      return Error(Status::mismatch, "an added token has another id in the vocabulary",
                   member.name);
    }
  }
  texts_.resize(static_cast<size_t>(n_tokens));
  types_.resize(static_cast<size_t>(n_tokens), kUnset);
  for (const JsonMember member : vocab.members()) {
    const bool is_byte = has_byte_fallback_ && detail::parse_byte_token(member.name).has_value();
    TERN_TRY(place(member.name, *member.value.as_integer(),
                   is_byte ? TokenType::byte : TokenType::normal));
  }
  for (const HfAddedToken& token : added_) {
    TERN_TRY(place(token.content, token.id, added_type(token)));
  }
  return has_byte_fallback_ ? check_bytes() : Result<void>();
}

/// Without one of the byte tokens a text may hold characters that become something else.
inline Result<void> HfVocabulary::check_bytes() const {
  std::array<bool, 256> found{};
  for (size_t i = 0; i < size(); ++i) {
    if (types_[i] != static_cast<uint8_t>(TokenType::byte)) continue;
    found[*detail::parse_byte_token(texts_[i])] = true;
  }
  if (std::find(found.begin(), found.end(), false) == found.end()) return {};
  return detail::hf_unsupported("byte_fallback without a token for every byte", "model");
}

inline Result<HfVocabulary::Sides> HfVocabulary::merge_sides(JsonValue merge) {
  Sides sides;
  if (const auto text = merge.as_text()) {
    // From index 1: a left side may begin with a space.
    const size_t space = text->find(' ', 1);
    if (space != std::string_view::npos) {
      sides = {text->substr(0, space), text->substr(space + 1)};
    }
  } else if (merge.size() == 2) {
    size_t i = 0;
    for (const JsonValue side : merge.elements()) sides[i++] = detail::json_text(side);
  }
  if (sides[0].empty() || sides[1].empty()) {
    return Error(Status::malformed, "a merge is not two texts", merge.where());
  }
  return sides;
}

inline Result<void> HfVocabulary::add_to(GgufHeader& header) const {
  header.begin_array("tokenizer.ggml.tokens", MetadataType::string, size());
  String unused(hooks_);
  for (size_t i = 0; i < size(); ++i) {
    if (types_[i] == kUnset) {
      unused.assign("[PAD");
      detail::append_decimal(i, unused);
      unused.push_back(']');
    }
    header.put_element(types_[i] == kUnset ? std::string_view(unused) : texts_[i]);
  }
  header.begin_array("tokenizer.ggml.token_type", MetadataType::i32, size());
  for (const uint8_t type : types_) {
    const uint32_t unset = static_cast<uint32_t>(TokenType::unused);
    header.put_element(type == kUnset ? unset : uint32_t{type});
  }
  return has_byte_fallback_ ? add_scores(header) : add_text_merges(header);
}

inline Result<void> HfVocabulary::add_text_merges(GgufHeader& header) const {
  const JsonValue merges = model_.find("merges");
  header.begin_array("tokenizer.ggml.merges", MetadataType::string, merges.size());
  String line(hooks_);
  for (const JsonValue merge : merges.elements()) {
    TERN_TRY_ASSIGN(const Sides sides, merge_sides(merge));
    line.assign(sides[0]);
    line.push_back(' ');
    line.append(sides[1]);
    header.put_element(std::string_view(line));
  }
  return {};
}

inline Result<void> HfVocabulary::add_scores(GgufHeader& header) const {
  const JsonValue merges = model_.find("merges");
  PieceStore store(hooks_);
  PieceIndex index(size(), hooks_);
  for (size_t i = 0; i < size(); ++i) {
    store.append(texts_[i]);
    if (types_[i] != static_cast<uint8_t>(TokenType::normal)) continue;
    if (!index.insert(store, static_cast<int32_t>(i))) return detail::collision_error(texts_[i]);
  }
  Vector<int32_t> first_rank(size(), -1, hooks_);
  Vector<TokenMerge> resolved(hooks_);
  String joined(hooks_);
  int32_t rank = 0;
  for (const JsonValue merge : merges.elements()) {
    TERN_TRY_ASSIGN(const Sides sides, merge_sides(merge));
    joined.assign(sides[0]);
    joined.append(sides[1]);
    const TokenMerge ids{index.find(store, sides[0]), index.find(store, sides[1]),
                         index.find(store, joined)};
    // Text that is an added token has been cut out before merging.
    if (ids.left >= 0 && ids.right >= 0 && ids.result >= 0) {
      int32_t& first = first_rank[static_cast<size_t>(ids.result)];
      if (first < 0) first = rank;
      resolved.push_back(ids);
    }
    ++rank;
  }
  constexpr int32_t kAddedScore = -1000;
  header.begin_array("tokenizer.ggml.scores", MetadataType::f32, size());
  for (size_t i = 0; i < size(); ++i) {
    const auto type = static_cast<TokenType>(types_[i]);
    const bool is_text = type == TokenType::normal || type == TokenType::byte;
    const int32_t score = !is_text ? kAddedScore : first_rank[i] < 0 ? 0 : -first_rank[i];
    header.put_element(std::bit_cast<uint32_t>(static_cast<float>(score)));
  }
  header.begin_array(kTernMergesKey, MetadataType::i32, 3 * resolved.size());
  header.put_elements(
      {reinterpret_cast<const uint8_t*>(resolved.data()), resolved.size() * sizeof(TokenMerge)});
  return {};
}

TERN_NAMESPACE_END
