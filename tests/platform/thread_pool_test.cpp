// The thread pool: every task exactly once, whoever calls, however often.
// A build without threads has nothing to test here.
#if !defined(TERN_NO_THREADS)
#include "tern/platform/thread_pool.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <set>
#include <thread>
#include <vector>

#include "platform/float_environment.hpp"
#include "support/counting_allocator.hpp"

using tern::ParallelForHooks;
using tern::Status;
using tern::TaskRunner;
using tern::ThreadPool;

namespace {

std::shared_ptr<ThreadPool> make_pool(uint32_t n) {
  auto pool = ThreadPool::create(n, tern::default_allocator());
  REQUIRE(pool.ok());
  return *pool;
}

/// Runs n tasks and checks that each ran once.
bool runs_each_once(const TaskRunner& runner, size_t n) {
  std::vector<std::atomic<uint8_t>> counts(n);
  runner.run(n, [&](size_t i) { counts[i].fetch_add(1, std::memory_order_relaxed); });
  for (const auto& count : counts) {
    if (count.load() != 1) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("Every task runs exactly once with any number of threads") {
  for (const uint32_t threads : {1u, 2u, 5u}) {
    const TaskRunner runner(make_pool(threads));
    CHECK(runner.n_workers() == threads);
    for (const size_t n : {0, 1, 2, 7, 100, 65535, 65536, 100000}) {
      INFO(threads << " threads, " << n << " tasks");
      CHECK(runs_each_once(runner, n));
    }
  }
}

TEST_CASE("What tasks write is seen after the run") {
  const TaskRunner runner(make_pool(5));
  for (size_t round = 1; round <= 3000; ++round) {
    size_t results[16] = {};
    runner.run(16, [&](size_t i) { results[i] = round + i; });
    size_t sum = 0;
    for (const size_t v : results) sum += v;
    REQUIRE(sum == 16 * round + 120);
  }
}

TEST_CASE("Several threads may share a pool, and a task may start tasks") {
  const auto pool = make_pool(3);
  std::vector<std::thread> callers;
  std::atomic<size_t> good{0};
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      const TaskRunner runner(pool);
      for (int round = 0; round < 200; ++round) {
        if (runs_each_once(runner, 37)) ++good;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(good.load() == 800);

  const TaskRunner runner(pool);
  std::atomic<size_t> inner{0};
  runner.run(10, [&](size_t) { runner.run(20, [&](size_t) { ++inner; }); });
  CHECK(inner.load() == 200);
}

TEST_CASE("Parked threads wake for the next job") {
  const TaskRunner runner(make_pool(3));
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    CHECK(runs_each_once(runner, 50));
  }
}

TEST_CASE("Pools come and go, busy or idle") {
  for (int round = 0; round < 200; ++round) {
    const TaskRunner runner(make_pool(2 + static_cast<uint32_t>(round % 4)));
    if (round % 2 == 0) {
      REQUIRE(runs_each_once(runner, 20));
    }
  }
}

TEST_CASE("One thread means that none is created") {
  const TaskRunner runner(make_pool(1));
  const auto caller = std::this_thread::get_id();
  bool here = true;
  runner.run(100, [&](size_t) { here = here && std::this_thread::get_id() == caller; });
  CHECK(here);
  const TaskRunner none;
  CHECK(none.n_workers() == 1);
  none.run(100, [&](size_t) { here = here && std::this_thread::get_id() == caller; });
  CHECK(here);
}

TEST_CASE("Thread counts outside 1 to 1024 are refused") {
  CHECK(ThreadPool::create(0, tern::default_allocator()).status() == Status::invalid_argument);
  CHECK(ThreadPool::create(1025, tern::default_allocator()).status() == Status::invalid_argument);
}

TEST_CASE("A pool takes its memory from the host and reports when there is none") {
  tern_test::CountingAllocator host;
  {
    auto pool = ThreadPool::create(3, host.hooks());
    REQUIRE(pool.ok());
    CHECK(host.calls >= 3);
  }
  CHECK(host.live == 0);
  const size_t needed = host.peak;
  for (size_t budget = 0; budget < needed; budget += 8) {
    tern_test::CountingAllocator poor;
    poor.budget = budget;
    CHECK(ThreadPool::create(3, poor.hooks()).status() == Status::out_of_memory);
    CHECK(poor.live == 0);
  }
}

TEST_CASE("The host's scheduler runs the tasks, in tern's float environment") {
  struct Host {
    size_t calls = 0;
    size_t wrong_environment = 0;
  } host;
  ParallelForHooks hooks;
  hooks.user = &host;
  hooks.n_workers = 4;
  // Backwards, half of them on another thread, all in a strange float environment.
  hooks.parallel_for = [](void* user, size_t n, void (*task)(void*, size_t), void* context) {
    ++static_cast<Host*>(user)->calls;
    const auto part = [=](size_t begin, size_t end) {
      const tern_test::StrangeEnvironment strange;
      for (size_t i = end; i-- > begin;) task(context, i);
      if (!strange.holds()) ++static_cast<Host*>(user)->wrong_environment;
    };
    std::thread other(part, n / 2, n);
    other.join();
    part(0, n / 2);
  };
  const TaskRunner runner(hooks);
  CHECK(runner.n_workers() == 4);
  std::vector<uint8_t> counts(100), is_default(100);
  runner.run(100, [&](size_t i) {
    ++counts[i];
    is_default[i] = tern_test::has_default_environment() ? 1 : 0;
  });
  CHECK(counts == std::vector<uint8_t>(100, 1));
  CHECK(is_default == std::vector<uint8_t>(100, 1));
  CHECK(host.calls == 1);
  CHECK(host.wrong_environment == 0);
  runner.run(1, [&](size_t i) { ++counts[i]; });
  CHECK(host.calls == 1);  // one task needs no scheduler
}

TEST_CASE("The pool's threads run in tern's float environment") {
  const TaskRunner runner(make_pool(4));
  std::atomic<size_t> wrong{0};
  const auto caller = std::this_thread::get_id();
  runner.run(2000, [&](size_t) {
    if (std::this_thread::get_id() != caller && !tern_test::has_default_environment()) ++wrong;
  });
  CHECK(wrong.load() == 0);
}
#endif
