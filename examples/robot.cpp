// A robot: a ternary policy network keeps an inverted pendulum up, 1000 times a second, without an
// allocation in the loop. The first layer's weights are drawn from a seed and ternarized as BitNet
// b1.58 does; its products are the same bits on every machine.
//
//     robot [SECONDS]
//
// Prints where the pendulum was every tenth of a second, how late the ticks were and how long the
// network took; with TERN_ROBOT_TIMES=FILE each tick's lateness and work, in ns, go there. Fails if
// the pendulum fell, or if something was allocated in the loop.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <random>
#include <thread>
#include <vector>

// Allocations are counted: those of C++, tern's among them, below; Eigen takes its memory past
// operator new, but asserts before it does that it is allowed to.
namespace {
long n_allocations = 0;
}
#define EIGEN_RUNTIME_NO_MALLOC
#define eigen_assert(condition) ((condition) ? void() : void(++n_allocations))
#include <Eigen/Cholesky>

#include "tern/eigen.hpp"
#include "tern/tern.hpp"

void* operator new(std::size_t bytes) {
  ++n_allocations;
  if (void* block = std::malloc(bytes)) return block;
  throw std::bad_alloc();
}
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  ++n_allocations;
  const auto unit = static_cast<std::size_t>(alignment);
  return std::aligned_alloc(unit, (bytes + unit - 1) / unit * unit);
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const tern::Error& error) {
  char text[tern::kErrorTextBytes];
  tern::format_error(error, text, sizeof(text));
  std::fprintf(stderr, "robot: %s\n", text);
  std::exit(1);
}

/// hidden = relu(W1 observation); action = w2 hidden. Rows of W1 are random directions; w2 makes
/// of them, by least squares, the controller that is asked for.
class Policy {
 public:
  Policy(const Eigen::Vector4f& gains, std::mt19937& random) {
    std::normal_distribution<float> normal;
    const Eigen::MatrixXf first =
        Eigen::MatrixXf::NullaryExpr(kHidden, kInputs, [&] { return normal(random); });
    auto layer = tern::ternarize(first, {});
    if (!layer.ok()) fail(layer.error());
    first_ = *std::move(layer);
    // What the ternary layer gives for many observations, and what the controller wants for them.
    constexpr int kSamples = 2000;
    Eigen::MatrixXf hidden(kSamples, kHidden);
    Eigen::VectorXf wanted(kSamples);
    for (int i = 0; i < kSamples; ++i) {
      const Eigen::Vector4f state = Eigen::Vector4f::NullaryExpr([&] { return normal(random); });
      think(state);
      hidden.row(i) = hidden_.transpose();
      wanted[i] = gains.dot(state);
    }
    const Eigen::MatrixXf square =
        hidden.transpose() * hidden + 1e-2f * Eigen::MatrixXf::Identity(kHidden, kHidden);
    second_ = square.ldlt().solve(hidden.transpose() * wanted);
  }

  float act(const Eigen::Vector4f& state) {
    think(state);
    return second_.dot(hidden_);
  }

 private:
  static constexpr int kInputs = 8;
  static constexpr int kHidden = 256;

  void think(const Eigen::Vector4f& state) {
    observation_ << state, -state;
    const auto done = tern::multiply(first_, observation_, hidden_);
    if (!done.ok()) fail(done.error());
    hidden_ = hidden_.cwiseMax(0.0f);
  }

  tern::TernaryLayer first_;
  Eigen::VectorXf second_;
  Eigen::VectorXf observation_ = Eigen::VectorXf::Zero(kInputs);
  Eigen::VectorXf hidden_ = Eigen::VectorXf::Zero(kHidden);
};

/// A pole on a cart: position, speed, angle from upright, its speed.
struct Pendulum {
  Eigen::Vector4f state{0.0f, 0.0f, 0.2f, 0.0f};

  void move(float force, float seconds) {
    constexpr float kCart = 1.0f, kPole = 0.1f, kLength = 0.5f, kGravity = 9.81f;
    const float sine = std::sin(state[2]);
    const float cosine = std::cos(state[2]);
    const float pull = (force + kPole * kLength * state[3] * state[3] * sine) / (kCart + kPole);
    const float turn = (kGravity * sine - cosine * pull) /
                       (kLength * (4.0f / 3.0f - kPole * cosine * cosine / (kCart + kPole)));
    const float push = pull - kPole * kLength * turn * cosine / (kCart + kPole);
    state += seconds * Eigen::Vector4f(state[1], push, state[3], turn);
  }
};

}  // namespace

int main(int argc, char** argv) {
  const int seconds = std::clamp(argc > 1 ? std::atoi(argv[1]) : 3, 1, 3600);
  const int n_ticks = 1000 * seconds;
  std::mt19937 random(1);
  Policy policy(Eigen::Vector4f(1.0f, 2.2f, 28.0f, 5.6f), random);
  Pendulum pendulum;
  std::vector<int64_t> late(static_cast<size_t>(n_ticks));
  std::vector<int64_t> work(static_cast<size_t>(n_ticks));
  std::vector<Eigen::Vector4f> path(static_cast<size_t>(n_ticks));

  Eigen::internal::set_is_malloc_allowed(false);
  const long n_allocations_before = n_allocations;
  Clock::time_point next = Clock::now();
  for (int tick = 0; tick < n_ticks; ++tick) {
    next += std::chrono::milliseconds(1);
    std::this_thread::sleep_until(next);
    const Clock::time_point begin = Clock::now();
    const float force = policy.act(pendulum.state);
    const Clock::time_point end = Clock::now();
    pendulum.move(force, 1e-3f);
    late[static_cast<size_t>(tick)] = std::chrono::nanoseconds(begin - next).count();
    work[static_cast<size_t>(tick)] = std::chrono::nanoseconds(end - begin).count();
    path[static_cast<size_t>(tick)] = pendulum.state;
  }
  const long n_allocated = n_allocations - n_allocations_before;
  Eigen::internal::set_is_malloc_allowed(true);

  for (int tick = 0; tick < n_ticks; tick += 100) {
    const Eigen::Vector4f& state = path[static_cast<size_t>(tick)];
    std::printf("%.1f s: cart %+.6f m, angle %+.6f rad\n", tick * 1e-3, state[0], state[2]);
  }
  if (const char* name = std::getenv("TERN_ROBOT_TIMES")) {
    if (std::FILE* file = std::fopen(name, "w")) {
      for (size_t i = 0; i < late.size(); ++i) {
        std::fprintf(file, "%lld %lld\n", static_cast<long long>(late[i]),
                     static_cast<long long>(work[i]));
      }
      std::fclose(file);
    }
  }
  for (auto* times : {&late, &work}) {
    std::sort(times->begin(), times->end());
    std::fprintf(stderr, "%s: median %.1f us, p99 %.1f us, most %.1f us\n",
                 times == &late ? "late" : "network",
                 static_cast<double>((*times)[times->size() / 2]) * 1e-3,
                 static_cast<double>((*times)[times->size() * 99 / 100]) * 1e-3,
                 static_cast<double>(times->back()) * 1e-3);
  }
  const bool is_up = std::abs(pendulum.state[2]) < 0.1f;
  std::fprintf(stderr, "the pendulum is %s; %ld allocations in the loop\n", is_up ? "up" : "down",
               n_allocated);
  return is_up && n_allocated == 0 ? 0 : 1;
}
