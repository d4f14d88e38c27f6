// Hyperparameters from the metadata of a GGUF file.
//
// Room: model. Reads, applies the format's defaults, checks every limit; nothing later checks
// again.
#pragma once

#include <algorithm>
#include <cstring>
#include <iterator>

#include "tern/base/half.hpp"
#include "tern/format/gguf.hpp"
#include "tern/model/architecture.hpp"
#include "tern/model/config.hpp"
#include "tern/model/tensor_names.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {

/// Reads `<architecture>.<key>`; keys are composed in place, without an allocation.
class ConfigReader {
 public:
  ConfigReader(const GgufFile& file, std::string_view architecture) : file_(file) {
    prefix_ = architecture.copy(key_, kCapacity / 2);
    key_[prefix_++] = '.';
  }

  template <typename T>
  Result<T> get(std::string_view name) {
    return file_.get<T>(key(name));
  }
  template <typename T>
  Result<T> get_or(std::string_view name, T fallback) {
    return file_.get_or<T>(key(name), fallback);
  }
  bool has(std::string_view name) { return file_.find(key(name)) != nullptr; }

  /// Whether a key is there and is not zero or false, the values that ask for nothing.
  bool asks_for(std::string_view name) {
    const MetadataValue* value = file_.find(key(name));
    if (value == nullptr) return false;
    return value->as<int64_t>() != int64_t{0} && value->as<bool>() != false &&
           value->as<float>() != 0.0f;
  }

  /// A size within [1, most].
  Result<uint32_t> size(std::string_view name, uint32_t most) {
    TERN_TRY_ASSIGN(const uint32_t value, get<uint32_t>(name));
    return checked(name, value, most);
  }
  Result<uint32_t> size_or(std::string_view name, uint32_t most, uint32_t fallback) {
    TERN_TRY_ASSIGN(const uint32_t value, get_or<uint32_t>(name, fallback));
    return checked(name, value, most);
  }
  /// A float that is finite and positive.
  Result<float> positive(std::string_view name) {
    TERN_TRY_ASSIGN(const float value, get<float>(name));
    if (!is_finite(value) || !(value > 0)) return bad(name, "value is not a positive number");
    return value;
  }
  Result<float> positive_or(std::string_view name, float fallback) {
    if (!has(name)) return fallback;
    return positive(name);
  }
  Error bad(std::string_view name, const char* what) { return {Status::mismatch, what, key(name)}; }

 private:
  static constexpr size_t kCapacity = 128;

  std::string_view key(std::string_view name) {
    return {key_, prefix_ + name.copy(key_ + prefix_, kCapacity - prefix_)};
  }
  Result<uint32_t> checked(std::string_view name, uint32_t value, uint32_t most) {
    if (value == 0 || value > most) return bad(name, "value is outside the supported range");
    return value;
  }

  const GgufFile& file_;
  char key_[kCapacity];
  size_t prefix_ = 0;
};

inline Result<void> read_rope(ConfigReader& reader, ModelConfig& config) {
  TERN_TRY_ASSIGN(config.rope_dim,
                  reader.size_or("rope.dimension_count", kMaxDim, config.head_dim));
  if (config.rope_dim > config.head_dim || config.rope_dim % 2 != 0) {
    return reader.bad("rope.dimension_count", "rotary size is odd or exceeds the head");
  }
  TERN_TRY_ASSIGN(const float base, reader.positive_or("rope.freq_base", 10000.0f));
  // Below one, pairs would turn faster than docs/numerics.md 8.2 allows.
  if (base < 1.0f) return reader.bad("rope.freq_base", "value is below one");
  config.rope_base = static_cast<double>(base);
  if (reader.has("rope.scale_linear")) {  // what files of before 2024 say instead
    TERN_TRY_ASSIGN(const float factor, reader.positive_or("rope.scale_linear", 1.0f));
    if (factor < 1.0f) return reader.bad("rope.scale_linear", "value is below one");
    config.rope_linear_factor = static_cast<double>(factor);
  }
  TERN_TRY_ASSIGN(const std::string_view scaling,
                  reader.get_or<std::string_view>("rope.scaling.type", "none"));
  if (scaling == "linear") {
    TERN_TRY_ASSIGN(const float factor, reader.positive_or("rope.scaling.factor", 1.0f));
    // A factor below one would stretch positions past the range of docs/numerics.md 8.2.
    if (factor < 1.0f) return reader.bad("rope.scaling.factor", "value is below one");
    config.rope_linear_factor = static_cast<double>(factor);
  } else if (scaling != "none") {
    return Error(Status::unsupported, "rope scaling is not supported", scaling);
  }
  return {};
}

inline Result<void> read_activation(ConfigReader& reader, ModelConfig& config) {
  if (!reader.has("hidden_activation")) return {};
  TERN_TRY_ASSIGN(const std::string_view name, reader.get<std::string_view>("hidden_activation"));
  for (const ActivationName& row : kActivationNames) {
    if (row.name == name) {
      config.activation = row.activation;
      return {};
    }
  }
  return Error(Status::unsupported, "activation is not supported", name);
}

