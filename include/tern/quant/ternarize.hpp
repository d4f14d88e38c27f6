// From values that happen to be ternary to trits, and from many scales to few; by bits alone.
//
// Room: quant. A float tensor whose groups are exactly {-g, 0, +g} is a ternary one, written in
// another way; nothing is rounded here. A group without a nonzero trit fits every scale: its scale
// is recorded as 0, the wildcard. Scales read per group are then collapsed to one per tensor or per
// row where all that matter agree. Bit patterns are compared, so the host's float flags play no
// part.
#pragma once

#include <bit>
#include <limits>

#include "tern/base/status.hpp"
#include "tern/quant/block_codec.hpp"
#include "tern/quant/ternary_view.hpp"

TERN_NAMESPACE_BEGIN

/// The scale of a group in which every trit is zero.
inline constexpr uint32_t kWildcardScale = 0;

namespace detail {
inline constexpr uint32_t kSignBit = 0x80000000u;
}  // namespace detail

/// Splits n values of a float type into trits and their common magnitude, as binary32 bits.
/// Ensures: on success u holds 0, 1 or 2, and scale_bits is positive or kWildcardScale.
/// Errors: not_ternary when two nonzero magnitudes differ; malformed when a value is not finite.
template <TensorType type>
Status ternarize_group(const uint8_t* values, size_t n, uint8_t* u, uint32_t& scale_bits) {
  using Codec = FloatCodec<type>;
  using Bits = typename Codec::Bits;
  constexpr Bits kMagnitude = std::numeric_limits<Bits>::max() / 2;
  // Of non-negative floats the order is that of their bits, so this finds infinities and NaNs too.
  Bits largest = 0;
  for (size_t i = 0; i < n; ++i) {
    const Bits magnitude = Codec::load(values + i * Codec::kBytes) & kMagnitude;
    largest = magnitude > largest ? magnitude : largest;
  }
  if (!is_finite_bits(Codec::widen(largest))) return Status::malformed;
  // Without branches: in real weights neither the zeros nor the signs can be predicted.
  unsigned misfits = 0;
  for (size_t i = 0; i < n; ++i) {
    const Bits bits = Codec::load(values + i * Codec::kBytes);
    const Bits magnitude = bits & kMagnitude;
    const unsigned nonzero = magnitude != 0;
    const unsigned negative = bits > kMagnitude;
    misfits |= nonzero & static_cast<unsigned>(magnitude != largest);
    u[i] = static_cast<uint8_t>(kZeroTrit + nonzero - 2 * (nonzero & negative));
  }
  if (misfits != 0) return Status::not_ternary;
  scale_bits = Codec::widen(largest);
  return Status::ok;
}

/// Makes trits and a scale from a file canonical: a negative scale negates the trits, a zero scale
/// zeroes them, and trits that are all zero take the wildcard.
/// Requires: every u <= 2. Errors: malformed when the scale is not finite.
inline Status canonicalize_group(uint32_t file_scale_bits, size_t n, uint8_t* u,
                                 uint32_t& scale_bits) {
  if (!is_finite_bits(file_scale_bits)) return Status::malformed;
  const uint32_t magnitude = file_scale_bits & ~detail::kSignBit;
  if (magnitude == 0) {
    for (size_t i = 0; i < n; ++i) u[i] = kZeroTrit;
  } else if ((file_scale_bits & detail::kSignBit) != 0) {
    for (size_t i = 0; i < n; ++i) u[i] = negated_u(u[i]);
  }
  uint8_t nonzero = 0;  // in bytes, of which a vector holds the most
  for (size_t i = 0; i < n; ++i) nonzero = static_cast<uint8_t>(nonzero | (u[i] ^ kZeroTrit));
  scale_bits = nonzero != 0 ? magnitude : kWildcardScale;
  return Status::ok;
}

/// Scales as they were read: one for every `group_cols` columns of a row, the last group cut short.
/// Shapes: bits [rows][ceil(cols / group_cols)], binary32, canonical.
struct ScaleGrid {
  const uint32_t* bits = nullptr;
  size_t rows = 0;
  size_t cols = 0;
  size_t group_cols = 0;

  constexpr size_t groups_per_row() const { return scale_groups(cols, group_cols); }
};

/// What the scales of a matrix can be stored as.
struct ScalePlan {
  ScaleKind kind = ScaleKind::tensor;
  uint32_t group_cols = 0;  ///< 256, 128, 64 or 32 for ScaleKind::group, else 0

  friend constexpr bool operator==(const ScalePlan&, const ScalePlan&) = default;
};

/// How many scales a matrix [rows, cols] has under a plan.
constexpr size_t scale_count(const ScalePlan& plan, size_t rows, size_t cols) {
  switch (plan.kind) {
    case ScaleKind::tensor: return 1;
    case ScaleKind::row: return rows;
    case ScaleKind::group: break;
  }
  return rows * scale_groups(cols, plan.group_cols);
}

namespace detail {
/// The one scale that n scales agree on (wildcards agree with all), or nothing.
constexpr std::optional<uint32_t> common_scale(const uint32_t* bits, size_t n) {
  uint32_t common = kWildcardScale;
  for (size_t i = 0; i < n; ++i) {
    if (bits[i] == kWildcardScale) continue;
    if (common != kWildcardScale && common != bits[i]) return std::nullopt;
    common = bits[i];
  }
  return common;
}

/// Calls fn(scales, n) for the run of read scales behind each planned scale, while fn gives true.
template <typename Fn>
constexpr bool for_each_planned(const ScaleGrid& grid, const ScalePlan& plan, Fn fn) {
  const size_t per_row = grid.groups_per_row();
  if (plan.kind == ScaleKind::tensor) return fn(grid.bits, grid.rows * per_row);
  const size_t run = plan.kind == ScaleKind::row ? per_row : plan.group_cols / grid.group_cols;
  for (size_t row = 0; row < grid.rows; ++row) {
    for (size_t first = 0; first < per_row; first += run) {
      const size_t n = per_row - first < run ? per_row - first : run;
      if (!fn(grid.bits + row * per_row + first, n)) return false;
    }
  }
  return true;
}
}  // namespace detail

/// The fewest scales that say the same: per tensor, else per row, else for the widest group.
/// Requires: grid.group_cols is 256, 128, 64 or 32, or not below cols. Cost: a few passes.
constexpr ScalePlan plan_scales(const ScaleGrid& grid) {
  const auto agrees = [&grid](const ScalePlan& plan) {
    return detail::for_each_planned(grid, plan, [](const uint32_t* bits, size_t n) {
      return detail::common_scale(bits, n).has_value();
    });
  };
  for (const ScaleKind kind : {ScaleKind::tensor, ScaleKind::row}) {
    if (agrees({kind, 0})) return {kind, 0};
  }
  uint32_t width = 256;
  while (width > grid.group_cols && !agrees({ScaleKind::group, width})) width /= 2;
  return {ScaleKind::group, width};
}

/// Writes the scales of a plan that plan_scales gave for this grid; a wildcard becomes 0.
/// Shapes: scales [scale_count(plan, rows, cols)].
inline void collapse_scales(const ScaleGrid& grid, const ScalePlan& plan, float* scales) {
  detail::for_each_planned(grid, plan, [&scales](const uint32_t* bits, size_t n) {
    *scales++ = std::bit_cast<float>(detail::common_scale(bits, n).value_or(kWildcardScale));
    return true;
  });
}

TERN_NAMESPACE_END
