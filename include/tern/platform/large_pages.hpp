// Memory in large pages: one entry of the processor's page cache for 2 MiB instead of 4 KiB.
//
// Room: platform. Streaming weights through small pages costs 6 to 15 % of the bandwidth. The OS
// is advised, never required: where it has no large pages, or none are left, memory is ordinary.
#pragma once

#include <cstdint>

#include <cstring>

#include "tern/base/tensor.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

inline constexpr size_t kLargePageBytes = size_t{2} << 20;

/// Asks for large pages behind memory that is not yet written to. Silent where that fails.
/// Requires: `memory` aligned to kLargePageBytes.
void advise_large_pages(void* memory, size_t bytes);

/// A buffer for bytes that are streamed: aligned to kLargePageBytes and advised when it is at least
/// that large, an ordinary one otherwise. Not zeroed. Errors: out_of_memory.
inline Result<Buffer<uint8_t>> create_streamed_buffer(uint64_t bytes, const AllocatorHooks& hooks) {
  if (bytes < kLargePageBytes) return Buffer<uint8_t>::create_uninitialized(bytes, hooks);
  TERN_TRY_ASSIGN(auto buffer,
                  Buffer<uint8_t>::create_uninitialized(bytes, hooks, kLargePageBytes));
  advise_large_pages(buffer.data(), buffer.size());
  return buffer;
}

/// A zeroed tensor in large pages where it is large enough, as create_streamed_buffer.
/// Errors: out_of_memory.
template <typename T, size_t Rank>
Result<Tensor<T, Rank>> create_streamed_tensor(const std::array<size_t, Rank>& shape,
                                               const AllocatorHooks& hooks,
                                               size_t row_multiple = 1) {
  size_t bytes = sizeof(T);  // a product that overflows is refused by the tensor
  for (const size_t extent : shape) bytes *= extent;
  if (bytes < kLargePageBytes) return Tensor<T, Rank>::create(shape, hooks, row_multiple);
  TERN_TRY_ASSIGN(auto tensor, (Tensor<T, Rank>::create_uninitialized(shape, hooks, row_multiple,
                                                                      kLargePageBytes)));
  advise_large_pages(tensor.data(), tensor.size_bytes());
  std::memset(static_cast<void*>(tensor.data()), 0, tensor.size_bytes());
  return tensor;
}

TERN_NAMESPACE_END
