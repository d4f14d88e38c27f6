// What run and chat share: the sampling options, prompts to tokens, text to standard output.
//
// Program tern.
#pragma once

#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "console.hpp"
#include "interrupt.hpp"
#include "option_table.hpp"
#include "tern/tern.hpp"

namespace cli {

/// The options of sampling and guessing, with the program's defaults: livelier than the library's,
/// which is greedy.
struct SamplingOptions {
  tern::SamplerOptions sampler;
  uint32_t n_draft = 0;

  SamplingOptions() {
    sampler.temperature = 0.8f;
    sampler.top_k = 40;
    sampler.top_p = 0.95f;
  }
  void add_rows(std::vector<OptionRow>& rows) {
    constexpr float kMost = std::numeric_limits<float>::max();
    constexpr float kAboveZero = std::numeric_limits<float>::denorm_min();
    constexpr uint32_t kMostTokens = std::numeric_limits<uint32_t>::max();
    const OptionRow table[] = {
        {"--temp", "T", "temperature; 0 takes the likeliest token each time",
         Number<float>{&sampler.temperature, 0, kMost, "a number from 0 on"}},
        {"--top-k", "K", "draw from the K likeliest tokens; 0 is all",
         Number<uint32_t>{&sampler.top_k, 0, kMostTokens, "a whole number"}},
        {"--top-p", "P", "draw from the likeliest tokens that make up this share",
         Number<float>{&sampler.top_p, kAboveZero, 1, "a number above 0, at most 1"}},
        {"--min-p", "P", "leave out tokens below this share of the likeliest",
         Number<float>{&sampler.min_p, 0, 1, "a number from 0 to 1"}},
        {"--repeat-penalty", "R", "above 1 makes repetition less likely",
         Number<float>{&sampler.repeat_penalty, kAboveZero, kMost, "a number above 0"}},
        {"--seed", "N", "the same seed gives the same text, on every machine",
         Number<uint64_t>{&sampler.seed, 0, std::numeric_limits<uint64_t>::max(),
                          "a whole number"}},
        {"--draft", "N", "guess up to N tokens from how the text went on before; changes no text",
         Number<uint32_t>{&n_draft, 0, tern::kMostDraft, "a whole number from 0 to 7"}},
    };
    rows.insert(rows.end(), std::begin(table), std::end(table));
  }
};

/// The tokens of a prompt: BOS in front as the file says, but never EOS behind, after which a model
/// has nothing to say.
inline tern::Result<tern::Vector<tern::TokenId>> encode_prompt(
    const tern::Tokenizer& tokenizer, std::span<const tern::TextSegment> segments) {
  tern::Vector<tern::TokenId> tokens;
  TERN_TRY(tokenizer.encode(segments, true, tokens));
  const tern::Vocabulary& vocabulary = tokenizer.vocabulary();
  if (vocabulary.add_eos() && !tokens.empty() && tokens.back() == vocabulary.special_tokens().eos) {
    tokens.pop_back();
  }
  return tokens;
}

/// Shows text as it is generated; false ends the generation (the reader is gone, or Ctrl-C).
inline bool show_text(std::string_view text) {
  return write_out(text) && flush_out() && !is_interrupted();
}

}  // namespace cli
