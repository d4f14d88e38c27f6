// Trits for tests: the pattern of the published byte vectors, and random ones from a fixed seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tern/quant/ternary_view.hpp"

namespace tern_test {

inline constexpr tern::Packing kPackings[] = {tern::Packing::t2,  tern::Packing::t5,
                                              tern::Packing::t2r, tern::Packing::t5r,
                                              tern::Packing::t2c, tern::Packing::t5c};

/// u of the pattern t(i) = ((i*i + i/7) mod 3) - 1 for i < n.
inline std::vector<uint8_t> pattern_u(size_t n) {
  std::vector<uint8_t> u(n);
  for (size_t i = 0; i < n; ++i) u[i] = static_cast<uint8_t>((i * i + i / 7) % 3);
  return u;
}

/// A small generator with a fixed sequence per seed, the same on every machine.
class SampleRandom {
 public:
  explicit SampleRandom(uint64_t seed) : state_(seed * 2 + 1) {}
  uint32_t next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state_ >> 32);
  }
  uint32_t below(uint32_t n) { return next() % n; }

 private:
  uint64_t state_;
};

inline std::vector<uint8_t> random_u(size_t n, uint64_t seed) {
  SampleRandom random(seed);
  std::vector<uint8_t> u(n);
  for (uint8_t& value : u) value = static_cast<uint8_t>(random.below(3));
  return u;
}

inline std::string hex(const std::vector<uint8_t>& bytes) {
  std::string text;
  for (const uint8_t byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

}  // namespace tern_test
