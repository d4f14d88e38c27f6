// One mask over the tokens of a vocabulary: which may be drawn.
//
// Room: text. Masks of several texts, and what they spare the head: tern/engine/token_mask.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tern/text/vocabulary_data.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// Tokens that are allowed, a bit each, token 0 lowest in the first word. Empty allows all; a token
/// beyond the end is not allowed. Viewed.
using TokenMask = std::span<const uint64_t>;

constexpr size_t token_mask_words(size_t n_tokens) { return (n_tokens + 63) / 64; }

/// The bits of tokens [64 * word, 64 * word + 64).
constexpr uint64_t mask_word(TokenMask mask, size_t word) {
  if (mask.empty()) return ~uint64_t{0};
  return word < mask.size() ? mask[word] : 0;
}
constexpr bool is_allowed(TokenMask mask, size_t token) {
  return ((mask_word(mask, token / 64) >> (token % 64)) & 1) != 0;
}

/// Adds a token to those that are allowed; one that the words do not reach stays out.
constexpr void allow_token(std::span<uint64_t> mask, TokenId token) {
  const auto bit = static_cast<size_t>(token);
  if (token >= 0 && bit / 64 < mask.size()) mask[bit / 64] |= uint64_t{1} << (bit % 64);
}

TERN_NAMESPACE_END
