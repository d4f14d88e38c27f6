// What the program says to its caller: exit statuses, and the one line of an error.
//
// Program tern. Scripts rely on both.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "tern/base/error_text.hpp"

namespace cli {

enum ExitStatus : int {
  kDone = 0,
  kFailed = 1,
  kWrongUsage = 2,
  kInterrupted = 130,
};

/// Text as it may stand in a line: control bytes of file names and arguments become '?'.
inline std::string one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) c = '?';
  }
  return line;
}

/// `[ABOUT: ]` and what tern::format_error says.
inline std::string format_error(const tern::Error& error, std::string_view about) {
  char text[tern::kErrorTextBytes];
  const size_t size = tern::format_error(error, text, sizeof(text));
  std::string line = about.empty() ? std::string() : one_line(about) + ": ";
  return line.append(text, size);
}

/// One line on standard error.
inline void say(std::string_view line) {
  const std::string text = fmt::format("tern: {}\n", line);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

/// Says a failure and gives the exit status for it. `about` is the file or option concerned, if
/// any.
inline int fail(const tern::Error& error, std::string_view about) {
  if (error.status == tern::Status::cancelled) return kInterrupted;
  say(format_error(error, about));
  return kFailed;
}

/// Says what is wrong with the command line, as `OPTION: WHY`.
inline int fail_usage(std::string_view option, std::string_view why) {
  say(fmt::format("{}: {}", one_line(option), why));
  return kWrongUsage;
}

}  // namespace cli
