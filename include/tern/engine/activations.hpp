// The activations of a forward pass: every buffer it writes, sized once at creation.
//
// Room: engine.
#pragma once

#include <algorithm>

#include "tern/base/tensor.hpp"
#include "tern/kernels/kernel_table.hpp"
#include "tern/model/model.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// Quantized rows of a batch: the input of a linear layer.
struct QuantizedBatch {
  Tensor<int8_t, 2> codes;        // [batch, activation_stride(widest)]
  Buffer<QuantizedToken> tokens;  // [batch]
  Buffer<int8_t> packed;          // what pack_tokens makes of codes, for batches

  ActivationView view(size_t n) const {
    return {codes.data(), nullptr, tokens.data(), codes.stride(0), n};
  }
};

/// Scratch of all tasks, a row each.
struct TaskScratch {
  Tensor<float, 2> scores;    // [tasks, capacity]: attention scores
  Tensor<uint8_t, 2> matrix;  // [tasks, matrix_scratch_bytes]
};

/// Shapes are [batch, ...] unless noted.
struct Activations {
  Tensor<float, 2> residual;  // [batch, model_dim]
  Tensor<float, 2> normed;    // [batch, widest]: a norm's output
  Tensor<float, 2> q;         // [batch, q_dim]
  Tensor<float, 2> k;         // [batch, kv_dim]
  Tensor<float, 2> v;         // [batch, kv_dim]
  Tensor<float, 2> mixed;     // [batch, q_dim]: attention's output
  Tensor<float, 2> gate;      // [batch, ffn_dim]; becomes act(gate) * up
  Tensor<float, 2> up;        // [batch, ffn_dim]
  Tensor<float, 2> delta;     // [batch, model_dim]: what a block adds to the residual
  Tensor<float, 2> cos;       // [batch, rope_dim / 2]
  Tensor<float, 2> sin;       // [batch, rope_dim / 2]
  QuantizedBatch quantized;
  TaskScratch scratch;
  Buffer<float> head_input;  // [model_dim]
  Buffer<int8_t> head_high;  // [activation_stride(model_dim)]: int16 planes for quantized heads
  Buffer<int8_t> head_low;   // the same
  QuantizedToken head_token;

  /// Errors: out_of_memory.
  static Result<Activations> create(const Model& model, uint32_t batch, uint32_t capacity,
                                    size_t n_workers, const AllocatorHooks& hooks) {
    const ModelConfig& c = model.config();
    const size_t widest = std::max({c.model_dim, c.q_dim(), c.ffn_dim});
    Activations a;
    struct Row {
      Tensor<float, 2> Activations::*tensor;
      size_t width;
    };
    const Row rows[] = {
        {&Activations::residual, c.model_dim}, {&Activations::normed, widest},
        {&Activations::q, c.q_dim()},          {&Activations::k, c.kv_dim()},
        {&Activations::v, c.kv_dim()},         {&Activations::mixed, c.q_dim()},
        {&Activations::gate, c.ffn_dim},       {&Activations::up, c.ffn_dim},
        {&Activations::delta, c.model_dim},    {&Activations::cos, c.rope_dim / 2},
        {&Activations::sin, c.rope_dim / 2},
    };
    // Rows of whole cache lines: neighbouring tokens are written by different threads.
    constexpr size_t kLine = kBufferAlignment / sizeof(float);
    for (const Row& row : rows) {
      TERN_TRY_ASSIGN(a.*row.tensor, (Tensor<float, 2>::create({batch, row.width}, hooks, kLine)));
    }
    const size_t stride = activation_stride(widest);
    TERN_TRY_ASSIGN(a.quantized.codes, (Tensor<int8_t, 2>::create({batch, stride}, hooks)));
    TERN_TRY_ASSIGN(a.quantized.tokens, Buffer<QuantizedToken>::create(batch, hooks));
    const KernelTable& kernels = model.kernels();
    if (batch > kVectorTokens) {
      TERN_TRY_ASSIGN(a.quantized.packed,
                      Buffer<int8_t>::create(kernels.packed_tokens_bytes(batch, widest), hooks));
    }
    const size_t tasks = std::min(n_workers, kMaxStepTasks);
    TERN_TRY_ASSIGN(a.scratch.scores, (Tensor<float, 2>::create({tasks, capacity}, hooks, kLine)));
    TERN_TRY_ASSIGN(a.scratch.matrix,
                    (Tensor<uint8_t, 2>::create({tasks, kernels.matrix_scratch_bytes}, hooks,
                                                kBufferAlignment)));
    TERN_TRY_ASSIGN(a.head_input, Buffer<float>::create(c.model_dim, hooks));
    const size_t head_stride = activation_stride(c.model_dim);
    TERN_TRY_ASSIGN(a.head_high, Buffer<int8_t>::create(head_stride, hooks));
    TERN_TRY_ASSIGN(a.head_low, Buffer<int8_t>::create(head_stride, hooks));
    return a;
  }
};

TERN_NAMESPACE_END
