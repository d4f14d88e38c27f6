// Access to the fixtures beside the checkout: skipped with a message where absent, required in CI.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace tern_test {

/// The path of a fixture below the shared folder.
inline std::string shared_path(const std::string& relative) {
  return std::string(TERN_SHARED_DIR) + "/" + relative;
}

/// Whether the shared folder is there; warns (or fails, in CI) when it is not.
inline bool have_shared() {
  if (std::ifstream(shared_path("models/README.md")).good()) return true;
#if defined(TERN_REQUIRE_SHARED)
  FAIL("the fixtures are required here and absent: " TERN_SHARED_DIR);
#else
  WARN("skipped: no fixtures at " TERN_SHARED_DIR);
#endif
  return false;
}

/// All bytes of a file; fails the test when it cannot be read.
inline std::vector<uint8_t> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  INFO(path);
  REQUIRE(in.good());
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace tern_test
