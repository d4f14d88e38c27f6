// Sizes computed from untrusted numbers: every product and sum says whether it overflowed.
//
// Room: base.
#pragma once

#include <cstdint>
#include <optional>

#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// a * b, or nothing when it does not fit 64 bits.
constexpr std::optional<uint64_t> checked_mul(uint64_t a, uint64_t b) {
  uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

/// a + b, or nothing when it does not fit 64 bits.
constexpr std::optional<uint64_t> checked_add(uint64_t a, uint64_t b) {
  uint64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

/// The smallest multiple of `step` that is not below `value`, or nothing on overflow.
/// Requires: step > 0.
constexpr std::optional<uint64_t> checked_round_up(uint64_t value, uint64_t step) {
  const uint64_t rest = value % step;
  if (rest == 0) return value;
  return checked_add(value, step - rest);
}

/// round_up for sizes that are known to be small. Requires: step > 0, no overflow.
template <typename T>
constexpr T round_up(T value, T step) {
  return (value + step - 1) / step * step;
}

TERN_NAMESPACE_END
