// The kernel record: every float and vector operation of tern as a slot of function pointers.
//
// Room: kernels. One table per instruction set; `scalar` is the specification in code
// (docs/numerics.md), every other table gives the same bits. A Model holds its resolved table by
// value, so selection is per model and there is no global state.
//
// Vectors are plain pointers; `n`, `k` count elements. Unless a slot says otherwise: pointers need
// no alignment, inputs and outputs do not overlap, nothing is read or written past the stated
// counts, and any number of threads may call with disjoint outputs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tern/platform/cpu_features.hpp"
#include "tern/quant/tensor_type.hpp"
#include "tern/quant/ternary_matrix.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN


/// What a quantizer leaves beside the integers of one token (docs/numerics.md 3).
struct QuantizedToken {
  float step = 0;        ///< value of one integer unit
  int32_t sum = 0;       ///< sum of the int8 codes; of the high plane for int16
  int32_t sum_low = 0;   ///< sum of the low plane; 0 for int8
  uint32_t finite = 0;   ///< 1 if every input was finite; otherwise the integers mean nothing
};

/// Quantized activations of n tokens: rows of int8 at a fixed stride. For int16 activations the
/// value is high * 128 + low; for int8 ones `low` is null and the value is `high`.
/// Rows are zero from column k to the stride, which is at least activation_stride(k).
struct ActivationView {
  const int8_t* high = nullptr;  // [n, stride]
  const int8_t* low = nullptr;   // [n, stride] or null
  const QuantizedToken* tokens = nullptr;  // [n]
  size_t stride = 0;
  size_t n = 0;
};

/// Bytes between two rows of activations of k columns: a tile kernel may read up to the last whole
/// block of any packing (at most 320 columns), in vectors of 64.
constexpr size_t activation_stride(size_t k) { return (k + 320 + 63) / 64 * 64; }

/// The most tokens that the vector kernel takes in one pass over the weights; more go to the
/// matrix kernel.
inline constexpr size_t kVectorTokens = 8;

/// Rows of the output head (or of the embedding) as the file stores them.
struct HeadView {
  TensorType type = TensorType::f32;
  const uint8_t* rows = nullptr;  // [vocab_size, row_bytes]
  size_t row_bytes = 0;
  size_t k = 0;
};

/// One token's input to the head: the float vector, and its int16 form for quantized heads.
struct HeadInput {
  const float* x = nullptr;  // [k]
  ActivationView codes;      // one token, int16
};

/// The keys or values of one head: position j starts at data + j * stride elements.
struct CacheView {
  const uint16_t* data = nullptr;  // [n, stride] binary16
  size_t stride = 0;
};

