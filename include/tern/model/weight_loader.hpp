// All weights of a file: checked, viewed where they can stay, packed into one region where not.
//
// Room: model. The order is: names, tables, norms, scales of every linear layer, and then, when the
// size of everything is known and justified by the file, the region and what goes into it.
#pragma once

#include <algorithm>
#include <iterator>

#include "tern/model/architecture.hpp"
#include "tern/model/checkpoint.hpp"
#include "tern/model/config.hpp"
#include "tern/model/head_loader.hpp"
#include "tern/model/matrix_loader.hpp"
#include "tern/model/tensor_loader.hpp"
#include "tern/model/tensor_names.hpp"
#include "tern/platform/large_pages.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

struct WeightOptions {
  Packing tiles = Packing::t2;  ///< t2 or t5
  bool repack = false;          ///< what is packed already as well
  bool skip_zeros = true;       ///< lines where a layer can skip
  HeadOption head = HeadOption::keep;
  I2sLayout i2_s_layout = I2sLayout::x86;
  TaskRunner runner;
  ProgressHook progress;
};

/// Lives on the stack of Model::load.
class WeightLoader {
 public:
  WeightLoader(const Checkpoint& checkpoint, const TernDirectory& directory,
               const Architecture& architecture, const KernelTable& kernels,
               const WeightOptions& options, const AllocatorHooks& hooks)
      : checkpoint_(checkpoint),
        file_(checkpoint.file()),
        directory_(directory),
        architecture_(architecture),
        kernels_(kernels),
        options_(options),
        hooks_(hooks),
        pieces_(hooks) {}

  /// Fills config.vocab_size and all weights.
  /// Errors: those of the groups format and unsupported, with the tensor; out_of_memory.
  Result<void> load(ModelConfig& config, ModelWeights& weights) {
    TERN_TRY(check_names(config));
    for (const GgufTensor& tensor : file_.tensors()) file_bytes_ += tensor.data.size();
    TERN_TRY(load_tables(config, weights));
    TERN_TRY(load_top_vectors(config, weights));
    weights.layers.resize(config.n_layers);
    for (uint32_t n = 0; n < config.n_layers; ++n) {
      TERN_TRY(load_layer(n, config, weights.layers[n]));
    }
    TERN_TRY(fill_region(config, weights));
    return options_.progress(2 * file_bytes_, 2 * file_bytes_);
  }

 private:
  /// A matrix that goes into the region.
  struct Piece {
    TernaryMatrix* matrix;
    MatrixSource source;
    Packing packing;
    uint64_t offset;
  };

  Result<void> check_names(const ModelConfig& config) const;
  Result<HeadView> view_table(std::string_view name, const ModelConfig& config) const;
  Result<void> load_tables(ModelConfig& config, ModelWeights& weights) const;
  Result<void> load_top_vectors(const ModelConfig& config, ModelWeights& weights) const;
  Result<void> load_layer(uint32_t n, const ModelConfig& config, LayerWeights& layer);
  Result<MatrixSource> find_matrix(std::string_view name, uint32_t rows, uint32_t cols,
                                   TernaryMatrix& matrix);
  Result<void> apply_factor(std::string_view name, const MatrixSource& source,
                            TernaryMatrix& matrix) const;
  Result<void> fill_region(const ModelConfig& config, ModelWeights& weights);
  Result<uint64_t> reserve(std::optional<uint64_t> bytes);
  /// Tensors are read twice: to find their scales, and to pack them. Errors: cancelled.
  Result<void> advance(uint64_t bytes) {
    done_bytes_ += bytes;
    return options_.progress(std::min(done_bytes_, 2 * file_bytes_), 2 * file_bytes_);
  }

  const Checkpoint& checkpoint_;
  const GgufFile& file_;
  const TernDirectory& directory_;
  const Architecture& architecture_;
  const KernelTable& kernels_;
  const WeightOptions& options_;
  const AllocatorHooks& hooks_;
  Vector<Piece> pieces_;
  uint64_t region_bytes_ = 0;
  uint64_t file_bytes_ = 0;
  uint64_t done_bytes_ = 0;
};

