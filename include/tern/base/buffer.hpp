// Owned, aligned memory from the host's allocator, for weights, caches and activations.
//
// Room: base. Unlike the containers, a large buffer reports exhaustion as a Status.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>

#include "tern/base/allocator.hpp"
#include "tern/base/status.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// A cache line, and the widest vector register that a kernel loads.
inline constexpr size_t kBufferAlignment = 64;

/// n elements of T, 64-byte aligned or more. Movable, not copyable; moved-from is empty.
template <typename T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept
      : hooks_(other.hooks_),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        alignment_(other.alignment_) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(hooks_, other.hooks_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(alignment_, other.alignment_);
    return *this;
  }
  ~Buffer() {
    if (data_ != nullptr) hooks_.release(hooks_.user, data_, size_ * sizeof(T), alignment_);
  }

  /// Takes 64 bits on every machine: a product of dimensions that no 32-bit machine can hold is out
  /// of memory there, not wrapped. Errors: out_of_memory. Cost: one allocation, one pass of
  /// zeroing.
  static Result<Buffer> create(uint64_t wanted, const AllocatorHooks& hooks) {
    TERN_TRY_ASSIGN(Buffer buffer, create_uninitialized(wanted, hooks));
    if (buffer.size_ != 0) std::memset(static_cast<void*>(buffer.data_), 0, buffer.size_bytes());
    return buffer;
  }

  /// The same, not zeroed: for what is written before it is read, so that pages of a large cache
  /// are touched only when they are needed.
  /// Requires: `alignment` a power of two, at least kBufferAlignment.
  static Result<Buffer> create_uninitialized(uint64_t wanted, const AllocatorHooks& hooks,
                                             size_t alignment = kBufferAlignment) {
    Buffer buffer;
    buffer.hooks_ = hooks;
    buffer.alignment_ = alignment;
    if (wanted == 0) return buffer;
    if (wanted > std::numeric_limits<size_t>::max() / sizeof(T)) {
      return Error(Status::out_of_memory, "out of memory");
    }
    const auto size = static_cast<size_t>(wanted);
    void* block = hooks.allocate(hooks.user, size * sizeof(T), alignment);
    if (block == nullptr) return Error(Status::out_of_memory, "out of memory");
    buffer.data_ = static_cast<T*>(block);
    buffer.size_ = size;
    return buffer;
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }
  size_t size_bytes() const { return size_ * sizeof(T); }
  std::span<T> span() { return {data_, size_}; }
  std::span<const T> span() const { return {data_, size_}; }
  T& operator[](size_t i) {
    TERN_ASSERT(i < size_);
    return data_[i];
  }
  const T& operator[](size_t i) const {
    TERN_ASSERT(i < size_);
    return data_[i];
  }

 private:
  AllocatorHooks hooks_ = default_allocator();
  T* data_ = nullptr;
  size_t size_ = 0;
  size_t alignment_ = kBufferAlignment;
};

TERN_NAMESPACE_END
