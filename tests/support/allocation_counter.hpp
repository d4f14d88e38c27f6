// Counts every allocation of the process: link allocation_counter.cpp, which replaces operator new.
#pragma once

#include <atomic>

namespace tern_test {
extern std::atomic<long> n_allocations;
}
