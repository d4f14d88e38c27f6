// The block codecs of the quantized tensor types: bytes on disk to integers and bits of a scale.
//
// Room: quant. Element i of a block is  d * sub_scales[i / kSubElems] * codes[i]  with d a
// binary16; the products are float arithmetic and belong to the kernels, so a codec stops at the
// integers. All codecs have one form:
//
//     kElems, kBytes    elements and bytes of a block
//     kSubElems         elements that share a sub-scale; kElems where there is none (it is 1)
//     kScaleAt          where the binary16 is
//     decode(block, codes, d_bits, sub_scales)
//
// Q4_K takes off  dmin * mins[i / kSubElems]  besides. Types of trits (TQ1_0, TQ2_0, Q2_0, Q1_0,
// I2_S) also decode to and encode from u = t + 1; where two bits are a trit, kCodesAt and
// kCodeBytes say which bytes are. Float types have FloatCodec.
#pragma once

#include <cstring>

#include "tern/base/half.hpp"
#include "tern/quant/tensor_type.hpp"
#include "tern/quant/trit.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {
TERN_ALWAYS_INLINE uint16_t load_u16(const uint8_t* bytes) {
  return static_cast<uint16_t>(bytes[0] | (bytes[1] << 8));
}
TERN_ALWAYS_INLINE void store_u16(uint16_t value, uint8_t* bytes) {
  bytes[0] = static_cast<uint8_t>(value & 0xFF);
  bytes[1] = static_cast<uint8_t>(value >> 8);
}
TERN_ALWAYS_INLINE uint32_t load_u32(const uint8_t* bytes) {
  return static_cast<uint32_t>(load_u16(bytes)) |
         (static_cast<uint32_t>(load_u16(bytes + 2)) << 16);
}
TERN_ALWAYS_INLINE void store_u32(uint32_t value, uint8_t* bytes) {
  store_u16(static_cast<uint16_t>(value & 0xFFFF), bytes);
  store_u16(static_cast<uint16_t>(value >> 16), bytes + 2);
}
}  // namespace detail

/// One element of a float type: its own bits, sign highest, and its exact binary32 bits.
template <TensorType type>
struct FloatCodec;

template <>
struct FloatCodec<TensorType::f32> {
  using Bits = uint32_t;
  static constexpr size_t kBytes = 4;
  static TERN_ALWAYS_INLINE Bits load(const uint8_t* at) { return detail::load_u32(at); }
  static TERN_ALWAYS_INLINE uint32_t widen(Bits bits) { return bits; }
  static TERN_ALWAYS_INLINE uint32_t f32_bits(const uint8_t* at) { return widen(load(at)); }
};
template <>
struct FloatCodec<TensorType::f16> {
  using Bits = uint16_t;
  static constexpr size_t kBytes = 2;
  static TERN_ALWAYS_INLINE Bits load(const uint8_t* at) { return detail::load_u16(at); }
  static TERN_ALWAYS_INLINE uint32_t widen(Bits bits) { return f32_bits_from_f16(bits); }
  static TERN_ALWAYS_INLINE uint32_t f32_bits(const uint8_t* at) { return widen(load(at)); }
};
template <>
struct FloatCodec<TensorType::bf16> {
  using Bits = uint16_t;
  static constexpr size_t kBytes = 2;
  static TERN_ALWAYS_INLINE Bits load(const uint8_t* at) { return detail::load_u16(at); }
  static TERN_ALWAYS_INLINE uint32_t widen(Bits bits) { return f32_bits_from_bf16(bits); }
  static TERN_ALWAYS_INLINE uint32_t f32_bits(const uint8_t* at) { return widen(load(at)); }
};

/// One block of a quantized type.
template <TensorType type>
struct BlockCodec;

/// 32 int8 after their scale.
template <>
struct BlockCodec<TensorType::q8_0> {
  static constexpr size_t kElems = 32;
  static constexpr size_t kBytes = 34;
  static constexpr size_t kSubElems = kElems;
  static constexpr size_t kScaleAt = 0;

  static TERN_ALWAYS_INLINE void decode(const uint8_t* block, int8_t* codes, uint16_t& d_bits,
                                        int8_t* sub_scales) {
    d_bits = detail::load_u16(block);
    sub_scales[0] = 1;
    for (size_t i = 0; i < kElems; ++i) codes[i] = static_cast<int8_t>(block[2 + i]);
  }
};

/// Nibbles less 8: byte j holds element j low and element j + 16 high.
template <>
struct BlockCodec<TensorType::q4_0> {
  static constexpr size_t kElems = 32;
  static constexpr size_t kBytes = 18;
  static constexpr size_t kSubElems = kElems;
  static constexpr size_t kScaleAt = 0;

