// A ternary linear layer by itself, for networks that are not language models: y = W x with W in
// {-s, 0, +s}, x quantized to int8 (docs/numerics.md 2 and 4).
//
// Room: engine.
#pragma once

#include <optional>
#include <span>

#include "tern/engine/activations.hpp"
#include "tern/kernels/registry.hpp"
#include "tern/model/weights.hpp"
#include "tern/platform/thread_pool.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

struct LayerOptions {
  std::string_view isa;            ///< instruction set by name; empty: the best that runs here
  std::optional<Packing> packing;  ///< t2 or t5; unset: what the instruction set streams best
  TaskRunner runner;               ///< for packing and for large products
  AllocatorHooks allocator = default_allocator();
};

/// The weights are immutable; the layer also holds what a product needs, so that nothing is
/// allocated after creation. Movable.
/// Threads: one at a time.
class TernaryLayer {
 public:
  /// From trits. Shapes: trits [rows, cols], each -1, 0 or 1; scales [1] or [rows], finite and not
  /// negative.
  /// Errors: invalid_argument (a size, a value; where = index), isa_unknown, isa_unavailable,
  ///         out_of_memory.
  static Result<TernaryLayer> create(std::span<const int8_t> trits, uint32_t rows, uint32_t cols,
                                     std::span<const float> scales, const LayerOptions& options);
  /// From floats, ternarized as BitNet b1.58 does: W / mean|W|, rounded, within -1 and 1
  /// (docs/numerics.md 15). Shapes: weights [rows, cols]. Errors: the same; malformed (a weight
  /// that is not finite).
  static Result<TernaryLayer> ternarize(std::span<const float> weights, uint32_t rows,
                                        uint32_t cols, const LayerOptions& options);

  uint32_t rows() const { return matrix_.view().rows; }
  uint32_t cols() const { return matrix_.view().cols; }
  /// Bytes of the packed weights.
  size_t packed_bytes() const { return matrix_.packed_size(); }
  std::string_view isa() const { return kernels_.isa; }
  /// The scales of the weights, [1] or [rows].
  std::span<const float> scales() const { return {matrix_.view().scales, matrix_.n_scales()}; }

  /// y = W x for n vectors. Shapes: x [n, cols], y [n, rows]; they do not overlap.
  /// Errors: invalid_argument (sizes), non_finite. Cost: reads the weights once for each
  /// kVectorTokens vectors; no allocation.
  Result<void> multiply(std::span<const float> x, std::span<float> y);

  /// The first half of multiply: int8 codes and the value of one unit of them, a vector.
  /// Shapes: x, codes [n, cols]; steps [n]. Errors: the same.
  Result<void> quantize(std::span<const float> x, std::span<int8_t> codes, std::span<float> steps);
  /// The second half: y[t, r] = (sum of trits times codes) * (scale * steps[t]).
  /// Shapes: codes [n, cols], any values; steps [n]; y [n, rows]. Errors: invalid_argument.
  Result<void> multiply_codes(std::span<const int8_t> codes, std::span<const float> steps,
                              std::span<float> y);

 private:
  static Result<TernaryLayer> begin(uint32_t rows, uint32_t cols, const LayerOptions& options);
  Result<void> check_sizes(size_t n_inputs, size_t n_outputs, uint32_t outputs) const;
  Result<void> allocate();
  void multiply_staged(size_t n, float* y) const;

  KernelTable kernels_;
  TaskRunner runner_;
  AllocatorHooks hooks_;
  Packing packing_ = Packing::t2;
  Buffer<uint8_t> packed_;
  TernaryMatrix matrix_;
  QuantizedBatch staged_;  // [kVectorTokens]
};

TERN_NAMESPACE_END