// A tensor that the forward pass would not use (a bias, an expert, a separate scale) means that the
// file is another model than it seems; running without it would give wrong text, silently.
inline Result<void> WeightLoader::check_names(const ModelConfig& config) const {
  for (const GgufTensor& tensor : file_.tensors()) {
    bool known = std::ranges::find(kTopTensors, tensor.name) != std::end(kTopTensors) ||
                 directory_.names_scales(tensor.name);
    if (const auto in_layer = detail::parse_layer_tensor(tensor.name); in_layer && !known) {
      known = in_layer->layer < config.n_layers &&
              (detail::names_one_of(architecture_.gains, in_layer->rest) ||
               detail::names_one_of(architecture_.linears, in_layer->rest) ||
               detail::names_one_of(architecture_.linears, in_layer->rest, {}, kFactorSuffix) ||
               (config.input_norms &&
                detail::names_one_of(architecture_.linears, in_layer->rest, kInputNormSuffix)));
    }
    if (!known) {
      return Error(Status::unsupported, "tensor is not part of the architecture", tensor.name,
                   tensor.offset);
    }
  }
  // Each layer has tensors of its own, so a larger claim is false; found out before it costs
  // memory.
  if (config.n_layers > file_.tensors().size()) {
    return Error(Status::missing, "more layers than tensors", "block_count");
  }
  return {};
}

/// The values of a tern file's table are not read: what is not finite among them is reported when
/// a token comes upon it.
inline Result<HeadView> WeightLoader::view_table(std::string_view name,
                                                 const ModelConfig& config) const {
  if (const TernTensor* packed = directory_.find(name)) {
    return view_byte_rows(*packed, config.vocab_size, config.model_dim);
  }
  return view_stored_rows(file_, name, config.vocab_size, config.model_dim,
                          {!directory_.is_tern_file(), options_.i2_s_layout});
}

inline Result<void> WeightLoader::load_tables(ModelConfig& config, ModelWeights& weights) const {
  TERN_TRY_ASSIGN(const GgufTensor* embedding, file_.get_tensor(kEmbeddingName));
  const TernTensor* packed = directory_.find(kEmbeddingName);
  const uint64_t rows = packed != nullptr ? packed->rows : embedding->rows();
  if (rows > kMaxVocab) {
    return Error(Status::mismatch, "vocabulary is outside the supported range", kEmbeddingName,
                 embedding->offset);
  }
  config.vocab_size = static_cast<uint32_t>(rows);
  TERN_TRY_ASSIGN(weights.embedding, view_table(kEmbeddingName, config));
  weights.head = weights.embedding;
  const bool may_have_head = !architecture_.tied_head && config.pooling == Pooling::none;
  if (may_have_head && file_.find_tensor(kHeadName) != nullptr) {
    TERN_TRY_ASSIGN(weights.head, view_table(kHeadName, config));
  }
  return {};
}

inline Result<void> WeightLoader::load_top_vectors(const ModelConfig& config,
                                                   ModelWeights& weights) const {
  TERN_TRY_ASSIGN(weights.output_norm,
                  load_float_vector(file_, kOutputNormName, config.model_dim, kernels_, hooks_));
  if (file_.find_tensor(kRopeFactorsName) == nullptr) return {};
  TERN_TRY_ASSIGN(weights.rope_factors, load_float_vector(file_, kRopeFactorsName,
                                                          config.rope_dim / 2, kernels_, hooks_));
  for (const float factor : weights.rope_factors.span()) {
    // Below one would turn faster than docs/numerics.md 8.2 allows.
    if (!(factor >= 1.0f)) {
      return Error(Status::mismatch, "a rope factor is below one", kRopeFactorsName);
    }
  }
  return {};
}

