// How a row of each stored type becomes trits and scales.
//
// Room: quant. Every byte of every weight passes here twice when a model is packed: a file of its
// own, so that a build can compile it for speed (cmake/TernOptimization.cmake).
#include "tern/quant/ternary_source.hpp"

#include <cstring>

#include "tern/quant/i2_s_codec.hpp"
#include "tern/quant/row_scaled_codec.hpp"
#include "tern/quant/ternarize.hpp"

TERN_NAMESPACE_BEGIN

namespace {
/// Where `where` is a byte offset in the tensor.
Result<void> ternary_result(Status status, uint64_t where) {
  switch (status) {
    case Status::ok: return {};
    case Status::not_ternary:
      return Error(status, "weights of a group are not -g, 0 and +g of one g", where);
    default: return Error(status, "a weight or its scale is not finite", where);
  }
}

template <TensorType type>
Result<void> read_float_row(const TernarySource& source, size_t row, uint8_t* u,
                            uint32_t* scale_bits) {
  using Codec = FloatCodec<type>;
  constexpr size_t kGroupCols = 32;
  const uint64_t row_start = uint64_t{row} * source.cols * Codec::kBytes;
  for (size_t col = 0; col < source.cols; col += kGroupCols, ++scale_bits) {
    const size_t n = source.cols - col < kGroupCols ? source.cols - col : kGroupCols;
    const uint64_t at = row_start + col * Codec::kBytes;
    TERN_TRY(ternary_result(ternarize_group<type>(source.bytes + at, n, u + col, *scale_bits), at));
  }
  return {};
}

template <TensorType type>
Result<void> read_block_row(const TernarySource& source, size_t row, uint8_t* u,
                            uint32_t* scale_bits) {
  using Codec = BlockCodec<type>;
  const size_t blocks = source.cols / Codec::kElems;
  for (size_t b = 0; b < blocks; ++b, u += Codec::kElems, ++scale_bits) {
    const uint64_t at = (uint64_t{row} * blocks + b) * Codec::kBytes;
    if constexpr (requires { Codec::kCodeBytes; }) {
      if (has_code_three(source.bytes + at + Codec::kCodesAt, Codec::kCodeBytes)) {
        return Error(Status::malformed, "a trit has the illegal code 3", at);
      }
    }
    uint16_t d_bits = 0;
    Codec::decode_u(source.bytes + at, u, d_bits);
    const Status status =
        canonicalize_group(f32_bits_from_f16(d_bits), Codec::kElems, u, *scale_bits);
    TERN_TRY(ternary_result(status, at));
  }
  return {};
}

Result<void> read_i2_s_row(const TernarySource& source, size_t row, uint8_t* u,
                           uint32_t* scale_bits) {
  // Elements are counted in 64 bits: four of them share a byte of what memory can hold.
  const uint64_t elems = uint64_t{source.rows} * source.cols;
  const uint64_t first = uint64_t{row} * source.cols;
  const auto first_byte =
      static_cast<size_t>(first / I2SCodec::kBlockElems * I2SCodec::kBlockBytes);
  const uint64_t last_block = (first + source.cols - 1) / I2SCodec::kBlockElems;
  const auto end_byte = static_cast<size_t>((last_block + 1) * I2SCodec::kBlockBytes);
  if (has_code_three(source.bytes + first_byte, end_byte - first_byte)) {
    return Error(Status::malformed, "a trit has the illegal code 3", first_byte);
  }
  I2SCodec::decode_u(source.bytes, first, source.cols, source.i2_s_layout, u);
  const uint32_t file_scale = I2SCodec::scale_bits(source.bytes, elems);
  return ternary_result(canonicalize_group(file_scale, source.cols, u, *scale_bits), elems / 4);
}

template <TensorType type>
Result<void> read_scaled_row(const TernarySource& source, size_t row, uint8_t* u,
                             uint32_t* scale_bits) {
  using Codec = RowScaledCodec<type>;
  const size_t blocks = source.cols / Codec::kElems;
  const uint64_t at = uint64_t{row} * (Codec::kHeaderBytes + blocks * Codec::kBytes);
  const uint8_t* codes = source.bytes + at + Codec::kHeaderBytes;
  if (type == TensorType::iq2_bn && has_code_three(codes, blocks * Codec::kBytes)) {
    return Error(Status::malformed, "a trit has the illegal code 3", at);
  }
  for (size_t b = 0; b < blocks; ++b) {
    Codec::decode_u(codes + b * Codec::kBytes, u + b * Codec::kElems);
  }
  const uint32_t file_scale = Codec::scale_bits(source.bytes + at);
  return ternary_result(canonicalize_group(file_scale, source.cols, u, *scale_bits), at);
}

// A code 3 in any of its four rows refuses a row.
Result<void> read_interleaved_row(const TernarySource& source, size_t row, uint8_t* u,
                                  uint32_t* scale_bits) {
  using Codec = FourRowCodec;
  const size_t blocks = source.cols / Codec::kElems;
  const uint64_t at = uint64_t{row / 4} * (Codec::kHeaderBytes + blocks * Codec::kBytes);
  const uint8_t* codes = source.bytes + at + Codec::kHeaderBytes;
  if (has_code_three(codes, blocks * Codec::kBytes)) {
    return Error(Status::malformed, "a trit has the illegal code 3", at);
  }
  for (size_t b = 0; b < blocks; ++b) {
    Codec::decode_u(codes + b * Codec::kBytes, row % 4, u + b * Codec::kElems);
  }
  const uint32_t file_scale = Codec::scale_bits(source.bytes + at, row % 4);
  return ternary_result(canonicalize_group(file_scale, source.cols, u, *scale_bits), at);
}

Result<void> read_quarters_row(const TernarySource& source, size_t row, uint8_t* u,
                               uint32_t* scale_bits) {
  const size_t quarter = source.rows / 4;
  const uint64_t at = uint64_t{row % quarter} * source.cols;
  const uint8_t* bytes = source.bytes + at;
  const size_t shift = 2 * (row / quarter);
  // Eight columns a step: what comes from the byte beside is masked, in either order of bytes.
  constexpr uint64_t kCodes = 0x0303030303030303;
  size_t col = 0;
  for (uint64_t word; source.cols - col >= sizeof(word); col += sizeof(word)) {
    std::memcpy(&word, bytes + col, sizeof(word));
    word = word >> shift & kCodes;
    std::memcpy(u + col, &word, sizeof(word));
  }
  for (; col < source.cols; ++col) u[col] = (bytes[col] >> shift) & 3;
  if (has_code_three(u, source.cols)) {
    return Error(Status::malformed, "a trit has the illegal code 3", at);
  }
  return ternary_result(canonicalize_group(source.form.scale_bits, source.cols, u, *scale_bits),
                        at);
}

template <TensorType type>
Result<void> read_master_row(const TernarySource& source, size_t row, uint8_t* u,
                             uint32_t* scale_bits) {
  using Codec = FloatCodec<type>;
  const uint64_t at = uint64_t{row} * source.cols * Codec::kBytes;
  uint32_t largest = 0;
  for (size_t col = 0; col < source.cols; ++col) {
    const uint32_t bits = Codec::f32_bits(source.bytes + at + col * Codec::kBytes);
    const uint32_t magnitude = bits & ~detail::kSignBit;
    largest = magnitude > largest ? magnitude : largest;
    const unsigned nonzero = magnitude > source.largest_zero_bits;
    const unsigned negative = bits >> 31;
    u[col] = static_cast<uint8_t>(kZeroTrit + nonzero - 2 * (nonzero & negative));
  }
  if (!is_finite_bits(largest)) return ternary_result(Status::malformed, at);
  scale_bits[0] = largest > source.largest_zero_bits ? source.form.scale_bits : kWildcardScale;
  return {};
}

Result<void> read_formed_row(const TernarySource& source, size_t row, uint8_t* u,
                             uint32_t* scale_bits) {
  if (source.form.kind == FormKind::row_quarters) {
    return read_quarters_row(source, row, u, scale_bits);
  }
  switch (source.type) {
    case TensorType::f16: return read_master_row<TensorType::f16>(source, row, u, scale_bits);
    case TensorType::bf16: return read_master_row<TensorType::bf16>(source, row, u, scale_bits);
    default: return read_master_row<TensorType::f32>(source, row, u, scale_bits);
  }
}
}  // namespace

