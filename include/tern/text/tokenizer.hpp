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
#include "tern/text/byte_bpe.hpp"
#include "tern/text/normalizer.hpp"
#include "tern/text/spm_bpe.hpp"
#include "tern/text/token_spelling.hpp"
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

namespace detail {
/// One encoding in progress: the plain run that is growing, and the scratch of the BPE.
class Encoding {
 public:
  Encoding(const Vocabulary& vocabulary, Vector<TokenId>& out)
      : vocabulary_(vocabulary),
        out_(out),
        joined_(out.get_allocator()),
        normalized_(out.get_allocator()),
        scratch_(out.get_allocator()),
        loop_(out.get_allocator().hooks()) {}

  Result<void> add_segment(const TextSegment& segment) {
    const SpecialIndex& specials =
        segment.parse_special ? vocabulary_.specials() : vocabulary_.user_defined();
    size_t plain_begin = 0;
    size_t position = specials.empty() ? segment.text.size() : 0;
    while (position < segment.text.size()) {
      TokenId id = kNoToken;
      if (specials.starts_with(segment.text[position])) {
        id = specials.longest_match(vocabulary_.pieces(), segment.text, position);
      }
      if (id == kNoToken) {
        ++position;
        continue;
      }
      add_plain(segment.text.substr(plain_begin, position - plain_begin));
      if (vocabulary_.strips_left(id)) run_ = without_last_spaces(run_);
      TERN_TRY(flush());
      out_.push_back(id);
      begins_text_ = false;
      position += vocabulary_.piece(id).size();
      if (vocabulary_.strips_right(id)) position = spaces_end(segment.text, position);
      plain_begin = position;
    }
    add_plain(segment.text.substr(plain_begin));
    return {};
  }

  /// Encodes the run that has grown.
  Result<void> flush() {
    if (run_.empty()) return {};
    if (vocabulary_.normalizer() == Normalizer::nfc) run_ = normalize_nfc(run_, normalized_);
    if (vocabulary_.kind() == TokenizerKind::byte_bpe) {
      if (vocabulary_.space_prefix() != SpacePrefix::none && !char_at(run_, 0).is_space()) {
        scratch_.assign(1, ' ').append(run_);
        run_ = scratch_;
      }
      TERN_TRY(encode_byte_bpe(vocabulary_, run_, loop_, out_));
    } else {
      encode_spm_bpe(vocabulary_, run_, has_space_prefix(), scratch_, loop_, out_);
    }
    run_ = {};
    joined_.clear();
    begins_text_ = false;
    return {};
  }

 private:
  /// A run inside one segment is only viewed; the first seam makes it a copy.
  void add_plain(std::string_view text) {
    if (text.empty()) return;
    if (run_.empty()) {
      run_ = text;
      return;
    }
    if (joined_.empty()) joined_.assign(run_);
    joined_.append(text);
    run_ = joined_;
  }

  bool has_space_prefix() const {
    const bool is_spaced = run_.front() == ' ' || run_.starts_with(kSpmSpace);
    switch (vocabulary_.space_prefix()) {
      case SpacePrefix::none: return false;
      case SpacePrefix::runs: return true;
      case SpacePrefix::unspaced_runs: return !is_spaced;
      case SpacePrefix::first_unspaced: return begins_text_ && !is_spaced;
    }
    return false;
  }

  static size_t spaces_end(std::string_view text, size_t position) {
    return run_from(text, position, [](const ClassedChar& c) { return c.is_space(); });
  }
  static std::string_view without_last_spaces(std::string_view text) {
    size_t end = 0;
    for (size_t at = 0; at < text.size();) {
      const ClassedChar c = char_at(text, at);
      at += c.length;
      if (!c.is_space()) end = at;
    }
    return text.substr(0, end);
  }

  const Vocabulary& vocabulary_;
  Vector<TokenId>& out_;
  std::string_view run_;
  String joined_;
  String normalized_;
  String scratch_;
  MergeLoop loop_;
  bool begins_text_ = true;  // nothing was encoded yet
};
}  // namespace detail

inline Result<void> Tokenizer::encode(std::span<const TextSegment> segments, bool add_special,
                                      Vector<TokenId>& out) const {
  constexpr size_t kMaxBytes = size_t{1} << 31;
  size_t bytes = 0;
  for (const TextSegment& segment : segments) {
    if (segment.text.size() >= kMaxBytes - bytes) {
      return Error(Status::invalid_argument, "a text of 2 GiB or more cannot be encoded");
    }
    bytes += segment.text.size();
  }
  return catch_out_of_memory([&]() -> Result<void> {
    const SpecialTokens& tokens = vocabulary_.special_tokens();
    if (add_special && vocabulary_.add_bos() && tokens.bos != kNoToken) out.push_back(tokens.bos);
    detail::Encoding encoding(vocabulary_, out);
    for (const TextSegment& segment : segments) TERN_TRY(encoding.add_segment(segment));
    TERN_TRY(encoding.flush());
    if (add_special && vocabulary_.add_eos() && tokens.eos != kNoToken) out.push_back(tokens.eos);
    return {};
  });
}

TERN_NAMESPACE_END
