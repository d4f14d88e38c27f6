// Allocator hooks that count, and refuse beyond a budget, for tests of what untrusted input may
// cost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include "tern/base/allocator.hpp"

namespace tern_test {

/// Counts the bytes that are live and the most that ever were; null beyond `budget`.
struct CountingAllocator {
  size_t budget = ~size_t{0};
  size_t live = 0;
  size_t peak = 0;
  size_t calls = 0;
  size_t refused = 0;

  tern::AllocatorHooks hooks() {
    tern::AllocatorHooks hooks;
    hooks.user = this;
    hooks.allocate = [](void* user, size_t bytes, size_t alignment) -> void* {
      auto& self = *static_cast<CountingAllocator*>(user);
      ++self.calls;
      if (bytes > self.budget - self.live) {
        ++self.refused;
        return nullptr;
      }
      self.live += bytes;
      if (self.live > self.peak) self.peak = self.live;
      return ::operator new (bytes, std::align_val_t{alignment});
    };
    hooks.release = [](void* user, void* block, size_t bytes, size_t alignment) {
      static_cast<CountingAllocator*>(user)->live -= bytes;
      ::operator delete (block, std::align_val_t{alignment});
    };
    return hooks;
  }
};

}  // namespace tern_test
