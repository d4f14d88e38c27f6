// The architectures: which tensors a layer has, of what shape, and how it computes.
//
// Room: model. One row of kArchitectures an architecture name of GGUF; adding a relative of BitNet
// is adding a row. The forward pass (engine/forward.hpp) reads the same facts from ModelConfig and
// norms where LayerWeights has a gain.
// Source of names and shapes: docs/formats.md.
#pragma once

#include <span>
#include <string_view>

#include "tern/model/config.hpp"
#include "tern/model/packing_policy.hpp"
#include "tern/model/weights.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// A side of a tensor, by the hyperparameter that it must equal.
enum class Extent : uint8_t { model_dim, head_dim, q_dim, kv_dim, ffn_dim };

constexpr uint32_t extent_of(const ModelConfig& config, Extent extent) {
  switch (extent) {
    case Extent::model_dim: return config.model_dim;
    case Extent::head_dim: return config.head_dim;
    case Extent::q_dim: return config.n_heads * config.head_dim;
    case Extent::kv_dim: return config.n_kv_heads * config.head_dim;
    case Extent::ffn_dim: return config.ffn_dim;
  }
  return 0;
}

/// A linear layer `blk.N.<name>.weight`, ternary.
struct LinearRule {
  std::string_view name;
  TernaryMatrix LayerWeights::*matrix;
  Extent rows;
  Extent cols;
  Skippable skippable = Skippable::nothing;
};

/// A norm's gain `blk.N.<name>.weight`.
struct GainRule {
  std::string_view name;
  Buffer<float> LayerWeights::*gain;
  Extent size;
};

inline constexpr LinearRule kBlockLinears[] = {
    {"attn_q", &LayerWeights::attn_q, Extent::q_dim, Extent::model_dim},
    {"attn_k", &LayerWeights::attn_k, Extent::kv_dim, Extent::model_dim},
    {"attn_v", &LayerWeights::attn_v, Extent::kv_dim, Extent::model_dim},
    {"attn_output", &LayerWeights::attn_output, Extent::model_dim, Extent::q_dim,
     Skippable::topk_columns},
    {"ffn_gate", &LayerWeights::ffn_gate, Extent::ffn_dim, Extent::model_dim},
    {"ffn_up", &LayerWeights::ffn_up, Extent::ffn_dim, Extent::model_dim, Skippable::rows},
    {"ffn_down", &LayerWeights::ffn_down, Extent::model_dim, Extent::ffn_dim, Skippable::columns},
};

inline constexpr GainRule kSubNormGains[] = {
    {"attn_norm", &LayerWeights::attn_norm, Extent::model_dim},
    {"attn_sub_norm", &LayerWeights::attn_sub_norm, Extent::q_dim},
    {"ffn_norm", &LayerWeights::ffn_norm, Extent::model_dim},
    {"ffn_sub_norm", &LayerWeights::ffn_sub_norm, Extent::ffn_dim},
};

inline constexpr GainRule kPlainGains[] = {
    {"attn_norm", &LayerWeights::attn_norm, Extent::model_dim},
    {"ffn_norm", &LayerWeights::ffn_norm, Extent::model_dim},
};

inline constexpr GainRule kHeadNormGains[] = {
    {"attn_norm", &LayerWeights::attn_norm, Extent::model_dim},
    {"attn_q_norm", &LayerWeights::attn_q_norm, Extent::head_dim},
    {"attn_k_norm", &LayerWeights::attn_k_norm, Extent::head_dim},
    {"ffn_norm", &LayerWeights::ffn_norm, Extent::model_dim},
};

inline constexpr GainRule kPostNormGains[] = {
    {"attn_norm", &LayerWeights::attn_norm, Extent::model_dim},
    {"attn_q_norm", &LayerWeights::attn_q_norm, Extent::head_dim},
    {"attn_k_norm", &LayerWeights::attn_k_norm, Extent::head_dim},
    {"post_attention_norm", &LayerWeights::post_attention_norm, Extent::model_dim},
    {"ffn_norm", &LayerWeights::ffn_norm, Extent::model_dim},
    {"post_ffw_norm", &LayerWeights::post_ffw_norm, Extent::model_dim},
};

/// One value of `general.architecture`.
struct Architecture {
  std::string_view name;
  std::span<const LinearRule> linears;
  std::span<const GainRule> gains;
  bool tied_head = false;  ///< the embedding is the head even when the file has `output.weight`
  RopeStyle rope_style = RopeStyle::halves;
  Activation activation = Activation::silu;  ///< unless the file says `hidden_activation`
  /// Models were trained with float activations, unless linear layers have norms of their own at
  /// their inputs: those are BitNet's, with int8 activations.
  bool float_activations = false;
  /// A file may have `<linear>_norm_in` for all linear layers. Not beside norms before o and down.
  bool input_norms = false;
  bool scales_embedding = false;
  /// Every so many layers one sees all positions where a file has a sliding window, unless it says
  /// otherwise; 0: a window bounds the context instead, within which it changes nothing.
  uint32_t window_period = 0;
  /// What a byte-level vocabulary without a pre-tokenizer key means: the file of BitNet b1.58 2B-4T
  /// has none and the Llama 3 vocabulary.
  std::string_view default_pretokenizer = {};
  /// Keys say how the inputs of linear layers are quantized: those of BitNet a4.8.
  bool a48_inputs = false;
};

inline constexpr Architecture kArchitectures[] = {
    {.name = "bitnet-b1.58",
     .linears = kBlockLinears,
     .gains = kSubNormGains,
     .tied_head = true,
     .activation = Activation::relu2,
     .default_pretokenizer = "llama3"},
    {.name = "bitnet-25",
     .linears = kBlockLinears,
     .gains = kSubNormGains,
     .tied_head = true,
     .activation = Activation::relu2,
     .default_pretokenizer = "llama3"},
    {.name = "bitnet-a4.8",
     .linears = kBlockLinears,
     .gains = kSubNormGains,
     .activation = Activation::relu2,
     .default_pretokenizer = "llama3",
     .a48_inputs = true},
    {.name = "bitnet", .linears = kBlockLinears, .gains = kSubNormGains, .tied_head = true},
    {.name = "llama",
     .linears = kBlockLinears,
     .gains = kPlainGains,
     .rope_style = RopeStyle::pairs,
     .input_norms = true},
    {.name = "qwen3",
     .linears = kBlockLinears,
     .gains = kHeadNormGains,
     .float_activations = true,
     .input_norms = true},
    {.name = "gemma3",
     .linears = kBlockLinears,
     .gains = kPostNormGains,
     .activation = Activation::gelu,
     .float_activations = true,
     .input_norms = true,
     .scales_embedding = true,
     .window_period = 6},
};

/// Null for a name that tern does not run.
constexpr const Architecture* find_architecture(std::string_view name) {
  for (const Architecture& architecture : kArchitectures) {
    if (architecture.name == name) return &architecture;
  }
  return nullptr;
}

struct ActivationName {
  std::string_view name;
  Activation activation;
};
/// Values of `hidden_activation`.
inline constexpr ActivationName kActivationNames[] = {
    {"relu2", Activation::relu2},
    {"relu_squared", Activation::relu2},
    {"silu", Activation::silu},
    {"swish", Activation::silu},
    {"gelu_pytorch_tanh", Activation::gelu},
};

TERN_NAMESPACE_END
