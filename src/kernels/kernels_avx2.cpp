// AVX2 kernels: sixteen lanes are two registers, rows 0-7 and rows 8-15 of a tile.
//
// Room: kernels. A block of a T2 tile is two 32-byte loads; masking two bits at a time gives u of
// four neighbouring columns of eight rows each, and one vpmaddubsw multiplies them by four
// broadcast activations into pairs of 16 bits:
//
//     lanes 2r, 2r+1:  u[r][c]*q[c] + u[r][c+1]*q[c+1],  u[r][c+2]*q[c+2] + u[r][c+3]*q[c+3]
//
// Bound: vpmaddubsw saturates at 32767, a pair is at most 2 * 3 * 127 = 762 with code 3; 40 pairs
// (30480) are added in 16 bits before vpmaddwd widens them to 32, where docs/numerics.md 4.4 keeps
// the end in range. Instructions: AVX2, F16C, and no fused multiply-add. Exported symbol: the
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

struct V {
  __m256 lo, hi;
};
struct VI {
  __m256i lo, hi;
};

// All ones in the lanes of the first n; n may be 16 or more.
static inline VI first_n(size_t n) {
  const __m256i count = _mm256_set1_epi32(n < 16 ? static_cast<int>(n) : 16);
  return {_mm256_cmpgt_epi32(count, _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)),
          _mm256_cmpgt_epi32(count, _mm256_setr_epi32(8, 9, 10, 11, 12, 13, 14, 15))};
}
static inline V v_zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
static inline V v_set(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
static inline __m256 load_eight_floats(const void* p, size_t at) {
  return _mm256_castsi256_ps(_mm256_loadu_si256(static_cast<const __m256i*>(p) + at));
}
static inline V v_load(const void* p) { return {load_eight_floats(p, 0), load_eight_floats(p, 1)}; }
static inline V v_load_n(const void* p, size_t n) {
  const VI mask = first_n(n);
  V v = v_zero();
  v.lo = _mm256_maskload_ps(static_cast<const float*>(p), mask.lo);
  if (n > 8) v.hi = _mm256_maskload_ps(static_cast<const float*>(p) + 8, mask.hi);
  return v;
}
static inline void v_store(float* p, V v) {
  _mm256_storeu_ps(p, v.lo);
  _mm256_storeu_ps(p + 8, v.hi);
}
static inline void v_store_n(float* p, size_t n, V v) {
  const VI mask = first_n(n);
  _mm256_maskstore_ps(p, mask.lo, v.lo);
  if (n > 8) _mm256_maskstore_ps(p + 8, mask.hi, v.hi);
}
static inline V v_add(V a, V b) { return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)}; }
static inline V v_sub(V a, V b) { return {_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)}; }
static inline V v_mul(V a, V b) { return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)}; }
static inline V v_div(V a, V b) { return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)}; }
static inline V v_max(V a, V b) { return {_mm256_max_ps(a.lo, b.lo), _mm256_max_ps(a.hi, b.hi)}; }
static inline V v_min(V a, V b) { return {_mm256_min_ps(a.lo, b.lo), _mm256_min_ps(a.hi, b.hi)}; }
static inline float v_sqrt1(float x) { return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x))); }

static inline __m128i load_eight(const void* p, size_t at) {
  return _mm_loadu_si128(static_cast<const __m128i*>(p) + at);
}
static inline V v_load_f16(const void* p) {
  return {_mm256_cvtph_ps(load_eight(p, 0)), _mm256_cvtph_ps(load_eight(p, 1))};
}
static inline __m256 bf16_to_floats(__m128i bits) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}
static inline V v_load_bf16(const void* p) {
  return {bf16_to_floats(load_eight(p, 0)), bf16_to_floats(load_eight(p, 1))};
}
// There are no masked moves of 16 bits: the ends of rows go through sixteen elements of stack.
static inline V v_load_f16_n(const void* p, size_t n) {
  uint16_t copy[16] = {};
  __builtin_memcpy(copy, p, n * sizeof(uint16_t));
  return v_load_f16(copy);
}
static inline V v_load_bf16_n(const void* p, size_t n) {
  uint16_t copy[16] = {};
  __builtin_memcpy(copy, p, n * sizeof(uint16_t));
  return v_load_bf16(copy);
}
static inline void store_floats_f16(uint16_t* p, __m256 v) {
  const __m128i halves = _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), halves);
}
static inline void v_store_f16(uint16_t* p, V v) {
  store_floats_f16(p, v.lo);
  store_floats_f16(p + 8, v.hi);
}
static inline void v_store_f16_n(uint16_t* p, size_t n, V v) {
  uint16_t copy[16];
  v_store_f16(copy, v);
  __builtin_memcpy(p, copy, n * sizeof(uint16_t));
}

