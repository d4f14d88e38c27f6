// The clock of the C++ runtime.
#include "tern/platform/clock.hpp"

#include <chrono>

TERN_NAMESPACE_BEGIN

uint64_t monotonic_nanoseconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

TERN_NAMESPACE_END
