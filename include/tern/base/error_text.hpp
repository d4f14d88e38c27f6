// An Error in one line, the same in the library, in C and in the program.
//
// Room: base.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tern/base/status.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// Room for the longest line: subject, the longest `what`, a place, and the final zero.
inline constexpr size_t kErrorTextBytes = 256;

/// Writes `[SUBJECT: ]WHAT[ at byte N| at index N]` and a final zero; a line that does not fit is
/// cut. Shapes: out [capacity], capacity > 0. Returns the length. Cost: no allocation.
inline size_t format_error(const Error& error, char* out, size_t capacity) {
  size_t size = 0;
  const auto append = [&](std::string_view part) {
    size += part.copy(out + size, capacity - 1 - size);
  };
  if (error.has_subject()) {
    append(error.subject);
    append(": ");
  }
  append(error.what);
  if (error.has_where()) {
    append(error.where_is_index ? " at index " : " at byte ");
    char digits[20];
    size_t first = sizeof(digits);
    uint64_t rest = error.where;
    do {
      digits[--first] = static_cast<char>('0' + rest % 10);
      rest /= 10;
    } while (rest != 0);
    append({digits + first, sizeof(digits) - first});
  }
  out[size] = '\0';
  return size;
}

TERN_NAMESPACE_END
