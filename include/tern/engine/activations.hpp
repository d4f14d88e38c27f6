// The activations of a forward pass: every buffer it writes, sized once at creation.
//
// Room: engine.
#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "tern/base/tensor.hpp"
#include "tern/engine/head_search.hpp"
#include "tern/engine/kv_cache.hpp"
#include "tern/kernels/kernel_table.hpp"
#include "tern/model/model.hpp"
#include "tern/platform/buffer_plan.hpp"
#include "tern/platform/thread_pool.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// How many values there were, and how many of them were zero, so that weights were not read.
struct ZeroCount {
  uint64_t all = 0;
  uint64_t zeros = 0;

  void add(uint64_t n, uint64_t n_zeros) {
    all += n;
    zeros += n_zeros;
  }
};

/// What exact skipping met in single tokens so far, over all layers.
struct SkipCounts {
  ZeroCount gates;          ///< after ReLU: rows of up
  ZeroCount down_inputs;    ///< after rounding: columns of the down projection
  ZeroCount output_inputs;  ///< columns of the attention's output projection
};

/// How many inputs of a layer's linear layers were zero, over all tokens since it was cleared; and
/// gates, where the layer has ReLU^2.
struct LayerActivity {
  ZeroCount qkv_inputs;
  ZeroCount output_inputs;
  ZeroCount ffn_inputs;
  ZeroCount gates;
  ZeroCount down_inputs;
};

/// Tokens of one attention call: they share the work of reading a block of keys and values.
inline constexpr size_t kAttentionTokens = 16;

/// A run of a batch's tokens that are neighbours in one text. Texts lie side by side in the cache;
/// the position of a token in its text is all that the model knows of where it is.
struct TextRun {
  size_t n_tokens = 0;
  size_t slot = 0;           ///< the cache's position of the text's first token
  size_t position = 0;       ///< in the text, of the run's first token
  KvCache* cache = nullptr;  ///< the text's
};

/// Quantized rows of a batch: the input of a linear layer, or of the head (then int16).
struct QuantizedBatch {
  Tensor<int8_t, 2> codes;        // [n, activation_stride(widest)]
  Tensor<int8_t, 2> low;          // the low plane of int16, else empty
  Buffer<QuantizedToken> tokens;  // [n]
  Tensor<int8_t, 1> packed;       // what pack_tokens makes of codes, for batches

  ActivationView view(size_t n) const {
    return {codes.data(), low.data(), tokens.data(), codes.stride(0), n};
  }
};

/// What exact skipping keeps of each token of a pass: which rows of up or which columns are live.
struct LiveChannels {
  Tensor<uint32_t, 2> rows;         // [tokens, ffn_dim], ascending
  Buffer<uint32_t> scattered_rows;  // [ffn_dim]: a single token's, in the order of reading
  Tensor<uint32_t, 2> columns;      // [tokens, the most inputs of a matrix by columns + 63]
  Tensor<int8_t, 2> values;         // the same: the codes of `columns`
  std::array<size_t, kVectorTokens> counts{};  // of the lists that were made last
};

/// Scratch of the tasks of a step, a run of bytes each, 64-byte aligned; pages are touched as they
/// are used.
class TaskScratch {
 public:
  /// Errors: out_of_memory.
  Result<void> allocate(BufferPlan& plan, size_t tasks, size_t bytes) {
    stride_ = (bytes + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
    const auto size = checked_mul(uint64_t{tasks}, uint64_t{stride_});
    if (!size) return Error(Status::out_of_memory, "out of memory");
    return plan.add(bytes_, *size, BufferPlan::Fill::nothing);
  }
  void* of(size_t task) { return bytes_.data() + task * stride_; }

 private:
  Buffer<uint8_t> bytes_;
  size_t stride_ = 0;
};

/// Positions that a token must see before its attention is split by them: what it takes to hand the
/// steps over is then a tenth of them.
inline constexpr size_t kSplitPositions = 2 * kAttentionChunk;

/// What the steps of one token's attention leave for the next, when tasks share them; pages are
/// touched as they are used.
struct TokenAttention {
  Buffer<float> scores;  // [n_heads, row]
  Buffer<float> parts;   // [chunks of the capacity, q_dim]
  Buffer<float> sums;    // [n_heads] of the softmax
  size_t row = 0;

