// Masks over the tokens of several texts: whose logits are worth computing.
//
// Room: engine.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "tern/text/token_bits.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// A mask for each of several texts; empty: all tokens are allowed for all.
using TokenMasks = std::span<const TokenMask>;

/// The masks of a single token: `mask`, which is viewed, or none if it is empty.
constexpr TokenMasks masks_of(const TokenMask& mask) { return {&mask, mask.empty() ? 0u : 1u}; }
TokenMasks masks_of(TokenMask&&) = delete;

/// The logit of a token that a mask ruled out before it was computed.
inline constexpr float kMaskedLogit = -std::numeric_limits<float>::infinity();

/// What any of the masks allows.
constexpr uint64_t mask_word(TokenMasks masks, size_t word) {
  if (masks.empty()) return ~uint64_t{0};
  uint64_t bits = 0;
  for (const TokenMask mask : masks) bits |= mask_word(mask, word);
  return bits;
}

/// The first token of [begin, end) that any of the masks allows, or that none does; else `end`.
constexpr size_t find_token(TokenMasks masks, bool allowed, size_t begin, size_t end) {
  const uint64_t flip = allowed ? 0 : ~uint64_t{0};
  for (size_t at = begin; at < end; at = (at / 64 + 1) * 64) {
    const uint64_t found = ((mask_word(masks, at / 64) ^ flip) >> (at % 64)) << (at % 64);
    if (found != 0) {
      return std::min(at / 64 * 64 + static_cast<size_t>(std::countr_zero(found)), end);
    }
  }
  return end;
}

/// Of tokens [0, n_tokens) those that any of the masks allows.
constexpr size_t count_tokens(TokenMasks masks, size_t n_tokens) {
  size_t count = 0;
  for (size_t begin = find_token(masks, true, 0, n_tokens); begin < n_tokens;) {
    const size_t end = find_token(masks, false, begin, n_tokens);
    count += end - begin;
    begin = find_token(masks, true, end, n_tokens);
  }
  return count;
}

TERN_NAMESPACE_END
