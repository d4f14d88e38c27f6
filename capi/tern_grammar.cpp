// The C ABI, seventh part: grammars.
//
// Room: capi.
#include <string_view>

#include "guard.hpp"
#include "handles.hpp"
#include "options.hpp"
#include "tern.h"
#include "tern/engine/json_schema.hpp"
#include "tern/text/grammar.hpp"

using tern::Error;
using tern::Grammar;
using tern::Result;
using tern::Status;
namespace capi = tern::capi;

namespace {

Result<std::shared_ptr<Grammar>> create_grammar(const tern::Model& model, int32_t kind,
                                                std::string_view text) {
  const tern::AllocatorHooks& hooks = model.allocator();
  if (model.tokenizer() == nullptr) {
    return Error(Status::unsupported_tokenizer, "the model has no vocabulary");
  }
  if (kind == TERN_GRAMMAR_GBNF) return Grammar::create(text, *model.tokenizer(), hooks);
  if (kind != TERN_GRAMMAR_JSON_SCHEMA) {
    return Error(Status::invalid_argument, "no such kind of grammar", "kind");
  }
  TERN_TRY_ASSIGN(const tern::String gbnf, tern::json_schema_grammar(text, hooks));
  return Grammar::create(gbnf, *model.tokenizer(), hooks);
}

}  // namespace

tern_status tern_grammar_create(const tern_model* model, int32_t kind, const char* text,
                                size_t size, tern_grammar** out) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY(capi::clear_result(out, "out"));
    TERN_TRY_ASSIGN(const tern::Model* self, capi::model_of(model));
    TERN_TRY_ASSIGN(const std::string_view source, capi::read_text(text, size, "text"));
    TERN_TRY_ASSIGN(auto grammar, create_grammar(*self, kind, source));
    TERN_TRY_ASSIGN(*out, capi::make_handle<tern_grammar>(self->allocator(), std::move(grammar)));
    (*out)->model = model->object;
    return {};
  });
}

void tern_grammar_free(tern_grammar* grammar) { capi::free_handle(grammar); }

tern_status tern_grammar_fork(const tern_grammar* grammar, tern_grammar** out) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY(capi::clear_result(out, "out"));
    TERN_TRY_ASSIGN(Grammar * self, capi::grammar_of(grammar));
    TERN_TRY_ASSIGN(auto fork, self->fork());
    TERN_TRY_ASSIGN(*out, capi::make_handle<tern_grammar>(grammar->hooks, std::move(fork)));
    (*out)->model = grammar->model;
    return {};
  });
}

tern_status tern_grammar_reset(tern_grammar* grammar) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY_ASSIGN(Grammar * self, capi::grammar_of(grammar));
    return self->reset();
  });
}

tern_status tern_grammar_mask(tern_grammar* grammar, const uint64_t** mask, size_t* mask_size) {
  return capi::guard([&]() -> Result<void> {
    if (mask_size != nullptr) *mask_size = 0;
    TERN_TRY(capi::clear_result(mask, "mask"));
    TERN_TRY(capi::clear_result(mask_size, "mask_size"));
    TERN_TRY_ASSIGN(Grammar * self, capi::grammar_of(grammar));
    TERN_TRY_ASSIGN(const auto words, self->mask());
    *mask = words.data();
    *mask_size = words.size();
    return {};
  });
}

tern_status tern_grammar_accept(tern_grammar* grammar, int32_t token) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY_ASSIGN(Grammar * self, capi::grammar_of(grammar));
    return self->accept(token);
  });
}

int32_t tern_grammar_may_end(const tern_grammar* grammar) {
  return grammar != nullptr && grammar->object->may_end() ? 1 : 0;
}

int32_t tern_grammar_is_finished(const tern_grammar* grammar) {
  return grammar == nullptr || grammar->object->is_finished() ? 1 : 0;
}
