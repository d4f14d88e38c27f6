// Pre-tokenizers of byte-level BPE: where a text is cut before merging begins.
//
// Room: text. Published models name a list of regular expressions (GGUF key tokenizer.ggml.pre);
// each splits the pieces that the one before left, and text between matches stays a piece. Here
// every expression is a function on code points that returns the end of the piece that begins at a
// position, and a pre-tokenizer is a row of a table. Malformed bytes count as "other" characters,
// like symbols.
//
// The expressions, \s being White_Space, \p{..} general categories (tern/text/unicode_class.hpp):
//   word_end<Style>
//     llama3   (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}
//              | ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
//     qwen2    the same with \p{N} for \p{N}{1,3}
//   gpt2_end   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//   run_end<P>    a maximal run of characters that have (or lack) property P
//   single_end<P> a character that has property P, or a maximal run of those that lack it
//   digits_end    [0-9] repeated n times
//   number_bytes_end  a maximal run of bytes that byte-level BPE spells with numbers (or without),
//                 for tokenizers that look for numbers after they have spelled the text
//   pattern_end   any other expression: a PatternSplitter of the host cuts by it
// Case-insensitive contractions are ASCII only (U+017F does not count as an s), as in the peers.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "tern/base/status.hpp"
#include "tern/text/unicode_class.hpp"
#include "tern/text/utf8.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// One splitting step: the end of the piece of `text` that begins at `begin` (< text.size()).
/// Ensures: begin < result <= text.size().
using PieceEnd = size_t (*)(std::string_view text, size_t begin);

/// A pre-tokenizer and the defaults that its name implies.
struct PretokenizerSpec {
  std::string_view name;          ///< value of tokenizer.ggml.pre; "" where the key is missing
  std::array<PieceEnd, 4> steps;  ///< in order; null after the last
  bool ignore_merges;             ///< a piece that is a token is not merged
  bool add_bos;                   ///< where the file does not say
};

namespace detail {

/// A character with its class, or the end of the text (length 0).
struct ClassedChar {
  char32_t value = 0;
  uint32_t length = 0;
  CharClass char_class = CharClass::other;

