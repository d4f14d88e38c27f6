// Random ternary models of a published shape, as tern files in memory.
//
// Room: convert. For benchmarks and trials: packed bytes are drawn directly (random_trits.hpp), so
// a model of 2 billion weights takes a second and no more memory than it has. Norm gains are in
// [0.75, 1.25), the scale of a matrix near 1 / sqrt(columns), so that activations stay of ordinary
// size; values are made as bits, the same on every machine. There is no vocabulary.
#pragma once

#include <algorithm>
#include <bit>

#include "tern/base/memory_wall.hpp"
#include "tern/base/content_hash.hpp"
#include "tern/convert/shapes.hpp"
#include "tern/convert/tern_layout.hpp"
#include "tern/model/model.hpp"
#include "tern/platform/large_pages.hpp"
#include "tern/quant/random_trits.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

struct SynthOptions {
  uint64_t seed = 0;
  Packing packing = Packing::t2;  ///< t2 or t5
  /// Lays out ReLU^2 layers for skipping; false: all as tiles.
  bool skip_zeros = true;
  /// f16, q6_k or i8; by default q6_k where the width is a multiple of 256, else i8.
  std::optional<TensorType> head;
  /// How many of 1000 gates are to be zero in a ReLU^2 model. Of random gates half are; above that
  /// rows of the gate's weights are zero.
  uint32_t gate_zeros = 500;
  /// How many of 1000 inputs of ffn_down are to be zero, about, by zero gains of the norm before
  /// it. What gates and rounding give by themselves comes first.
  uint32_t down_zeros = 0;
  /// Where bytes are drawn; by default on the calling thread.
  TaskRunner runner;
};

namespace detail {

/// Draws the tensors of one model; each has a stream of its own, by its place in the layout.
class ModelSynthesizer {
 public:
  ModelSynthesizer(const ModelShape& shape, const SynthOptions& options,
                   const AllocatorHooks& hooks)
      : shape_(shape), options_(options), hooks_(hooks), drawings_(hooks) {
    const Architecture& architecture = *find_architecture(shape.architecture);
    architecture_ = &architecture;
    config_.model_dim = shape.model_dim;
    config_.n_heads = shape.n_heads;
    config_.n_kv_heads = shape.n_kv_heads;
    config_.head_dim = shape.head_dim();
    config_.ffn_dim = shape.ffn_dim;
    const TensorType usual = shape.model_dim % 256 == 0 ? TensorType::q6_k : TensorType::i8;
    head_.type = options.head.value_or(usual);
    head_.k = shape.model_dim;
  }

  Result<Buffer<uint8_t>> run() {
    TERN_TRY_ASSIGN(head_.row_bytes, head_row_bytes(head_.type, shape_.model_dim, "head"));
    TERN_TRY_ASSIGN(TernLayout layout, plan(0));
    TERN_TRY_ASSIGN(auto image, create_streamed_buffer(layout.header().file_bytes(), hooks_));
    fill(layout, image);
    ContentHash hash;
    for (const TernItem& item : layout.items()) hash.add(bytes_of(item, image));
    // The same header but for one number.
    TERN_TRY_ASSIGN(layout, plan(hash.value()));
    const auto header = layout.header().bytes();
    std::copy(header.begin(), header.end(), image.data());
    return image;
  }

 private:
  /// What an item of the layout is filled with.
  struct Drawing {
    enum class Kind : uint8_t { gain, sub_gain, scale, row_units, gate, matrix, table };
    Kind kind;
    TernaryView matrix = {};  ///< of gate and matrix; of a scale its matrix's
  };

  Result<TernLayout> plan(uint64_t hash);
  void add_metadata(GgufHeader& header) const;
  void fill(const TernLayout& layout, Buffer<uint8_t>& image) const;
  void fill_floats(const Drawing& drawing, SplitMix random, std::span<uint8_t> bytes) const;
  void fill_matrix(const Drawing& drawing, uint64_t seed, uint8_t* bytes) const;
  void fill_table(uint64_t seed, uint8_t* rows) const;