// The slots, in the order of a layer. X(name, return type, parameters).
#define TERN_KERNEL_SLOTS(X)                                                                       \
  /* Rows 0..k-1 of a stored matrix row as float (numerics 10). */                                 \
  X(decode_row, void, (TensorType type, const uint8_t* row, size_t k, float* y))                   \
  /* y = (x * r) * gain; false when the mean square is not finite (numerics 2). */                 \
  X(rms_norm, bool, (const float* x, const float* gain, size_t n, float eps, float* y))            \
  /* int8 absmax; writes q[0, stride), zero from k on (numerics 3.1). */                           \
  X(quantize_i8, QuantizedToken, (const float* x, size_t k, int8_t* q, size_t stride))             \
  /* int16 absmax in two planes; writes both up to stride (numerics 3.2). */                       \
  X(quantize_i16, QuantizedToken,                                                                  \
    (const float* x, size_t k, int8_t* high, int8_t* low, size_t stride))                          \
  /* y[t, r] for tokens t and the rows of tiles [begin, end); at most kVectorTokens (numerics 4).*/\
  X(multiply_vector, void,                                                                         \
    (const TernaryView& w, const ActivationView& a, size_t tile_begin, size_t tile_end, float* y,  \
     size_t y_stride))                                                                             \
  /* Bytes that pack_tokens needs for n tokens of k columns. */                                    \
  X(packed_tokens_bytes, size_t, (size_t n, size_t k))                                             \
  /* Lays out tokens [begin, end) for multiply_matrix; begin is a multiple of token_tile. */       \
  X(pack_tokens, void,                                                                             \
    (const ActivationView& a, size_t k, size_t begin, size_t end, int8_t* packed))                 \
  /* As multiply_vector for any number of tokens; `packed` by pack_tokens, `scratch` of            \
     matrix_scratch_bytes for this call alone. */                                                  \
  X(multiply_matrix, void,                                                                         \
    (const TernaryView& w, const ActivationView& a, const int8_t* packed, size_t tile_begin,       \
     size_t tile_end, float* y, size_t y_stride, void* scratch))                                   \
  /* y = y + x (numerics 7). */                                                                    \
  X(add, void, (const float* x, size_t n, float* y))                                               \
  /* Gated activations: y = act(gate) * up; y may be gate or up (numerics 6). */                   \
  X(relu2_mul, void, (const float* gate, const float* up, size_t n, float* y))                     \
  X(silu_mul, void, (const float* gate, const float* up, size_t n, float* y))                      \
  /* inv_freq[p] = base^(-2p/dim) / factors[p] / linear_factor; factors may be null (8.1). */      \
  X(rope_frequencies, void,                                                                        \
    (double base, double linear_factor, const float* factors, size_t dim, double* inv_freq))       \
  /* cos and sin of position * inv_freq[p], p < n (numerics 8.2). */                               \
  X(rope_angles, void, (uint32_t position, const double* inv_freq, size_t n, float* cos, float* sin)) \
  /* Rotates one head in place: pairs (p, p + n) or (2p, 2p + 1), p < n (numerics 8.3). */         \
  X(rope_halves, void, (float* x, const float* cos, const float* sin, size_t n))                   \
  X(rope_pairs, void, (float* x, const float* cos, const float* sin, size_t n))                    \
  /* Rounds to binary16; false when a result is not finite (numerics 9.1). */                      \
  X(to_f16, bool, (const float* x, size_t n, uint16_t* y))                                         \
  /* 1 / sqrt(head_dim) (numerics 9.2). */                                                         \
  X(attention_scale, float, (size_t head_dim))                                                     \
  /* scores[j] = dot(q, k_j) * scale for j < n (numerics 9.2). */                                  \
  X(qk_f16, void,                                                                                  \
    (const float* q, CacheView keys, size_t n, size_t dim, float scale, float* scores))            \
  /* In place s[j] = exp(s[j] - max s); returns the sum (numerics 9.3). n > 0. */                  \
  X(softmax_exp, float, (float* s, size_t n))                                                      \
  /* y[d] = (sum over j of weights[j] * v_j[d]) * (1 / sum) (numerics 9.4). */                     \
  X(pv_f16, void,                                                                                  \
    (const float* weights, float sum, CacheView values, size_t n, size_t dim, float* y))           \
  /* logits[r - begin] of head rows [begin, end) (numerics 11). */                                 \
  X(head_rows, void,                                                                               \
    (const HeadView& head, const HeadInput& input, size_t begin, size_t end, float* logits))       \
  /* Whether all of x is finite. */                                                                \
  X(all_finite, bool, (const float* x, size_t n))                                                  \
  /* Sampling (numerics 12). */                                                                    \
  X(penalize, float, (float logit, float penalty))                                                 \
  X(sampling_weights, void, (const float* logits, size_t n, float temperature, float* weights))    \
  X(top_p_count, size_t, (const float* weights, size_t n, float top_p))                            \
  X(min_p_count, size_t, (const float* weights, size_t n, float min_p))                            \
  X(draw, size_t, (const float* weights, size_t n, uint64_t random_bits))                          \
  /* Natural log of the softmax probability of one logit (numerics 13); scratch of n floats. */    \
  X(log_prob, double, (const float* logits, size_t n, size_t index, float* scratch))

/// One instruction set's kernels. In a raw table a null slot is inherited from `scalar`; a resolved
/// table (registry.hpp) has none.
struct KernelTable {
  const char* isa = nullptr;       ///< name by feature, as `--isa` spells it
  CpuFeatureMask features = 0;     ///< what the CPU and the OS must offer
  size_t token_tile = 1;           ///< tokens that pack_tokens interleaves
  size_t matrix_scratch_bytes = 0; ///< scratch of one multiply_matrix call, 64-byte aligned
#define TERN_KERNEL_SLOT(name, result, parameters) result(*name) parameters = nullptr;
  TERN_KERNEL_SLOTS(TERN_KERNEL_SLOT)
#undef TERN_KERNEL_SLOT
};

/// Whether no slot is left to inherit.
constexpr bool is_complete(const KernelTable& table) {
#define TERN_KERNEL_SLOT(name, result, parameters) \
  if (table.name == nullptr) return false;
  TERN_KERNEL_SLOTS(TERN_KERNEL_SLOT)
#undef TERN_KERNEL_SLOT
  return true;
}

TERN_NAMESPACE_END
