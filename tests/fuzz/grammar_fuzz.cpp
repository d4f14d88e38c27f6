// Fuzz target: any bytes as a grammar, and a walk along texts of it. The first byte says how it is
// written: GBNF where even, else a JSON schema; then comes the grammar, and behind a zero byte the
// walk, a token a byte: F0 to FE are words, FF the end, others themselves. Beside what the
// sanitizers see, it traps when memory is leaked or goes beyond the limits of grammars; when a
// schema's grammar is malformed, or a whole text of it is no JSON; when a mask and accept()
// disagree; when the walk gets stuck; or when a fork or a token that was refused changes anything.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "support/counting_allocator.hpp"
#include "tern/engine/json_schema.hpp"
#include "tern/format/json.hpp"
#include "tern/text/grammar.hpp"
#include "tern/text/grammar_parser.hpp"

namespace {

using tern::TokenId;

constexpr TokenId kEnd = 2;
constexpr TokenId kFirstByte = 3;
constexpr TokenId kFirstWord = kFirstByte + 256;

/// A vocabulary of an end, every byte, and words that share beginnings or end inside characters.
tern::Tokenizer make_tokenizer() {
  constexpr std::string_view kWords[] = {"{\"",   "\":",   ", ",   "[]",       "true",
                                         "false", "null",  "10",   "yes",      "ye",
                                         "\n  ",  "\\u00", "\xC3", "\xE2\x82", "a\xC3\xA9"};
  std::vector<std::string> texts = {"<unk>", "<s>", "</s>"};
  std::vector<int32_t> types = {2, 3, 3};
  for (int byte = 0; byte < 256; ++byte) {
    constexpr char kHex[] = "0123456789ABCDEF";
    texts.push_back(std::string("<0x") + kHex[byte / 16] + kHex[byte % 16] + ">");
    types.push_back(6);
  }
  for (const std::string_view word : kWords) {
    texts.emplace_back(word);
    types.push_back(1);
  }
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  const std::vector<float> scores(texts.size());
  tern::VocabularyData data;
  data.kind = tern::TokenizerKind::spm_bpe;
  data.tokens = views;
  data.scores = scores;
  data.types = types;
  data.eos = kEnd;
  auto tokenizer = tern::Tokenizer::create(data, tern::default_allocator());
  if (!tokenizer.ok()) __builtin_trap();
  return *std::move(tokenizer);
}

bool allows(std::span<const uint64_t> mask, TokenId token) {
  const auto bit = static_cast<size_t>(token);
  return ((mask[bit / 64] >> (bit % 64)) & 1) != 0;
}

/// The first token from `from` on, round the vocabulary, that a mask allows.
TokenId next_allowed(std::span<const uint64_t> mask, TokenId from, TokenId n_tokens) {
  for (TokenId i = 0; i < n_tokens; ++i) {
    if (allows(mask, (from + i) % n_tokens)) return (from + i) % n_tokens;
  }
  __builtin_trap();  // a text that is no whole one goes on
}

void check_json(const std::string& text) {
  size_t n_brackets = 0;
  for (const char c : text) n_brackets += c == '[' || c == '{';
  if (n_brackets > tern::kJsonMaxDepth / 2) return;
  const std::span bytes(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  if (!tern::JsonDocument::parse(bytes, tern::default_allocator()).ok()) __builtin_trap();
}

void check_fork(tern::Grammar& grammar) {
  const auto fork = grammar.fork();
  if (!fork.ok()) return;
  const auto mask = grammar.mask();
  const auto other = (*fork)->mask();
  if (mask.status() != other.status()) __builtin_trap();
  if (mask.ok() && !std::ranges::equal(*mask, *other)) __builtin_trap();
}

void walk(tern::Grammar& grammar, std::span<const uint8_t> steps, bool is_json) {
  const auto n_tokens = static_cast<TokenId>(grammar.tokenizer().vocabulary().size());
  std::string text;
  for (const uint8_t step : steps) {
    const bool ends = grammar.may_end();
    const bool is_finished = grammar.is_finished();
    if (is_finished && !ends) __builtin_trap();
    if (ends && is_json) check_json(text);
    TokenId token = step < 0xF0 ? kFirstByte + step : kFirstWord + (step - 0xF0);
    if (step == 0xFF) token = kEnd;
    const bool asks_before = step % 4 == 0;
    bool may_come = true;
    if (asks_before) {
      const auto mask = grammar.mask();
      if (!mask.ok()) return;
      may_come = allows(*mask, token);
      if (allows(*mask, kEnd) != ends) __builtin_trap();
    }
    const bool is_taken = grammar.accept(token).ok();
    if (asks_before && is_taken != may_come) __builtin_trap();
    if (!is_taken) {
      if (grammar.may_end() != ends || grammar.is_finished() != is_finished) __builtin_trap();
      const auto mask = grammar.mask();
      if (!mask.ok()) return;
      if (allows(*mask, token)) __builtin_trap();
      token = next_allowed(*mask, token, n_tokens);
      if (!grammar.accept(token).ok()) __builtin_trap();
    }
    if (step % 16 == 1) check_fork(grammar);
    if (token != kEnd) {
      // A space that is not shown may come in front of a text that has no bytes.
      if (is_finished && !text.empty()) __builtin_trap();
      text.append(grammar.tokenizer().vocabulary().piece(token));
      continue;
    }
    if (!grammar.is_finished() || !grammar.may_end()) __builtin_trap();
    if (!grammar.reset(text.size() % 2 == 0).ok()) return;
    text.clear();
  }
}

void run(bool is_json, std::string_view text, std::span<const uint8_t> steps,
         const tern::AllocatorHooks& hooks) {
  static const tern::Tokenizer tokenizer = make_tokenizer();
  tern::String gbnf(text, hooks);
  if (is_json) {
    const auto written = tern::json_schema_grammar(text, hooks);
    if (!written.ok()) return;
    gbnf.assign(*written);
    const tern::Status status = tern::parse_grammar(gbnf, hooks).status();
    if (status != tern::Status::ok && status != tern::Status::unsupported) __builtin_trap();
  }
  const auto grammar = tern::Grammar::create(gbnf, tokenizer, hooks);
  if (grammar.ok()) walk(**grammar, steps, is_json);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kMostSteps = 64;
  constexpr size_t kMostBytes = size_t{256} << 20;
  if (size == 0) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(all.find('\0', 1), size);
  const auto steps = std::span(data, size).subspan(std::min(end + 1, size));
  tern_test::CountingAllocator counter;
  counter.budget = kMostBytes;
  run(data[0] % 2 != 0, all.substr(1, end - 1), steps.first(std::min(steps.size(), kMostSteps)),
      counter.hooks());
  if (counter.refused != 0 || counter.live != 0) __builtin_trap();
  return 0;
}
