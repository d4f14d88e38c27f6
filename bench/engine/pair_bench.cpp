// Ratios of what an embedder compares, each of two things timed in turn, milliseconds apart: on a
// machine whose memory changes its speed from one second to the next, a ratio of two separate runs
// says little.
//
//     pair_bench [PART OF A NAME] [ROUNDS] [ISA]
//
//     pass/<n>            a pass over n tokens of bitnet-2b-4t with all their logits, and over one
//     skip/<zeros>/t:<n>  a token of the body of bitnet-2b-4t (a vocabulary of 256) as tiles, of
//                         which everything is read, and with zeros skipped: random, half of the
//                         gates zero, or trained, such a model's rates imposed
//     sparse/a48-7b       a token of 7b (dense), and of a48-7b with the zeros of the a4.8 paper
//     depth/<cache>       a token of bitnet-2b-4t behind 3500 positions, and behind none
//     draft/<n>/<text>    200 tokens of the story model with n guesses at a time, and with none;
//                         how many are guessed, and right
//
// Prints, of all rounds: the medians in milliseconds, the quartiles of first / second, and what
// memory gave meanwhile (median of a reading every eighth round). Heads are Q6_K, with 2 threads
// where no number is given; the story model has 1.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/machine_limits.hpp"
#include "random_model.hpp"

namespace {

using SessionPtr = std::shared_ptr<tern::Session>;

/// One of two that are compared: returns false where it does not run.
using Subject = std::function<bool()>;

/// What the story model writes: stories, and the same sentence again and again.
struct StoryText {
  const char* name;
  const char* prompt;
  float temperature;
};
constexpr StoryText kStoryTexts[] = {
    {"plain", "Once upon a time there was a little girl", 0.8f},
    {"repetitive", "Row, row, row your boat. Row, row, row your boat. Row, row, row your boat.",
     0}};

constexpr int kRounds = 60;
constexpr int kRoundsPerReading = 8;
constexpr uint32_t kDepth = 3500;

/// Quartiles, by nearest rank.
struct Quartiles {
  double low, median, high;
};
Quartiles quartiles(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1) + 0.5)];
  };
  return {at(0.25), at(0.5), at(0.75)};
}

/// Milliseconds; below zero where it does not run.
double timed(const Subject& subject) {
  const auto start = std::chrono::steady_clock::now();
  const bool ok = subject();
  const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - start;
  return ok ? taken.count() : -1;
}

/// What was asked for.
struct Plan {
  std::string_view part;
  int rounds;
  std::string isa;
  bool wants(std::string_view name) const { return name.find(part) != std::string_view::npos; }
};

/// Prints a line of two subjects, in turn for so many rounds.
bool compare(const std::string& name, const Subject& first, const Subject& second, int rounds) {
  static const tern::KernelTable kernels = *tern::select_kernels("");
  static const tern::TaskRunner runner(*tern::ThreadPool::create(2, tern::default_allocator()));
  static cli::ReadProbe probe(kernels, runner);
  std::vector<double> times[2], ratios, reads;
  for (int round = -1; round < rounds; ++round) {  // one round goes untimed
    if (round % kRoundsPerReading == 0) reads.push_back(probe.gb_s());
    const double a = timed(first);
    const double b = timed(second);
    if (a < 0 || b < 0) {
      std::fprintf(stderr, "%s: does not run\n", name.c_str());
      return false;
    }
    if (round < 0) continue;
    times[0].push_back(a);
    times[1].push_back(b);
    ratios.push_back(a / b);
  }
  const Quartiles ratio = quartiles(ratios);
  std::printf("%-24s %9.3f %9.3f   %6.3f %6.3f %6.3f   %5.1f\n", name.c_str(),
              quartiles(times[0]).median, quartiles(times[1]).median, ratio.low, ratio.median,
              ratio.high, quartiles(reads).median);
  std::fflush(stdout);
  return true;
}

SessionPtr open(const ModelPtr& model, uint32_t context, uint32_t n_threads,
                tern::CacheType kv = tern::CacheType::f16) {
  tern::SessionOptions options;
  options.context = context;
  options.n_threads = n_threads;
  options.kv = kv;
  const auto session = tern::Session::create(model, options);
  return session.ok() ? *session : nullptr;
}

/// Evaluates n tokens at the session's end and takes them back.
Subject pass_of(const SessionPtr& session, uint32_t n_tokens) {
  std::vector<tern::TokenId> tokens(n_tokens);
  std::iota(tokens.begin(), tokens.end(), 100);
  std::vector<float> logits(n_tokens * session->model().config().vocab_size);
  return [session, position = session->position(), tokens, logits]() mutable {
    return session->evaluate(tokens, logits).ok() && session->truncate(position).ok();
  };
}

bool compare_passes(const Plan& plan) {
  SessionPtr session;
  bool ok = true;
  for (const uint32_t n : {2u, 4u, 8u}) {
    const std::string name = "pass/" + std::to_string(n);
    if (!plan.wants(name)) continue;
    if (session == nullptr) session = open(random_model("bitnet-2b-4t", {}, plan.isa), 64, 2);
    ok = session != nullptr &&
         compare(name, pass_of(session, n), pass_of(session, 1), plan.rounds) && ok;
  }
  return ok;
}

/// The body of bitnet-2b-4t with so many of 1000 gates and inputs of `down` zero, in T5.
ModelPtr body(uint32_t gate_zeros, uint32_t down_zeros, bool lines, const std::string& isa) {
  const auto shape = tern::find_shape("bitnet-2b-4t");
  if (!shape.ok()) return nullptr;
  tern::ModelShape small = **shape;
  small.vocab_size = 256;
  tern::SynthOptions options;
  options.packing = tern::Packing::t5;
  options.gate_zeros = gate_zeros;
  options.down_zeros = down_zeros;
  options.skip_zeros = lines;
  tern::LoadOptions load;
  load.isa = isa;
  return random_model(small, options, load);
}

