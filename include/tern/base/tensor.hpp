// Tensors: a view with shape and strides, and an owner of aligned memory.
//
// Room: base.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>

#include "tern/base/buffer.hpp"
#include "tern/base/checked_math.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// A non-owning view of `Rank` dimensions; strides in elements. Indices are checked in debug.
template <typename T, size_t Rank>
class TensorView {
 public:
  using Shape = std::array<size_t, Rank>;

  TensorView() = default;
  /// Row-major and dense: the last dimension is contiguous.
  TensorView(T* data, const Shape& shape) : data_(data), shape_(shape) {
    size_t stride = 1;
    for (size_t d = Rank; d-- > 0;) {
      stride_[d] = stride;
      stride *= shape[d];
    }
  }
  TensorView(T* data, const Shape& shape, const Shape& stride)
      : data_(data), shape_(shape), stride_(stride) {}

  T* data() const { return data_; }
  size_t extent(size_t dimension) const { return shape_[dimension]; }
  size_t stride(size_t dimension) const { return stride_[dimension]; }
  const Shape& shape() const { return shape_; }

  /// The element at one index per dimension.
  template <typename... Index>
  requires(sizeof...(Index) == Rank) T& operator()(Index... index) const {
    const Shape at{static_cast<size_t>(index)...};
    size_t offset = 0;
    for (size_t d = 0; d < Rank; ++d) {
      TERN_ASSERT(at[d] < shape_[d]);
      offset += at[d] * stride_[d];
    }
    return data_[offset];
  }

 private:
  T* data_ = nullptr;
  Shape shape_{};
  Shape stride_{};
};

/// Owns zeroed, 64-byte aligned memory whose rows start at multiples of `row_multiple` elements.
template <typename T, size_t Rank>
class Tensor {
 public:
  using Shape = std::array<size_t, Rank>;

  Tensor() = default;

  /// Errors: out_of_memory, also when the shape overflows.
  static Result<Tensor> create(const Shape& shape, const AllocatorHooks& hooks,
                               size_t row_multiple = 1) {
    TERN_TRY_ASSIGN(Tensor tensor, create_uninitialized(shape, hooks, row_multiple));
    if (tensor.size_bytes() != 0) {
      std::memset(static_cast<void*>(tensor.data()), 0, tensor.size_bytes());
    }
    return tensor;
  }
  /// The same, not zeroed. Requires: `alignment` a power of two, at least kBufferAlignment.
  static Result<Tensor> create_uninitialized(const Shape& shape, const AllocatorHooks& hooks,
                                             size_t row_multiple = 1,
                                             size_t alignment = kBufferAlignment) {
    Shape stride;
    size_t size = 1;
    for (size_t d = Rank; d-- > 0;) {
      stride[d] = size;
      const auto extent = checked_round_up(shape[d], d == Rank - 1 ? row_multiple : 1);
      if (!extent || __builtin_mul_overflow(size, *extent, &size)) {
        return Error(Status::out_of_memory, "out of memory");
      }
    }
    Tensor tensor;
    TERN_TRY_ASSIGN(tensor.buffer_, Buffer<T>::create_uninitialized(size, hooks, alignment));
    tensor.shape_ = shape;
    tensor.stride_ = stride;
    return tensor;
  }

  TensorView<T, Rank> view() { return {buffer_.data(), shape_, stride_}; }
  TensorView<const T, Rank> view() const { return {buffer_.data(), shape_, stride_}; }
  T* data() { return buffer_.data(); }
  const T* data() const { return buffer_.data(); }
  size_t size_bytes() const { return buffer_.size_bytes(); }
  T* row(size_t i) requires(Rank == 2) {
    TERN_ASSERT(i < shape_[0]);
    return buffer_.data() + i * stride_[0];
  }
  const T* row(size_t i) const requires(Rank == 2) {
    TERN_ASSERT(i < shape_[0]);
    return buffer_.data() + i * stride_[0];
  }
  size_t extent(size_t d) const { return shape_[d]; }
  size_t stride(size_t d) const { return stride_[d]; }

 private:
  Buffer<T> buffer_;
  Shape shape_{};
  Shape stride_{};
};

TERN_NAMESPACE_END
