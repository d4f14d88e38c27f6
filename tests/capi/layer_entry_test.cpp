// Ternary layers through the C ABI.
#include <string>

#include "capi_fixture.hpp"

using namespace capi_test;

namespace {
const std::vector<int8_t> kTrits = {1, 0, -1, -1, 1, 1};
const std::vector<float> kScales = {0.5f, 2.0f};

struct FreeLayer {
  void operator()(tern_layer* layer) const { tern_layer_free(layer); }
};
using LayerPtr = std::unique_ptr<tern_layer, FreeLayer>;

LayerPtr make_layer(const tern_layer_options* options = nullptr) {
  tern_layer* layer = nullptr;
  REQUIRE(tern_layer_create(kTrits.data(), 2, 3, kScales.data(), 2, options, &layer) == TERN_OK);
  return LayerPtr(layer);
}
}  // namespace

TEST_CASE("a layer multiplies in one step and in two") {
  const auto layer = make_layer();
  CHECK(tern_layer_rows(layer.get()) == 2);
  CHECK(tern_layer_cols(layer.get()) == 3);
  const std::vector<float> x = {127, 2, -3, 0, 254, 0};
  std::vector<float> y(4);
  REQUIRE(tern_layer_multiply(layer.get(), x.data(), 2, y.data()) == TERN_OK);
  CHECK(y == std::vector<float>{0.5f * 130, 2.0f * -128, 0, 2.0f * 254});
  std::vector<int8_t> codes(6);
  std::vector<float> steps(2);
  REQUIRE(tern_layer_quantize(layer.get(), x.data(), 2, codes.data(), steps.data()) == TERN_OK);
  CHECK(codes == std::vector<int8_t>{127, 2, -3, 0, 127, 0});
  CHECK(steps == std::vector<float>{1, 2});
  std::vector<float> again(4);
  REQUIRE(tern_layer_multiply_codes(layer.get(), codes.data(), steps.data(), 2, again.data()) ==
          TERN_OK);
  CHECK(again == y);
}

TEST_CASE("a layer of floats is ternarized") {
  const std::vector<float> weights = {1.0f, -0.25f, 0.5f, -2.0f, 0.0f, 0.75f};
  tern_layer* made = nullptr;
  REQUIRE(tern_layer_ternarize(weights.data(), 2, 3, nullptr, &made) == TERN_OK);
  const LayerPtr layer(made);
  const float x[] = {127, 63, 1};
  float y[2] = {};
  REQUIRE(tern_layer_multiply(layer.get(), x, 1, y) == TERN_OK);
  CHECK(y[0] == 128 * 0.75f);
  CHECK(y[1] == -126 * 0.75f);
}

TEST_CASE("what a layer cannot take has a status") {
  tern_layer* made = nullptr;
  const auto create = [&](const int8_t* trits, uint32_t rows, const float* scales, size_t n) {
    const auto status = tern_layer_create(trits, rows, 3, scales, n, nullptr, &made);
    CHECK(made == nullptr);
    return status;
  };
  CHECK(create(nullptr, 2, kScales.data(), 2) == TERN_INVALID_ARGUMENT);
  CHECK(create(kTrits.data(), 0, kScales.data(), 2) == TERN_INVALID_ARGUMENT);
  CHECK(create(kTrits.data(), 65537, kScales.data(), 1) == TERN_INVALID_ARGUMENT);
  CHECK(create(kTrits.data(), 2, nullptr, 2) == TERN_INVALID_ARGUMENT);
  CHECK(create(kTrits.data(), 2, kScales.data(), 0) == TERN_INVALID_ARGUMENT);
  const int8_t wrong[] = {1, 0, -1, -1, 1, 5};
  CHECK(create(wrong, 2, kScales.data(), 2) == TERN_INVALID_ARGUMENT);
  CHECK(tern_last_error_where() == 5);
  tern_layer_options options;
  tern_layer_options_init(&options);
  options.packing = 4;
  CHECK(tern_layer_create(kTrits.data(), 2, 3, kScales.data(), 2, &options, &made) ==
        TERN_INVALID_ARGUMENT);
  const auto layer = make_layer();
  float y[2] = {};
  const float inf[] = {1, std::numeric_limits<float>::infinity(), 1};
  CHECK(tern_layer_multiply(layer.get(), inf, 1, y) == TERN_NON_FINITE);
  CHECK(tern_layer_multiply(layer.get(), inf, 0, y) == TERN_INVALID_ARGUMENT);
  CHECK(tern_layer_multiply(layer.get(), inf, SIZE_MAX / 2, y) == TERN_INVALID_ARGUMENT);
  CHECK(tern_layer_multiply(layer.get(), nullptr, 1, y) == TERN_INVALID_ARGUMENT);
  CHECK(tern_layer_multiply(nullptr, inf, 1, y) == TERN_INVALID_ARGUMENT);
  CHECK(tern_layer_rows(nullptr) == 0);
  tern_layer_free(nullptr);
}

TEST_CASE("each allocation of a layer may fail, and nothing is lost") {
  RefusingAllocator counting;
  tern_allocator hooks = counting.hooks();
  tern_layer_options options;
  tern_layer_options_init(&options);
  options.allocator = &hooks;
  make_layer(&options);
  CHECK(counting.live_blocks == 0);
  REQUIRE(counting.calls > 4);
  for (size_t call = 0; call < counting.calls; ++call) {
    RefusingAllocator refusing;
    refusing.refused_call = call;
    hooks = refusing.hooks();
    tern_layer* made = nullptr;
    CHECK(tern_layer_create(kTrits.data(), 2, 3, kScales.data(), 2, &options, &made) ==
          TERN_OUT_OF_MEMORY);
    CHECK(made == nullptr);
    CHECK(refusing.live_blocks == 0);
  }
}