bool compare_skipping(const Plan& plan) {
  struct Zeros {
    const char* name;
    uint32_t gates, inputs;
  };
  constexpr Zeros kZeros[] = {{"random", 500, 0}, {"trained", 670, 830}};
  bool ok = true;
  for (const auto& [zeros, gates, inputs] : kZeros) {
    for (const uint32_t n_threads : {1u, 2u}) {
      const std::string name = std::string("skip/") + zeros + "/t:" + std::to_string(n_threads);
      if (!plan.wants(name)) continue;
      const SessionPtr tiles = open(body(gates, inputs, false, plan.isa), 64, n_threads);
      const SessionPtr lines = open(body(gates, inputs, true, plan.isa), 64, n_threads);
      ok = ok && tiles != nullptr && lines != nullptr &&
           compare(name, pass_of(tiles, 1), pass_of(lines, 1), plan.rounds);
    }
  }
  return ok;
}

/// The paper's rates: 67.5 % of the gates, 84.2 % of the inputs of `down`.
bool compare_sparse(const Plan& plan) {
  const std::string name = "sparse/a48-7b";
  if (!plan.wants(name)) return true;
  tern::SynthOptions zeros;
  zeros.gate_zeros = 675;
  zeros.down_zeros = 842;
  const SessionPtr dense = open(random_model("7b", {}, plan.isa), 64, 2);
  const SessionPtr sparse = open(random_model("a48-7b", zeros, plan.isa), 64, 2);
  return dense != nullptr && sparse != nullptr &&
         compare(name, pass_of(dense, 1), pass_of(sparse, 1), plan.rounds);
}

bool compare_depths(const Plan& plan) {
  constexpr std::pair<const char*, tern::CacheType> kCaches[] = {{"i3", tern::CacheType::i3},
                                                                 {"i4", tern::CacheType::i4},
                                                                 {"i8", tern::CacheType::i8},
                                                                 {"f16", tern::CacheType::f16}};
  const std::vector<tern::TokenId> text(kDepth, 100);
  ModelPtr model;
  bool ok = true;
  for (const auto& [cache, kv] : kCaches) {
    const std::string name = std::string("depth/") + cache;
    if (!plan.wants(name)) continue;
    if (model == nullptr) model = random_model("bitnet-2b-4t", {}, plan.isa);
    const SessionPtr deep = open(model, kDepth + 64, 2, kv);
    const SessionPtr empty = open(model, kDepth + 64, 2, kv);
    ok = ok && deep != nullptr && empty != nullptr && deep->evaluate(text).ok() &&
         compare(name, pass_of(deep, 1), pass_of(empty, 1), plan.rounds);
  }
  return ok;
}

/// 200 tokens after a prompt. Each round has a seed of its own, the same for both subjects.
Subject story(const SessionPtr& session, const std::vector<tern::TokenId>& prompt,
              float temperature, uint32_t n_draft) {
  tern::GenerateOptions options;
  options.max_tokens = 200;
  options.n_draft = n_draft;
  options.sampler.temperature = temperature;
  return [session, prompt, options]() mutable {
    ++options.sampler.seed;
    return session->reset().ok() && session->evaluate(prompt).ok() &&
           tern::generate(*session, options, [](std::string_view, tern::TokenId) {
             return true;
           }).ok();
  };
}

bool compare_drafts(const Plan& plan) {
  tern::LoadOptions load;
  load.isa = plan.isa;
  const auto model = tern::Model::load_file(TERN_SOURCE_DIR "/examples/models/stories.gguf", load);
  if (!model.ok()) return false;
  bool ok = true;
  for (const StoryText& text : kStoryTexts) {
    tern::Vector<tern::TokenId> ids;
    if (!(*model)->tokenizer()->encode(text.prompt, {}, ids).ok()) return false;
    for (const uint32_t n_draft : {3u, 7u}) {
      const std::string name = "draft/" + std::to_string(n_draft) + "/" + text.name;
      if (!plan.wants(name)) continue;
      const SessionPtr with = open(*model, 0, 1);
      const SessionPtr without = open(*model, 0, 1);
      const std::vector<tern::TokenId> prompt(ids.begin(), ids.end());
      ok = ok && with != nullptr && without != nullptr &&
           compare(name, story(with, prompt, text.temperature, n_draft),
                   story(without, prompt, text.temperature, 0), 4 * plan.rounds);
      if (!ok) return false;
      const tern::SessionStatistics did = with->statistics();
      const double n = static_cast<double>(did.n_tokens);
      std::printf("%24s  %.2f guessed, %.2f right, of a token evaluated\n", "",
                  static_cast<double>(did.n_drafted) / n, static_cast<double>(did.n_accepted) / n);
    }
  }
  return ok;
}

}  // namespace

int main(int argc, char** argv) {
  const Plan plan = {argc > 1 ? argv[1] : "", argc > 2 ? std::max(std::atoi(argv[2]), 1) : kRounds,
                     argc > 3 ? argv[3] : ""};
  std::printf("%-24s %9s %9s   %20s   %5s\n", "pair", "first ms", "second ms", "first / second",
              "GB/s");
  bool ok = true;
  for (const auto run :
       {compare_passes, compare_skipping, compare_sparse, compare_depths, compare_drafts}) {
    ok = run(plan) && ok;
  }
  if (!ok) std::fprintf(stderr, "not all of it runs here\n");
  return ok ? 0 : 1;
}
