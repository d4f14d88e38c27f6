// Session's bodies: creation, checks, the loop over batches.
//
// Room: engine.
#include "tern/engine/session.hpp"

#include <algorithm>
#include <limits>

#include "tern/base/memory_wall.hpp"
#include "tern/engine/forward.hpp"
#include "tern/platform/fp_environment.hpp"

TERN_NAMESPACE_BEGIN

namespace {

/// The options with their defaults filled in.
Result<SessionOptions> resolved(const std::shared_ptr<const Model>& model,
                                const SessionOptions& options) {
  const auto bad = [](const char* name) {
    return Error(Status::invalid_argument, "session option is out of range", name);
  };
  if (model == nullptr) return bad("model");
  SessionOptions out = options;
  out.allocator = options.allocator.value_or(model->allocator());
  if (out.allocator->allocate == nullptr || out.allocator->release == nullptr) {
    return bad("allocator");
  }
  if (out.context == 0) out.context = model->config().context_len;
  if (out.context > kMaxContext) return bad("context");
  const uint32_t limit = model->config().context_limit;
  if (limit != 0 && out.context > limit) return bad("context");
  if (options.batch > kMaxBatch) return bad("batch");
  // A batch beyond the context is never filled.
  out.batch = std::min(options.batch != 0 ? options.batch : kDefaultBatch, out.context);
  // Of several texts in one cache each would need a first position of its own.
  if (options.kv > CacheType::f32 ||
      (options.kv == CacheType::i3 && model->config().pooling != Pooling::none)) {
    return bad("kv");
  }
  if (options.n_threads == 0 || options.n_threads > kMaxThreads) return bad("n_threads");
#if defined(TERN_NO_THREADS)
  out.n_threads = 1;
#endif
  if (options.n_threads > 1 && options.runner.is_set()) return bad("n_threads");
  return out;
}

}  // namespace

Result<std::shared_ptr<Session>> Session::create(std::shared_ptr<const Model> model,
                                                 const SessionOptions& given) {
  TERN_TRY_ASSIGN(const SessionOptions options, resolved(model, given));
  const AllocatorHooks& hooks = *options.allocator;
  return catch_out_of_memory([&]() -> Result<std::shared_ptr<Session>> {
    auto session =
        std::allocate_shared<Session>(HostAllocator<Session>(hooks), Key(), model, hooks);
    session->runner_ = options.runner;
    if (options.n_threads > 1) {
      TERN_TRY_ASSIGN(auto pool, ThreadPool::create(options.n_threads, hooks));
      session->runner_ = TaskRunner(std::move(pool));
    }
    BufferPlan plan(hooks);
    TERN_TRY(session->allocate(options, session->runner_.n_workers(), plan));
    return session;
  });
}

Result<uint64_t> Session::memory(std::shared_ptr<const Model> model, const SessionOptions& given) {
  TERN_TRY_ASSIGN(const SessionOptions options, resolved(model, given));
  Session session(Key(), std::move(model), *options.allocator);
  BufferPlan plan;
  const size_t n_workers =
      options.runner.is_set() ? options.runner.n_workers() : size_t{options.n_threads};
  TERN_TRY(session.allocate(options, n_workers, plan));
  return plan.bytes() + sizeof(Session);
}

Result<void> Session::allocate(const SessionOptions& options, size_t n_workers, BufferPlan& plan) {
  const ModelConfig& config = model_->config();
  options_ = options;
  batch_ = options.batch;
  TERN_TRY_ASSIGN(cache_, KvCache::create(config, options.context, options.kv, plan));
  TERN_TRY_ASSIGN(activations_, Activations::create(*model_, batch_, options.context, options.kv,
                                                    n_workers, plan));
  TERN_TRY(sampler_.allocate(model_->n_tokens(), plan));
  TERN_TRY(plan.add(tokens_, options.context));
  const bool embeds = config.pooling != Pooling::none;
  const size_t n_logits = embeds ? 0 : config.vocab_size;
  TERN_TRY(plan.add(logits_, n_logits));
  TERN_TRY(plan.add(scratch_, n_logits));
  TERN_TRY(plan.add(features_, embeds ? 0 : config.model_dim));
  TERN_TRY(plan.add(mask_, token_mask_words(n_logits)));
  return plan.add(texts_, embeds ? batch_ : 0);
}

