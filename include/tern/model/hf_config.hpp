// The config.json of a Hugging Face checkpoint, as the metadata that a GGUF file would have.
//
// Room: model. Reads what tern follows, and refuses by name what would change the computation and
// is not followed; what is a number out of range is found by config_reader.hpp, as in GGUF files.
#pragma once

#include <optional>
#include <string_view>

#include "tern/base/status.hpp"
#include "tern/format/gguf_header.hpp"
#include "tern/format/json.hpp"
#include "tern/model/architecture.hpp"
#include "tern/model/hf_positions.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// What the tensors of a checkpoint tell, where its configuration may not.
struct HfTensorHints {
  bool has_sub_norms = false;    ///< norms between attention and output, gate and down
  bool has_input_norms = false;  ///< a norm of its own for each linear layer
  bool has_packed = false;       ///< trits in bytes
  bool has_head = false;         ///< a head beside the embedding
};

/// How the weights are to be read, and what else the configuration says that is no metadata.
struct HfModel {
  const Architecture* architecture = nullptr;
  bool is_gemma = false;
  bool is_headless = false;      ///< a model of hidden states, not of logits
  bool is_tied = false;          ///< the embedding is the head
  bool is_online = false;        ///< float weights become trits by their mean magnitude
  bool is_scale_inverse = true;  ///< of packed weights
  bool guesses_float = false;    ///< nothing tells whether inputs were quantized in training
  uint32_t head_dim = 0;
  std::optional<float> input_norm_eps = {};  ///< of norms at the inputs, where the class says it
};

