// Mapped and copied files on POSIX, Windows and WASI (copied only).
#include "tern/platform/mapped_file.hpp"

#include <utility>

#include "tern/platform/large_pages.hpp"

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#if !defined(NOMINMAX)
#define NOMINMAX
#endif
#include <io.h>
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#if !defined(__wasi__)
#include <sys/mman.h>
#define TERN_HAVE_MMAP 1
#endif
#endif

TERN_NAMESPACE_BEGIN

namespace {

constexpr Error kNotFound{Status::not_found, "no such file"};
constexpr Error kCannotOpen{Status::io_error, "cannot open"};
constexpr Error kNotRegular{Status::io_error, "not a regular file"};
constexpr Error kCannotRead{Status::io_error, "cannot read"};
[[maybe_unused]] constexpr Error kCannotMap{Status::io_error, "cannot map"};
constexpr Error kBadPath{Status::invalid_argument, "path is too long or holds a zero byte"};
constexpr Error kPastEnd{Status::io_error, "the file ends before that"};
constexpr Error kTooLarge{Status::out_of_memory, "file is too large for this machine"};

constexpr uint64_t kWholeFile = ~uint64_t{0};

/// Bytes to read of a file of `end` bytes: `size` from `offset` on, or all.
Result<size_t> part_size(uint64_t end, uint64_t offset, uint64_t size) {
  if (size == kWholeFile && offset == 0) size = end;
  if (offset > end || size > end - offset) return kPastEnd;
  if (size > SIZE_MAX) return kTooLarge;
  return static_cast<size_t>(size);
}

/// A path as the OS wants it: ended by a zero, free of others. Avoids an allocation.
struct PathText {
  static constexpr size_t kCapacity = 4096;
  char text[kCapacity];
  bool assign(std::string_view path) {
    if (path.size() >= kCapacity || path.find('\0') != path.npos) return false;
    path.copy(text, path.size());
    text[path.size()] = '\0';
    return true;
  }
};

}  // namespace

#if defined(_WIN32)

namespace {
struct Handle {
  HANDLE value = INVALID_HANDLE_VALUE;
  ~Handle() {
    if (value != INVALID_HANDLE_VALUE && value != nullptr) CloseHandle(value);
  }
};
// Views begin at multiples of this.
uintptr_t mapping_step() {
  SYSTEM_INFO info;
  GetSystemInfo(&info);
  return info.dwAllocationGranularity;
}
void unmap(std::span<const uint8_t> bytes) {
  const auto begin = reinterpret_cast<uintptr_t>(bytes.data());
  UnmapViewOfFile(bytes.data() - begin % mapping_step());
}
void drop_pages(std::span<const uint8_t>) {}  // the system trims what is read once by itself
}  // namespace

Result<FileBytes> FileBytes::open_part(File file, uint64_t offset, uint64_t size, FileAccess access,
                                       const AllocatorHooks& hooks) {
  if (GetFileType(file) != FILE_TYPE_DISK) return kNotRegular;
  LARGE_INTEGER end;
  if (GetFileSizeEx(file, &end) == 0) return kCannotRead;
  TERN_TRY_ASSIGN(const size_t n, part_size(static_cast<uint64_t>(end.QuadPart), offset, size));
  FileBytes out;
  if (n == 0) return out;
  if (access == FileAccess::mapped) {
    Handle mapping;
    mapping.value = CreateFileMappingW(file, nullptr, PAGE_READONLY, 0, 0, nullptr);
    if (mapping.value == nullptr) return kCannotMap;
    const size_t before = static_cast<size_t>(offset % mapping_step());
    if (n > SIZE_MAX - before) return kTooLarge;
    const uint64_t first = offset - before;
    const void* view = MapViewOfFile(mapping.value, FILE_MAP_READ, static_cast<DWORD>(first >> 32),
                                     static_cast<DWORD>(first), n + before);
    if (view == nullptr) return kCannotMap;
    out.bytes_ = {static_cast<const uint8_t*>(view) + before, n};
    out.is_mapped_ = true;
    return out;
  }
  TERN_TRY_ASSIGN(out.copy_, create_streamed_buffer(n, hooks));
  for (size_t done = 0; done < n;) {
    const auto want = static_cast<DWORD>(n - done < (1u << 30) ? n - done : 1u << 30);
    OVERLAPPED place = {};
    place.Offset = static_cast<DWORD>(offset + done);
    place.OffsetHigh = static_cast<DWORD>((offset + done) >> 32);
    DWORD got = 0;
    if (ReadFile(file, out.copy_.data() + done, want, &got, &place) == 0 || got == 0) {
      return kCannotRead;
    }
    done += got;
  }
  out.bytes_ = out.copy_.span();
  return out;
}

Result<FileBytes> FileBytes::open_descriptor(int descriptor, uint64_t offset, uint64_t size,
                                             FileAccess access, const AllocatorHooks& hooks) {
  // The C runtime ends the process over a descriptor that is none.
  if (descriptor < 0) return kCannotRead;
  const intptr_t file = _get_osfhandle(descriptor);
  if (file == -1) return kCannotRead;
  return open_part(reinterpret_cast<HANDLE>(file), offset, size, access, hooks);
}

