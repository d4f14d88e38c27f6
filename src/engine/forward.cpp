// The steps of the forward pass, but for attention's (forward_attention.cpp) and those that skip
// zeros (forward_skipping.cpp).
//
// Room: engine. Steps over tokens are tasks by token, in attention also by key head; products are
// tasks by units of rows, by live rows or by live columns; attention by head and block of tokens.
// No task waits for another, and no result depends on the cut.
#include "tern/engine/forward.hpp"

#include <algorithm>

TERN_NAMESPACE_BEGIN

namespace {
/// Bytes of weights times tokens between two looks at the cancel flag: a few times less than a
/// slice of a step (a layer over kVectorTokens tokens) of any model that takes its time.
constexpr size_t kBytesPerLook = size_t{16} << 20;
}  // namespace

// Workers come out even where the most tasks allow it: a number that they do not divide leaves one
// of them waiting.
size_t ForwardPass::task_count(size_t work_bytes, size_t for_each) const {
  const size_t workers = runner_.n_workers();
  const size_t most = Activations::most_tasks(workers, for_each);
  const size_t worth = work_bytes / kBytesPerTask + 1;
  return std::min(most, worth <= workers ? worth : (worth + workers - 1) / workers * workers);
}

// Once stopped, tasks end early and the remaining steps of a layer do nothing; check() then says
// why, and nothing of it is used.
bool ForwardPass::is_stopped() const {
  return non_finite_.load(std::memory_order_relaxed) || is_cancelled(cancelled_);
}

Result<void> ForwardPass::check() const {
  if (non_finite_.load(std::memory_order_relaxed)) {
    return Error(Status::non_finite, "an activation is not finite");
  }
  if (is_cancelled(cancelled_)) return Error(Status::cancelled, "cancelled");
  return {};
}

// Blocks of attention stay within a text.
void ForwardPass::resume(std::span<const TextRun> texts) {
  n_ = 0;
  size_t token = 0;
  act_.n_blocks = 0;
  reach_ = 0;
  for (const TextRun& text : texts) {
    for (size_t done = 0; done < text.n_tokens; done += kAttentionTokens) {
      act_.blocks[act_.n_blocks++] = {token + done,
                                      std::min(kAttentionTokens, text.n_tokens - done)};
    }
    for (size_t i = 0; i < text.n_tokens; ++i) {
      act_.places[token++] = {text.slot, text.position + i, text.cache};
    }
    n_ += text.n_tokens;
    reach_ = std::max(reach_, text.position + text.n_tokens);
  }
}

void ForwardPass::embed(std::span<const TokenId> tokens) {
  const HeadView& table = model_.weights().embedding;
  const std::span<const double> frequencies = model_.rope_frequencies();
  const std::span<const double> window = model_.window_rope_frequencies();
  const float scale = kernels_.embedding_scale(config_.model_dim);
  for_tokens([&](size_t t) {
    float* x = act_.residual.row(t);
    kernels_.decode_row(table, static_cast<size_t>(tokens[t]), x);
    if (config_.scales_embedding) kernels_.scale(scale, config_.model_dim, x);
    const auto position = static_cast<uint32_t>(act_.places[t].position);
    kernels_.rope_angles(position, frequencies.data(), frequencies.size(), act_.cos.row(t),
                         act_.sin.row(t));
    if (window.empty()) return;
    kernels_.rope_angles(position, window.data(), window.size(), act_.window_cos.row(t),
                         act_.window_sin.row(t));
  });
}

// y <- W x of every product, x = norm(input); where layers have norms of their own at their inputs,
// each has its own x = norm_of_the_layer(norm(input)).
void ForwardPass::multiply(const Tensor<float, 2>& input, const Buffer<float>& gain,
                           const LayerInput& kind, const Products& products, bool adds) {
  if (!config_.input_norms) {
    quantize(input, gain, kind);
    multiply_quantized(products, adds);
    return;
  }
  const Tensor<float, 2>& x = normalize(input, gain);
  for (const Product& product : products.items) {
    if (product.matrix == nullptr) break;
    quantize(x, product.matrix->input_gain(), kind);
    multiply_quantized({{product}}, adds);
  }
}

