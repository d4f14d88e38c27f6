// The AVX-512 kernels where the CPU has byte permutations too (VBMI): all of
// kernels_avx512vnni.cpp, but T5 is decoded by a table in registers, fast enough to stream 1.6 bits
// a weight from memory.
//
// Room: kernels. The table has the same name, "avx512vnni", and comes before the plain one. Bounds
// are those of the bodies. Instructions: AVX-512 F, BW, DQ, VL, VNNI, VBMI, F16C. Exported symbol:
// the table.
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

// Each body builds on those before it.
// clang-format off
#include "kernels/body/avx512_primitives.inl.hpp"
#include "kernels/body/avx512_trits.inl.hpp"
#include "kernels/body/avx512_five_table.inl.hpp"
#include "kernels/body/avx512_table.inl.hpp"
// clang-format on

}  // namespace
}  // namespace avx512vbmi

extern const KernelTable kAvx512VbmiKernels;
constexpr KernelTable kAvx512VbmiTable =
    avx512vbmi::make_table("avx512vnni", avx512vbmi::kFeatures | kCpuAvx512Vbmi, Packing::t5);
const KernelTable kAvx512VbmiKernels = kAvx512VbmiTable;

TERN_NAMESPACE_END
TERN_REGION_END
#endif