  static std::span<uint8_t> bytes_of(const TernItem& item, Buffer<uint8_t>& image) {
    return image.span().subspan(static_cast<size_t>(item.tensor.offset),
                                static_cast<size_t>(item.tensor.bytes));
  }
  void draw(size_t item, const Drawing& drawing) {
    if (drawings_.size() <= item) drawings_.resize(item + 1, {Drawing::Kind::gain});
    drawings_[item] = drawing;
  }
  /// True for about `share` of 1000 draws.
  static bool falls_to(uint32_t share, SplitMix& random) { return random.next() % 1000 < share; }

  const ModelShape& shape_;
  const SynthOptions& options_;
  const AllocatorHooks& hooks_;
  const Architecture* architecture_ = nullptr;
  ModelConfig config_;
  HeadView head_;
  Vector<Drawing> drawings_;  // by item of the layout
};

inline void ModelSynthesizer::add_metadata(GgufHeader& header) const {
  const std::string_view architecture = architecture_->name;
  header.add("general.architecture", architecture);
  header.add("general.name", shape_.name);
  String key(hooks_);
  const auto add = [&](std::string_view name, auto value) {
    key.assign(architecture);
    key.append(".");
    key.append(name);
    header.add(key, value);
  };
  add("vocab_size", shape_.vocab_size);
  add("context_length", shape_.context_len);
  add("embedding_length", shape_.model_dim);
  add("block_count", shape_.n_layers);
  add("feed_forward_length", shape_.ffn_dim);
  add("attention.head_count", shape_.n_heads);
  add("attention.head_count_kv", shape_.n_kv_heads);
  add("attention.layer_norm_rms_epsilon", shape_.norm_eps);
  add("rope.dimension_count", shape_.head_dim());
  add("rope.freq_base", shape_.rope_base);
  if (shape_.key_length != 0) {
    add("attention.key_length", shape_.key_length);
    add("attention.value_length", shape_.key_length);
  }
  if (architecture_->a48_inputs) {
    add("activation.input_format", "int4_absmean");
    add("activation.output_topk", 0.5f);
    add("activation.topk_position", "after_norm");
    add("activation.epsilon", 1e-5f);
  }
  constexpr uint32_t kPoolingLast = 3;
  if (shape_.embeds) add("pooling_type", kPoolingLast);
}

inline Result<TernLayout> ModelSynthesizer::plan(uint64_t hash) {
  TernLayout layout(hooks_);
  add_metadata(layout.header());
  using Kind = Drawing::Kind;
  const auto add_table = [&](std::string_view name, TernItem::Place place) {
    const size_t at = layout.add_table(name, head_, shape_.vocab_size, place);
    draw(at, {Kind::table});
    if (head_.type == TensorType::i8) draw(at + 1, {Kind::row_units});
  };
  const bool is_tied = architecture_->tied_head || shape_.embeds;
  if (!is_tied) add_table(kEmbeddingName, TernItem::Place::front);
  for (uint32_t n = 0; n < shape_.n_layers; ++n) {
    for (const GainRule& rule : architecture_->gains) {
      const bool is_sub = rule.gain == &LayerWeights::ffn_sub_norm;
      draw(layout.add_vector(LayerTensorName(n, rule.name).view(), extent_of(config_, rule.size)),
           {is_sub ? Kind::sub_gain : Kind::gain});
    }
    const bool is_relu2 = architecture_->activation == Activation::relu2;
    const bool skips = is_relu2 && options_.skip_zeros;
    const bool skips_inputs = architecture_->a48_inputs && options_.skip_zeros;
    for (const LinearRule& rule : architecture_->linears) {
      TernaryView w;
      w.rows = extent_of(config_, rule.rows);
      w.cols = extent_of(config_, rule.cols);
      w.packing = choose_packing(options_.packing, w.scale_kind, rule.skippable, skips, skips_inputs);
      const bool is_gate = is_relu2 && rule.matrix == &LayerWeights::ffn_gate;
      if (shape_.embeds) {
        const LayerTensorName gain(n, rule.name, kInputNormSuffix);
        draw(layout.add_vector(gain.view(), w.cols), {Kind::gain});
      }
      const size_t at = layout.add_matrix(LayerTensorName(n, rule.name).view(), w, 1);
      draw(at, {is_gate ? Kind::gate : Kind::matrix, w});
      draw(at + 1, {Kind::scale, w});
    }
  }
  draw(layout.add_vector(kOutputNormName, shape_.model_dim), {Kind::gain});
  add_table(is_tied ? kEmbeddingName : kHeadName, TernItem::Place::end);
  TERN_TRY(layout.finish(hash));
  return layout;
}

inline void ModelSynthesizer::fill(const TernLayout& layout, Buffer<uint8_t>& image) const {
  using Kind = Drawing::Kind;
  const auto items = layout.items();
  size_t end = layout.header().bytes().size();  // the header comes last
  for (const uint32_t i : layout.placed()) {
    const auto bytes = bytes_of(items[i], image);
    const auto begin = static_cast<size_t>(items[i].tensor.offset);
    std::fill(image.data() + end, image.data() + begin, uint8_t{0});
    end = begin + bytes.size();
    const uint64_t seed = SplitMix(options_.seed ^ SplitMix(i).next()).next();
    const Drawing& drawing = drawings_[i];
    if (drawing.kind == Kind::gate || drawing.kind == Kind::matrix) {
      fill_matrix(drawing, seed, bytes.data());
    } else if (drawing.kind == Kind::table) {
      fill_table(seed, bytes.data());
    } else {
      fill_floats(drawing, SplitMix(seed), bytes);
    }
  }
  std::fill(image.data() + end, image.data() + image.size(), uint8_t{0});
}

inline void ModelSynthesizer::fill_floats(const Drawing& drawing, SplitMix random,
                                          std::span<uint8_t> bytes) const {
  using Kind = Drawing::Kind;
  // Of random gates half are zero. Of the other products with `up`, if those are normal, rounding
  // to int8 takes about 35 % (of 6912 channels; the widest values set the unit). What is left is
  // thinned to what is asked for.
  const uint32_t live_gates = 1000 - std::max(options_.gate_zeros, 500u);
  const uint32_t live = std::max(live_gates * 65 / 100, 1u);
  const uint32_t wanted = std::min(1000 - options_.down_zeros, live);
  const uint32_t zero_gains = options_.down_zeros == 0 ? 0 : 1000 - 1000 * wanted / live;
  for (size_t at = 0; at < bytes.size(); at += sizeof(uint32_t)) {
    const uint64_t r = random.next();
    const auto low = static_cast<uint32_t>(r & 0x3FFFFF);
    uint32_t bits = 0;
    switch (drawing.kind) {
      case Kind::scale: {
        // 1 / sqrt(2^n): a power of two, or one times sqrt(1/2), whose fraction is 0x3504F3.
        const auto n = static_cast<uint32_t>(std::bit_width(drawing.matrix.cols) - 1);
        bits = n % 2 == 0 ? (127 - n / 2) << 23 : (126 - n / 2) << 23 | 0x3504F3;
        break;
      }
      case Kind::row_units: bits = 117u << 23 | low; break;  // [2^-10, 1.5 * 2^-10)
      case Kind::sub_gain:
        if (falls_to(zero_gains, random)) break;
        [[fallthrough]];
      default:
        bits = r >> 63 != 0 ? 0x3F800000 | low >> 1 : 0x3F400000 | low;  // [1, 1.25), [0.75, 1)
    }
    std::memcpy(bytes.data() + at, &bits, sizeof(bits));
  }
}

inline void ModelSynthesizer::fill_matrix(const Drawing& drawing, uint64_t seed,
                                          uint8_t* bytes) const {
  const TernaryView& w = drawing.matrix;
  const PackedRuns runs = packed_runs(w.packing, w.rows, w.cols);
  const size_t n_tasks = std::min({options_.runner.n_workers(), kMaxStepTasks, runs.n});
  options_.runner.run(n_tasks, [&](size_t task) {
    const size_t end = runs.n * (task + 1) / n_tasks;
    for (size_t run = runs.n * task / n_tasks; run < end; ++run) {
      fill_random_run(w.packing, w.rows, w.cols, seed, run, bytes);
    }
  });
  if (drawing.kind != Drawing::Kind::gate || options_.gate_zeros <= 500) return;
  const uint32_t zero_rows = std::min(2 * options_.gate_zeros - 1000, 1000u);
  SplitMix random(~seed);
  for (size_t row = 0; row < w.rows; ++row) {
    if (!falls_to(zero_rows, random)) continue;
    if (is_five(w.packing)) {
      T5Tiles::clear_row(w.cols, row, bytes);
    } else {
      T2Tiles::clear_row(w.cols, row, bytes);
    }
  }
}

/// Embedding and head: values of about 1/16, so that logits are of a few units.
inline void ModelSynthesizer::fill_table(uint64_t seed, uint8_t* rows) const {
  constexpr size_t kBlock = 256;  // of Q6_K; elements that are drawn in one go
  const size_t rows_in_task = 1024;
  const size_t n_tasks = (shape_.vocab_size + rows_in_task - 1) / rows_in_task;
  options_.runner.run(n_tasks, [&](size_t task) {
    SplitMix random(SplitMix(seed + task).next());
    const size_t end = std::min<size_t>((task + 1) * rows_in_task, shape_.vocab_size);
    uint8_t* at = rows + task * rows_in_task * head_.row_bytes;
    uint8_t* const last = rows + end * head_.row_bytes;
    uint8_t drawn[kBlock];
    while (at < last) {
      for (size_t i = 0; i < kBlock; i += sizeof(uint64_t)) {
        const uint64_t r = random.next();
        std::memcpy(drawn + i, &r, sizeof(r));
      }
      size_t n = std::min(kBlock, static_cast<size_t>(last - at));
      if (head_.type == TensorType::q6_k) {
        n = BlockCodec<TensorType::q6_k>::kBytes;
        for (size_t i = 192; i < 208; ++i) drawn[i] = static_cast<uint8_t>(16 + drawn[i] % 16);
        detail::store_u16(0x0800, drawn + 208);  // 2^-13
      } else if (head_.type == TensorType::f16) {
        // The high byte of a half: any sign, an exponent of -5, that is magnitudes from 1/32 on.
        for (size_t i = 1; i < n; i += 2) drawn[i] = static_cast<uint8_t>((drawn[i] & 0x83) | 0x28);
      } else {
        for (size_t i = 0; i < n; ++i) drawn[i] = drawn[i] == 0x80 ? 0x81 : drawn[i];  // no -128
      }
      std::memcpy(at, drawn, n);
      at += n;
    }
  });
}

}  // namespace detail

