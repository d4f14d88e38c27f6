// The C ABI, second part: loading a model, and what it is.
//
// Room: capi.
#include <string_view>

#include "guard.hpp"
#include "handles.hpp"
#include "options.hpp"
#include "tern.h"
#include "tern/model/model.hpp"

using tern::Checkpoint;
using tern::GgufFile;
using tern::Model;
using tern::Result;
using Opened = Result<std::shared_ptr<const Checkpoint>>;
namespace capi = tern::capi;

static_assert(TERN_HEAD_KEEP == static_cast<uint32_t>(tern::HeadOption::keep));
static_assert(TERN_HEAD_Q6 == static_cast<uint32_t>(tern::HeadOption::q6));
static_assert(TERN_HEAD_I8 == static_cast<uint32_t>(tern::HeadOption::i8));
static_assert(TERN_HEAD_TWO_STAGE == static_cast<uint32_t>(tern::HeadOption::two_stage));
static_assert(TERN_HEAD_TWO_STAGE_LIKELY ==
              static_cast<uint32_t>(tern::HeadOption::two_stage_likely));
static_assert(TERN_I2S_X86 == static_cast<uint32_t>(tern::I2sLayout::x86));
static_assert(TERN_I2S_ARM == static_cast<uint32_t>(tern::I2sLayout::arm));
static_assert(TERN_LOG_INFO == static_cast<int32_t>(tern::LogLevel::info));
static_assert(TERN_LOG_WARNING == static_cast<int32_t>(tern::LogLevel::warning));

namespace {

/// Load options with the host's hooks, whose types are others in C; views both.
struct LoadInput {
  tern::LoadOptions options;
  tern_load_options given{};

  tern::ProgressHook progress() {
    if (given.on_progress == nullptr) return {};
    return {this, [](void* user, uint64_t done, uint64_t total) {
              const tern_load_options& host = static_cast<LoadInput*>(user)->given;
              return host.on_progress(host.progress_user, done, total) == 0;
            }};
  }
  tern::LogHook log() {
    if (given.on_log == nullptr) return {};
    return {this, [](void* user, tern::LogLevel level, std::string_view line) {
              const tern_load_options& host = static_cast<LoadInput*>(user)->given;
              host.on_log(host.log_user, static_cast<int32_t>(level), line.data(), line.size());
            }};
  }
};

Result<void> read_load_options(const tern_load_options* given, LoadInput& input) {
  TERN_TRY_ASSIGN(const tern_load_options options,
                  capi::read_options(given, "tern_load_options", capi::kLoadOptionsFirstSize));
  TERN_TRY(capi::check_flags(options.flags, TERN_LOAD_COPY | TERN_LOAD_NO_SKIPPING));
  const auto out_of_range = [](std::string_view name) {
    return tern::Error(tern::Status::invalid_argument, "an option is out of range", name);
  };
  tern::LoadOptions load;
  load.skip_zeros = (options.flags & TERN_LOAD_NO_SKIPPING) == 0;
  TERN_TRY_ASSIGN(load.packing, capi::read_packing(options.packing));
  if (options.head > TERN_HEAD_TWO_STAGE_LIKELY) return out_of_range("head");
  load.head = static_cast<tern::HeadOption>(options.head);
  if (options.i2s_layout > TERN_I2S_ARM) return out_of_range("i2s_layout");
  load.i2_s_layout = static_cast<tern::I2sLayout>(options.i2s_layout);
  if (options.reserved != 0) return out_of_range("reserved");
  if ((options.flags & TERN_LOAD_COPY) != 0) load.map = tern::FileAccess::copied;
  TERN_TRY_ASSIGN(load.isa, capi::read_text(options.isa, options.isa_size, "isa"));
  TERN_TRY_ASSIGN(load.allocator,
                  capi::read_allocator(options.allocator, tern::default_allocator()));
  TERN_TRY_ASSIGN(load.runner, capi::read_scheduler(options.scheduler));
  input.given = options;
  load.progress = input.progress();
  load.log = input.log();
  input.options = std::move(load);
  return {};
}

/// Options read, `open(options)` opened, its checkpoint loaded, a handle made.
template <typename Open>
tern_status load_model(const tern_load_options* options, tern_model** out, Open&& open) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY(capi::clear_result(out, "out"));
    LoadInput input;
    TERN_TRY(read_load_options(options, input));
    TERN_TRY_ASSIGN(std::shared_ptr<const Checkpoint> checkpoint, open(input.options));
    TERN_TRY_ASSIGN(auto model, Model::load(std::move(checkpoint), input.options));
    TERN_TRY_ASSIGN(*out, capi::make_handle<tern_model>(input.options.allocator, std::move(model)));
    return {};
  });
}

