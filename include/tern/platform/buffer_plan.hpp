// Buffers made, or only counted: one description of what an object allocates serves both.
//
// Room: platform.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include "tern/base/buffer.hpp"
#include "tern/base/checked_math.hpp"
#include "tern/base/tensor.hpp"
#include "tern/platform/large_pages.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// What is asked of it, it makes with the hooks; without hooks it makes nothing and adds up.
class BufferPlan {
 public:
  /// Counts alone.
  BufferPlan() = default;
  /// Makes, and counts.
  explicit BufferPlan(const AllocatorHooks& hooks) : hooks_(hooks), makes_(true) {}

  enum class Fill : uint8_t { zeros, nothing };

  /// Errors: out_of_memory, also when the size overflows.
  template <typename T>
  Result<void> add(Buffer<T>& out, uint64_t size, Fill fill = Fill::zeros) {
    TERN_TRY(count(size, sizeof(T)));
    if (!makes_) return {};
    if (fill == Fill::zeros) {
      TERN_TRY_ASSIGN(out, Buffer<T>::create(size, hooks_));
    } else {
      TERN_TRY_ASSIGN(out, Buffer<T>::create_uninitialized(size, hooks_));
    }
    return {};
  }

  /// A zeroed tensor, in large pages where it is large enough. Errors: the same.
  template <typename T, size_t Rank>
  Result<void> add(Tensor<T, Rank>& out,
                   const std::array<std::type_identity_t<size_t>, Rank>& shape,
                   size_t row_multiple = 1) {
    uint64_t size = 1;
    for (size_t d = 0; d < Rank; ++d) {
      const auto extent = checked_round_up(shape[d], d == Rank - 1 ? row_multiple : 1);
      const auto product = extent ? checked_mul(size, uint64_t{*extent}) : extent;
      if (!product) return Error(Status::out_of_memory, "out of memory");
      size = *product;
    }
    TERN_TRY(count(size, sizeof(T)));
    if (!makes_) return {};
    TERN_TRY_ASSIGN(out, (create_streamed_tensor<T, Rank>(shape, hooks_, row_multiple)));
    return {};
  }

  /// Of everything so far.
  uint64_t bytes() const { return bytes_; }

 private:
  Result<void> count(uint64_t size, size_t element) {
    const auto bytes = checked_mul(size, uint64_t{element});
    const auto sum = bytes ? checked_add(bytes_, *bytes) : bytes;
    if (!sum) return Error(Status::out_of_memory, "out of memory");
    bytes_ = *sum;
    return {};
  }

  AllocatorHooks hooks_ = default_allocator();
  bool makes_ = false;
  uint64_t bytes_ = 0;
};

TERN_NAMESPACE_END
