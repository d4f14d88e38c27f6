// Counts every allocation of the process, by replacing operator new. Include in one file of a binary.
#pragma once

#include <atomic>
#include <cstdlib>
#include <new>

namespace tern_test {
inline std::atomic<long> n_allocations{0};
}

// NOLINTBEGIN: the replaceable functions of the standard.
void* operator new(std::size_t n) {
  ++tern_test::n_allocations;
  if (void* block = std::malloc(n == 0 ? 1 : n)) return block;
  throw std::bad_alloc();
}
void* operator new(std::size_t n, std::align_val_t alignment) {
  ++tern_test::n_allocations;
  const std::size_t a = static_cast<std::size_t>(alignment);
  if (void* block = std::aligned_alloc(a, (n + a - 1) / a * a)) return block;
  throw std::bad_alloc();
}
void* operator new(std::size_t n, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  ++tern_test::n_allocations;
  const std::size_t a = static_cast<std::size_t>(alignment);
  return std::aligned_alloc(a, (n + a - 1) / a * a);
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
// NOLINTEND
