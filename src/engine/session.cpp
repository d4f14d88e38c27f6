// Session's bodies: creation, checks, the loop over batches.
//
// Room: engine.
#include "tern/engine/session.hpp"

#include <algorithm>

#include "tern/base/memory_wall.hpp"
#include "tern/engine/forward.hpp"
#include "tern/platform/fp_environment.hpp"

TERN_NAMESPACE_BEGIN

Result<std::shared_ptr<Session>> Session::create(std::shared_ptr<const Model> model,
                                                 const SessionOptions& options) {
  const auto bad = [](const char* name) {
    return Error(Status::invalid_argument, "session option is out of range", name);
  };
  if (model == nullptr) return bad("model");
  const AllocatorHooks hooks = options.allocator.value_or(model->allocator());
  if (hooks.allocate == nullptr || hooks.release == nullptr) return bad("allocator");
  const uint32_t capacity = options.context != 0 ? options.context : model->config().context_len;
  if (capacity > kMaxContext) return bad("context");
  // Beyond the window tokens would see what they must not.
  const uint32_t window = model->config().window;
  if (window != 0 && capacity > window) return bad("context");
  if (options.batch > kMaxBatch) return bad("batch");
  // A batch beyond the context is never filled.
  const uint32_t batch = std::min(options.batch != 0 ? options.batch : kDefaultBatch, capacity);
  if (options.n_threads == 0) return bad("n_threads");
  if (options.n_threads > 1 && options.runner.is_set()) return bad("n_threads");

  return catch_out_of_memory([&]() -> Result<std::shared_ptr<Session>> {
    auto session =
        std::allocate_shared<Session>(HostAllocator<Session>(hooks), Key(), model, hooks);
    session->batch_ = batch;
    session->skip_zeros_ = options.skip_zeros;
    session->runner_ = options.runner;
    if (options.n_threads > 1) {
      TERN_TRY_ASSIGN(auto pool, ThreadPool::create(options.n_threads, hooks));
      session->runner_ = TaskRunner(std::move(pool));
    }
    const ModelConfig& config = model->config();
    TERN_TRY_ASSIGN(session->cache_, KvCache::create(config, capacity, options.kv, hooks));
    TERN_TRY_ASSIGN(
        session->activations_,
        Activations::create(*model, batch, capacity, session->runner_.n_workers(), hooks));
    TERN_TRY_ASSIGN(session->sampler_, Sampler::create(model->n_tokens(), hooks));
    TERN_TRY_ASSIGN(session->tokens_, Buffer<TokenId>::create(capacity, hooks));
    const bool embeds = config.pooling != Pooling::none;
    const size_t n_logits = embeds ? 0 : config.vocab_size;
    TERN_TRY_ASSIGN(session->logits_, Buffer<float>::create(n_logits, hooks));
    TERN_TRY_ASSIGN(session->scratch_, Buffer<float>::create(n_logits, hooks));
    TERN_TRY_ASSIGN(session->texts_, Buffer<TextRun>::create(embeds ? batch : 0, hooks));
    return session;
  });
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
  return evaluate_batches(tokens, all_logits);
}

Result<void> Session::evaluate_batches(std::span<const TokenId> tokens,
                                       std::span<float> all_logits) {
  const size_t vocab_size = model_->config().vocab_size;
  // The last token's logits go to scratch first: those of before stay good if this call fails.
  for (size_t done = 0; done < tokens.size();) {
    const size_t n = std::min<size_t>(batch_, tokens.size() - done);
    ForwardPass pass(*model_, runner_, cache_, activations_, cancelled_,
                     skip_zeros_ ? &skip_counts_ : nullptr);
    const TextRun text{n, 0, position_ + done};
    TERN_TRY(pass.run(tokens.subspan(done, n), {&text, 1}));
    if (!all_logits.empty()) {
      TERN_TRY(pass.logits(0, n, all_logits.data() + done * vocab_size));
    }
    done += n;
    if (done < tokens.size()) continue;
    if (all_logits.empty()) {
      TERN_TRY(pass.logits(n - 1, 1, scratch_.data()));
    } else {
      std::copy_n(all_logits.data() + (done - 1) * vocab_size, vocab_size, scratch_.data());
    }
  }
  std::swap(logits_, scratch_);
  std::copy(tokens.begin(), tokens.end(), tokens_.data() + position_);
  position_ += static_cast<uint32_t>(tokens.size());
  has_logits_ = true;
  return {};
}

Result<TokenId> Session::sample(const SamplerOptions& options) {
  const Use use(*this);
  TERN_TRY(use.check());
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
  if (!has_logits_) return Error(Status::invalid_argument, "no logits: evaluate tokens first");
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
  const Use use(*this);
  TERN_TRY(use.check());
  position_ = 0;
  has_logits_ = false;
  return {};
}

TERN_NAMESPACE_END
