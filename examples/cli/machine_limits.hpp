// What this machine could do at best: the read bandwidth of memory and the rate of int8
// multiply-adds, measured with the kernels' own probes.
//
// Program tern. `tern bench` divides what a model reached by these.
#pragma once

#include "tern/tern.hpp"

namespace cli {

struct MachineLimits {
  double read_gb_s = 0;   ///< 10^9 bytes a second, all threads together
  double dot_gmac_s = 0;  ///< 10^9 int8 multiply-adds a second, all threads together
};

/// Measures with the threads of `runner`. Cost: a second or two; 512 MiB of memory, for two and
/// more threads about 1 GiB, freed again. Zeros where there is no memory.
MachineLimits measure_limits(const tern::KernelTable& kernels, const tern::TaskRunner& runner);

}  // namespace cli