/// A whole tern file of a shape, aligned to large pages, for Model::load_memory or to be saved.
/// Requires: a shape of find_shape(). Errors: invalid_argument (packing, head), unsupported (a q6_k
/// head of a width that it cannot have), out_of_memory.
/// Ensures: the bytes depend on the shape and on the options alone, not on the runner.
/// Cost: the image, and a pass over it; more than a gigabyte a second and thread.
inline Result<Buffer<uint8_t>> synthesize(const ModelShape& shape, const SynthOptions& options,
                                          const AllocatorHooks& hooks) {
  if (options.packing != Packing::t2 && options.packing != Packing::t5) {
    return Error(Status::invalid_argument, "packing is neither t2 nor t5", "packing");
  }
  const TensorType head = options.head.value_or(TensorType::i8);
  if (head != TensorType::f16 && head != TensorType::q6_k && head != TensorType::i8) {
    return Error(Status::invalid_argument, "head is neither f16 nor q6_k nor i8", "head");
  }
  if (options.gate_zeros > 1000 || options.down_zeros > 1000) {
    return Error(Status::invalid_argument, "a share is above 1000 of 1000", "zeros");
  }
  return catch_out_of_memory([&]() -> Result<Buffer<uint8_t>> {
    return detail::ModelSynthesizer(shape, options, hooks).run();
  });
}

TERN_NAMESPACE_END
