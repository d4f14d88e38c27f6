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

// The head's input is that of the last pass, which searched.
void Session::complete_logits() {
  if (!has_logits_ || !is_searched_) return;
  const FpEnvironmentGuard fp_environment;
  ForwardPass pass(*model_, runner_, activations_, {}, skips());
  float* const out = logits_.data();
  const TokenMask mask = mask_view();
  const TokenMasks masks(&mask, mask.empty() ? 0 : 1);
  has_logits_ = pass.logit_rows(0, logits_.size(), {&out, 1}, masks).ok();
  has_all_logits_ = mask.empty();
  is_searched_ = false;
  n_head_rows_ += count_tokens(masks, logits_.size());
}

TERN_NAMESPACE_END