  static TERN_ALWAYS_INLINE void decode(const uint8_t* block, int8_t* codes, uint16_t& d_bits,
                                        int8_t* sub_scales) {
    d_bits = detail::load_u16(block);
    sub_scales[0] = 1;
    for (size_t j = 0; j < 16; ++j) {
      codes[j] = static_cast<int8_t>((block[2 + j] & 15) - 8);
      codes[j + 16] = static_cast<int8_t>((block[2 + j] >> 4) - 8);
    }
  }
};

/// Six bits less 32: 128 bytes of low nibbles, 64 of high pairs, 16 int8 sub-scales, then d.
template <>
struct BlockCodec<TensorType::q6_k> {
  static constexpr size_t kElems = 256;
  static constexpr size_t kBytes = 210;
  static constexpr size_t kSubElems = 16;
  static constexpr size_t kScaleAt = 208;

  static TERN_ALWAYS_INLINE void decode(const uint8_t* block, int8_t* codes, uint16_t& d_bits,
                                        int8_t* sub_scales) {
    for (size_t half = 0; half < 2; ++half) {
      const uint8_t* low = block + 64 * half;
      const uint8_t* high = block + 128 + 32 * half;
      // Quarter k (32 elements): nibbles of low[0..31] for even k, of low[32..63] for odd k, the
      // upper nibble from k = 2 on; the two high bits are pair k of high[l].
      for (size_t k = 0; k < 4; ++k) {
        for (size_t l = 0; l < 32; ++l) {
          const int nibble = (low[32 * (k & 1) + l] >> (4 * (k >> 1))) & 15;
          const int pair = (high[l] >> (2 * k)) & 3;
          codes[128 * half + 32 * k + l] = static_cast<int8_t>((nibble | (pair << 4)) - 32);
        }
      }
    }
    for (size_t s = 0; s < 16; ++s) sub_scales[s] = static_cast<int8_t>(block[192 + s]);
    d_bits = detail::load_u16(block + kScaleAt);
  }
  /// Shapes: codes [256] in [-32, 31]; sub_scales [16].
  static TERN_ALWAYS_INLINE void encode(const int8_t* codes, uint16_t d_bits,
                                        const int8_t* sub_scales, uint8_t* block) {
    for (size_t i = 0; i < 192; ++i) block[i] = 0;
    for (size_t i = 0; i < kElems; ++i) {
      const size_t half = i / 128;
      const size_t k = i % 128 / 32;
      const size_t l = i % 32;
      const int u = codes[i] + 32;
      uint8_t& low = block[64 * half + 32 * (k & 1) + l];
      uint8_t& high = block[128 + 32 * half + l];
      low = static_cast<uint8_t>(low | ((u & 15) << (4 * (k >> 1))));
      high = static_cast<uint8_t>(high | ((u >> 4) << (2 * k)));
    }
    for (size_t s = 0; s < 16; ++s) block[192 + s] = static_cast<uint8_t>(sub_scales[s]);
    detail::store_u16(d_bits, block + kScaleAt);
  }
};

/// Nibbles with a sub-scale and a sub-minimum of six bits for 32 elements each: d, dmin, 12 bytes
/// of both, then a byte for elements l and l + 32 of every 64.
template <>
struct BlockCodec<TensorType::q4_k> {
  static constexpr size_t kElems = 256;
  static constexpr size_t kBytes = 144;
  static constexpr size_t kSubElems = 32;
  static constexpr size_t kScaleAt = 0;
  static constexpr size_t kMinScaleAt = 2;
  static constexpr size_t kSubs = kElems / kSubElems;

  static TERN_ALWAYS_INLINE void decode(const uint8_t* block, int8_t* codes, uint16_t& d_bits,
                                        int8_t* sub_scales) {
    d_bits = detail::load_u16(block + kScaleAt);
    decode_subs(block, sub_scales);
    for (size_t i = 0; i < kElems; ++i) {
      const uint8_t byte = block[16 + i / 64 * 32 + i % 32];
      codes[i] = static_cast<int8_t>(i % 64 < 32 ? byte & 15 : byte >> 4);
    }
  }
  /// Shapes: sub_scales [kSubs] in [0, 63].
  static TERN_ALWAYS_INLINE void decode_subs(const uint8_t* block, int8_t* sub_scales) {
    // Of the last four, the upper two bits are those of the first four.
    const uint8_t* six = block + 4;
    for (size_t s = 0; s < 4; ++s) {
      sub_scales[s] = static_cast<int8_t>(six[s] & 63);
      sub_scales[s + 4] = static_cast<int8_t>((six[s + 8] & 15) | ((six[s] >> 6) << 4));
    }
  }
  /// Shapes: mins [kSubs] in [0, 63].
  static TERN_ALWAYS_INLINE void decode_mins(const uint8_t* block, int8_t* mins,
                                             uint16_t& dmin_bits) {
    dmin_bits = detail::load_u16(block + kMinScaleAt);
    const uint8_t* six = block + 4;
    for (size_t s = 0; s < 4; ++s) {
      mins[s] = static_cast<int8_t>(six[s + 4] & 63);
      mins[s + 4] = static_cast<int8_t>((six[s + 8] >> 4) | ((six[s + 4] >> 6) << 4));
    }
  }
};

