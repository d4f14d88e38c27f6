// AVX-VNNI kernels: those of AVX2 with the int8 dot unit of 256 bits (Intel's 12th generation and
// later, AMD's Zen 5).
//
// Room: kernels. Slots without products of integers are AVX2's, inherited. vpdpbusd adds four
// products u * q to each int32 lane without an intermediate sum of 16 bits, so nothing bounds a run
// but docs/numerics.md 4.4. Instructions: AVX2, F16C, AVX-VNNI, and no fused multiply-add. Exported
// symbol: the table.
#include "kernels/tables.hpp"
#include "kernels/target_region.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

#include "tern/base/half.hpp"
#include "tern/quant/block_codec.hpp"
#include "tern/quant/trit_tiles.hpp"

TERN_REGION_BEGIN("avx2,f16c,avxvnni")
TERN_NAMESPACE_BEGIN
namespace avxvnni {
namespace {

#include "kernels/body/avx2_primitives.inl.hpp"

using VS = VI;
constexpr size_t kDotsInSum = 65536;
constexpr size_t kSharedRows = 1;
constexpr size_t kMostPlaces = 4;

static inline VS vs_zero() { return vi_zero(); }
static inline __m256i half_dot(__m256i s, __m256i u, __m256i q) {
  return _mm256_dpbusd_avx_epi32(s, u, q);
}
static inline VS vs_dot(VS s, VB u, VB q) {
  return {half_dot(s.lo, u.lo, q.lo), half_dot(s.hi, u.hi, q.hi)};
}
static inline void vs_settle(VS*) {}
static inline __m256i half_sums(__m256i s) { return s; }
static inline VI vi_add_sums(VI v, VS s) { return vi_add(v, s); }

// Of attention and heads: pairs of words, and int8, unsigned by an offset of 128.
constexpr int32_t kByteOffset = 128;

static inline __m256i half_dot_words(__m256i acc, __m256i a, __m256i b) {
  return _mm256_dpwssd_avx_epi32(acc, a, b);
}
static inline VI vi_dot_words(VI acc, VI a, VI b) {
  return {half_dot_words(acc.lo, a.lo, b.lo), half_dot_words(acc.hi, a.hi, b.hi)};
}
static inline VI vi_dot_words_at(VI acc, VI a, const VI* b) { return vi_dot_words(acc, a, *b); }
static inline __m256i half_offset_bytes(__m256i bytes) {
  return _mm256_xor_si256(bytes, _mm256_set1_epi8(-128));
}
static inline VI vi_offset_bytes(VI bytes) {
  return {half_offset_bytes(bytes.lo), half_offset_bytes(bytes.hi)};
}
static inline __m256i half_dot_bytes(__m256i acc, __m256i bytes, __m256i codes) {
  return half_dot(acc, bytes, codes);
}
static inline VI vi_dot_bytes(VI acc, VI bytes, VI codes) { return vs_dot(acc, bytes, codes); }

#include "kernels/body/avx2_table.inl.hpp"

}  // namespace
}  // namespace avxvnni

extern const KernelTable kAvxVnniKernels;
constexpr KernelTable kAvxVnniTable = avxvnni::make_products_table(
    "avxvnni", kCpuAvx2 | kCpuF16c | kCpuAvxVnni, avxvnni::kPacking, &kAvx2Kernels);
const KernelTable kAvxVnniKernels = kAvxVnniTable;

TERN_NAMESPACE_END
TERN_REGION_END
#endif
