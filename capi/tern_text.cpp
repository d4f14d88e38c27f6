// The C ABI, third part: text to tokens and back, conversations to tokens.
//
// Room: capi.
#include <algorithm>
#include <span>
#include <string_view>

#include "guard.hpp"
#include "handles.hpp"
#include "options.hpp"
#include "tern.h"
#include "tern/text/chat_renderer.hpp"
#include "tern/text/tokenizer.hpp"

using tern::Error;
using tern::Result;
using tern::Status;
using tern::Tokenizer;
using tern::Vector;
namespace capi = tern::capi;

static_assert(TERN_ROLE_SYSTEM == static_cast<int32_t>(tern::ChatRole::system));
static_assert(TERN_ROLE_USER == static_cast<int32_t>(tern::ChatRole::user));
static_assert(TERN_ROLE_ASSISTANT == static_cast<int32_t>(tern::ChatRole::assistant));

namespace {

Result<const Tokenizer*> tokenizer_of(const tern_model* handle) {
  TERN_TRY_ASSIGN(const tern::Model* model, capi::model_of(handle));
  if (model->tokenizer() == nullptr) {
    return Error(Status::unsupported_tokenizer, "the model has no vocabulary");
  }
  return model->tokenizer();
}

/// Reports how many tokens there are, and hands them over if they fit.
Result<void> hand_over(std::span<const tern::TokenId> ids, int32_t* tokens, size_t capacity,
                       size_t* n_tokens) {
  *n_tokens = ids.size();
  if (ids.size() > capacity) {
    return Error(Status::buffer_too_small, "the buffer is too small", "tokens");
  }
  std::copy(ids.begin(), ids.end(), tokens);
  return {};
}

Result<void> read_messages(const tern_chat_message* messages, size_t n_messages,
                           Vector<tern::ChatMessage>& out) {
  TERN_TRY_ASSIGN(const auto given, capi::read_array(messages, n_messages, "messages"));
  for (const tern_chat_message& message : given) {
    if (message.role < TERN_ROLE_SYSTEM || message.role > TERN_ROLE_ASSISTANT) {
      return Error(Status::invalid_argument, "a message's role is none", "role");
    }
    TERN_TRY_ASSIGN(const std::string_view content,
                    capi::read_text(message.content, message.content_size, "content"));
    out.push_back({static_cast<tern::ChatRole>(message.role), content});
  }
  return {};
}

}  // namespace

tern_status tern_model_tokenize(const tern_model* model, const char* text, size_t text_size,
                                uint32_t flags, int32_t* tokens, size_t capacity,
                                size_t* n_tokens) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY(capi::clear_result(n_tokens, "n_tokens"));
    TERN_TRY_ASSIGN(const Tokenizer* tokenizer, tokenizer_of(model));
    TERN_TRY(capi::check_flags(flags, TERN_TOKENIZE_ADD_SPECIAL | TERN_TOKENIZE_PARSE_SPECIAL));
    TERN_TRY_ASSIGN(const std::string_view input, capi::read_text(text, text_size, "text"));
    TERN_TRY(capi::read_array(tokens, capacity, "tokens"));
    Vector<tern::TokenId> ids(model->object->allocator());
    const tern::EncodeOptions options{(flags & TERN_TOKENIZE_ADD_SPECIAL) != 0,
                                      (flags & TERN_TOKENIZE_PARSE_SPECIAL) != 0};
    TERN_TRY(tokenizer->encode(input, options, ids));
    return hand_over(ids, tokens, capacity, n_tokens);
  });
}

