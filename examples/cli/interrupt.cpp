// The handler of SIGINT (interrupt.hpp). WASI has no signals: there nothing interrupts.
#include "interrupt.hpp"

#include <atomic>

#if !defined(__wasi__)
#include <csignal>
#endif

namespace cli {

#if defined(__wasi__)

InterruptGuard::InterruptGuard(tern::Session*) {}
InterruptGuard::~InterruptGuard() = default;
bool is_interrupted() { return false; }

#else

namespace {

volatile std::sig_atomic_t interrupted = 0;
// A handler may use lock-free atomics only; Session::cancel is a store to one.
std::atomic<tern::Session*> running{nullptr};
static_assert(std::atomic<tern::Session*>::is_always_lock_free);

extern "C" void tern_cli_on_interrupt(int) {
  interrupted = 1;
  if (tern::Session* session = running.load()) session->cancel();
}

// Without SA_RESTART: a read of standard input must end, too.
void handle_interrupts(void (*handler)(int)) {
#if defined(_WIN32)
  std::signal(SIGINT, handler);
#else
  struct sigaction action = {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
#endif
}

}  // namespace

InterruptGuard::InterruptGuard(tern::Session* session) {
  running.store(session);
  handle_interrupts(tern_cli_on_interrupt);
}

InterruptGuard::~InterruptGuard() {
  handle_interrupts(SIG_DFL);
  running.store(nullptr);
}

bool is_interrupted() { return interrupted != 0; }

#endif

}  // namespace cli
