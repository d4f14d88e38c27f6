// Evaluations in slices of time, and tokens of several sessions in one pass.
//
// Room: engine.
#include <algorithm>
#include <optional>

#include "tern/engine/forward.hpp"
#include "tern/engine/session.hpp"
#include "tern/platform/fp_environment.hpp"

TERN_NAMESPACE_BEGIN

namespace {
/// Slices of the head.
constexpr uint32_t kHeadParts = 16;
}  // namespace

Result<void> Session::begin(std::span<const TokenId> tokens) {
  const Use use(*this);
  TERN_TRY(use.check());
  TERN_TRY(check_tokens(tokens, {}));
  std::copy(tokens.begin(), tokens.end(), tokens_.data() + position_);
  progress_ = {};
  progress_.n_tokens = static_cast<uint32_t>(tokens.size());
  is_stepping_ = true;
  return {};
}

Result<bool> Session::step(uint64_t budget_ns) {
  const Use use(*this, Needs::stepping);
  TERN_TRY(use.check());
  const FpEnvironmentGuard fp_environment;
  const Stopwatch stopwatch(*this);
  uint64_t before = 0;
  while (true) {
    const Result<bool> done = step_slice(budget_ns);
    if (!done.ok() || *done) {
      is_stepping_ = false;
      return done;
    }
    // Another slice, if it is expected to end in time.
    const uint64_t now = stopwatch.elapsed();
    if (now + (now - before) > budget_ns) return false;
    before = now;
  }
}

/// Tokens of the next pass: as many as should go through a layer within the budget.
uint32_t Session::step_tokens(uint64_t budget_ns) const {
  const uint64_t in_time = budget_ns / std::max(token_ns_, uint64_t{1});
  const uint64_t most =
      budget_ns == 0 ? kStepTokens : std::clamp<uint64_t>(in_time, 1, kStepTokens);
  return std::min({static_cast<uint32_t>(most), batch_, progress_.n_tokens - progress_.done});
}

Result<bool> Session::step_slice(uint64_t budget_ns) {
  Progress& p = progress_;
  if (p.layer == 0) p.in_pass = step_tokens(budget_ns);
  const uint32_t n = p.in_pass;
  const TextRun text{n, 0, size_t{position_} + p.done, &cache_};
  ForwardPass pass(*model_, runner_, activations_, cancel_flags_, skips());
  const uint32_t n_layers = model_->config().n_layers;
  const TokenMasks masks = masks_of(rows_);
  if (p.layer == 0) {
    count_pass(n, p.done + n == p.n_tokens ? 1 : 0, masks);
    pass.begin(tokens_.span().subspan(text.position, n), {&text, 1});
  } else {
    pass.resume({&text, 1});
  }
  if (p.layer < n_layers) {
    const uint64_t start = monotonic_nanoseconds();
    TERN_TRY(pass.run_layer(p.layer++));
    token_ns_ = (monotonic_nanoseconds() - start) / n;
    if (p.layer == n_layers && p.done + n < p.n_tokens) {
      p.done += n;
      p.layer = 0;
    }
    return false;
  }
  if (p.head_part == 0) TERN_TRY(pass.begin_logits(n - 1, 1));
  const size_t rows = model_->config().vocab_size;
  float* const out = scratch_.data();
  TERN_TRY(pass.logit_rows(rows * p.head_part / kHeadParts, rows * (p.head_part + 1) / kHeadParts,
                           {&out, 1}, masks));
  if (++p.head_part < kHeadParts) return false;
  append(p.n_tokens, activations_.head_x.row(0));
  return true;
}

Result<void> Session::evaluate_each(std::span<Session* const> sessions,
                                    std::span<const TokenId> tokens) {
  if (sessions.empty() || sessions.size() != tokens.size()) {
    return Error(Status::invalid_argument, "not one token for each session");
  }
  if (sessions.size() > std::min<size_t>(kMaxSessions, sessions[0]->batch_)) {
    return Error(Status::invalid_argument, "more sessions than one pass takes");
  }
  std::array<std::optional<Use>, kMaxSessions> uses;
  std::array<TextRun, kMaxSessions> texts;
  std::array<const std::atomic<bool>*, kMaxSessions> cancelled;
  std::array<float*, kMaxSessions> logits;
  std::array<TokenMask, kMaxSessions> rows;
  bool has_mask = false;
  for (size_t i = 0; i < sessions.size(); ++i) {
    Session& session = *sessions[i];
    const auto located = [&](const Error& error) {
      return Error::at_index(error.status, error.what, i);
    };
    // A session that is there twice is busy the second time.
    const Result<void> free = uses[i].emplace(session).check();
    if (!free.ok()) return located(free.error());
    if (session.model_ != sessions[0]->model_) {
      return Error::at_index(Status::invalid_argument, "the session is of another model", i);
    }
    // The first one's scratch is as long as its own context, and for its own type of cache.
    if (session.capacity() > sessions[0]->capacity()) {
      return Error::at_index(Status::invalid_argument,
                             "the context is longer than the first session's", i);
    }
    if (session.cache_.type() != sessions[0]->cache_.type()) {
      return Error::at_index(Status::invalid_argument,
                             "the cache is of another type than the first session's", i);
    }
    const Result<void> fits = session.check_tokens(tokens.subspan(i, 1), {});
    if (!fits.ok()) return located(fits.error());
    texts[i] = {1, 0, session.position_, &session.cache_};
    cancelled[i] = &session.cancelled_;
    logits[i] = session.scratch_.data();
    rows[i] = session.rows_;
    has_mask = has_mask || !rows[i].empty();
  }
  const FpEnvironmentGuard fp_environment;
  const size_t n = sessions.size();
  Session& first = *sessions[0];
  ForwardPass pass(*first.model_, first.runner_, first.activations_, {cancelled.data(), n},
                   first.skips());
  const Stopwatch stopwatch(first);
  const TokenMasks masks(rows.data(), has_mask ? n : 0);
  first.count_pass(n, n, masks);
  TERN_TRY(pass.run(tokens, {texts.data(), n}));
  TERN_TRY(pass.logits(0, {logits.data(), n}, masks));
  const size_t few = Activations::vector_tokens(first.batch_);
  for (size_t i = 0; i < n; ++i) {
    Session& session = *sessions[i];
    session.tokens_[session.position_] = tokens[i];
    session.append(1, first.activations_.head_x.row(i % few));
  }
  return {};
}

TERN_NAMESPACE_END