  bool is_end() const { return length == 0; }
  bool is_letter() const { return length != 0 && char_class == CharClass::letter; }
  bool is_number() const { return length != 0 && char_class == CharClass::number; }
  bool is_space() const { return length != 0 && char_class == CharClass::whitespace; }
  bool is_newline() const { return value == '\r' || value == '\n'; }
  /// [^\s\p{L}\p{N}]
  bool is_symbol() const { return length != 0 && !is_letter() && !is_number() && !is_space(); }
};

inline ClassedChar char_at(std::string_view text, size_t position) {
  if (position >= text.size()) return {};
  const DecodedChar c = decode_utf8(text, position);
  return {c.value, c.length, class_of(c.value)};
}

/// The end of the run of characters from `position` that satisfy a predicate, at most `limit`.
template <typename Predicate>
size_t run_from(std::string_view text, size_t position, Predicate&& matches,
                size_t limit = std::string_view::npos) {
  for (size_t n = 0; n < limit; ++n) {
    const ClassedChar c = char_at(text, position);
    if (c.is_end() || !matches(c)) break;
    position += c.length;
  }
  return position;
}

/// The end of a contraction ('s 't 're 've 'm 'll 'd) that begins at `begin`, or `begin`.
inline size_t contraction_end(std::string_view text, size_t begin, bool fold_case) {
  if (text[begin] != '\'') return begin;
  const auto letter = [&](size_t i) {
    if (i >= text.size()) return '\0';
    const char c = text[i];
    return fold_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  const char a = letter(begin + 1);
  const char b = letter(begin + 2);
  if (a == 's' || a == 't' || a == 'm' || a == 'd') return begin + 2;
  if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l')) return begin + 3;
  return begin;
}

/// \s+(?!\S)|\s+ : a run of whitespace gives its last character to what follows it, if it can.
inline size_t whitespace_end(std::string_view text, size_t begin) {
  size_t last = begin;
  size_t end = begin;
  for (ClassedChar c = char_at(text, end); c.is_space(); c = char_at(text, end)) {
    last = end;
    end += c.length;
  }
  return end == text.size() || last == begin ? end : last;
}

/// The end of the last CR or LF in the run of whitespace at `begin`, or `begin`.
inline size_t newlines_end(std::string_view text, size_t begin) {
  size_t cut = begin;
  size_t end = begin;
  for (ClassedChar c = char_at(text, end); c.is_space(); c = char_at(text, end)) {
    end += c.length;
    if (c.is_newline()) cut = end;
  }
  return cut;
}

/// The Llama 3 expression, with at most kMaxDigits numbers in a piece.
template <size_t kMaxDigits>
size_t word_end(std::string_view text, size_t begin) {
  const size_t contraction = contraction_end(text, begin, true);
  if (contraction != begin) return contraction;

  const auto is_letter = [](const ClassedChar& c) { return c.is_letter(); };
  const ClassedChar first = char_at(text, begin);
  const size_t second_at = begin + first.length;
  if (first.is_letter()) return run_from(text, second_at, is_letter);
  if (first.is_number()) {
    const auto is_number = [](const ClassedChar& c) { return c.is_number(); };
    return run_from(text, second_at, is_number, kMaxDigits - 1);
  }
  const ClassedChar second = char_at(text, second_at);
  if (!first.is_newline() && second.is_letter()) return run_from(text, second_at, is_letter);
  if (first.is_symbol() || (first.value == ' ' && second.is_symbol())) {
    const size_t symbols = run_from(text, second_at, [](const auto& c) { return c.is_symbol(); });
    return run_from(text, symbols, [](const auto& c) { return c.is_newline(); });
  }
  const size_t newlines = newlines_end(text, begin);
  return newlines != begin ? newlines : whitespace_end(text, begin);
}

/// The GPT-2 expression.
inline size_t gpt2_end(std::string_view text, size_t begin) {
  const size_t contraction = contraction_end(text, begin, false);
  if (contraction != begin) return contraction;

  size_t at = begin;
  ClassedChar c = char_at(text, at);
  if (c.value == ' ') {
    at += c.length;
    c = char_at(text, at);
  }
  if (c.is_letter()) return run_from(text, at, [](const auto& x) { return x.is_letter(); });
  if (c.is_number()) return run_from(text, at, [](const auto& x) { return x.is_number(); });
  if (c.is_symbol()) return run_from(text, at, [](const auto& x) { return x.is_symbol(); });
  return whitespace_end(text, begin);
}

/// Maximal runs inside and outside a set of characters.
template <bool (*kInSet)(const ClassedChar&)>
size_t run_end(std::string_view text, size_t begin) {
  const ClassedChar first = char_at(text, begin);
  const bool inside = kInSet(first);
  return run_from(text, begin + first.length,
                  [inside](const ClassedChar& c) { return kInSet(c) == inside; });
}

/// [\p{P}\$\+<=>\^~\|] and, with it, the same and the backtick.
inline bool is_punctuation(const ClassedChar& c) {
  constexpr std::string_view kSymbols = "$+<=>^~|";
  return c.char_class == CharClass::punctuation ||
         (c.value < 128 && kSymbols.find(static_cast<char>(c.value)) != std::string_view::npos);
}
inline bool is_punctuation_or_backtick(const ClassedChar& c) {
  return is_punctuation(c) || c.value == '`';
}
inline bool is_any_number(const ClassedChar& c) { return c.is_number(); }

/// The characters of a set alone, maximal runs of all others.
template <bool (*kInSet)(const ClassedChar&)>
size_t single_end(std::string_view text, size_t begin) {
  const ClassedChar first = char_at(text, begin);
  const size_t second_at = begin + first.length;
  if (kInSet(first)) return second_at;
  return run_from(text, second_at, [](const ClassedChar& c) { return !kInSet(c); });
}

/// Bytes that the byte map (tern/text/byte_map.hpp) spells with a number: the digits, and those of
/// the superscripts and fractions of Latin-1. With kAlone each is a piece of its own.
template <bool kAlone>
size_t number_bytes_end(std::string_view text, size_t begin) {
  constexpr std::string_view kNumbers = "0123456789\xB2\xB3\xB9\xBC\xBD\xBE";
  const auto is_number = [&](size_t i) { return kNumbers.find(text[i]) != std::string_view::npos; };
  const bool inside = is_number(begin);
  size_t end = begin + 1;
  if (inside && kAlone) return end;
  while (end < text.size() && is_number(end) == inside) ++end;
  return end;
}

/// Groups of exactly kCount ASCII digits; what lies between them stays together.
template <size_t kCount>
size_t digits_end(std::string_view text, size_t begin) {
  const auto group_at = [text](size_t position) {
    if (text.size() - position < kCount) return false;
    for (size_t i = 0; i < kCount; ++i) {
      if (text[position + i] < '0' || text[position + i] > '9') return false;
    }
    return true;
  };
  if (group_at(begin)) return begin + kCount;
  size_t end = begin + 1;
  while (end < text.size() && !group_at(end)) ++end;
  return end;
}

// Stands for a step that only a splitter can do; by itself it leaves the text whole.
inline size_t pattern_end(std::string_view text, size_t) { return text.size(); }

// falcon3 and falcon_e: runtimes disagree between this row (the Falcon expression with single
// digits, from the model makers' work on bitnet.cpp) and the Llama 3 row. It resembles the
// documented tokenizer of Falcon, so it is used, without a BOS unless the file asks for one.
inline constexpr PieceEnd kLlama3Step = word_end<3>;
inline constexpr PieceEnd kQwen2Step = word_end<1>;
inline constexpr PieceEnd kFalconStep = run_end<is_punctuation_or_backtick>;
using PieceEnds = std::array<PieceEnd, 4>;
inline constexpr PieceEnds kLlama3Steps = {kLlama3Step};
inline constexpr PieceEnds kQwen2Steps = {kQwen2Step};
inline constexpr PieceEnds kGpt2Steps = {gpt2_end};
inline constexpr PieceEnds kDefaultSteps = {run_end<is_punctuation>, gpt2_end,
                                            run_end<is_any_number>, digits_end<3>};
inline constexpr PieceEnds kFalconSteps = {kFalconStep, gpt2_end, number_bytes_end<false>,
                                           digits_end<3>};
inline constexpr PieceEnds kFalcon3Steps = {kFalconStep, gpt2_end, digits_end<1>};
inline constexpr PieceEnds kSingleNumberSteps = {single_end<is_any_number>, gpt2_end};

template <typename Emit>
void split_from_step(const PretokenizerSpec& spec, size_t step, std::string_view text, Emit& emit) {
  if (step == spec.steps.size() || spec.steps[step] == nullptr) {
    emit(text);
    return;
  }
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = spec.steps[step](text, begin);
    split_from_step(spec, step + 1, text.substr(begin, end - begin), emit);
    begin = end;
  }
}
}  // namespace detail

