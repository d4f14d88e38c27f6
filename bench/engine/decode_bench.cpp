// Decoding and prefill of the story model, by instruction set and threads. Names:
// decode/<isa>/t:<threads>; items are tokens.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <string>
#include <vector>

#include "tern/tern.hpp"

namespace {

using tern::TokenId;

constexpr const char* kModel = TERN_SOURCE_DIR "/examples/models/stories.gguf";

std::shared_ptr<tern::Session> open_session(const std::string& isa, uint32_t threads) {
  tern::LoadOptions load_options;
  load_options.isa = isa;
  const auto model = tern::Model::load_file(kModel, load_options);
  if (!model.ok()) return nullptr;
  tern::SessionOptions options;
  options.n_threads = threads;
  const auto session = tern::Session::create(*model, options);
  return session.ok() ? *session : nullptr;
}

// 200 greedy tokens from the first, then from the start again.
void decode(benchmark::State& state, const std::string& isa, uint32_t threads) {
  const auto session = open_session(isa, threads);
  int64_t n_tokens = 0;
  for (auto _ : state) {
    TokenId token = 2046;
    bool ok = session != nullptr && session->reset().ok();
    for (int i = 0; i < 200 && ok; ++i, ++n_tokens) {
      ok = session->evaluate({&token, 1}).ok();
      const auto next = session->sample({});
      if (ok && next.ok()) token = *next;
    }
    if (!ok) state.SkipWithError("the model does not run");
  }
  state.SetItemsProcessed(n_tokens);
}

void prefill(benchmark::State& state, const std::string& isa, uint32_t threads) {
  const auto session = open_session(isa, threads);
  const std::vector<TokenId> tokens(250, 258);
  for (auto _ : state) {
    if (session == nullptr || !session->reset().ok() || !session->evaluate(tokens).ok()) {
      state.SkipWithError("the model does not run");
    }
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * 250);
}

}  // namespace

int main(int argc, char** argv) {
  for (const tern::KernelTable* raw : tern::compiled_kernels()) {
    if (!tern::select_kernels(raw->isa).ok()) continue;
    for (const uint32_t threads : {1u, 2u}) {
      const std::string suffix = std::string("/") + raw->isa + "/t:" + std::to_string(threads);
      benchmark::RegisterBenchmark(("decode" + suffix).c_str(), decode, raw->isa, threads)
          ->UseRealTime();
      benchmark::RegisterBenchmark(("prefill" + suffix).c_str(), prefill, raw->isa, threads)
          ->UseRealTime();
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
