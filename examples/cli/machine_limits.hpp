// What this machine could do: the read bandwidth of memory and the rate of int8 multiply-adds,
// measured with the kernels' own probes.
//
// Program tern. `tern bench` divides what a model reached by these.
#pragma once

#include <vector>

#include "tern/tern.hpp"

namespace cli {

/// Memory that is only read, beyond any cache: its bandwidth, measured now. On a machine that
/// others share it changes within seconds.
class ReadProbe {
 public:
  /// Memory for the threads of `runner`: 512 MiB for one, for more about 1 GiB together.
  ReadProbe(const tern::KernelTable& kernels, const tern::TaskRunner& runner);

  /// 10^9 bytes a second, all threads together; 0 where there was no memory. Cost: one reading.
  double gb_s();

 private:
  const tern::KernelTable& kernels_;
  const tern::TaskRunner& runner_;
  size_t bytes_;  // of each thread
  std::vector<tern::Buffer<uint8_t>> buffers_;
  std::vector<uint64_t> sums_;
};

/// 10^9 int8 multiply-adds a second, all threads together: the best of several rounds, since
/// whatever else runs here can only take away.
double measure_dot(const tern::KernelTable& kernels, const tern::TaskRunner& runner);

}  // namespace cli
