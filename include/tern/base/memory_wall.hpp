// The wall behind which std::bad_alloc becomes a Status.
//
// Room: base. Containers throw when the host's allocator gives nothing; factories of the C++ API
// and every entry of the C ABI run their bodies through here, so nothing leaves tern but results.
#pragma once

#include <new>

#include "tern/base/status.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// f(), or out_of_memory where a container could not grow. `f` returns a Result.
template <typename F>
auto catch_out_of_memory(F&& f) -> decltype(f()) {
#if defined(__cpp_exceptions)
  try {
    return f();
  } catch (const std::bad_alloc&) {
    return Error(Status::out_of_memory, "out of memory");
  }
#else
  return f();
#endif
}

TERN_NAMESPACE_END
