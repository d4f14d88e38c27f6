// The hyperparameters of a model, checked once: after loading, every invariant named here holds.
//
// Room: model.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// The nonlinearity of the gated feed-forward block.
enum class Activation : uint8_t { relu2, silu, gelu };

/// Which elements of a head rotate together: (p, p + dim/2), or (2p, 2p + 1).
enum class RopeStyle : uint8_t { halves, pairs };

/// How the input of a linear layer becomes integers (docs/numerics.md 3).
enum class Quantizer : uint8_t {
  i8,       ///< absmax
  i16,      ///< absmax, in two planes
  i4,       ///< absmean
  i8_topk,  ///< of the largest magnitudes alone: absmax
};

/// What a model makes of the hidden states of a text: the logits of the next token, or one vector
/// that is the last token's.
enum class Pooling : uint8_t { none, last };

/// Limits of what tern loads. The int32 sums of docs/numerics.md 4.4 rest on kMaxDim, the angles of
/// 8.2 on kMaxContext.
inline constexpr uint32_t kMaxDim = 65536;
inline constexpr uint32_t kMaxLayers = 1024;
inline constexpr uint32_t kMaxHeads = 4096;
inline constexpr uint32_t kMaxVocab = 1u << 24;
inline constexpr uint32_t kMaxContext = (1u << 20) - 1;

/// Sizes in elements.
struct ModelConfig {
  uint32_t model_dim = 0;  ///< residual width
  uint32_t n_layers = 0;
  uint32_t n_heads = 0;     ///< query heads
  uint32_t n_kv_heads = 0;  ///< divides n_heads
  uint32_t head_dim = 0;    ///< even
  uint32_t rope_dim = 0;    ///< leading elements of a head that rotate; even, at most head_dim
  uint32_t ffn_dim = 0;
  uint32_t vocab_size = 0;     ///< rows of the embedding
  uint32_t context_len = 0;    ///< positions that the model was made for; at most the limit
  uint32_t context_limit = 0;  ///< positions beyond which it would be another model; 0: none
  uint32_t window = 0;         ///< positions that a token sees in a layer that slides; 0: all
  uint32_t window_period = 0;  ///< every so many layers one does not slide; 0: all slide
  float norm_eps = 0;
  /// Of a norm whose result becomes integers at once: a linear layer's own where it has one, else
  /// the block's, and then it is norm_eps.
  float input_norm_eps = 0;
  float attention_scale = 0;  ///< 0: 1 / sqrt(head_dim)
  double rope_base = 10000;
  double rope_linear_factor = 1;
  double window_rope_base = 10000;  ///< of layers that slide; they know no factors
  RopeStyle rope_style = RopeStyle::halves;
  Activation activation = Activation::relu2;
  bool input_norms = false;       ///< a norm of its own at the input of every linear layer
  bool scales_embedding = false;  ///< embeddings are multiplied by sqrt(model_dim)
  uint32_t activation_bits = 8;   ///< of the inputs of linear layers: 8 or 16
  bool int4_inputs = false;       ///< those of q, k, v, gate and up have 4 bits, beside 8
  uint32_t output_topk = 0;       ///< inputs of the output projection that are kept; 0: all
  Pooling pooling = Pooling::none;

  /// Whether tokens see only the last `window` positions in a layer.
  bool slides(size_t layer) const {
    return window != 0 && (window_period == 0 || (layer + 1) % window_period != 0);
  }
  uint32_t q_dim() const { return n_heads * head_dim; }
  uint32_t kv_dim() const { return n_kv_heads * head_dim; }
  /// Elements of a text's embedding; 0 for a model of logits.
  uint32_t embedding_size() const { return pooling == Pooling::none ? 0 : model_dim; }
  /// Of the inputs of q, k, v, gate and up.
  constexpr Quantizer input_quantizer() const {
    return int4_inputs ? Quantizer::i4 : plain_quantizer();
  }
  /// Of the input of the output projection.
  constexpr Quantizer output_quantizer() const {
    return output_topk != 0 ? Quantizer::i8_topk : plain_quantizer();
  }
  /// Of every other input.
  constexpr Quantizer plain_quantizer() const {
    return activation_bits == 16 ? Quantizer::i16 : Quantizer::i8;
  }
  /// Whether layers may leave out what ReLU^2 makes zero. The steps that do so know one int8 input
  /// for the gate and `up`.
  constexpr bool may_skip() const {
    return activation == Activation::relu2 && activation_bits == 8 && !input_norms;
  }
};

TERN_NAMESPACE_END
