// The ternary types of ik_llama.cpp: rows that begin with their scale, then blocks of 64 trits.
//
// Room: quant. IQ1_BN: a binary16, then 13 bytes a block, five trits a byte; IQ2_BN: a binary32,
// then 16 bytes a block, four trits a byte; IQ2_BN_R4: the same trits, four rows interleaved. All
// codecs have one form:
//
//     kElems, kBytes, kHeaderBytes    elements and bytes of a block, bytes before the first
//     scale_bits(row)                 binary32 bits of the scale, from the row's start
//     decode_u, encode_u              64 trits of a block
#pragma once

#include "tern/quant/block_codec.hpp"

TERN_NAMESPACE_BEGIN

/// One row of a type with a scale a row.
template <TensorType type>
struct RowScaledCodec;

/// Byte 3i + k holds elements 16i + 5k to 16i + 5k + 4 and byte 12 the elements 16i + 15, as
/// T5Code but with the first element least significant.
template <>
struct RowScaledCodec<TensorType::iq1_bn> {
  static constexpr size_t kElems = 64;
  static constexpr size_t kBytes = 13;
  static constexpr size_t kHeaderBytes = 2;

  static TERN_ALWAYS_INLINE uint32_t scale_bits(const uint8_t* row) {
    return f32_bits_from_f16(detail::load_u16(row));
  }
  /// Shapes: u [64].
  static TERN_ALWAYS_INLINE void decode_u(const uint8_t* block, uint8_t* u) {
    for (size_t i = 0; i < 4; ++i) {
      for (size_t e = 0; e < 15; ++e) {
        u[16 * i + e] = T5Code::digit(block[3 * i + e / 5], 4 - e % 5);
      }
      u[16 * i + 15] = T5Code::digit(block[12], 4 - i);
    }
  }
  /// Shapes: u [64]. Requires: every u <= 2.
  static TERN_ALWAYS_INLINE void encode_u(const uint8_t* u, uint8_t* block) {
    uint8_t last[5] = {};
    for (size_t i = 0; i < 4; ++i) {
      for (size_t k = 0; k < 3; ++k) {
        uint8_t five[5];
        for (size_t j = 0; j < 5; ++j) five[4 - j] = u[16 * i + 5 * k + j];
        block[3 * i + k] = T5Code::encode(five, 1);
      }
      last[4 - i] = u[16 * i + 15];
    }
    block[12] = T5Code::encode(last, 1);
  }
};

/// Byte j holds elements j, j + 16, j + 32, j + 48. Code 3 gives u = 3.
template <>
struct RowScaledCodec<TensorType::iq2_bn> {
  static constexpr size_t kElems = 64;
  static constexpr size_t kBytes = 16;
  static constexpr size_t kHeaderBytes = 4;

  static TERN_ALWAYS_INLINE uint32_t scale_bits(const uint8_t* row) {
    return detail::load_u32(row);
  }
  /// Shapes: u [64].
  static TERN_ALWAYS_INLINE void decode_u(const uint8_t* block, uint8_t* u) {
    for (size_t j = 0; j < 16; ++j) T2Code::decode(block[j], u + j, 16);
  }
  /// Shapes: u [64]. Requires: every u <= 2.
  static TERN_ALWAYS_INLINE void encode_u(const uint8_t* u, uint8_t* block) {
    for (size_t j = 0; j < 16; ++j) block[j] = T2Code::encode(u + j, 16);
  }
};

/// Four rows: their binary32 scales, then 64 bytes for 64 columns of each. Byte 4k + i + 16l holds
/// columns 16l + i, + 4, + 8, + 12 of row k.
struct FourRowCodec {
  static constexpr size_t kElems = 64;
  static constexpr size_t kBytes = 64;
  static constexpr size_t kHeaderBytes = 16;

  static TERN_ALWAYS_INLINE uint32_t scale_bits(const uint8_t* rows, size_t k) {
    return detail::load_u32(rows + 4 * k);
  }
  /// Shapes: u [64], of row k.
  static TERN_ALWAYS_INLINE void decode_u(const uint8_t* block, size_t k, uint8_t* u) {
    for (size_t l = 0; l < 4; ++l) {
      for (size_t i = 0; i < 4; ++i) {
        T2Code::decode(block[4 * k + i + 16 * l], u + 16 * l + i, 4);
      }
    }
  }
  /// Shapes: u [64], of row k. Requires: every u <= 2.
  static TERN_ALWAYS_INLINE void encode_u(const uint8_t* u, size_t k, uint8_t* block) {
    for (size_t l = 0; l < 4; ++l) {
      for (size_t i = 0; i < 4; ++i) {
        block[4 * k + i + 16 * l] = T2Code::encode(u + 16 * l + i, 4);
      }
    }
  }
};

TERN_NAMESPACE_END
