// Rows of the output head: row type x instruction set x tokens. Names:
// head_<type>/<table>/tokens:<n>/k:<columns>; bytes are those of the rows, which are larger than
// the caches and lie in large pages, as copied weights do. read/<table> beside them is what one
// thread can read; the table with byte permutations is called avx512vnni+vbmi.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>
#include <string>

#include "tern/base/buffer.hpp"
#include "tern/engine/head_search.hpp"
#include "tern/kernels/registry.hpp"
#include "tern/platform/large_pages.hpp"

namespace {

using tern::Buffer;
using tern::TensorType;

template <typename T>
Buffer<T> make_buffer(size_t n) {
  return *Buffer<T>::create(n, tern::default_allocator());
}

Buffer<uint8_t> make_large(size_t n) {
  return *tern::create_streamed_buffer(n, tern::default_allocator());
}

constexpr size_t kColumns = 2560;
constexpr size_t kBytes = size_t{128} << 20;

struct RowType {
  const char* name;
  TensorType type;
  size_t scale_at;  // of a block's binary16; the float itself where blocks are one
};
constexpr RowType kRowTypes[] = {
    {"q6_k", TensorType::q6_k, 208},  {"i8", TensorType::i8, 0},
    {"q8_0", TensorType::q8_0, 0},    {"q4_0", TensorType::q4_0, 0},
    {"q4_k", TensorType::q4_k, 0},    {"tq1_0", TensorType::tq1_0, 52},
    {"tq2_0", TensorType::tq2_0, 64}, {"q2_0_g128", TensorType::q2_0_g128, 0},
    {"q1_0", TensorType::q1_0, 0},    {"f16", TensorType::f16, 0},
    {"bf16", TensorType::bf16, 0}};

/// Random rows whose scales are about 1/16.
Buffer<uint8_t> make_rows(const RowType& type) {
  auto rows = make_large(kBytes);
  std::mt19937 rng(1);
  for (uint8_t& byte : rows.span()) byte = static_cast<uint8_t>(rng());
  if (type.type == TensorType::i8) return rows;
  const size_t step = tern::type_info(type.type).block_bytes;
  for (size_t at = 0; at + step <= kBytes; at += step) rows[at + type.scale_at + 1] = 0x2C;
  return rows;
}

void head_rows(benchmark::State& state, const tern::KernelTable& kernels, const RowType& type,
               size_t n_tokens) {
  const auto rows = make_rows(type);
  const tern::TypeInfo& info = tern::type_info(type.type);
  const size_t row_bytes = kColumns / info.block_elems * info.block_bytes;
  const size_t n_rows = kBytes / row_bytes;
  const size_t stride = tern::activation_stride(kColumns);
  auto x = make_buffer<float>(n_tokens * kColumns);
  auto scales = make_buffer<float>(n_rows);
  auto planes = make_buffer<int8_t>(2 * n_tokens * stride);
  auto tokens = make_buffer<tern::QuantizedToken>(n_tokens);
  auto logits = make_buffer<float>(n_tokens * tern::kHeadBlockRows);
  std::mt19937 rng(2);
  std::normal_distribution<float> normal;
  for (float& v : x.span()) v = normal(rng);
  for (float& v : scales.span()) v = 0.01f;
  int8_t* low = planes.data() + n_tokens * stride;
  for (size_t t = 0; t < n_tokens; ++t) {
    tokens[t] = kernels.quantize_i16(x.data() + t * kColumns, kColumns, planes.data() + t * stride,
                                     low + t * stride, stride);
  }
  const tern::HeadView head{type.type, rows.data(), row_bytes, kColumns, scales.data()};
  const tern::HeadInput input{
      x.data(), kColumns, {planes.data(), low, tokens.data(), stride, n_tokens}};
  for (auto _ : state) {
    for (size_t row = 0; row < n_rows; row += tern::kHeadBlockRows) {  // as the engine does
      kernels.head_rows(head, input, row, std::min(row + tern::kHeadBlockRows, n_rows),
                        logits.data(), tern::kHeadBlockRows);
    }
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) *
                          static_cast<int64_t>(n_rows * row_bytes));
}

void probe_read(benchmark::State& state, const tern::KernelTable& kernels) {
  auto bytes = make_large(kBytes);
  for (uint8_t& byte : bytes.span()) byte = 1;
  for (auto _ : state) benchmark::DoNotOptimize(kernels.probe_read(bytes.data(), kBytes));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(kBytes));
}

void register_all() {
  const tern::CpuFeatureMask available = tern::detect_cpu_features();
  for (const tern::KernelTable* raw : tern::compiled_kernels()) {
    if ((raw->features & available) != raw->features) continue;
    const tern::KernelTable kernels = tern::resolve_kernels(*raw);
    std::string isa = raw->isa;
    if ((raw->features & tern::kCpuAvx512Vbmi) != 0) isa += "+vbmi";
    benchmark::RegisterBenchmark(("read/" + isa).c_str(), [=](benchmark::State& state) {
      probe_read(state, kernels);
    })->Unit(benchmark::kMillisecond);
    for (const RowType& type : kRowTypes) {
      for (const size_t n : {1, 2, 4, 8}) {
        const std::string name = std::string("head_") + type.name + "/" + isa +
                                 "/tokens:" + std::to_string(n) + "/k:" + std::to_string(kColumns);
        benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
          head_rows(state, kernels, type, n);
        })->Unit(benchmark::kMillisecond);
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  register_all();
  benchmark::RunSpecifiedBenchmarks();
}
