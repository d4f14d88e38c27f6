// CPU and OS feature detection, one branch an architecture.
#include "tern/platform/cpu_features.hpp"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif
#if !defined(TERN_NO_THREADS)
#include <thread>
#endif

TERN_NAMESPACE_BEGIN

#if defined(__x86_64__) || defined(__i386__)

namespace {

struct CpuidLeaf {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

CpuidLeaf cpuid(uint32_t leaf, uint32_t subleaf) {
  CpuidLeaf out;
  if (__get_cpuid_count(leaf, subleaf, &out.eax, &out.ebx, &out.ecx, &out.edx) == 0) return {};
  return out;
}

bool bit(uint32_t word, unsigned index) { return ((word >> index) & 1u) != 0; }

/// XCR0: which register files the OS saves. XGETBV by encoding, as old assemblers lack the name.
uint32_t enabled_register_files() {
  uint32_t low = 0, high = 0;
  __asm__ volatile(".byte 0x0f, 0x01, 0xd0" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

}  // namespace

CpuFeatureMask detect_cpu_features() {
  constexpr uint32_t kYmmState = 0x06;  // SSE and AVX registers
  constexpr uint32_t kZmmState = 0xE6;  // and opmask, upper halves, upper sixteen
  const CpuidLeaf leaf1 = cpuid(1, 0);
  const bool os_saves_avx = bit(leaf1.ecx, 27) && bit(leaf1.ecx, 28);
  if (!os_saves_avx) return 0;
  const uint32_t states = enabled_register_files();
  if ((states & kYmmState) != kYmmState) return 0;

  const CpuidLeaf leaf7 = cpuid(7, 0);
  const CpuidLeaf leaf7_1 = cpuid(7, 1);
  CpuFeatureMask mask = 0;
  if (bit(leaf7.ebx, 5)) mask |= kCpuAvx2;
  if (bit(leaf1.ecx, 29)) mask |= kCpuF16c;
  if (bit(leaf7_1.eax, 4)) mask |= kCpuAvxVnni;
  if ((states & kZmmState) == kZmmState) {
    const bool f = bit(leaf7.ebx, 16), dq = bit(leaf7.ebx, 17);
    const bool bw = bit(leaf7.ebx, 30), vl = bit(leaf7.ebx, 31);
    if (f && dq && bw && vl) mask |= kCpuAvx512;
    if (bit(leaf7.ecx, 11)) mask |= kCpuAvx512Vnni;
    if (bit(leaf7.ecx, 1)) mask |= kCpuAvx512Vbmi;
  }
  return mask;
}

#elif defined(__aarch64__)

CpuFeatureMask detect_cpu_features() {
  CpuFeatureMask mask = kCpuNeon;  // part of the AArch64 baseline
#if defined(__linux__)
  constexpr unsigned long kHwcapDotProd = 1ul << 20;
  constexpr unsigned long kHwcap2I8mm = 1ul << 13;
  if ((getauxval(AT_HWCAP) & kHwcapDotProd) != 0) mask |= kCpuDotProd;
  if ((getauxval(AT_HWCAP2) & kHwcap2I8mm) != 0) mask |= kCpuI8mm;
#elif defined(__APPLE__)
  const auto has = [](const char* name) {
    int value = 0;
    size_t size = sizeof(value);
    return sysctlbyname(name, &value, &size, nullptr, 0) == 0 && value != 0;
  };
  if (has("hw.optional.arm.FEAT_DotProd")) mask |= kCpuDotProd;
  if (has("hw.optional.arm.FEAT_I8MM")) mask |= kCpuI8mm;
#endif
  return mask;
}

#else

CpuFeatureMask detect_cpu_features() {
  CpuFeatureMask mask = 0;
#if defined(__wasm_simd128__)
  mask |= kCpuWasmSimd;
#endif
#if defined(__wasm_relaxed_simd__)
  mask |= kCpuWasmRelaxed;
#endif
  return mask;
}

#endif

size_t available_processors() {
#if defined(__linux__)
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0) {
    const int n = CPU_COUNT(&allowed);
    if (n > 0) return static_cast<size_t>(n);
  }
#endif
#if !defined(TERN_NO_THREADS)
  const unsigned n = std::thread::hardware_concurrency();
  return n > 0 ? n : 1;
#else
  return 1;
#endif
}

TERN_NAMESPACE_END
