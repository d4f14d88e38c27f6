// The registry. Adding an instruction set adds one line to kTables and one to kKnownNames.
#include "tern/kernels/registry.hpp"

#include <cstring>

#include "kernels/self_test.hpp"
#include "kernels/tables.hpp"

TERN_NAMESPACE_BEGIN

namespace {

constexpr const KernelTable* kTables[] = {
#if defined(__x86_64__)
    &kAvx512VnniKernels,
    &kAvx2Kernels,
#endif
    &kScalarKernels,
};

// Names of every build, so that a known name on another CPU is "unavailable", not "unknown".
constexpr std::string_view kKnownNames[] = {"scalar", "avx2", "avx512vnni"};

bool is_known(std::string_view isa) {
  for (const std::string_view name : kKnownNames) {
    if (name == isa) return true;
  }
  return false;
}

}  // namespace

std::span<const KernelTable* const> compiled_kernels() { return kTables; }

KernelTable resolve_kernels(const KernelTable& raw) {
  KernelTable table = raw;
#define TERN_KERNEL_SLOT(name, result, parameters) \
  if (table.name == nullptr) table.name = kScalarKernels.name;
  TERN_KERNEL_SLOTS(TERN_KERNEL_SLOT)
#undef TERN_KERNEL_SLOT
  return table;
}

bool passes_self_test(const KernelTable& table) {
  const SelfTestInputs inputs;
  SelfTestOutputs expected;
  SelfTestOutputs actual;
  return expected.run(kScalarKernels, inputs) && actual.run(table, inputs) &&
         std::memcmp(&expected, &actual, sizeof(expected)) == 0;
}

Result<KernelTable> select_kernels(std::string_view isa) {
  if (!isa.empty() && !is_known(isa)) {
    return Error(Status::isa_unknown, "no such instruction set", isa);
  }
  const CpuFeatureMask available = detect_cpu_features();
  for (const KernelTable* raw : kTables) {
    if (!isa.empty() && isa != raw->isa) continue;
    if ((raw->features & available) != raw->features) continue;
    const KernelTable table = resolve_kernels(*raw);
    if (passes_self_test(table)) return table;
  }
  return Error(Status::isa_unavailable, "instruction set is not available here", isa);
}

TERN_NAMESPACE_END
