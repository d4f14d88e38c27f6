// Measuring the machine (machine_limits.hpp): the best of several rounds, since whatever else runs
// here can only take away.
#include "machine_limits.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

namespace cli {

namespace {

constexpr size_t kReadBytes = size_t{1} << 30;        // of all threads together, beyond any cache
constexpr size_t kMostReadBytes = size_t{512} << 20;  // of one thread
constexpr size_t kLeastReadBytes = size_t{64} << 20;
constexpr size_t kDotRounds = 4'000'000;
constexpr int kRepeats = 5;

template <typename F>
double seconds(F&& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double measure_read(const tern::KernelTable& kernels, const tern::TaskRunner& runner) {
  const size_t workers = runner.n_workers();
  const size_t bytes = std::clamp(kReadBytes / workers, kLeastReadBytes, kMostReadBytes);
  std::vector<tern::Buffer<uint8_t>> buffers(workers);
  for (auto& buffer : buffers) {
    auto made = tern::create_streamed_buffer(bytes, tern::default_allocator());
    if (!made.ok()) return 0;
    buffer = *std::move(made);
  }
  std::vector<uint64_t> sums(workers);
  runner.run(workers, [&](size_t task) { std::memset(buffers[task].data(), 1, bytes); });
  double best = 0;
  for (int i = 0; i < kRepeats; ++i) {
    const double taken = seconds([&] {
      runner.run(workers, [&](size_t task) {
        sums[task] += kernels.probe_read(buffers[task].data(), bytes);
      });
    });
    best = std::max(best, static_cast<double>(workers * bytes) / taken * 1e-9);
  }
  return best;
}

double measure_dot(const tern::KernelTable& kernels, const tern::TaskRunner& runner) {
  const size_t workers = runner.n_workers();
  std::vector<int32_t> sinks(workers, 1);
  std::vector<uint64_t> products(workers);
  // Slow tables do one product a round.
  size_t rounds = kDotRounds / 64;
  double best = 0;
  for (int i = 0; i < kRepeats; ++i) {
    const double taken = seconds([&] {
      runner.run(workers,
                 [&](size_t task) { products[task] = kernels.probe_dot(rounds, &sinks[task]); });
    });
    double total = 0;
    for (const uint64_t n : products) total += static_cast<double>(n);
    best = std::max(best, total / taken * 1e-9);
    if (taken < 0.02) rounds = kDotRounds;
  }
  return best;
}

}  // namespace

MachineLimits measure_limits(const tern::KernelTable& kernels, const tern::TaskRunner& runner) {
  return {measure_read(kernels, runner), measure_dot(kernels, runner)};
}

}  // namespace cli
