// Byte-level BPE: pieces of the pre-tokenizer, split into bytes, merged by rank.
//
// Room: text. The byte map of the token texts was undone at load, so merging works on the bytes of
// the text itself and any bytes at all can be encoded.
#pragma once

#include <string_view>

#include "tern/base/allocator.hpp"
#include "tern/text/merge_loop.hpp"
#include "tern/text/pretokenizer_with_patterns.hpp"
#include "tern/text/vocabulary.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {
/// Merges one piece of the pre-tokenizer.
inline void encode_byte_bpe_piece(const Vocabulary& vocabulary, std::string_view piece,
                                  MergeLoop& loop, Vector<TokenId>& out) {
  loop.clear();
  for (const char byte : piece) loop.push(1, vocabulary.byte_symbol(static_cast<uint8_t>(byte)));
  loop.run([&](const MergeLoop::Symbol& left, const MergeLoop::Symbol& right) -> MergeLoop::Join {
    const MergeRule* rule = vocabulary.merges().find(left.id, right.id);
    if (rule == nullptr) return {};
    return {rule->rank, rule->result};
  });
  loop.for_each([&](const MergeLoop::Symbol& symbol) {
    if (vocabulary.contains(symbol.id)) {
      out.push_back(symbol.id);
      return;
    }
    // Merges led to a text that is no token: its bytes, and nothing for a byte without a token.
    for (const char byte : piece.substr(symbol.begin, symbol.length)) {
      const TokenId id = vocabulary.byte_token(static_cast<uint8_t>(byte));
      if (id != kNoToken) out.push_back(id);
    }
  });
}
}  // namespace detail

/// Appends the tokens of text that holds no special tokens.
/// Requires: a byte_bpe vocabulary; less than 4 GiB of text.
/// Errors: those of PatternSplitter::split, where the pre-tokenizer has such steps.
/// Cost: O(n log n) in the longest piece of the pre-tokenizer.
inline Result<void> encode_byte_bpe(const Vocabulary& vocabulary, std::string_view text,
                                    MergeLoop& loop, Vector<TokenId>& out) {
  return vocabulary.pretokenizer().split(text, [&](std::string_view piece) {
    if (vocabulary.ignore_merges()) {
      const TokenId whole = vocabulary.find_piece(piece);
      if (whole != kNoToken) {
        out.push_back(whole);
        return;
      }
    }
    detail::encode_byte_bpe_piece(vocabulary, piece, loop, out);
  });
}

TERN_NAMESPACE_END