Result<std::shared_ptr<Session>> Session::fork() {
  const Use use(*this);
  TERN_TRY(use.check());
  complete_logits();
  SessionOptions options = options_;
  options.n_threads = 1;
  options.runner = runner_;
  TERN_TRY_ASSIGN(auto out, create(model_, options));
  out->cache_.copy_positions(cache_, position_);
  std::copy_n(tokens_.data(), position_, out->tokens_.data());
  std::copy_n(logits_.data(), logits_.size(), out->logits_.data());
  out->position_ = position_;
  out->has_logits_ = has_logits_;
  out->has_all_logits_ = has_all_logits_;
  std::copy_n(features_.data(), features_.size(), out->features_.data());
  out->has_features_ = has_features_;
  std::copy_n(mask_.data(), mask_.size(), out->mask_.data());
  out->has_mask_ = has_mask_;
  out->rows_ = out->mask_view();
  return out;
}

Result<void> Session::check_tokens(std::span<const TokenId> tokens,
                                   std::span<float> all_logits) const {
  const uint32_t vocab_size = model_->config().vocab_size;
  if (model_->config().pooling != Pooling::none) {
    return Error(Status::unsupported, "the model gives embeddings, not logits");
  }
  if (tokens.empty()) return Error(Status::invalid_argument, "no tokens to evaluate");
  if (!all_logits.empty() && all_logits.size() != uint64_t{tokens.size()} * vocab_size) {
    return Error(Status::invalid_argument, "the logits' size is not tokens times vocabulary");
  }
  TERN_TRY(check_token_ids(tokens));
  if (tokens.size() > capacity() - position_) {
    return Error::at_index(Status::context_full, "the context is full", capacity() - position_);
  }
  return {};
}

Result<void> Session::check_token_ids(std::span<const TokenId> tokens) const {
  const uint32_t vocab_size = model_->config().vocab_size;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] < 0 || static_cast<uint32_t>(tokens[i]) >= vocab_size) {
      return Error::at_index(Status::token_out_of_range, "a token id is outside the vocabulary", i);
    }
  }
  return {};
}

Result<void> Session::evaluate(std::span<const TokenId> tokens, std::span<float> all_logits) {
  const Use use(*this);
  TERN_TRY(use.check());
  return evaluate_in_use(tokens, all_logits);
}

Result<void> Session::evaluate_in_use(std::span<const TokenId> tokens,
                                      std::span<float> all_logits) {
  TERN_TRY(check_tokens(tokens, all_logits));
  const FpEnvironmentGuard fp_environment;
  const Stopwatch stopwatch(*this);
  return evaluate_batches(tokens, all_logits);
}

// The last token's logits go to scratch first: those of before stay good if the call fails.
Result<void> Session::evaluate_batches(std::span<const TokenId> tokens,
                                       std::span<float> all_logits) {
  const size_t vocab_size = model_->config().vocab_size;
  std::array<TokenMask, kVectorTokens> masks;
  const TokenMasks rows_of_all = same_rows(masks);
  const auto read = [&](ForwardPass& pass, size_t done, size_t n) -> Result<void> {
    for (size_t t = 0; t < n && !all_logits.empty(); t += kVectorTokens) {
      float* rows[kVectorTokens];
      const size_t few = std::min(kVectorTokens, n - t);
      for (size_t i = 0; i < few; ++i) rows[i] = all_logits.data() + (done + t + i) * vocab_size;
      TERN_TRY(pass.logits(t, {rows, few}, rows_of_all.first(std::min(few, rows_of_all.size()))));
    }
    if (done + n < tokens.size()) return {};
    if (all_logits.empty()) {
      if (searches()) {
        return pass.best_logits(n - 1, n_best_, rows_, scratch_.span(), head_counts_);
      }
      float* const last = scratch_.data();
      return pass.logits(n - 1, {&last, 1}, rows_of_all.first(rows_of_all.empty() ? 0 : 1));
    }
    std::copy_n(all_logits.data() + (tokens.size() - 1) * vocab_size, vocab_size, scratch_.data());
    return {};
  };
  return run_batches(tokens, rows_of_all, !all_logits.empty(), read);
}

