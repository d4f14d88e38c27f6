// The output head of every table gives the bits of `scalar` for every row type and alignment.
#include "kernels/kernel_cases.hpp"
#include "tern/quant/block_codec.hpp"

using namespace tern_test;
using tern::KernelTable;
using tern::TensorType;

namespace {

// Random rows; floats and block scales are made finite by clearing an exponent bit.
std::vector<uint8_t> random_rows(TensorType type, size_t n_rows, size_t row_bytes, uint64_t seed) {
  SampleRandom random(seed);
  std::vector<uint8_t> rows(n_rows * row_bytes);
  for (uint8_t& byte : rows) byte = static_cast<uint8_t>(random.next());
  const tern::TypeInfo& info = tern::type_info(type);
  const size_t scale_at = type == TensorType::q6_k ? 208 : 0;
  for (size_t r = 0; r < n_rows; ++r) {
    for (size_t at = 0; at + info.block_bytes <= row_bytes; at += info.block_bytes) {
      uint8_t* block = rows.data() + r * row_bytes + at;
      if (type == TensorType::f32) block[3] &= 0xBF;
      if (type == TensorType::bf16) block[1] &= 0xBF;
      if (type != TensorType::f32 && type != TensorType::bf16) block[scale_at + 1] &= 0xBF;
    }
  }
  return rows;
}

void check_head(TensorType type, size_t k, size_t n_rows, size_t padding) {
  const auto tables = runnable_kernels();
  const tern::TypeInfo& info = tern::type_info(type);
  const size_t row_bytes = k / info.block_elems * info.block_bytes + padding;
  // The last row has no padding behind it.
  auto bytes = random_rows(type, n_rows, row_bytes, k + n_rows);
  bytes.resize(bytes.size() - padding);
  const GuardedBuffer<uint8_t> rows(bytes);
  const GuardedBuffer<float> x(values(Values::ordinary, k, k));
  GuardedBuffer<int8_t> high(tern::activation_stride(k)), low(tern::activation_stride(k));
  const tern::QuantizedToken token =
      tables.back().quantize_i16(x.data(), k, high.data(), low.data(), high.size());
  const tern::HeadView head{type, rows.data(), row_bytes, k};
  const tern::HeadInput input{x.data(), 0, {high.data(), low.data(), &token, high.size(), 1}};
  for (size_t begin = 0; begin < n_rows; begin += 3) {
    GuardedBuffer<float> logits(n_rows - begin), expected(n_rows - begin);
    tables.back().head_rows(head, input, begin, n_rows, expected.data(), 0);
    for (const KernelTable& table : tables) {
      table.head_rows(head, input, begin, n_rows, logits.data(), 0);
      if (std::memcmp(logits.data(), expected.data(), logits.size() * sizeof(float)) != 0) {
        FAIL("head_rows of " << table.isa << " differs: type " << info.name << ", k = " << k
                             << ", rows " << begin << " to " << n_rows);
      }
    }
  }
}

}  // namespace

TEST_CASE("Rows of floats give the logits of scalar at every length") {
  for (const TensorType type : {TensorType::f32, TensorType::f16, TensorType::bf16}) {
    for (const size_t k : vector_lengths()) {
      check_head(type, k, 1 + k % 9, 0);
      check_head(type, k, 7, 3);  // rows at odd addresses
    }
  }
  SUCCEED();
}

TEST_CASE("Rows of blocks give the logits of scalar") {
  for (const size_t k : {256, 512, 2560}) {
    check_head(TensorType::q6_k, k, 5, 0);
    check_head(TensorType::q6_k, k, 5, 1);
  }
  for (const TensorType type : {TensorType::q8_0, TensorType::q4_0}) {
    for (const size_t k : {32, 64, 96, 320}) check_head(type, k, 5, k % 3);
  }
  SUCCEED();
}
