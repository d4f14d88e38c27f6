// The C ABI, fourth part: sessions, sampling, generating.
//
// Room: capi.
#include <span>
#include <string_view>

#include "guard.hpp"
#include "handles.hpp"
#include "options.hpp"
#include "session_options.hpp"
#include "tern.h"
#include "tern/engine/generate.hpp"
#include "tern/engine/sampler.hpp"
#include "tern/engine/session.hpp"

using tern::Error;
using tern::Result;
using tern::Session;
using tern::Status;
using tern::StopReason;
namespace capi = tern::capi;

static_assert(TERN_STOP_END == static_cast<int32_t>(StopReason::end_of_generation));
static_assert(TERN_STOP_MAX_TOKENS == static_cast<int32_t>(StopReason::max_tokens));
static_assert(TERN_STOP_CONTEXT_FULL == static_cast<int32_t>(StopReason::context_full));
static_assert(TERN_STOP_CALLBACK == static_cast<int32_t>(StopReason::callback));
static_assert(TERN_STOP_TEXT == static_cast<int32_t>(StopReason::stop_text));
static_assert(TERN_STOP_GRAMMAR == static_cast<int32_t>(StopReason::grammar));

namespace {

/// Options with the biases and stop texts that they view. The caller's are copied: their type is
/// another.
struct SamplerInput {
  tern::SamplerOptions options;
  tern::LogitBias biases[TERN_MAX_BIASES];
  std::string_view stop_texts[TERN_MAX_STOP_TEXTS];
};

Result<void> read_sampler_options(const tern_sampler_options* given, SamplerInput& input) {
  TERN_TRY_ASSIGN(
      const tern_sampler_options options,
      capi::read_options(given, "tern_sampler_options", capi::kSamplerOptionsFirstSize));
  tern::SamplerOptions& out = input.options;
  out.temperature = options.temperature;
  out.top_k = options.top_k;
  if (options.top_p != 0) out.top_p = options.top_p;
  out.min_p = options.min_p;
  if (options.repeat_penalty != 0) out.repeat_penalty = options.repeat_penalty;
  out.seed = options.seed;
  TERN_TRY_ASSIGN(out.mask, capi::read_array(options.mask, options.mask_size, "mask"));
  if (options.mask != nullptr && options.mask_size == 0) {
    return Error(Status::invalid_argument, "the mask is shorter than the vocabulary", "mask_size");
  }
  TERN_TRY_ASSIGN(const auto biases, capi::read_array(options.biases, options.n_biases, "biases"));
  if (biases.size() > TERN_MAX_BIASES) {
    return Error(Status::invalid_argument, "too many biases", "n_biases");
  }
  for (size_t i = 0; i < biases.size(); ++i) {
    input.biases[i] = {biases[i].token, biases[i].bias};
  }
  out.biases = {input.biases, biases.size()};
  return {};
}

Result<tern::GenerateOptions> read_generate_options(const tern_generate_options* given,
                                                    const tern::Model& model, SamplerInput& input) {
  TERN_TRY_ASSIGN(
      const tern_generate_options options,
      capi::read_options(given, "tern_generate_options", capi::kGenerateOptionsFirstSize));
  TERN_TRY(capi::check_flags(
      options.flags, TERN_GENERATE_SHOW_SPECIAL | TERN_GENERATE_BEGINS_TEXT | TERN_GENERATE_CHAT));
  TERN_TRY(read_sampler_options(options.sampler, input));
  tern::GenerateOptions generate;
  generate.sampler = input.options;
  if (options.max_tokens != 0) generate.max_tokens = options.max_tokens;
  generate.n_draft = options.n_draft;
  generate.show_special = (options.flags & TERN_GENERATE_SHOW_SPECIAL) != 0;
  generate.begins_text = (options.flags & TERN_GENERATE_BEGINS_TEXT) != 0;
  if ((options.flags & TERN_GENERATE_CHAT) != 0) {
    TERN_TRY_ASSIGN(const tern::ChatRenderer* chat, model.chat());
    generate.chat_format = chat->format();
  }
  TERN_TRY_ASSIGN(generate.stop_tokens,
                  capi::read_array(options.stop_tokens, options.n_stop_tokens, "stop_tokens"));
  TERN_TRY_ASSIGN(const auto stop_texts,
                  capi::read_array(options.stop_texts, options.n_stop_texts, "stop_texts"));
  if (stop_texts.size() > TERN_MAX_STOP_TEXTS) {
    return Error(Status::invalid_argument, "too many stop texts", "n_stop_texts");
  }
  for (size_t i = 0; i < stop_texts.size(); ++i) {
    TERN_TRY_ASSIGN(input.stop_texts[i],
                    capi::read_text(stop_texts[i].text, stop_texts[i].size, "stop_texts"));
  }
  generate.stop_texts = {input.stop_texts, stop_texts.size()};
  if (options.grammar != nullptr) generate.grammar = options.grammar->object.get();
  return generate;
}

}  // namespace

