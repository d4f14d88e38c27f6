// What generate() does with a session beyond its public calls: tokens evaluated ahead, and logits
// of which only the largest were there.
//
// Room: engine.
#include <algorithm>

#include "tern/engine/forward.hpp"
#include "tern/engine/session.hpp"
#include "tern/platform/fp_environment.hpp"

TERN_NAMESPACE_BEGIN

Result<void> Session::evaluate_ahead(std::span<const TokenId> tokens, float* logits) {
  const uint32_t position = position_;
  TERN_TRY(evaluate_in_use(tokens, {logits, tokens.size() * logits_.size()}));
  position_ = position;
  set_ahead(logits, 0);
  n_drafted_ += tokens.size() - 1;
  return {};
}

void Session::take_ahead(const float* logits, size_t i) {
  set_ahead(logits, i);
  ++n_accepted_;
}

void Session::set_ahead(const float* logits, size_t i) {
  std::copy_n(logits, logits_.size(), logits_.data());
  std::copy_n(activations_.head_x.row(i), features_.size(), features_.data());
  ++position_;
}

Result<void> Session::evaluate_best(std::span<const TokenId> tokens, uint32_t n_best) {
  const Use use(*this);
  TERN_TRY(use.check());
  if (n_best == 0) return Error(Status::invalid_argument, "no logits are wanted", "n_best");
  n_best_ = n_best <= kMostBest ? n_best : 0;
  const auto result = evaluate_in_use(tokens, {});
  n_best_ = 0;
  return result;
}

// From the features, since a pass that failed may have come after the one that searched.
void Session::complete_logits() {
  if (!has_logits_ || n_searched_ == 0) return;
  const FpEnvironmentGuard fp_environment;
  ForwardPass pass(*model_, runner_, activations_, {}, skips());
  const TokenMask mask = mask_view();
  has_logits_ = pass.logits_of(features_.span(), mask, logits_.span()).ok();
  has_all_logits_ = mask.empty();
  n_searched_ = 0;
  n_head_rows_ += count_tokens(masks_of(mask), logits_.size());
}

TERN_NAMESPACE_END
