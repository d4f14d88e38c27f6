// The output head of every table gives the bits of `scalar` for every row type and alignment.
#include "kernels/kernel_cases.hpp"
#include "tern/quant/block_codec.hpp"

using namespace tern_test;
using tern::KernelTable;
using tern::TensorType;

namespace {

struct HeadCase {
  TensorType type;
  size_t k, n_rows, n_tokens, padding;  // bytes between rows
};

size_t row_bytes(const HeadCase& c) {
  const tern::TypeInfo& info = tern::type_info(c.type);
  return c.k / info.block_elems * info.block_bytes + c.padding;
}

// Where a block, or a float, has sixteen bits that must be finite.
std::vector<size_t> scale_places(TensorType type) {
  switch (type) {
    case TensorType::f32: return {2};
    case TensorType::q4_k: return {0, 2};
    case TensorType::q6_k: return {208};
    case TensorType::tq1_0: return {52};
    case TensorType::tq2_0: return {64};
    case TensorType::i2_s:
    case TensorType::i8: return {};
    default: return {0};
  }
}

// Random rows; floats and block scales are made finite by clearing an exponent bit. The last row
// has no padding behind it.
std::vector<uint8_t> random_rows(const HeadCase& c) {
  SampleRandom random(c.k + c.n_rows);
  std::vector<uint8_t> rows(c.n_rows * row_bytes(c) - c.padding);
  for (uint8_t& byte : rows) byte = static_cast<uint8_t>(random.next());
  const tern::TypeInfo& info = tern::type_info(c.type);
  for (const size_t place : scale_places(c.type)) {
    for (size_t r = 0; r < c.n_rows; ++r) {
      for (size_t at = place; at < row_bytes(c) - c.padding; at += info.block_bytes) {
        rows[r * row_bytes(c) + at + 1] &= 0xBF;
      }
    }
  }
  return rows;
}

void check_head(const HeadCase& c, const std::vector<uint8_t>& bytes,
                Values kind = Values::ordinary) {
  const auto tables = runnable_kernels();
  const GuardedBuffer<uint8_t> rows(bytes);
  const GuardedBuffer<float> scales(values(Values::ordinary, c.n_rows, c.k));
  const size_t x_stride = c.k + 3;
  const GuardedBuffer<float> x(values(kind, (c.n_tokens - 1) * x_stride + c.k, c.k));
  const size_t stride = tern::activation_stride(c.k);
  GuardedBuffer<int8_t> high(c.n_tokens * stride), low(c.n_tokens * stride);
  std::vector<tern::QuantizedToken> tokens;
  for (size_t t = 0; t < c.n_tokens; ++t) {
    tokens.push_back(tables.back().quantize_i16(
        x.data() + t * x_stride, c.k, high.data() + t * stride, low.data() + t * stride, stride));
  }
  const tern::HeadView head{c.type, rows.data(), row_bytes(c), c.k, scales.data(), 0.375f};
  const tern::HeadInput input{
      x.data(), x_stride, {high.data(), low.data(), tokens.data(), stride, c.n_tokens}};
  for (size_t begin = 0; begin < c.n_rows; begin += 1 + c.n_rows / 3) {
    const size_t logits_stride = c.n_rows - begin + 2;
    const size_t size = c.n_tokens * logits_stride - 2;
    GuardedBuffer<float> expected(size);
    tables.back().head_rows(head, input, begin, c.n_rows, expected.data(), logits_stride);
    for (const KernelTable& table : tables) {
      GuardedBuffer<float> logits(size);
      table.head_rows(head, input, begin, c.n_rows, logits.data(), logits_stride);
      if (std::memcmp(logits.data(), expected.data(), size * sizeof(float)) != 0) {
        FAIL("head_rows of " << table.isa << " differs: type " << tern::type_info(c.type).name
                             << ", k = " << c.k << ", tokens " << c.n_tokens << ", rows " << begin
                             << " to " << c.n_rows);
      }
    }
  }
}
void check_head(const HeadCase& c) { check_head(c, random_rows(c)); }

}  // namespace

TEST_CASE("Rows of floats give the logits of scalar at every length") {
  for (const TensorType type : {TensorType::f32, TensorType::f16, TensorType::bf16}) {
    for (const size_t k : vector_lengths()) {
      check_head({type, k, 1 + k % 9, 1 + k % 3, 0});
      check_head({type, k, 7, 1, 3});  // rows at odd addresses
    }
  }
  SUCCEED();
}

