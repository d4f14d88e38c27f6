// Vocabulary: the tokens of a model, their bytes, and every rule that the file states about them.
//
// Room: text. Tokens are kept as the bytes that they stand for, not as the file spells them: the
// byte map of byte-level BPE and the U+2581 of SentencePiece are undone at load. Defaults for what
// a file leaves out are applied here and nowhere else:
//
//   | absent           | byte_bpe                                    | spm_bpe               |
//   |------------------|---------------------------------------------|-----------------------|
//   | bos, eos         | 11 where token 11 is a control token        | 1, 2 where they exist |
//   | unk              | none                                        | 0                     |
//   | eot              | by text: the first of kEndTexts below       | the same              |
//   | eom              | by text: kEndOfMessageText                  | the same              |
//   | add_bos          | as the pre-tokenizer's name implies         | yes                   |
//   | add_eos          | no                                          | no                    |
//   | add_space_prefix | no                                          | yes                   |
//   | ignore_merges    | as the pre-tokenizer's name implies         | -                     |
//   | token_merges     | the merges' texts are resolved              | scores decide         |
//   | space_prefix     | -                                           | add_space_prefix      |
//   | types            | normal; the special ids control, unk        | the same, and <0xHH>  |
//   |                  | unknown                                     | is a byte             |
//
// Of tokens with the same text the last one is found, of equal merges the first one counts. Text
// can become a token only by way of normal, byte and user-defined tokens: control, unknown and
// unused ones never come out of merging. User-defined tokens are found in every text, so the
// markers of chat formats (is_chat_marker), those that the model's own template writes, and
// kEndTexts are control tokens where a file has them as user-defined: nothing that a user writes
// may end a turn or begin one.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "tern/base/allocator.hpp"
#include "tern/base/status.hpp"
#include "tern/text/merge_table.hpp"
#include "tern/text/piece_store.hpp"
#include "tern/text/pretokenizer_with_patterns.hpp"
#include "tern/text/special_index.hpp"
#include "tern/text/vocabulary_data.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// The tokens with a role; kNoToken where there is none.
struct SpecialTokens {
  TokenId bos = kNoToken;  ///< begins a text
  TokenId eos = kNoToken;  ///< ends a text
  TokenId eot = kNoToken;  ///< ends a turn
  TokenId eom = kNoToken;  ///< ends a message
  TokenId unk = kNoToken;
  TokenId pad = kNoToken;
};

/// Texts that end generation wherever a vocabulary has them, those of a turn's end first.
inline constexpr std::string_view kEndOfMessageText = "<|eom_id|>";
// clang-format off
inline constexpr std::string_view kEndTexts[] = {
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<EOT>",
    kEndOfMessageText};
// clang-format on

/// The tokens of a model. Immutable.
/// Threads: const, any number at once.
class Vocabulary {
 public:
  /// Checks and copies a vocabulary.
  /// Errors: malformed (no tokens, a merge without two sides, a type or a byte token that is none,
  ///   a special token of more than SpecialIndex::kMaxBytes, texts made to collide in a hash
  ///   table), mismatch (sizes that disagree, a special id that is no token), missing (no merges,
  ///   no scores), unsupported_tokenizer (unknown pre-tokenizer or pattern), unsupported (over
  ///   4 GiB of text or 2^31 tokens), those of the pattern compiler. The subject is the text of the
  ///   token or merge concerned.
  /// Cost: O(bytes of tokens and merges); memory a small multiple of them.
  static Result<Vocabulary> create(const VocabularyData& data, const AllocatorHooks& hooks);

  TokenizerKind kind() const { return kind_; }
  /// Number of tokens; ids are 0 to size() - 1.
  size_t size() const { return types_.size(); }
  bool contains(int64_t id) const { return id >= 0 && static_cast<size_t>(id) < size(); }
  const AllocatorHooks& hooks() const { return hooks_; }

  /// The bytes that a token stands for; of a control or unknown token the text of its name.
  /// Requires: contains(id). Ensures: valid as long as the vocabulary.
  std::string_view piece(TokenId id) const { return pieces_[static_cast<size_t>(id)]; }
  /// Requires: contains(id).
  TokenType type(TokenId id) const { return types_[static_cast<size_t>(id)]; }
  /// SentencePiece's score, higher merges first; 0 in byte_bpe. Requires: contains(id).
  float score(TokenId id) const {
    return scores_.empty() ? 0.0f : scores_[static_cast<size_t>(id)];
  }
  /// The longest piece, in bytes.
  size_t max_piece_bytes() const { return max_piece_bytes_; }

  /// The control, unknown or user-defined token whose text this is, or kNoToken.
  TokenId find_special(std::string_view text) const { return specials_.find(pieces_, text); }
  /// The normal token that stands for these bytes, or kNoToken.
  TokenId find_piece(std::string_view bytes) const {
    const TokenId symbol = find_symbol(bytes);
    return contains(symbol) ? symbol : kNoToken;
  }
  /// The token of a single byte, or kNoToken.
  TokenId byte_token(uint8_t byte) const {
    const TokenId symbol = byte_symbols_[byte];
    return contains(symbol) ? symbol : kNoToken;
  }

