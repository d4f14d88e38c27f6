// Requests to end a computation early, from any thread.
//
// Room: platform.
#pragma once

#include <algorithm>
#include <atomic>
#include <span>

#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// Flags of which any one ends what looks at them; viewed.
using CancelFlags = std::span<const std::atomic<bool>* const>;

inline bool is_cancelled(CancelFlags flags) {
  return std::any_of(flags.begin(), flags.end(),
                     [](const auto* flag) { return flag->load(std::memory_order_relaxed); });
}

TERN_NAMESPACE_END
