// The registry. Adding an instruction set adds one line to kTables and one to kKnownNames.
#include "tern/kernels/registry.hpp"

#include "kernels/self_test.hpp"
#include "kernels/tables.hpp"
#include "tern/base/buffer.hpp"

TERN_NAMESPACE_BEGIN

namespace {

constexpr const KernelTable* kTables[] = {
#if defined(__x86_64__)
    &kAvx512VbmiKernels,  &kAvx512VnniKernels,  &kAvxVnniKernels, &kAvx2Kernels,
#endif
#if defined(__aarch64__)
    &kNeonI8mmKernels,    &kNeonDotprodKernels, &kNeonKernels,
#endif
#if defined(__wasm_relaxed_simd__)
    &kWasmRelaxedKernels,
#endif
#if defined(__wasm_simd128__)
    &kWasm128Kernels,
#endif
    &kScalarKernels,
};

// Every name that tern uses or has set aside, so that one of another CPU or a later version is
// "unavailable", not "unknown".
constexpr std::string_view kKnownNames[] = {"scalar",     "avx2",    "avxvnni",
                                            "avx512vnni", "neon",    "neon_dotprod",
                                            "neon_i8mm",  "wasm128", "wasm_relaxed"};

bool is_known(std::string_view isa) {
  for (const std::string_view name : kKnownNames) {
    if (name == isa) return true;
  }
  return false;
}

// Takes the slots that a table has not.
void inherit(const KernelTable& from, KernelTable& table) {
#define TERN_KERNEL_SLOT(name, result, parameters) \
  if (table.name == nullptr) table.name = from.name;
  TERN_KERNEL_SLOTS(TERN_KERNEL_SLOT)
#undef TERN_KERNEL_SLOT
}

}  // namespace

std::span<const KernelTable* const> compiled_kernels() { return kTables; }

KernelTable resolve_kernels(const KernelTable& raw) {
  KernelTable table = raw;
  for (const KernelTable* base = raw.base; base != nullptr; base = base->base) {
    inherit(*base, table);
  }
  inherit(kScalarKernels, table);
  return table;
}

bool passes_self_test(const KernelTable& table, const AllocatorHooks& hooks) {
  auto memory = Buffer<SelfTest>::create(1, hooks);
  return memory.ok() && memory->data()->passes(table);
}

Result<KernelTable> select_kernels(std::string_view isa, const AllocatorHooks& hooks) {
  if (!isa.empty() && !is_known(isa)) {
    return Error(Status::isa_unknown, "no such instruction set", isa);
  }
  TERN_TRY_ASSIGN(auto memory, Buffer<SelfTest>::create(1, hooks));
  const CpuFeatureMask available = detect_cpu_features();
  for (const KernelTable* raw : kTables) {
    if (!isa.empty() && isa != raw->isa) continue;
    if ((raw->features & available) != raw->features) continue;
    const KernelTable table = resolve_kernels(*raw);
    if (memory.data()->passes(table)) return table;
  }
  return Error(Status::isa_unavailable, "instruction set is not available here", isa);
}

TERN_NAMESPACE_END