/// Runs the layers over all tokens; `read(pass, done, n)` reads logits after each batch, those of
/// the last token to scratch, as the last thing.
template <typename Read>
Result<void> Session::run_batches(std::span<const TokenId> tokens, TokenMasks masks, bool reads_all,
                                  Read&& read) {
  for (size_t done = 0; done < tokens.size();) {
    const size_t n = std::min<size_t>(batch_, tokens.size() - done);
    ForwardPass pass(*model_, runner_, activations_, cancel_flags_, skips());
    const TextRun text{n, 0, position_ + done, &cache_};
    const bool reads_last = done + n == tokens.size() && !searches();
    count_pass(n, reads_all ? n : reads_last ? 1 : 0, masks);
    TERN_TRY(pass.run(tokens.subspan(done, n), {&text, 1}));
    TERN_TRY(read(pass, done, n));
    done += n;
  }
  std::copy(tokens.begin(), tokens.end(), tokens_.data() + position_);
  const size_t last = reads_all ? (tokens.size() - 1) % batch_ % kVectorTokens : 0;
  append(tokens.size(), activations_.head_x.row(last));
  n_searched_ = !reads_all && searches() ? n_best_ : 0;
  has_all_logits_ = has_all_logits_ && n_searched_ == 0;
  return {};
}

Result<void> Session::score(std::span<const TokenId> tokens, std::span<double> log_probs) {
  const Use use(*this);
  TERN_TRY(use.check());
  TERN_TRY(check_tokens(tokens, {}));
  if (log_probs.size() != tokens.size()) {
    return Error(Status::invalid_argument, "not one probability for each token");
  }
  const size_t vocab_size = model_->config().vocab_size;
  const size_t few = Activations::vector_tokens(batch_);
  const size_t n_lanes = std::min(runner_.n_workers(), few);
  TERN_TRY_ASSIGN(Buffer<float> rows, Buffer<float>::create(few * vocab_size, hooks_));
  TERN_TRY_ASSIGN(Buffer<float> scratch, Buffer<float>::create(n_lanes * vocab_size, hooks_));
  const FpEnvironmentGuard fp_environment;
  const Stopwatch stopwatch(*this);
  const KernelTable& kernels = model_->kernels();
  const auto log_prob = [&](const float* logits, TokenId token, size_t lane) {
    return kernels.log_prob(logits, vocab_size, static_cast<size_t>(token),
                            scratch.data() + lane * vocab_size);
  };
  complete_logits();
  log_probs[0] = std::numeric_limits<double>::quiet_NaN();
  if (has_logits_ && has_all_logits_) log_probs[0] = log_prob(logits_.data(), tokens[0], 0);
  const auto read = [&](ForwardPass& pass, size_t done, size_t n) -> Result<void> {
    for (size_t t = 0; t < n; t += few) {
      const size_t count = std::min(few, n - t);
      const size_t next = done + t + 1;  // the token that the first row is about
      float* to[kVectorTokens];
      for (size_t i = 0; i < count; ++i) to[i] = rows.data() + i * vocab_size;
      TERN_TRY(pass.logits(t, {to, count}));
      runner_.run(n_lanes, [&](size_t lane) {
        for (size_t i = lane; i < count && next + i < tokens.size(); i += n_lanes) {
          log_probs[next + i] = log_prob(to[i], tokens[next + i], lane);
        }
      });
      if (next - 1 + count == tokens.size()) {
        std::copy_n(to[count - 1], vocab_size, scratch_.data());
      }
    }
    return {};
  };
  const RowsGuard rows_guard(*this);
  rows_ = {};
  return run_batches(tokens, {}, true, read);
}

// Tokens that are in place become part of the text, scratch its logits.
void Session::append(size_t n_tokens, const float* features) {
  std::copy_n(features, features_.size(), features_.data());
  has_features_ = true;
  std::swap(logits_, scratch_);
  position_ += static_cast<uint32_t>(n_tokens);
  has_logits_ = true;
  has_all_logits_ = rows_.empty();
  n_searched_ = 0;
}

TokenMasks Session::same_rows(std::array<TokenMask, kVectorTokens>& masks) const {
  if (rows_.empty()) return {};
  masks.fill(rows_);
  return masks;
}

