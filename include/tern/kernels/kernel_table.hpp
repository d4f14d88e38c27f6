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
#include "tern/quant/plane_codec.hpp"
#include "tern/quant/tensor_type.hpp"
#include "tern/quant/ternary_view.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// What a quantizer leaves beside the integers of one token (docs/numerics.md 3).
struct QuantizedToken {
  float step = 0;       ///< value of one integer unit
  int32_t sum = 0;      ///< sum of the int8 codes; of the high plane for int16
  int32_t sum_low = 0;  ///< sum of the low plane; 0 for int8
  uint32_t finite = 0;  ///< 1 if every input was finite; otherwise the integers mean nothing
};

/// Quantized activations of n tokens: rows of int8 at a fixed stride. For int16 activations the
/// value is high * 128 + low; for int8 ones `low` is null and the value is `high`.
/// Rows are zero from column k to the stride, which is at least activation_stride(k).
struct ActivationView {
  const int8_t* high = nullptr;            // [n, stride]
  const int8_t* low = nullptr;             // [n, stride] or null
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

/// Inputs of a product over listed columns: value [p, i] multiplies column columns[i] of plane p.
/// Planes are tokens; for int16 activations all high planes, then all low ones.
struct ColumnInputs {
  const uint32_t* columns = nullptr;  // [end], ascending; null: column i is i
  const int8_t* values = nullptr;     // [n_planes, stride]
  size_t stride = 0;
  size_t n_planes = 0;
};

/// Elements of one plane of the sums of multiply_columns.
constexpr size_t column_sums_size(const TernaryView& w) {
  return w.n_units() * unit_rows(w.packing);
}

/// Rows of the output head (or of the embedding) as they are stored.
struct HeadView {
  TensorType type = TensorType::f32;
  const uint8_t* rows = nullptr;  // [vocab_size, row_bytes]
  size_t row_bytes = 0;
  size_t k = 0;
  const float* scales = nullptr;  // [vocab_size] for i8 and i8_planes: a row's unit; else null
  float scale = 0;                // of the whole table, for i2_s
  const float* rests = nullptr;   // [vocab_size, 2] for i8_planes: plane_norm of what the planes
                                  // behind the first one, and behind the second one, hold
};

/// Of likely bounds: how many standard deviations of a sum of random signs they reach.
inline constexpr double kLikelyDistance = 6;

/// How float weights become trits by their mean magnitude (docs/numerics.md 15).
struct AbsmeanScale {
  float scale = 0;         ///< of the trits; 0 where a weight is not finite
  float largest_zero = 0;  ///< the largest magnitude that becomes a zero trit
};

/// Inputs to the head: the float vectors, and their int16 form for quantized heads.
struct HeadInput {
  const float* x = nullptr;  // [n, x_stride]
  size_t x_stride = 0;
  ActivationView codes;  // n tokens, int16; n <= kVectorTokens
};

/// What the key-value cache holds. Integers have one binary16 unit a position and head.
enum class CacheType : uint32_t {
  f16,
  i8,
  i4,
  i3,   ///< but for the text's first position, which has 4 bits
  f32,  ///< exact, to compare with other programs; slow
};

/// Whether a row holds codes of less than a byte (docs/numerics.md 9.1).
constexpr bool is_packed(CacheType type) { return type == CacheType::i4 || type == CacheType::i3; }
constexpr bool has_units(CacheType type) { return type == CacheType::i8 || is_packed(type); }

/// Bytes of one key or value of a head.
constexpr size_t cache_row_bytes(CacheType type, size_t dim) {
  switch (type) {
    case CacheType::f16: return 2 * dim;
    case CacheType::i8: return dim;
    case CacheType::i4: return (dim + 1) / 2;
    case CacheType::i3: return (dim + 3) / 4 + (dim + 7) / 8;
    case CacheType::f32: return 4 * dim;
  }
  return 0;
}

/// The keys or values of one head: position j starts at data + j * stride elements.
struct CacheView {
  CacheType type = CacheType::f16;
  const void* data = nullptr;  // [n, stride] elements, or [n] packed rows
  size_t stride = 0;
  const uint16_t* scales = nullptr;  // [n] binary16 units of integers; else null
  const uint8_t* first = nullptr;  // of i3: position 0 as a row of i4 in place of its own, or null
};

/// Positions of a part of attention's sums (docs/numerics.md 9.4).
inline constexpr size_t kAttentionChunk = 256;
/// Elements between the scores of two heads over n positions: whole vectors, and rows 4 KiB apart
/// would share a set of a cache.
constexpr size_t attention_row(size_t n) { return (n + 63) / 64 * 64 + 16; }

/// Attention of query heads that share one key and value head, for neighbouring tokens. Token t
/// sees positions [0, position + t]; its head h is q + t * q_stride + h * dim.
struct AttentionView {
  const float* q = nullptr;
  size_t q_stride = 0;
  size_t n_tokens = 0;
  size_t n_heads = 0;
  size_t position = 0;
  size_t dim = 0;
  CacheView keys;
  CacheView values;
  float scale = 0;
};

// The slots, in the order of a layer. X(name, return type, parameters).
// clang-format off
#define TERN_KERNEL_SLOTS(X)                                                                       \
  /* Row `row` of a table as k floats (numerics 10). Requires: a type that head_rows takes; k a    \
     multiple of its block. */                                                                     \
  X(decode_row, void, (const HeadView& table, size_t row, float* y))                               \
  /* Quantizes a row to q6_k or i8 (numerics 10); *scale gets the unit of an i8 row. Requires: k a \
     multiple of the type's block; finite x. */                                                    \
  X(encode_row, void, (TensorType type, const float* x, size_t k, uint8_t* row, float* scale))     \
  /* The magnitudes of a row added in f64, ascending; not finite where one is not (numerics 15).   \
     Requires: table.type one of f32, f16, bf16. */                                                \
  X(sum_magnitudes, double, (const HeadView& table, size_t row))                                   \
  /* How n_weights floats become trits, by the sums of their rows (numerics 15). Requires:         \
     n_weights > 0. */                                                                             \
  X(absmean_scale, AbsmeanScale, (const double* row_sums, size_t n_rows, uint64_t n_weights))      \
  /* 1 / x: the scale that an inverse one means (numerics 15). */                                  \
  X(reciprocal, float, (float x))                                                                  \
  /* y = (x * r) * gain; false when the mean square is not finite (numerics 2). y may be x.        \
     Requires: n > 0. */                                                                           \
  X(rms_norm, bool, (const float* x, const float* gain, size_t n, float eps, float* y))            \
  /* y = x / |x|, zero for a zero vector; false when |x|^2 is not finite (numerics 14). y may be x. */\
  X(l2_normalize, bool, (const float* x, size_t n, float* y))                                      \
  /* int8 absmax; writes q[0, stride), zero from k on (numerics 3.1). Requires: k <= stride. */    \
  X(quantize_i8, QuantizedToken, (const float* x, size_t k, int8_t* q, size_t stride))             \
  /* int16 absmax in two planes; writes both up to stride (numerics 3.2). Requires: k <= stride. */\
  X(quantize_i16, QuantizedToken,                                                                  \
    (const float* x, size_t k, int8_t* high, int8_t* low, size_t stride))                          \
  /* rms_norm, then quantize_i8 of its result, in one pass over memory; `finite` is 0 where either \
     fails. */                                                                                     \
  X(norm_quantize_i8, QuantizedToken,                                                              \
    (const float* x, const float* gain, size_t n, float eps, int8_t* q, size_t stride))            \
  /* The same with quantize_i16. */                                                                \
  X(norm_quantize_i16, QuantizedToken,                                                             \
    (const float* x, const float* gain, size_t n, float eps, int8_t* high, int8_t* low,            \
     size_t stride))                                                                               \
  /* int4 absmean, as bytes in [-8, 7] (numerics 3.3); the rest as quantize_i8. Requires: k > 0. */\
  X(quantize_i4, QuantizedToken, (const float* x, size_t k, int8_t* q, size_t stride))             \
  /* rms_norm, then quantize_i4 of its result. */                                                  \
  X(norm_quantize_i4, QuantizedToken,                                                              \
    (const float* x, const float* gain, size_t n, float eps, int8_t* q, size_t stride))            \
  /* All but the `keep` largest magnitudes become +0.0; of equal ones the first are kept (numerics \
     3.4). Requires: finite x, 0 < keep <= n < 2^32. */                                            \
  X(keep_largest, void, (float* x, size_t n, size_t keep))                                         \
  /* y[t, r] for tokens t and the rows of tiles [begin, end) (numerics 4). Requires: packing t2 or \
     t5; a.n <= kVectorTokens; a.stride >= activation_stride(w.cols); w.cols <= 65536. */          \
  X(multiply_vector, void,                                                                         \
    (const TernaryView& w, const ActivationView& a, size_t tile_begin, size_t tile_end, float* y,  \
     size_t y_stride))                                                                             \
  /* y[t, rows[i]] for i in [begin, end), rows in any order; null rows: row i is i. Requires:      \
     packing t2r or t5r; the rest as multiply_vector. */                                           \
  X(multiply_rows, void,                                                                           \
    (const TernaryView& w, const ActivationView& a, const uint32_t* rows, size_t begin,            \
     size_t end, float* y, size_t y_stride))                                                       \
  /* Integer sums over the listed columns [begin, end) into `sums` [n_planes, column_sums_size(w)],\
     overwritten, in an order of the table's own that finish_columns knows, but each plane by      \
     itself: planes may be made by calls of their own. Requires: packing t2c or t5c; sums 64-byte  \
     aligned. */                                                                                   \
  X(multiply_columns, void,                                                                        \
    (const TernaryView& w, const ColumnInputs& in, size_t begin, size_t end, int32_t* sums))       \
  /* y[t, r] for the rows of units [begin, end) from n_parts sums of multiply_columns that together\
     saw every column whose activation is not zero; part p is at parts + p * part_stride. */       \
  X(finish_columns, void,                                                                          \
    (const TernaryView& w, const ActivationView& a, const int32_t* parts, size_t n_parts,          \
     size_t part_stride, size_t unit_begin, size_t unit_end, float* y, size_t y_stride))           \
  /* Lists first + i of every gate that is not (finite and <= 0): where relu2_mul may give other   \
     than zero. Returns how many. Shapes: rows [n]. */                                             \
  X(find_live_rows, size_t, (const float* gate, size_t n, uint32_t first, uint32_t* rows))         \
  /* Lists the columns i of q[i] != 0 and those q[i]; returns how many. Shapes: columns, values    \
     [n + 63]: what lies beyond the count is overwritten. */                                       \
  X(find_nonzero, size_t, (const int8_t* q, size_t n, uint32_t* columns, int8_t* values))          \
  /* Bytes that pack_tokens needs for n tokens of k columns. */                                    \
  X(packed_tokens_bytes, size_t, (size_t n, size_t k))                                             \
  /* Lays out tokens [begin, end) for multiply_matrix. Requires: begin a multiple of token_tile,   \
     end one too or a.n; `packed` of packed_tokens_bytes(a.n, k), 64-byte aligned. */              \
  X(pack_tokens, void,                                                                             \
    (const ActivationView& a, size_t k, size_t begin, size_t end, int8_t* packed))                 \
  /* y[t, r] for any number of tokens and the rows of units [begin, end), from any packing.        \
     Requires: `packed` by pack_tokens for all tokens; `scratch` of matrix_scratch_bytes, 64-byte  \
     aligned, for this call alone. */                                                              \
  X(multiply_matrix, void,                                                                         \
    (const TernaryView& w, const ActivationView& a, const int8_t* packed, size_t unit_begin,       \
     size_t unit_end, float* y, size_t y_stride, void* scratch))                                   \
  /* y = y + x (numerics 7). */                                                                    \
  X(add, void, (const float* x, size_t n, float* y))                                               \
  /* x = x * factor (numerics 10). */                                                              \
  X(scale, void, (float factor, size_t n, float* x))                                               \
  /* sqrt(model_dim) (numerics 10). Requires: model_dim > 0. */                                    \
  X(embedding_scale, float, (size_t model_dim))                                                    \
  /* Gated activations: y = act(gate) * up; y may be gate or up. A gate that is not finite leaves  \
     a value that is not finite; relu2_mul does not look at `up` where the gate is finite and <= 0 \
     (numerics 6). */                                                                              \
  X(relu2_mul, void, (const float* gate, const float* up, size_t n, float* y))                     \
  X(silu_mul, void, (const float* gate, const float* up, size_t n, float* y))                      \
  X(gelu_mul, void, (const float* gate, const float* up, size_t n, float* y))                      \
  /* inv_freq[p] = base^(-2p/dim) / factors[p] / linear_factor; factors may be null (8.1).         \
     Requires: all positive and normal, base < 1e300. Shapes: inv_freq and factors [dim / 2]. */   \
  X(rope_frequencies, void,                                                                        \
    (double base, double linear_factor, const float* factors, size_t dim, double* inv_freq))       \
  /* cos and sin of position * inv_freq[p], p < n (numerics 8.2). Requires: each product in        \
     [0, 2^20), as from a base and factors of at least 1 and positions below 2^20. */              \
  X(rope_angles, void,                                                                             \
    (uint32_t position, const double* inv_freq, size_t n, float* cos, float* sin))                 \
  /* Rotates one head in place: pairs (p, p + n) or (2p, 2p + 1), p < n (numerics 8.3). */         \
  X(rope_halves, void, (float* x, const float* cos, const float* sin, size_t n))                   \
  X(rope_pairs, void, (float* x, const float* cos, const float* sin, size_t n))                    \
  /* Rounds to binary16; false when a result is not finite (numerics 9.1). */                      \
  X(to_f16, bool, (const float* x, size_t n, uint16_t* y))                                         \
  /* int8 absmax with its unit rounded to binary16; false when it is not finite (numerics 9.1). */ \
  X(to_i8, bool, (const float* x, size_t n, int8_t* y, uint16_t* scale))                           \
  /* The same in 4 or 3 bits, packed into a row of cache_row_bytes (numerics 9.1). Requires: type i4\
     or i3. */                                                                                     \
  X(to_packed, bool,                                                                               \
    (CacheType type, const float* x, size_t n, uint8_t* row, uint16_t* scale))                     \
  /* codes [n, dim] of n packed rows that lie one behind the other. Requires: type i4 or i3. */    \
  X(unpack_codes, void,                                                                            \
    (CacheType type, const uint8_t* rows, size_t n, size_t dim, int8_t* codes))                    \
  /* 1 / sqrt(head_dim) (numerics 9.2). Requires: head_dim > 0. */                                 \
  X(attention_scale, float, (size_t head_dim))                                                     \
  /* scores[j] = dot(q, k_j) * scale for j < n (numerics 9.2). */                                  \
  X(qk_f16, void,                                                                                  \
    (const float* q, CacheView keys, size_t n, size_t dim, float scale, float* scores))            \
  /* In place s[j] = exp(s[j] - max s); returns the sum. A score that is not finite makes the sum  \
     NaN and leaves s as it was (numerics 9.3). Requires: n > 0. */                                \
  X(softmax_exp, float, (float* s, size_t n))                                                      \
  /* y[d] = (sum over j of weights[j] * v_j[d]) * (1 / sum), d < dim (numerics 9.4). */            \
  X(pv_f16, void,                                                                                  \
    (const float* weights, float sum, CacheView values, size_t n, size_t dim, float* y))           \
  /* Attention (numerics 9): y[t * y_stride + h * dim + d] of a.n_tokens tokens and a.n_heads heads;\
     NaN where a score is not finite. Requires: any caches but f32; `scratch` of                   \
     attention_scratch_bytes, 64-byte aligned, for this call alone; dim <= 65536. */               \
  X(attend, void, (const AttentionView& a, float* y, size_t y_stride, void* scratch))              \
  /* The same for caches of f32. */                                                                \
  X(attend_f32, void, (const AttentionView& a, float* y, size_t y_stride, void* scratch))          \
  /* Attention of one token in steps that threads share: scores[h * row + j] of positions j in     \
     [begin, end); those up to a multiple of 16 may change too. Requires: what attend does; a.n_tokens\
     = 1; row >= attention_row(a.position + 1); begin a multiple of kAttentionChunk, end one too or\
     a.position + 1. */                                                                            \
  X(attend_scores, void,                                                                           \
    (const AttentionView& a, size_t begin, size_t end, float* scores, size_t row, void* scratch))  \
  /* Of weights that softmax_exp made of a head's scores: the sum over each chunk of positions j in\
     [begin, end), parts[j / kAttentionChunk * part_stride + h * dim + d]. The rest as             \
     attend_scores. */                                                                             \
  X(attend_values, void,                                                                           \
    (const AttentionView& a, size_t begin, size_t end, float* weights, size_t row, float* parts,   \
     size_t part_stride, void* scratch))                                                           \
  /* y[d] = (the sum over parts, ascending) * (1 / sum), of one head, d < dim (numerics 9.4). */   \
  X(attend_merge, void,                                                                            \
    (const float* parts, size_t part_stride, size_t n_parts, float sum, size_t dim, float* y))     \
  /* Scratch of one attend call that sees n_positions at most; grows with each argument. */        \
  X(attention_scratch_bytes, size_t,                                                               \
    (size_t n_tokens, size_t n_heads, size_t n_positions, size_t dim))                             \
  /* logits[t * stride + r - begin] of tokens t and head rows [begin, end) (numerics 11). Requires:\
     type one of f32, f16, bf16 (reads input.x), q8_0, q4_0, q4_k, q6_k, tq1_0, tq2_0, i2_s, q1_0, \
     q2_0, q2_0_g128, i8, i8_planes (reads input.codes); head.k a multiple of its block, of i8 at most\
     65536. Rows need no alignment. */                                                             \
  X(head_rows, void,                                                                               \
    (const HeadView& head, const HeadInput& input, size_t begin, size_t end, float* logits,        \
     size_t logits_stride))                                                                        \
  /* How far a sum over a row can be from the middle of what its unread planes allow, for          \
     activations of length 1 (numerics 11.1): sqrt(squares) / 2, rounded up. */                    \
  X(plane_norm, float, (uint32_t squares))                                                         \
  /* The length of one token's activations, rounded up, or, `likely`, kLikelyDistance / sqrt(k) of  \
     it (numerics 11.1). */                                                                        \
  X(plane_reach, double, (const ActivationView& a, size_t k, bool likely))                         \
  /* dots[r] += what plane `plane` adds to the sum of u * v, for r = rows[i], i in [begin, end); null\
     rows: r is i; plane 0 begins the sums (numerics 11.1). Requires: type i8_planes; a.n = 1. */   \
  X(plane_dots, void,                                                                              \
    (const HeadView& head, size_t plane, const ActivationView& a, const uint32_t* rows,            \
     size_t begin, size_t end, double* dots))                                                      \
  /* lows[r] and highs[r], between which the logit is, from the first n_known planes' dots[r]; both \
     the logit from all (numerics 11.1). The rest as plane_dots; reach by plane_reach. */           \
  X(plane_bounds, void,                                                                            \
    (const HeadView& head, size_t n_known, const ActivationView& a, double reach,                  \
     const uint32_t* rows, size_t begin, size_t end, const double* dots, float* lows,              \
     float* highs))                                                                                \
  /* Whether all of x is finite. */                                                                \
  X(all_finite, bool, (const float* x, size_t n))                                                  \
  /* One logit after the repetition penalty (numerics 12). Requires: penalty > 0. */               \
  X(penalize, float, (float logit, float penalty))                                                 \
  /* Weights in [0, 1] of candidates, the first of which has the largest logit and weight 1        \
     (numerics 12); weights may be logits. Requires: n > 0; finite logits; temperature finite and  \
     > 0. */                                                                                       \
  X(sampling_weights, void, (const float* logits, size_t n, float temperature, float* weights))    \
  /* How many candidates to keep: 1 to n (numerics 12). Requires: n > 0; weights by                \
     sampling_weights; a finite threshold. */                                                      \
  X(top_p_count, size_t, (const float* weights, size_t n, float top_p))                            \
  X(min_p_count, size_t, (const float* weights, size_t n, float min_p))                            \
  /* A candidate of weight > 0, or 0 when there is none (numerics 12). Requires: n > 0. */         \
  X(draw, size_t, (const float* weights, size_t n, uint64_t random_bits))                          \
  /* Natural log of the softmax probability of one logit; NaN when a logit is not finite (numerics \
     13). Requires: index < n; scratch of n floats. */                                             \
  X(log_prob, double, (const float* logits, size_t n, size_t index, float* scratch))   \
  /* The machine's limits, for benchmarks: reads n bytes, a multiple of 256, as fast as this table \
     can; returns a sum of them. */                                                                \
  X(probe_read, uint64_t, (const uint8_t* bytes, size_t n))                                        \
  /* The same for the int8 dot unit in registers: `rounds` rounds; returns the multiply-adds done. \
     `sink` gets a sum that depends on all of them. */                                             \
  X(probe_dot, uint64_t, (size_t rounds, int32_t* sink))
// clang-format on

/// One instruction set's kernels. In a raw table a null slot is inherited from `base` and its
/// bases, then from `scalar`; a resolved table (registry.hpp) has none.
struct KernelTable {
  const char* isa = nullptr;    ///< name by feature, as `--isa` spells it
  CpuFeatureMask features = 0;  ///< what the CPU and the OS must offer, all of the base's too
  const KernelTable* base = nullptr;
  Packing packing = Packing::t2;    ///< t2 or t5: what keeps up with memory best
  size_t token_tile = 1;            ///< tokens that pack_tokens interleaves
  size_t matrix_scratch_bytes = 0;  ///< scratch of one multiply_matrix call, 64-byte aligned
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
