// The ternary products: slot x packing x instruction set x shape, with the machine's limits and
// Eigen's float product beside them. Names:
// <slot>_<packing>/<table>/n:<tokens>/m:<rows>/k:<columns>; the table with byte permutations is
// called avx512vnni+vbmi. Bytes are those of the weights read.
//
// Vector products stream 96 MiB of matrices in large pages, as a decoder does; listed products,
// whose names end in /live:<percent>, stream as much of scattered lines; matrix products take one
// matrix.
#include <benchmark/benchmark.h>

#include <Eigen/Dense>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "tern/kernels/registry.hpp"
#include "tern/platform/large_pages.hpp"

namespace {

using tern::Buffer;
using tern::KernelTable;
using tern::Packing;

constexpr size_t kStreamedBytes = size_t{96} << 20;
constexpr size_t kRandomBytes = size_t{1} << 20;  // repeated
constexpr const char* kPackingNames[] = {"t2", "t5", "t2r", "t5r", "t2c", "t5c"};

template <typename T>
Buffer<T> make_buffer(size_t n) {
  return *Buffer<T>::create(n, tern::default_allocator());
}
Buffer<uint8_t> make_large(size_t n) {
  return *tern::create_streamed_buffer(n, tern::default_allocator());
}

/// Random weights, as many matrices as `bytes` holds, and random activations.
struct Problem {
  tern::TernaryView view;
  size_t tokens;
  size_t matrix_bytes;
  size_t n_matrices;
  Buffer<uint8_t> weights;
  Buffer<uint8_t> codes;
  Buffer<tern::QuantizedToken> quantized;
  Buffer<uint8_t> results;
  float scale = 0.02f;

