// Time slices and crowds on bitnet-2b-4t, random weights, Q6 head:
//
//     step/<decode|prefill>/t:<threads>   steps of 2 ms: the time of a step past its budget (p50,
//                                         p99, most), of the slices, and how long a cancel takes
//     cancel/t:<threads>                  how long a cancel of an evaluation of 256 tokens takes
//     crowd/<separate|together>/t:2       8 sessions, a token each: one by one, and in one pass
//
// Both of a pair run in one process, in turn: --benchmark_enable_random_interleaving=true.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "random_model.hpp"

namespace {

using Clock = std::chrono::steady_clock;
constexpr uint64_t kBudgetNs = 2000000;
constexpr size_t kSessions = 8;

ModelPtr model() {
  static const ModelPtr made = random_model("bitnet-2b-4t");
  return made;
}

std::shared_ptr<tern::Session> open(uint32_t threads, uint32_t context) {
  tern::SessionOptions options;
  options.n_threads = threads;
  options.context = context;
  const auto session = tern::Session::create(model(), options);
  return session.ok() ? *session : nullptr;
}

double microseconds(Clock::duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

/// The share-th of the values, which are sorted.
double quantile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto at = static_cast<size_t>(share * static_cast<double>(values.size() - 1));
  return values[at];
}

void step(benchmark::State& state, size_t n_tokens, uint32_t threads) {
  const auto session = open(threads, 64);
  std::vector<tern::TokenId> tokens;
  for (size_t i = 0; i < n_tokens; ++i) tokens.push_back(static_cast<tern::TokenId>(i * 37 % 997));
  std::vector<double> past;
  std::vector<double> slices;
  std::vector<double> cancels;
  const auto run = [&](uint64_t budget_ns, auto&& on_step) {
    if (!session->reset().ok() || !session->begin(tokens).ok()) return false;
    for (;;) {
      const Clock::time_point begin = Clock::now();
      const auto done = session->step(budget_ns);
      if (!done.ok()) return false;
      on_step(microseconds(Clock::now() - begin));
      if (*done) return true;
    }
  };
  bool ok = session != nullptr;
  for (auto _ : state) {
    ok = ok && run(kBudgetNs, [&](double us) { past.push_back(us - 1e-3 * kBudgetNs); });
    if (!ok) state.SkipWithError("the model does not run");
  }
  if (!ok) return;
  run(0, [&](double us) { slices.push_back(us); });
  // A cancel in the middle of a step that would take all the time there is.
  for (int i = 0; i < 20 && session->reset().ok() && session->begin(tokens).ok(); ++i) {
    Clock::time_point asked;
    std::thread canceller([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(3));
      asked = Clock::now();
      session->cancel();
    });
    const auto done = session->step(~uint64_t{0});
    const Clock::time_point end = Clock::now();
    canceller.join();
    if (!done.ok()) cancels.push_back(microseconds(end - asked));
  }
  state.counters["past_p50_us"] = quantile(past, 0.5);
  state.counters["past_p99_us"] = quantile(past, 0.99);
  state.counters["past_max_us"] = quantile(past, 1);
  state.counters["slice_p50_us"] = quantile(slices, 0.5);
  state.counters["slice_max_us"] = quantile(slices, 1);
  state.counters["cancel_max_us"] = quantile(cancels, 1);
}

/// An evaluation of a whole batch, cancelled at moments all over it.
void cancel_batch(benchmark::State& state, uint32_t threads) {
  constexpr uint32_t kTokens = 256;
  const auto session = open(threads, kTokens);
  const std::vector<tern::TokenId> tokens(kTokens, 100);
  std::vector<double> cancels;
  bool ok = session != nullptr && session->evaluate(tokens).ok();
  int64_t moment = 0;
  for (auto _ : state) {
    ok = ok && session->reset().ok();
    Clock::time_point asked;
    std::thread canceller([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20 + moment));
      asked = Clock::now();
      session->cancel();
    });
    const auto done = session->evaluate(tokens);
    const Clock::time_point end = Clock::now();
    canceller.join();
    if (!ok) state.SkipWithError("the model does not run");
    if (!done.ok()) cancels.push_back(microseconds(end - asked));
    moment = (moment + 37) % 211;
  }
  state.counters["cancel_p50_us"] = quantile(cancels, 0.5);
  state.counters["cancel_max_us"] = quantile(cancels, 1);
}

void crowd(benchmark::State& state, bool together) {
  constexpr uint32_t kTokens = 8;
  std::vector<std::shared_ptr<tern::Session>> sessions;
  std::vector<tern::Session*> crowd;
  for (size_t i = 0; i < kSessions; ++i) {
    sessions.push_back(open(2, kTokens));
    crowd.push_back(sessions.back().get());
  }
  bool ok = crowd[0] != nullptr;
  for (auto _ : state) {
    for (tern::Session* session : crowd) ok = ok && session->reset().ok();
    for (uint32_t t = 0; t < kTokens && ok; ++t) {
      std::vector<tern::TokenId> tokens;
      for (size_t i = 0; i < kSessions; ++i) {
        tokens.push_back(static_cast<tern::TokenId>((t * 31 + i * 7) % 997));
      }
      if (together) {
        ok = tern::Session::evaluate_each(crowd, tokens).ok();
        continue;
      }
      for (size_t i = 0; i < kSessions && ok; ++i) ok = crowd[i]->evaluate({&tokens[i], 1}).ok();
    }
    if (!ok) state.SkipWithError("the model does not run");
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kTokens * kSessions));
}

}  // namespace

int main(int argc, char** argv) {
  for (const uint32_t threads : {1u, 2u}) {
    for (const size_t n_tokens : {size_t{1}, size_t{32}}) {
      const std::string name = std::string("step/") + (n_tokens == 1 ? "decode" : "prefill") +
                               "/t:" + std::to_string(threads);
      benchmark::RegisterBenchmark(
          name.c_str(),
          [n_tokens, threads](benchmark::State& state) { step(state, n_tokens, threads); })
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
    }
    benchmark::RegisterBenchmark(
        ("cancel/t:" + std::to_string(threads)).c_str(),
        [threads](benchmark::State& state) { cancel_batch(state, threads); })
        ->Iterations(40)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  }
  for (const bool together : {false, true}) {
    const std::string name = std::string("crowd/") + (together ? "together" : "separate") + "/t:2";
    benchmark::RegisterBenchmark(name.c_str(),
                                 [together](benchmark::State& state) { crowd(state, together); })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