/// A linear layer's source, and the matrix with its scales; placed already if the file has it
/// packed.
inline Result<MatrixSource> WeightLoader::find_matrix(std::string_view name, uint32_t rows,
                                                      uint32_t cols, TernaryMatrix& matrix) {
  MatrixSource source;
  if (const TernTensor* packed = directory_.find(name)) {
    source.tensor = packed->blob;
    TERN_TRY_ASSIGN(matrix, view_packed_matrix(*packed, rows, cols));
    source.packed = matrix.view();
    return source;
  }
  TERN_TRY_ASSIGN(source.tensor, find_shaped_tensor(file_, name, rows, cols));
  TERN_TRY_ASSIGN(source.stored,
                  open_ternary_source(*source.tensor, kernels_, options_.runner, hooks_));
  source.stored.i2_s_layout = options_.i2_s_layout;
  TERN_TRY_ASSIGN(matrix, plan_matrix(source, options_.runner, hooks_));
  checkpoint_.give_back(source.tensor->data);
  TERN_TRY(advance(source.tensor->data.size()));
  return source;
}

/// The factor that some files have beside a linear layer whose own scales are 1: there its product
/// would be multiplied by it, here its scales are.
inline Result<void> WeightLoader::apply_factor(std::string_view name, const MatrixSource& source,
                                               TernaryMatrix& matrix) const {
  const GgufTensor* tensor = file_.find_tensor(name);
  if (tensor == nullptr) return {};
  TERN_TRY_ASSIGN(const Buffer<float> factor, load_float_vector(file_, name, 1, kernels_, hooks_));
  const uint32_t bits = std::bit_cast<uint32_t>(factor[0]);
  const bool is_positive = bits != 0 && bits < 0x80000000u;
  if (is_positive && !source.is_packed() && matrix.multiply_unit_scales(factor[0])) return {};
  return Error(Status::unsupported,
               "a factor that is not positive, or beside scales other than 1, is not supported",
               name, tensor->offset);
}

inline Result<void> WeightLoader::load_layer(uint32_t n, const ModelConfig& config,
                                             LayerWeights& layer) {
  for (const GainRule& rule : architecture_.gains) {
    TERN_TRY_ASSIGN(layer.*rule.gain,
                    load_float_vector(file_, LayerTensorName(n, rule.name).view(),
                                      extent_of(config, rule.size), kernels_, hooks_));
  }
  const size_t first = pieces_.size();
  for (const LinearRule& rule : architecture_.linears) {
    TernaryMatrix& matrix = layer.*rule.matrix;
    TERN_TRY_ASSIGN(const MatrixSource source,
                    find_matrix(LayerTensorName(n, rule.name).view(), extent_of(config, rule.rows),
                                extent_of(config, rule.cols), matrix));
    TERN_TRY(apply_factor(LayerTensorName(n, rule.name, {}, kFactorSuffix).view(), source, matrix));
    if (config.input_norms) {
      TERN_TRY_ASSIGN(auto gain, load_float_vector(
                                     file_, LayerTensorName(n, rule.name, kInputNormSuffix).view(),
                                     extent_of(config, rule.cols), kernels_, hooks_));
      matrix.set_input_gain(std::move(gain));
    }
    pieces_.push_back({&matrix, source, Packing::t2, 0});
  }
  // All scales of the layer are known now. What stays where it is leaves the list again.
  const bool skips = layer_skips(config, layer.ffn_up.view(), layer.ffn_down.view());
  const bool has_lines = is_rows(layer.ffn_up.view().packing);
  const bool has_columns = is_columns(layer.attn_output.view().packing);
  const bool may_choose = config.output_topk != 0;
  // One that is packed already beside one that is not could end as lines beside tiles.
  if (skips && (layer.ffn_up.view().data != nullptr) != (layer.ffn_down.view().data != nullptr)) {
    return Error(Status::mismatch, "of ffn_up and ffn_down only one is packed",
                 LayerTensorName(n, "ffn_up").view());
  }
  size_t kept = first;
  for (size_t i = 0; i < architecture_.linears.size(); ++i) {
    Piece piece = pieces_[first + i];
    const TernaryView& view = piece.matrix->view();
    const Skippable skippable = architecture_.linears[i].skippable;
    piece.packing = choose_packing(options_.tiles, view.scale_kind, skippable,
                                   skips && options_.skip_zeros, may_choose && options_.skip_zeros);
    if (view.data != nullptr) {
      const Packing tiles = is_five(view.packing) ? Packing::t5 : Packing::t2;
      if (view.packing != choose_packing(tiles, view.scale_kind, skippable, skips && has_lines,
                                         may_choose && has_columns)) {
        return Error(Status::mismatch, "the packing is not one that this layer can have",
                     piece.source.tensor->name, piece.source.tensor->offset);
      }
      if (!options_.repack || view.packing == piece.packing) continue;
    }
    TERN_TRY_ASSIGN(piece.offset, reserve(packed_bytes(piece.packing, view.rows, view.cols)));
    pieces_[kept++] = piece;
  }
  pieces_.erase(pieces_.begin() + static_cast<std::ptrdiff_t>(kept), pieces_.end());
  return {};
}

