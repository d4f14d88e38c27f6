// A whole file as read-only bytes: mapped, or copied into memory of the host's allocator.
//
// Room: platform.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "tern/base/buffer.hpp"
#include "tern/base/status.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// How the bytes of a file come into memory.
enum class FileAccess : uint8_t {
  mapped,  ///< pages of the file itself, shared between processes; the file must not shrink
  copied,  ///< read once, into large pages; the file may change afterwards
};

/// The bytes live as long as the object. Movable, not copyable.
class FileBytes {
 public:
  /// Opens a regular file.
  /// Errors: not_found, io_error, out_of_memory; a folder or a device is io_error.
  static Result<FileBytes> open(std::string_view path, FileAccess access,
                                const AllocatorHooks& hooks);
  FileBytes() = default;
  FileBytes(FileBytes&& other) noexcept;
  FileBytes& operator=(FileBytes&& other) noexcept;
  ~FileBytes();

  std::span<const uint8_t> bytes() const { return bytes_; }
  /// Takes pages that lie within `part` out of this process, if they are mapped; whoever reads them
  /// again gets the same bytes. Requires: `part` within bytes(). Silent where it cannot be done.
  void give_back(std::span<const uint8_t> part) const;

 private:
  std::span<const uint8_t> bytes_;
  Buffer<uint8_t> copy_;    // backs bytes_ when copied
  bool is_mapped_ = false;  // bytes_ is a mapping to release
};

TERN_NAMESPACE_END
