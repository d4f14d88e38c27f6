// The float control register, by inline assembly: <cfenv> neither covers denormals nor survives
// every host's compiler flags.
#include "tern/platform/fp_environment.hpp"

TERN_NAMESPACE_BEGIN

namespace {

#if defined(__x86_64__)
// MXCSR: bits 0-5 are sticky flags, 6 denormals-are-zero, 7-12 masks, 13-14 rounding, 15 flush.
constexpr uint64_t kControlBits = 0xFFC0;
constexpr uint64_t kDefaultControl = 0x1F80;
uint64_t read_control() {
  uint32_t value = 0;
  __asm__ volatile("stmxcsr %0" : "=m"(value));
  return value;
}
void write_control(uint64_t control) {
  const uint32_t value = static_cast<uint32_t>(control);
  __asm__ volatile("ldmxcsr %0" : : "m"(value) : "memory");
}
#elif defined(__aarch64__)
// FPCR: rounding (22-23), flush (24, 19, 0-2), default NaN (25), traps (8-15); all zero by default.
constexpr uint64_t kControlBits = 0x07C89F07;
constexpr uint64_t kDefaultControl = 0;
uint64_t read_control() {
  uint64_t value = 0;
  __asm__ volatile("mrs %0, fpcr" : "=r"(value));
  return value;
}
void write_control(uint64_t control) {
  __asm__ volatile("msr fpcr, %0" : : "r"(control) : "memory");
}
#else
// WebAssembly has one environment, the one that is wanted.
constexpr uint64_t kControlBits = 0;
constexpr uint64_t kDefaultControl = 0;
uint64_t read_control() { return 0; }
void write_control(uint64_t) {}
#endif

}  // namespace

FpEnvironmentGuard::FpEnvironmentGuard() : saved_(read_control()) {
  changed_ = (saved_ & kControlBits) != kDefaultControl;
  if (changed_) write_control((saved_ & ~kControlBits) | kDefaultControl);
}

FpEnvironmentGuard::~FpEnvironmentGuard() {
  if (changed_) write_control(saved_);
}

TERN_NAMESPACE_END