// Layers that slide and their rotary base, or a bound of the context.
inline Result<void> read_window(ConfigReader& reader, const Architecture& architecture,
                                ModelConfig& config) {
  constexpr std::string_view kPeriod = "attention.sliding_window_pattern";
  constexpr std::string_view kBase = "rope.freq_base_swa";
  if (!reader.asks_for("attention.sliding_window")) return {};
  TERN_TRY_ASSIGN(const uint32_t window, reader.size("attention.sliding_window", ~uint32_t{0}));
  if (architecture.window_period == 0) {
    config.context_limit = window;
    config.context_len = std::min(config.context_len, window);
    return {};
  }
  config.window = window;
  TERN_TRY_ASSIGN(config.window_period,
                  reader.get_or<uint32_t>(kPeriod, architecture.window_period));
  TERN_TRY_ASSIGN(const float base, reader.positive_or(kBase, 10000.0f));
  if (base < 1.0f) return reader.bad(kBase, "value is below one");
  config.window_rope_base = static_cast<double>(base);
  return {};
}

/// Values of `pooling_type`, by number.
inline constexpr std::string_view kPoolingNames[] = {"none", "mean", "cls", "last", "rank"};

inline Result<void> read_pooling(ConfigReader& reader, ModelConfig& config) {
  TERN_TRY_ASSIGN(const bool is_causal, reader.get_or<bool>("attention.causal", true));
  if (!is_causal) {
    return Error(Status::unsupported, "attention to later tokens is not supported",
                 "attention.causal");
  }
  TERN_TRY_ASSIGN(const uint32_t type, reader.get_or<uint32_t>("pooling_type", 0));
  if (type >= std::size(kPoolingNames)) return reader.bad("pooling_type", "no such pooling");
  if (kPoolingNames[type] == "last") {
    config.pooling = Pooling::last;
  } else if (type != 0) {
    return Error(Status::unsupported, "pooling is not supported", kPoolingNames[type]);
  }
  return {};
}

}  // namespace detail

/// Says how many bits the inputs of linear layers have: 8 or 16.
inline constexpr std::string_view kActivationBitsKey = "tern.activation_bits";
/// The epsilon of norms at the inputs of linear layers, where it is not that of the other norms.
inline constexpr std::string_view kInputNormEpsilonKey = "tern.input_norm_epsilon";

/// Whether the linear layers of a file have norms of their own at their inputs. One that has some
/// and not all is refused by the weight loader.
inline bool has_input_norms(const GgufFile& file, const Architecture& architecture) {
  const LayerTensorName name(0, architecture.linears[0].name, kInputNormSuffix);
  return architecture.input_norms && file.find_tensor(name.view()) != nullptr;
}

namespace detail {

inline Result<void> read_activation_bits(const GgufFile& file, const Architecture& architecture,
                                         ModelConfig& config) {
  // Models that were trained with float activations: Ternary-Bonsai and the like, and TriLM, which
  // only its name tells from the ternary Llamas of int8 activations.
  TERN_TRY_ASSIGN(const std::string_view name, file.get_or<std::string_view>("general.name", ""));
  const bool is_trilm =
      architecture.name == "llama" && name.find("TriLM") != std::string_view::npos;
  const bool is_float = is_trilm || (architecture.float_activations && !config.input_norms);
  TERN_TRY_ASSIGN(config.activation_bits,
                  file.get_or<uint32_t>(kActivationBitsKey, is_float ? 16u : 8u));
  if (config.activation_bits == 8 || config.activation_bits == 16) return {};
  return Error(Status::mismatch, "value is neither 8 nor 16", kActivationBitsKey);
}

inline Result<void> read_input_norm_epsilon(const GgufFile& file, ModelConfig& config) {
  config.input_norm_eps = config.norm_eps;
  if (!config.input_norms) return {};
  TERN_TRY_ASSIGN(config.input_norm_eps, file.get_or<float>(kInputNormEpsilonKey, config.norm_eps));
  if (is_finite(config.input_norm_eps) && config.input_norm_eps > 0) return {};
  return Error(Status::mismatch, "value is not a positive number", kInputNormEpsilonKey);
}

/// floor(share * n), by integers: the host's compiler may round as it likes. Requires: 0 < share
/// < 1.
constexpr uint32_t share_of(float share, uint32_t n) {
  const auto bits = __builtin_bit_cast(uint32_t, share);
  const uint32_t exponent = bits >> 23;  // share = fraction * 2^(exponent - 150)
  if (exponent < 150 - 63) return 0;
  const uint64_t fraction = (bits & 0x7FFFFF) | 0x800000;
  return static_cast<uint32_t>(fraction * n >> (150 - exponent));
}

// The choices of BitNet a4.8 that the paper leaves open are keys; tern knows one value of each
// (docs/formats.md).
inline Result<void> read_a48_inputs(ConfigReader& reader, const Architecture& architecture,
                                    ModelConfig& config) {
  if (!architecture.a48_inputs) return {};
  if (config.activation_bits != 8) {
    return Error(Status::unsupported, "value is not supported for this architecture",
                 kActivationBitsKey);
  }
  const auto known = [&](std::string_view key, std::string_view value) -> Result<void> {
    TERN_TRY_ASSIGN(const std::string_view said, reader.get<std::string_view>(key));
    if (said == value) return {};
    return Error(Status::unsupported, "inputs of linear layers are of a kind not supported", said);
  };
  TERN_TRY(known("activation.input_format", "int4_absmean"));
  config.int4_inputs = true;
  TERN_TRY_ASSIGN(const float share, reader.positive_or("activation.output_topk", 1.0f));
  if (share > 1.0f) return reader.bad("activation.output_topk", "value is above one");
  if (share < 1.0f) {
    TERN_TRY(known("activation.topk_position", "after_norm"));
    config.output_topk = std::max(1u, share_of(share, config.q_dim()));
  }
  TERN_TRY_ASSIGN(const float epsilon, reader.positive_or("activation.epsilon", 1e-5f));
  if (epsilon == 1e-5f) return {};
  return Error(Status::unsupported, "value is not supported", "activation.epsilon");
}

}  // namespace detail