/// Where the next bytes of the region go.
inline Result<uint64_t> WeightLoader::reserve(std::optional<uint64_t> bytes) {
  const uint64_t offset = region_bytes_;
  if (bytes) bytes = checked_round_up(*bytes, kBufferAlignment);
  if (bytes) bytes = checked_add(offset, *bytes);
  if (!bytes) return Error(Status::out_of_memory, "out of memory");
  region_bytes_ = *bytes;
  return offset;
}

inline Result<void> WeightLoader::fill_region(const ModelConfig& config, ModelWeights& weights) {
  const HeadView stored = weights.head;
  const TensorType type = head_type(options_.head, stored.type);
  const bool is_tied = stored.rows == weights.embedding.rows;
  const std::string_view name = is_tied ? kEmbeddingName : kHeadName;
  uint64_t head_offset = 0;
  size_t row_bytes = 0;
  if (type != stored.type) {
    TERN_TRY_ASSIGN(row_bytes, head_row_bytes(type, config.model_dim, name));
    TERN_TRY_ASSIGN(head_offset, reserve(type == TensorType::i8_planes
                                             ? planes_bytes(config.model_dim, config.vocab_size)
                                             : checked_mul(config.vocab_size, row_bytes)));
  }
  TERN_TRY_ASSIGN(weights.region, create_streamed_buffer(region_bytes_, hooks_));
  for (const Piece& piece : pieces_) {
    uint8_t* data = weights.region.data() + piece.offset;
    piece.matrix->place(piece.packing, data);
    TERN_TRY(pack_matrix(piece.source, piece.matrix->view(), data, options_.runner, hooks_));
    if (piece.source.is_packed()) continue;
    checkpoint_.give_back(piece.source.tensor->data);
    TERN_TRY(advance(piece.source.tensor->data.size()));
  }
  if (type == stored.type) return {};
  uint8_t* rows = weights.region.data() + head_offset;
  const size_t vocab_size = config.vocab_size;
  if (type != TensorType::q6_k) {
    TERN_TRY_ASSIGN(weights.head_scales, Buffer<float>::create(vocab_size, hooks_));
  }
  float* scales = weights.head_scales.data();
  if (type == TensorType::i8_planes) {
    TERN_TRY_ASSIGN(weights.head_rests, Buffer<float>::create(2 * vocab_size, hooks_));
    weights.head_is_likely = options_.head == HeadOption::two_stage_likely;
    TERN_TRY(split_table(stored, vocab_size, rows, scales, weights.head_rests.data(), name,
                         kernels_, options_.runner, hooks_));
  } else {
    TERN_TRY(quantize_table(stored, vocab_size, type, row_bytes, rows, scales, name, kernels_,
                            options_.runner, hooks_));
  }
  weights.head = {type, rows, row_bytes, config.model_dim, scales, 0, weights.head_rests.data()};
  if (is_tied) weights.embedding = weights.head;
  return {};
}

TERN_NAMESPACE_END
