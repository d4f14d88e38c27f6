// Constraint: what the next token of a generation may be, of all that rules tokens out.
//
// Room: engine.
#pragma once

#include <span>

#include "tern/base/buffer.hpp"
#include "tern/base/status.hpp"
#include "tern/text/grammar.hpp"
#include "tern/text/token_bits.hpp"
#include "tern/text/vocabulary_data.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

class Constraint {
 public:
  /// The tokens that both masks and the grammar allow; where the grammar lets the text end,
  /// `stop_tokens` too. Null and empty ones allow all. All are viewed.
  /// Errors: out_of_memory. Cost: an allocation if there is a grammar or are two masks.
  static Result<Constraint> create(Grammar* grammar, TokenMask mask, TokenMask session_mask,
                                   std::span<const TokenId> stop_tokens,
                                   const AllocatorHooks& hooks) {
    Constraint out;
    out.grammar_ = grammar;
    out.masks_[0] = mask;
    out.masks_[1] = session_mask;
    out.stop_tokens_ = stop_tokens;
    size_t n_words = std::max(mask.size(), session_mask.size());
    if (grammar != nullptr) {
      n_words = token_mask_words(grammar->tokenizer().vocabulary().size());
    }
    TERN_TRY_ASSIGN(out.allowed_, Buffer<uint64_t>::create(n_words, hooks));
    return out;
  }

  /// Empty if nothing rules tokens out. Ensures: valid until the next call. Errors: those of
  /// Grammar::mask().
  Result<TokenMask> mask() {
    if (is_known_ || allowed_.size() == 0) return TokenMask(allowed_.span());
    TokenMask of_grammar;
    if (grammar_ != nullptr) {
      TERN_TRY_ASSIGN(of_grammar, grammar_->mask());
    }
    for (size_t i = 0; i < allowed_.size(); ++i) allowed_[i] = mask_word(of_grammar, i);
    if (grammar_ != nullptr && grammar_->may_end()) {
      for (const TokenId token : stop_tokens_) allow_token(allowed_.span(), token);
    }
    for (size_t i = 0; i < allowed_.size(); ++i) {
      allowed_[i] &= mask_word(masks_[0], i) & mask_word(masks_[1], i);
    }
    is_known_ = true;
    return TokenMask(allowed_.span());
  }

  /// Takes a token that was drawn. Errors: those of Grammar::accept().
  Result<void> accept(TokenId token) {
    if (grammar_ == nullptr) return {};
    is_known_ = false;
    return grammar_->accept(token);
  }
  /// Whether the grammar lets nothing follow.
  bool is_finished() const { return grammar_ != nullptr && grammar_->is_finished(); }

 private:
  Grammar* grammar_ = nullptr;
  TokenMask masks_[2];
  std::span<const TokenId> stop_tokens_;
  Buffer<uint64_t> allowed_;  // what mask() gives
  bool is_known_ = false;     // it is that of this place
};

TERN_NAMESPACE_END
