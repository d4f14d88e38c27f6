// Loading a model: file, metadata, tokenizer, weights, in that order.
//
// Room: model. Included by model.hpp.
#pragma once

#include <algorithm>
#include <iterator>

#include "tern/base/memory_wall.hpp"
#include "tern/model/config_reader.hpp"
#include "tern/model/model.hpp"
#include "tern/model/tensor_loader.hpp"
#include "tern/model/vocabulary_loader.hpp"
#include "tern/platform/fp_environment.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {

/// `blk.<layer>.<name>.<suffix>`, composed in place.
class LayerTensorName {
 public:
  LayerTensorName(uint32_t layer, std::string_view name, std::string_view suffix) {
    append("blk.");
    char digits[10];
    size_t n = 0;
    do {
      digits[n++] = static_cast<char>('0' + layer % 10);
      layer /= 10;
    } while (layer != 0);
    while (n > 0) text_[size_++] = digits[--n];
    append(".");
    append(name);
    append(suffix);
  }
  std::string_view view() const { return {text_, size_}; }

 private:
  void append(std::string_view part) { size_ += part.copy(text_ + size_, sizeof(text_) - size_); }

  char text_[64];
  size_t size_ = 0;
};

inline constexpr std::string_view kWeightSuffix = ".weight";
inline constexpr std::string_view kEmbeddingName = "token_embd.weight";
inline constexpr std::string_view kHeadName = "output.weight";
inline constexpr std::string_view kOutputNormName = "output_norm.weight";
inline constexpr std::string_view kRopeFactorsName = "rope_freqs.weight";
inline constexpr std::string_view kTopTensors[] = {kEmbeddingName, kHeadName, kOutputNormName,
                                                   kRopeFactorsName};

}  // namespace detail

inline Result<std::shared_ptr<const Model>> Model::load_file(std::string_view path,
                                                             const LoadOptions& options) {
  TERN_TRY_ASSIGN(FileBytes file, FileBytes::open(path, options.access, options.allocator));
  TERN_TRY_ASSIGN(auto model, create(file.bytes(), options));
  model->file_ = std::move(file);
  return std::shared_ptr<const Model>(std::move(model));
}

inline Result<std::shared_ptr<const Model>> Model::load_memory(std::span<const uint8_t> bytes,
                                                               const LoadOptions& options) {
  TERN_TRY_ASSIGN(auto model, create(bytes, options));
  return std::shared_ptr<const Model>(std::move(model));
}

inline Result<std::shared_ptr<Model>> Model::create(std::span<const uint8_t> bytes,
                                                    const LoadOptions& options) {
  if (options.allocator.allocate == nullptr || options.allocator.release == nullptr) {
    return Error(Status::invalid_argument, "an allocator hook is null", "allocator");
  }
  const FpEnvironmentGuard fp_environment;
  return catch_out_of_memory([&]() -> Result<std::shared_ptr<Model>> {
    TERN_TRY_ASSIGN(const GgufFile file, GgufFile::parse(bytes, options.allocator));
    auto model = std::allocate_shared<Model>(HostAllocator<Model>(options.allocator), Key(),
                                             options.allocator);
    TERN_TRY(model->load(file, options));
    return model;
  });
}

inline Result<void> Model::load(const GgufFile& file, const LoadOptions& options) {
  TERN_TRY_ASSIGN(architecture_, read_architecture(file));
  TERN_TRY_ASSIGN(kernels_, select_kernels(options.isa, hooks_));
  TERN_TRY_ASSIGN(config_, read_config(file, *architecture_));
  TERN_TRY_ASSIGN(const std::string_view name, file.get_or<std::string_view>("general.name", ""));
  name_.assign(name);
  TERN_TRY(load_weights(file, options.runner));
  TERN_TRY(load_text(file));
  attention_scale_ = config_.attention_scale;
  if (attention_scale_ == 0) attention_scale_ = kernels_.attention_scale(config_.head_dim);
  TERN_TRY_ASSIGN(rope_frequencies_, Buffer<double>::create(config_.rope_dim / 2, hooks_));
  kernels_.rope_frequencies(config_.rope_base, config_.rope_linear_factor,
                            weights_.rope_factors.data(), config_.rope_dim,
                            rope_frequencies_.data());
  return {};
}

inline Result<void> Model::load_text(const GgufFile& file) {
  n_tokens_ = config_.vocab_size;
  if (!has_vocabulary(file)) return {};
  TERN_TRY_ASSIGN(Tokenizer tokenizer,
                  load_tokenizer(file, architecture_->default_pretokenizer, hooks_));
  if (tokenizer.vocabulary().size() > config_.vocab_size) {
    return Error(Status::mismatch, "more tokens than rows of the embedding",
                 detail::kEmbeddingName);
  }
  n_tokens_ = static_cast<uint32_t>(tokenizer.vocabulary().size());
  // A chat format that is not known is no reason not to load; asking for it gives the error.
  chat_format_ = load_chat_format(file, tokenizer.vocabulary());
  if (chat_format_.ok() && *chat_format_ == ChatFormat::none) {
    chat_format_ = Error(Status::unsupported, "the model has no chat format");
  }
  tokenizer_.emplace(std::move(tokenizer));
  return {};
}

