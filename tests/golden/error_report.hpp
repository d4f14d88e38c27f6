// What loading a file says, as the lines of errors/expected.txt have it.
#pragma once

#include <cstdio>
#include <string>

#include "tern/base/error_text.hpp"
#include "tern/tern.hpp"

namespace tern_test {

/// "STATUS | TEXT", or "loads".
inline std::string load_report(const std::string& path, const tern::LoadOptions& options = {}) {
  const auto model = tern::Model::load_file(path, options);
  if (model.ok()) return "loads";
  char text[tern::kErrorTextBytes];
  tern::format_error(model.error(), text, sizeof(text));
  return std::string(tern::status_name(model.status())) + " | " + text;
}

inline void report(const std::string& folder, const std::string& name) {
  std::printf("%s | %s\n", name.c_str(), load_report(folder + "/" + name).c_str());
}

}  // namespace tern_test