namespace detail {

/// Keys that ask for a computation that tern does not follow, unless absent, null, false, 0 or
/// empty.
inline constexpr std::string_view kHfRefusedKeys[] = {
    "alibi",
    "attention_bias",
    "attention_chunk_size",
    "attention_multiplier",
    "attn_logit_softcapping",
    "clip_qkv",
    "final_logit_softcapping",
    "logits_soft_cap",
    "mlp_bias",
    "n_routed_experts",
    "num_experts",
    "num_local_experts",
    "qk_layernorm",
    "rope_interleaved",
    "use_bias",
    "use_bidirectional_attention",
    "use_parallel_residual",
    "use_qkv_bias",
};

/// Factors that do nothing at one; anything else is refused.
inline constexpr std::string_view kHfUnitKeys[] = {
    "embedding_multiplier",  "logit_scale",         "logits_scaling",
    "partial_rotary_factor", "residual_multiplier", "rotary_pct",
};

/// A model by the class that its configuration names.
struct HfFamily {
  std::string_view hf_class;
  std::string_view architecture;  ///< of GGUF
  bool is_headless = false;
};
inline constexpr HfFamily kHfFamilies[] = {
    {"BitNetForCausalLM", "bitnet-b1.58"}, {"BitnetForCausalLM", "bitnet"},
    {"LlamaForCausalLM", "llama"},         {"Qwen3ForCausalLM", "qwen3"},
    {"Qwen3Model", "qwen3", true},         {"Gemma3ForCausalLM", "gemma3"},
    {"Gemma3TextModel", "gemma3", true},
};

inline Result<void> refuse_unfollowed(const HfConfigReader& reader) {
  constexpr const char* kRefusal = "asks for a computation that is not supported";
  for (const std::string_view key : kHfRefusedKeys) {
    if (reader.asks_for(key)) return reader.bad(key, kRefusal, Status::unsupported);
  }
  for (const std::string_view key : kHfUnitKeys) {
    if (reader.has(key) && reader.find(key).as_real() != 1.0) {
      return reader.bad(key, kRefusal, Status::unsupported);
    }
  }
  return {};
}

/// What only gemma's configuration says.
inline Result<void> check_gemma(const HfConfigReader& reader, uint32_t head_dim) {
  // Scores are divided by its root, which tern takes of the size of a head.
  TERN_TRY_ASSIGN(const uint32_t scalar, reader.size_or("query_pre_attn_scalar", head_dim));
  if (scalar != head_dim) {
    return reader.bad("query_pre_attn_scalar", "differs from the size of a head",
                      Status::unsupported);
  }
  return {};
}

/// The class of the model, whatever `model_type` says: that of 1bitLLM's is "llama".
inline Result<const HfFamily*> find_hf_family(const HfConfigReader& reader,
                                              const HfTensorHints& hints) {
  std::string_view name;
  for (const JsonValue element : reader.find("architectures").elements()) {
    name = element.as_text().value_or("");
    break;
  }
  if (name.empty()) return Error(Status::missing, "required key is absent", "architectures");
  // Norms inside the blocks make it a BitNet, whatever class it was saved as.
  if (name == "LlamaForCausalLM" && hints.has_sub_norms) name = "BitnetForCausalLM";
  for (const HfFamily& row : kHfFamilies) {
    if (row.hf_class == name) return &row;
  }
  return Error(Status::unsupported_architecture, "architecture is not supported", name,
               reader.find("architectures").where());
}

/// How the weights are quantized, and by that the activations.
inline Result<void> read_quantization(const HfConfigReader& reader, const HfTensorHints& hints,
                                      HfModel& model, bool& int8_activations) {
  constexpr std::string_view kKey = "quantization_config";
  TERN_TRY_ASSIGN(const bool is_bitnet, reader.flag_or("is_bitnet_config", false));
  int8_activations = is_bitnet || hints.has_packed || hints.has_input_norms;
  if (reader.has("weight_bits") || reader.has("input_bits")) {  // 1bitLLM
    TERN_TRY_ASSIGN(const uint32_t weight_bits, reader.size_or("weight_bits", 1));
    TERN_TRY_ASSIGN(const uint32_t input_bits, reader.size_or("input_bits", 8));
    if (weight_bits != 1) return reader.bad("weight_bits", "only 1 is supported");
    if (input_bits != 8) return reader.bad("input_bits", "only 8 is supported");
    model.is_online = true;
    int8_activations = true;
  }
  if (hints.has_input_norms) model.is_online = true;
  if (!reader.has(kKey)) return {};
  const HfConfigReader quantization(reader.find(kKey));
  const auto refused = [&](std::string_view key) {
    return quantization.bad(key, "a quantization that is not supported", Status::unsupported);
  };
  int8_activations = true;
  TERN_TRY_ASSIGN(const auto method, quantization.text_or("quant_method", ""));
  TERN_TRY_ASSIGN(const auto linear_class, quantization.text_or("linear_class", "bitlinear"));
  TERN_TRY_ASSIGN(const auto mode, quantization.text_or("quantization_mode", "offline"));
  if (method != "bitnet") return refused("quant_method");
  if (linear_class != "bitlinear" && linear_class != "autobitlinear") {
    return refused("linear_class");
  }
  if (mode != "offline" && mode != "online") return refused("quantization_mode");
  for (const JsonValue module : quantization.find("modules_to_not_convert").elements()) {
    if (module.as_text() != std::string_view("lm_head")) return refused("modules_to_not_convert");
  }
  TERN_TRY_ASSIGN(const bool has_norms, quantization.flag_or("use_rms_norm", false));
  if (has_norms && !hints.has_input_norms) {
    return quantization.bad("use_rms_norm", "there are no norms at the inputs of layers");
  }
  if (has_norms) {
    model.input_norm_eps = 1e-6f;  // transformers' default, whatever the model's own is
    if (quantization.has("rms_norm_eps")) {
      TERN_TRY_ASSIGN(model.input_norm_eps, quantization.real("rms_norm_eps"));
    }
  }
  model.is_scale_inverse = linear_class != "autobitlinear";
  model.is_online = model.is_online || mode == "online";
  return {};
}

}  // namespace detail

