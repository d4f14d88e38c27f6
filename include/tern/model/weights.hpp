// The weights of a model in the form that the kernels read.
//
// Room: model. Linear layers are packed ternary; embeddings and heads stay as the file stores them
// unless they are quantized at load (a tied table is there once); norm gains are floats. Whatever
// is streamed and was made at load lies in one region of large pages; what a tern file holds is
// viewed in its bytes. All immutable after loading.
#pragma once

#include <bit>

#include "tern/base/buffer.hpp"
#include "tern/kernels/kernel_table.hpp"
#include "tern/quant/ternary_view.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// A packed linear layer W [rows = outputs, cols = inputs].
class TernaryMatrix {
 public:
  TernaryMatrix() = default;
  /// `scales` are those of the view, or empty where they are kept elsewhere.
  explicit TernaryMatrix(const TernaryView& view, Buffer<float>&& scales = {})
      : view_(view), scales_(std::move(scales)) {
    if (scales_.size() != 0) view_.scales = scales_.data();
  }

  const TernaryView& view() const { return view_; }
  /// Where the trits are, once they have been packed.
  void place(Packing packing, const uint8_t* data) {
    view_.packing = packing;
    view_.data = data;
  }
  /// Multiplies all weights by a factor, exactly: false, and nothing done, unless every scale is 1
  /// or that of a group of zeros. Requires: scales of its own.
  bool multiply_unit_scales(float factor) {
    const auto is = [](float scale, uint32_t bits) {
      return std::bit_cast<uint32_t>(scale) == bits;
    };
    for (const float scale : scales_.span()) {
      if (!is(scale, 0) && !is(scale, 0x3F800000u)) return false;
    }
    for (float& scale : scales_.span()) scale = is(scale, 0) ? scale : factor;
    return true;
  }
  /// Bytes of the packed trits, wherever they lie.
  size_t packed_size() const {
    return static_cast<size_t>(packed_bytes(view_.packing, view_.rows, view_.cols).value_or(0));
  }
  size_t n_scales() const {
    return view_.scale_kind == ScaleKind::tensor ? 1 : view_.rows * view_.n_groups();
  }
  /// The gain of the norm of the layer's input, [cols]; empty where the layer has none of its own.
  const Buffer<float>& input_gain() const { return input_gain_; }
  void set_input_gain(Buffer<float>&& gain) { input_gain_ = std::move(gain); }
  /// Bytes that the matrix itself owns.
  size_t owned_bytes() const { return scales_.size_bytes() + input_gain_.size_bytes(); }

 private:
  TernaryView view_;  // data in the model's region or its file
  Buffer<float> scales_;
  Buffer<float> input_gain_;
};

/// The weights of one layer. Which norms there are depends on the architecture (architecture.hpp):
/// where a gain is empty, nothing is normed.
struct LayerWeights {
  Buffer<float> attn_norm;            // [model_dim]
  Buffer<float> attn_q_norm;          // [head_dim]
  Buffer<float> attn_k_norm;          // [head_dim]
  Buffer<float> attn_sub_norm;        // [q_dim]
  Buffer<float> post_attention_norm;  // [model_dim]
  Buffer<float> ffn_norm;             // [model_dim]
  Buffer<float> ffn_sub_norm;         // [ffn_dim]
  Buffer<float> post_ffw_norm;        // [model_dim]
  TernaryMatrix attn_q;               // [q_dim, model_dim]
  TernaryMatrix attn_k;               // [kv_dim, model_dim]
  TernaryMatrix attn_v;               // [kv_dim, model_dim]
  TernaryMatrix attn_output;          // [model_dim, q_dim]
  TernaryMatrix ffn_gate;             // [ffn_dim, model_dim]
  TernaryMatrix ffn_up;               // [ffn_dim, model_dim]
  TernaryMatrix ffn_down;             // [model_dim, ffn_dim]
};

struct ModelWeights {
  explicit ModelWeights(const AllocatorHooks& hooks) : layers(hooks) {}

  HeadView embedding;           // [vocab_size, model_dim]
  HeadView head;                // the same view when the table is tied
  Buffer<float> output_norm;    // [model_dim]
  Buffer<float> rope_factors;   // [rope_dim / 2], or empty
  Vector<LayerWeights> layers;  // [n_layers]
  Buffer<uint8_t> region;       // packed at load: matrices in the order of use, then the head
  Buffer<float> head_scales;    // [vocab_size] of an int8 head made at load, else empty
  Buffer<float> head_rests;     // [vocab_size, 2] of a head in planes, else empty
  bool head_is_likely = false;  // of those, bounds are likely ones
};

TERN_NAMESPACE_END
