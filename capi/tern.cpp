// The C ABI, first part: version, statuses, errors, options, instruction sets.
//
// Room: capi. The entries are adapters: they check and convert arguments and call the C++ API, so
// that the two cannot come apart. tern.h documents them.
#include "tern.h"

#include <cstring>

#include "guard.hpp"
#include "tern/kernels/registry.hpp"
#include "tern/platform/cpu_features.hpp"
#include "tern/version.hpp"  // its macros are those of tern.h: a difference does not compile quietly

using tern::Status;

// The numbers are the same in C and C++; statuses cross the border by a cast.
#define TERN_CHECK_STATUS(c, cpp) static_assert(c == static_cast<int32_t>(Status::cpp))
TERN_CHECK_STATUS(TERN_OK, ok);
TERN_CHECK_STATUS(TERN_INVALID_ARGUMENT, invalid_argument);
TERN_CHECK_STATUS(TERN_TOKEN_OUT_OF_RANGE, token_out_of_range);
TERN_CHECK_STATUS(TERN_BUFFER_TOO_SMALL, buffer_too_small);
TERN_CHECK_STATUS(TERN_MALFORMED, malformed);
TERN_CHECK_STATUS(TERN_TRUNCATED, truncated);
TERN_CHECK_STATUS(TERN_MISSING, missing);
TERN_CHECK_STATUS(TERN_MISMATCH, mismatch);
TERN_CHECK_STATUS(TERN_NOT_TERNARY, not_ternary);
TERN_CHECK_STATUS(TERN_UNSUPPORTED, unsupported);
TERN_CHECK_STATUS(TERN_UNSUPPORTED_VERSION, unsupported_version);
TERN_CHECK_STATUS(TERN_UNSUPPORTED_ARCHITECTURE, unsupported_architecture);
TERN_CHECK_STATUS(TERN_UNSUPPORTED_TYPE, unsupported_type);
TERN_CHECK_STATUS(TERN_UNSUPPORTED_TOKENIZER, unsupported_tokenizer);
TERN_CHECK_STATUS(TERN_ISA_UNAVAILABLE, isa_unavailable);
TERN_CHECK_STATUS(TERN_ISA_UNKNOWN, isa_unknown);
TERN_CHECK_STATUS(TERN_OUT_OF_MEMORY, out_of_memory);
TERN_CHECK_STATUS(TERN_IO_ERROR, io_error);
TERN_CHECK_STATUS(TERN_NOT_FOUND, not_found);
TERN_CHECK_STATUS(TERN_CANCELLED, cancelled);
TERN_CHECK_STATUS(TERN_CONTEXT_FULL, context_full);
TERN_CHECK_STATUS(TERN_BUSY, busy);
TERN_CHECK_STATUS(TERN_NON_FINITE, non_finite);
TERN_CHECK_STATUS(TERN_INTERNAL, internal);
#undef TERN_CHECK_STATUS
static_assert(TERN_NOWHERE == tern::Error::kNowhere);

int32_t tern_version_number(void) { return TERN_VERSION_NUMBER; }
const char* tern_version_string(void) { return TERN_VERSION_STRING; }
int32_t tern_abi_version(void) { return TERN_ABI_VERSION; }

const char* tern_status_name(tern_status status) {
  return tern::status_name(static_cast<Status>(status));
}

tern_status tern_last_error_status(void) {
  return static_cast<tern_status>(tern::capi::last_error().error().status);
}
const char* tern_last_error_message(void) { return tern::capi::last_error().message(); }
uint64_t tern_last_error_where(void) { return tern::capi::last_error().error().where; }
const char* tern_last_error_subject(void) { return tern::capi::last_error().error().subject; }

void tern_options_init(void* options, size_t struct_size) {
  if (options == nullptr || struct_size < sizeof(uint32_t)) return;
  std::memset(options, 0, struct_size);
  const auto size = static_cast<uint32_t>(struct_size);
  std::memcpy(options, &size, sizeof(size));
}

size_t tern_isa_count(void) { return tern::compiled_kernels().size(); }

const char* tern_isa_name(size_t index) {
  const auto kernels = tern::compiled_kernels();
  return index < kernels.size() ? kernels[index]->isa : "";
}

int32_t tern_isa_is_available(size_t index) {
  const auto kernels = tern::compiled_kernels();
  if (index >= kernels.size()) return 0;
  const tern::CpuFeatureMask required = kernels[index]->features;
  return (required & tern::detect_cpu_features()) == required ? 1 : 0;
}

size_t tern_cpu_feature_count(void) { return std::size(tern::kCpuFeatureNames); }

const char* tern_cpu_feature_name(size_t index) {
  return index < tern_cpu_feature_count() ? tern::kCpuFeatureNames[index].name : "";
}

int32_t tern_cpu_feature_is_present(size_t index) {
  if (index >= tern_cpu_feature_count()) return 0;
  return (tern::detect_cpu_features() & tern::kCpuFeatureNames[index].feature) != 0 ? 1 : 0;
}
