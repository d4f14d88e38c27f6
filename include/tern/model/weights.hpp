// The weights of a model in the form that the kernels read.
//
// Room: model. Linear layers are packed ternary; embeddings and heads stay as the file stores them
// (a tied table is there once); norm gains are floats. All immutable after loading.
#pragma once

#include "tern/base/buffer.hpp"
#include "tern/kernels/kernel_table.hpp"
#include "tern/quant/ternary_view.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// A packed linear layer W [rows = outputs, cols = inputs].
struct TernaryMatrix {
  Buffer<uint8_t> tiles;
  Buffer<float> scales;
  uint32_t rows = 0;
  uint32_t cols = 0;
  ScaleKind scale_kind = ScaleKind::tensor;
  uint32_t group_cols = 0;

  TernaryView view() const {
    return {tiles.data(), rows, cols, Packing::t2, scale_kind, group_cols, scales.data()};
  }
  size_t bytes() const { return tiles.size(); }
};

/// The weights of one layer; which are used depends on the architecture (architecture.hpp).
struct LayerWeights {
  Buffer<float> attn_norm;      // [model_dim]
  Buffer<float> attn_sub_norm;  // [q_dim]
  Buffer<float> ffn_norm;       // [model_dim]
  Buffer<float> ffn_sub_norm;   // [ffn_dim]
  TernaryMatrix attn_q;         // [q_dim, model_dim]
  TernaryMatrix attn_k;         // [kv_dim, model_dim]
  TernaryMatrix attn_v;         // [kv_dim, model_dim]
  TernaryMatrix attn_output;    // [model_dim, q_dim]
  TernaryMatrix ffn_gate;       // [ffn_dim, model_dim]
  TernaryMatrix ffn_up;         // [ffn_dim, model_dim]
  TernaryMatrix ffn_down;       // [model_dim, ffn_dim]
};

struct ModelWeights {
  explicit ModelWeights(const AllocatorHooks& hooks) : layers(hooks) {}

  HeadView embedding;           // [vocab_size, model_dim], rows as stored, in the model's bytes
  HeadView head;                // the same view when the table is tied
  Buffer<float> output_norm;    // [model_dim]
  Buffer<float> rope_factors;   // [rope_dim / 2], or empty
  Vector<LayerWeights> layers;  // [n_layers]
};

TERN_NAMESPACE_END
