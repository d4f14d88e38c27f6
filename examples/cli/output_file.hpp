// A file of results that is there in full or not at all.
//
// Program tern. Bytes go to a file beside the one that is meant, which takes its name at the end.
// What is not a regular file (a pipe, a device) is written directly.
#pragma once

#include <sys/stat.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "tern/base/status.hpp"

namespace cli {

/// Movable; one that is destroyed before keep() leaves nothing behind.
class OutputFile {
 public:
  /// Errors: io_error.
  static tern::Result<OutputFile> create(std::string_view path) {
    OutputFile file;
    file.path_ = path;
    struct stat info = {};
    const bool exists = stat(file.path_.c_str(), &info) == 0;
    const bool is_regular = !exists || (info.st_mode & S_IFMT) == S_IFREG;
    file.written_path_ = is_regular ? file.path_ + ".partial" : file.path_;
    file.stream_ = std::fopen(file.written_path_.c_str(), "wb");
    if (file.stream_ == nullptr) return cannot_write();
    return file;
  }
  OutputFile(OutputFile&& other) noexcept
      : path_(std::move(other.path_)),
        written_path_(std::move(other.written_path_)),
        stream_(std::exchange(other.stream_, nullptr)) {}
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile() {
    if (stream_ == nullptr) return;
    std::fclose(stream_);
    remove_partial();
  }

  /// Errors: io_error.
  tern::Result<void> write(const void* bytes, size_t size) {
    if (std::fwrite(bytes, 1, size, stream_) != size) return cannot_write();
    return {};
  }

  /// Ends the file and gives it its name. Errors: io_error.
  tern::Result<void> keep() {
    const bool closed = std::fclose(std::exchange(stream_, nullptr)) == 0;
    if (closed &&
        (written_path_ == path_ || std::rename(written_path_.c_str(), path_.c_str()) == 0)) {
      return {};
    }
    remove_partial();
    return cannot_write();
  }

 private:
  OutputFile() = default;
  static tern::Error cannot_write() { return {tern::Status::io_error, "cannot write"}; }
  void remove_partial() const {
    if (written_path_ != path_) std::remove(written_path_.c_str());
  }

  std::string path_;
  std::string written_path_;
  std::FILE* stream_ = nullptr;
};

}  // namespace cli
