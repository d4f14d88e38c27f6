// Texts and pairs of symbols that were made to collide in the hash tables of the text room: what a
// hostile file can hold. Each inverts the hash of its table, which is multiply and fold.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace tern_test {

/// The inverse of an odd number modulo 2^64, by Newton's iteration.
constexpr uint64_t inverse_of(uint64_t odd) {
  uint64_t inverse = odd;
  for (int i = 0; i < 6; ++i) inverse *= 2 - odd * inverse;
  return inverse;
}

/// `x ^ x >> 32` undoes itself, so this undoes a multiply with a fold behind it.
constexpr uint64_t unfold(uint64_t folded) {
  constexpr uint64_t kInverse = inverse_of(0x9E3779B97F4A7C15);
  return (folded ^ folded >> 32) * kInverse;
}

/// Different texts of 8 bytes, all of hash 7 in PieceIndex on a little-endian host.
inline std::vector<std::string> colliding_texts(size_t count) {
  std::vector<std::string> texts;
  for (uint64_t high = 0; texts.size() < count; ++high) {
    const uint64_t word = unfold(high << 32 | 7) ^ 8;  // the state begins as the length
    std::string text(sizeof(word), '\0');
    std::memcpy(text.data(), &word, sizeof(word));
    texts.push_back(text);
  }
  return texts;
}

struct SymbolPair {
  int32_t left;
  int32_t right;
};

/// Different pairs of symbols that all begin their search at slot 7 of any MergeTable.
inline std::vector<SymbolPair> colliding_pairs(size_t count) {
  std::vector<SymbolPair> pairs;
  for (uint64_t high = 0; pairs.size() < count; ++high) {
    const uint64_t mixed = unfold(high << 32 | 7);
    const uint64_t pair = mixed ^ mixed >> 32;
    const SymbolPair symbols = {static_cast<int32_t>(pair >> 32), static_cast<int32_t>(pair)};
    if (symbols.left >= 0 && symbols.right >= 0) pairs.push_back(symbols);
  }
  return pairs;
}

}  // namespace tern_test
