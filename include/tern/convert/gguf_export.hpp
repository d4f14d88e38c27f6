// A loaded model as a GGUF file for other runtimes: the same values, in a type that they read.
//
// Room: convert. Nothing is rounded unasked. Each linear layer is written as the type that is asked
// for if that holds it exactly, else as F16 if that does, else the model is refused, by the name of
// the layer. Rows go from the packed matrix to the type while they are written, a few at a time:
//
//     packed rows -> trits -> blocks of the type -> sink
#pragma once

#include <optional>

#include "tern/base/memory_wall.hpp"
#include "tern/convert/file_pieces.hpp"
#include "tern/model/model.hpp"
#include "tern/model/weight_walk.hpp"
#include "tern/quant/ternary_target.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// What a file is made as.
struct ExportOptions {
  /// The type of the linear layers: tq1_0, tq2_0, i2_s or f16. Without one it is tq2_0, which most
  /// programs read, where no layer is refused by that; else i2_s, whose scales are binary32.
  std::optional<TensorType> linear = std::nullopt;
  /// Scales that the type's binary16 does not hold become the nearest one, ties to even: each value
  /// of such a layer changes by at most 2^-11 of itself. Without it such a layer is refused.
  bool round_scales = false;
};

/// One tensor of an export.
struct ExportItem {
  explicit ExportItem(const AllocatorHooks& hooks) : name(hooks) {}

  String name;
  PlannedTensor tensor;
  std::span<const uint8_t> data;  ///< the bytes, but of a matrix
  TernaryView matrix;             ///< rows is 0 where the tensor is no linear layer
  /// Why a matrix is not of the type that was asked for.
  TernaryFit fit = TernaryFit::exact;
  size_t n_rounded = 0;      ///< scales of `matrix` that are written rounded
  bool is_narrowed = false;  ///< `data` are BF16, every value exact in the F16 that are written
};

/// A GGUF file to be written; views the model, which must outlive it.
class GgufExport {
 public:
  /// Plans the file of a model. The metadata of what it was loaded from are kept, but for those of
  /// another container.
  /// Errors: invalid_argument (options.linear); unsupported (what no type of GGUF holds as it is
  /// asked for, by its name); out_of_memory. Threads: any. Cost: reads scales, and tables of BF16.
  static Result<GgufExport> create(const Model& model, const ExportOptions& options = {}) {
    if (options.linear && find_ternary_target(*options.linear) == nullptr) {
      return Error(Status::invalid_argument, "trits are not written as this type", "weights");
    }
    return catch_out_of_memory([&]() -> Result<GgufExport> {
      GgufExport out(model, options);
      if (!options.linear) TERN_TRY(out.choose_linear());
      TERN_TRY(out.add_weights());
      TERN_TRY(out.finish());
      return out;
    });
  }

  /// The type of the linear layers, as it was asked for or chosen.
  TensorType linear() const { return linear_; }
  /// The layer because of which i2_s was chosen; empty where nothing was, or tq2_0.
  std::string_view not_in_tq2_0() const { return not_in_tq2_0_; }
  uint64_t size_bytes() const { return header_.file_bytes(); }
  /// In the order of the file.
  std::span<const ExportItem> items() const { return items_; }

  /// Gives the bytes of the file to a sink as PieceWriter does; rows are encoded by `runner`.
  /// Errors: those of the sink; malformed (a matrix of a tern file with code 3); out_of_memory.
  /// Cost: some mebibytes.
  template <typename Sink>
  Result<void> write(const TaskRunner& runner, Sink&& sink) const;

 private:
  GgufExport(const Model& model, const ExportOptions& options)
      : model_(&model),
        hooks_(model.allocator()),
        linear_(options.linear.value_or(TensorType::tq2_0)),
        round_scales_(options.round_scales),
        not_in_tq2_0_(model.allocator()),
        items_(model.allocator()),
        header_(model.allocator()) {}

  ExportItem& append(std::string_view name, TensorType type, uint64_t cols, uint64_t rows,
                     uint32_t n_dims) {
    ExportItem item(hooks_);
    item.name.assign(name);
    item.tensor.type = type;
    item.tensor.n_dims = n_dims;
    item.tensor.dims[0] = cols;
    item.tensor.dims[1] = rows;
    item.tensor.bytes = tensor_bytes(type_info(type), cols, rows).value_or(~uint64_t{0});
    items_.push_back(std::move(item));
    return items_.back();
  }
  void add_floats(std::string_view name, const Buffer<float>& values) {
    append(name, TensorType::f32, values.size(), 1, 1).data = {
        reinterpret_cast<const uint8_t*>(values.data()), values.size_bytes()};
  }
  Result<void> add_table(std::string_view name, const HeadView& table, uint32_t rows);
  TernaryFit fit_in(TensorType type, const TernaryView& w) const {
    return ternary_fit(*find_ternary_target(type), w, round_scales_);
  }
  bool is_held(TensorType type, const TernaryView& w) const {
    return fit_in(type, w) == TernaryFit::exact || fit_in(TensorType::f16, w) == TernaryFit::exact;
  }
  Result<void> choose_linear();
  Result<void> add_matrix(std::string_view name, const TernaryView& w);
  Result<void> add_weights();
  Result<void> finish();