  /// Errors: out_of_memory.
  Result<void> allocate(BufferPlan& plan, const ModelConfig& config, size_t capacity) {
    constexpr auto kUntouched = BufferPlan::Fill::nothing;
    const uint64_t chunks = (capacity + kAttentionChunk - 1) / kAttentionChunk;
    row = attention_row(capacity);
    TERN_TRY(plan.add(scores, uint64_t{config.n_heads} * row, kUntouched));
    TERN_TRY(plan.add(parts, chunks * config.q_dim(), kUntouched));
    return plan.add(sums, config.n_heads);
  }
};

/// Tokens [begin, begin + n) of a batch, neighbours in one text, that share an attention call.
struct TokenBlock {
  size_t begin = 0;
  size_t n = 0;
};

/// Where a token of a batch is.
struct TokenPlace {
  size_t slot = 0;      ///< the cache's position of its text's first token
  size_t position = 0;  ///< in its text
  KvCache* cache = nullptr;
};

/// Shapes are [batch, ...] unless noted.
struct Activations {
  Buffer<TokenPlace> places;  // [batch]
  Buffer<TokenBlock> blocks;  // [batch]; most are unused
  size_t n_blocks = 0;
  Tensor<float, 2> residual;  // [batch, model_dim]
  Tensor<float, 2> normed;    // [batch, model_dim] where linear layers have input norms, else empty
  Tensor<float, 2> q;         // [batch, q_dim]
  Tensor<float, 2> k;         // [batch, kv_dim]
  Tensor<float, 2> v;         // [batch, kv_dim]
  Tensor<float, 2> mixed;     // [batch, q_dim]: attention's output
  Tensor<float, 2> kept;      // [batch, q_dim] where only its largest values are, else empty
  Tensor<float, 2> gate;      // [batch, ffn_dim]; becomes act(gate) * up
  Tensor<float, 2> up;        // [batch, ffn_dim]
  Tensor<float, 2> delta;     // [batch, model_dim]: what a block adds to the residual
  Tensor<float, 2> cos;       // [batch, rope_dim / 2]
  Tensor<float, 2> sin;       // [batch, rope_dim / 2]
  Tensor<float, 2> window_cos;  // [batch, rope_dim / 2] where layers slide, else empty
  Tensor<float, 2> window_sin;  // the same
  QuantizedBatch quantized;
  LiveChannels live;
  Tensor<int32_t, 2> column_sums;     // [line tasks, tokens in one pass * sums of a matrix]
  TaskScratch matrix_scratch;         // [tasks]
  TaskScratch attention_scratch;      // [workers]
  TokenAttention token_attention;     // where several tasks attend to one token
  Tensor<float, 2> head_x;            // [head tokens, model_dim]
  QuantizedBatch head;                // [head tokens]
  HeadSearch search;                  // of a head in planes
  std::span<LayerActivity> activity;  // [layers], the caller's; empty: nothing is counted

  /// Tasks of a step for each worker: several, so that a slow core does less. What comes first of a
  /// task's lines is waited for, so there are fewer of those.
  static constexpr size_t kTasks = 4;
  static constexpr size_t kLineTasks = 2;
  static size_t most_tasks(size_t n_workers, size_t for_each) {
    return n_workers == 1 ? 1 : std::min(for_each * n_workers, kMaxStepTasks);
  }
  /// Tokens that go through a layer by the vector kernels, or through the head, in one pass.
  static size_t vector_tokens(size_t batch) { return std::min(batch, kVectorTokens); }

