// Session: one conversation with a model; all its mutable state, allocated at creation.
//
// Room: engine. evaluate() takes tokens and leaves the logits of the last one; sample() turns them
// into the next token. Of a model of embeddings embed() takes texts and gives a vector each. A
// failed or cancelled call leaves the session where it was before the call.
//
// A host with a frame to keep begins an evaluation and steps it, a budget of time at a time:
//
//     idle --begin--> stepping --step--> ... --step, the last--> idle
//
// While a session is stepping, step, cancel and reset are legal; all else that would use it gives
// busy.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <span>

#include "tern/engine/activations.hpp"
#include "tern/engine/kv_cache.hpp"
#include "tern/engine/sampler.hpp"
#include "tern/engine/token_mask.hpp"
#include "tern/model/model.hpp"
#include "tern/platform/clock.hpp"
#include "tern/platform/thread_pool.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

struct SessionOptions {
  uint32_t context = 0;           ///< positions; 0 takes the model's. At most kMaxContext.
  uint32_t batch = 0;             ///< most tokens in one pass, at most kMaxBatch; 0: kDefaultBatch
  CacheType kv = CacheType::f16;  ///< what keys and values are rounded to
  /// Exact skipping of zeros where the model allows it; the results are the same either way.
  bool skip_zeros = true;
  uint32_t n_threads = 1;  ///< threads of an own pool, the caller's included; 1 creates none
  TaskRunner runner;       ///< instead of n_threads: a pool to share, or the host's scheduler
  std::optional<AllocatorHooks> allocator;  ///< the model's unless set
};

inline constexpr uint32_t kDefaultBatch = 256;
/// Larger batches gain nothing and would need more memory than weights.
inline constexpr uint32_t kMaxBatch = 4096;
/// Most tokens in a slice of a step.
inline constexpr uint32_t kStepTokens = kVectorTokens;
/// Most sessions in one evaluate_each().
inline constexpr size_t kMaxSessions = 64;

/// What a session did since it was made.
struct SessionStatistics {
  uint64_t n_tokens = 0;      ///< evaluated or embedded, also by calls that failed
  uint64_t n_passes = 0;      ///< over the linear layers
  uint64_t nanoseconds = 0;   ///< in calls that compute
  uint64_t weight_bytes = 0;  ///< read by passes and heads, less what single tokens skipped
  SkipCounts skipped;         ///< of single tokens; all zero for models without ReLU^2
  uint64_t n_drafted = 0;     ///< of the tokens: guessed by generate()
  uint64_t n_accepted = 0;    ///< of them: right, and part of the text
  HeadCounts searched;        ///< rows of a two-stage head, where only the largest were wanted
};

/// Threads: one at a time, but for cancel(). A call that finds another one running gives busy.
class Session {
 public:
  /// Errors: invalid_argument (context, batch or threads out of range, both threads and a runner),
  /// out_of_memory, io_error.
  static Result<std::shared_ptr<Session>> create(std::shared_ptr<const Model> model,
                                                 const SessionOptions& options);
  /// Bytes that create() asks of the allocator, but for some 4 KiB and the stacks of its threads.
  /// Errors: those of create() before it allocates. Cost: no allocation.
  static Result<uint64_t> memory(std::shared_ptr<const Model> model, const SessionOptions& options);

  /// Another session of the same model and options with the same text, which goes its own way from
  /// here; an own pool of threads is shared with it. Errors: busy, out_of_memory. Cost: the memory
  /// of create(), and a copy of the positions in use.
  Result<std::shared_ptr<Session>> fork();

  const Model& model() const { return *model_; }
  const AllocatorHooks& allocator() const { return hooks_; }
  /// Tokens evaluated so far: the next one's position.
  uint32_t position() const { return position_; }
  /// Passes that several sessions share are counted for the first of them. Cost: none.
  SessionStatistics statistics() const;
  /// Positions that there are.
  uint32_t capacity() const { return cache_.capacity(); }
  /// The tokens at positions [0, position()).
  std::span<const TokenId> tokens() const { return tokens_.span().first(position_); }

  /// Appends tokens: prefill for many, decode for one; the results do not depend on how a text is
  /// cut into calls. `all_logits`, if not empty, gets the logits of every token.
  /// Shapes: all_logits [tokens.size(), vocab_size] or empty.
  /// Errors: token_out_of_range (where = index), context_full, cancelled, non_finite, busy,
  ///         invalid_argument (no tokens, a wrong size), unsupported (a model of embeddings).
  /// Cost: no allocation.
  Result<void> evaluate(std::span<const TokenId> tokens, std::span<float> all_logits = {});

