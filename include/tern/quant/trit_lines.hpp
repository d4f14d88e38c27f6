// T2R, T5R, T2C and T5C lines: one row (output) or column (input) of a ternary matrix, contiguous.
//
// Room: quant. Skipping a row of W [rows, cols] (its output is not needed) or a column (its input
// is zero) must skip bytes, so either can be laid out alone: 64 bytes hold 256 (T2) or 320 (T5)
// consecutive elements of the line, byte b the elements b, b + 64, b + 128, ... of the block. R and
// C are this one codec, applied to the rows or to the columns; lines follow each other without
// padding lines, and the elements of a line are padded to whole blocks with u = 1 (zero).
#pragma once

#include "tern/quant/trit_tiles.hpp"

TERN_NAMESPACE_BEGIN

/// The line layout over a byte code (T2Code or T5Code).
template <typename Code>
struct TritLines {
  static constexpr size_t kBlockElems = kTritBlockBytes * Code::kDigits;

  /// Blocks of a line of n elements, and of the distance between lines.
  static constexpr TERN_ALWAYS_INLINE size_t blocks(size_t n) {
    return n / kBlockElems + (n % kBlockElems != 0 ? 1 : 0);
  }

  /// Encodes a line, padding included; element i is `u[i * stride]`: stride 1 for a row of W, the
  /// row distance for a column.
  static constexpr TERN_ALWAYS_INLINE void encode(const uint8_t* u, size_t n, size_t stride,
                                                  uint8_t* line) {
    for (size_t first = 0; first < n; first += kBlockElems, line += kTritBlockBytes) {
      for (size_t b = 0; b < kTritBlockBytes; ++b) {
        uint8_t digits[Code::kDigits] = {};
        for (size_t k = 0; k < Code::kDigits; ++k) {
          const size_t i = first + b + kTritBlockBytes * k;
          digits[k] = i < n ? u[i * stride] : kZeroTrit;
        }
        line[b] = Code::encode(digits, 1);
      }
    }
  }
  /// Decodes n elements of a line to `u[i * stride]`.
  static constexpr TERN_ALWAYS_INLINE void decode(const uint8_t* line, size_t n, size_t stride,
                                                  uint8_t* u) {
    for (size_t i = 0; i < n; ++i) u[i * stride] = get(line, i);
  }
  /// u of element i.
  static constexpr TERN_ALWAYS_INLINE uint8_t get(const uint8_t* line, size_t i) {
    const size_t in_block = i % kBlockElems;
    const uint8_t* block = line + i / kBlockElems * kTritBlockBytes;
    return Code::digit(block[in_block % kTritBlockBytes], in_block / kTritBlockBytes);
  }
};

using T2Lines = TritLines<T2Code>;
using T5Lines = TritLines<T5Code>;

TERN_NAMESPACE_END
