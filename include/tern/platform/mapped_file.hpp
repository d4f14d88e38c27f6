// A whole file as read-only bytes: mapped, or copied into memory of the host's allocator.
//
// Room: platform.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "tern/base/buffer.hpp"
#include "tern/base/host_hooks.hpp"
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
  /// Bytes [offset, offset + size) of an open regular file, by its descriptor (of the C runtime on
  /// Windows), which stays the caller's and may be closed afterwards.
  /// Errors: io_error (also where the file ends before), out_of_memory, invalid_argument.
  static Result<FileBytes> open_descriptor(int descriptor, uint64_t offset, uint64_t size,
                                           FileAccess access, const AllocatorHooks& hooks);
  /// What `reader` gives, in pieces of at most 16 MiB.
  /// Errors: io_error (the reader failed), cancelled, out_of_memory.
  static Result<FileBytes> read(const ReaderHook& reader, uint64_t size,
                                const ProgressHook& progress, const AllocatorHooks& hooks);
  FileBytes() = default;
  FileBytes(FileBytes&& other) noexcept;
  FileBytes& operator=(FileBytes&& other) noexcept;
  ~FileBytes();

  std::span<const uint8_t> bytes() const { return bytes_; }
  /// Takes pages that lie within `part` out of this process, if they are mapped; whoever reads them
  /// again gets the same bytes. Requires: `part` within bytes(). Silent where it cannot be done.
  void give_back(std::span<const uint8_t> part) const;

 private:
#if defined(_WIN32)
  using File = void*;
#else
  using File = int;
#endif
  static Result<FileBytes> open_part(File file, uint64_t offset, uint64_t size, FileAccess access,
                                     const AllocatorHooks& hooks);

  std::span<const uint8_t> bytes_;
  Buffer<uint8_t> copy_;    // backs bytes_ when copied
  bool is_mapped_ = false;  // bytes_ is in a mapping to release
};

TERN_NAMESPACE_END