tern_status tern_session_create(const tern_model* model, const tern_session_options* options,
                                tern_session** out) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY(capi::clear_result(out, "out"));
    TERN_TRY(capi::model_of(model));
    TERN_TRY_ASSIGN(const auto session_options,
                    capi::read_session_options(options, *model->object));
    TERN_TRY_ASSIGN(auto session, Session::create(model->object, session_options));
    TERN_TRY_ASSIGN(
        *out, capi::make_handle<tern_session>(*session_options.allocator, std::move(session)));
    return {};
  });
}

void tern_session_free(tern_session* session) { capi::free_handle(session); }

uint32_t tern_session_position(const tern_session* session) {
  return session != nullptr ? session->object->position() : 0;
}

uint32_t tern_session_capacity(const tern_session* session) {
  return session != nullptr ? session->object->capacity() : 0;
}

tern_status tern_session_tokens(const tern_session* session, const int32_t** tokens,
                                size_t* n_tokens) {
  return capi::guard([&]() -> Result<void> {
    if (n_tokens != nullptr) *n_tokens = 0;
    TERN_TRY(capi::clear_result(tokens, "tokens"));
    TERN_TRY(capi::clear_result(n_tokens, "n_tokens"));
    TERN_TRY_ASSIGN(const Session* self, capi::session_of(session));
    *tokens = self->tokens().data();
    *n_tokens = self->tokens().size();
    return {};
  });
}

tern_status tern_session_truncate(tern_session* session, uint32_t position) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY_ASSIGN(Session * self, capi::session_of(session));
    return self->truncate(position);
  });
}

tern_status tern_session_reset(tern_session* session) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY_ASSIGN(Session * self, capi::session_of(session));
    return self->reset();
  });
}

void tern_session_cancel(tern_session* session) {
  if (session != nullptr) session->object->cancel();
}

tern_status tern_session_evaluate(tern_session* session, const int32_t* tokens, size_t n_tokens,
                                  float* all_logits, size_t all_logits_size) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY_ASSIGN(Session * self, capi::session_of(session));
    TERN_TRY_ASSIGN(const auto ids, capi::read_array(tokens, n_tokens, "tokens"));
    std::span<float> logits;
    if (all_logits != nullptr) {
      const size_t vocab_size = self->model().config().vocab_size;
      if (all_logits_size / vocab_size < n_tokens) {
        return Error(Status::buffer_too_small, "the buffer is too small", "all_logits");
      }
      logits = {all_logits, n_tokens * vocab_size};
    }
    return self->evaluate(ids, logits);
  });
}

tern_status tern_session_evaluate_best(tern_session* session, const int32_t* tokens,
                                       size_t n_tokens, uint32_t n_best) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY_ASSIGN(Session * self, capi::session_of(session));
    TERN_TRY_ASSIGN(const auto ids, capi::read_array(tokens, n_tokens, "tokens"));
    return self->evaluate_best(ids, n_best);
  });
}

tern_status tern_session_embed(tern_session* session, const int32_t* tokens, size_t n_tokens,
                               const size_t* lengths, size_t n_texts, float* embeddings,
                               size_t embeddings_size) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY_ASSIGN(Session * self, capi::session_of(session));
    TERN_TRY_ASSIGN(const auto ids, capi::read_array(tokens, n_tokens, "tokens"));
    TERN_TRY_ASSIGN(const auto sizes, capi::read_array(lengths, n_texts, "lengths"));
    if (embeddings == nullptr) return capi::null_argument("embeddings");
    // Of a model of logits there is nothing to fill: embed() says so.
    const size_t width = self->model().config().embedding_size();
    if (width != 0 && embeddings_size / width < n_texts) {
      return Error(Status::buffer_too_small, "the buffer is too small", "embeddings");
    }
    return self->embed(ids, sizes, {embeddings, n_texts * width});
  });
}

