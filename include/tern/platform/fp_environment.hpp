// The float environment of one thread: default rounding, denormals kept, exceptions masked.
//
// Room: platform. docs/numerics.md 0 assumes this environment; hosts (games, audio) often run in
// another. Every entry point and every worker task holds one guard.
#pragma once

#include <cstdint>

#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// Sets the environment that the kernels specify; the destructor restores the host's.
/// Threads: affects the calling thread only. Cost: a control-register read, two writes if it
/// differs.
class FpEnvironmentGuard {
 public:
  FpEnvironmentGuard();
  ~FpEnvironmentGuard();
  FpEnvironmentGuard(const FpEnvironmentGuard&) = delete;
  FpEnvironmentGuard& operator=(const FpEnvironmentGuard&) = delete;

 private:
  uint64_t saved_ = 0;
  bool changed_ = false;
};

TERN_NAMESPACE_END
