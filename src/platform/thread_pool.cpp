// The thread pool: one word says which task is next, so a late thread can never run a stale one.
#include "tern/platform/thread_pool.hpp"

#include <atomic>
#include <new>

#include "tern/base/memory_wall.hpp"
#include "tern/platform/fp_environment.hpp"

#if defined(TERN_NO_THREADS)
#elif defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#if !defined(NOMINMAX)
#define NOMINMAX
#endif
#include <windows.h>
#else
#include <pthread.h>
#include <signal.h>
#endif

TERN_NAMESPACE_BEGIN

namespace {

// A job's tasks are claimed from one 64-bit word: epoch (32 bits), task count, next task (16 each).
// A claim is a compare-and-swap of the whole word, so it fails when the job has changed.
constexpr size_t kMaxJobTasks = 0xFFFF;
constexpr uint64_t pack_job(uint32_t epoch, size_t n) {
  return (uint64_t{epoch} << 32) | (uint64_t{n} << 16);
}
constexpr size_t job_size(uint64_t word) { return (word >> 16) & 0xFFFF; }
constexpr size_t job_next(uint64_t word) { return word & 0xFFFF; }

// About 20 us of looking for the next job before a thread parks: longer than the gaps between the
// steps of a layer, short against a frame of a game.
constexpr int kSpins = 2000;

}  // namespace

namespace detail {

// What parks threads until a word changes. On Windows not std::atomic's own: that of g++ 12's
// runtime loses wake-ups where the system has no futex (it looks at the word before it takes its
// lock).
struct Bell {
#if defined(_WIN32) && !defined(TERN_NO_THREADS)
  SRWLOCK lock = SRWLOCK_INIT;
  CONDITION_VARIABLE rung = CONDITION_VARIABLE_INIT;
  void wait(const std::atomic<uint32_t>& word, uint32_t seen) {
    AcquireSRWLockExclusive(&lock);
    while (word.load(std::memory_order_seq_cst) == seen) {
      SleepConditionVariableSRW(&rung, &lock, INFINITE, 0);
    }
    ReleaseSRWLockExclusive(&lock);
  }
  void ring(std::atomic<uint32_t>&) {
    AcquireSRWLockExclusive(&lock);  // whoever saw the old word is waiting by now
    ReleaseSRWLockExclusive(&lock);
    WakeAllConditionVariable(&rung);
  }
#else
  void wait(const std::atomic<uint32_t>& word, uint32_t seen) {
    word.wait(seen, std::memory_order_seq_cst);
  }
  void ring(std::atomic<uint32_t>& word) { word.notify_all(); }
#endif
};

inline void pause_cpu() {
#if defined(__x86_64__)
  __asm__ volatile("pause");
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}
}  // namespace detail

struct ThreadPool::Shared {
  AllocatorHooks hooks;
  uint32_t n_workers = 1;

  alignas(64) std::atomic<uint64_t> job{0};
  Task task = nullptr;  // written before `job` is published, read after a claim
  void* context = nullptr;
  alignas(64) std::atomic<uint32_t> n_done{0};
  alignas(64) std::atomic<uint32_t> wake{0};  // changes when parked threads should look again
  std::atomic<uint32_t> n_parked{0};
  detail::Bell done_bell;
  detail::Bell wake_bell;
  std::atomic<bool> busy{false};
  std::atomic<bool> stop{false};

#if defined(TERN_NO_THREADS)
  using Thread = int;
#elif defined(_WIN32)
  using Thread = HANDLE;
#else
  using Thread = pthread_t;
#endif
  uint32_t n_threads = 0;
  Thread* threads = nullptr;  // [n_workers - 1]

  /// Claims and runs tasks of the current job until none is left; true if it ran any.
  bool work() {
    bool ran = false;
    uint64_t word = job.load(std::memory_order_acquire);
    while (job_next(word) < job_size(word)) {
      if (!job.compare_exchange_weak(word, word + 1, std::memory_order_acq_rel)) continue;
      task(context, job_next(word));
      ran = true;
      const auto n = static_cast<uint32_t>(job_size(word));
      // The last task may free `task`'s job; nothing of it is touched after this.
      if (n_done.fetch_add(1, std::memory_order_acq_rel) + 1 == n) done_bell.ring(n_done);
      word = job.load(std::memory_order_acquire);
    }
    return ran;
  }

  void thread_loop() {
    const FpEnvironmentGuard fp_environment;
    int idle = 0;
    while (!stop.load(std::memory_order_acquire)) {
      if (work()) {
        idle = 0;
      } else if (++idle < kSpins) {
        detail::pause_cpu();
      } else {
        park();
        idle = 0;
      }
    }
  }

  void park() {
    const uint32_t seen = wake.load(std::memory_order_seq_cst);
    n_parked.fetch_add(1, std::memory_order_seq_cst);
    const uint64_t word = job.load(std::memory_order_seq_cst);
    if (job_next(word) >= job_size(word) && !stop.load(std::memory_order_seq_cst)) {
      wake_bell.wait(wake, seen);
    }
    n_parked.fetch_sub(1, std::memory_order_seq_cst);
  }

  void wake_parked() {
    if (n_parked.load(std::memory_order_seq_cst) == 0) return;
    wake.fetch_add(1, std::memory_order_seq_cst);
    wake_bell.ring(wake);
  }

