// Generation: tokens one after another, as text that a caller can show at once.
//
// Room: engine.
#pragma once

#include <string_view>

#include "tern/engine/constraint.hpp"
#include "tern/engine/session.hpp"
#include "tern/engine/speculation.hpp"
#include "tern/engine/stop_texts.hpp"
#include "tern/text/chat_format.hpp"
#include "tern/text/stream_decoder.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// Why a generation ended.
enum class StopReason : uint8_t {
  end_of_generation,  ///< the model gave a token that ends its text, or one of stop_tokens
  max_tokens,
  context_full,
  callback,   ///< the callback asked for it
  stop_text,  ///< one of stop_texts came; the text ends before it
  grammar,    ///< the grammar lets nothing follow
};

struct GenerateOptions {
  SamplerOptions sampler;
  uint32_t max_tokens = 128;
  bool show_special = false;  ///< control tokens appear in the text
  bool begins_text = false;   ///< the continuation is the start of a text (an empty prompt)
  ChatFormat chat_format = ChatFormat::none;     ///< whose stop tokens end the text, too
  std::span<const TokenId> stop_tokens;          ///< end the text like the model's own; viewed
  std::span<const std::string_view> stop_texts;  ///< end the text before them; viewed
  /// What the text must be, from where the grammar is: it takes every token that is given. Reset if
  /// the text begins. The head's rows are computed for tokens that may come.
  Grammar* grammar = nullptr;
  /// Most tokens to guess at once from how the text went on before (prompt lookup), at most
  /// kMostDraft; 0: none. The tokens are the same; texts that repeat themselves come faster.
  uint32_t n_draft = 0;
};

/// What a generation came to.
struct Generation {
  StopReason reason = StopReason::max_tokens;
  uint32_t n_tokens = 0;  ///< given, the one that ended the text not counted
};

/// Continues from the session's logits: samples, hands the text to `on_text`, evaluates, repeats.
/// `on_text(std::string_view text, TokenId token)` gets whole UTF-8 characters (maybe none for a
/// token in the middle of one, or while a stop text may be coming) and returns whether to go on.
/// What is held back when the text ends comes last, with kNoToken: the bytes of an unfinished
/// character, or the beginning of a stop text. In the callback the session is in use: only cancel()
/// is legal, calls that would change it give busy.
/// With a mask or a grammar the head is computed for tokens that may come. A token that was drawn
/// but is not in the session (an end, a stop) is not evaluated: session.logits() stay those that it
/// was drawn from, with a mask or a grammar only of the tokens that could come there.
/// Requires: session.logits() is not empty.
/// Ensures:  every token that was handed out is in the session, but for one at which the callback
///           stopped, a stop text was met or the context was full. The token that ended the text is
///           not.
/// Errors:   unsupported_tokenizer (no vocabulary), invalid_argument (a grammar of another model),
///           out_of_memory, those of Speculation::create, Session::sample and evaluate and of
///           Grammar::mask; text that was handed out before stays valid.
/// Cost:     four allocations a call at most, none a token but for those of Grammar::mask().
template <typename OnText>
Result<Generation> generate(Session& session, const GenerateOptions& options, OnText&& on_text) {
  const Tokenizer* tokenizer = session.model().tokenizer();
  if (tokenizer == nullptr) {
    return Error(Status::unsupported_tokenizer, "the model has no vocabulary");
  }
  const Session::Use use(session);
  TERN_TRY(use.check());
  const DecodeOptions decode_options{options.show_special, options.begins_text};
  TERN_TRY_ASSIGN(StreamDecoder decoder,
                  StreamDecoder::create(*tokenizer, decode_options, session.allocator()));
  TERN_TRY_ASSIGN(StopTexts stops,
                  StopTexts::create(options.stop_texts, decoder.max_bytes(), session.allocator()));
  if (options.grammar != nullptr && &options.grammar->tokenizer() != tokenizer) {
    return Error(Status::invalid_argument, "the grammar is of another model");
  }
  if (options.grammar != nullptr && options.begins_text) TERN_TRY(options.grammar->reset(true));
  TERN_TRY_ASSIGN(Constraint constraint,
                  Constraint::create(options.grammar, options.sampler.mask, session.mask_view(),
                                     options.stop_tokens, session.allocator()));
  SamplerOptions sampler = options.sampler;
  session.complete_logits();
  const Session::RowsGuard rows(session);
  const auto ends_text = [&](TokenId token) {
    return is_chat_stop(options.chat_format, tokenizer->vocabulary(), token) ||
           std::ranges::find(options.stop_tokens, token) != options.stop_tokens.end();
  };
  TERN_TRY_ASSIGN(Speculation speculation, Speculation::create(session, options.n_draft));
  Generation generation;
  // No token ends the text where a vocabulary has none for that, so none is asked for.
  if (constraint.is_finished()) {
    generation.reason = StopReason::grammar;
    return generation;
  }
  while (generation.n_tokens < options.max_tokens) {
    TERN_TRY_ASSIGN(sampler.mask, constraint.mask());
    TERN_TRY_ASSIGN(const TokenId token, session.sample_in_use(sampler));
    if (ends_text(token)) {
      generation.reason = StopReason::end_of_generation;
      break;
    }
    TERN_TRY(constraint.accept(token));
    TERN_TRY_ASSIGN(const std::string_view text, decoder.push(token));
    ++generation.n_tokens;
    if (!on_text(stops.push(text), token)) {
      generation.reason = StopReason::callback;
      return generation;
    }
    if (stops.met()) {
      generation.reason = StopReason::stop_text;
      return generation;
    }
    if (session.position() == session.capacity()) {
      generation.reason = StopReason::context_full;
      break;
    }
    // What is drawn from next needs no other logits; the last ones are the caller's.
    session.rows_ = session.mask_view();
    session.n_best_ = 0;
    if (generation.n_tokens < options.max_tokens && !constraint.is_finished()) {
      TERN_TRY_ASSIGN(session.rows_, constraint.mask());
      session.n_best_ = best_needed(sampler);
    }
    TERN_TRY(speculation.append(token, options.max_tokens - generation.n_tokens));
    if (constraint.is_finished()) {
      generation.reason = StopReason::grammar;
      break;
    }
  }
  const std::string_view shown = stops.push(decoder.flush());
  if (!shown.empty()) on_text(shown, kNoToken);
  const std::string_view rest = stops.flush();
  if (!rest.empty()) on_text(rest, kNoToken);
  return generation;
}

TERN_NAMESPACE_END
