// Small GGUF files for tests and for the seed corpus of the fuzzer.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "support/gguf_writer.hpp"
#include "support/trit_encoder.hpp"
#include "support/trit_samples.hpp"

namespace tern_test {

/// A tensor of `bytes` bytes of a fixed pattern.
inline GgufWriter::Tensor sample_tensor(std::string name, uint32_t type_id,
                                        std::vector<uint64_t> dims, size_t bytes) {
  GgufWriter::Tensor tensor{std::move(name), type_id, std::move(dims), {}, {}};
  SampleRandom random(bytes);
  for (size_t i = 0; i < bytes; ++i) tensor.data.push_back(static_cast<uint8_t>(random.next()));
  return tensor;
}

/// A matrix [rows][256] of trits with the scale 0.5, in a type that holds them.
inline GgufWriter::Tensor ternary_tensor(std::string name, tern::TensorType type, size_t rows) {
  const auto half = [](size_t) { return 0.5f; };
  return {std::move(name),
          tern::gguf_type_id(type),
          {256, rows},
          encode_trits(random_u(rows * 256, rows), 256, type, half),
          {}};
}

/// One key of every type, arrays of several, and a handful of small tensors.
inline GgufWriter small_file() {
  GgufWriter writer;
  writer.add("general.architecture", "bitnet-b1.58");
  writer.add("a.u8", uint8_t{200}).add("a.i8", int8_t{-3});
  writer.add("a.u16", uint16_t{60000}).add("a.i16", int16_t{-300});
  writer.add("a.u32", uint32_t{4000000000u}).add("a.i32", int32_t{-70000});
  writer.add("a.u64", uint64_t{1} << 40).add("a.i64", int64_t{-1} * (int64_t{1} << 40));
  writer.add("a.f32", 1.5f).add("a.f64", 2.5).add("a.yes", true).add("a.no", false);
  writer.add_array<std::string_view>("a.words", {"one", "", "three"});
  writer.add_array<int32_t>("a.numbers", {1, -2, 3});
  writer.add_array<float>("a.floats", {0.5f, -1.0f});
  writer.add_array<uint8_t>("a.none", {});
  writer.add_tensor(sample_tensor("norm", 0, {8}, 32));
  writer.add_tensor(sample_tensor("half", 1, {5, 3}, 30));
  writer.add_tensor(ternary_tensor("trits", tern::TensorType::i2_s, 1));
  writer.add_tensor(sample_tensor("eight", 8, {32}, 34));
  return writer;
}

}  // namespace tern_test
