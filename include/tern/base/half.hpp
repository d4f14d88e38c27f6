// Half-precision floats by their bits: binary16 to and from binary32, bfloat16 to it.
//
// Room: base. Integer operations only, so the results do not depend on the host's float flags.
// Compiler builtins stand for <bit>: its templates would be weak symbols in a kernel object without
// optimization.
#pragma once

#include <cstdint>

#include "tern/base/assert.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// The binary32 value of a binary16, exact; NaN payloads are kept, made quiet.
constexpr TERN_ALWAYS_INLINE uint32_t f32_bits_from_f16(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t exponent = (half >> 10) & 0x1Fu;
  const uint32_t fraction = half & 0x3FFu;
  if (exponent == 0x1F) {
    return sign | 0x7F800000u | (fraction << 13) | (fraction != 0 ? 0x00400000u : 0u);
  }
  if (exponent != 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction == 0) return sign;
  // Subnormal: fraction * 2^-24; shift the leading one up to bit 10 and count.
  const uint32_t shift = static_cast<uint32_t>(__builtin_clz(fraction)) - 21;
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3FFu) << 13);
}

/// The binary16 nearest to a binary32, ties to even; overflow gives infinity, NaN stays NaN.
constexpr TERN_ALWAYS_INLINE uint16_t f16_from_f32_bits(uint32_t bits) {
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const uint32_t magnitude = bits & 0x7FFFFFFFu;
  if (magnitude > 0x7F800000u) {
    return static_cast<uint16_t>(sign | 0x7E00u | ((magnitude >> 13) & 0x3FFu));
  }
  if (magnitude >= 0x477FF000u) return static_cast<uint16_t>(sign | 0x7C00u);  // >= 65520
  if (magnitude < 0x38800000u) {  // below 2^-14: subnormal or zero
    if (magnitude < 0x33000000u) return static_cast<uint16_t>(sign);  // below 2^-25
    const uint32_t exponent = magnitude >> 23;
    const uint32_t fraction = (magnitude & 0x7FFFFFu) | 0x800000u;
    const uint32_t shift = 126 - exponent;  // 14..24 bits fall off
    const uint32_t kept = fraction >> shift;
    const uint32_t rest = fraction & ((1u << shift) - 1);
    const uint32_t half = 1u << (shift - 1);
    const uint32_t up = rest > half || (rest == half && (kept & 1u) != 0) ? 1u : 0u;
    return static_cast<uint16_t>(sign | (kept + up));
  }
  // Rounding may carry into the exponent, which is the right result.
  const uint32_t rebased = magnitude - 0x38000000u;
  return static_cast<uint16_t>(sign | ((rebased + 0xFFFu + ((rebased >> 13) & 1u)) >> 13));
}

/// The binary32 value of a bfloat16, exact.
constexpr TERN_ALWAYS_INLINE uint32_t f32_bits_from_bf16(uint16_t half) {
  return static_cast<uint32_t>(half) << 16;
}

constexpr TERN_ALWAYS_INLINE float f32_from_f16(uint16_t half) {
  return __builtin_bit_cast(float, f32_bits_from_f16(half));
}
constexpr TERN_ALWAYS_INLINE uint16_t f16_from_f32(float value) {
  return f16_from_f32_bits(__builtin_bit_cast(uint32_t, value));
}

/// Whether the binary32 with these bits is neither infinite nor NaN.
constexpr TERN_ALWAYS_INLINE bool is_finite_bits(uint32_t bits) {
  return (bits & 0x7F800000u) != 0x7F800000u;
}
constexpr TERN_ALWAYS_INLINE bool is_finite(float value) {
  return is_finite_bits(__builtin_bit_cast(uint32_t, value));
}

TERN_NAMESPACE_END
