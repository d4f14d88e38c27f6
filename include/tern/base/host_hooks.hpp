// What a host hears of long work: its progress, and what is worth a line in a log.
//
// Room: base. tern itself is silent; without a hook nothing is formatted.
#pragma once

#include <cstdint>
#include <string_view>

#include "tern/base/status.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// Called from the thread that does the work, a few hundred times at most.
struct ProgressHook {
  void* user = nullptr;
  /// `done` of `total` bytes; false cancels.
  bool (*report)(void* user, uint64_t done, uint64_t total) = nullptr;

  /// Errors: cancelled.
  Result<void> operator()(uint64_t done, uint64_t total) const {
    if (report == nullptr || report(user, done, total)) return {};
    return Error(Status::cancelled, "cancelled");
  }
};

enum class LogLevel : int32_t { info = 1, warning = 2 };

struct LogHook {
  void* user = nullptr;
  /// One line without its end; lives for the call.
  void (*write)(void* user, LogLevel level, std::string_view line) = nullptr;

  void operator()(LogLevel level, std::string_view line) const {
    if (write != nullptr) write(user, level, line);
  }
};

/// Bytes that only the host can get at.
struct ReaderHook {
  void* user = nullptr;
  /// Fills `to` with the bytes from `offset` on; false when that fails.
  bool (*read)(void* user, uint64_t offset, void* to, size_t size) = nullptr;
};

TERN_NAMESPACE_END
