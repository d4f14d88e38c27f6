// Where the CPU has byte permutations too (VBMI), T5 is decoded by a table in registers, fast
// enough to stream 1.6 bits a weight from memory. All else is that of kernels_avx512vnni.cpp,
// inherited.
//
// Room: kernels. The table has the same name, "avx512vnni", and comes before the plain one. Its
// slots of products multiply T5 and hand T2 on. Bounds are those of the bodies. Instructions:
// AVX-512 F, BW, DQ, VL, VNNI, VBMI, F16C. Exported symbol: the table.
#include "kernels/tables.hpp"
#include "kernels/target_region.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

#include "tern/base/half.hpp"
#include "tern/quant/block_codec.hpp"

TERN_REGION_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vbmi,avx2,f16c")
TERN_NAMESPACE_BEGIN
namespace avx512vbmi {
namespace {

constexpr bool kFivesAlone = true;

// Each body builds on those before it.
// clang-format off
#include "kernels/body/avx512_primitives.inl.hpp"
#include "kernels/body/avx512_trits.inl.hpp"
#include "kernels/body/avx512_five_table.inl.hpp"
#include "kernels/body/avx512_products.inl.hpp"
// clang-format on

}  // namespace
}  // namespace avx512vbmi

extern const KernelTable kAvx512VbmiKernels;
constexpr KernelTable kAvx512VbmiTable = {
    .isa = "avx512vnni",
    .features = kCpuAvx2 | kCpuF16c | kCpuAvx512 | kCpuAvx512Vnni | kCpuAvx512Vbmi,
    .base = &kAvx512VnniKernels,
    .packing = Packing::t5,
    .token_tile = avx512vbmi::kTokenTile,
    .matrix_scratch_bytes = avx512vbmi::kScratchBytes,
    .multiply_vector = avx512vbmi::multiply_vector,
    .multiply_rows = avx512vbmi::multiply_rows,
    .packed_tokens_bytes = avx512vbmi::packed_tokens_bytes,
    .pack_tokens = avx512vbmi::pack_tokens,
    .multiply_matrix = avx512vbmi::multiply_matrix,
};
const KernelTable kAvx512VbmiKernels = kAvx512VbmiTable;

TERN_NAMESPACE_END
TERN_REGION_END
#endif
