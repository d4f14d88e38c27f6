// Loading a model: file, metadata, tokenizer, weights, in that order.
//
// Room: model.
#include "tern/model/model.hpp"

#include "tern/base/memory_wall.hpp"
#include "tern/model/config_reader.hpp"
#include "tern/model/vocabulary_loader.hpp"
#include "tern/model/weight_loader.hpp"
#include "tern/platform/fp_environment.hpp"

TERN_NAMESPACE_BEGIN

namespace {
Result<void> check_allocator(const AllocatorHooks& hooks) {
  if (hooks.allocate != nullptr && hooks.release != nullptr) return {};
  return Error(Status::invalid_argument, "an allocator hook is null", "allocator");
}
}  // namespace

Result<std::shared_ptr<const Model>> Model::load_file(std::string_view path,
                                                      const LoadOptions& options) {
  TERN_TRY(check_allocator(options.allocator));
  TERN_TRY_ASSIGN(auto checkpoint, Checkpoint::open(path, options.map, options.allocator));
  return load(std::move(checkpoint), options);
}

Result<std::shared_ptr<const Model>> Model::load_memory(std::span<const uint8_t> bytes,
                                                        const LoadOptions& options) {
  TERN_TRY(check_allocator(options.allocator));
  TERN_TRY_ASSIGN(auto checkpoint, Checkpoint::view(bytes, options.allocator));
  return load(std::move(checkpoint), options);
}

Result<std::shared_ptr<const Model>> Model::load(std::shared_ptr<const Checkpoint> checkpoint,
                                                 const LoadOptions& options) {
  TERN_TRY(check_allocator(options.allocator));
  const FpEnvironmentGuard fp_environment;
  return catch_out_of_memory([&]() -> Result<std::shared_ptr<const Model>> {
    auto model = std::allocate_shared<Model>(HostAllocator<Model>(options.allocator), Key(),
                                             options.allocator);
    model->checkpoint_ = std::move(checkpoint);
    const auto loaded = model->load(options);
    if (!loaded.ok()) return model->checkpoint_->located(loaded.error());
    return std::shared_ptr<const Model>(std::move(model));
  });
}

Result<void> Model::load(const LoadOptions& options) {
  if (options.packing && *options.packing != Packing::t2 && *options.packing != Packing::t5) {
    return Error(Status::invalid_argument, "packing is neither t2 nor t5", "packing");
  }
  const GgufFile& file = checkpoint_->file();
  TERN_TRY_ASSIGN(const TernDirectory directory, TernDirectory::read(file, hooks_));
  TERN_TRY_ASSIGN(architecture_, read_architecture(file));
  TERN_TRY_ASSIGN(kernels_, select_kernels(options.isa, hooks_));
  TERN_TRY_ASSIGN(config_, read_config(file, *architecture_));
  TERN_TRY_ASSIGN(const std::string_view name, file.get_or<std::string_view>("general.name", ""));
  name_.assign(name);
  const WeightOptions weights{options.packing.value_or(kernels_.packing),
                              options.packing.has_value(),
                              options.skip_zeros,
                              options.head,
                              options.i2_s_layout,
                              options.runner,
                              options.progress};
  TERN_TRY(WeightLoader(*checkpoint_, directory, *architecture_, kernels_, weights, hooks_)
               .load(config_, weights_));
  TERN_TRY(load_text(file, options.patterns));
  attention_scale_ = config_.attention_scale;
  if (attention_scale_ == 0) attention_scale_ = kernels_.attention_scale(config_.head_dim);
  TERN_TRY_ASSIGN(rope_frequencies_, Buffer<double>::create(config_.rope_dim / 2, hooks_));
  kernels_.rope_frequencies(config_.rope_base, config_.rope_linear_factor,
                            weights_.rope_factors.data(), config_.rope_dim,
                            rope_frequencies_.data());
  if (config_.window != 0) {
    TERN_TRY_ASSIGN(window_rope_frequencies_, Buffer<double>::create(config_.rope_dim / 2, hooks_));
    kernels_.rope_frequencies(config_.window_rope_base, 1, nullptr, config_.rope_dim,
                              window_rope_frequencies_.data());
  }
  write_log(options.log);
  return {};
}

void Model::write_log(const LogHook& log) const {
  if (log.write == nullptr) return;
  for (const char* doubt : checkpoint_->doubts()) log(LogLevel::warning, doubt);
  String line(hooks_);
  line.append("kernels ").append(kernels_.isa).append(", linear layers ");
  line.append(packing_name(weights_.layers.front().ffn_gate.view().packing)).append(", head ");
  line.append(type_info(weights_.head.type).name);
  log(LogLevel::info, line);
}

uint64_t Model::linear_bytes() const {
  uint64_t bytes = 0;
  for (const LayerWeights& layer : weights_.layers) {
    for (const LinearRule& rule : architecture_->linears)
      bytes += (layer.*rule.matrix).packed_size();
  }
  return bytes;
}

Result<void> Model::load_text(const GgufFile& file, const PatternCompiler* patterns) {
  n_tokens_ = config_.vocab_size;
  if (!has_vocabulary(file)) return {};
  TERN_TRY_ASSIGN(Tokenizer tokenizer,
                  load_tokenizer(file, architecture_->default_pretokenizer, hooks_, patterns));
  if (tokenizer.vocabulary().size() > config_.vocab_size) {
    return Error(Status::mismatch, "more tokens than rows of the embedding", kEmbeddingName);
  }
  n_tokens_ = static_cast<uint32_t>(tokenizer.vocabulary().size());
  // A chat template that does not run is no reason not to load; asking for it gives the error.
  chat_ = load_chat_renderer(file, tokenizer.vocabulary());
  tokenizer_.emplace(std::move(tokenizer));
  return {};
}

size_t Model::weight_bytes() const {
  size_t bytes = weights_.region.size_bytes() + weights_.head_scales.size_bytes() +
                 weights_.head_rests.size_bytes() + weights_.output_norm.size_bytes() + weights_.rope_factors.size_bytes();
  for (const LayerWeights& layer : weights_.layers) {
    for (const GainRule& rule : architecture_->gains) bytes += (layer.*rule.gain).size_bytes();
    for (const LinearRule& rule : architecture_->linears) {
      bytes += (layer.*rule.matrix).owned_bytes();
    }
  }
  return bytes;
}

TERN_NAMESPACE_END
