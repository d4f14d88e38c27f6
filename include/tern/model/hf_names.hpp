// The names of tensors in Hugging Face checkpoints, and what they are called in GGUF files.
//
// Room: model. One table a kind of tensor; the models that tern reads agree on them but for the
// norms of gemma. Source: docs/formats.md.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "tern/model/tensor_names.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// A name of Hugging Face, without layer and suffix, and the one of GGUF.
struct HfName {
  std::string_view name;
  std::string_view gguf;
};

inline constexpr HfName kHfTopTensors[] = {
    {"embed_tokens.weight", kEmbeddingName},
    {"norm.weight", kOutputNormName},
    {"lm_head.weight", kHeadName},
};

inline constexpr HfName kHfGains[] = {
    {"input_layernorm", "attn_norm"},
    {"post_attention_layernorm", "ffn_norm"},
    {"self_attn.attn_sub_norm", "attn_sub_norm"},
    {"self_attn.inner_attn_ln", "attn_sub_norm"},
    {"mlp.ffn_sub_norm", "ffn_sub_norm"},
    {"mlp.ffn_layernorm", "ffn_sub_norm"},
    {"self_attn.q_norm", "attn_q_norm"},
    {"self_attn.k_norm", "attn_k_norm"},
};

/// Names of gemma that mean something else, or nothing, elsewhere.
inline constexpr HfName kHfGemmaGains[] = {
    {"post_attention_layernorm", "post_attention_norm"},
    {"pre_feedforward_layernorm", "ffn_norm"},
    {"post_feedforward_layernorm", "post_ffw_norm"},
};

inline constexpr HfName kHfLinears[] = {
    {"self_attn.q_proj", "attn_q"}, {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"}, {"self_attn.o_proj", "attn_output"},
    {"mlp.gate_proj", "ffn_gate"},  {"mlp.up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"},
};

inline constexpr std::string_view kHfScaleSuffix = "_scale";  // behind the weight's name

/// What a tensor of a checkpoint is.
enum class HfRole : uint8_t {
  unknown,
  derived,     ///< computed from the configuration: not read
  top,         ///< of no layer
  gain,        ///< of a norm that GGUF has under a name of its own
  linear,      ///< a weight matrix that is ternary, or is to be
  scale,       ///< of a packed matrix
  input_norm,  ///< at the input of one linear layer
};
struct HfTensorName {
  HfRole role = HfRole::unknown;
  uint32_t layer = 0;
  std::string_view gguf;  ///< without layer and suffixes, but for HfRole::top
};

namespace detail {

/// What is left of `name` between two parts, if it has both.
constexpr std::optional<std::string_view> between(std::string_view name, std::string_view prefix,
                                                  std::string_view suffix) {
  if (name.size() < prefix.size() + suffix.size()) return std::nullopt;
  if (!name.starts_with(prefix) || !name.ends_with(suffix)) return std::nullopt;
  return name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
}

inline HfTensorName parse_hf_layer_tensor(uint32_t layer, std::string_view rest, bool is_gemma) {
  const auto find_gain = [&](std::span<const HfName> rows) -> std::string_view {
    for (const HfName& row : rows) {
      if (between(rest, row.name, kWeightSuffix) == std::string_view()) return row.gguf;
    }
    return {};
  };
  std::string_view gain = is_gemma ? find_gain(kHfGemmaGains) : std::string_view();
  if (gain.empty()) gain = find_gain(kHfGains);
  if (!gain.empty()) return {HfRole::gain, layer, gain};
  if (rest == "self_attn.rotary_emb.inv_freq") return {HfRole::derived, layer, {}};
  for (const HfName& row : kHfLinears) {
    if (!rest.starts_with(row.name)) continue;
    const std::string_view part = rest.substr(row.name.size());
    if (part == ".weight") return {HfRole::linear, layer, row.gguf};
    if (part == ".weight_scale") return {HfRole::scale, layer, row.gguf};
    if (part == ".norm.weight" || part == ".rms_norm.weight") {
      return {HfRole::input_norm, layer, row.gguf};
    }
  }
  return {};
}

}  // namespace detail

/// Takes a name apart; some checkpoints leave out the prefix `model.`.
inline HfTensorName parse_hf_tensor_name(std::string_view name, bool is_gemma) {
  constexpr std::string_view kPrefix = "model.";
  constexpr std::string_view kLayers = "layers.";
  if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
  for (const HfName& row : kHfTopTensors) {
    if (name == row.name) return {HfRole::top, 0, row.gguf};
  }
  if (!name.starts_with(kLayers)) return {};
  // The digits are read by the same rule as in GGUF.
  const auto in_layer = detail::parse_numbered(name.substr(kLayers.size()));
  if (!in_layer) return {};
  return detail::parse_hf_layer_tensor(in_layer->layer, in_layer->rest, is_gemma);
}

TERN_NAMESPACE_END
