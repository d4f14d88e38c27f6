// Sampling: logits to a token, by docs/numerics.md 12.
//
// Room: engine. The order is bias, mask, repetition penalty, temperature, top-k, top-p, min-p,
// draw. The draw depends on (seed, position) alone, so a text can be replayed after truncation or
// on another machine. Nothing is allocated after creation.
#pragma once

#include <span>

#include "tern/base/buffer.hpp"
#include "tern/base/half.hpp"
#include "tern/engine/token_mask.hpp"
#include "tern/kernels/kernel_table.hpp"
#include "tern/platform/buffer_plan.hpp"
#include "tern/text/vocabulary_data.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// How many recent tokens the repetition penalty looks at.
inline constexpr size_t kPenaltyWindow = 64;

/// Added to the logit of a token before everything else.
struct LogitBias {
  TokenId token = 0;
  float bias = 0;
};

/// The default is greedy.
struct SamplerOptions {
  float temperature = 0;     ///< 0: greedy, the largest logit; else > 0
  uint32_t top_k = 0;        ///< keep the k best; 0 keeps all
  float top_p = 1;           ///< keep the shortest prefix of this share of probability; (0, 1]
  float min_p = 0;           ///< drop what is less than this share of the best; [0, 1]
  float repeat_penalty = 1;  ///< > 0; 1 is none
  uint64_t seed = 0;
  TokenMask mask;                     ///< tokens that may be drawn; viewed, not copied
  std::span<const LogitBias> biases;  ///< viewed, not copied
};

/// Errors: invalid_argument, naming the option.
inline Result<void> check_sampler_options(const SamplerOptions& options) {
  const auto bad = [](const char* name) {
    return Error(Status::invalid_argument, "sampler option is out of range", name);
  };
  if (!is_finite(options.temperature) || !(options.temperature >= 0)) return bad("temperature");
  if (!(options.top_p > 0 && options.top_p <= 1)) return bad("top_p");
  if (!(options.min_p >= 0 && options.min_p <= 1)) return bad("min_p");
  if (!is_finite(options.repeat_penalty) || !(options.repeat_penalty > 0))
    return bad("repeat_penalty");
  for (const LogitBias& bias : options.biases) {
    if (!is_finite(bias.bias)) return bad("biases");
  }
  return {};
}

/// Most logits that are searched for instead of all.
inline constexpr size_t kMostBest = 64;

/// How many of the largest logits that the mask allows a draw depends on; 0: all of them.
constexpr size_t best_needed(const SamplerOptions& options) {
  if (!options.biases.empty() || options.repeat_penalty != 1) return 0;
  if (options.temperature == 0) return 1;
  return options.top_k <= kMostBest ? options.top_k : 0;
}

/// The random bits of a position: the finalizer of SplitMix64 over the seed's sequence.
constexpr uint64_t random_bits(uint64_t seed, uint64_t position) {
  uint64_t z = seed + 0x9E3779B97F4A7C15u * (position + 1);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

/// Scratch for one sampler; sized for a vocabulary.
class Sampler {
 public:
  Sampler() = default;

  /// Errors: out_of_memory. Cost: 12 bytes a token.
  Result<void> allocate(uint32_t n_tokens, BufferPlan& plan) {
    TERN_TRY(plan.add(candidates_, n_tokens));
    return plan.add(values_, n_tokens);
  }

  /// The token for `position`.
  /// Shapes:   logits: at least n_tokens, finite or kMaskedLogit, which rules a token out; recent:
  ///           the tokens so far, the last one last.
  /// Requires: options passed check_sampler_options.
  /// Errors:   invalid_argument (a mask that allows nothing or is too short, a biased token that is
  ///           none, a bias or penalty that makes a logit infinite).
  /// Cost:     O(n_tokens) for greedy and with top-k; without top-k all tokens are sorted.
  Result<TokenId> sample(const KernelTable& kernels, std::span<const float> logits,
                         std::span<const TokenId> recent, uint64_t position,
                         const SamplerOptions& options);

 private:
  struct Candidate {
    float logit;
    TokenId token;
  };

  Result<void> collect(const KernelTable& kernels, std::span<const float> logits,
                       const SamplerOptions& options);
  void penalize(const KernelTable& kernels, std::span<const TokenId> recent, float penalty);
  bool take_logits(const KernelTable& kernels);
  static bool is_better(const Candidate& a, const Candidate& b);
  TokenId best() const;
  void sort_best(uint32_t top_k);

  Buffer<Candidate> candidates_;  // [n_tokens], the first n_ in use
  Buffer<float> values_;          // [n_tokens]: logits by token, later weights by rank
  size_t n_ = 0;
};

TERN_NAMESPACE_END
