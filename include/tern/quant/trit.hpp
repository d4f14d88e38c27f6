// Trits, and how four or five of them share a byte.
//
// Room: quant. A trit t in {-1, 0, +1} is stored as u = t + 1, so that an unsigned operand of an
// int8 dot unit can hold it: dot(t, a) = dot(u, a) - sum(a). A byte holds four codes of two bits
// (T2), or five base-3 digits as a fraction of 256 (T5). Tiles and lines (trit_tiles.hpp,
// trit_lines.hpp) say which element each digit of each byte is. Every function here is forced
// inline, and the table has internal linkage: kernel objects include this header and may emit no
// weak symbol.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tern/base/assert.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// The stored form u of the trit 0.
inline constexpr uint8_t kZeroTrit = 1;

/// t of a stored u. Two bits can hold a fourth code, 3, which no encoder writes; it counts as +2.
constexpr TERN_ALWAYS_INLINE int8_t trit_from_u(uint8_t u) {
  return static_cast<int8_t>(static_cast<int>(u) - 1);
}
/// The stored form of -t. Requires: u <= 2.
constexpr TERN_ALWAYS_INLINE uint8_t negated_u(uint8_t u) { return static_cast<uint8_t>(2 - u); }

/// Whether any of n bytes of two-bit codes holds code 3. Cost: one pass, vectorizable.
constexpr TERN_ALWAYS_INLINE bool has_code_three(const uint8_t* bytes, size_t n) {
  uint8_t both_bits = 0;
  for (size_t i = 0; i < n; ++i) {
    both_bits = static_cast<uint8_t>(both_bits | (bytes[i] & (bytes[i] >> 1)));
  }
  return (both_bits & 0x55) != 0;
}

/// T2: four codes a byte, the first in bits 0-1.
struct T2Code {
  static constexpr size_t kDigits = 4;
  static constexpr uint8_t kAllZeroTrits = 0x55;

  /// Digit k is `u[k * stride]`. Requires: every digit <= 3.
  static constexpr TERN_ALWAYS_INLINE uint8_t encode(const uint8_t* u, size_t stride) {
    return static_cast<uint8_t>(u[0] | (u[stride] << 2) | (u[2 * stride] << 4) |
                                (u[3 * stride] << 6));
  }
  static constexpr TERN_ALWAYS_INLINE void decode(uint8_t byte, uint8_t* u, size_t stride) {
    for (size_t k = 0; k < kDigits; ++k) u[k * stride] = digit(byte, k);
  }
  static constexpr TERN_ALWAYS_INLINE uint8_t digit(uint8_t byte, size_t k) {
    return static_cast<uint8_t>((byte >> (2 * k)) & 3);
  }
};

/// T5: five base-3 digits a byte, the first most significant. With q = their value in 0..242 the
/// byte is ceil(256 q / 243): the smallest fraction of 256 not below q / 243. Multiplying by 3 then
/// carries the digits out one by one, for all 256 bytes; those that no encoder writes decode by the
/// same rule.
struct T5Code {
  static constexpr size_t kDigits = 5;
  static constexpr uint8_t kAllZeroTrits = 0x80;

  /// Digit k is `u[k * stride]`. Requires: every digit <= 2.
  static constexpr TERN_ALWAYS_INLINE uint8_t encode(const uint8_t* u, size_t stride) {
    uint32_t q = 0;
    for (size_t k = 0; k < kDigits; ++k) q = 3 * q + u[k * stride];
    return static_cast<uint8_t>((256 * q + 242) / 243);
  }
  static constexpr TERN_ALWAYS_INLINE void decode(uint8_t byte, uint8_t* u, size_t stride) {
    uint32_t fraction = byte;
    for (size_t k = 0; k < kDigits; ++k) {
      const uint32_t product = 3 * fraction;
      u[k * stride] = static_cast<uint8_t>(product >> 8);
      fraction = product & 0xFF;
    }
  }
  static constexpr TERN_ALWAYS_INLINE uint8_t digit(uint8_t byte, size_t k) {
    uint32_t fraction = byte;
    for (size_t i = 0; i < k; ++i) fraction = (3 * fraction) & 0xFF;
    return static_cast<uint8_t>((3 * fraction) >> 8);
  }
};

/// T5Code::decode of every byte, for lookup: the first four digits as a T2 byte, and the fifth.
struct T5Table {
  alignas(64) uint8_t first_four[256];
  alignas(64) uint8_t fifth[256];
};

namespace detail {
consteval T5Table make_t5_table() {
  T5Table table{};
  for (size_t byte = 0; byte < 256; ++byte) {
    uint8_t u[T5Code::kDigits] = {};
    T5Code::decode(static_cast<uint8_t>(byte), u, 1);
    table.first_four[byte] = T2Code::encode(u, 1);
    table.fifth[byte] = u[4];
  }
  return table;
}
}  // namespace detail

// Not `inline`: an inline variable would be a weak symbol in every kernel object.
constexpr T5Table kT5Table = detail::make_t5_table();

TERN_NAMESPACE_END
