// Writing bfloat16, which tern itself only reads.
#pragma once

#include <bit>
#include <cstdint>

namespace tern_test {

/// The bfloat16 nearest to a binary32, ties to even; NaN stays NaN.
constexpr uint16_t bf16_from_f32_bits(uint32_t bits) {
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return static_cast<uint16_t>((bits >> 16) | 0x40u);
  return static_cast<uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}

constexpr uint16_t bf16_from_f32(float value) {
  return bf16_from_f32_bits(std::bit_cast<uint32_t>(value));
}

}  // namespace tern_test
