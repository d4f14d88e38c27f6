// The problem on which a table must give the bits of `scalar` before a model uses it.
//
// Room: kernels. Small enough for every load (tens of microseconds), with odd sizes, both signs,
// and every slot at least once. Only registry.cpp includes this.
#pragma once

#include <cstring>

#include "tern/base/half.hpp"
#include "tern/kernels/kernel_table.hpp"

TERN_NAMESPACE_BEGIN

/// What is computed with, the same for every table.
struct SelfTestInputs {
  static constexpr size_t kRows = 19;
  static constexpr size_t kCols = 70;
  static constexpr size_t kTokens = 3;
  static constexpr size_t kGroups = 3;  // of 32 columns
  static constexpr size_t kPositions = 8;

  float x[kTokens][kCols];
  float gain[kCols];
  float scales[kRows * kGroups];
  uint8_t tiles[2 * 5 * 64];

  SelfTestInputs() {
    uint32_t state = 1;
    const auto next = [&state] { return (state = state * 1664525u + 1013904223u) >> 8; };
    // Magnitudes from 1/8 to 1 by their bits.
    const auto half = [&next] { return static_cast<uint16_t>(0x3000u | (next() & 0x0BFFu)); };
    for (auto& token : x) {
      for (float& v : token) {
        v = f32_from_f16(static_cast<uint16_t>(half() | (next() & 0x8000u)));
      }
    }
    for (float& v : gain) v = f32_from_f16(half());
    for (float& v : scales) v = f32_from_f16(half());
    for (uint8_t& byte : tiles) byte = static_cast<uint8_t>(next());
  }

  TernaryView matrix(ScaleKind kind) const {
    TernaryView w;
    w.tiles = tiles;
    w.rows = kRows;
    w.cols = kCols;
    w.scale_kind = kind;
    w.group_cols = kind == ScaleKind::group ? 32 : 0;
    w.scales = scales;
    return w;
  }
};

/// What a table makes of the inputs, compared byte by byte.
struct SelfTestOutputs {
  using In = SelfTestInputs;
  static constexpr size_t kStride = activation_stride(In::kCols);

  float decoded[In::kRows];
  float normed[In::kTokens][In::kCols];
  int8_t q[In::kTokens][kStride];
  int8_t high[kStride];
  int8_t low[kStride];
  QuantizedToken tokens[In::kTokens];
  QuantizedToken token16;
  float y[In::kTokens][In::kRows];         // int8 activations, a scale a tensor
  float y_matrix[In::kTokens][In::kRows];  // int8 activations, a scale a row
  float y_groups[In::kTokens][In::kRows];
  float y16[In::kRows];
  float sum[In::kCols];
  float relu2[In::kRows];
  float silu[In::kRows];
  double inv_freq[In::kRows / 2];
  float cos[In::kRows / 2];
  float sin[In::kRows / 2];
  float halves[In::kRows];
  float pairs[In::kRows];
  uint16_t keys[In::kPositions][In::kRows];
  float attention_scale;
  float scores[In::kPositions];
  float exp_sum;
  float mixed[In::kRows];
  float logits[In::kPositions];
  float penalized[2];
  float weights[In::kPositions];
  size_t counts[3];
  double log_prob;
  bool flags[4];

  /// False when the table asks for more memory than any should.
  bool run(const KernelTable& k, const In& in) {
    std::memset(static_cast<void*>(this), 0, sizeof(*this));
    bool& finite = flags[0];
    finite = k.all_finite(in.x[0], In::kCols);
    for (size_t t = 0; t < In::kTokens; ++t) {
      finite = k.rms_norm(in.x[t], in.gain, In::kCols, 0x1p-17f, normed[t]) && finite;
      tokens[t] = k.quantize_i8(normed[t], In::kCols, q[t], kStride);
    }
    token16 = k.quantize_i16(in.x[0], In::kCols, high, low, kStride);
    if (!run_products(k, in)) return false;
    std::memcpy(sum, in.x[1], sizeof(sum));
    k.add(in.x[0], In::kCols, sum);
    k.relu2_mul(y[0], y[1], In::kRows, relu2);
    k.silu_mul(y[0], y[1], In::kRows, silu);
    run_attention(k);
    run_sampling(k);
    return true;
  }

 private:
  bool run_products(const KernelTable& k, const In& in) {
    const ActivationView a{q[0], nullptr, tokens, kStride, In::kTokens};
    const ActivationView a16{high, low, &token16, kStride, 1};
    k.multiply_vector(in.matrix(ScaleKind::tensor), a, 0, 2, y[0], In::kRows);
    k.multiply_vector(in.matrix(ScaleKind::group), a, 0, 2, y_groups[0], In::kRows);
    k.multiply_vector(in.matrix(ScaleKind::row), a16, 0, 2, y16, In::kRows);
    alignas(64) int8_t packed[8 * 1024];
    alignas(64) uint8_t scratch[32 * 1024];
    if (k.packed_tokens_bytes(In::kTokens, In::kCols) > sizeof(packed)) return false;
    if (k.matrix_scratch_bytes > sizeof(scratch)) return false;
    std::memset(packed, 0, sizeof(packed));
    k.pack_tokens(a, In::kCols, 0, In::kTokens, packed);
    k.multiply_matrix(in.matrix(ScaleKind::row), a, packed, 0, 2, y_matrix[0], In::kRows, scratch);
    return true;
  }

  void run_attention(const KernelTable& k) {
    constexpr size_t kPairs = In::kRows / 2;
    k.rope_frequencies(10000.0, 1.0, nullptr, 2 * kPairs, inv_freq);
    k.rope_angles(77, inv_freq, kPairs, cos, sin);
    std::memcpy(halves, y[0], sizeof(halves));
    std::memcpy(pairs, y[0], sizeof(pairs));
    k.rope_halves(halves, cos, sin, kPairs);
    k.rope_pairs(pairs, cos, sin, kPairs);
    flags[1] = true;
    for (size_t j = 0; j < In::kPositions; ++j) {
      flags[1] = k.to_f16(normed[0] + j, In::kRows, keys[j]) && flags[1];
    }
    attention_scale = k.attention_scale(In::kRows);
    k.qk_f16(y[2], {keys[0], In::kRows}, In::kPositions, In::kRows, 0.25f, scores);
    exp_sum = k.softmax_exp(scores, In::kPositions);
    k.pv_f16(scores, exp_sum, {keys[0], In::kRows}, In::kPositions, In::kRows, mixed);
  }

  void run_sampling(const KernelTable& k) {
    const auto* rows = reinterpret_cast<const uint8_t*>(keys[0]);
    k.decode_row(TensorType::f16, rows, In::kRows, decoded);
    const HeadView head{TensorType::f16, rows, sizeof(keys[0]), In::kRows};
    k.head_rows(head, {y[1], {}}, 0, In::kPositions, logits);
    penalized[0] = k.penalize(1.5f, 1.25f);
    penalized[1] = k.penalize(-1.5f, 1.25f);
    const float descending[In::kPositions] = {3, 2.5f, 2, 1.5f, 1, 0.5f, 0, -4};
    k.sampling_weights(descending, In::kPositions, 0.75f, weights);
    counts[0] = k.top_p_count(weights, In::kPositions, 0.75f);
    counts[1] = k.min_p_count(weights, In::kPositions, 0.25f);
    counts[2] = k.draw(weights, In::kPositions, uint64_t{3} << 62);
    float scratch[In::kPositions];
    log_prob = k.log_prob(descending, In::kPositions, 2, scratch);
  }
};

TERN_NAMESPACE_END
