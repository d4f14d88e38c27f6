// Running tasks in parallel: the caller alone, tern's own pool, or the host's scheduler.
//
// Room: platform. All parallel work of tern is a sequence of `run(n, task)`; tasks never wait for
// each other, so any scheduler serves, and results do not depend on which one does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "tern/base/allocator.hpp"
#include "tern/base/status.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// Tasks that a step of tern is split into at most; scratch exists for each.
inline constexpr size_t kMaxStepTasks = 64;
/// Below this many bytes of weights (times tokens) a task costs more to hand over than to do.
inline constexpr size_t kBytesPerTask = 96 * 1024;

/// The most threads of a pool.
inline constexpr uint32_t kMaxThreads = 1024;

/// A host's scheduler. `parallel_for` calls task(context, i) once for every i < n_tasks, on any
/// threads and in any order, and returns when all have returned.
struct ParallelForHooks {
  void* user = nullptr;
  uint32_t n_workers = 0;  ///< how many tasks can run at once, the calling thread included
  void (*parallel_for)(void* user, size_t n_tasks, void (*task)(void* context, size_t index),
                       void* context) = nullptr;
};

/// tern's own threads: they spin briefly between jobs, then park.
/// Threads: run() may be called from any thread; while one job runs, another caller's job runs on
/// that caller alone, so a pool can be shared without waiting.
class ThreadPool {
 public:
  using Task = void (*)(void* context, size_t index);

  /// Starts n_threads - 1 threads; the thread that calls run() is the last one.
  /// Requires: n_threads >= 1; 1 creates no thread. Errors: out_of_memory, io_error (no thread).
  static Result<std::shared_ptr<ThreadPool>> create(uint32_t n_threads,
                                                    const AllocatorHooks& hooks);

  /// Calls task(context, i) once for every i < n, returns when all are done.
  void run(size_t n, Task task, void* context);
  uint32_t n_workers() const;

  struct Shared;  // what the threads see; private to the source file
  /// Only create() can make one.
  class Key {
    friend class ThreadPool;
    Key() = default;
  };
  explicit ThreadPool(Key) {}
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

 private:
  Result<void> start(uint32_t n_threads, const AllocatorHooks& hooks);

  Shared* shared_ = nullptr;
};

/// Where a session's tasks run. A small value: a pool to share, or a host's hooks, or neither.
class TaskRunner {
 public:
  TaskRunner() = default;
  explicit TaskRunner(std::shared_ptr<ThreadPool> pool) : pool_(std::move(pool)) {}
  explicit TaskRunner(const ParallelForHooks& host) : host_(host) {}

  /// Whether there is a pool or a host's scheduler, even one of a single worker.
  bool is_set() const { return pool_ != nullptr || host_.parallel_for != nullptr; }

  /// How many tasks can run at once, at least 1.
  size_t n_workers() const {
    if (host_.parallel_for != nullptr) return host_.n_workers > 0 ? host_.n_workers : 1;
    return pool_ != nullptr ? pool_->n_workers() : 1;
  }

  /// Calls f(i) once for every i < n. Cost: no allocation; n <= 1 runs on the caller.
  template <typename F>
  void run(size_t n, F&& f) const {
    if (n <= 1 || n_workers() == 1) {
      for (size_t i = 0; i < n; ++i) f(i);
      return;
    }
    run_erased(
        n, [](void* context, size_t i) { (*static_cast<std::remove_reference_t<F>*>(context))(i); },
        const_cast<void*>(static_cast<const void*>(std::addressof(f))));
  }

 private:
  void run_erased(size_t n, ThreadPool::Task task, void* context) const;

  std::shared_ptr<ThreadPool> pool_;
  ParallelForHooks host_;
};

TERN_NAMESPACE_END