TEST_CASE("Rows of blocks give the logits of scalar for every number of tokens") {
  for (size_t tokens = 1; tokens <= tern::kVectorTokens; ++tokens) {
    for (const size_t k : {256, 512, 2560, 4352}) {
      for (const TensorType type :
           {TensorType::q4_k, TensorType::q6_k, TensorType::tq1_0, TensorType::tq2_0}) {
        check_head({type, k, 5 + 4 * tokens, tokens, tokens % 2});
      }
    }
    for (const size_t k : {128, 384, 2560, 3200}) {
      for (const TensorType type :
           {TensorType::i2_s, TensorType::q1_0, TensorType::q2_0, TensorType::q2_0_g128}) {
        check_head({type, k, 5 + 4 * tokens, tokens, tokens % 2});
      }
    }
    for (const size_t k : {32, 64, 96, 320, 1088}) {
      for (const TensorType type : {TensorType::q8_0, TensorType::q4_0}) {
        check_head({type, k, 5 + 4 * tokens, tokens, tokens % 2});
      }
    }
    check_head({TensorType::q2_0, 192, 5 + 4 * tokens, tokens, 3});
  }
  // More rows than meet activations that were joined once.
  for (const size_t tokens : {1, 5}) {
    for (const TensorType type : {TensorType::q4_k, TensorType::q6_k, TensorType::tq2_0}) {
      check_head({type, 2560, 150, tokens, 1});
    }
  }
  SUCCEED();
}

TEST_CASE("Rows of int8 give the logits of scalar for every number of tokens and columns") {
  for (size_t tokens = 1; tokens <= tern::kVectorTokens; ++tokens) {
    for (const size_t k : {1, 31, 32, 33, 100, 255, 256, 257, 1000, 2560, 4100}) {
      check_head({TensorType::i8, k, 3 + 5 * tokens, tokens, tokens % 2});
    }
  }
  check_head({TensorType::i8, 65536, 17, 2, 0});
  check_head({TensorType::i8, 65521, 3, 8, 5});
  SUCCEED();
}

TEST_CASE("Heads give the logits of scalar for the largest codes and activations") {
  for (const uint8_t byte : {0x00, 0x7F, 0x80, 0xFF}) {
    for (const Values kind : {Values::ties, Values::largest, Values::zeros, Values::subnormal}) {
      for (const TensorType type :
           {TensorType::i8, TensorType::q4_k, TensorType::q6_k, TensorType::q8_0, TensorType::tq2_0,
            TensorType::i2_s, TensorType::q1_0, TensorType::q2_0, TensorType::q2_0_g128}) {
        const HeadCase c{type, 2048, 18, 2, 0};
        std::vector<uint8_t> rows(c.n_rows * row_bytes(c), byte);
        const tern::TypeInfo& info = tern::type_info(type);
        for (const size_t place : scale_places(type)) {
          for (size_t at = place; at < rows.size(); at += info.block_bytes) rows[at + 1] = 0x2C;
        }
        check_head(c, rows, kind);
      }
    }
  }
  const HeadCase wide{TensorType::i8, 65536, 2, 1, 0};
  check_head(wide, std::vector<uint8_t>(wide.n_rows * wide.k, 0x80), Values::largest);
  SUCCEED();
}

TEST_CASE("Rows are quantized to the bytes and the unit of scalar, and read back the same") {
  const auto tables = runnable_kernels();
  for (const TensorType type : {TensorType::q6_k, TensorType::i8}) {
    for (const Values kind : kFiniteValues) {
      for (const size_t k : {256, 2560}) {
        const GuardedBuffer<float> x(values(kind, k, k));
        Bytes expected;
        for (auto table = tables.rbegin(); table != tables.rend(); ++table) {
          GuardedBuffer<uint8_t> row(type == TensorType::i8 ? k : k / 256 * 210);
          GuardedBuffer<float> unit(1), y(k);
          table->encode_row(type, x.data(), k, row.data(), unit.data());
          table->decode_row({type, row.data(), row.size(), k, unit.data()}, 0, y.data());
          Bytes result;
          append(result, row);
          append(result, unit);
          append(result, y);
          if (expected.empty()) expected = result;
          INFO(table->isa << ", type " << tern::type_info(type).name << ", values "
                          << static_cast<int>(kind) << ", k = " << k);
          CHECK(result == expected);
        }
      }
    }
  }
}
