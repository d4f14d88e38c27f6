// The replaceable allocation functions of the standard, counting.
#include "support/allocation_counter.hpp"

#include <cstddef>
#include <cstdlib>
#include <new>

#include "support/aligned_memory.hpp"

namespace tern_test {
std::atomic<long> n_allocations{0};
}

#if TERN_COUNTS_ALLOCATIONS
namespace {
void* counted(std::size_t n, std::size_t alignment) {
  ++tern_test::n_allocations;
  return tern_test::allocate_block(n, alignment);
}
void* counted_or_dead(std::size_t n, std::size_t alignment) {
  void* block = counted(n, alignment);
  if (block == nullptr) std::abort();  // no test here exhausts memory by operator new
  return block;
}
}  // namespace

void* operator new(std::size_t n) { return counted_or_dead(n, alignof(std::max_align_t)); }
void* operator new(std::size_t n, std::align_val_t alignment) {
  return counted_or_dead(n, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t n, const std::nothrow_t&) noexcept {
  return counted(n, alignof(std::max_align_t));
}
void* operator new(std::size_t n, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return counted(n, static_cast<std::size_t>(alignment));
}
void operator delete(void* p) noexcept { tern_test::free_block(p); }
void operator delete(void* p, std::size_t) noexcept { tern_test::free_block(p); }
void operator delete(void* p, std::align_val_t) noexcept { tern_test::free_block(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { tern_test::free_block(p); }
#endif
