// A folder for one test, gone afterwards. Not on WASI, whose library has no file system.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace tern_test {

class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& name) : path_("tern_test_" + name) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directory(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string path_of(const std::string& name) const { return path_ + "/" + name; }

  void write(const std::string& name, const std::vector<uint8_t>& bytes) const {
    std::ofstream out(path_of(name), std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
    REQUIRE(out.good());
  }
  void write(const std::string& name, const std::string& text) const {
    write(name, std::vector<uint8_t>(text.begin(), text.end()));
  }
  void remove(const std::string& name) const { std::filesystem::remove(path_of(name)); }

 private:
  std::string path_;
};

}  // namespace tern_test
