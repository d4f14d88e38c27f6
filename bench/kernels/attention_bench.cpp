// Attention: kernel x instruction set x cache x shape. Names:
// attend_<cache>/<table>/tokens:<n>/heads:<per key head>/positions:<n>/dim:<n>; bytes are those of
// the keys and values read, GMAC/s counts both products. Decoding walks over more caches than fit
// in cache memory.
#include <benchmark/benchmark.h>

#include <random>
#include <string>

#include "tern/base/buffer.hpp"
#include "tern/base/half.hpp"
#include "tern/kernels/registry.hpp"

namespace {

using tern::Buffer;
using tern::CacheType;

template <typename T>
Buffer<T> make_buffer(size_t n) {
  return *Buffer<T>::create(n, tern::default_allocator());
}

struct Shape {
  size_t tokens, heads, positions, dim;
};

/// Random queries, and `copies` caches of random keys and values.
struct Problem {
  Shape shape;
  CacheType type;
  size_t copies;
  Buffer<float> q, y;
  Buffer<uint16_t> halves, units;
  Buffer<int8_t> bytes;

  Problem(const Shape& s, CacheType cache)
      : shape(s), type(cache), copies(1 + (s.tokens == 1 ? (size_t{64} << 20) / elements() : 0)) {
    std::mt19937 rng(1);
    std::normal_distribution<float> normal;
    q = make_buffer<float>(s.tokens * s.heads * s.dim);
    y = make_buffer<float>(q.size());
    units = make_buffer<uint16_t>(s.positions);
    for (float& v : q.span()) v = normal(rng);
    for (uint16_t& v : units.span()) v = tern::f16_from_f32(0.02f);
    halves = make_buffer<uint16_t>(cache == CacheType::f16 ? 2 * copies * elements() : 1);
    bytes =
        make_buffer<int8_t>(tern::has_units(cache) ? 2 * copies * row_bytes() * s.positions : 1);
    for (uint16_t& v : halves.span()) v = static_cast<uint16_t>((rng() & 0x83FF) | 0x3800);
    for (int8_t& v : bytes.span()) v = static_cast<int8_t>(static_cast<int>(rng() % 255) - 127);
  }
  size_t elements() const { return shape.positions * shape.dim; }
  size_t row_bytes() const { return tern::cache_row_bytes(type, shape.dim); }
  tern::CacheView cache(size_t copy, size_t which) const {
    const size_t at = (2 * (copy % copies) + which) * elements();
    if (type == CacheType::f16) return {type, halves.data() + at, shape.dim, nullptr};
    return {type, bytes.data() + at / shape.dim * row_bytes(), shape.dim, units.data()};
  }
  tern::AttentionView view(size_t copy) const {
    tern::AttentionView a;
    a.q = q.data();
    a.q_stride = shape.heads * shape.dim;
    a.n_tokens = shape.tokens;
    a.n_heads = shape.heads;
    a.position = shape.positions - shape.tokens;
    a.dim = shape.dim;
    a.keys = cache(copy, 0);
    a.values = cache(copy, 1);
    a.scale = 0.088f;
    return a;
  }
};

void attend(benchmark::State& state, const tern::KernelTable& kernels, const Shape& s,
            CacheType type) {
  Problem p(s, type);
  auto scratch =
      make_buffer<uint8_t>(kernels.attention_scratch_bytes(s.tokens, s.heads, s.positions, s.dim));
  size_t copy = 0;
  for (auto _ : state) {
    kernels.attend(p.view(copy++), p.y.data(), s.heads * s.dim, scratch.data());
    benchmark::ClobberMemory();
  }
  const auto runs = static_cast<int64_t>(state.iterations());
  state.SetBytesProcessed(runs * static_cast<int64_t>(2 * s.positions * p.row_bytes()));
  const double macs = 2.0 * static_cast<double>(p.elements() * s.tokens * s.heads);
  state.counters["GMAC/s"] =
      benchmark::Counter(macs * static_cast<double>(runs) * 1e-9, benchmark::Counter::kIsRate);
}

void register_all() {
  constexpr Shape kShapes[] = {{1, 1, 4096, 128},  {1, 4, 4096, 128},   {16, 4, 2048, 128},
                               {16, 4, 4096, 128}, {16, 4, 32768, 128}, {16, 1, 4096, 96}};
  const tern::CpuFeatureMask available = tern::detect_cpu_features();
  for (const tern::KernelTable* raw : tern::compiled_kernels()) {
    if ((raw->features & available) != raw->features) continue;
    const tern::KernelTable kernels = tern::resolve_kernels(*raw);
    std::string isa = raw->isa;
    if ((raw->features & tern::kCpuAvx512Vbmi) != 0) isa += "+vbmi";
    const std::pair<CacheType, const char*> kCaches[] = {{CacheType::f16, "attend_f16/"},
                                                         {CacheType::i8, "attend_i8/"},
                                                         {CacheType::i4, "attend_i4/"},
                                                         {CacheType::i3, "attend_i3/"}};
    for (const auto& [type, prefix] : kCaches) {
      for (const Shape& s : kShapes) {
        const std::string name = prefix + isa + "/tokens:" + std::to_string(s.tokens) +
                                 "/heads:" + std::to_string(s.heads) +
                                 "/positions:" + std::to_string(s.positions) +
                                 "/dim:" + std::to_string(s.dim);
        benchmark::RegisterBenchmark(name.c_str(), [=, type = type](benchmark::State& state) {
          attend(state, kernels, s, type);
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
