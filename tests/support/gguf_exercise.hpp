// Uses everything that a parsed GGUF file offers, so that a sanitizer sees every access it allows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "tern/format/gguf.hpp"
#include "tern/quant/ternary_source.hpp"

namespace tern_test {

/// Sums what was read, so that no read can be dropped.
class GgufExercise {
 public:
  /// Parses `bytes` and, where that succeeds, touches every accessor, value, name and tensor.
  tern::Status run(std::span<const uint8_t> bytes, const tern::AllocatorHooks& hooks) {
    const auto file = tern::GgufFile::parse(bytes, hooks);
    if (!file) {
      touch(file.error().subject);
      return file.status();
    }
    sum_ += file->version();
    for (const auto& entry : file->metadata()) use(*file, entry);
    for (const auto& tensor : file->tensors()) use(*file, tensor);
    sum_ += file->find("no such key") != nullptr;
    sum_ += file->get_tensor("no such tensor").ok();
    return tern::Status::ok;
  }
  uint64_t sum() const { return sum_; }

 private:
  void touch(std::string_view text) {
    for (const char c : text) sum_ += static_cast<unsigned char>(c);
  }
  void touch(std::span<const uint8_t> bytes) {
    for (const uint8_t byte : bytes) sum_ += byte;
  }

  template <typename Value>
  void use_as_all(const Value& value) {
    if (const auto text = value.template as<std::string_view>()) touch(*text);
    sum_ += static_cast<uint64_t>(value.template as<int64_t>().value_or(1));
    sum_ += value.template as<uint64_t>().value_or(1) + value.template as<uint8_t>().value_or(1);
    sum_ += value.template as<bool>().value_or(false);
    sum_ += value.template as<float>().has_value() + value.template as<double>().has_value();
  }

  void use(const tern::GgufFile& file, const tern::MetadataEntry& entry) {
    touch(entry.key);
    // The lookup must find the very entry.
    if (file.find(entry.key) != &entry.value) __builtin_trap();
    use_as_all(entry.value);
    sum_ += file.get<uint32_t>(entry.key).ok() + file.get_or<float>(entry.key, 1).ok();
    sum_ += file.get_array<std::string_view>(entry.key).ok();
    const auto array = entry.value.as_array();
    if (!array) return;
    for (const tern::MetadataScalar element : *array) use_as_all(element);
  }

  void use(const tern::GgufFile& file, const tern::GgufTensor& tensor) {
    touch(tensor.name);
    touch(tensor.data);
    if (file.find_tensor(tensor.name) != &tensor) __builtin_trap();
    const auto type = tern::readable_type(tensor);
    if (!type) return touch(type.error().what);
    decode_first_block(*type, tensor.data.data());
    constexpr uint64_t kMost = std::numeric_limits<uint32_t>::max();
    if (tensor.dims[0] > kMost || tensor.rows() > kMost) return;
    read_row({*type, tensor.data.data(), static_cast<uint32_t>(tensor.rows()),
              static_cast<uint32_t>(tensor.dims[0])},
             tensor.rows() - 1);
  }

  template <tern::TensorType type>
  void decode_block(const uint8_t* block) {
    using Codec = tern::BlockCodec<type>;
    int8_t codes[Codec::kElems];
    int8_t sub_scales[Codec::kElems / Codec::kSubElems];
    uint16_t d_bits = 0;
    Codec::decode(block, codes, d_bits, sub_scales);
    sum_ += d_bits;
    for (const int8_t code : codes) sum_ += static_cast<uint8_t>(code);
    for (const int8_t scale : sub_scales) sum_ += static_cast<uint8_t>(scale);
  }

  void decode_first_block(tern::TensorType type, const uint8_t* data) {
    using tern::TensorType;
    switch (type) {
      case TensorType::f32: sum_ += tern::FloatCodec<TensorType::f32>::f32_bits(data); break;
      case TensorType::f16: sum_ += tern::FloatCodec<TensorType::f16>::f32_bits(data); break;
      case TensorType::bf16: sum_ += tern::FloatCodec<TensorType::bf16>::f32_bits(data); break;
      case TensorType::q8_0: decode_block<TensorType::q8_0>(data); break;
      case TensorType::q4_0: decode_block<TensorType::q4_0>(data); break;
      case TensorType::q4_k: decode_block<TensorType::q4_k>(data); break;
      case TensorType::q6_k: decode_block<TensorType::q6_k>(data); break;
      case TensorType::tq1_0: decode_block<TensorType::tq1_0>(data); break;
      case TensorType::tq2_0: decode_block<TensorType::tq2_0>(data); break;
      case TensorType::i2_s: decode_block<TensorType::i2_s>(data); break;
      case TensorType::q1_0: decode_block<TensorType::q1_0>(data); break;
      case TensorType::q2_0: decode_block<TensorType::q2_0>(data); break;
      case TensorType::q2_0_g128: decode_block<TensorType::q2_0_g128>(data); break;
      case TensorType::iq1_bn:
      case TensorType::iq2_bn:
      case TensorType::iq2_bn_r4: break;  // read_row does
      case TensorType::i8:
      case TensorType::i8_planes: sum_ += data[0]; break;
    }
  }

  void read_row(const tern::TernarySource& source, size_t row) {
    const size_t group = tern::ternary_group_cols(source);
    if (group == 0) return;
    std::vector<uint8_t> u(source.cols);
    std::vector<uint32_t> scales((source.cols + group - 1) / group);
    if (!tern::read_ternary_row(source, row, u.data(), scales.data())) return;
    if (*std::max_element(u.begin(), u.end()) > 2) __builtin_trap();
    for (const uint32_t scale : scales) {
      if (!tern::is_finite_bits(scale) || (scale >> 31) != 0) __builtin_trap();
    }
  }

  uint64_t sum_ = 0;
};

}  // namespace tern_test
