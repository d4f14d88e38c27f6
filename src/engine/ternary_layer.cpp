// TernaryLayer: trits packed, vectors staged by eights, units of rows as tasks.
//
// Room: engine.
#include "tern/engine/ternary_layer.hpp"

#include <algorithm>
#include <cstring>

#include "tern/base/half.hpp"
#include "tern/model/matrix_loader.hpp"
#include "tern/platform/fp_environment.hpp"
#include "tern/platform/large_pages.hpp"

TERN_NAMESPACE_BEGIN

namespace {
/// A product reads at most this many columns (kernel_table.hpp); rows alike.
constexpr uint32_t kMaxSide = 65536;

Error bad(const char* what, std::string_view name) {
  return Error(Status::invalid_argument, what, name);
}
}  // namespace

Result<TernaryLayer> TernaryLayer::begin(uint32_t rows, uint32_t cols,
                                         const LayerOptions& options) {
  if (rows == 0 || cols == 0 || rows > kMaxSide || cols > kMaxSide) {
    return bad("a side of a layer is 1 to 65536", rows == 0 || rows > kMaxSide ? "rows" : "cols");
  }
  if (options.packing && *options.packing != Packing::t2 && *options.packing != Packing::t5) {
    return bad("packing is neither t2 nor t5", "packing");
  }
  TernaryLayer layer;
  TERN_TRY_ASSIGN(layer.kernels_, select_kernels(options.isa, options.allocator));
  layer.runner_ = options.runner;
  layer.hooks_ = options.allocator;
  layer.packing_ = options.packing.value_or(layer.kernels_.packing);
  return layer;
}

/// The packed bytes, and room for the inputs of one product.
Result<void> TernaryLayer::allocate() {
  const TernaryView view = matrix_.view();
  const auto bytes = tern::packed_bytes(packing_, view.rows, view.cols);
  if (!bytes) return Error(Status::out_of_memory, "out of memory");
  TERN_TRY_ASSIGN(packed_, create_streamed_buffer(*bytes, hooks_));
  matrix_.place(packing_, packed_.data());
  TERN_TRY_ASSIGN(staged_.codes, (Tensor<int8_t, 2>::create(
                                     {kVectorTokens, activation_stride(view.cols)}, hooks_)));
  TERN_TRY_ASSIGN(staged_.tokens, Buffer<QuantizedToken>::create(kVectorTokens, hooks_));
  return {};
}

Result<TernaryLayer> TernaryLayer::create(std::span<const int8_t> trits, uint32_t rows,
                                          uint32_t cols, std::span<const float> scales,
                                          const LayerOptions& options) {
  TERN_TRY_ASSIGN(TernaryLayer layer, begin(rows, cols, options));
  if (trits.size() != uint64_t{rows} * cols) return bad("not rows times columns", "trits");
  if (scales.size() != 1 && scales.size() != rows)
    return bad("neither one nor one a row", "scales");
  for (size_t i = 0; i < trits.size(); ++i) {
    if (trits[i] >= -1 && trits[i] <= 1) continue;
    return Error::at_index(Status::invalid_argument, "a trit is not -1, 0 or 1", i);
  }
  for (size_t i = 0; i < scales.size(); ++i) {
    if (is_finite(scales[i]) && scales[i] >= 0) continue;
    return Error::at_index(Status::invalid_argument, "a scale is not a finite number from 0 on", i);
  }
  TERN_TRY_ASSIGN(auto kept, Buffer<float>::create(scales.size(), layer.hooks_));
  std::copy(scales.begin(), scales.end(), kept.data());
  TernaryView view;
  view.rows = rows;
  view.cols = cols;
  view.scale_kind = scales.size() == 1 ? ScaleKind::tensor : ScaleKind::row;
  layer.matrix_ = TernaryMatrix(view, std::move(kept));
  TERN_TRY(layer.allocate());
  const TernaryView packed = layer.matrix_.view();
  TERN_TRY_ASSIGN(
      auto u, Buffer<uint8_t>::create(uint64_t{unit_rows(packed.packing)} * cols, layer.hooks_));
  for (size_t unit = 0; unit < packed.n_units(); ++unit) {
    const UnitRows run = rows_of_unit(packed, unit);
    const auto part = trits.subspan(run.begin * cols, (run.end - run.begin) * cols);
    std::transform(part.begin(), part.end(), u.data(),
                   [](int8_t trit) { return static_cast<uint8_t>(trit + 1); });
    pack_unit(packed, layer.packed_.data(), unit, u.data());
  }
  return layer;
}

