// What a grammar costs beside a model: making it, masks of places that are new and of one that is
// kept, accepting a token. grammar_bench VOCABULARY.gguf [--benchmark_...]
#include <benchmark/benchmark.h>

#include <cstdio>

#include "tern/model/vocabulary_loader.hpp"
#include "tern/platform/mapped_file.hpp"
#include "tern/tern.hpp"

namespace {

/// A text of which every byte leads to a place of its own.
struct Walk {
  const char* name;
  const char* gbnf;
  const char* text;  // over and over
};
constexpr Walk kWalks[] = {
    {"few_may_follow", R"(root ::= ("a" "b"){8000})", "ab"},
    {"most_may_follow", R"(root ::= [^\x00-\x1F"\\]{16000})", "a"},
};
constexpr int64_t kPlaces = 1000;

tern::Result<tern::Tokenizer> load(const char* path) {
  const auto hooks = tern::default_allocator();
  TERN_TRY_ASSIGN(const tern::FileBytes file,
                  tern::FileBytes::open(path, tern::FileAccess::mapped, hooks));
  TERN_TRY_ASSIGN(const tern::GgufFile gguf, tern::GgufFile::parse(file.bytes(), hooks));
  return tern::load_tokenizer(gguf, "", hooks);
}

std::shared_ptr<tern::Grammar> make(const tern::Tokenizer& tokenizer, const Walk& walk) {
  const auto made = tern::Grammar::create(walk.gbnf, tokenizer, tern::default_allocator());
  return made.ok() ? *made : nullptr;
}

void create(benchmark::State& state, const tern::Tokenizer& tokenizer, const Walk& walk) {
  for (auto _ : state) {
    if (make(tokenizer, walk) == nullptr) state.SkipWithError("no grammar");
  }
}

/// The tokens of each byte of the walk's text.
std::vector<tern::TokenId> tokens_of(const tern::Tokenizer& tokenizer, std::string_view text) {
  std::vector<tern::TokenId> tokens;
  for (const char c : text) {
    tern::TokenId token = 0;
    const tern::Vocabulary& vocabulary = tokenizer.vocabulary();
    while (vocabulary.contains(token) && vocabulary.piece(token) != std::string_view(&c, 1)) {
      ++token;
    }
    tokens.push_back(token);
  }
  return tokens;
}

// Each iteration accepts a token, asks for the mask of the place behind it, new there, and again.
void mask(benchmark::State& state, const tern::Tokenizer& tokenizer, const Walk& walk,
          bool is_new) {
  const auto grammar = make(tokenizer, walk);
  const auto tokens = tokens_of(tokenizer, walk.text);
  size_t i = 0;
  for (auto _ : state) {
    const bool moves = is_new && grammar != nullptr;
    bool ok = grammar != nullptr && (!moves || grammar->accept(tokens[i++ % tokens.size()]).ok());
    ok = ok && grammar->mask().ok();
    if (!ok) state.SkipWithError("no mask");
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (argc != 2) {
    std::fputs("usage: grammar_bench VOCABULARY.gguf\n", stderr);
    return 2;
  }
  const auto tokenizer = load(argv[1]);
  if (!tokenizer.ok()) {
    std::fprintf(stderr, "%s: %s\n", argv[1], tokenizer.error().what);
    return 1;
  }
  std::printf("%zu tokens\n", size_t{tokenizer->vocabulary().size()});
  for (const Walk& walk : kWalks) {
    const std::string name = walk.name;
    benchmark::RegisterBenchmark(("create/" + name).c_str(), create, *tokenizer, walk);
    benchmark::RegisterBenchmark(("new_mask/" + name).c_str(), mask, *tokenizer, walk, true)
        ->Iterations(kPlaces);
    benchmark::RegisterBenchmark(("kept_mask/" + name).c_str(), mask, *tokenizer, walk, false);
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
