// Time that only goes forward.
//
// Room: platform.
#pragma once

#include <cstdint>

#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// Nanoseconds since some moment; never fewer than before. Threads: any. Cost: some 30 ns.
uint64_t monotonic_nanoseconds();

TERN_NAMESPACE_END
