// Guessing tokens:
//
//     pass/tokens:<n>/t:2             one pass of n tokens with all their logits, bitnet-2b-4t,
//     random
//                                     weights, Q6 head: what verifying n - 1 guesses costs
//     text/<plain|repetitive>/draft:<n>   generating 200 tokens with the story model; accepted and
//                                     drafted tokens beside
//
// Pairs run in one process, in turn: --benchmark_enable_random_interleaving=true.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "random_model.hpp"
#include "story_texts.hpp"

namespace {

ModelPtr stories() {
  static const ModelPtr model = [] {
    const auto loaded = tern::Model::load_file(TERN_SOURCE_DIR "/examples/models/stories.gguf", {});
    return loaded.ok() ? *loaded : nullptr;
  }();
  return model;
}

void pass(benchmark::State& state, size_t n_tokens) {
  const ModelPtr model = large_model();
  if (model == nullptr) return state.SkipWithError("no model");
  tern::SessionOptions options;
  options.context = 64;
  options.n_threads = 2;
  const auto session = *tern::Session::create(model, options);
  std::vector<tern::TokenId> tokens(n_tokens);
  for (size_t i = 0; i < n_tokens; ++i) tokens[i] = static_cast<tern::TokenId>(100 + i);
  std::vector<float> logits(n_tokens * model->config().vocab_size);
  for (auto _ : state) {
    if (!session->evaluate(tokens, logits).ok() || !session->truncate(0).ok()) {
      return state.SkipWithError("no pass");
    }
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * n_tokens));
}

void generate(benchmark::State& state, const StoryText& text, uint32_t n_draft) {
  const ModelPtr model = stories();
  if (model == nullptr) return state.SkipWithError("no model");
  const auto session = *tern::Session::create(model, {});
  tern::Vector<tern::TokenId> ids;
  if (!model->tokenizer()->encode(text.prompt, {}, ids).ok())
    return state.SkipWithError("no prompt");
  tern::GenerateOptions options;
  options.max_tokens = 200;
  options.n_draft = n_draft;
  options.sampler.temperature = text.temperature;
  uint64_t n_tokens = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const bool ready = session->reset().ok() && session->evaluate(ids).ok();
    ++options.sampler.seed;
    state.ResumeTiming();
    const auto done =
        tern::generate(*session, options, [](std::string_view, tern::TokenId) { return true; });
    if (!ready || !done.ok()) return state.SkipWithError("no text");
    n_tokens += done->n_tokens;
  }
  state.SetItemsProcessed(static_cast<int64_t>(n_tokens));
  const tern::SessionStatistics did = session->statistics();
  const auto share = [&](uint64_t count) {
    return static_cast<double>(count) / static_cast<double>(n_tokens);
  };
  state.counters["drafted_per_token"] = share(did.n_drafted);
  state.counters["accepted_per_token"] = share(did.n_accepted);
}

void register_all() {
  for (const size_t n : {1, 2, 4, 8}) {
    const std::string name = "pass/tokens:" + std::to_string(n) + "/t:2";
    benchmark::RegisterBenchmark(name.c_str(), pass, n)
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
  }
  for (const uint32_t n_draft : {0u, 3u, 7u}) {
    for (const StoryText& text : kStoryTexts) {
      const std::string name =
          std::string("text/") + text.name + "/draft:" + std::to_string(n_draft);
      benchmark::RegisterBenchmark(name.c_str(), [&text, n_draft](benchmark::State& state) {
        generate(state, text, n_draft);
      })->UseRealTime();
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  register_all();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
