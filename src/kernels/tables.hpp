// The raw tables of this build: the one symbol that each kernel object exports.
//
// Room: kernels. Only registry.cpp and the kernel files include this.
#pragma once

#include "tern/kernels/kernel_table.hpp"

TERN_NAMESPACE_BEGIN

extern const KernelTable kScalarKernels;
#if defined(__x86_64__)
extern const KernelTable kAvx2Kernels;
extern const KernelTable kAvx512VbmiKernels;
extern const KernelTable kAvx512VnniKernels;
extern const KernelTable kAvxVnniKernels;
#endif
#if defined(__aarch64__)
extern const KernelTable kNeonKernels;
extern const KernelTable kNeonDotprodKernels;
extern const KernelTable kNeonI8mmKernels;
#endif
#if defined(__wasm_simd128__)
extern const KernelTable kWasm128Kernels;
#endif
#if defined(__wasm_relaxed_simd__)
extern const KernelTable kWasmRelaxedKernels;
#endif

TERN_NAMESPACE_END