// The input itself when there is no norm.
const Tensor<float, 2>& ForwardPass::normalize(const Tensor<float, 2>& input,
                                               const Buffer<float>& gain) {
  if (gain.size() == 0) return input;
  for_tokens([&](size_t t) {
    if (!kernels_.rms_norm(input.row(t), gain.data(), gain.size(), config_.norm_eps,
                           act_.normed.row(t))) {
      non_finite_.store(true, std::memory_order_relaxed);
    }
  });
  return act_.normed;
}

// Norm (unless `gain` is empty) and quantization of each token; in batches also its packing for the
// matrix kernel, by whole groups of tokens.
void ForwardPass::quantize(const Tensor<float, 2>& input, const Buffer<float>& gain,
                           const LayerInput& kind) {
  if (is_stopped()) return;
  QuantizedBatch& out = act_.quantized;
  const size_t width = input.extent(1);
  const bool packs = n_ > kVectorTokens;
  const size_t group = packs ? kernels_.token_tile : 1;
  const size_t n_groups = (n_ + group - 1) / group;
  const size_t tasks = std::min({runner_.n_workers(), kMaxStepTasks, n_groups});
  runner_.run(tasks, [&](size_t task) {
    const size_t begin = n_groups * task / tasks * group;
    const size_t end = std::min(n_groups * (task + 1) / tasks * group, n_);
    for (size_t t = begin; t < end; ++t) {
      if (is_stopped()) return;
      out.tokens[t] = quantize_row(input.row(t), gain.data(), width, kind.quantizer, t);
      if (out.tokens[t].finite == 0) non_finite_.store(true, std::memory_order_relaxed);
    }
    if (packs) kernels_.pack_tokens(out.view(n_), width, begin, end, out.packed.data());
  });
  if (activity_ != nullptr) count_zero_codes(width, activity_->*kind.zeros);
}

void ForwardPass::count_zero_codes(size_t width, ZeroCount& count) const {
  const ActivationView a = act_.quantized.view(n_);
  for (size_t t = 0; t < n_; ++t) {
    size_t zeros = 0;
    for (size_t i = 0; i < width; ++i) {
      zeros += a.high[t * a.stride + i] == 0 && (a.low == nullptr || a.low[t * a.stride + i] == 0);
    }
    count.add(width, zeros);
  }
}

void ForwardPass::count_dead_gates() {
  for (size_t t = 0; t < n_; ++t) {
    const float* gate = act_.gate.row(t);
    const auto dead = std::count_if(gate, gate + config_.ffn_dim, [](float v) { return v <= 0; });
    activity_->gates.add(config_.ffn_dim, static_cast<uint64_t>(dead));
  }
}

QuantizedToken ForwardPass::quantize_row(const float* x, const float* gain, size_t width,
                                         Quantizer quantizer, size_t token) {
  const KernelTable& k = kernels_;
  const size_t stride = activation_stride(width);
  const float eps = config_.input_norm_eps;
  int8_t* high = act_.quantized.codes.row(token);
  switch (quantizer) {
    case Quantizer::i8:
      return gain != nullptr ? k.norm_quantize_i8(x, gain, width, eps, high, stride)
                             : k.quantize_i8(x, width, high, stride);
    case Quantizer::i4:
      return gain != nullptr ? k.norm_quantize_i4(x, gain, width, eps, high, stride)
                             : k.quantize_i4(x, width, high, stride);
    case Quantizer::i8_topk: {
      // A norm always comes before (the architecture's); ranks are of finite values only.
      float* kept = act_.kept.row(token);
      if (!k.rms_norm(x, gain, width, eps, kept) || !k.all_finite(kept, width)) return {};
      k.keep_largest(kept, width, config_.output_topk);
      return k.quantize_i8(kept, width, high, stride);
    }
    case Quantizer::i16: break;
  }
  int8_t* low = act_.quantized.low.row(token);
  return gain != nullptr ? k.norm_quantize_i16(x, gain, width, eps, high, low, stride)
                         : k.quantize_i16(x, width, high, low, stride);
}

// Units [begin, end) of one matrix, in runs between which a cancel is heeded; with few tokens all
// of it is less than a slice.
void ForwardPass::multiply_units(const Product& product, size_t begin, size_t end, bool adds,
                                 size_t task) {
  const TernaryView w = product.matrix->view();
  const size_t unit_bytes = product.matrix->packed_size() / w.n_units();
  const size_t run =
      n_ > kVectorTokens ? std::max<size_t>(kBytesPerLook / (unit_bytes * n_) / 2, 1) * 2 : end;
  for (; begin < end && !is_stopped(); begin += run) {
    const size_t last = std::min(begin + run, end);
    multiply_run(product, begin, last, task);
    const size_t unit = unit_rows(w.packing);
    if (adds) add_delta(begin * unit, std::min<size_t>(last * unit, w.rows));
  }
}