  void run_job(size_t n, Task job_task, void* job_context) {
    task = job_task;
    context = job_context;
    n_done.store(0, std::memory_order_relaxed);
    const auto epoch = static_cast<uint32_t>(job.load(std::memory_order_relaxed) >> 32) + 1;
    job.store(pack_job(epoch, n), std::memory_order_seq_cst);
    wake_parked();
    work();
    int spins = 0;
    for (uint32_t done; (done = n_done.load(std::memory_order_acquire)) != n;) {
      if (++spins < kSpins) {
        detail::pause_cpu();
      } else {
        done_bell.wait(n_done, done);
      }
    }
  }
};

namespace {

#if defined(TERN_NO_THREADS)
bool start_thread(int*, ThreadPool::Shared*) { return false; }
void join_thread(int) {}
#elif defined(_WIN32)
DWORD WINAPI thread_main(void* shared) {
  static_cast<ThreadPool::Shared*>(shared)->thread_loop();
  return 0;
}
bool start_thread(HANDLE* out, ThreadPool::Shared* shared) {
  *out = CreateThread(nullptr, 0, thread_main, shared, 0, nullptr);
  return *out != nullptr;
}
void join_thread(HANDLE thread) {
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
}
#else
void* thread_main(void* shared) {
  static_cast<ThreadPool::Shared*>(shared)->thread_loop();
  return nullptr;
}
// Signals are the host's: a new thread inherits the mask, so it is full while threads are made.
bool start_thread(pthread_t* out, ThreadPool::Shared* shared) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const bool started = pthread_create(out, nullptr, thread_main, shared) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}
void join_thread(pthread_t thread) { pthread_join(thread, nullptr); }
#endif

}  // namespace

Result<std::shared_ptr<ThreadPool>> ThreadPool::create(uint32_t n_threads,
                                                       const AllocatorHooks& hooks) {
  if (n_threads == 0 || n_threads > kMaxThreads) {
    return Error(Status::invalid_argument, "thread count is outside 1 to 1024");
  }
#if defined(TERN_NO_THREADS)
  n_threads = 1;
#endif
  return catch_out_of_memory([&]() -> Result<std::shared_ptr<ThreadPool>> {
    // The pool owns from here on: its destructor cleans up after any partial start.
    auto pool = std::allocate_shared<ThreadPool>(HostAllocator<ThreadPool>(hooks), Key());
    TERN_TRY(pool->start(n_threads, hooks));
    return pool;
  });
}

Result<void> ThreadPool::start(uint32_t n_threads, const AllocatorHooks& hooks) {
  void* block = hooks.allocate(hooks.user, sizeof(Shared), alignof(Shared));
  if (block == nullptr) return Error(Status::out_of_memory, "out of memory");
  shared_ = new (block) Shared();
  shared_->hooks = hooks;
  shared_->n_workers = n_threads;
  if (n_threads == 1) return {};
  const size_t bytes = sizeof(Shared::Thread) * (n_threads - 1);
  shared_->threads =
      static_cast<Shared::Thread*>(hooks.allocate(hooks.user, bytes, alignof(Shared::Thread)));
  if (shared_->threads == nullptr) return Error(Status::out_of_memory, "out of memory");
  for (; shared_->n_threads + 1 < n_threads; ++shared_->n_threads) {
    if (!start_thread(&shared_->threads[shared_->n_threads], shared_)) {
      return Error(Status::io_error, "cannot start a thread");
    }
  }
  return {};
}

ThreadPool::~ThreadPool() {
  if (shared_ == nullptr) return;
  shared_->stop.store(true, std::memory_order_seq_cst);
  shared_->wake.fetch_add(1, std::memory_order_seq_cst);
  shared_->wake_bell.ring(shared_->wake);
  for (uint32_t i = 0; i < shared_->n_threads; ++i) join_thread(shared_->threads[i]);
  const AllocatorHooks hooks = shared_->hooks;
  if (shared_->threads != nullptr) {
    hooks.release(hooks.user, shared_->threads, sizeof(Shared::Thread) * (shared_->n_workers - 1),
                  alignof(Shared::Thread));
  }
  shared_->~Shared();
  hooks.release(hooks.user, shared_, sizeof(Shared), alignof(Shared));
}

uint32_t ThreadPool::n_workers() const { return shared_->n_workers; }

void ThreadPool::run(size_t n, Task task, void* context) {
  const bool alone =
      shared_->n_threads == 0 || n <= 1 || shared_->busy.exchange(true, std::memory_order_acquire);
  if (alone) {
    for (size_t i = 0; i < n; ++i) task(context, i);
    return;
  }
  for (size_t begin = 0; begin < n; begin += kMaxJobTasks) {
    struct Part {
      Task task;
      void* context;
      size_t begin;
    } part{task, context, begin};
    const size_t count = n - begin < kMaxJobTasks ? n - begin : kMaxJobTasks;
    shared_->run_job(
        count,
        [](void* p, size_t i) {
          auto* slice = static_cast<Part*>(p);
          slice->task(slice->context, slice->begin + i);
        },
        &part);
  }
  shared_->busy.store(false, std::memory_order_release);
}

void TaskRunner::run_erased(size_t n, ThreadPool::Task task, void* context) const {
  if (pool_ != nullptr) {
    pool_->run(n, task, context);
    return;
  }
  // The host's threads may have any float environment; each task sets tern's and puts it back.
  struct Guarded {
    ThreadPool::Task task;
    void* context;
  } guarded{task, context};
  host_.parallel_for(
      host_.user, n,
      [](void* p, size_t i) {
        const FpEnvironmentGuard fp_environment;
        auto* inner = static_cast<Guarded*>(p);
        inner->task(inner->context, i);
      },
      &guarded);
}

TERN_NAMESPACE_END
