// Trits and their scales as the bytes of any tensor type that holds them, for tests.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "tern/base/half.hpp"
#include "tern/quant/i2_s_codec.hpp"
#include "tern/quant/row_scaled_codec.hpp"

namespace tern_test {

/// A matrix [u.size() / cols, cols] of u = t + 1; `scale_of(element)` is called for the first
/// element of what shares a scale in the type.
template <typename ScaleOf>
std::vector<uint8_t> encode_trits(const std::vector<uint8_t>& u, size_t cols, tern::TensorType type,
                                  ScaleOf&& scale_of) {
  using namespace tern;
  std::vector<uint8_t> out;
  const auto blocks = [&]<TensorType kType>() {
    using Codec = BlockCodec<kType>;
    out.resize(u.size() / Codec::kElems * Codec::kBytes);
    for (size_t b = 0; b < u.size() / Codec::kElems; ++b) {
      Codec::encode_u(u.data() + b * Codec::kElems, f16_from_f32(scale_of(b * Codec::kElems)),
                      out.data() + b * Codec::kBytes);
    }
  };
  const auto rows = [&]<TensorType kType>() {
    using Codec = RowScaledCodec<kType>;
    const size_t row_bytes = Codec::kHeaderBytes + cols / Codec::kElems * Codec::kBytes;
    out.resize(u.size() / cols * row_bytes);
    for (size_t row = 0; row < u.size() / cols; ++row) {
      uint8_t* to = out.data() + row * row_bytes;
      const float scale = scale_of(row * cols);
      if (kType == TensorType::iq1_bn) detail::store_u16(f16_from_f32(scale), to);
      if (kType == TensorType::iq2_bn) detail::store_u32(std::bit_cast<uint32_t>(scale), to);
      for (size_t b = 0; b < cols / Codec::kElems; ++b) {
        Codec::encode_u(u.data() + row * cols + b * Codec::kElems,
                        to + Codec::kHeaderBytes + b * Codec::kBytes);
      }
    }
  };
  switch (type) {
    case TensorType::tq1_0: blocks.template operator()<TensorType::tq1_0>(); break;
    case TensorType::tq2_0: blocks.template operator()<TensorType::tq2_0>(); break;
    case TensorType::q1_0: blocks.template operator()<TensorType::q1_0>(); break;
    case TensorType::q2_0: blocks.template operator()<TensorType::q2_0>(); break;
    case TensorType::q2_0_g128: blocks.template operator()<TensorType::q2_0_g128>(); break;
    case TensorType::iq1_bn: rows.template operator()<TensorType::iq1_bn>(); break;
    case TensorType::iq2_bn: rows.template operator()<TensorType::iq2_bn>(); break;
    case TensorType::iq2_bn_r4:
      out.resize(u.size() / 4 + u.size() / cols * 4);
      for (size_t row = 0; row < u.size() / cols; ++row) {
        uint8_t* four = out.data() + row / 4 * (FourRowCodec::kHeaderBytes + cols);
        detail::store_u32(std::bit_cast<uint32_t>(scale_of(row * cols)), four + 4 * (row % 4));
        for (size_t b = 0; b < cols / FourRowCodec::kElems; ++b) {
          FourRowCodec::encode_u(u.data() + row * cols + b * FourRowCodec::kElems, row % 4,
                                 four + FourRowCodec::kHeaderBytes + b * FourRowCodec::kBytes);
        }
      }
      break;
    case TensorType::i2_s:
      out.resize(u.size() / 4 + I2SCodec::kTailBytes);
      I2SCodec::encode_u(u.data(), u.size(), std::bit_cast<uint32_t>(scale_of(0)), out.data());
      break;
    default: break;  // holds no trits
  }
  return out;
}

/// An I2_S tensor as builds for ARM lay it out.
inline std::vector<uint8_t> as_arm_i2_s(const std::vector<uint8_t>& tensor) {
  using tern::I2SCodec;
  std::vector<uint8_t> out = tensor;
  const size_t elems = 4 * (tensor.size() - I2SCodec::kTailBytes);
  std::fill(out.begin(), out.end() - I2SCodec::kTailBytes, uint8_t{0});
  for (size_t i = 0; i < elems; ++i) {
    const uint8_t u = I2SCodec::get(tensor.data(), i, tern::I2sLayout::x86);
    uint8_t& byte = out[i / 64 * 16 + i % 16];
    byte = static_cast<uint8_t>(byte | (u << (6 - i % 64 / 16 * 2)));
  }
  return out;
}

}  // namespace tern_test
