// Grammar: which tokens may come next, so that a text is what a grammar says.
//
// Room: text. The grammar is over bytes (grammar_parser.hpp says how it is written, and
// tern/engine/json_schema.hpp makes one of a JSON schema); a token may come next if its bytes leave
// a text that some text of the grammar begins with. generate() asks for itself; a loop of one's own
// asks for a mask, samples with it, and accepts the token; logits that are computed afterwards are
// those of the next place:
//
//     grammar.mask() -> SamplerOptions::mask, sample -> token -> grammar.accept(token)
//     grammar.mask() -> Session::set_mask, evaluate(token)
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "tern/base/allocator.hpp"
#include "tern/base/status.hpp"
#include "tern/text/grammar_automaton.hpp"
#include "tern/text/token_order.hpp"
#include "tern/text/tokenizer.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// A grammar for the tokens of a vocabulary, and how far a text is in it.
/// Threads: one at a time; forks are independent.
class Grammar {
 public:
  /// `tokenizer` must outlive it.
  /// Errors: those of parse_grammar(); out_of_memory. Cost: a sort of the vocabulary (tens of
  /// milliseconds for 128 k tokens), which forks share; 8 bytes a token.
  static Result<std::shared_ptr<Grammar>> create(std::string_view gbnf, const Tokenizer& tokenizer,
                                                 const AllocatorHooks& hooks);
  /// Another one, where this one is. Errors: out_of_memory. Cost: what this one keeps is not copied
  /// but worked out again.
  Result<std::shared_ptr<Grammar>> fork() const;

  /// Back to the beginning of a text. `begins_text`: the text is shown without the space that the
  /// vocabulary puts in front of a text (GenerateOptions::begins_text).
  /// Errors: unsupported (an ambiguity beyond use), out_of_memory.
  Result<void> reset(bool begins_text = false);

  /// The tokens that may come next, a bit each, lowest first; those that end a text where it may
  /// end. Shapes: [tokens of the vocabulary / 64, rounded up]. Ensures: valid until the next call.
  /// Errors: unsupported (an ambiguity beyond use), out_of_memory; the grammar is where it was.
  /// Cost: a walk over the vocabulary's bytes the first time that the text is in this place of the
  /// grammar; the last kMasks places are kept.
  Result<std::span<const uint64_t>> mask();
  static constexpr size_t kMasks = 32;

  /// Takes the next token of the text. A token that ends a text, where it may end, ends it.
  /// Errors: token_out_of_range; invalid_argument (the grammar does not allow it); those of mask().
  /// The grammar is then where it was. Cost: O(bytes of the token); what was worked out so far is
  /// let go once it is some MiB.
  Result<void> accept(TokenId token);

  /// Whether the text may end here.
  bool may_end() const { return is_ended_ || automaton_.may_end(state_); }
  /// Whether nothing may follow but an end: asking the model is needless.
  bool is_finished() const { return is_ended_ || !automaton_.may_go_on(state_); }

  const Tokenizer& tokenizer() const { return compiled_->tokenizer; }

  /// Only create() and fork() can make one.
  class Key {
    friend class Grammar;
    Key() = default;
  };
  /// What forks share.
  struct Compiled {
    const Tokenizer& tokenizer;
    GrammarRules rules;
    TokenOrder order;
  };
  Grammar(Key, std::shared_ptr<const Compiled> compiled);

 private:
  /// Makes room for more of the grammar; the states of a walk stay.
  void tidy(std::span<GrammarState> walk);
  Result<GrammarState> step(GrammarState state, std::string_view piece, size_t at);
  Result<void> fill_mask(std::span<uint64_t> out);

  std::shared_ptr<const Compiled> compiled_;
  GrammarAutomaton automaton_;
  GrammarState state_ = kDeadState;
  bool drops_space_ = false;  // the space in front of the next token is not shown
  bool is_ended_ = false;     // by a token that ends a text
  // The masks of the last places, one behind the other.
  struct Place {
    GrammarState state;
    bool drops_space;
    friend bool operator==(const Place&, const Place&) = default;
  };
  static constexpr Place kNowhere{kDeadState, true};  // no text is there
  Vector<Place> places_;       // at most kMasks
  Vector<uint64_t> masks_;     // [kMasks, words]
  size_t next_place_ = 0;      // to be overwritten
  Vector<GrammarState> walk_;  // behind each byte of a token
};

TERN_NAMESPACE_END