/// The architecture that a file names.
/// Errors: missing, mismatch (the key), unsupported_architecture (with the name).
inline Result<const Architecture*> read_architecture(const GgufFile& file) {
  TERN_TRY_ASSIGN(const std::string_view name, file.get<std::string_view>("general.architecture"));
  const Architecture* architecture = find_architecture(name);
  if (architecture == nullptr) {
    return Error(Status::unsupported_architecture, "architecture is not supported", name);
  }
  return architecture;
}

/// Keys that change what a model computes and that tern does not follow. Ignoring one would give
/// wrong text, silently.
inline constexpr std::string_view kRefusedKeys[] = {
    "logit_scale",         "residual_scale",           "embedding_scale",
    "expert_count",        "attn_logit_softcapping",   "final_logit_softcapping",
    "attention.clamp_kqv", "attention.max_alibi_bias", "use_parallel_residual",
};

/// All hyperparameters but vocab_size, which is the embedding's to say (model.cpp).
/// Errors: missing, mismatch (a value outside the limits of config.hpp), unsupported.
inline Result<ModelConfig> read_config(const GgufFile& file, const Architecture& architecture) {
  detail::ConfigReader reader(file, architecture.name);
  for (const std::string_view key : kRefusedKeys) {
    if (!reader.asks_for(key)) continue;
    return Error(Status::unsupported, "the file asks for a computation that is not supported", key);
  }
  ModelConfig config;
  config.rope_style = architecture.rope_style;
  config.activation = architecture.activation;
  config.scales_embedding = architecture.scales_embedding;
  config.input_norms = has_input_norms(file, architecture);
  TERN_TRY_ASSIGN(config.model_dim, reader.size("embedding_length", kMaxDim));
  TERN_TRY_ASSIGN(config.n_layers, reader.size("block_count", kMaxLayers));
  TERN_TRY_ASSIGN(config.ffn_dim, reader.size("feed_forward_length", kMaxDim));
  TERN_TRY_ASSIGN(config.context_len, reader.size("context_length", kMaxContext));
  TERN_TRY_ASSIGN(config.n_heads, reader.size("attention.head_count", kMaxHeads));
  TERN_TRY_ASSIGN(config.n_kv_heads,
                  reader.size_or("attention.head_count_kv", kMaxHeads, config.n_heads));
  if (config.n_heads % config.n_kv_heads != 0) {
    return reader.bad("attention.head_count_kv", "does not divide the number of heads");
  }
  if (!reader.has("attention.key_length") && config.model_dim % config.n_heads != 0) {
    return reader.bad("attention.head_count", "does not divide the model width");
  }
  TERN_TRY_ASSIGN(config.head_dim, reader.size_or("attention.key_length", kMaxDim,
                                                  config.model_dim / config.n_heads));
  TERN_TRY_ASSIGN(const uint32_t value_dim,
                  reader.size_or("attention.value_length", kMaxDim, config.head_dim));
  if (value_dim != config.head_dim) {
    return reader.bad("attention.value_length", "differs from the key length");
  }
  if (config.head_dim % 2 != 0 || config.n_heads > kMaxDim / config.head_dim) {
    return reader.bad("attention.key_length", "head size is odd or too large");
  }
  TERN_TRY_ASSIGN(config.norm_eps, reader.positive("attention.layer_norm_rms_epsilon"));
  TERN_TRY(detail::read_input_norm_epsilon(file, config));
  if (reader.has("attention.scale")) {
    TERN_TRY_ASSIGN(config.attention_scale, reader.positive_or("attention.scale", 1.0f));
  }
  TERN_TRY(detail::read_rope(reader, config));
  TERN_TRY(detail::read_window(reader, architecture, config));
  TERN_TRY(detail::read_activation(reader, config));
  TERN_TRY(detail::read_activation_bits(file, architecture, config));
  TERN_TRY(detail::read_a48_inputs(reader, architecture, config));
  TERN_TRY(detail::read_pooling(reader, config));
  return config;
}

TERN_NAMESPACE_END