Result<TernaryLayer> TernaryLayer::ternarize(std::span<const float> weights, uint32_t rows,
                                             uint32_t cols, const LayerOptions& options) {
  TERN_TRY_ASSIGN(TernaryLayer layer, begin(rows, cols, options));
  if (weights.size() != uint64_t{rows} * cols) return bad("not rows times columns", "weights");
  const FpEnvironmentGuard fp_environment;
  // What a checkpoint of master weights would hold.
  GgufTensor tensor{};
  tensor.name = "weights";
  tensor.n_dims = 2;
  std::fill(std::begin(tensor.dims), std::end(tensor.dims), 1);
  tensor.dims[0] = cols;
  tensor.dims[1] = rows;
  tensor.type = &type_info(TensorType::f32);
  tensor.data = {reinterpret_cast<const uint8_t*>(weights.data()), weights.size_bytes()};
  tensor.form.kind = FormKind::master;
  MatrixSource source;
  source.tensor = &tensor;
  TERN_TRY_ASSIGN(source.stored,
                  open_ternary_source(tensor, layer.kernels_, layer.runner_, layer.hooks_));
  TERN_TRY_ASSIGN(layer.matrix_, plan_matrix(source, layer.runner_, layer.hooks_));
  TERN_TRY(layer.allocate());
  TERN_TRY(
      pack_matrix(source, layer.matrix_.view(), layer.packed_.data(), layer.runner_, layer.hooks_));
  return layer;
}

Result<void> TernaryLayer::check_sizes(size_t n_inputs, size_t n_outputs, uint32_t outputs) const {
  if (n_inputs == 0 || n_inputs % cols() != 0 || n_inputs / cols() * outputs != n_outputs) {
    return bad("sizes are not those of the same number of vectors", "layer");
  }
  return {};
}

// The staged vectors by all units of rows.
void TernaryLayer::multiply_staged(size_t n, float* y) const {
  const TernaryView w = matrix_.view();
  const ActivationView a = staged_.view(n);
  const size_t n_units = w.n_units();
  const size_t tasks = std::min(
      {runner_.n_workers(), kMaxStepTasks, n_units, matrix_.packed_size() / kBytesPerTask + 1});
  runner_.run(tasks, [&](size_t task) {
    kernels_.multiply_vector(w, a, n_units * task / tasks, n_units * (task + 1) / tasks, y, w.rows);
  });
}

Result<void> TernaryLayer::multiply(std::span<const float> x, std::span<float> y) {
  TERN_TRY(check_sizes(x.size(), y.size(), rows()));
  const FpEnvironmentGuard fp_environment;
  const size_t n = x.size() / cols();
  for (size_t done = 0; done < n; done += kVectorTokens) {
    const size_t few = std::min(kVectorTokens, n - done);
    for (size_t t = 0; t < few; ++t) {
      staged_.tokens[t] = kernels_.quantize_i8(x.data() + (done + t) * cols(), cols(),
                                               staged_.codes.row(t), staged_.codes.stride(0));
      if (staged_.tokens[t].finite == 0) {
        return Error::at_index(Status::non_finite, "an input is not finite", done + t);
      }
    }
    multiply_staged(few, y.data() + done * rows());
  }
  return {};
}

Result<void> TernaryLayer::quantize(std::span<const float> x, std::span<int8_t> codes,
                                    std::span<float> steps) {
  TERN_TRY(check_sizes(x.size(), codes.size(), cols()));
  TERN_TRY(check_sizes(x.size(), steps.size(), 1));
  const FpEnvironmentGuard fp_environment;
  for (size_t t = 0; t < steps.size(); ++t) {
    int8_t* row = staged_.codes.row(0);
    const QuantizedToken token =
        kernels_.quantize_i8(x.data() + t * cols(), cols(), row, staged_.codes.stride(0));
    if (token.finite == 0) {
      return Error::at_index(Status::non_finite, "an input is not finite", t);
    }
    std::copy_n(row, cols(), codes.data() + t * cols());
    steps[t] = token.step;
  }
  return {};
}

Result<void> TernaryLayer::multiply_codes(std::span<const int8_t> codes,
                                          std::span<const float> steps, std::span<float> y) {
  TERN_TRY(check_sizes(codes.size(), steps.size(), 1));
  TERN_TRY(check_sizes(codes.size(), y.size(), rows()));
  const FpEnvironmentGuard fp_environment;
  for (size_t done = 0; done < steps.size(); done += kVectorTokens) {
    const size_t few = std::min(kVectorTokens, steps.size() - done);
    for (size_t t = 0; t < few; ++t) {
      const int8_t* from = codes.data() + (done + t) * cols();
      std::copy_n(from, cols(), staged_.codes.row(t));
      QuantizedToken& token = staged_.tokens[t];
      token = {steps[done + t], 0, 0, 1};
      for (size_t i = 0; i < cols(); ++i) token.sum += from[i];
    }
    multiply_staged(few, y.data() + done * rows());
  }
  return {};
}

TERN_NAMESPACE_END