  /// evaluate() for a caller who wants the n_best largest logits of the last token, as a greedy
  /// draw (1) or one with top_k does; the others may be kMaskedLogit, of a two-stage head most are.
  /// What needs more of them (another draw, log_prob, fork, save) computes the rest first. Errors:
  /// those of evaluate(), invalid_argument (n_best is 0). Cost: as evaluate(); the rest of the head
  /// when it is needed.
  Result<void> evaluate_best(std::span<const TokenId> tokens, uint32_t n_best);

  /// evaluate() in slices of a layer over at most kStepTokens tokens (fewer where those would not
  /// fit the budget of the step that begins a pass), or a sixteenth of the head. Copies the tokens;
  /// step() does the work. Errors: those of evaluate() before it computes.
  Result<void> begin(std::span<const TokenId> tokens);
  /// Works on what begin() was given: always one slice, then more as long as another one like the
  /// last should end within `budget_ns` nanoseconds. Gives whether it is done: then logits() are
  /// there, the same bits that evaluate() gives.
  /// Errors: cancelled, non_finite (the session is then idle, where it was before begin()); busy;
  ///         invalid_argument (nothing was begun).
  /// Cost:   no allocation; a pass over the weights for every kStepTokens tokens, or fewer.
  Result<bool> step(uint64_t budget_ns);
  bool is_stepping() const { return is_stepping_; }

  /// Appends one token to each of several sessions of one model, in one pass over the weights; each
  /// gets the bits that it gets alone. Runs on the first session's threads and buffers.
  /// Shapes: tokens [sessions]; at most kMaxSessions, and at most the first session's batch; no
  /// context is longer than the first one's, all caches are of one type.
  /// Errors: those of evaluate(), for all together (where = index of a session or token): after an
  ///         error no session has moved; a cancel() of any of them cancels all. Cost: no
  ///         allocation.
  static Result<void> evaluate_each(std::span<Session* const> sessions,
                                    std::span<const TokenId> tokens);

  /// The state as bytes that restore() takes on any machine (docs/formats.md): tokens, keys and
  /// values, logits. `size`, unless null, gets the bytes that are needed, also when there are too
  /// few. Errors: busy, buffer_too_small. Cost: a copy, and a pass over the model's scales.
  uint64_t saved_bytes() const;
  Result<void> save(std::span<uint8_t> out, uint64_t* size = nullptr);
  /// Becomes what was saved. Errors: malformed, truncated, unsupported_version, mismatch (another
  /// model, or another cache type), context_full, busy; the session is then as it was. Cost: a
  /// copy.
  Result<void> restore(std::span<const uint8_t> saved);

  /// The embedding of each of several texts, which lie one behind the other in `tokens`; they share
  /// passes over the weights, and each gets the bits that it gets alone. The session holds no
  /// tokens before and after.
  /// Shapes: lengths [texts], of at least 1; embeddings [texts, model_dim], of length 1.
  /// Errors: unsupported (the model gives logits), token_out_of_range (where = index), context_full
  ///         (where = the token that does not fit), cancelled, non_finite, busy, invalid_argument
  ///         (no texts, one without tokens, a wrong size). Cost: no allocation.
  Result<void> embed(std::span<const TokenId> tokens, std::span<const size_t> lengths,
                     std::span<float> embeddings);

  /// From here on the zeros among each layer's inputs are counted: added to `activity`, which is
  /// viewed. Empty: no longer. Shapes: [n_layers]. Errors: invalid_argument (another size), busy.
  /// Cost: a look at every input.
  Result<void> count_activity(std::span<LayerActivity> activity);

  /// From here on logits are computed for these tokens alone, the others' are kMaskedLogit and none
  /// of them is sampled: the head's rows are read only where they are needed. Empty: of all tokens
  /// again, as after reset(). Copied. Errors: invalid_argument (shorter than the model's tokens),
  /// busy. Cost: a copy.
  Result<void> set_mask(TokenMask mask);

  /// Logits of the last token, [vocab_size]; empty before the first, after truncate and reset.
  std::span<const float> logits() const {
    return has_logits_ ? logits_.span() : std::span<const float>();
  }

  /// What the head sees of the last token, [model_dim]: the last layer's output, normed. Empty
  /// where logits() are, of a restored session, and of a model of embeddings.
  std::span<const float> features() const {
    return has_logits_ && has_features_ ? features_.span() : std::span<const float>();
  }

