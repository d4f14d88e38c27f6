// The C ABI, sixth part: ternary layers by themselves.
//
// Room: capi.
#include <memory>

#include "guard.hpp"
#include "handles.hpp"
#include "options.hpp"
#include "tern.h"
#include "tern/base/memory_wall.hpp"
#include "tern/engine/ternary_layer.hpp"

using tern::Error;
using tern::Result;
using tern::Status;
using tern::TernaryLayer;
namespace capi = tern::capi;

namespace {

Result<tern::LayerOptions> read_layer_options(const tern_layer_options* given) {
  TERN_TRY_ASSIGN(const tern_layer_options options,
                  capi::read_options(given, "tern_layer_options", capi::kLayerOptionsFirstSize));
  tern::LayerOptions layer;
  TERN_TRY_ASSIGN(layer.packing, capi::read_packing(options.packing));
  TERN_TRY_ASSIGN(layer.isa, capi::read_text(options.isa, options.isa_size, "isa"));
  TERN_TRY_ASSIGN(layer.allocator,
                  capi::read_allocator(options.allocator, tern::default_allocator()));
  TERN_TRY_ASSIGN(layer.runner, capi::read_scheduler(options.scheduler));
  return layer;
}

/// Elements of `n` rows of `width`. Errors: invalid_argument (none, or more than memory has).
Result<size_t> elements(size_t n, uint32_t width) {
  if (n == 0 || n > SIZE_MAX / sizeof(float) / width) {
    return Error(Status::invalid_argument, "no vectors, or too many", "n");
  }
  return n * width;
}

template <typename T>
Result<std::span<T>> read_rows(T* data, size_t n, uint32_t width, std::string_view name) {
  TERN_TRY_ASSIGN(const size_t size, elements(n, width));
  if (data == nullptr) return capi::null_argument(name);
  return std::span<T>(data, size);
}

/// Options read, `make(options)` made, a handle for it.
template <typename Make>
tern_status make_layer(const tern_layer_options* given, tern_layer** out, Make&& make) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY(capi::clear_result(out, "out"));
    TERN_TRY_ASSIGN(const tern::LayerOptions options, read_layer_options(given));
    TERN_TRY_ASSIGN(TernaryLayer layer, make(options));
    const tern::HostAllocator<TernaryLayer> allocator(options.allocator);
    auto object = std::allocate_shared<TernaryLayer>(allocator, std::move(layer));
    TERN_TRY_ASSIGN(*out, capi::make_handle<tern_layer>(options.allocator, std::move(object)));
    return {};
  });
}

}  // namespace

tern_status tern_layer_create(const int8_t* trits, uint32_t rows, uint32_t cols,
                              const float* scales, size_t n_scales,
                              const tern_layer_options* options, tern_layer** out) {
  return make_layer(options, out, [&](const tern::LayerOptions& read) -> Result<TernaryLayer> {
    if (rows == 0 || cols == 0) return TernaryLayer::create({}, rows, cols, {}, read);
    TERN_TRY_ASSIGN(const auto weights, read_rows(trits, rows, cols, "trits"));
    TERN_TRY_ASSIGN(const auto factors, capi::read_array(scales, n_scales, "scales"));
    return TernaryLayer::create(weights, rows, cols, factors, read);
  });
}

tern_status tern_layer_ternarize(const float* weights, uint32_t rows, uint32_t cols,
                                 const tern_layer_options* options, tern_layer** out) {
  return make_layer(options, out, [&](const tern::LayerOptions& read) -> Result<TernaryLayer> {
    if (rows == 0 || cols == 0) return TernaryLayer::ternarize({}, rows, cols, read);
    TERN_TRY_ASSIGN(const auto values, read_rows(weights, rows, cols, "weights"));
    return TernaryLayer::ternarize(values, rows, cols, read);
  });
}

void tern_layer_free(tern_layer* layer) { capi::free_handle(layer); }

uint32_t tern_layer_rows(const tern_layer* layer) {
  return layer != nullptr ? layer->object->rows() : 0;
}
uint32_t tern_layer_cols(const tern_layer* layer) {
  return layer != nullptr ? layer->object->cols() : 0;
}

tern_status tern_layer_multiply(tern_layer* layer, const float* x, size_t n, float* y) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY_ASSIGN(TernaryLayer * self, capi::layer_of(layer));
    TERN_TRY_ASSIGN(const auto in, read_rows(x, n, self->cols(), "x"));
    TERN_TRY_ASSIGN(const auto out, read_rows(y, n, self->rows(), "y"));
    return self->multiply(in, out);
  });
}

tern_status tern_layer_quantize(tern_layer* layer, const float* x, size_t n, int8_t* codes,
                                float* steps) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY_ASSIGN(TernaryLayer * self, capi::layer_of(layer));
    TERN_TRY_ASSIGN(const auto in, read_rows(x, n, self->cols(), "x"));
    TERN_TRY_ASSIGN(const auto out, read_rows(codes, n, self->cols(), "codes"));
    TERN_TRY_ASSIGN(const auto units, read_rows(steps, n, 1, "steps"));
    return self->quantize(in, out, units);
  });
}

tern_status tern_layer_multiply_codes(tern_layer* layer, const int8_t* codes, const float* steps,
                                      size_t n, float* y) {
  return capi::guard([&]() -> Result<void> {
    TERN_TRY_ASSIGN(TernaryLayer * self, capi::layer_of(layer));
    TERN_TRY_ASSIGN(const auto in, read_rows(codes, n, self->cols(), "codes"));
    TERN_TRY_ASSIGN(const auto units, read_rows(steps, n, 1, "steps"));
    TERN_TRY_ASSIGN(const auto out, read_rows(y, n, self->rows(), "y"));
    return self->multiply_codes(in, units, out);
  });
}
