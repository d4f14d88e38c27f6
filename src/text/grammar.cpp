// Grammar's bodies: masks by a walk over the vocabulary.
//
// Room: text.
#include "tern/text/grammar.hpp"

#include <algorithm>

#include "tern/base/memory_wall.hpp"
#include "tern/text/grammar_parser.hpp"
#include "tern/text/token_bits.hpp"

TERN_NAMESPACE_BEGIN

Result<std::shared_ptr<Grammar>> Grammar::create(std::string_view gbnf, const Tokenizer& tokenizer,
                                                 const AllocatorHooks& hooks) {
  return catch_out_of_memory([&]() -> Result<std::shared_ptr<Grammar>> {
    TERN_TRY_ASSIGN(GrammarRules rules, parse_grammar(gbnf, hooks));
    auto compiled = std::allocate_shared<Compiled>(
        HostAllocator<Compiled>(hooks),
        Compiled{tokenizer, std::move(rules), TokenOrder(tokenizer.vocabulary(), hooks)});
    auto grammar = std::allocate_shared<Grammar>(HostAllocator<Grammar>(hooks), Key(),
                                                 std::move(compiled));
    TERN_TRY(grammar->reset());
    return grammar;
  });
}

Grammar::Grammar(Key, std::shared_ptr<const Compiled> compiled)
    : compiled_(std::move(compiled)),
      automaton_(compiled_->rules),
      places_(compiled_->rules.hooks()),
      masks_(compiled_->rules.hooks()),
      walk_(compiled_->tokenizer.vocabulary().max_piece_bytes() + 1, kDeadState,
            compiled_->rules.hooks()) {}

Result<std::shared_ptr<Grammar>> Grammar::fork() const {
  return catch_out_of_memory([&]() -> Result<std::shared_ptr<Grammar>> {
    const AllocatorHooks& hooks = compiled_->rules.hooks();
    auto out = std::allocate_shared<Grammar>(HostAllocator<Grammar>(hooks), Key(), compiled_);
    out->state_ = out->automaton_.copied_state(automaton_, state_);
    out->drops_space_ = drops_space_;
    out->is_ended_ = is_ended_;
    return out;
  });
}

Result<void> Grammar::reset(bool begins_text) {
  return catch_out_of_memory([&]() -> Result<void> {
    TERN_TRY_ASSIGN(state_, automaton_.start());
    drops_space_ = begins_text && tokenizer().vocabulary().add_space_prefix();
    is_ended_ = false;
    return {};
  });
}

Result<std::span<const uint64_t>> Grammar::mask() {
  using Mask = std::span<const uint64_t>;
  return catch_out_of_memory([&]() -> Result<Mask> {
    const size_t words = token_mask_words(tokenizer().vocabulary().size());
    if (automaton_.is_large()) tidy({&state_, 1});
    const Place here{state_, drops_space_};
    const auto found = std::find(places_.begin(), places_.end(), here);
    if (found != places_.end()) {
      return Mask(masks_).subspan(static_cast<size_t>(found - places_.begin()) * words, words);
    }
    // Nobody's until it is full: states may get new numbers meanwhile.
    const size_t index = next_place_;
    masks_.resize(std::max(masks_.size(), (index + 1) * words));
    if (index < places_.size()) places_[index] = kNowhere;
    places_.reserve(kMasks);
    const auto mask = std::span(masks_).subspan(index * words, words);
    TERN_TRY(fill_mask(mask));
    places_.resize(std::max(places_.size(), index + 1), kNowhere);
    places_[index] = {state_, drops_space_};
    next_place_ = (index + 1) % kMasks;
    return Mask(mask);
  });
}

Result<void> Grammar::fill_mask(std::span<uint64_t> out) {
  std::fill(out.begin(), out.end(), 0);
  const Vocabulary& vocabulary = tokenizer().vocabulary();
  if (automaton_.may_end(state_)) {
    for (const TokenId token : vocabulary.end_of_generation()) allow_token(out, token);
  }
  walk_[0] = state_;
  size_t known = 0;      // bytes of the token before that leave a text of the grammar
  bool is_dead = false;  // its next byte does not
  for (const TokenOrder::Entry& entry : compiled_->order.entries()) {
    // Tokens that begin with the same wrong byte are wrong.
    if (is_dead && entry.n_shared > known) continue;
    const std::string_view piece = vocabulary.piece(entry.token);
    known = std::min<size_t>(known, entry.n_shared);
    is_dead = false;
    while (known < piece.size()) {
      TERN_TRY_ASSIGN(const GrammarState next, step(walk_[known], piece, known));
      is_dead = next == kDeadState;
      if (is_dead) break;
      walk_[++known] = next;
    }
    if (!is_dead) allow_token(out, entry.token);
    if (automaton_.is_large()) {
      tidy(std::span(walk_).first(known + 1));
      state_ = walk_[0];
    }
  }
  return {};
}

Result<GrammarState> Grammar::step(GrammarState state, std::string_view piece, size_t at) {
  if (at == 0 && drops_space_ && piece[0] == ' ') return state;
  return automaton_.step(state, static_cast<uint8_t>(piece[at]));
}

void Grammar::tidy(std::span<GrammarState> walk) {
  automaton_.compact(walk);
  places_.clear();
  next_place_ = 0;
}

Result<void> Grammar::accept(TokenId token) {
  return catch_out_of_memory([&]() -> Result<void> {
    const Vocabulary& vocabulary = tokenizer().vocabulary();
    const auto refused = [&] {
      return Error(Status::invalid_argument, "the grammar does not allow the token",
                   vocabulary.piece(token));
    };
    if (!vocabulary.contains(token)) {
      return Error(Status::token_out_of_range, "a token id is outside the vocabulary");
    }
    if (vocabulary.is_end_of_generation(token)) {
      if (!may_end() || is_ended_) return refused();
      is_ended_ = true;
      state_ = kDeadState;
      drops_space_ = false;
      return {};
    }
    const std::string_view piece = vocabulary.piece(token);
    if (!TokenOrder::is_text(vocabulary, token)) return refused();
    if (automaton_.is_large()) tidy({&state_, 1});  // a loop may never ask for a mask
    GrammarState state = state_;
    for (size_t i = 0; i < piece.size(); ++i) {
      TERN_TRY_ASSIGN(state, step(state, piece, i));
    }
    if (state == kDeadState) return refused();
    state_ = state;
    drops_space_ = false;
    return {};
  });
}

TERN_NAMESPACE_END