  template <typename Sink>
  Result<void> write_matrix(const ExportItem& item, const TaskRunner& runner,
                            PieceWriter<Sink>& pieces) const;
  template <typename Sink>
  Result<void> write_narrowed(std::span<const uint8_t> data, PieceWriter<Sink>& pieces) const;

  const Model* model_;
  AllocatorHooks hooks_;
  TensorType linear_;
  bool round_scales_;
  String not_in_tq2_0_;
  Vector<ExportItem> items_;
  GgufHeader header_;
};

namespace detail {
/// Whether all values of a table of BF16 are binary16 too.
inline bool narrows_exactly(std::span<const uint8_t> bytes) {
  constexpr uint32_t kLeastExponent = 127 - 14, kNormalExponents = 30;  // of binary16
  for (size_t at = 0; at < bytes.size(); at += 2) {
    const uint16_t half = load_u16(bytes.data() + at);
    // Nearly all values: normal in both, and binary16 has the longer fraction.
    if (((half >> 7) & 0xFFu) - kLeastExponent < kNormalExponents) continue;
    if (!is_exact_f16(f32_bits_from_bf16(half))) return false;
  }
  return true;
}
}  // namespace detail

inline Result<void> GgufExport::add_table(std::string_view name, const HeadView& table,
                                          uint32_t rows) {
  if (table.type == TensorType::i8) {
    return Error(Status::unsupported,
                 "int8 rows with a scale a row are of tern files alone; q6 is in GGUF too", name);
  }
  // Of I2_S the scale lies behind the rows.
  const auto bytes = tensor_bytes(type_info(table.type), table.k, rows);
  const std::span<const uint8_t> data(table.rows, static_cast<size_t>(bytes.value_or(0)));
  const bool is_narrowed = table.type == TensorType::bf16 && detail::narrows_exactly(data);
  model_->source().give_back(data);
  ExportItem& item = append(name, is_narrowed ? TensorType::f16 : table.type, table.k, rows, 2);
  item.data = data;
  item.is_narrowed = is_narrowed;
  return {};
}

inline Result<void> GgufExport::choose_linear() {
  struct Chooser {
    GgufExport& out;

    Result<void> floats(std::string_view, const Buffer<float>&) { return {}; }
    Result<void> table(std::string_view, const HeadView&, TableUse) { return {}; }
    Result<void> matrix(std::string_view name, const TernaryMatrix& matrix) {
      if (out.linear_ == TensorType::tq2_0 && !out.is_held(TensorType::tq2_0, matrix.view())) {
        out.linear_ = TensorType::i2_s;
        out.not_in_tq2_0_.assign(name);
      }
      return {};
    }
  };
  return visit_weights(*model_, Chooser{*this});
}

inline Result<void> GgufExport::add_matrix(std::string_view name, const TernaryView& w) {
  const TernaryFit fit = fit_in(linear_, w);
  const TensorType type = fit == TernaryFit::exact ? linear_ : TensorType::f16;
  if (!is_held(linear_, w)) {
    const bool in_i2_s = fit_in(TensorType::i2_s, w) == TernaryFit::exact;
    const char* what = nullptr;
    if (round_scales_) {
      what = in_i2_s ? "a scale is too large or too small for f16: i2_s or a tern file can hold it"
                     : "a scale is too large or too small for f16: only a tern file can hold it";
    } else {
      what =
          in_i2_s
              ? "a scale is not exact in f16: i2_s or a tern file can hold it; round_scales rounds "
                "it"
              : "a scale is not exact in f16: only a tern file can hold it; round_scales rounds it";
    }
    return Error(Status::unsupported, what, name);
  }
  ExportItem& item = append(name, type, w.cols, w.rows, 2);
  item.tensor.bytes = uint64_t{w.rows} * ternary_row_bytes(*find_ternary_target(type), w.cols) +
                      find_ternary_target(type)->tail_bytes;
  item.matrix = w;
  item.fit = fit;
  if (find_ternary_target(type)->half_scales) item.n_rounded = count_inexact_scales(w);
  return {};
}

inline Result<void> GgufExport::add_weights() {
  struct Adder {
    GgufExport& out;

    Result<void> floats(std::string_view name, const Buffer<float>& values) {
      out.add_floats(name, values);
      return {};
    }
    Result<void> matrix(std::string_view name, const TernaryMatrix& matrix) {
      return out.add_matrix(name, matrix.view());
    }
    Result<void> table(std::string_view name, const HeadView& table, TableUse) {
      return out.add_table(name, table, out.model_->config().vocab_size);
    }
  };
  return visit_weights(*model_, Adder{*this});
}

