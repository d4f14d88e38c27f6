// Buffers that end at a page that may not be touched: a read or write beyond the end is a fault.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#if (defined(__unix__) || defined(__APPLE__)) && !defined(__wasi__)
#include <sys/mman.h>
#include <unistd.h>
#define TERN_TEST_GUARD_PAGES 1
#endif

namespace tern_test {

/// n elements, zeroed, the last byte just before a guard page, so that the start has only the
/// alignment of T. Without guard pages (WASI) it is plain memory.
template <typename T>
class GuardedBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit GuardedBuffer(size_t n) : size_(n) {
    const size_t bytes = n * sizeof(T);
#if defined(TERN_TEST_GUARD_PAGES)
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t data_bytes = (bytes + page - 1) / page * page;
    mapped_bytes_ = data_bytes + page;
    base_ = static_cast<uint8_t*>(
        mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0));
    if (base_ == MAP_FAILED) throw std::bad_alloc();
    if (mprotect(base_ + data_bytes, page, PROT_NONE) != 0) throw std::bad_alloc();
    data_ = reinterpret_cast<T*>(base_ + data_bytes - bytes);
#else
    base_ = static_cast<uint8_t*>(::operator new (bytes + 1, std::align_val_t{64}));
    std::memset(base_, 0, bytes);
    data_ = reinterpret_cast<T*>(base_);
#endif
  }
  GuardedBuffer(const std::vector<T>& values) : GuardedBuffer(values.size()) {  // NOLINT
    if (!values.empty()) std::memcpy(data_, values.data(), values.size() * sizeof(T));
  }
  GuardedBuffer(GuardedBuffer&& other) noexcept
      : base_(std::exchange(other.base_, nullptr)),
        mapped_bytes_(other.mapped_bytes_),
        data_(other.data_),
        size_(other.size_) {}
  GuardedBuffer& operator=(GuardedBuffer&& other) noexcept {
    std::swap(base_, other.base_);
    std::swap(mapped_bytes_, other.mapped_bytes_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~GuardedBuffer() {
    if (base_ == nullptr) return;
#if defined(TERN_TEST_GUARD_PAGES)
    munmap(base_, mapped_bytes_);
#else
    ::operator delete (base_, std::align_val_t{64});
#endif
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  void fill(const T& value) {
    for (size_t i = 0; i < size_; ++i) data_[i] = value;
  }

 private:
  uint8_t* base_ = nullptr;
  size_t mapped_bytes_ = 0;
  T* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace tern_test
