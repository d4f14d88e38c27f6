// The exception wall of the C ABI, and the last error of each thread.
//
// Room: capi. Every fallible entry is `return guard([&]() -> Result<void> {...})`: whatever is
// thrown inside, by a container, a host's hook or a callback, becomes a status here, and every
// failure leaves its description with the calling thread. Describing a failure allocates nothing.
#pragma once

#include <new>
#include <stdexcept>
#include <type_traits>

#include "tern.h"
#include "tern/base/error_text.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace capi {

/// A thread's last failure, and the same in one line.
class LastError {
 public:
  constexpr LastError() { error_.status = Status::ok; }
  const Error& error() const { return error_; }
  const char* message() const { return message_; }

  void set(const Error& error) {
    error_ = error;
    format_error(error, message_, sizeof(message_));
  }

 private:
  Error error_;
  char message_[kErrorTextBytes] = {};
};

/// The calling thread's. Constant at first and trivially destroyed, so that a thread needs no setup
/// for it and a thread's end no order.
inline LastError& last_error() {
  static_assert(std::is_trivially_destructible_v<LastError>);
  static constinit thread_local LastError instance;
  return instance;
}

/// body(), or what it threw as an Error.
template <typename F>
Result<void> behind_wall(F&& body) noexcept {
#if defined(__cpp_exceptions)
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return Error(Status::out_of_memory, "out of memory");
  } catch (const std::length_error&) {
    return Error(Status::out_of_memory, "out of memory");
  } catch (...) {
    return Error(Status::internal, "an unexpected exception");
  }
#else
  return body();
#endif
}

/// Runs the body of an entry, which returns a Result<void>; its status for the caller.
template <typename F>
tern_status guard(F&& body) noexcept {
  const Result<void> result = behind_wall(body);
  if (!result.ok()) last_error().set(result.error());
  return static_cast<tern_status>(result.status());
}

}  // namespace capi

TERN_NAMESPACE_END
