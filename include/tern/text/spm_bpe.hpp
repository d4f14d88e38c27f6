// SentencePiece-BPE: characters merged by the score of the token that they make, bytes where a
// character has no token.
//
// Room: text. Where the vocabulary has merges (a tokenizer.json has), their order stands for the
// scores. SentencePiece writes a space as U+2581 and lets merges pass it. tern keeps plain
// spaces (U+2581 in a text becomes one, as it does in every implementation once decoded). Where no
// token has a space inside, which is the rule, a text is cut before the spaces that follow a word:
// the result is the same and the heap stays small.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

#include "tern/base/allocator.hpp"
#include "tern/text/merge_loop.hpp"
#include "tern/text/token_spelling.hpp"
#include "tern/text/utf8.hpp"
#include "tern/text/vocabulary.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {
/// An order for MergeLoop in which higher scores come first: the bits of a float, made monotonic.
/// Integers decide, so the order is the same whatever the host does with subnormal numbers, and
/// total: a NaN stands beyond the infinity of its sign.
constexpr uint32_t order_of_score(float score) {
  constexpr uint32_t kSign = 0x80000000;
  uint32_t bits = std::bit_cast<uint32_t>(score);
  if (bits == kSign) bits = 0;  // -0 is 0
  const uint32_t ascending = (bits & kSign) != 0 ? ~bits : bits | kSign;
  return ~ascending;
}

inline void encode_spm_chunk(const Vocabulary& vocabulary, std::string_view chunk, MergeLoop& loop,
                             Vector<TokenId>& out) {
  loop.clear();
  for (size_t position = 0; position < chunk.size();) {
    const uint32_t length = decode_utf8(chunk, position).length;
    loop.push(length, vocabulary.find_piece(chunk.substr(position, length)));
    position += length;
  }
  loop.run([&](const MergeLoop::Symbol& left, const MergeLoop::Symbol& right) -> MergeLoop::Join {
    const size_t length = size_t{left.length} + right.length;
    if (length > vocabulary.max_piece_bytes()) return {};
    if (vocabulary.has_merges()) {
      const MergeRule* rule = vocabulary.merges().find(left.id, right.id);
      return rule == nullptr ? MergeLoop::Join{} : MergeLoop::Join{rule->rank, rule->result};
    }
    const TokenId id = vocabulary.find_piece(chunk.substr(left.begin, length));
    if (id == kNoToken) return {};
    return {order_of_score(vocabulary.score(id)), id};
  });
  loop.for_each([&](const MergeLoop::Symbol& symbol) {
    if (symbol.id != kNoToken) {
      out.push_back(symbol.id);
      return;
    }
    // A byte without a token becomes the unknown token; nothing, where there is none.
    for (const char byte : chunk.substr(symbol.begin, symbol.length)) {
      TokenId id = vocabulary.byte_token(static_cast<uint8_t>(byte));
      if (id == kNoToken) id = vocabulary.special_tokens().unk;
      if (id != kNoToken) out.push_back(id);
    }
  });
}
}  // namespace detail

/// Appends the tokens of text that holds no special tokens, with `space_prefix` a space before it.
/// `scratch` is overwritten. An empty text gives nothing.
/// Requires: an spm_bpe vocabulary; less than 4 GiB - 1 of text.
/// Cost: O(n log n), n the longest word, or the text where tokens have spaces inside.
inline void encode_spm_bpe(const Vocabulary& vocabulary, std::string_view text, bool space_prefix,
                           String& scratch, MergeLoop& loop, Vector<TokenId>& out) {
  if (text.empty()) return;
  scratch.clear();
  if (space_prefix) scratch.push_back(' ');
  detail::append_spm(text, scratch);

  const std::string_view spaced = scratch;
  size_t begin = 0;
  while (begin < spaced.size()) {
    size_t end = spaced.size();
    if (vocabulary.split_at_spaces()) {
      end = std::min(end, spaced.find(' ', begin + 1));
    } else if (vocabulary.spaces_begin_pieces()) {
      const size_t word = spaced.find_first_not_of(' ', begin);
      if (word != std::string_view::npos) end = std::min(end, spaced.find(' ', word));
    }
    detail::encode_spm_chunk(vocabulary, spaced.substr(begin, end - begin), loop, out);
    begin = end;
  }
}

TERN_NAMESPACE_END