/// Adds the hyperparameters of a configuration to a header.
/// Errors: missing, mismatch, unsupported, unsupported_architecture; with the key and its place.
inline Result<HfModel> read_hf_config(JsonValue root, const HfTensorHints& hints,
                                      GgufHeader& header, const AllocatorHooks& hooks) {
  const detail::HfConfigReader reader(root);
  if (!root.is_object()) return Error(Status::malformed, "not a JSON object", 0);
  TERN_TRY_ASSIGN(const detail::HfFamily* family, detail::find_hf_family(reader, hints));
  TERN_TRY(detail::refuse_unfollowed(reader));
  HfModel model;
  model.architecture = find_architecture(family->architecture);
  bool int8_activations = false;
  TERN_TRY(detail::read_quantization(reader, hints, model, int8_activations));
  model.is_gemma = family->architecture == "gemma3";
  model.is_headless = family->is_headless;
  const bool ties = model.is_gemma || (model.architecture->tied_head && !hints.has_head);
  TERN_TRY_ASSIGN(model.is_tied, reader.flag_or("tie_word_embeddings", ties));
  if (model.architecture->tied_head && !model.is_tied) {
    return reader.bad("tie_word_embeddings", "this architecture has no head of its own",
                      Status::unsupported);
  }

  header.add("general.architecture", family->architecture);
  detail::HfHeaderWriter writer(header, family->architecture, hooks);
  struct Size {
    std::string_view hf;
    std::string_view gguf;
  };
  constexpr Size kSizes[] = {
      {"vocab_size", "vocab_size"},
      {"hidden_size", "embedding_length"},
      {"num_hidden_layers", "block_count"},
      {"intermediate_size", "feed_forward_length"},
      {"max_position_embeddings", "context_length"},
      {"num_attention_heads", "attention.head_count"},
  };
  for (const Size& row : kSizes) {
    TERN_TRY_ASSIGN(const uint32_t size, reader.size(row.hf));
    writer.add(row.gguf, size);
  }
  TERN_TRY_ASSIGN(const uint32_t context, reader.size("max_position_embeddings"));
  TERN_TRY(detail::add_window(reader, *model.architecture, context, writer));
  TERN_TRY_ASSIGN(const uint32_t model_dim, reader.size("hidden_size"));
  TERN_TRY_ASSIGN(const uint32_t n_heads, reader.size("num_attention_heads"));
  TERN_TRY_ASSIGN(const uint32_t n_kv_heads, reader.size_or("num_key_value_heads", n_heads));
  writer.add("attention.head_count_kv", n_kv_heads);
  TERN_TRY_ASSIGN(const uint32_t old_dim, reader.size_or("dims_per_head", model_dim / n_heads));
  TERN_TRY_ASSIGN(model.head_dim, reader.size_or("head_dim", old_dim));
  writer.add("attention.key_length", model.head_dim);
  writer.add("attention.value_length", model.head_dim);
  writer.add("rope.dimension_count", model.head_dim);
  TERN_TRY_ASSIGN(const float eps, reader.real("rms_norm_eps"));
  writer.add("attention.layer_norm_rms_epsilon", eps);
  if (model.input_norm_eps.value_or(eps) != eps) {
    header.add("tern.input_norm_epsilon", *model.input_norm_eps);
  }
  TERN_TRY(detail::add_rope(reader, writer));
  // Gemma's own key comes before the one that its class does not read.
  for (const std::string_view key : {"hidden_activation", "hidden_act"}) {
    if (!reader.has(key)) continue;
    TERN_TRY_ASSIGN(const auto activation, reader.text_or(key, ""));
    writer.add("hidden_activation", activation);
    break;
  }
  if (model.is_gemma) TERN_TRY(detail::check_gemma(reader, model.head_dim));
  // Models that were not trained with quantized activations. TriLM's have this key; of others the
  // weights may have been multiplied out, and the class that quantized their inputs is gone.
  if (!int8_activations) header.add("tern.activation_bits", uint32_t{16});
  model.guesses_float = !int8_activations && !model.architecture->float_activations &&
                        !reader.has("pretraining_model_parallel");
  return model;
}

/// `pooling_type` of GGUF, by the switches of sentence-transformers.
enum class HfPooling : uint32_t { mean = 1, cls = 2, last = 3 };

/// Errors: unsupported (none of the three, or several), with the key.
inline Result<HfPooling> read_hf_pooling(JsonValue root) {
  struct Switch {
    std::string_view key;
    std::optional<HfPooling> pooling;
  };
  constexpr Switch kSwitches[] = {
      {"pooling_mode_mean_tokens", HfPooling::mean}, {"pooling_mode_cls_token", HfPooling::cls},
      {"pooling_mode_lasttoken", HfPooling::last},   {"pooling_mode_max_tokens", {}},
      {"pooling_mode_mean_sqrt_len_tokens", {}},     {"pooling_mode_weightedmean_tokens", {}},
  };
  std::optional<HfPooling> found;
  for (const Switch& row : kSwitches) {
    if (root.find(row.key).as_bool() != true) continue;
    if (!row.pooling || found) {
      return Error(Status::unsupported, "pooling is not supported", row.key);
    }
    found = row.pooling;
  }
  if (!found) return Error(Status::unsupported, "no pooling that is supported");
  return *found;
}

inline void add_hf_pooling(HfPooling pooling, const HfModel& model, GgufHeader& header,
                           const AllocatorHooks& hooks) {
  detail::HfHeaderWriter(header, model.architecture->name, hooks)
      .add("pooling_type", static_cast<uint32_t>(pooling));
}

TERN_NAMESPACE_END