void ForwardPass::multiply_run(const Product& product, size_t begin, size_t end, size_t task) {
  const TernaryView w = product.matrix->view();
  const ActivationView a = act_.quantized.view(n_);
  float* y = product.output->data();
  const size_t y_stride = product.output->stride(0);
  if (n_ > kVectorTokens) {
    kernels_.multiply_matrix(w, a, act_.quantized.packed.data(), begin, end, y, y_stride,
                             act_.matrix_scratch.of(task));
  } else if (is_rows(w.packing)) {
    kernels_.multiply_rows(w, a, nullptr, begin * kTileRows,
                           std::min<size_t>(end * kTileRows, w.rows), y, y_stride);
  } else {
    kernels_.multiply_vector(w, a, begin, end, y, y_stride);
  }
}

// The units of all matrices form one range; a task takes a run of it, in pairs of units. With
// `adds` the task also adds its rows to the residual.
void ForwardPass::multiply_quantized(const Products& products, bool adds) {
  if (is_stopped()) return;
  size_t n_units = 0;
  size_t bytes = 0;
  for (const Product& product : products.items) {
    if (product.matrix == nullptr) break;
    n_units += product.matrix->view().n_units();
    bytes += product.matrix->packed_size();
  }
  const size_t tasks = std::min(task_count(bytes * n_), (n_units + 1) / 2);
  runner_.run(tasks, [&](size_t task) {
    const size_t begin = n_units * task / tasks / 2 * 2;
    const size_t end = task + 1 == tasks ? n_units : n_units * (task + 1) / tasks / 2 * 2;
    size_t first = 0;  // of the current matrix in the range
    for (const Product& product : products.items) {
      if (product.matrix == nullptr) break;
      const size_t last = first + product.matrix->view().n_units();
      const size_t from = std::clamp(begin, first, last) - first;
      const size_t to = std::clamp(end, first, last) - first;
      first = last;
      multiply_units(product, from, to, adds, task);
    }
  });
}

void ForwardPass::add_delta(size_t begin, size_t end) {
  for (size_t t = 0; t < n_; ++t) {
    kernels_.add(act_.delta.row(t) + begin, end - begin, act_.residual.row(t) + begin);
  }
}

// h <- h + post(W x), x = norm(input).
void ForwardPass::add_product(const Tensor<float, 2>& input, const Buffer<float>& gain,
                              const LayerInput& kind, const TernaryMatrix& matrix,
                              const Buffer<float>& post_gain) {
  const bool adds = post_gain.size() == 0;
  if (n_ <= kVectorTokens && is_columns(matrix.view().packing)) {
    quantize(input, gain, kind);
    const bool is_output = kind.quantizer == Quantizer::i8_topk;
    multiply_live_columns(matrix, is_output ? &SkipCounts::output_inputs : &SkipCounts::down_inputs,
                          adds);
  } else {
    multiply(input, gain, kind, {{{&matrix, &act_.delta}}}, adds);
  }
  if (!adds) add_normed_delta(post_gain);
}

void ForwardPass::add_normed_delta(const Buffer<float>& gain) {
  for_tokens([&](size_t t) {
    float* x = act_.delta.row(t);
    if (kernels_.rms_norm(x, gain.data(), gain.size(), config_.norm_eps, x)) {
      kernels_.add(x, gain.size(), act_.residual.row(t));
    } else {
      non_finite_.store(true, std::memory_order_relaxed);
    }
  });
}

void ForwardPass::activate() {
  const bool is_relu2 = config_.activation == Activation::relu2;
  if (activity_ != nullptr && is_relu2 && !is_stopped()) count_dead_gates();
  const auto act = is_relu2                                 ? kernels_.relu2_mul
                   : config_.activation == Activation::gelu ? kernels_.gelu_mul
                                                            : kernels_.silu_mul;
  for_tokens(
      [&](size_t t) { act(act_.gate.row(t), act_.up.row(t), config_.ffn_dim, act_.gate.row(t)); });
}

TERN_NAMESPACE_END