  Problem(Packing packing, size_t m, size_t k, size_t n, size_t bytes) : tokens(n) {
    view.rows = static_cast<uint32_t>(m);
    view.cols = static_cast<uint32_t>(k);
    view.packing = packing;
    view.scales = &scale;
    matrix_bytes = *tern::packed_bytes(packing, view.rows, view.cols);
    n_matrices = bytes < matrix_bytes ? 1 : bytes / matrix_bytes;
    weights = make_large(n_matrices * matrix_bytes);
    std::mt19937 rng(1);
    const std::span<uint8_t> all = weights.span();
    const size_t n_random = all.size() < kRandomBytes ? all.size() : kRandomBytes;
    for (size_t i = 0; i < all.size(); ++i) {
      all[i] =
          i < n_random ? static_cast<uint8_t>((rng() & rng() & 0xAA) | 0x10) : all[i - n_random];
    }
    const size_t stride = tern::activation_stride(k);
    codes = make_large(n * stride);
    std::fill(codes.span().begin(), codes.span().end(), uint8_t{0});
    quantized = make_buffer<tern::QuantizedToken>(n);
    results = make_large(n * m * sizeof(float));
    std::fill(results.span().begin(), results.span().end(), uint8_t{0});
    auto* q = reinterpret_cast<int8_t*>(codes.data());
    for (size_t t = 0; t < n; ++t) {
      for (size_t c = 0; c < k; ++c) {
        q[t * stride + c] = static_cast<int8_t>(static_cast<int>(rng() % 255) - 127);
        quantized[t].sum += q[t * stride + c];
      }
      quantized[t].step = 0.01f;
    }
  }
  tern::TernaryView matrix(size_t i) const {
    tern::TernaryView w = view;
    w.data = weights.data() + i * matrix_bytes;
    return w;
  }
  tern::ActivationView activations() const {
    return {reinterpret_cast<const int8_t*>(codes.data()), nullptr, quantized.data(),
            tern::activation_stride(view.cols), tokens};
  }
  float* y() { return reinterpret_cast<float*>(results.data()); }
};

void count(benchmark::State& state, double bytes, double macs) {
  const auto runs = static_cast<double>(state.iterations());
  state.SetBytesProcessed(static_cast<int64_t>(runs * bytes));
  state.counters["GMAC/s"] = benchmark::Counter(runs * macs * 1e-9, benchmark::Counter::kIsRate);
}
double macs_of(const Problem& p) {
  return static_cast<double>(p.view.rows) * static_cast<double>(p.view.cols) *
         static_cast<double>(p.tokens);
}

void vector_product(benchmark::State& state, const KernelTable& kernels, Packing packing, size_t m,
                    size_t k, size_t n) {
  Problem p(packing, m, k, n, kStreamedBytes);
  for (auto _ : state) {
    for (size_t i = 0; i < p.n_matrices; ++i) {
      kernels.multiply_vector(p.matrix(i), p.activations(), 0, p.view.n_units(), p.y(), m);
    }
    benchmark::ClobberMemory();
  }
  const auto n_matrices = static_cast<double>(p.n_matrices);
  count(state, n_matrices * static_cast<double>(p.matrix_bytes), n_matrices * macs_of(p));
}

void matrix_product(benchmark::State& state, const KernelTable& kernels, Packing packing, size_t m,
                    size_t k, size_t n) {
  Problem p(packing, m, k, n, 0);
  auto packed = make_large(kernels.packed_tokens_bytes(n, k) + 1);
  auto scratch = make_buffer<uint8_t>(kernels.matrix_scratch_bytes + 1);
  auto* tokens = reinterpret_cast<int8_t*>(packed.data());
  for (auto _ : state) {
    kernels.pack_tokens(p.activations(), k, 0, n, tokens);
    kernels.multiply_matrix(p.matrix(0), p.activations(), tokens, 0, p.view.n_units(), p.y(), m,
                            scratch.data());
    benchmark::ClobberMemory();
  }
  count(state, static_cast<double>(p.matrix_bytes), macs_of(p));
}

/// Lines of a share of the rows (packings by row) or of the columns, scattered.
void listed_product(benchmark::State& state, const KernelTable& kernels, Packing packing, size_t m,
                    size_t k, uint32_t percent) {
  Problem p(packing, m, k, 1, kStreamedBytes * 100 / percent);
  const bool rows = tern::is_rows(packing);
  const size_t n_lines = rows ? m : k;
  std::mt19937 rng(2);
  std::vector<std::vector<uint32_t>> lists(p.n_matrices);
  size_t n_live = 0;
  for (auto& list : lists) {
    for (uint32_t i = 0; i < n_lines; ++i) {
      if (rng() % 100 < percent) list.push_back(i);
    }
    n_live += list.size();
  }
  const std::vector<int8_t> values(n_lines, 77);
  auto sums = make_large(tern::column_sums_size(p.view) * sizeof(int32_t));
  for (auto _ : state) {
    for (size_t i = 0; i < p.n_matrices; ++i) {
      const std::vector<uint32_t>& list = lists[i];
      if (rows) {
        kernels.multiply_rows(p.matrix(i), p.activations(), list.data(), 0, list.size(), p.y(), m);
        continue;
      }
      kernels.multiply_columns(p.matrix(i), {list.data(), values.data(), n_lines, 1}, 0,
                               list.size(), reinterpret_cast<int32_t*>(sums.data()));
    }
    benchmark::ClobberMemory();
  }
  const double live = static_cast<double>(n_live);
  count(state, live * static_cast<double>(p.matrix_bytes / n_lines),
        live * static_cast<double>(rows ? k : m));
}

void read_limit(benchmark::State& state, const KernelTable& kernels) {
  auto bytes = make_large(kStreamedBytes);
  std::fill(bytes.span().begin(), bytes.span().end(), uint8_t{1});
  for (auto _ : state) benchmark::DoNotOptimize(kernels.probe_read(bytes.data(), kStreamedBytes));
  count(state, static_cast<double>(kStreamedBytes), 0);
}
void dot_limit(benchmark::State& state, const KernelTable& kernels) {
  int32_t sink = 1;
  uint64_t macs = 0;
  for (auto _ : state) macs = kernels.probe_dot(100000, &sink);
  benchmark::DoNotOptimize(sink);
  count(state, 0, static_cast<double>(macs));
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
  count(state, static_cast<double>(m * k * 4), static_cast<double>(m * k * n));
}

std::string shape_name(size_t m, size_t k, size_t n) {
  return "/n:" + std::to_string(n) + "/m:" + std::to_string(m) + "/k:" + std::to_string(k);
}

struct Shape {
  size_t m, k;
};

void register_table(const KernelTable& table, const std::string& name, Shape up, Shape down) {
  const auto add = [](const std::string& bench, auto function, auto... arguments) {
    benchmark::RegisterBenchmark(bench.c_str(), function, arguments...);
  };
  add("read/" + name, read_limit, table);
  add("dot/" + name, dot_limit, table);
  for (const Packing packing : {Packing::t2, Packing::t5}) {
    const std::string slot = std::string("vector_") + kPackingNames[static_cast<size_t>(packing)];
    for (size_t n = 1; n <= tern::kVectorTokens; ++n) {
      add(slot + "/" + name + shape_name(up.m, up.k, n), vector_product, table, packing, up.m, up.k,
          n);
    }
    add(slot + "/" + name + shape_name(down.m, down.k, 1), vector_product, table, packing, down.m,
        down.k, size_t{1});
  }
  for (const Packing packing : {Packing::t2r, Packing::t5r, Packing::t2c, Packing::t5c}) {
    const Shape s = tern::is_rows(packing) ? up : down;
    for (const uint32_t percent : {100u, 50u, 33u, 17u}) {
      add(std::string("listed_") + kPackingNames[static_cast<size_t>(packing)] + "/" + name +
              shape_name(s.m, s.k, 1) + "/live:" + std::to_string(percent),
          listed_product, table, packing, s.m, s.k, percent);
    }
  }
  const size_t prompt = name == "scalar" ? 4 : 504;
  for (size_t packing = 0; packing < std::size(kPackingNames); ++packing) {
    for (const Shape& s : {up, down}) {
      add(std::string("matrix_") + kPackingNames[packing] + "/" + name +
              shape_name(s.m, s.k, prompt),
          matrix_product, table, static_cast<Packing>(packing), s.m, s.k, prompt);
    }
  }
}

void register_all() {
  constexpr Shape kUp{6912, 2560};  // of BitNet b1.58 2B-4T
  constexpr Shape kDown{2560, 6912};
  for (const KernelTable* raw : tern::compiled_kernels()) {
    if ((raw->features & tern::detect_cpu_features()) != raw->features) continue;
    std::string name = raw->isa;
    if ((raw->features & tern::kCpuAvx512Vbmi) != 0) name += "+vbmi";
    register_table(tern::resolve_kernels(*raw), name, kUp, kDown);
  }
  for (const Shape& s : {kUp, kDown}) {
    for (const size_t n : {size_t{1}, size_t{128}}) {
      benchmark::RegisterBenchmark(("eigen_f32" + shape_name(s.m, s.k, n)).c_str(), eigen_product,
                                   s.m, s.k, n);
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
