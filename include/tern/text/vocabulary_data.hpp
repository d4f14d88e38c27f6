// What a vocabulary is made of, as a file gives it: views only, nothing checked yet.
//
// Room: text. Room `model` fills this from metadata; `Vocabulary::create` checks it, applies the
// defaults and copies what it needs.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tern/text/pattern_splitter.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// A token's number in its vocabulary.
using TokenId = int32_t;
/// Where a vocabulary has no token for a purpose.
inline constexpr TokenId kNoToken = -1;

/// How text becomes tokens.
enum class TokenizerKind : uint8_t {
  byte_bpe,  ///< byte-level BPE: the GPT-2 family
  spm_bpe,   ///< SentencePiece-BPE with byte fallback: the Llama 2 family
};

/// What a token is for. The numbers are those of GGUF.
enum class TokenType : uint8_t {
  normal = 1,
  unknown = 2,       ///< stands for text that has no token
  control = 3,       ///< has no text of its own; found in text only where special text is parsed
  user_defined = 4,  ///< always found in text, as a whole
  unused = 5,        ///< fills a gap between numbers
  byte = 6,          ///< one byte, spelled <0xHH>
};

/// What is done to a text before it is cut.
enum class Normalizer : uint8_t {
  none,
  nfc,  ///< canonical composition, see tern/text/normalizer.hpp
};

/// Where a space is put in front of text. Byte-level BPE knows `none` and `unspaced_runs`, where
/// any whitespace counts as a space.
enum class SpacePrefix : uint8_t {
  none,
  runs,            ///< every run of text between special tokens
  unspaced_runs,   ///< every such run that does not begin with a space
  first_unspaced,  ///< the run that begins the text, if it does not begin with a space
};

/// A merge by the ids of its tokens: `left` and `right` make `result`.
struct TokenMerge {
  TokenId left = kNoToken;
  TokenId right = kNoToken;
  TokenId result = kNoToken;
};

/// A vocabulary as stored. Empty spans and empty optionals are absent entries.
struct VocabularyData {
  TokenizerKind kind = TokenizerKind::byte_bpe;
  /// The pre-tokenizer's name, for byte_bpe; "" means that none is named.
  std::string_view pretokenizer;
  std::span<const std::string_view> patterns;         ///< of its steps that are patterns
  const PatternCompiler* pattern_compiler = nullptr;  ///< what makes splitters of them, if anything
  std::span<const std::string_view> tokens;           ///< as spelled in the file
  std::span<const float> scores;                      ///< one a token, for spm_bpe
  std::span<const int32_t> types;            ///< one a token, TokenType's numbers; 0 is normal
  std::span<const std::string_view> merges;  ///< "left right", for byte_bpe, best first
  /// The same merges where a file has them resolved; they then stand for `merges`, which may be
  /// empty. For spm_bpe they stand for the scores.
  std::span<const TokenMerge> token_merges;
  std::span<const int32_t> strip_left;   ///< special tokens that take the whitespace before them
  std::span<const int32_t> strip_right;  ///< those that take the whitespace behind them
  std::span<const int32_t> end_tokens;   ///< more tokens at which generation stops

  /// The text of the model's chat template, if it has one: the markers that it writes.
  std::string_view chat_template;

  std::optional<int64_t> bos, eos, eot, eom, unk, pad;
  std::optional<bool> add_bos, add_eos, add_space_prefix, ignore_merges;
  Normalizer normalizer = Normalizer::none;
  /// Where absent, in spm_bpe add_space_prefix says `runs` or `none`; in byte_bpe it is `none`.
  std::optional<SpacePrefix> space_prefix;
  bool split_at_spaces = false;  ///< for spm_bpe: no merge reaches back over a space
};

TERN_NAMESPACE_END