  const SpecialTokens& special_tokens() const { return special_tokens_; }
  /// Every token at which generation stops, ascending.
  std::span<const TokenId> end_of_generation() const { return end_of_generation_; }
  bool is_end_of_generation(TokenId id) const {
    return std::binary_search(end_of_generation_.begin(), end_of_generation_.end(), id);
  }

  bool add_bos() const { return add_bos_; }
  bool add_eos() const { return add_eos_; }
  Normalizer normalizer() const { return normalizer_; }
  SpacePrefix space_prefix() const { return space_prefix_; }
  /// Whether the first space of a decoded text is taken off again: it was put there by encoding.
  /// Byte-level BPE leaves it, as its decoder does.
  bool add_space_prefix() const {
    return kind_ == TokenizerKind::spm_bpe && space_prefix_ != SpacePrefix::none;
  }
  /// Whether a piece of SentencePiece-BPE ends before every space.
  bool split_at_spaces() const { return split_at_spaces_; }
  bool ignore_merges() const { return ignore_merges_; }
  /// Whether whitespace before (behind) a special token in a text becomes part of it.
  bool strips_left(TokenId id) const { return holds(strip_left_, id); }
  bool strips_right(TokenId id) const { return holds(strip_right_, id); }
  /// Requires: kind() is byte_bpe.
  const Pretokenizer& pretokenizer() const { return pretokenizer_; }
  /// What is found in text where special text is parsed: control, unknown and user-defined tokens.
  const SpecialIndex& specials() const { return specials_; }
  /// What is found in any text.
  const SpecialIndex& user_defined() const { return user_defined_; }
  const PieceStore& pieces() const { return pieces_; }

  // What merging works on. Symbols are tokens, numbered as such, and, from size() on, byte strings
  // that merges pass through although they are no tokens.

  /// The symbol of these bytes, or -1.
  int32_t find_symbol(std::string_view bytes) const { return index_.find(pieces_, bytes); }
  /// The symbol of a single byte, or -1.
  int32_t byte_symbol(uint8_t byte) const { return byte_symbols_[byte]; }
  const MergeTable& merges() const { return merges_; }
  /// Whether merges() says what is joined. Always in byte_bpe; in spm_bpe the scores do otherwise.
  bool has_merges() const { return has_merges_; }
  /// All merges by token ids, best first; none where a merge passes through bytes that are no
  /// token. Errors: out_of_memory.
  Result<Vector<TokenMerge>> token_merges() const;
  /// Whether no normal token has a space after another character, so that no merge can pass from
  /// one word to the next.
  bool spaces_begin_pieces() const { return spaces_begin_pieces_; }

 private:
  Vocabulary(const VocabularyData& data, const AllocatorHooks& hooks);

  Result<void> build(const VocabularyData& data);
  static Result<void> check_sizes(const VocabularyData& data);
  Result<void> resolve_special_tokens(const VocabularyData& data);
  Result<void> resolve_types(const VocabularyData& data);
  void guard_markers(const VocabularyData& data);
  void guard_template_markers(const VocabularyData& data);
  Result<void> resolve_end_of_generation(const VocabularyData& data);
  Result<void> resolve_strips(const VocabularyData& data);
  static bool holds(const Vector<TokenId>& sorted, TokenId id) {
    return !sorted.empty() && std::binary_search(sorted.begin(), sorted.end(), id);
  }
  Result<void> copy_pieces(const VocabularyData& data);
  Result<void> resolve_merges(const VocabularyData& data);
  Result<void> read_text_merges(const VocabularyData& data, Vector<MergeRule>& rules);
  Result<void> read_token_merges(const VocabularyData& data, Vector<MergeRule>& rules) const;
  int32_t intern(std::string_view bytes);

  AllocatorHooks hooks_;
  TokenizerKind kind_;
  Pretokenizer pretokenizer_;
  PieceStore pieces_;      // tokens, then symbols that are no tokens
  PieceIndex index_;       // normal tokens and those symbols
  SpecialIndex specials_;  // control, unknown, user-defined
  SpecialIndex user_defined_;
  MergeTable merges_;
  Vector<TokenType> types_;  // [size()]
  Vector<float> scores_;     // [size()] in spm_bpe, else empty
  Vector<TokenId> end_of_generation_;
  Vector<TokenId> strip_left_;   // ascending
  Vector<TokenId> strip_right_;  // ascending
  std::array<int32_t, 256> byte_symbols_{};
  SpecialTokens special_tokens_;
  size_t max_piece_bytes_ = 0;
  bool add_bos_ = false;
  bool add_eos_ = false;
  Normalizer normalizer_ = Normalizer::none;
  SpacePrefix space_prefix_ = SpacePrefix::none;
  bool split_at_spaces_ = false;
  bool ignore_merges_ = false;
  bool has_merges_ = false;
  bool spaces_begin_pieces_ = true;
};

TERN_NAMESPACE_END
