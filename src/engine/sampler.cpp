// How a token is drawn, step by step.
//
// Room: engine. Each step passes over the whole vocabulary, 128 thousand tokens and more: a file of
// its own, so that a build can compile it for speed (cmake/TernOptimization.cmake).
#include "tern/engine/sampler.hpp"

#include <algorithm>

TERN_NAMESPACE_BEGIN

Result<TokenId> Sampler::sample(const KernelTable& kernels, std::span<const float> logits,
                                std::span<const TokenId> recent, uint64_t position,
                                const SamplerOptions& options) {
  TERN_TRY(collect(kernels, logits, options));
  penalize(kernels, recent, options.repeat_penalty);
  if (!take_logits(kernels)) {
    return Error(Status::invalid_argument, "a bias or penalty makes a logit infinite");
  }
  if (options.temperature == 0) return best();
  sort_best(options.top_k);
  take_logits(kernels);
  // In place: entry i of the weights is written after entry i of the logits was read.
  kernels.sampling_weights(values_.data(), n_, options.temperature, values_.data());
  if (options.top_p < 1) n_ = kernels.top_p_count(values_.data(), n_, options.top_p);
  if (options.min_p > 0) n_ = kernels.min_p_count(values_.data(), n_, options.min_p);
  return candidates_[kernels.draw(values_.data(), n_, random_bits(options.seed, position))].token;
}

bool Sampler::is_better(const Candidate& a, const Candidate& b) {
  return a.logit > b.logit || (a.logit == b.logit && a.token < b.token);
}

// values_ holds the biased logits by token until the candidates are chosen.
Result<void> Sampler::collect(const KernelTable& kernels, std::span<const float> logits,
                              const SamplerOptions& options) {
  const size_t n_tokens = candidates_.size();
  std::copy_n(logits.data(), n_tokens, values_.data());
  for (const LogitBias& bias : options.biases) {
    if (bias.token < 0 || static_cast<size_t>(bias.token) >= n_tokens) {
      return Error(Status::invalid_argument, "a biased token is outside the vocabulary");
    }
    kernels.add(&bias.bias, 1, &values_[static_cast<size_t>(bias.token)]);
  }
  if (!options.mask.empty() && options.mask.size() < token_mask_words(n_tokens)) {
    return Error(Status::invalid_argument, "the mask is shorter than the vocabulary");
  }
  n_ = 0;
  for (size_t i = 0; i < n_tokens; ++i) {
    if (logits[i] == kMaskedLogit || !is_allowed(options.mask, i)) continue;
    candidates_[n_++] = {values_[i], static_cast<TokenId>(i)};
  }
  if (n_ == 0) return Error(Status::invalid_argument, "the mask allows no token");
  return {};
}

void Sampler::penalize(const KernelTable& kernels, std::span<const TokenId> recent, float penalty) {
  if (penalty == 1) return;
  const size_t window = std::min(recent.size(), kPenaltyWindow);
  const auto last = recent.last(window);
  for (size_t i = 0; i < window; ++i) {
    // A token counts once, however often it occurs.
    if (std::find(last.begin(), last.begin() + static_cast<ptrdiff_t>(i), last[i]) !=
        last.begin() + static_cast<ptrdiff_t>(i)) {
      continue;
    }
    // Candidates are still in ascending order of tokens.
    const auto end = candidates_.data() + n_;
    const auto found = std::lower_bound(
        candidates_.data(), end, last[i],
        [](const Candidate& candidate, TokenId token) { return candidate.token < token; });
    if (found == end || found->token != last[i]) continue;
    found->logit = kernels.penalize(found->logit, penalty);
  }
}

// The candidates' logits to values_, in their order; whether all are finite.
bool Sampler::take_logits(const KernelTable& kernels) {
  for (size_t i = 0; i < n_; ++i) values_[i] = candidates_[i].logit;
  return kernels.all_finite(values_.data(), n_);
}

TokenId Sampler::best() const {
  return std::min_element(candidates_.data(), candidates_.data() + n_, is_better)->token;
}

// Leaves the best top_k candidates (all for 0), best first.
void Sampler::sort_best(uint32_t top_k) {
  Candidate* begin = candidates_.data();
  const size_t keep = top_k == 0 ? n_ : std::min<size_t>(top_k, n_);
  if (keep < n_) {
    std::nth_element(begin, begin + keep, begin + n_, is_better);
  }
  n_ = keep;
  std::sort(begin, begin + n_, is_better);
}

TERN_NAMESPACE_END
