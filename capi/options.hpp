// What callers pass in, checked and converted: options of any age, hooks, texts, arrays, flags.
//
// Room: capi.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "tern.h"
#include "tern/base/allocator.hpp"
#include "tern/base/status.hpp"
#include "tern/platform/thread_pool.hpp"
#include "tern/quant/ternary_view.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace capi {

inline Error null_argument(std::string_view name) {
  return {Status::invalid_argument, "an argument is NULL", name};
}

/// Zeroes a result on entry. Errors: invalid_argument (there is no place for it).
template <typename T>
Result<void> clear_result(T* out, std::string_view name) {
  if (out == nullptr) return null_argument(name);
  *out = T{};
  return {};
}

/// The size of each options struct in the first release that had it, on machines of any pointer
/// size. These never change. When a struct grows, its assertion fails: it then says the new size,
/// and the constant stays, so that options of an older header go on being read.
inline constexpr size_t kLoadOptionsFirstSize = 8 + 4 * sizeof(void*);
inline constexpr size_t kSessionOptionsFirstSize = 16 + 2 * sizeof(void*);
inline constexpr size_t kSamplerOptionsFirstSize = 32 + 4 * sizeof(void*);
inline constexpr size_t kGenerateOptionsFirstSize = 16 + 1 * sizeof(void*);
inline constexpr size_t kLayerOptionsFirstSize = 8 + 4 * sizeof(void*);
inline constexpr size_t kStatisticsFirstSize = 72;
static_assert(sizeof(tern_layer_options) == 8 + 4 * sizeof(void*));
static_assert(sizeof(tern_load_options) == 24 + 8 * sizeof(void*));
static_assert(sizeof(tern_session_options) == 24 + 2 * sizeof(void*));
static_assert(sizeof(tern_sampler_options) == 32 + 4 * sizeof(void*));
static_assert(sizeof(tern_generate_options) == 16 + 6 * sizeof(void*));
static_assert(sizeof(tern_session_statistics) == 104);

/// No options struct comes near this size; one that claims to was not initialised.
inline constexpr uint32_t kMaxOptionsSize = 4096;

/// The options that a caller built with an older or newer header means; NULL means the defaults.
/// Fields that the caller does not know are zero, the default; fields that tern does not know must
/// be. `first_size` is one of the constants above. Errors: invalid_argument, naming the options.
template <typename T>
Result<T> read_options(const T* given, std::string_view name, size_t first_size) {
  T options{};
  if (given == nullptr) return options;
  // The caller's struct may be shorter than T: only its bytes are read.
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  uint32_t size = 0;
  std::memcpy(&size, bytes, sizeof(size));
  if (size < first_size || size > kMaxOptionsSize) {
    return Error(Status::invalid_argument, "struct_size is wrong: options were not initialised",
                 name);
  }
  for (size_t i = sizeof(T); i < size; ++i) {
    if (bytes[i] == 0) continue;
    return Error(Status::invalid_argument, "an option is set that this version does not know",
                 name);
  }
  std::memcpy(static_cast<void*>(&options), bytes, std::min<size_t>(size, sizeof(T)));
  return options;
}

inline Result<void> check_flags(uint32_t flags, uint32_t known) {
  if ((flags & ~known) == 0) return {};
  return Error(Status::invalid_argument, "a flag is set that this version does not know", "flags");
}

/// Errors: invalid_argument (NULL with a size).
template <typename T>
Result<std::span<const T>> read_array(const T* data, size_t size, std::string_view name) {
  if (data == nullptr && size != 0) return null_argument(name);
  return std::span<const T>(data, size);
}

inline Result<std::string_view> read_text(const char* data, size_t size, std::string_view name) {
  if (data == nullptr && size != 0) return null_argument(name);
  return std::string_view(data, size);
}

inline Result<AllocatorHooks> read_allocator(const tern_allocator* given,
                                             const AllocatorHooks& otherwise) {
  if (given == nullptr || (given->allocate == nullptr && given->release == nullptr))
    return otherwise;
  if (given->allocate == nullptr) return null_argument("allocator.allocate");
  if (given->release == nullptr) return null_argument("allocator.release");
  return AllocatorHooks{given->user, given->allocate, given->release};
}

inline Result<TaskRunner> read_scheduler(const tern_scheduler* given) {
  if (given == nullptr) return TaskRunner();
  if (given->parallel_for == nullptr) return null_argument("scheduler.parallel_for");
  return TaskRunner(ParallelForHooks{given->user, given->n_workers, given->parallel_for});
}

/// A TERN_PACKING_ value; unset for AUTO.
inline Result<std::optional<Packing>> read_packing(uint32_t given) {
  switch (given) {
    case TERN_PACKING_AUTO: return std::optional<Packing>();
    case TERN_PACKING_T2: return std::optional(Packing::t2);
    case TERN_PACKING_T5: return std::optional(Packing::t5);
    default: return Error(Status::invalid_argument, "an option is out of range", "packing");
  }
}

}  // namespace capi

TERN_NAMESPACE_END