Result<void> read_ternary_row(const TernarySource& source, size_t row, uint8_t* u,
                              uint32_t* scale_bits) {
  TERN_ASSERT(row < source.rows);
  row = stored_row(source.form, row);
  if (has_one_scale(source.form)) {
    return read_formed_row(source, row, u, scale_bits);
  }
  using Read = Result<void> (*)(const TernarySource&, size_t, uint8_t*, uint32_t*);
  struct Reader {
    TensorType type;
    Read read;
  };
  constexpr Reader kReaders[] = {
      {TensorType::f32, read_float_row<TensorType::f32>},
      {TensorType::f16, read_float_row<TensorType::f16>},
      {TensorType::bf16, read_float_row<TensorType::bf16>},
      {TensorType::tq1_0, read_block_row<TensorType::tq1_0>},
      {TensorType::tq2_0, read_block_row<TensorType::tq2_0>},
      {TensorType::q1_0, read_block_row<TensorType::q1_0>},
      {TensorType::q2_0, read_block_row<TensorType::q2_0>},
      {TensorType::q2_0_g128, read_block_row<TensorType::q2_0_g128>},
      {TensorType::i2_s, read_i2_s_row},
      {TensorType::iq1_bn, read_scaled_row<TensorType::iq1_bn>},
      {TensorType::iq2_bn, read_scaled_row<TensorType::iq2_bn>},
      {TensorType::iq2_bn_r4, read_interleaved_row},
  };
  for (const Reader& reader : kReaders) {
    if (reader.type == source.type) return reader.read(source, row, u, scale_bits);
  }
  return Error(Status::unsupported_type, "this tensor type holds no trits");
}

TERN_NAMESPACE_END
