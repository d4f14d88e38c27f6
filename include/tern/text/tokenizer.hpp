// Tokenizer: text to token ids and back.
//
// Room: text. Encoding first cuts special tokens out of the text (at each position the longest),
// then gives the plain runs between them to the vocabulary's BPE. Text may come in segments, each
// saying whether names of control tokens in it count: a chat format marks its own markers so, and
// what a user wrote not. Plain runs are joined across the seams of segments before BPE sees them,
// special tokens are never found across a seam; so a prompt in segments gives the ids of the joined
// text, and nothing that a user writes becomes a control token.
#pragma once

#include <span>
#include <string_view>
#include <utility>

#include "tern/base/allocator.hpp"
#include "tern/base/memory_wall.hpp"
#include "tern/base/status.hpp"
#include "tern/text/vocabulary.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

struct EncodeOptions {
  bool add_special = true;     ///< BOS in front and EOS behind, as the vocabulary says
  bool parse_special = false;  ///< names of control tokens in the text become those tokens
};

/// A stretch of a text that is encoded as a whole with its neighbours.
struct TextSegment {
  std::string_view text = {};
  bool parse_special = false;  ///< names of control tokens in this segment become those tokens
};

struct DecodeOptions {
  bool show_special = false;  ///< names of control and unknown tokens appear in the text
  /// The tokens begin a text, so the space that SentencePiece puts there is taken off again. False
  /// for tokens that continue a text.
  bool begins_text = true;
};

/// Text to token ids and back. Immutable.
/// Threads: const, any number at once.
class Tokenizer {
 public:
  /// Errors: those of Vocabulary::create.
  static Result<Tokenizer> create(const VocabularyData& data, const AllocatorHooks& hooks) {
    TERN_TRY_ASSIGN(Vocabulary vocabulary, Vocabulary::create(data, hooks));
    return Tokenizer(std::move(vocabulary));
  }
  explicit Tokenizer(Vocabulary&& vocabulary) : vocabulary_(std::move(vocabulary)) {}

  const Vocabulary& vocabulary() const { return vocabulary_; }

  /// Appends the ids of `text`, any bytes at all, to `out`.
  /// Errors: invalid_argument (2 GiB of text or more), out_of_memory, those of a PatternSplitter.
  /// Cost: allocates scratch and `out`.
  Result<void> encode(std::string_view text, const EncodeOptions& options,
                      Vector<TokenId>& out) const {
    const TextSegment segment{text, options.parse_special};
    return encode({&segment, 1}, options.add_special, out);
  }

  /// Appends the ids of a text in segments; see the top of this file.
  /// Errors: invalid_argument (2 GiB of text or more), out_of_memory, those of a PatternSplitter.
  /// Cost: allocates scratch and `out`.
  Result<void> encode(std::span<const TextSegment> segments, bool add_special,
                      Vector<TokenId>& out) const;

  /// The bytes of a token, the name of a control or unknown token. Valid as long as the tokenizer.
  /// Errors: token_out_of_range.
  Result<std::string_view> piece(TokenId id) const {
    if (!vocabulary_.contains(id)) return out_of_range();
    return vocabulary_.piece(id);
  }

  /// What a token adds to a decoded text: its piece, nothing if it is hidden; in a text's first
  /// visible token less the space in front. `begins_text` is cleared by the first visible token.
  /// Errors: token_out_of_range. Cost: none; StreamDecoder and decode are made of it.
  Result<std::string_view> visible_piece(TokenId id, bool show_special, bool& begins_text) const {
    if (!vocabulary_.contains(id)) return out_of_range();
    const TokenType type = vocabulary_.type(id);
    std::string_view piece = vocabulary_.piece(id);
    const bool is_text =
        type == TokenType::normal || type == TokenType::user_defined || type == TokenType::byte;
    if (!is_text && !show_special) return piece.substr(0, 0);
    if (begins_text && is_text && vocabulary_.add_space_prefix() && piece.substr(0, 1) == " ") {
      piece.remove_prefix(1);
    }
    if (is_text) begins_text = false;
    return piece;
  }

  /// Appends the text of `ids` to `out`; its bytes are whatever the tokens stand for.
  /// Errors: token_out_of_range, with the index of the token; out_of_memory. `out` then holds the
  ///   text before it.
  Result<void> decode(std::span<const TokenId> ids, const DecodeOptions& options,
                      String& out) const {
    return catch_out_of_memory([&]() -> Result<void> {
      bool begins_text = options.begins_text;
      for (size_t i = 0; i < ids.size(); ++i) {
        const auto visible = visible_piece(ids[i], options.show_special, begins_text);
        if (!visible) return Error::at_index(visible.error().status, visible.error().what, i);
        out.append(*visible);
      }
      return {};
    });
  }

 private:
  static Error out_of_range() {
    return {Status::token_out_of_range, "a token id is outside the vocabulary"};
  }

  Vocabulary vocabulary_;
};

TERN_NAMESPACE_END