inline Result<void> Model::load_weights(const GgufFile& file, const TaskRunner& runner) {
  TERN_TRY_ASSIGN(const GgufTensor* embedding, file.get_tensor(detail::kEmbeddingName));
  if (embedding->rows() > kMaxVocab) {
    return Error(Status::mismatch, "vocabulary is outside the supported range",
                 detail::kEmbeddingName, embedding->offset);
  }
  config_.vocab_size = static_cast<uint32_t>(embedding->rows());
  TERN_TRY(check_all_tensors_known(file));
  TERN_TRY_ASSIGN(weights_.embedding, view_stored_rows(file, detail::kEmbeddingName,
                                                       config_.vocab_size, config_.model_dim));
  weights_.head = weights_.embedding;
  if (!architecture_->tied_head && file.find_tensor(detail::kHeadName) != nullptr) {
    TERN_TRY_ASSIGN(weights_.head, view_stored_rows(file, detail::kHeadName, config_.vocab_size,
                                                    config_.model_dim));
  }
  TERN_TRY_ASSIGN(weights_.output_norm, load_float_vector(file, detail::kOutputNormName,
                                                          config_.model_dim, kernels_, hooks_));
  if (file.find_tensor(detail::kRopeFactorsName) != nullptr) {
    TERN_TRY_ASSIGN(
        weights_.rope_factors,
        load_float_vector(file, detail::kRopeFactorsName, config_.rope_dim / 2, kernels_, hooks_));
    for (const float factor : weights_.rope_factors.span()) {
      // Below one would turn faster than docs/numerics.md 8.2 allows.
      if (!(factor >= 1.0f)) {
        return Error(Status::mismatch, "a rope factor is below one", detail::kRopeFactorsName);
      }
    }
  }
  weights_.layers.resize(config_.n_layers);
  for (uint32_t n = 0; n < config_.n_layers; ++n) {
    LayerWeights& layer = weights_.layers[n];
    for (const GainRule& rule : architecture_->gains) {
      const detail::LayerTensorName name(n, rule.name, detail::kWeightSuffix);
      TERN_TRY_ASSIGN(
          layer.*rule.gain,
          load_float_vector(file, name.view(), extent_of(config_, rule.size), kernels_, hooks_));
    }
    for (const LinearRule& rule : architecture_->linears) {
      const detail::LayerTensorName name(n, rule.name, detail::kWeightSuffix);
      TERN_TRY_ASSIGN(layer.*rule.matrix,
                      load_ternary_matrix(file, name.view(), extent_of(config_, rule.rows),
                                          extent_of(config_, rule.cols), runner, hooks_));
    }
  }
  return {};
}

namespace detail {
/// What `blk.<layer>.<rest>` names; nothing for other names.
struct LayerTensor {
  uint32_t layer;
  std::string_view rest;
};
inline std::optional<LayerTensor> parse_layer_tensor(std::string_view name) {
  constexpr std::string_view kPrefix = "blk.";
  if (name.substr(0, kPrefix.size()) != kPrefix) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  uint32_t layer = 0;
  size_t digits = 0;
  for (; digits < name.size() && digits < 6 && name[digits] >= '0' && name[digits] <= '9';
       ++digits) {
    layer = 10 * layer + static_cast<uint32_t>(name[digits] - '0');
  }
  if (digits == 0 || name.substr(digits, 1) != ".") return std::nullopt;
  return LayerTensor{layer, name.substr(digits + 1)};
}

/// Whether `rest` is a rule's name and the suffix of weights.
template <typename Rule>
bool names_one_of(std::span<const Rule> rules, std::string_view rest) {
  for (const Rule& rule : rules) {
    if (rest.substr(0, rule.name.size()) == rule.name &&
        rest.substr(rule.name.size()) == kWeightSuffix) {
      return true;
    }
  }
  return false;
}
}  // namespace detail

// A tensor that the forward pass would not use (a bias, an expert, a separate scale) means that the
// file is another model than it seems; running without it would give wrong text, silently.
inline Result<void> Model::check_all_tensors_known(const GgufFile& file) const {
  for (const GgufTensor& tensor : file.tensors()) {
    bool known =
        std::ranges::find(detail::kTopTensors, tensor.name) != std::end(detail::kTopTensors);
    if (const auto in_layer = detail::parse_layer_tensor(tensor.name)) {
      known = in_layer->layer < config_.n_layers &&
              (detail::names_one_of(architecture_->gains, in_layer->rest) ||
               detail::names_one_of(architecture_->linears, in_layer->rest));
    }
    if (!known) {
      return Error(Status::unsupported, "tensor is not part of the architecture", tensor.name,
                   tensor.offset);
    }
  }
  // Each layer has tensors of its own, so a larger claim is false; found out before it costs
  // memory.
  if (config_.n_layers > file.tensors().size()) {
    return Error(Status::missing, "more layers than tensors", "block_count");
  }
  return {};
}

inline size_t Model::weight_bytes() const {
  size_t bytes = weights_.output_norm.size_bytes() + weights_.rope_factors.size_bytes();
  for (const LayerWeights& layer : weights_.layers) {
    for (const GainRule& rule : architecture_->gains) bytes += (layer.*rule.gain).size_bytes();
    for (const LinearRule& rule : architecture_->linears) {
      bytes += (layer.*rule.matrix).tiles.size_bytes() + (layer.*rule.matrix).scales.size_bytes();
    }
  }
  return bytes;
}

TERN_NAMESPACE_END
