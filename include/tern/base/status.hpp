// Status codes, errors and results: how every fallible call of tern answers.
//
// Room: base. An Error is trivially copyable and never allocates, so reporting works when memory
// is exhausted and in builds without exceptions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "tern/base/assert.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// What happened. The numbers are pinned, grouped by tens, identical in the C ABI, never reused.
enum class Status : int32_t {
  ok = 0,
  // 10s: the caller's arguments.
  invalid_argument = 10,
  token_out_of_range = 11,
  buffer_too_small = 12,
  // 20s: the bytes of a file.
  malformed = 20,    ///< a rule of the format is broken
  truncated = 21,    ///< the bytes end before the structure does
  missing = 22,      ///< a required key or tensor is absent
  mismatch = 23,     ///< a shape, type or value contradicts another part of the file
  not_ternary = 24,  ///< a linear layer's values are not {-g, 0, +g}
  // 30s: legal, but not supported.
  unsupported = 30,
  unsupported_version = 31,
  unsupported_architecture = 32,
  unsupported_type = 33,
  unsupported_tokenizer = 34,
  isa_unavailable = 35,  ///< the instruction set is known, but not on this CPU or not in this build
  isa_unknown = 36,      ///< no instruction set of that name
  // 40s: resources.
  out_of_memory = 40,
  io_error = 41,
  not_found = 42,
  // 50s: state.
  cancelled = 50,
  context_full = 51,
  busy = 52,
  non_finite = 53,  ///< an activation overflowed to infinity or NaN
  // 90: a defect of tern.
  internal = 90,
};

/// The name of a status as it is spelled in this header, for logs and messages. Never null.
constexpr const char* status_name(Status status) {
  switch (status) {
    case Status::ok: return "ok";
    case Status::invalid_argument: return "invalid_argument";
    case Status::token_out_of_range: return "token_out_of_range";
    case Status::buffer_too_small: return "buffer_too_small";
    case Status::malformed: return "malformed";
    case Status::truncated: return "truncated";
    case Status::missing: return "missing";
    case Status::mismatch: return "mismatch";
    case Status::not_ternary: return "not_ternary";
    case Status::unsupported: return "unsupported";
    case Status::unsupported_version: return "unsupported_version";
    case Status::unsupported_architecture: return "unsupported_architecture";
    case Status::unsupported_type: return "unsupported_type";
    case Status::unsupported_tokenizer: return "unsupported_tokenizer";
    case Status::isa_unavailable: return "isa_unavailable";
    case Status::isa_unknown: return "isa_unknown";
    case Status::out_of_memory: return "out_of_memory";
    case Status::io_error: return "io_error";
    case Status::not_found: return "not_found";
    case Status::cancelled: return "cancelled";
    case Status::context_full: return "context_full";
    case Status::busy: return "busy";
    case Status::non_finite: return "non_finite";
    case Status::internal: return "internal";
  }
  return "unknown status";
}

/// A failure: its status, a static sentence, and where and on what it happened.
struct Error {
  static constexpr uint64_t kNowhere = ~uint64_t{0};
  static constexpr size_t kSubjectBytes = 72;

  Status status = Status::internal;
  const char* what = "";             ///< static text, one line, no full stop
  uint64_t where = kNowhere;         ///< byte offset in the file; kNowhere if none
  bool where_is_index = false;       ///< `where` is the index of a token in the call's list instead
  char subject[kSubjectBytes] = {};  ///< the name concerned (key, tensor, option), cut to fit

  constexpr Error() = default;
  constexpr Error(Status s, const char* text, uint64_t at = kNowhere)
      : status(s), what(text), where(at) {}
  constexpr Error(Status s, const char* text, std::string_view about, uint64_t at = kNowhere)
      : status(s), what(text), where(at) {
    // Control bytes of an untrusted name would break the one-line rule of messages.
    const size_t n = about.size() < kSubjectBytes - 1 ? about.size() : kSubjectBytes - 1;
    for (size_t i = 0; i < n; ++i) {
      const auto byte = static_cast<unsigned char>(about[i]);
      subject[i] = byte < 0x20 || byte == 0x7F ? '?' : about[i];
    }
  }
  /// A failure at one token of a list that the caller gave.
  static constexpr Error at_index(Status s, const char* text, uint64_t index) {
    Error error(s, text, index);
    error.where_is_index = true;
    return error;
  }
  constexpr bool has_where() const { return where != kNowhere; }
  constexpr bool has_subject() const { return subject[0] != '\0'; }
};
static_assert(std::is_trivially_copyable_v<Error>);

/// Either a value or an Error. Test with `ok()` or `if (result)`, then use `*result` or `error()`.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT: conversion is the point
  Result(const Error& error) : error_(error) {}  // NOLINT
  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }
  T& operator*() & {
    TERN_ASSERT(ok());
    return *value_;
  }
  const T& operator*() const& {
    TERN_ASSERT(ok());
    return *value_;
  }
  T&& operator*() && {
    TERN_ASSERT(ok());
    return std::move(*value_);
  }
  T* operator->() {
    TERN_ASSERT(ok());
    return &*value_;
  }
  const T* operator->() const {
    TERN_ASSERT(ok());
    return &*value_;
  }
  /// Requires: !ok().
  const Error& error() const {
    TERN_ASSERT(!ok());
    return error_;
  }
  Status status() const { return ok() ? Status::ok : error_.status; }

 private:
  std::optional<T> value_;
  Error error_{Status::ok, ""};
};

/// Success or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(const Error& error) : error_(error) {}  // NOLINT: conversion is the point
  bool ok() const { return error_.status == Status::ok; }
  explicit operator bool() const { return ok(); }
  /// Requires: !ok().
  const Error& error() const {
    TERN_ASSERT(!ok());
    return error_;
  }
  Status status() const { return error_.status; }

 private:
  Error error_{Status::ok, ""};
};

#define TERN_CONCAT_INNER(a, b) a##b
#define TERN_CONCAT(a, b) TERN_CONCAT_INNER(a, b)

/// Evaluates a Result; on failure returns its Error from the enclosing function.
#define TERN_TRY(expression)                                   \
  do {                                                         \
    auto&& tern_try_result = (expression);                     \
    if (!tern_try_result.ok()) return tern_try_result.error(); \
  } while (false)

/// `TERN_TRY_ASSIGN(auto x, f());`: declares or assigns the value of a Result, or returns its
/// Error.
#define TERN_TRY_ASSIGN(target, expression) \
  TERN_TRY_ASSIGN_INNER(TERN_CONCAT(tern_try_, __LINE__), target, expression)
#define TERN_TRY_ASSIGN_INNER(temporary, target, expression) \
  auto temporary = (expression);                             \
  if (!temporary.ok()) return temporary.error();             \
  target = *std::move(temporary)

TERN_NAMESPACE_END
