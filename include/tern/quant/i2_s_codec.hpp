// I2_S, bitnet.cpp's ternary tensor: two-bit codes in flat blocks, one scale for the tensor.
//
// Room: quant. The elements are one row-major sequence, cut into blocks of 128 whatever the row
// length is, so a row may start inside a block. Byte m of the 32 bytes of a block holds elements m,
// m + 32, m + 64, m + 96, the first in bits 6-7. After elems / 4 bytes of codes come 32 bytes, of
// which the first four are the binary32 scale. Builds for ARM have written blocks of 64 elements in
// 16 bytes under the same id, and nothing in a file tells them apart: the caller must know.
#pragma once

#include "tern/quant/block_codec.hpp"

TERN_NAMESPACE_BEGIN

/// Which build of bitnet.cpp wrote a file. All published files are of the first kind.
enum class I2sLayout : uint8_t {
  x86,  ///< blocks of 128: everything but
  arm,  ///< blocks of 64: what llama-quantize writes on ARM since November 2025
};

struct I2SCodec {
  static constexpr size_t kBlockElems = 128;
  static constexpr size_t kBlockBytes = 32;
  static constexpr size_t kTailBytes = 32;

  /// The bits of the scale of a tensor of `elems` elements.
  static TERN_ALWAYS_INLINE uint32_t scale_bits(const uint8_t* tensor, uint64_t elems) {
    return detail::load_u32(tensor + elems / 4);
  }

  /// u of element i of the tensor; code 3 gives 3.
  static TERN_ALWAYS_INLINE uint8_t get(const uint8_t* tensor, uint64_t i, I2sLayout layout) {
    const size_t stripe = layout == I2sLayout::x86 ? 32 : 16;
    const auto in_block = static_cast<size_t>(i % (4 * stripe));
    const uint8_t byte = tensor[i / (4 * stripe) * stripe + in_block % stripe];
    return T2Code::digit(byte, 3 - in_block / stripe);
  }

  /// Elements [first, first + n) of the tensor, as u.
  static TERN_ALWAYS_INLINE void decode_u(const uint8_t* tensor, uint64_t first, size_t n,
                                          I2sLayout layout, uint8_t* u) {
    size_t i = 0;
    while (i < n) {
      const uint64_t at = first + i;
      if (layout != I2sLayout::x86 || at % kBlockElems != 0 || n - i < kBlockElems) {
        u[i++] = get(tensor, at, layout);
        continue;
      }
      uint16_t no_scale = 0;
      BlockCodec<TensorType::i2_s>::decode_u(tensor + at / kBlockElems * kBlockBytes, u + i,
                                             no_scale);
      i += kBlockElems;
    }
  }

  /// Writes whole blocks, as x86. Shapes: out [elems / 4]. Requires: elems % 128 == 0; every u
  /// <= 2.
  static TERN_ALWAYS_INLINE void encode_blocks(const uint8_t* u, size_t elems, uint8_t* out) {
    for (size_t first = 0; first < elems; first += kBlockElems, out += kBlockBytes) {
      for (size_t m = 0; m < 32; ++m) {
        const uint8_t codes[4] = {u[first + 96 + m], u[first + 64 + m], u[first + 32 + m],
                                  u[first + m]};
        out[m] = T2Code::encode(codes, 1);
      }
    }
  }
  /// Writes the tail. Shapes: out [32].
  static TERN_ALWAYS_INLINE void encode_tail(uint32_t scale_f32_bits, uint8_t* out) {
    for (size_t i = 0; i < kTailBytes; ++i) out[i] = 0;
    detail::store_u32(scale_f32_bits, out);
  }
  /// Writes a whole tensor, elems / 4 + 32 bytes. Requires: as encode_blocks.
  static TERN_ALWAYS_INLINE void encode_u(const uint8_t* u, size_t elems, uint32_t scale_f32_bits,
                                          uint8_t* tensor) {
    encode_blocks(u, elems, tensor);
    encode_tail(scale_f32_bits, tensor + elems / 4);
  }
};

TERN_NAMESPACE_END