/// A value of the metadata: `get(file, key)` into a result that was cleared.
template <typename T, typename Get>
tern_status metadata_value(const tern_model* model, const char* key, size_t key_size, T* value,
                           std::string_view name_of_value, Get&& get) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY(capi::clear_result(value, name_of_value));
    TERN_TRY_ASSIGN(const Model* self, capi::model_of(model));
    TERN_TRY_ASSIGN(const std::string_view name, capi::read_text(key, key_size, "key"));
    TERN_TRY_ASSIGN(*value, get(self->source().file(), name));
    return {};
  });
}

Result<int64_t> get_integer(const GgufFile& file, std::string_view key) {
  if (const auto flag = file.get<bool>(key); flag.ok()) return int64_t{*flag};
  return file.get<int64_t>(key);
}

Result<double> get_real(const GgufFile& file, std::string_view key) {
  if (const auto narrow = file.get<float>(key); narrow.ok()) return double{*narrow};
  if (const auto whole = file.get<int64_t>(key); whole.ok()) return static_cast<double>(*whole);
  return file.get<double>(key);
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
  return load_model(options, out, [&](const tern::LoadOptions& load) -> Opened {
    TERN_TRY_ASSIGN(const std::string_view file, capi::read_text(path, path_size, "path"));
    return Checkpoint::open(file, load.map, load.allocator);
  });
}

tern_status tern_model_load_memory(const void* bytes, size_t size, const tern_load_options* options,
                                   tern_model** out) {
  return load_model(options, out, [&](const tern::LoadOptions& load) -> Opened {
    TERN_TRY_ASSIGN(const auto file,
                    capi::read_array(static_cast<const uint8_t*>(bytes), size, "bytes"));
    return Checkpoint::view(file, load.allocator);
  });
}

tern_status tern_model_load_descriptor(int descriptor, uint64_t offset, uint64_t size,
                                       const tern_load_options* options, tern_model** out) {
  return load_model(options, out, [&](const tern::LoadOptions& load) -> Opened {
    TERN_TRY_ASSIGN(auto bytes, tern::FileBytes::open_descriptor(descriptor, offset, size, load.map,
                                                                 load.allocator));
    return Checkpoint::adopt(std::move(bytes), load.allocator);
  });
}

tern_status tern_model_load_reader(tern_read_callback on_read, void* user, uint64_t size,
                                   const tern_load_options* options, tern_model** out) {
  struct Reader {
    tern_read_callback on_read;
    void* user;
  };
  return load_model(options, out, [&](const tern::LoadOptions& load) -> Opened {
    if (on_read == nullptr) return capi::null_argument("on_read");
    Reader reader{on_read, user};
    const tern::ReaderHook hook{&reader, [](void* self, uint64_t offset, void* to, size_t n) {
                                  const auto& host = *static_cast<Reader*>(self);
                                  return host.on_read(host.user, offset, to, n) == 0;
                                }};
    TERN_TRY_ASSIGN(auto bytes, tern::FileBytes::read(hook, size, load.progress, load.allocator));
    return Checkpoint::adopt(std::move(bytes), load.allocator);
  });
}

size_t tern_model_metadata_count(const tern_model* model) {
  return model != nullptr ? model->object->source().file().metadata().size() : 0;
}

const char* tern_model_metadata_key(const tern_model* model, size_t index, size_t* size) {
  std::string_view key("");
  if (index < tern_model_metadata_count(model)) {
    key = model->object->source().file().metadata()[index].key;
  }
  if (size != nullptr) *size = key.size();
  return key.data();
}

tern_status tern_model_metadata_text(const tern_model* model, const char* key, size_t key_size,
                                     const char** text, size_t* size) {
  if (size != nullptr) *size = 0;
  return metadata_value(model, key, key_size, text, "text",
                        [&](const GgufFile& file, std::string_view name) -> Result<const char*> {
                          if (size == nullptr) return capi::null_argument("size");
                          TERN_TRY_ASSIGN(const auto value, file.get<std::string_view>(name));
                          *size = value.size();
                          return value.data();
                        });
}

tern_status tern_model_metadata_integer(const tern_model* model, const char* key, size_t key_size,
                                        int64_t* value) {
  return metadata_value(model, key, key_size, value, "value", get_integer);
}

tern_status tern_model_metadata_real(const tern_model* model, const char* key, size_t key_size,
                                     double* value) {
  return metadata_value(model, key, key_size, value, "value", get_real);
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
uint64_t tern_model_pass_bytes(const tern_model* model) {
  return model != nullptr ? model->object->linear_bytes() + model->object->head_bytes() : 0;
}
uint64_t tern_model_weight_bytes(const tern_model* model) {
  return model != nullptr ? model->object->weight_bytes() : 0;
}
