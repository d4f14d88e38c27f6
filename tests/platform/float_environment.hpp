// A float environment that no kernel may meet, as games and audio hosts set it.
#pragma once

#include <cstdint>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tern_test {

// Through volatile, so that the compiler computes nothing in its own environment.
inline bool keeps_subnormals() {
  volatile float smallest = 0x1p-126f;
  volatile float half = smallest * 0.5f;
  volatile float sum = half + half;
  return half != 0.0f && sum == smallest;
}
inline bool rounds_to_nearest() {
  volatile float one = 1.0f, tiny = 0x1p-60f;
  volatile float up = one + tiny, down = one - tiny;
  return up == 1.0f && down == 1.0f;
}
inline bool has_default_environment() { return keeps_subnormals() && rounds_to_nearest(); }

#if defined(__x86_64__)
inline constexpr uint32_t kStrangeControl = 0x1F80 | 0x8000 | 0x0040 | 0x4000;  // FTZ, DAZ, up
inline constexpr uint32_t kControlMask = 0xFFC0;
inline uint64_t control() { return _mm_getcsr() & kControlMask; }
inline void set_control(uint64_t value) { _mm_setcsr(static_cast<uint32_t>(value)); }
#elif defined(__aarch64__)
inline constexpr uint64_t kStrangeControl = (1u << 24) | (1u << 22);  // FZ, round up
inline uint64_t control() {
  uint64_t value;
  __asm__ volatile("mrs %0, fpcr" : "=r"(value));
  return value;
}
inline void set_control(uint64_t value) { __asm__ volatile("msr fpcr, %0" : : "r"(value)); }
#else
inline constexpr uint64_t kStrangeControl = 0;  // one environment only
inline uint64_t control() { return 0; }
inline void set_control(uint64_t) {}
#endif

/// Flushes subnormals and rounds up while it lives.
class StrangeEnvironment {
 public:
  StrangeEnvironment() : saved_(control()) { set_control(kStrangeControl); }
  ~StrangeEnvironment() { set_control(saved_); }
  /// Whether the environment is still, or again, the strange one.
  bool holds() const { return control() == kStrangeControl; }

 private:
  uint64_t saved_;
};

}  // namespace tern_test
