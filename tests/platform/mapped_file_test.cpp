// Files as bytes: mapped and copied alike, everything else refused with a status.
#include "tern/platform/mapped_file.hpp"

#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#if defined(__unix__) && !defined(__wasi__)
#include <sys/stat.h>
#endif

#include "support/counting_allocator.hpp"

using tern::FileAccess;
using tern::FileBytes;
using tern::Status;

namespace {

/// A file in the temporary folder that is gone afterwards.
class TemporaryFile {
 public:
  TemporaryFile(const std::string& name, const std::vector<uint8_t>& bytes)
      : path_("tern_test_" + name) {
    std::ofstream out(path_, std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
    REQUIRE(out.good());
  }
  ~TemporaryFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

constexpr FileAccess kBothWays[] = {FileAccess::mapped, FileAccess::copied};

Status status_of(std::string_view path, FileAccess access) {
  return FileBytes::open(path, access, tern::default_allocator()).status();
}

}  // namespace

TEST_CASE("Mapped and copied files have the bytes of the file") {
  for (const size_t size : {1, 4095, 4096, 4097, 100000}) {
    std::vector<uint8_t> bytes(size);
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(i * 7 + i / 256);
    const TemporaryFile file("bytes", bytes);
    for (const FileAccess access : kBothWays) {
      const auto opened = FileBytes::open(file.path(), access, tern::default_allocator());
      REQUIRE(opened.ok());
      CHECK(std::vector<uint8_t>(opened->bytes().begin(), opened->bytes().end()) == bytes);
    }
  }
}

TEST_CASE("An empty file is no bytes") {
  const TemporaryFile file("empty", {});
  for (const FileAccess access : kBothWays) {
    const auto opened = FileBytes::open(file.path(), access, tern::default_allocator());
    REQUIRE(opened.ok());
    CHECK(opened->bytes().empty());
  }
}

TEST_CASE("A path that leads to no file is not found") {
  const TemporaryFile file("parent", {1});
  for (const FileAccess access : kBothWays) {
    CHECK(status_of(file.path() + ".absent", access) == Status::not_found);
    CHECK(status_of(file.path() + "/below_a_file", access) == Status::not_found);
    CHECK(status_of("", access) == Status::not_found);
  }
}

TEST_CASE("What is not a regular file is refused without waiting") {
  const std::string folder = ".";
  for (const FileAccess access : kBothWays) CHECK(status_of(folder, access) == Status::io_error);
#if defined(__unix__) && !defined(__wasi__)
  for (const FileAccess access : kBothWays)
    CHECK(status_of("/dev/null", access) == Status::io_error);
  const std::string pipe = "tern_test_pipe";
  std::remove(pipe.c_str());
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  for (const FileAccess access : kBothWays) CHECK(status_of(pipe, access) == Status::io_error);
  std::remove(pipe.c_str());
#endif
}

TEST_CASE("Paths too long or with a zero inside are invalid") {
  CHECK(status_of(std::string(5000, 'a'), FileAccess::copied) == Status::invalid_argument);
  CHECK(status_of(std::string_view("a\0b", 3), FileAccess::copied) == Status::invalid_argument);
}

TEST_CASE("A copy comes from the host's allocator, a mapping does not") {
  const TemporaryFile file("hooks", std::vector<uint8_t>(10000, 3));
  tern_test::CountingAllocator host;
  {
    const auto copied = FileBytes::open(file.path(), FileAccess::copied, host.hooks());
    REQUIRE(copied.ok());
    CHECK(host.live == 10000);
  }
  CHECK(host.live == 0);
  host.budget = 9999;
  CHECK(FileBytes::open(file.path(), FileAccess::copied, host.hooks()).status() ==
        Status::out_of_memory);
#if defined(__unix__) && !defined(__wasi__)
  CHECK(FileBytes::open(file.path(), FileAccess::mapped, host.hooks()).ok());
#endif
}

TEST_CASE("File bytes move, and the file may go away while they live") {
  for (const FileAccess access : kBothWays) {
    FileBytes kept;
    {
      const TemporaryFile file("moved", {1, 2, 3});
      FileBytes opened = *FileBytes::open(file.path(), access, tern::default_allocator());
      FileBytes constructed = std::move(opened);
      CHECK(opened.bytes().empty());
      kept = std::move(constructed);
    }
    REQUIRE(kept.bytes().size() == 3);
    CHECK(kept.bytes()[2] == 3);
  }
}
