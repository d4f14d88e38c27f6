// Speculation: several tokens in one pass over the weights, guessed from the text itself.
//
// Room: engine. A guess (prompt_lookup.hpp) is evaluated together with the token before it. Each
// position is then sampled as always: where the token is the one guessed its logits are there
// already, else the guesses behind are forgotten. Logits have the same bits however a text is cut
// into passes and a draw depends on (seed, position), so the text is the one that plain decoding
// gives; guessing only changes the time.
//
// A pass over several tokens takes longer than one over one, so guesses have to pay for themselves:
//
//     balance  +=  accepted * plain - (pass - plain),  at most  kMostCredit * plain
//
// with the time of a plain pass and of that pass as measured. A plain pass adds a part of its time.
// Tokens are guessed while the balance covers what the last pass of its kind took beyond a plain
// one, so that a text that never repeats is slowed down by that part and the first credit at most.
#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "tern/base/buffer.hpp"
#include "tern/engine/prompt_lookup.hpp"
#include "tern/engine/session.hpp"
#include "tern/platform/clock.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// Most tokens that are guessed at once: with the token before them they are one pass.
inline constexpr uint32_t kMostDraft = kVectorTokens - 1;

class Speculation {
 public:
  /// At most `n_draft` tokens are guessed at once, and fewer than the session's batch; 0: none.
  /// Errors: invalid_argument (n_draft above kMostDraft), out_of_memory.
  /// Cost:   an allocation of n_draft + 1 times vocab_size floats, unless n_draft is 0.
  static Result<Speculation> create(Session& session, uint32_t n_draft) {
    if (n_draft > kMostDraft) {
      return Error(Status::invalid_argument, "generate option is out of range", "n_draft");
    }
    Speculation out(session);
    out.most_ = std::min(n_draft, session.batch_ - 1);
    out.length_ = out.most_;
    const size_t n_rows = out.most_ == 0 ? 0 : size_t{out.most_} + 1;
    TERN_TRY_ASSIGN(out.logits_,
                    Buffer<float>::create(n_rows * out.vocab_size(), session.allocator()));
    return out;
  }

  /// Appends `token` to the session, as evaluate() does; at most `n_more` tokens come after it. The
  /// first guess is one that the session's rows of the head allow.
  /// Errors: those of Session::evaluate. Cost: no allocation; no pass if the token was guessed.
  Result<void> append(TokenId token, uint32_t n_more) {
    if (n_taken_ < n_guessed_ && draft_[n_taken_ + 1] == token) {
      ++n_taken_;
      session_.take_ahead(row(n_taken_), n_taken_);
      pay(plain_.ns);
      return {};
    }
    settle();
    draft_[0] = token;
    const size_t n = guess(n_more);
    return n == 0 ? append_plainly() : append_ahead(n);
  }

 private:
  // Of the balance, in plain passes, and the part of its own time that a plain pass adds.
  static constexpr int64_t kFirstCredit = 2;
  static constexpr int64_t kMostCredit = 8;
  static constexpr int64_t kPlainPart = 64;

  // What a kind of pass takes. A pass during which the machine did something else seems long, none
  // seems short: the least counts, and grows slowly.
  struct PassTime {
    int64_t ns = 0;  // 0: not measured yet
    void measure(uint64_t start) {
      const auto now = static_cast<int64_t>(monotonic_nanoseconds() - start);
      ns = ns == 0 ? now : std::min(now, ns + ns / 8 + 1);
    }
  };

  explicit Speculation(Session& session) : session_(session) {}
  size_t vocab_size() const { return session_.model_->config().vocab_size; }
  float* row(size_t i) { return logits_.data() + i * vocab_size(); }

  // Tokens after draft_[0] that are worth a pass, put behind it; gives how many.
  size_t guess(uint32_t n_more) {
    if (most_ == 0 || plain_.ns == 0) return 0;
    const uint32_t position = session_.position_;
    const uint32_t room = session_.capacity() - position - 1;
    const size_t most = std::min({length_, n_more, room});
    session_.tokens_[position] = draft_[0];
    const auto found = look_up_draft(session_.tokens_.span().first(position + 1), most);
    if (found.empty() || !is_allowed(session_.rows_, static_cast<size_t>(found[0]))) return 0;
    if (balance_ns_ < extra_ns(found.size())) return 0;
    std::copy(found.begin(), found.end(), draft_.begin() + 1);
    return found.size();
  }

  Result<void> append_plainly() {
    const uint64_t start = monotonic_nanoseconds();
    TERN_TRY(session_.evaluate_in_use({draft_.data(), 1}, {}));
    const bool is_first = plain_.ns == 0;
    plain_.measure(start);
    if (is_first) {
      balance_ns_ = kFirstCredit * plain_.ns;
      for (int64_t n = 1; n <= kMostDraft; ++n) {
        ahead_[static_cast<size_t>(n)].ns = plain_.ns + plain_.ns * n / 4;
      }
    }
    pay(plain_.ns / kPlainPart);
    return {};
  }

  Result<void> append_ahead(size_t n) {
    const uint64_t start = monotonic_nanoseconds();
    // Of the guesses' logits other rows may be needed than of this token's.
    session_.rows_ = session_.mask_view();
    TERN_TRY(session_.evaluate_ahead({draft_.data(), n + 1}, row(0)));
    ahead_[n].measure(start);
    pay(-extra_ns(n));
    n_guessed_ = n;
    return {};
  }

  void pay(int64_t ns) { balance_ns_ = std::min(balance_ns_ + ns, kMostCredit * plain_.ns); }
  // What a pass with n guesses takes beyond a plain one.
  int64_t extra_ns(size_t n) const { return std::max(ahead_[n].ns - plain_.ns, int64_t{0}); }

  // Forgets what is left of a guess; the next one is as long as this one was good.
  void settle() {
    if (n_guessed_ != 0) {
      const bool all = n_taken_ == n_guessed_;
      length_ = std::min(static_cast<uint32_t>(all ? 2 * n_guessed_ : n_taken_ + 1), most_);
    }
    n_guessed_ = 0;
    n_taken_ = 0;
  }

  Session& session_;
  Buffer<float> logits_;  // [most_ + 1, vocab_size], of the tokens of the last pass ahead
  uint32_t most_ = 0;
  uint32_t length_ = 0;                          // of the next guess, at most
  std::array<TokenId, kMostDraft + 1> draft_{};  // a token, and what is guessed to follow it
  size_t n_guessed_ = 0;                         // in the session's cache
  size_t n_taken_ = 0;                           // of them, in the text
  PassTime plain_;
  std::array<PassTime, kMostDraft + 1> ahead_;  // with n guesses
  int64_t balance_ns_ = 0;
};

TERN_NAMESPACE_END
