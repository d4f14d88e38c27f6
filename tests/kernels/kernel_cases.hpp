// What the kernel tests share: the tables of this machine, inputs of every kind, comparison by
// bits.
#pragma once

#include <bit>
#include <catch2/catch.hpp>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "kernels/guarded_buffer.hpp"
#include "support/trit_samples.hpp"
#include "tern/base/half.hpp"
#include "tern/kernels/registry.hpp"

namespace tern_test {

using Bytes = std::vector<uint8_t>;

/// Whether this CPU can run a table.
inline bool is_runnable(const tern::KernelTable& table) {
  return (table.features & tern::detect_cpu_features()) == table.features;
}

/// The scalar table, the specification; also when it fails the self-test.
inline tern::KernelTable scalar_kernels() {
  return tern::resolve_kernels(*tern::compiled_kernels().back());
}

/// Every table that this CPU can run, complete; `scalar` is the last.
inline std::vector<tern::KernelTable> runnable_kernels() {
  std::vector<tern::KernelTable> tables;
  for (const tern::KernelTable* raw : tern::compiled_kernels()) {
    if (is_runnable(*raw)) tables.push_back(tern::resolve_kernels(*raw));
  }
  return tables;
}

/// Lengths around every lane, vector and chunk boundary.
inline std::vector<size_t> vector_lengths() {
  std::vector<size_t> lengths;
  for (size_t n = 1; n <= 33; ++n) lengths.push_back(n);
  for (const size_t n : {47, 48, 63, 64, 65, 80, 96, 100, 127, 128, 129, 255, 256, 257, 515}) {
    lengths.push_back(n);
  }
  return lengths;
}

enum class Values { ordinary, wide, ties, subnormal, zeros, largest, with_infinity, with_nan };
inline constexpr Values kFiniteValues[] = {Values::ordinary,  Values::wide,  Values::ties,
                                           Values::subnormal, Values::zeros, Values::largest};
inline constexpr Values kAllValues[] = {Values::ordinary,      Values::wide,    Values::ties,
                                        Values::subnormal,     Values::zeros,   Values::largest,
                                        Values::with_infinity, Values::with_nan};

inline float value_of(Values kind, SampleRandom& random) {
  const uint32_t bits = random.next();
  const uint32_t sign = bits & 0x80000000u;
  switch (kind) {
    case Values::wide:  // magnitudes from 2^-60 to 2^60
      return std::bit_cast<float>(sign | ((67 + random.below(120)) << 23) | (bits & 0x7FFFFFu));
    case Values::ties:  // multiples of one half up to 127, so that 127 / m is often 1
      return (static_cast<float>(random.below(509)) - 254.0f) * 0.5f;
    case Values::subnormal: return std::bit_cast<float>(sign | (bits & 0x7FFFFFu));
    case Values::zeros: return std::bit_cast<float>(sign);
    case Values::largest: return std::bit_cast<float>(sign | 0x7F7FFFFFu);
    default:  // about -4 to 4, more of them near zero
      return static_cast<float>(static_cast<int32_t>(bits)) * 0x1p-31f *
             static_cast<float>(random.below(5));
  }
}

inline std::vector<float> values(Values kind, size_t n, uint64_t seed) {
  SampleRandom random(seed);
  std::vector<float> out(n);
  for (float& v : out) v = value_of(kind, random);
  const size_t odd_one = random.below(static_cast<uint32_t>(n));
  if (kind == Values::with_infinity) out[odd_one] = -std::numeric_limits<float>::infinity();
  if (kind == Values::with_nan) out[odd_one] = std::numeric_limits<float>::quiet_NaN();
  return out;
}

/// The same binary16 bits for every table; never infinite or NaN.
inline std::vector<uint16_t> finite_halves(size_t n, uint64_t seed) {
  SampleRandom random(seed);
  std::vector<uint16_t> out(n);
  for (uint16_t& h : out) {
    h = static_cast<uint16_t>(random.next());
    if ((h & 0x7C00u) == 0x7C00u) h = static_cast<uint16_t>(h ^ 0x4000u);
  }
  return out;
}

/// Appends the bits of a result; every NaN counts as the same.
inline void append(Bytes& out, float v) {
  const uint32_t bits = v != v ? 0x7FC00000u : std::bit_cast<uint32_t>(v);
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<uint8_t>(bits >> (8 * i)));
}
template <typename T>
requires std::is_integral_v<T>
void append(Bytes& out, T v) {
  const auto bits = static_cast<uint64_t>(v);
  for (size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<uint8_t>(bits >> (8 * i)));
}
template <typename T>
void append(Bytes& out, const GuardedBuffer<T>& buffer) {
  for (size_t i = 0; i < buffer.size(); ++i) append(out, buffer[i]);
}
inline void append(Bytes& out, const tern::QuantizedToken& token) {
  append(out, token.step);
  append(out, token.sum);
  append(out, token.sum_low);
  append(out, token.finite);
}

}  // namespace tern_test