  /// The next token, from logits(). The session does not move: evaluate the token to go on.
  /// Errors: invalid_argument (no logits, a bad option), non_finite (of evaluate_best), busy.
  /// Cost: no allocation.
  Result<TokenId> sample(const SamplerOptions& options);

  /// Natural log of the probability of `token` under logits(), over all of vocab_size.
  /// Errors: invalid_argument (no logits, or those of a mask), token_out_of_range, busy.
  Result<double> log_prob(TokenId token);

  /// evaluate() of tokens that are given, with how likely each was: the natural log of its
  /// probability under the logits of the token before. The first one's are those of logits();
  /// without them, or with those of a mask, it gets NaN. The logits that are left are of all
  /// tokens. Shapes: log_probs [tokens.size()]. Errors: those of evaluate(), out_of_memory;
  /// log_probs are then unspecified. Cost: the head for every token; kVectorTokens + 1 times
  /// vocab_size floats for the call.
  Result<void> score(std::span<const TokenId> tokens, std::span<double> log_probs);

  /// Forgets everything from `position` on. Errors: invalid_argument (beyond the end), busy.
  Result<void> truncate(uint32_t position);
  /// Forgets everything, also what was begun, and the mask. Errors: busy (a call is running).
  Result<void> reset();

  /// Makes a running evaluate or generate end with Status::cancelled, within about a slice of a
  /// step, however large its batch. Does nothing when none is running: a request that comes too
  /// late harms no later call, and a host that evaluates in a loop looks at a flag of its own
  /// between calls. Of a session that is stepping, the next step ends with cancelled. Threads: any,
  /// at any time.
  void cancel() { cancelled_.store(true, std::memory_order_relaxed); }

  /// Only create() can make one.
  class Key {
    friend class Session;
    Key() = default;
  };
  Session(Key, std::shared_ptr<const Model> model, const AllocatorHooks& hooks)
      : model_(std::move(model)), hooks_(hooks) {}

 private:
  template <typename OnText>
  friend Result<struct Generation> generate(Session& session, const struct GenerateOptions& options,
                                            OnText&& on_text);
  friend class Speculation;

  /// What a call needs the session to be.
  enum class Needs : uint8_t { idle, stepping, either };

  /// Marks the session as in use; finds out whether it already was, or is not what the call needs.
  /// A use that needs an idle session begins uncancelled.
  class Use {
   public:
    explicit Use(Session& session, Needs needs = Needs::idle)
        : session_(session), owns_(!session.in_use_.exchange(true, std::memory_order_acquire)) {
      if (!owns_) return;
      is_stepping_ = session.is_stepping_;
      is_wrong_ =
          (needs == Needs::idle && is_stepping_) || (needs == Needs::stepping && !is_stepping_);
      if (!is_stepping_) session.cancelled_.store(false, std::memory_order_relaxed);
    }
    ~Use() {
      if (owns_) session_.in_use_.store(false, std::memory_order_release);
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    Result<void> check() const {
      if (!owns_) return Error(Status::busy, "another call is running on this session");
      if (!is_wrong_) return {};
      if (is_stepping_) return Error(Status::busy, "the session is stepping");
      return Error(Status::invalid_argument, "nothing was begun on this session");
    }

   private:
    Session& session_;
    bool owns_;
    bool is_stepping_ = false;
    bool is_wrong_ = false;
  };

  /// Adds the time of a call to the statistics.
  class Stopwatch {
   public:
    explicit Stopwatch(Session& session) : session_(session) {}
    ~Stopwatch() { session_.nanoseconds_ += elapsed(); }
    Stopwatch(const Stopwatch&) = delete;
    Stopwatch& operator=(const Stopwatch&) = delete;
    uint64_t elapsed() const { return monotonic_nanoseconds() - start_; }

   private:
    Session& session_;
    uint64_t start_ = monotonic_nanoseconds();
  };

  /// Lets a call compute other rows of the head than the mask's, through rows_ and n_best_; the
  /// logits it leaves are those of rows_ at least.
  class RowsGuard {
   public:
    explicit RowsGuard(Session& session) : session_(session) {}
    ~RowsGuard() {
      session_.rows_ = session_.mask_view();
      session_.n_best_ = 0;
      session_.complete_logits();
    }
    RowsGuard(const RowsGuard&) = delete;
    RowsGuard& operator=(const RowsGuard&) = delete;

   private:
    Session& session_;
  };