/// Every pre-tokenizer that tern knows, by name.
inline constexpr PretokenizerSpec kPretokenizers[] = {
    // name, steps, ignore_merges, add_bos
    {"", detail::kDefaultSteps, false, false},
    {"default", detail::kDefaultSteps, false, false},
    {"llama3", detail::kLlama3Steps, true, true},
    {"llama-v3", detail::kLlama3Steps, true, true},
    {"llama-bpe", detail::kLlama3Steps, true, true},
    {"falcon-h1", detail::kLlama3Steps, true, true},
    {"pixtral", detail::kLlama3Steps, true, true},
    {"lfm2", detail::kLlama3Steps, true, true},
    {"qwen2", detail::kQwen2Steps, false, false},
    {"stablelm2", detail::kQwen2Steps, false, false},
    {"gpt-2", detail::kGpt2Steps, false, false},
    {"phi-2", detail::kGpt2Steps, false, false},
    {"mpt", detail::kGpt2Steps, false, false},
    {"olmo", detail::kGpt2Steps, false, false},
    {"jais", detail::kGpt2Steps, false, false},
    {"jina-es", detail::kGpt2Steps, false, false},
    {"jina-de", detail::kGpt2Steps, false, false},
    {"jina-v1-en", detail::kGpt2Steps, false, false},
    {"jina-v2-es", detail::kGpt2Steps, false, false},
    {"jina-v2-de", detail::kGpt2Steps, false, false},
    {"jina-v2-code", detail::kGpt2Steps, false, false},
    {"falcon", detail::kFalconSteps, false, false},
    {"falcon3", detail::kFalcon3Steps, false, false},
    {"falcon_e", detail::kFalcon3Steps, false, false},
    {"starcoder", detail::kSingleNumberSteps, false, false},
    {"smollm", detail::kSingleNumberSteps, false, false},
};

