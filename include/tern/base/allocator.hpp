// The host's allocator, and the standard containers over it.
//
// Room: base. Everything that tern allocates goes through AllocatorHooks, which the host may
// supply; containers are the standard ones with HostAllocator, so no memory bypasses the hooks.
#pragma once

#include <cstddef>
#include <limits>
#include <new>
#include <string>
#include <vector>

#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {
inline void* allocate_aligned(void*, size_t bytes, size_t alignment) {
  return ::operator new (bytes, std::align_val_t{alignment}, std::nothrow);
}
inline void release_aligned(void*, void* block, size_t, size_t alignment) {
  ::operator delete (block, std::align_val_t{alignment});
}
}  // namespace detail

/// Where memory comes from; by default aligned operator new. Copied into every object created with
/// it. Threads: both functions may be called from any thread that uses the objects.
struct AllocatorHooks {
  void* user = nullptr;
  /// Returns `bytes` (> 0) aligned to `alignment` (a power of two), or null when exhausted.
  void* (*allocate)(void* user, size_t bytes, size_t alignment) = detail::allocate_aligned;
  /// Takes back a block with the same size and alignment; `block` is never null.
  void (*release)(void* user, void* block, size_t bytes,
                  size_t alignment) = detail::release_aligned;

  friend bool operator==(const AllocatorHooks&, const AllocatorHooks&) = default;
};

/// The hooks used when the host supplies none.
inline AllocatorHooks default_allocator() { return {}; }

namespace detail {
/// A build without exceptions treats the exhaustion of a small allocation as fatal, by design.
[[noreturn]] inline void throw_out_of_memory() {
#if defined(__cpp_exceptions)
  throw std::bad_alloc();
#else
  __builtin_trap();
#endif
}
}  // namespace detail

/// A standard allocator over AllocatorHooks. Stateful: two compare equal when their hooks do.
template <typename T>
class HostAllocator {
 public:
  using value_type = T;
  using propagate_on_container_copy_assignment = std::true_type;
  using propagate_on_container_move_assignment = std::true_type;
  using propagate_on_container_swap = std::true_type;
  using is_always_equal = std::false_type;

  HostAllocator() : hooks_(default_allocator()) {}
  HostAllocator(const AllocatorHooks& hooks) : hooks_(hooks) {}  // NOLINT: conversion is the point
  template <typename U>
  HostAllocator(const HostAllocator<U>& other) : hooks_(other.hooks()) {}  // NOLINT

  T* allocate(size_t n) {
    if (n > std::numeric_limits<size_t>::max() / sizeof(T)) detail::throw_out_of_memory();
    void* block = hooks_.allocate(hooks_.user, n * sizeof(T), alignof(T));
    if (block == nullptr) detail::throw_out_of_memory();
    return static_cast<T*>(block);
  }
  void deallocate(T* block, size_t n) noexcept {
    hooks_.release(hooks_.user, block, n * sizeof(T), alignof(T));
  }
  const AllocatorHooks& hooks() const { return hooks_; }
  template <typename U>
  friend bool operator==(const HostAllocator& a, const HostAllocator<U>& b) {
    return a.hooks() == b.hooks();
  }

 private:
  AllocatorHooks hooks_;
};

template <typename T>
using Vector = std::vector<T, HostAllocator<T>>;
using String = std::basic_string<char, std::char_traits<char>, HostAllocator<char>>;

TERN_NAMESPACE_END
