// The inputs of the self-test (self_test.hpp): fixed numbers, the same for every table and machine.
//
// Room: kernels.
#pragma once

#include "tern/base/half.hpp"
#include "tern/kernels/kernel_table.hpp"
#include "tern/quant/trit_tiles.hpp"

TERN_NAMESPACE_BEGIN

/// What is computed with, the same for every table and machine.
struct SelfTestInputs {
  static constexpr size_t kRows = 19;  // a whole tile and a partial one
  static constexpr size_t kCols = 70;
  static constexpr size_t kTokens = 8;
  static constexpr size_t kGroups = 3;  // of 32 columns
  static constexpr size_t kWideCols = 1044;
  static constexpr size_t kWideTokens = 13;
  static constexpr size_t kWideBlocks = (kWideCols + 15) / 16;
  static constexpr size_t kBlockCols = 256;  // of stored rows of blocks
  static constexpr size_t kHeadRows = 5;
  static constexpr size_t kPositions = 260;  // more than a chunk
  static_assert(kWideBlocks <= kCols);

  struct BlockType {
    TensorType type;
    size_t block_elems;
    size_t block_bytes;
    size_t scale_at;  // of its binary16 in a block
    size_t n_scales;  // one after the other
    size_t row_bytes() const { return kBlockCols / block_elems * block_bytes; }
  };
  static constexpr BlockType kBlockTypes[] = {
      {TensorType::q8_0, 32, 34, 0, 1},    {TensorType::q4_0, 32, 18, 0, 1},
      {TensorType::q4_k, 256, 144, 0, 2},  {TensorType::q6_k, 256, 210, 208, 1},
      {TensorType::tq1_0, 256, 54, 52, 1}, {TensorType::tq2_0, 256, 66, 64, 1},
      {TensorType::i2_s, 128, 32, 0, 0},   {TensorType::q1_0, 128, 18, 0, 1},
      {TensorType::q2_0, 64, 18, 0, 1},    {TensorType::q2_0_g128, 128, 34, 0, 1}};
  static constexpr size_t kMostRowBytes = 8 * 34;

  float x[1200];  // tokens are overlapping pieces
  float gain[kCols];
  float scales[kRows * kGroups];
  uint16_t bf16[kHeadRows * kCols];
  uint16_t units[kPositions];  // positive
  uint8_t tiles[kCols * 64];   // a block for each column, enough for every packing
  uint8_t blocks[std::size(kBlockTypes)][2][kMostRowBytes];

  const float* token(size_t t) const { return x + 7 * t; }

  void fill() {
    uint32_t state = 1;
    const auto next = [&state] { return (state = state * 1664525u + 1013904223u) >> 8; };
    // Magnitudes from 1/8 to 1 by their bits.
    const auto half = [&next] { return static_cast<uint16_t>(0x3000u | (next() & 0x0BFFu)); };
    for (float& v : x) v = f32_from_f16(static_cast<uint16_t>(half() | (next() & 0x8000u)));
    for (float& v : gain) v = f32_from_f16(half());
    for (float& v : scales) v = f32_from_f16(half());
    for (uint16_t& v : bf16) v = static_cast<uint16_t>(0x3E00u | (next() & 0x81FFu));
    for (uint16_t& v : units) v = half();
    for (uint8_t& byte : tiles) byte = static_cast<uint8_t>(next());
    for (size_t i = 0; i < std::size(kBlockTypes); ++i) {
      const BlockType& type = kBlockTypes[i];
      for (auto& row : blocks[i]) {
        for (uint8_t& byte : row) byte = static_cast<uint8_t>(next());
        for (size_t at = type.scale_at; at < type.row_bytes(); at += type.block_bytes) {
          for (size_t byte = at; byte < at + 2 * type.n_scales; byte += 2) {
            const uint16_t d = half();
            row[byte] = static_cast<uint8_t>(d & 0xFF);
            row[byte + 1] = static_cast<uint8_t>(d >> 8);
          }
        }
      }
    }
  }

  TernaryView matrix(ScaleKind kind, Packing packing = Packing::t2) const {
    TernaryView w;
    w.data = tiles;
    w.packing = packing;
    w.rows = kRows;
    w.cols = kCols;
    w.scale_kind = kind;
    w.group_cols = kind == ScaleKind::group ? 32 : 0;
    w.scales = scales;
    return w;
  }
  /// One tile of many columns. Scales of groups may have either sign here.
  TernaryView wide_matrix(ScaleKind kind) const {
    TernaryView w = matrix(kind);
    w.rows = kTileRows;
    w.cols = kWideCols;
    w.group_cols = kind == ScaleKind::group ? 128 : 0;
    if (kind == ScaleKind::group) w.scales = x;
    return w;
  }
};

TERN_NAMESPACE_END