/// A splitting step by name, for pre-tokenizers that are spelled: kSpelledPrefix and the names of
/// their steps with commas between. What no table names is written so by tern alone.
struct PretokenizerStep {
  std::string_view name;
  PieceEnd end;
};
inline constexpr std::string_view kSpelledPrefix = "tern:";
inline constexpr PretokenizerStep kPretokenizerSteps[] = {
    {"llama3", detail::kLlama3Step},
    {"qwen2", detail::kQwen2Step},
    {"gpt2", detail::gpt2_end},
    {"punctuation", detail::kFalconStep},
    {"single_punctuation", detail::single_end<detail::is_punctuation_or_backtick>},
    {"numbers", detail::run_end<detail::is_any_number>},
    {"single_numbers", detail::single_end<detail::is_any_number>},
    {"number_bytes", detail::number_bytes_end<false>},
    {"single_number_bytes", detail::number_bytes_end<true>},
    {"digits_1", detail::digits_end<1>},
    {"digits_3", detail::digits_end<3>},
    {"pattern", detail::pattern_end},
};

namespace detail {
/// The pre-tokenizer that a list of steps spells.
inline Result<PretokenizerSpec> spelled_pretokenizer(std::string_view name) {
  const Error unknown(Status::unsupported_tokenizer, "unknown pre-tokenizer", name);
  PretokenizerSpec spec{kSpelledPrefix, {}, false, false};
  size_t n = 0;
  for (size_t begin = kSpelledPrefix.size(); begin < name.size();) {
    const size_t comma = std::min(name.find(',', begin), name.size());
    PieceEnd found = nullptr;
    for (const PretokenizerStep& step : kPretokenizerSteps) {
      if (step.name == name.substr(begin, comma - begin)) found = step.end;
    }
    if (found == nullptr || n == spec.steps.size()) return unknown;
    spec.steps[n++] = found;
    begin = comma + 1;
  }
  return spec;
}
}  // namespace detail

/// The pre-tokenizer of a name. "" is the one of files that name none.
/// Errors: unsupported_tokenizer, naming the value.
inline Result<PretokenizerSpec> find_pretokenizer(std::string_view name) {
  for (const PretokenizerSpec& spec : kPretokenizers) {
    if (spec.name == name) return spec;
  }
  if (name.starts_with(kSpelledPrefix)) return detail::spelled_pretokenizer(name);
  return Error(Status::unsupported_tokenizer, "unknown pre-tokenizer", name);
}

/// Calls `emit(std::string_view)` for each piece of `text`, in order.
/// Ensures: the pieces are not empty and together are `text`. Cost: no allocation, O(text).
template <typename Emit>
void pretokenize(const PretokenizerSpec& spec, std::string_view text, Emit&& emit) {
  detail::split_from_step(spec, 0, text, emit);
}

TERN_NAMESPACE_END