inline Result<void> GgufExport::finish() {
  // What other tools know the mixture by.
  struct FileType {
    TensorType type;
    uint32_t id;
  };
  constexpr FileType kFileTypes[] = {{TensorType::f16, 1},
                                     {TensorType::tq1_0, 36},
                                     {TensorType::tq2_0, 37},
                                     {TensorType::i2_s, 40}};
  constexpr std::string_view kQuantizationKey = "general.quantization_version";
  constexpr uint32_t kQuantizationVersion = 2;
  const GgufFile& source = model_->source().file();
  // Other programs read merges as texts; by ids they are kept where there are no texts.
  const bool has_texts = source.find("tokenizer.ggml.merges") != nullptr;
  copy_metadata(source, header_, has_texts ? kTernMergesKey : std::string_view());
  if (source.find(kQuantizationKey) == nullptr) header_.add(kQuantizationKey, kQuantizationVersion);
  for (const FileType& row : kFileTypes) {
    if (row.type == linear_) header_.add(kFileTypeKey, row.id);
  }
  Vector<PlannedTensor> tensors(hooks_);
  for (ExportItem& item : items_) {
    tensors.push_back(item.tensor);
    tensors.back().name = item.name;
  }
  TERN_TRY(header_.finish(tensors));
  for (size_t i = 0; i < items_.size(); ++i) items_[i].tensor.offset = tensors[i].offset;
  return {};
}

template <typename Sink>
Result<void> GgufExport::write(const TaskRunner& runner, Sink&& sink) const {
  PieceWriter<std::remove_reference_t<Sink>> pieces(sink);
  TERN_TRY(pieces.put(header_.bytes()));
  for (const ExportItem& item : items_) {
    TERN_TRY(pieces.pad_to(item.tensor.offset));
    if (item.matrix.rows != 0) {
      TERN_TRY(write_matrix(item, runner, pieces));
    } else if (item.is_narrowed) {
      TERN_TRY(write_narrowed(item.data, pieces));
    } else {
      TERN_TRY(pieces.put(item.data));
    }
    model_->source().give_back(item.data);
  }
  return pieces.pad_to(size_bytes());
}

template <typename Sink>
Result<void> GgufExport::write_matrix(const ExportItem& item, const TaskRunner& runner,
                                      PieceWriter<Sink>& pieces) const {
  // Whole tiles, and about as much as fits a second cache, for each task and step.
  constexpr size_t kRowsInTask = 64;
  const TernaryView& w = item.matrix;
  const TernaryTarget& target = *find_ternary_target(item.tensor.type);
  const size_t row_bytes = ternary_row_bytes(target, w.cols);
  const size_t n_tasks = std::min(runner.n_workers(), kMaxStepTasks);
  TERN_TRY_ASSIGN(auto trits, Buffer<uint8_t>::create_uninitialized(n_tasks * w.cols, hooks_));
  TERN_TRY_ASSIGN(auto encoded,
                  Buffer<uint8_t>::create_uninitialized(n_tasks * kRowsInTask * row_bytes, hooks_));
  for (size_t first = 0; first < w.rows; first += n_tasks * kRowsInTask) {
    const size_t end = std::min<size_t>(first + n_tasks * kRowsInTask, w.rows);
    const auto wrote = detail::run_tasks(runner, n_tasks, [&](size_t task) -> Result<void> {
      uint8_t* u = trits.data() + task * w.cols;
      const size_t stop = std::min(first + (task + 1) * kRowsInTask, end);
      for (size_t row = first + task * kRowsInTask; row < stop; ++row) {
        unpack_row(w, row, u);
        if (has_code_three(u, w.cols)) {
          return Error(Status::malformed, "a trit has the illegal code 3", item.name);
        }
        write_ternary_row(target, w, row, u, encoded.data() + (row - first) * row_bytes);
      }
      return {};
    });
    TERN_TRY(wrote);
    TERN_TRY(pieces.put(encoded.span().first((end - first) * row_bytes)));
  }
  uint8_t tail[I2SCodec::kTailBytes];
  write_ternary_tail(target, w, tail);
  const auto packed = packed_bytes(w.packing, w.rows, w.cols).value_or(0);
  model_->source().give_back({w.data, static_cast<size_t>(packed)});
  return pieces.put({tail, target.tail_bytes});
}

template <typename Sink>
Result<void> GgufExport::write_narrowed(std::span<const uint8_t> data,
                                        PieceWriter<Sink>& pieces) const {
  constexpr size_t kPiece = 4096;
  uint8_t out[kPiece];
  for (size_t first = 0; first < data.size(); first += kPiece) {
    const size_t n = std::min(kPiece, data.size() - first);
    for (size_t at = 0; at < n; at += 2) {
      const uint32_t bits = f32_bits_from_bf16(detail::load_u16(data.data() + first + at));
      detail::store_u16(f16_from_f32_bits(bits), out + at);
    }
    TERN_TRY(pieces.put({out, n}));
  }
  return {};
}

TERN_NAMESPACE_END