Result<FileBytes> FileBytes::open(std::string_view path, FileAccess access,
                                  const AllocatorHooks& hooks) {
  if (path.empty()) return kNotFound;  // WASI calls it a lack of rights
  PathText text;
  if (!text.assign(path)) return kBadPath;
  wchar_t wide[PathText::kCapacity];
  if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text.text, -1, wide,
                          static_cast<int>(PathText::kCapacity)) == 0) {
    return Error(Status::invalid_argument, "path is not UTF-8");
  }
  Handle file;
  file.value = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ, nullptr, OPEN_EXISTING,
                           FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file.value == INVALID_HANDLE_VALUE) {
    const DWORD code = GetLastError();
    return code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND ? kNotFound : kCannotOpen;
  }
  return open_part(file.value, 0, kWholeFile, access, hooks);
}

#else

namespace {
struct Descriptor {
  int value = -1;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
};
#if defined(TERN_HAVE_MMAP)
// Mappings begin at multiples of this.
uintptr_t mapping_step() {
  const long page = ::sysconf(_SC_PAGESIZE);
  return page > 0 ? static_cast<uintptr_t>(page) : 4096;
}
void unmap(std::span<const uint8_t> bytes) {
  const size_t before = reinterpret_cast<uintptr_t>(bytes.data()) % mapping_step();
  ::munmap(const_cast<uint8_t*>(bytes.data() - before), bytes.size() + before);
}
// Of a shared mapping of a file that nobody writes to this loses nothing: the file has the bytes.
void drop_pages(std::span<const uint8_t> part) {
  const uintptr_t step = mapping_step();
  const auto begin = reinterpret_cast<uintptr_t>(part.data());
  const uintptr_t first = (begin + step - 1) / step * step;
  const uintptr_t end = (begin + part.size()) / step * step;
  if (first >= end) return;
  ::madvise(const_cast<uint8_t*>(part.data() + (first - begin)), end - first, MADV_DONTNEED);
}
#else
void unmap(std::span<const uint8_t>) {}
void drop_pages(std::span<const uint8_t>) {}
#endif
}  // namespace

Result<FileBytes> FileBytes::open(std::string_view path, FileAccess access,
                                  const AllocatorHooks& hooks) {
  if (path.empty()) return kNotFound;  // WASI calls it a lack of rights
  PathText text;
  if (!text.assign(path)) return kBadPath;
  Descriptor file;
  do {  // not waiting for the writer of a pipe, which is refused below; nothing to regular files
    file.value = ::open(text.text, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  } while (file.value < 0 && errno == EINTR);
  if (file.value < 0) return errno == ENOENT || errno == ENOTDIR ? kNotFound : kCannotOpen;
  return open_part(file.value, 0, kWholeFile, access, hooks);
}

Result<FileBytes> FileBytes::open_part(File file, uint64_t offset, uint64_t size, FileAccess access,
                                       const AllocatorHooks& hooks) {
  struct stat info;
  if (::fstat(file, &info) != 0) return kCannotRead;
  if (!S_ISREG(info.st_mode)) return kNotRegular;
  TERN_TRY_ASSIGN(const size_t n, part_size(static_cast<uint64_t>(info.st_size), offset, size));
  FileBytes out;
  if (n == 0) return out;
#if defined(TERN_HAVE_MMAP)
  if (access == FileAccess::mapped) {
    const size_t before = static_cast<size_t>(offset % mapping_step());
    if (n > SIZE_MAX - before) return kTooLarge;
    void* view = ::mmap(nullptr, n + before, PROT_READ, MAP_SHARED, file,
                        static_cast<off_t>(offset - before));
    if (view == MAP_FAILED) return kCannotMap;
    out.bytes_ = {static_cast<const uint8_t*>(view) + before, n};
    out.is_mapped_ = true;
    return out;
  }
#else
  static_cast<void>(access);
#endif
  TERN_TRY_ASSIGN(out.copy_, create_streamed_buffer(n, hooks));
  for (size_t done = 0; done < n;) {
    const ssize_t got =
        ::pread(file, out.copy_.data() + done, n - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return kCannotRead;
    done += static_cast<size_t>(got);
  }
  out.bytes_ = out.copy_.span();
  return out;
}

Result<FileBytes> FileBytes::open_descriptor(int descriptor, uint64_t offset, uint64_t size,
                                             FileAccess access, const AllocatorHooks& hooks) {
  return open_part(descriptor, offset, size, access, hooks);
}

#endif

Result<FileBytes> FileBytes::read(const ReaderHook& reader, uint64_t size,
                                  const ProgressHook& progress, const AllocatorHooks& hooks) {
  constexpr uint64_t kPiece = uint64_t{16} << 20;
  if (size > SIZE_MAX) return kTooLarge;
  FileBytes out;
  TERN_TRY_ASSIGN(out.copy_, create_streamed_buffer(size, hooks));
  for (uint64_t done = 0; done < size;) {
    const auto n = static_cast<size_t>(size - done < kPiece ? size - done : kPiece);
    if (!reader.read(reader.user, done, out.copy_.data() + done, n)) return kCannotRead;
    done += n;
    TERN_TRY(progress(done, size));
  }
  out.bytes_ = out.copy_.span();
  return out;
}

FileBytes::FileBytes(FileBytes&& other) noexcept
    : bytes_(std::exchange(other.bytes_, {})),
      copy_(std::move(other.copy_)),
      is_mapped_(std::exchange(other.is_mapped_, false)) {}

FileBytes& FileBytes::operator=(FileBytes&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  std::swap(copy_, other.copy_);
  std::swap(is_mapped_, other.is_mapped_);
  return *this;
}

void FileBytes::give_back(std::span<const uint8_t> part) const {
  if (is_mapped_) drop_pages(part);
}

FileBytes::~FileBytes() {
  if (is_mapped_) unmap(bytes_);
}

TERN_NAMESPACE_END
