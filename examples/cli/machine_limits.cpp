// Measuring the machine (machine_limits.hpp).
#include "machine_limits.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

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

}  // namespace

ReadProbe::ReadProbe(const tern::KernelTable& kernels, const tern::TaskRunner& runner)
    : kernels_(kernels),
      runner_(runner),
      bytes_(std::clamp(kReadBytes / runner.n_workers(), kLeastReadBytes, kMostReadBytes)),
      sums_(runner.n_workers()) {
  for (size_t i = 0; i < sums_.size(); ++i) {
    auto made = tern::create_streamed_buffer(bytes_, tern::default_allocator());
    if (!made.ok()) {
      buffers_.clear();
      return;
    }
    buffers_.push_back(*std::move(made));
  }
  runner_.run(buffers_.size(), [&](size_t task) { std::memset(buffers_[task].data(), 1, bytes_); });
}

double ReadProbe::gb_s() {
  if (buffers_.empty()) return 0;
  const double taken = seconds([&] {
    runner_.run(buffers_.size(), [&](size_t task) {
      sums_[task] += kernels_.probe_read(buffers_[task].data(), bytes_);
    });
  });
  return static_cast<double>(buffers_.size() * bytes_) / taken * 1e-9;
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

}  // namespace cli
