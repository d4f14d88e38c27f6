// Counts every allocation of the process: link allocation_counter.cpp, which replaces operator new.
#pragma once

#include <atomic>

// The thread sanitizer brings its own operator new, which cannot be replaced.
#if defined(__SANITIZE_THREAD__)
#define TERN_COUNTS_ALLOCATIONS 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TERN_COUNTS_ALLOCATIONS 0
#endif
#endif
#if !defined(TERN_COUNTS_ALLOCATIONS)
#define TERN_COUNTS_ALLOCATIONS 1
#endif

namespace tern_test {
extern std::atomic<long> n_allocations;
}