static inline V v_keep_n(V v, size_t n) {
  const VI mask = first_n(n);
  return {_mm256_and_ps(v.lo, _mm256_castsi256_ps(mask.lo)),
          _mm256_and_ps(v.hi, _mm256_castsi256_ps(mask.hi))};
}
static inline __m256 gated(__m256 g, __m256 y) {
  return _mm256_blendv_ps(y, _mm256_sub_ps(g, g),
                          _mm256_cmp_ps(g, _mm256_setzero_ps(), _CMP_LE_OQ));
}
static inline V v_gated(V g, V y) { return {gated(g.lo, y.lo), gated(g.hi, y.hi)}; }
static inline __m256 nan_from(__m256 v, __m256 x) {
  return _mm256_blendv_ps(v, x, _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
}
static inline V v_nan_from(V v, V x) { return {nan_from(v.lo, x.lo), nan_from(v.hi, x.hi)}; }
static inline float v_tree(V v) {
  const __m256 eight = _mm256_add_ps(v.lo, v.hi);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

static inline VI v_to_int(V v) { return {_mm256_cvtps_epi32(v.lo), _mm256_cvtps_epi32(v.hi)}; }
static inline V v_from_int(VI v) { return {_mm256_cvtepi32_ps(v.lo), _mm256_cvtepi32_ps(v.hi)}; }
static inline VI vi_zero() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
static inline VI vi_set(int32_t x) { return {_mm256_set1_epi32(x), _mm256_set1_epi32(x)}; }
static inline VI vi_half(VI k) { return {_mm256_srai_epi32(k.lo, 1), _mm256_srai_epi32(k.hi, 1)}; }
static inline VI vi_add(VI a, VI b) {
  return {_mm256_add_epi32(a.lo, b.lo), _mm256_add_epi32(a.hi, b.hi)};
}
static inline VI vi_sub(VI a, VI b) {
  return {_mm256_sub_epi32(a.lo, b.lo), _mm256_sub_epi32(a.hi, b.hi)};
}
static inline V v_pow2(VI k) {
  const VI biased = vi_add(k, vi_set(127));
  return {_mm256_castsi256_ps(_mm256_slli_epi32(biased.lo, 23)),
          _mm256_castsi256_ps(_mm256_slli_epi32(biased.hi, 23))};
}
static inline VI v_abs_bits(V v) {
  const __m256i magnitude = _mm256_set1_epi32(0x7FFFFFFF);
  return {_mm256_and_si256(_mm256_castps_si256(v.lo), magnitude),
          _mm256_and_si256(_mm256_castps_si256(v.hi), magnitude)};
}
static inline VI vi_max_u(VI a, VI b) {
  return {_mm256_max_epu32(a.lo, b.lo), _mm256_max_epu32(a.hi, b.hi)};
}
static inline uint32_t vi_reduce_max_u(VI v) {
  const __m256i eight = _mm256_max_epu32(v.lo, v.hi);
  __m128i four = _mm_max_epu32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
  four = _mm_max_epu32(four, _mm_shuffle_epi32(four, 0x4E));
  four = _mm_max_epu32(four, _mm_shuffle_epi32(four, 0xB1));
  return static_cast<uint32_t>(_mm_cvtsi128_si32(four));
}
static inline int32_t vi_reduce_add(VI v) {
  const __m256i eight = _mm256_add_epi32(v.lo, v.hi);
  __m128i four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
  four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
  four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0xB1));
  return _mm_cvtsi128_si32(four);
}
// Packing works within halves of 128 bits; the permutation puts the quarters back in order.
static inline void vi_store_i8_n(VI v, int8_t* p, size_t n) {
  const __m256i words =
      _mm256_permute4x64_epi64(_mm256_packs_epi32(v.lo, v.hi), _MM_SHUFFLE(3, 1, 2, 0));
  const __m128i bytes =
      _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  if (n >= 16) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), bytes);
  } else {
    __builtin_memcpy(p, &bytes, n);
  }
}
static inline VI vi_plane_high(VI v) {
  const VI up = vi_add(v, vi_set(64));
  return {_mm256_srai_epi32(up.lo, 7), _mm256_srai_epi32(up.hi, 7)};
}
static inline VI vi_times_128(VI v) {
  return {_mm256_slli_epi32(v.lo, 7), _mm256_slli_epi32(v.hi, 7)};
}

// Each body builds on those before it.
// clang-format off
#include "kernels/body/float_constants.inl.hpp"
#include "kernels/body/avx2_lanes.inl.hpp"
#include "kernels/body/vector_float.inl.hpp"
#include "kernels/body/attention_blocks.inl.hpp"
#include "kernels/body/attention_f16.inl.hpp"
#include "kernels/body/attention_i8.inl.hpp"
#include "kernels/body/attention.inl.hpp"
#include "kernels/body/head_rows.inl.hpp"
#include "kernels/body/avx2_product.inl.hpp"
#include "kernels/body/vector_product.inl.hpp"
// clang-format on

// Unpacking costs a quarter of the product of four tokens, so the vector kernel serves any number;
// the token packing (none) is inherited.
static void multiply_matrix(const TernaryView& w, const ActivationView& a, const int8_t*,
                            size_t tile_begin, size_t tile_end, float* y, size_t y_stride, void*) {
  multiply_vector(w, a, tile_begin, tile_end, y, y_stride);
}

}  // namespace
}  // namespace avx2

extern const KernelTable kAvx2Kernels;
const KernelTable kAvx2Kernels = {
    .isa = "avx2",
    .features = kCpuAvx2 | kCpuF16c,
    .packing = Packing::t2,
    .rms_norm = avx2::rms_norm,
    .quantize_i8 = avx2::quantize_i8,
    .quantize_i16 = avx2::quantize_i16,
    .multiply_vector = avx2::multiply_vector,
    .multiply_matrix = avx2::multiply_matrix,
    .add = avx2::add,
    .relu2_mul = avx2::relu2_mul,
    .silu_mul = avx2::silu_mul,
    .rope_halves = avx2::rope_halves,
    .to_f16 = avx2::to_f16,
    .qk_f16 = avx2::qk_f16,
    .softmax_exp = avx2::softmax_exp,
    .pv_f16 = avx2::pv_f16,
    .attend = avx2::attend,
    .attention_scratch_bytes = avx2::attention_scratch_bytes,
    .head_rows = avx2::head_rows,
    .all_finite = avx2::all_finite,
};

TERN_NAMESPACE_END
TERN_REGION_END
#endif