namespace detail {
/// `decode` of a type of trits, from its decode_u.
template <typename TritCodec>
TERN_ALWAYS_INLINE void decode_trits(const uint8_t* block, int8_t* codes, uint16_t& d_bits,
                                     int8_t* sub_scales) {
  uint8_t u[TritCodec::kElems];
  TritCodec::decode_u(block, u, d_bits);
  sub_scales[0] = 1;
  for (size_t i = 0; i < TritCodec::kElems; ++i) codes[i] = trit_from_u(u[i]);
}
}  // namespace detail

/// Five trits a byte (T5Code), in three runs of interleaved bytes, then d.
template <>
struct BlockCodec<TensorType::tq1_0> {
  static constexpr size_t kElems = 256;
  static constexpr size_t kBytes = 54;
  static constexpr size_t kSubElems = kElems;
  static constexpr size_t kScaleAt = 52;

  static TERN_ALWAYS_INLINE void decode(const uint8_t* block, int8_t* codes, uint16_t& d_bits,
                                        int8_t* sub_scales) {
    detail::decode_trits<BlockCodec>(block, codes, d_bits, sub_scales);
  }
  /// Shapes: u [256].
  static TERN_ALWAYS_INLINE void decode_u(const uint8_t* block, uint8_t* u, uint16_t& d_bits) {
    for (size_t m = 0; m < 32; ++m) T5Code::decode(block[m], u + m, 32);
    for (size_t m = 0; m < 16; ++m) T5Code::decode(block[32 + m], u + 160 + m, 16);
    for (size_t j = 0; j < 4; ++j) {
      for (size_t n = 0; n < 4; ++n) u[240 + 4 * n + j] = T5Code::digit(block[48 + j], n);
    }
    d_bits = detail::load_u16(block + 52);
  }
  /// Shapes: u [256]. Requires: every u <= 2.
  static TERN_ALWAYS_INLINE void encode_u(const uint8_t* u, uint16_t d_bits, uint8_t* block) {
    for (size_t m = 0; m < 32; ++m) block[m] = T5Code::encode(u + m, 32);
    for (size_t m = 0; m < 16; ++m) block[32 + m] = T5Code::encode(u + 160 + m, 16);
    for (size_t j = 0; j < 4; ++j) {
      // Only four trits are left for each of the last bytes; the fifth digit is 0, not a zero trit.
      const uint8_t digits[5] = {u[240 + j], u[244 + j], u[248 + j], u[252 + j], 0};
      block[48 + j] = T5Code::encode(digits, 1);
    }
    detail::store_u16(d_bits, block + 52);
  }
};

/// Four trits a byte (T2Code), in two runs of 32 interleaved bytes, then d. Code 3 gives u = 3.
template <>
struct BlockCodec<TensorType::tq2_0> {
  static constexpr size_t kElems = 256;
  static constexpr size_t kBytes = 66;
  static constexpr size_t kSubElems = kElems;
  static constexpr size_t kScaleAt = 64;
  static constexpr size_t kCodesAt = 0;
  static constexpr size_t kCodeBytes = 64;

  static TERN_ALWAYS_INLINE void decode(const uint8_t* block, int8_t* codes, uint16_t& d_bits,
                                        int8_t* sub_scales) {
    detail::decode_trits<BlockCodec>(block, codes, d_bits, sub_scales);
  }
  /// Shapes: u [256].
  static TERN_ALWAYS_INLINE void decode_u(const uint8_t* block, uint8_t* u, uint16_t& d_bits) {
    for (size_t half = 0; half < 2; ++half) {
      for (size_t m = 0; m < 32; ++m) {
        T2Code::decode(block[32 * half + m], u + 128 * half + m, 32);
      }
    }
    d_bits = detail::load_u16(block + kScaleAt);
  }
  /// Shapes: u [256]. Requires: every u <= 2.
  static TERN_ALWAYS_INLINE void encode_u(const uint8_t* u, uint16_t d_bits, uint8_t* block) {
    for (size_t half = 0; half < 2; ++half) {
      for (size_t m = 0; m < 32; ++m) {
        block[32 * half + m] = T2Code::encode(u + 128 * half + m, 32);
      }
    }
    detail::store_u16(d_bits, block + kScaleAt);
  }
};

