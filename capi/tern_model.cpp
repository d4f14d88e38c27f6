// The C ABI, second part: loading a model, and what it is.
//
// Room: capi.
#include <string_view>

#include "guard.hpp"
#include "handles.hpp"
#include "options.hpp"
#include "tern.h"
#include "tern/model/model.hpp"

using tern::Model;
using tern::Result;
namespace capi = tern::capi;

namespace {

Result<tern::LoadOptions> read_load_options(const tern_load_options* given) {
  TERN_TRY_ASSIGN(const tern_load_options options,
                  capi::read_options(given, "tern_load_options", capi::kLoadOptionsFirstSize));
  TERN_TRY(capi::check_flags(options.flags, TERN_LOAD_COPY));
  tern::LoadOptions load;
  if ((options.flags & TERN_LOAD_COPY) != 0) load.map = tern::FileAccess::copied;
  TERN_TRY_ASSIGN(load.isa, capi::read_text(options.isa, options.isa_size, "isa"));
  TERN_TRY_ASSIGN(load.allocator,
                  capi::read_allocator(options.allocator, tern::default_allocator()));
  TERN_TRY_ASSIGN(load.runner, capi::read_scheduler(options.scheduler));
  return load;
}

/// A property that is a text ended by a zero; "" of a NULL handle.
template <typename F>
const char* text_property(const tern_model* model, size_t* size, F&& get) {
  const std::string_view text = model != nullptr ? get(*model->object) : std::string_view("");
  if (size != nullptr) *size = text.size();
  return text.data();
}

/// A number of the configuration; 0 of a NULL handle.
uint32_t config_property(const tern_model* model, uint32_t tern::ModelConfig::*field) {
  return model != nullptr ? model->object->config().*field : 0;
}

}  // namespace

tern_status tern_model_load_file(const char* path, size_t path_size,
                                 const tern_load_options* options, tern_model** out) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY(capi::clear_result(out, "out"));
    TERN_TRY_ASSIGN(const tern::LoadOptions load, read_load_options(options));
    TERN_TRY_ASSIGN(const std::string_view file, capi::read_text(path, path_size, "path"));
    TERN_TRY_ASSIGN(auto model, Model::load_file(file, load));
    TERN_TRY_ASSIGN(*out, capi::make_handle<tern_model>(load.allocator, std::move(model)));
    return {};
  });
}

tern_status tern_model_load_memory(const void* bytes, size_t size, const tern_load_options* options,
                                   tern_model** out) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY(capi::clear_result(out, "out"));
    TERN_TRY_ASSIGN(const tern::LoadOptions load, read_load_options(options));
    TERN_TRY_ASSIGN(const auto file,
                    capi::read_array(static_cast<const uint8_t*>(bytes), size, "bytes"));
    TERN_TRY_ASSIGN(auto model, Model::load_memory(file, load));
    TERN_TRY_ASSIGN(*out, capi::make_handle<tern_model>(load.allocator, std::move(model)));
    return {};
  });
}

void tern_model_free(tern_model* model) { capi::free_handle(model); }

const char* tern_model_name(const tern_model* model, size_t* size) {
  return text_property(model, size, [](const Model& m) { return m.name(); });
}
const char* tern_model_architecture(const tern_model* model, size_t* size) {
  return text_property(model, size, [](const Model& m) { return m.architecture().name; });
}
const char* tern_model_isa(const tern_model* model, size_t* size) {
  return text_property(model, size,
                       [](const Model& m) { return std::string_view(m.kernels().isa); });
}
const char* tern_model_chat_format(const tern_model* model, size_t* size) {
  return text_property(model, size, [](const Model& m) {
    const auto chat = m.chat();
    return tern::chat_format_name(chat.ok() ? (*chat)->format() : tern::ChatFormat::none);
  });
}

uint32_t tern_model_vocab_size(const tern_model* model) {
  return config_property(model, &tern::ModelConfig::vocab_size);
}
uint32_t tern_model_context(const tern_model* model) {
  return config_property(model, &tern::ModelConfig::context_len);
}
uint32_t tern_model_dim(const tern_model* model) {
  return config_property(model, &tern::ModelConfig::model_dim);
}
uint32_t tern_model_ffn_dim(const tern_model* model) {
  return config_property(model, &tern::ModelConfig::ffn_dim);
}
uint32_t tern_model_n_layers(const tern_model* model) {
  return config_property(model, &tern::ModelConfig::n_layers);
}
uint32_t tern_model_n_heads(const tern_model* model) {
  return config_property(model, &tern::ModelConfig::n_heads);
}
uint32_t tern_model_n_kv_heads(const tern_model* model) {
  return config_property(model, &tern::ModelConfig::n_kv_heads);
}
uint32_t tern_model_head_dim(const tern_model* model) {
  return config_property(model, &tern::ModelConfig::head_dim);
}
uint32_t tern_model_embedding_size(const tern_model* model) {
  return model != nullptr ? model->object->config().embedding_size() : 0;
}
uint32_t tern_model_n_tokens(const tern_model* model) {
  return model != nullptr ? model->object->n_tokens() : 0;
}
uint64_t tern_model_weight_bytes(const tern_model* model) {
  return model != nullptr ? model->object->weight_bytes() : 0;
}