tern_status tern_session_logits(const tern_session* session, const float** logits,
                                size_t* n_logits) {
  return capi::guard([&]() -> Result<void> {
    if (n_logits != nullptr) *n_logits = 0;
    TERN_TRY(capi::clear_result(logits, "logits"));
    TERN_TRY(capi::clear_result(n_logits, "n_logits"));
    TERN_TRY_ASSIGN(const Session* self, capi::session_of(session));
    const std::span<const float> view = self->logits();
    if (view.empty()) {
      return Error(Status::invalid_argument, "no logits: evaluate tokens first");
    }
    *logits = view.data();
    *n_logits = view.size();
    return {};
  });
}

tern_status tern_session_features(const tern_session* session, const float** features,
                                  size_t* n_features) {
  return capi::guard([&]() -> Result<void> {
    if (n_features != nullptr) *n_features = 0;
    TERN_TRY(capi::clear_result(features, "features"));
    TERN_TRY(capi::clear_result(n_features, "n_features"));
    TERN_TRY_ASSIGN(const Session* self, capi::session_of(session));
    const std::span<const float> view = self->features();
    if (view.empty()) {
      return Error(Status::invalid_argument, "no features: evaluate tokens first");
    }
    *features = view.data();
    *n_features = view.size();
    return {};
  });
}

tern_status tern_session_score(tern_session* session, const int32_t* tokens, size_t n_tokens,
                               double* log_probs) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY_ASSIGN(Session * self, capi::session_of(session));
    TERN_TRY_ASSIGN(const auto ids, capi::read_array(tokens, n_tokens, "tokens"));
    if (log_probs == nullptr) return capi::null_argument("log_probs");
    return self->score(ids, {log_probs, n_tokens});
  });
}

tern_status tern_session_set_mask(tern_session* session, const uint64_t* mask, size_t mask_size) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY_ASSIGN(Session * self, capi::session_of(session));
    TERN_TRY_ASSIGN(const auto words, capi::read_array(mask, mask_size, "mask"));
    if (mask != nullptr && mask_size == 0) {
      return Error(Status::invalid_argument, "the mask is shorter than the vocabulary",
                   "mask_size");
    }
    return self->set_mask(words);
  });
}

tern_status tern_session_log_prob(tern_session* session, int32_t token, double* log_prob) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY(capi::clear_result(log_prob, "log_prob"));
    TERN_TRY_ASSIGN(Session * self, capi::session_of(session));
    TERN_TRY_ASSIGN(*log_prob, self->log_prob(token));
    return {};
  });
}

tern_status tern_session_sample(tern_session* session, const tern_sampler_options* options,
                                int32_t* token) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY(capi::clear_result(token, "token"));
    TERN_TRY_ASSIGN(Session * self, capi::session_of(session));
    SamplerInput input;
    TERN_TRY(read_sampler_options(options, input));
    TERN_TRY_ASSIGN(*token, self->sample(input.options));
    return {};
  });
}

static_assert(TERN_MAX_DRAFT == tern::kMostDraft);

tern_status tern_session_generate(tern_session* session, const tern_generate_options* options,
                                  tern_text_callback on_text, void* user, uint32_t* n_tokens,
                                  int32_t* stop_reason) {
  return capi::guard([&]() -> Result<void> {
    if (n_tokens != nullptr) *n_tokens = 0;
    if (stop_reason != nullptr) *stop_reason = 0;
    TERN_TRY_ASSIGN(Session * self, capi::session_of(session));
    if (on_text == nullptr) return capi::null_argument("on_text");
    SamplerInput input;
    TERN_TRY_ASSIGN(const auto generate_options,
                    read_generate_options(options, self->model(), input));
    TERN_TRY_ASSIGN(
        const tern::Generation generation,
        tern::generate(*self, generate_options, [&](std::string_view text, tern::TokenId token) {
          return on_text(user, text.data(), text.size(), token) == 0;
        }));
    if (n_tokens != nullptr) *n_tokens = generation.n_tokens;
    if (stop_reason != nullptr) *stop_reason = static_cast<int32_t>(generation.reason);
    return {};
  });
}
