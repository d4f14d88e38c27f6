// AVX2 kernels: sixteen lanes are two registers, rows 0-7 and rows 8-15 of a tile.
//
// Room: kernels. A block of a T2 tile is two 32-byte loads; masking two bits at a time gives u of
// four neighbouring columns of eight rows each, and one vpmaddubsw multiplies them by four
// broadcast activations into pairs of 16 bits:
//
//     lanes 2r, 2r+1:  u[r][c]*q[c] + u[r][c+1]*q[c+1],  u[r][c+2]*q[c+2] + u[r][c+3]*q[c+3]
//
// Bound: vpmaddubsw saturates at 32767, a pair is at most 2 * 3 * 127 = 762 with code 3; 43 pairs
// (32766) may be added in 16 bits before vpmaddwd widens them to 32, where docs/numerics.md 4.4
// keeps the end in range. Instructions: AVX2, F16C, and no fused multiply-add. Exported symbol: the
// table.
#include "kernels/tables.hpp"
#include "kernels/target_region.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

#include "tern/base/half.hpp"
#include "tern/quant/block_codec.hpp"
#include "tern/quant/trit_tiles.hpp"

TERN_REGION_BEGIN("avx2,f16c")
TERN_NAMESPACE_BEGIN
namespace avx2 {
namespace {

#include "kernels/body/avx2_primitives.inl.hpp"

// Sums in 16 bits: a dot adds a pair of products to each lane.
using VS = VI;
constexpr size_t kDotsInSum = 43;
constexpr size_t kSharedRows = 1;
constexpr size_t kMostPlaces = 2;  // 43 >> 2 pairs of 4 * u

static inline VS vs_zero() { return vi_zero(); }
static inline __m256i half_dot(__m256i s, __m256i u, __m256i q) {
  return _mm256_add_epi16(s, _mm256_maddubs_epi16(u, q));
}
static inline VS vs_dot(VS s, VB u, VB q) {
  return {half_dot(s.lo, u.lo, q.lo), half_dot(s.hi, u.hi, q.hi)};
}
static inline void vs_settle(VS* s) { __asm__("" : "+x"(s->lo), "+x"(s->hi)); }
static inline __m256i half_sums(__m256i s) { return _mm256_madd_epi16(s, _mm256_set1_epi16(1)); }
static inline VI vi_add_sums(VI v, VS s) { return vi_add(v, VI{half_sums(s.lo), half_sums(s.hi)}); }

// Of attention and heads: pairs of words, and int8, which needs no offset.
constexpr int32_t kByteOffset = 0;

static inline __m256i half_dot_words(__m256i acc, __m256i a, __m256i b) {
  return _mm256_add_epi32(acc, _mm256_madd_epi16(a, b));
}
static inline VI vi_dot_words(VI acc, VI a, VI b) {
  return {half_dot_words(acc.lo, a.lo, b.lo), half_dot_words(acc.hi, a.hi, b.hi)};
}
// Each sum is made before the next product: g++ 12 makes all products first, and stores them.
static inline VI vi_dot_words_at(VI acc, VI a, const VI* b) {
  VI sum = vi_dot_words(acc, a, *b);
  vs_settle(&sum);
  return sum;
}
static inline __m256i half_offset_bytes(__m256i bytes) { return bytes; }
static inline VI vi_offset_bytes(VI bytes) { return bytes; }
// vpmaddubsw wants an unsigned factor: |byte| <= 128, the sign goes to the code. A pair is at most
// 2 * 128 * 127 = 32512, below its saturation.
static inline __m256i half_dot_bytes(__m256i acc, __m256i bytes, __m256i codes) {
  const __m256i pairs =
      _mm256_maddubs_epi16(_mm256_abs_epi8(bytes), _mm256_sign_epi8(codes, bytes));
  return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
static inline VI vi_dot_bytes(VI acc, VI bytes, VI codes) {
  return {half_dot_bytes(acc.lo, bytes.lo, codes.lo), half_dot_bytes(acc.hi, bytes.hi, codes.hi)};
}
#include "kernels/body/avx2_table.inl.hpp"

}  // namespace
}  // namespace avx2

extern const KernelTable kAvx2Kernels;
const KernelTable kAvx2Kernels = avx2::make_table("avx2", kCpuAvx2 | kCpuF16c, avx2::kPacking);

TERN_NAMESPACE_END
TERN_REGION_END
#endif