  /// Errors: out_of_memory.
  static Result<Activations> create(const Model& model, uint32_t batch, uint32_t capacity,
                                    CacheType cache, size_t n_workers, BufferPlan& plan);
};

inline Result<Activations> Activations::create(const Model& model, uint32_t batch,
                                               uint32_t capacity, CacheType cache, size_t n_workers,
                                               BufferPlan& plan) {
  const ModelConfig& c = model.config();
  const KernelTable& kernels = model.kernels();
  const size_t few = vector_tokens(batch);
  const size_t widest = std::max({c.model_dim, c.q_dim(), c.ffn_dim});
  Activations a;
  TERN_TRY(plan.add(a.places, batch));
  TERN_TRY(plan.add(a.blocks, batch));
  struct Row {
    Tensor<float, 2> Activations::*tensor;
    size_t n;
    size_t width;
  };
  const size_t normed = c.input_norms ? batch : 0;
  const size_t turned = c.window != 0 ? batch : 0;
  const Row rows[] = {
      {&Activations::residual, batch, c.model_dim},
      {&Activations::normed, normed, c.model_dim},
      {&Activations::q, batch, c.q_dim()},
      {&Activations::k, batch, c.kv_dim()},
      {&Activations::v, batch, c.kv_dim()},
      {&Activations::mixed, batch, c.q_dim()},
      {&Activations::kept, c.output_topk != 0 ? batch : 0, c.q_dim()},
      {&Activations::gate, batch, c.ffn_dim},
      {&Activations::up, batch, c.ffn_dim},
      {&Activations::delta, batch, c.model_dim},
      {&Activations::cos, batch, c.rope_dim / 2},
      {&Activations::sin, batch, c.rope_dim / 2},
      {&Activations::window_cos, turned, c.rope_dim / 2},
      {&Activations::window_sin, turned, c.rope_dim / 2},
      {&Activations::head_x, few, c.model_dim},
  };
  // Rows of whole cache lines: neighbouring tokens are written by different threads.
  constexpr size_t kLine = kBufferAlignment / sizeof(float);
  for (const Row& row : rows) {
    TERN_TRY(plan.add(a.*row.tensor, {row.n, row.width}, kLine));
  }
  TERN_TRY(plan.add(a.quantized.codes, {batch, activation_stride(widest)}));
  if (c.activation_bits == 16) {
    TERN_TRY(plan.add(a.quantized.low, {batch, activation_stride(widest)}));
  }
  TERN_TRY(plan.add(a.quantized.tokens, batch));
  if (batch > kVectorTokens) {
    TERN_TRY(plan.add(a.quantized.packed, {kernels.packed_tokens_bytes(batch, widest)}));
  }
  const size_t tasks = most_tasks(n_workers, kTasks);
  size_t sums = 0;
  size_t columns = 0;
  for (const LayerWeights& layer : model.weights().layers) {
    for (const TernaryMatrix* matrix : {&layer.ffn_down, &layer.attn_output}) {
      const TernaryView w = matrix->view();
      if (!is_columns(w.packing)) continue;
      sums = std::max(sums, column_sums_size(w));
      columns = std::max<size_t>(columns, w.cols);
    }
  }
  if (c.may_skip()) {
    TERN_TRY(plan.add(a.live.rows, {few, c.ffn_dim}, kLine));
    TERN_TRY(plan.add(a.live.scattered_rows, c.ffn_dim));
  }
  if (columns != 0) {
    TERN_TRY(plan.add(a.live.columns, {few, columns + 63}, kLine));
    TERN_TRY(plan.add(a.live.values, {few, columns + 63}, kBufferAlignment));
    TERN_TRY(plan.add(a.column_sums, {most_tasks(n_workers, kLineTasks), few * sums}));
  }
  TERN_TRY(a.matrix_scratch.allocate(plan, tasks, kernels.matrix_scratch_bytes));
  const size_t attention = kernels.attention_scratch_bytes(
      std::min<size_t>(batch, kAttentionTokens), c.n_heads / c.n_kv_heads, capacity, c.head_dim);
  const size_t attention_tasks = std::min(n_workers, kMaxStepTasks);
  TERN_TRY(a.attention_scratch.allocate(plan, attention_tasks, attention));
  if (n_workers > 1 && capacity >= kSplitPositions && cache != CacheType::f32) {
    TERN_TRY(a.token_attention.allocate(plan, c, std::min(capacity, kMaxContext)));
  }
  const size_t head_stride = activation_stride(c.model_dim);
  TERN_TRY(plan.add(a.head.codes, {few, head_stride}));
  TERN_TRY(plan.add(a.head.low, {few, head_stride}));
  TERN_TRY(plan.add(a.head.tokens, few));
  if (model.weights().head.type == TensorType::i8_planes) {
    TERN_TRY(a.search.allocate(c.vocab_size, plan));
  }
  return a;
}

TERN_NAMESPACE_END