Result<void> Session::count_activity(std::span<LayerActivity> activity) {
  const Use use(*this);
  TERN_TRY(use.check());
  if (!activity.empty() && activity.size() != model_->config().n_layers) {
    return Error(Status::invalid_argument, "not one count for each layer");
  }
  activations_.activity = activity;
  return {};
}

Result<void> Session::set_mask(TokenMask mask) {
  const Use use(*this);
  TERN_TRY(use.check());
  if (!mask.empty() && mask.size() < token_mask_words(model_->n_tokens())) {
    return Error(Status::invalid_argument, "the mask is shorter than the vocabulary");
  }
  for (size_t i = 0; i < mask_.size(); ++i) mask_[i] = mask_word(mask, i);
  has_mask_ = !mask.empty();
  rows_ = mask_view();
  return {};
}

void Session::count_pass(size_t n_tokens, size_t n_logits, TokenMasks masks) {
  n_tokens_ += n_tokens;
  ++n_passes_;
  const size_t few = Activations::vector_tokens(batch_);
  if (n_logits == 0) return;
  n_head_rows_ += (n_logits + few - 1) / few * count_tokens(masks, model_->config().vocab_size);
}

SessionStatistics Session::statistics() const {
  SessionStatistics out;
  out.n_tokens = n_tokens_;
  out.n_passes = n_passes_;
  out.nanoseconds = nanoseconds_;
  out.skipped = skip_counts_;
  out.searched = head_counts_;
  out.n_drafted = n_drafted_;
  out.n_accepted = n_accepted_;
  // Layers are alike: a row, or a column, of a matrix has one size in all of them.
  const LayerWeights& layer = model_->weights().layers.front();
  const auto column = [](const TernaryMatrix& w) { return w.packed_size() / w.view().cols; };
  const uint64_t skipped =
      skip_counts_.gates.zeros * (layer.ffn_up.packed_size() / layer.ffn_up.view().rows) +
      skip_counts_.down_inputs.zeros * column(layer.ffn_down) +
      skip_counts_.output_inputs.zeros * column(layer.attn_output);
  const HeadView& head = model_->weights().head;
  uint64_t read = n_passes_ * model_->linear_bytes() + n_head_rows_ * head.row_bytes;
  for (size_t p = 0; p < kPlanes; ++p) {
    read += head_counts_.rows[p] * plane_row_bytes(head.k, p);
  }
  out.weight_bytes = read - skipped;
  return out;
}

Result<TokenId> Session::sample(const SamplerOptions& options) {
  const Use use(*this);
  TERN_TRY(use.check());
  const size_t needed = options.mask.empty() ? best_needed(options) : 0;
  if (needed == 0 || needed > n_searched_) complete_logits();
  return sample_in_use(options);
}

Result<TokenId> Session::sample_in_use(const SamplerOptions& options) {
  const FpEnvironmentGuard fp_environment;
  TERN_TRY(check_sampler_options(options));
  if (!has_logits_) return Error(Status::invalid_argument, "no logits: evaluate tokens first");
  return sampler_.sample(model_->kernels(), logits_.span(), tokens(), position_, options);
}

Result<double> Session::log_prob(TokenId token) {
  const Use use(*this);
  TERN_TRY(use.check());
  complete_logits();
  if (!has_logits_) return Error(Status::invalid_argument, "no logits: evaluate tokens first");
  if (!has_all_logits_) {
    return Error(Status::invalid_argument, "the logits are those of a mask");
  }
  if (token < 0 || static_cast<size_t>(token) >= logits_.size()) {
    return Error(Status::token_out_of_range, "a token id is outside the vocabulary");
  }
  const FpEnvironmentGuard fp_environment;
  return model_->kernels().log_prob(logits_.data(), logits_.size(), static_cast<size_t>(token),
                                    scratch_.data());
}

Result<void> Session::truncate(uint32_t position) {
  const Use use(*this);
  TERN_TRY(use.check());
  if (position > position_) {
    return Error(Status::invalid_argument, "cannot truncate to a position beyond the end");
  }
  if (position == position_) return {};
  position_ = position;
  has_logits_ = false;
  return {};
}

Result<void> Session::reset() {
  const Use use(*this, Needs::either);
  TERN_TRY(use.check());
  is_stepping_ = false;
  position_ = 0;
  has_logits_ = false;
  has_mask_ = false;
  rows_ = {};
  return {};
}

TERN_NAMESPACE_END
