// Exact skipping in the ternary body of bitnet-2b-4t: decoding with a vocabulary of 256, so that
// the head costs nothing, against the same model as T5 tiles. Names:
// body/<how>/zeros:<share>/t:<threads>.
//
// tiles: everything read, nothing laid out for skipping; lines: laid out for it, everything read;
// skip: zeros skipped. Shares: half of the gates zero, as random weights give, and the rates of a
// trained model (67 % of the rows of up, 83 % of the columns of down), imposed by zero weights. Run
// with --benchmark_enable_random_interleaving=true, so that the machine's moods hit all alike.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <map>
#include <string>

#include "random_model.hpp"

namespace {

constexpr size_t kTokens = 16;  // a run, from an empty context

struct Zeros {
  const char* name;
  uint32_t gates, inputs;  // of a thousand
};
constexpr Zeros kZeros[] = {{"random", 500, 0}, {"trained", 670, 830}};

struct How {
  const char* name;
  bool lines, skips;
};
constexpr How kHows[] = {{"tiles", false, false}, {"lines", true, false}, {"skip", true, true}};

/// Made once for each layout and share; null where that fails.
ModelPtr body(const Zeros& zeros, bool lines) {
  static std::map<std::string, ModelPtr> bodies;
  ModelPtr& made = bodies[zeros.name + std::to_string(lines)];
  if (made != nullptr) return made;
  const auto shape = tern::find_shape("bitnet-2b-4t");
  if (!shape.ok()) return nullptr;
  tern::ModelShape small = **shape;
  small.vocab_size = 256;
  tern::SynthOptions options;
  options.packing = tern::Packing::t5;
  options.gate_zeros = zeros.gates;
  options.down_zeros = zeros.inputs;
  options.skip_zeros = lines;
  made = random_model(small, options);
  return made;
}

void decode(benchmark::State& state, const Zeros& zeros, const How& how, uint32_t threads) {
  tern::SessionOptions options;
  options.context = kTokens;
  options.n_threads = threads;
  options.skip_zeros = how.skips;
  const auto session = tern::Session::create(body(zeros, how.lines), options);
  bool ok = session.ok();
  for (auto _ : state) {
    ok = ok && (*session)->reset().ok();
    for (size_t i = 0; i < kTokens && ok; ++i) {
      const auto token = static_cast<tern::TokenId>(i * 37 % 256);
      ok = (*session)->evaluate({&token, 1}).ok();
    }
    if (!ok) state.SkipWithError("the model does not run");
  }
  if (!ok) return;
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kTokens));
  const tern::SkipCounts counts = (*session)->statistics().skipped;
  if (counts.gates.all == 0) return;
  const auto share = [](uint64_t part, uint64_t all) {
    return static_cast<double>(part) / static_cast<double>(all);
  };
  state.counters["dead_gates"] = share(counts.gates.zeros, counts.gates.all);
  state.counters["zero_inputs"] = share(counts.down_inputs.zeros, counts.down_inputs.all);
}

}  // namespace

int main(int argc, char** argv) {
  for (const uint32_t threads : {1u, 2u}) {
    for (const Zeros& zeros : kZeros) {
      for (const How& how : kHows) {
        const std::string name = std::string("body/") + how.name + "/zeros:" + zeros.name +
                                 "/t:" + std::to_string(threads);
        benchmark::RegisterBenchmark(name.c_str(),
                                     [&zeros, &how, threads](benchmark::State& state) {
                                       decode(state, zeros, how, threads);
                                     })
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
      }
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