namespace detail {
/// d, then four trits a byte, neighbours first: Q2_0 as mainline writes it (64 elements) and as the
/// fork of the Bonsai models does (128). Code 3 gives u = 3.
template <size_t n>
struct NeighbourTrits {
  static constexpr size_t kElems = n;
  static constexpr size_t kBytes = 2 + n / 4;
  static constexpr size_t kSubElems = kElems;
  static constexpr size_t kScaleAt = 0;
  static constexpr size_t kCodesAt = 2;
  static constexpr size_t kCodeBytes = n / 4;

  static TERN_ALWAYS_INLINE void decode(const uint8_t* block, int8_t* codes, uint16_t& d_bits,
                                        int8_t* sub_scales) {
    decode_trits<NeighbourTrits>(block, codes, d_bits, sub_scales);
  }
  /// Shapes: u [kElems].
  static TERN_ALWAYS_INLINE void decode_u(const uint8_t* block, uint8_t* u, uint16_t& d_bits) {
    d_bits = load_u16(block + kScaleAt);
    for (size_t i = 0; i < kCodeBytes; ++i) T2Code::decode(block[kCodesAt + i], u + 4 * i, 1);
  }
  /// Shapes: u [kElems]. Requires: every u <= 2.
  static TERN_ALWAYS_INLINE void encode_u(const uint8_t* u, uint16_t d_bits, uint8_t* block) {
    store_u16(d_bits, block + kScaleAt);
    for (size_t i = 0; i < kCodeBytes; ++i) block[kCodesAt + i] = T2Code::encode(u + 4 * i, 1);
  }
};
}  // namespace detail

template <>
struct BlockCodec<TensorType::q2_0> : detail::NeighbourTrits<64> {};
template <>
struct BlockCodec<TensorType::q2_0_g128> : detail::NeighbourTrits<128> {};

/// d, then a bit an element, the lowest first: 1 is +d, 0 is -d. No element is zero.
template <>
struct BlockCodec<TensorType::q1_0> {
  static constexpr size_t kElems = 128;
  static constexpr size_t kBytes = 18;
  static constexpr size_t kSubElems = kElems;
  static constexpr size_t kScaleAt = 0;

  static TERN_ALWAYS_INLINE void decode(const uint8_t* block, int8_t* codes, uint16_t& d_bits,
                                        int8_t* sub_scales) {
    detail::decode_trits<BlockCodec>(block, codes, d_bits, sub_scales);
  }
  /// Shapes: u [128], 0 or 2.
  static TERN_ALWAYS_INLINE void decode_u(const uint8_t* block, uint8_t* u, uint16_t& d_bits) {
    d_bits = detail::load_u16(block + kScaleAt);
    for (size_t i = 0; i < kElems; ++i) {
      u[i] = static_cast<uint8_t>(2 * ((block[2 + i / 8] >> (i % 8)) & 1));
    }
  }
  /// Shapes: u [128]. Requires: every u is 0 or 2.
  static TERN_ALWAYS_INLINE void encode_u(const uint8_t* u, uint16_t d_bits, uint8_t* block) {
    detail::store_u16(d_bits, block + kScaleAt);
    for (size_t i = 0; i < kElems / 8; ++i) {
      unsigned byte = 0;
      for (size_t k = 0; k < 8; ++k) byte |= (u[8 * i + k] / 2u) << k;
      block[2 + i] = static_cast<uint8_t>(byte);
    }
  }
};

/// Four trits a byte in interleaved runs of 32, the first in bits 6-7. The scale is the tensor's
/// (i2_s_codec.hpp): d_bits is 0. Code 3 gives u = 3.
template <>
struct BlockCodec<TensorType::i2_s> {
  static constexpr size_t kElems = 128;
  static constexpr size_t kBytes = 32;
  static constexpr size_t kSubElems = kElems;

  static TERN_ALWAYS_INLINE void decode(const uint8_t* block, int8_t* codes, uint16_t& d_bits,
                                        int8_t* sub_scales) {
    detail::decode_trits<BlockCodec>(block, codes, d_bits, sub_scales);
  }
  /// Shapes: u [128].
  static TERN_ALWAYS_INLINE void decode_u(const uint8_t* block, uint8_t* u, uint16_t& d_bits) {
    d_bits = 0;
    for (size_t k = 0; k < 4; ++k) {
      for (size_t m = 0; m < 32; ++m) u[32 * k + m] = T2Code::digit(block[m], 3 - k);
    }
  }
};

TERN_NAMESPACE_END
