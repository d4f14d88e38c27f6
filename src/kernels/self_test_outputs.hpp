// What the self-test compares: the bytes of everything that a table computes.
//
// Room: kernels.
#pragma once

#include <iterator>

#include "kernels/self_test_inputs.hpp"
#include "tern/kernels/kernel_table.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// What a table makes of the inputs. Types have one size on every machine, wide ones come first,
/// and what a table does not write is zero, so that the bytes can be compared.
struct SelfTestOutputs {
  using In = SelfTestInputs;
  static constexpr size_t kStride = activation_stride(In::kCols);
  static constexpr size_t kWideStride = activation_stride(In::kWideCols);
  static constexpr size_t kBlockStride = activation_stride(In::kBlockCols);
  static constexpr size_t kPairs = In::kCols / 2;
  static constexpr size_t kPositions = In::kPositions;
  static constexpr size_t kHeadDim = 64;
  static constexpr size_t kPackedDim = 128;  // of packed rows, which some tables read in registers
  static constexpr size_t kCacheStride = 3;  // positions overlap
  static constexpr size_t kCacheSize = kPositions * kCacheStride + kHeadDim;
  static constexpr size_t kCandidates = 8;
  static constexpr size_t kPlaneTestRows = 17;  // one more than a batch of any table

  double plane_reach[2];
  double plane_dots[kPlaneTestRows];
  double inv_freq[kPairs];
  double row_sums[In::kHeadRows];
  double log_prob;
  uint64_t counts[5];
  uint64_t reports;  // a bit for each
  QuantizedToken tokens[In::kTokens];
  QuantizedToken tokens16[In::kTokens];
  QuantizedToken wide_tokens[In::kWideTokens];
  QuantizedToken block_token;
  QuantizedToken fused_token;
  QuantizedToken fused_token16;
  QuantizedToken token4;
  QuantizedToken fused_token4;
  float normed[In::kTokens][In::kCols];
  float y[2][In::kTokens][In::kRows];  // int8, a scale a tensor; 8 tokens, then 7
  float y_groups[In::kTokens][In::kRows];
  float y16[In::kTokens][In::kRows];          // int16, a scale a row
  float y_matrix[2][In::kTokens][In::kRows];  // int8, int16
  float y_wide[2][In::kWideTokens][kTileRows];
  float y_wide_groups[2][kTileRows];
  float y_wide_group_matrix[In::kWideTokens][kTileRows];
  float y_fives[2][In::kTokens][In::kRows];       // T5 tiles: vector, matrix
  float y_rows[2][2][In::kTokens][In::kRows];     // T2R, T5R: listed, matrix
  float y_columns[2][2][In::kTokens][In::kRows];  // T2C, T5C: listed, matrix
  float sum[In::kCols];
  float relu2[In::kCols];
  float silu[In::kCols];
  float gelu[In::kCols];
  float scaled[In::kCols];
  float largest[In::kCols];
  float unit_vector[In::kCols];
  float cos[kPairs];
  float sin[kPairs];
  float halves[2 * kPairs];
  float pairs[2 * kPairs];
  float attention_scale;
  float embedding_scale;
  AbsmeanScale absmean;
  float inverse_scale;
  float scores[2][kPositions];
  float exp_sums[2];
  float mixed[2][kHeadDim];
  float attended[3][2][2 * kHeadDim];  // f16, i8, f32; two tokens of two heads
  float merged[4][2 * kPackedDim];     // f16, i8, i4, i3; one token of two heads, in steps
  float decoded[3][In::kRows];
  float decoded_blocks[std::size(In::kBlockTypes)][In::kBlockCols];
  float logits[3][In::kHeadRows];
  float block_logits[std::size(In::kBlockTypes)][2];
  float encoded_logits[2];
  float plane_rests[kPlaneTestRows][2];
  float plane_lows[kPlanes][kPlaneTestRows];
  float plane_highs[kPlanes][kPlaneTestRows];
  float plane_logits[kPlaneTestRows];
  float decoded_plane[In::kBlockCols];
  float encoded_unit;
  float penalized[2];
  float weights[kCandidates];
  uint16_t cache[kCacheSize];
  uint16_t unit;
  uint32_t listed[2][128];
  int8_t listed_values[128];
  int8_t fused[kStride];
  int8_t fused_high[kStride];
  int8_t fused_low[kStride];
  int8_t codes4[2][kStride];
  int8_t cached[kHeadDim];
  uint8_t packed_rows[2][kHeadDim];  // i4, i3
  uint16_t packed_units[2];
  int8_t unpacked[2][kHeadDim];
  uint8_t encoded[2][256];
  int8_t q[In::kTokens][kStride];
  int8_t high[In::kTokens][kStride];
  int8_t low[In::kTokens][kStride];
  int8_t wide_high[In::kWideTokens][kWideStride];
  int8_t wide_low[In::kWideTokens][kWideStride];
  int8_t block_high[kBlockStride];
  int8_t block_low[kBlockStride];

  uint64_t checksum() const {
    const auto* bytes = reinterpret_cast<const uint8_t*>(this);
    uint64_t hash = 0xCBF29CE484222325u;
    for (size_t i = 0; i < sizeof(*this); ++i) hash = (hash ^ bytes[i]) * 0x100000001B3u;
    return hash;
  }
};

TERN_NAMESPACE_END
