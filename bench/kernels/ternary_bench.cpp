// The ternary product: kernel x instruction set x shape, with Eigen's float product as the
// baseline. Names: gemv_t2_i8/<isa>/n:<tokens>/m:<rows>/k:<columns>; bytes are those of the weights
// read.
#include <benchmark/benchmark.h>

#include <Eigen/Dense>
#include <random>
#include <string>
#include <vector>

#include "tern/base/buffer.hpp"
#include "tern/kernels/registry.hpp"

namespace {

using tern::Buffer;

template <typename T>
Buffer<T> make_buffer(size_t n) {
  return *Buffer<T>::create(n, tern::default_allocator());
}

/// Random weights larger than the caches, and random activations.
struct Problem {
  size_t rows, cols, tokens;
  Buffer<uint8_t> tiles;
  Buffer<int8_t> codes;
  Buffer<tern::QuantizedToken> quantized;
  Buffer<float> y;
  float scale = 0.02f;

  Problem(size_t m, size_t k, size_t n) : rows(m), cols(k), tokens(n) {
    std::mt19937 rng(1);
    tiles = make_buffer<uint8_t>(
        *tern::packed_bytes(tern::Packing::t2, static_cast<uint32_t>(m), static_cast<uint32_t>(k)));
    for (uint8_t& byte : tiles.span()) byte = static_cast<uint8_t>(rng() & rng() & 0xAA) | 0x10;
    const size_t stride = tern::activation_stride(k);
    codes = make_buffer<int8_t>(n * stride);
    quantized = make_buffer<tern::QuantizedToken>(n);
    y = make_buffer<float>(n * m);
    for (size_t t = 0; t < n; ++t) {
      for (size_t c = 0; c < k; ++c) {
        codes[t * stride + c] = static_cast<int8_t>(static_cast<int>(rng() % 255) - 127);
        quantized[t].sum += codes[t * stride + c];
      }
      quantized[t].step = 0.01f;
    }
  }
  tern::TernaryView weights() const {
    tern::TernaryView w;
    w.data = tiles.data();
    w.rows = static_cast<uint32_t>(rows);
    w.cols = static_cast<uint32_t>(cols);
    w.scales = &scale;
    return w;
  }
  tern::ActivationView activations() const {
    return {codes.data(), nullptr, quantized.data(), tern::activation_stride(cols), tokens};
  }
  size_t n_tiles() const { return (rows + 15) / 16; }
};

void count(benchmark::State& state, const Problem& p) {
  const auto runs = static_cast<int64_t>(state.iterations());
  state.SetBytesProcessed(runs * static_cast<int64_t>(p.tiles.size()));
  const double macs = static_cast<double>(p.rows * p.cols * p.tokens) * static_cast<double>(runs);
  state.counters["GMAC/s"] = benchmark::Counter(macs * 1e-9, benchmark::Counter::kIsRate);
}

void vector_product(benchmark::State& state, const tern::KernelTable& kernels, size_t m, size_t k,
                    size_t n) {
  Problem p(m, k, n);
  for (auto _ : state) {
    kernels.multiply_vector(p.weights(), p.activations(), 0, p.n_tiles(), p.y.data(), m);
    benchmark::ClobberMemory();
  }
  count(state, p);
}

void matrix_product(benchmark::State& state, const tern::KernelTable& kernels, size_t m, size_t k,
                    size_t n) {
  Problem p(m, k, n);
  auto packed = make_buffer<int8_t>(kernels.packed_tokens_bytes(n, k));
  auto scratch = make_buffer<uint8_t>(kernels.matrix_scratch_bytes);
  for (auto _ : state) {
    kernels.pack_tokens(p.activations(), k, 0, n, packed.data());
    kernels.multiply_matrix(p.weights(), p.activations(), packed.data(), 0, p.n_tiles(), p.y.data(),
                            m, scratch.data());
    benchmark::ClobberMemory();
  }
  count(state, p);
}

void eigen_product(benchmark::State& state, size_t m, size_t k, size_t n) {
  const auto em = static_cast<Eigen::Index>(m);
  const auto ek = static_cast<Eigen::Index>(k);
  const auto en = static_cast<Eigen::Index>(n);
  const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> w =
      Eigen::MatrixXf::Random(em, ek);
  const Eigen::MatrixXf x = Eigen::MatrixXf::Random(ek, en);
  Eigen::MatrixXf y(em, en);
  for (auto _ : state) {
    y.noalias() = w * x;
    benchmark::ClobberMemory();
  }
  const double macs = static_cast<double>(m * k * n) * static_cast<double>(state.iterations());
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) *
                          static_cast<int64_t>(m * k * 4));
  state.counters["GMAC/s"] = benchmark::Counter(macs * 1e-9, benchmark::Counter::kIsRate);
}

std::string shape_name(size_t m, size_t k, size_t n) {
  return "/n:" + std::to_string(n) + "/m:" + std::to_string(m) + "/k:" + std::to_string(k);
}

void register_all() {
  struct Shape {
    size_t m, k;
  };
  constexpr Shape kShapes[] = {{2560, 2560}, {6912, 2560}, {2560, 6912}};
  for (const tern::KernelTable* raw : tern::compiled_kernels()) {
    const auto table = tern::select_kernels(raw->isa);
    if (!table.ok()) continue;
    const std::string isa = table->isa;
    for (const auto& [m, k] : kShapes) {
      for (const size_t n : {size_t{1}, size_t{4}, size_t{8}}) {
        benchmark::RegisterBenchmark(("gemv_t2_i8/" + isa + shape_name(m, k, n)).c_str(),
                                     vector_product, *table, m, k, n);
      }
      benchmark::RegisterBenchmark(("gemm_t2_i8/" + isa + shape_name(m, k, 128)).c_str(),
                                   matrix_product, *table, m, k, 128);
    }
  }
  for (const auto& [m, k] : kShapes) {
    for (const size_t n : {size_t{1}, size_t{128}}) {
      benchmark::RegisterBenchmark(("eigen_f32" + shape_name(m, k, n)).c_str(), eigen_product, m, k,
                                   n);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  register_all();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