  /// How far the steps of an evaluation are.
  struct Progress {
    uint32_t n_tokens = 0;  ///< begun
    uint32_t done = 0;      ///< of them, in earlier passes
    uint32_t in_pass = 0;   ///< in this pass
    uint32_t layer = 0;     ///< the next one of this pass; n_layers: the head comes next
    uint32_t head_part = 0;
  };

  // What the public calls do once the session is theirs.
  Result<void> evaluate_in_use(std::span<const TokenId> tokens, std::span<float> all_logits);
  Result<TokenId> sample_in_use(const SamplerOptions& options);
  /// Evaluates tokens, at most kVectorTokens and the batch, but moves by the first alone. Shapes:
  /// logits [tokens, vocab_size].
  Result<void> evaluate_ahead(std::span<const TokenId> tokens, float* logits);
  /// Moves by the i-th of them, the next one; `logits` are its.
  void take_ahead(const float* logits, size_t i);
  void set_ahead(const float* logits, size_t i);

  Result<void> allocate(const SessionOptions& options, size_t n_workers, BufferPlan& plan);
  Result<void> check_tokens(std::span<const TokenId> tokens, std::span<float> all_logits) const;
  Result<void> check_token_ids(std::span<const TokenId> tokens) const;
  Result<void> evaluate_batches(std::span<const TokenId> tokens, std::span<float> all_logits);
  template <typename Read>
  Result<void> run_batches(std::span<const TokenId> tokens, TokenMasks masks, bool reads_all,
                           Read&& read);
  Result<void> check_texts(std::span<const TokenId> tokens, std::span<const size_t> lengths,
                           std::span<float> embeddings) const;
  Result<void> embed_texts(std::span<const TokenId> tokens, std::span<const size_t> lengths,
                           float* embeddings);
  Result<bool> step_slice(uint64_t budget_ns);
  uint32_t step_tokens(uint64_t budget_ns) const;
  bool searches() const {
    return n_best_ != 0 && model_->weights().head.type == TensorType::i8_planes;
  }
  /// The mask's logits, where only the largest are there.
  void complete_logits();
  void append(size_t n_tokens, const float* features);
  /// Counts a pass, and `n_logits` tokens through the head.
  void count_pass(size_t n_tokens, size_t n_logits, TokenMasks masks);
  TokenMask mask_view() const { return has_mask_ ? TokenMask(mask_.span()) : TokenMask(); }
  /// The same rows for a vector of tokens; empty if they are all.
  TokenMasks same_rows(std::array<TokenMask, kVectorTokens>& masks) const;
  SkipCounts* skips() { return options_.skip_zeros ? &skip_counts_ : nullptr; }

  std::shared_ptr<const Model> model_;
  AllocatorHooks hooks_;
  SessionOptions options_;  // as create() took them
  TaskRunner runner_;
  SkipCounts skip_counts_;
  uint64_t n_tokens_ = 0;
  uint64_t n_passes_ = 0;
  uint64_t n_head_rows_ = 0;
  uint64_t n_drafted_ = 0;
  uint64_t n_accepted_ = 0;
  uint64_t nanoseconds_ = 0;
  uint64_t token_ns_ = 1000000;  // of a token in a layer, as last measured in a step; first a guess
  KvCache cache_;
  Activations activations_;
  Sampler sampler_;
  Buffer<TokenId> tokens_;  // [capacity]
  Buffer<float> logits_;    // [vocab_size]; empty for a model of embeddings
  Buffer<float> scratch_;   // [vocab_size], for log_prob; the same
  Buffer<TextRun> texts_;   // [batch], for embed
  Buffer<float> features_;  // [model_dim]
  Buffer<uint64_t> mask_;   // [token_mask_words(vocab_size)]
  TokenMask rows_;          // of the head, to be computed
  size_t n_best_ = 0;       // how many of their logits are wanted, the largest; 0: all
  size_t n_searched_ = 0;   // how many of the largest are there alone; 0: all of rows_
  HeadCounts head_counts_;
  Progress progress_;
  bool has_features_ = false;
  bool has_mask_ = false;
  bool has_all_logits_ = true;  // logits_ are of all tokens
  bool is_stepping_ = false;
  uint32_t batch_ = 0;
  uint32_t position_ = 0;
  bool has_logits_ = false;
  std::atomic<bool> cancelled_{false};
  const std::atomic<bool>* cancel_flags_[1] = {&cancelled_};
  std::atomic<bool> in_use_{false};
};

TERN_NAMESPACE_END