tern_status tern_model_detokenize(const tern_model* model, const int32_t* tokens, size_t n_tokens,
                                  uint32_t flags, char* text, size_t capacity, size_t* size) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY(capi::clear_result(size, "size"));
    TERN_TRY_ASSIGN(const Tokenizer* tokenizer, tokenizer_of(model));
    TERN_TRY(capi::check_flags(flags, TERN_DETOKENIZE_SHOW_SPECIAL | TERN_DETOKENIZE_CONTINUES));
    TERN_TRY_ASSIGN(const auto ids, capi::read_array(tokens, n_tokens, "tokens"));
    TERN_TRY(capi::read_text(text, capacity, "text"));
    const bool show_special = (flags & TERN_DETOKENIZE_SHOW_SPECIAL) != 0;
    bool begins_text = (flags & TERN_DETOKENIZE_CONTINUES) == 0;
    // Piece by piece into the caller's buffer: Tokenizer::decode would allocate.
    size_t needed = 0;
    for (size_t i = 0; i < ids.size(); ++i) {
      const auto piece = tokenizer->visible_piece(ids[i], show_special, begins_text);
      if (!piece) return Error::at_index(piece.error().status, piece.error().what, i);
      if (needed <= capacity && piece->size() <= capacity - needed) {
        std::copy(piece->begin(), piece->end(), text + needed);
      }
      needed += piece->size();
    }
    *size = needed;
    if (needed > capacity)
      return Error(Status::buffer_too_small, "the buffer is too small", "text");
    return {};
  });
}

tern_status tern_model_token_piece(const tern_model* model, int32_t token, const char** piece,
                                   size_t* size) {
  return capi::guard([&]() -> Result<void> {
    if (size != nullptr) *size = 0;
    TERN_TRY(capi::clear_result(piece, "piece"));
    TERN_TRY(capi::clear_result(size, "size"));
    TERN_TRY_ASSIGN(const Tokenizer* tokenizer, tokenizer_of(model));
    TERN_TRY_ASSIGN(const std::string_view bytes, tokenizer->piece(token));
    *piece = bytes.data();
    *size = bytes.size();
    return {};
  });
}

int32_t tern_model_is_end_of_generation(const tern_model* model, int32_t token) {
  if (model == nullptr || model->object->tokenizer() == nullptr) return 0;
  return model->object->tokenizer()->vocabulary().is_end_of_generation(token) ? 1 : 0;
}

int32_t tern_model_special_token(const tern_model* model, int32_t role) {
  if (model == nullptr || model->object->tokenizer() == nullptr) return tern::kNoToken;
  const tern::SpecialTokens& tokens = model->object->tokenizer()->vocabulary().special_tokens();
  if (role == TERN_TOKEN_BOS) return tokens.bos;
  if (role == TERN_TOKEN_EOS) return tokens.eos;
  if (role == TERN_TOKEN_EOT) return tokens.eot;
  return tern::kNoToken;
}

tern_status tern_model_tokenize_chat(const tern_model* model, const tern_chat_message* messages,
                                     size_t n_messages, uint32_t flags, int32_t* tokens,
                                     size_t capacity, size_t* n_tokens) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY(capi::clear_result(n_tokens, "n_tokens"));
    TERN_TRY_ASSIGN(const Tokenizer* tokenizer, tokenizer_of(model));
    TERN_TRY(capi::check_flags(flags, TERN_CHAT_NO_ANSWER | TERN_CHAT_CONTINUES));
    TERN_TRY(capi::read_array(tokens, capacity, "tokens"));
    const tern::AllocatorHooks& hooks = model->object->allocator();
    Vector<tern::ChatMessage> chat(hooks);
    TERN_TRY(read_messages(messages, n_messages, chat));
    TERN_TRY_ASSIGN(const tern::ChatRenderer* renderer, model->object->chat());
    const bool continues = (flags & TERN_CHAT_CONTINUES) != 0;
    const tern::ChatOptions options{(flags & TERN_CHAT_NO_ANSWER) == 0,
                                    continues || tokenizer->vocabulary().add_bos(), continues};
    TERN_TRY_ASSIGN(const tern::ChatPrompt prompt, renderer->render(chat, options));
    Vector<tern::TokenId> ids(hooks);
    TERN_TRY(tokenizer->encode(prompt.segments(), !continues, ids));
    return hand_over(ids, tokens, capacity, n_tokens);
  });
}
