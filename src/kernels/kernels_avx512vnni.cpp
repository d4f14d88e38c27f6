// AVX-512 kernels with the int8 dot unit (vpdpbusd): 16 rows of a tile are the 16 lanes of a
// register.
//
// Room: kernels. A block of a T2 tile is one 64-byte load; masking two bits at a time gives four
// registers of u for four neighbouring columns each, and one vpdpbusd per register multiplies them
// by four broadcast activations:
//
//     lane r:  acc[r] += u[r][c]*q[c] + u[r][c+1]*q[c+1] + u[r][c+2]*q[c+2] + u[r][c+3]*q[c+3]
//
// Bound: vpdpbusd adds into int32 without saturation; docs/numerics.md 4.4 keeps the end in range,
// and intermediate wrap-around cancels. Instructions: AVX-512 F, BW, DQ, VL, VNNI, F16C.
// Exported symbol: the table.
#include "kernels/tables.hpp"
#include "kernels/target_region.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

#include "tern/base/half.hpp"
#include "tern/quant/block_codec.hpp"

TERN_REGION_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,f16c")
TERN_NAMESPACE_BEGIN
namespace avx512vnni {
namespace {

constexpr bool kFivesAlone = false;

// Each body builds on those before it.
// clang-format off
#include "kernels/body/avx512_primitives.inl.hpp"
#include "kernels/body/avx512_trits.inl.hpp"
#include "kernels/body/avx512_five_carry.inl.hpp"
#include "kernels/body/avx512_products.inl.hpp"
#include "kernels/body/avx512_columns.inl.hpp"
#include "kernels/body/avx512_column_sums.inl.hpp"
#include "kernels/body/avx512_skipping.inl.hpp"
#include "kernels/body/float_constants.inl.hpp"
#include "kernels/body/avx512_lanes.inl.hpp"
#include "kernels/body/vector_float.inl.hpp"
#include "kernels/body/vector_quantize.inl.hpp"
#include "kernels/body/attention_blocks.inl.hpp"
#include "kernels/body/attention_f16.inl.hpp"
#include "kernels/body/unpack_codes.inl.hpp"
#include "kernels/body/avx512_packed_rows.inl.hpp"
#include "kernels/body/unpack_row.inl.hpp"
#include "kernels/body/attention_i8.inl.hpp"
#include "kernels/body/attention_row_loops.inl.hpp"
#include "kernels/body/attention_rows.inl.hpp"
#include "kernels/body/attention.inl.hpp"
#include "kernels/body/vector_head.inl.hpp"
#include "kernels/body/wide_sums.inl.hpp"
#include "kernels/body/avx512_head_q6_k.inl.hpp"
#include "kernels/body/head_words.inl.hpp"
#include "kernels/body/avx512_head_i8.inl.hpp"
#include "kernels/body/vector_planes.inl.hpp"
#include "kernels/body/head_rows.inl.hpp"
#include "kernels/body/largest.inl.hpp"
#include "kernels/body/stored_rows.inl.hpp"
#include "kernels/body/vector_table.inl.hpp"
// clang-format on

}  // namespace
}  // namespace avx512vnni

extern const KernelTable kAvx512VnniKernels;
constexpr CpuFeatureMask kAvx512VnniFeatures = kCpuAvx2 | kCpuF16c | kCpuAvx512 | kCpuAvx512Vnni;
constexpr KernelTable kAvx512VnniTable =
    avx512vnni::make_table("avx512vnni", kAvx512VnniFeatures, Packing::t2);
const KernelTable kAvx512VnniKernels = kAvx512VnniTable;

TERN_NAMESPACE_END
TERN_REGION_END
#endif
