// Names of files beside each other, and errors that say which one they are about.
//
// Room: model.
#pragma once

#include <string_view>

#include "tern/base/allocator.hpp"
#include "tern/base/status.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// A path as the folder, its last separator included, and the name in it.
struct PathParts {
  std::string_view folder;
  std::string_view name;
};
constexpr PathParts split_path(std::string_view path) {
#if defined(_WIN32)
  constexpr std::string_view kSeparators = "/\\";
#else
  constexpr std::string_view kSeparators = "/";
#endif
  const size_t at = path.find_last_of(kSeparators);
  const size_t size = at == path.npos ? 0 : at + 1;
  return {path.substr(0, size), path.substr(size)};
}

/// Whether a name from a file is that of a file beside it, and nothing else.
constexpr bool is_plain_file_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find_first_of("/\\:") == name.npos &&
         name.find('\0') == name.npos;
}

/// The folder `folder`, which ends in a separator or is empty, and a name in it.
inline String path_in(std::string_view folder, std::string_view name, const AllocatorHooks& hooks) {
  String path(folder, hooks);
  return path.append(name);
}

/// An error with the name of a file in front of its subject; cut to fit.
inline Error in_file(const Error& error, std::string_view name) {
  char subject[Error::kSubjectBytes];
  size_t size = name.copy(subject, sizeof(subject));
  if (error.has_subject()) {
    const auto append = [&](std::string_view part) {
      size += part.copy(subject + size, sizeof(subject) - size);
    };
    append(": ");
    append(error.subject);
  }
  Error out(error.status, error.what, std::string_view(subject, size), error.where);
  out.where_is_index = error.where_is_index;
  return out;
}

TERN_NAMESPACE_END
