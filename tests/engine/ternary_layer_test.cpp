// Ternary layers by themselves: integer sums by hand, all tables alike.
#include "tern/engine/ternary_layer.hpp"

#include <random>

#include "support/allocation_counter.hpp"
#include "support/model_fixture.hpp"

using namespace tern_test;
using tern::LayerOptions;
using tern::Status;
using tern::TernaryLayer;

namespace {

struct Problem {
  uint32_t rows = 0;
  uint32_t cols = 0;
  std::vector<int8_t> trits;
  std::vector<float> scales;
  std::vector<float> x;

  Problem(uint32_t n_rows, uint32_t n_cols, size_t n, bool row_scales)
      : rows(n_rows), cols(n_cols) {
    std::mt19937 random(rows * 31 + cols);
    for (size_t i = 0; i < size_t{rows} * cols; ++i) {
      trits.push_back(static_cast<int8_t>(static_cast<int>(random() % 3) - 1));
    }
    for (size_t i = 0; i < (row_scales ? rows : 1); ++i) {
      scales.push_back(static_cast<float>(random() % 1000) / 512.0f);
    }
    for (size_t i = 0; i < n * cols; ++i) {
      x.push_back(static_cast<float>(static_cast<int>(random() % 2001) - 1000) / 37.0f);
    }
  }
  size_t n() const { return x.size() / cols; }

  /// By the formula, from the codes that quantize() gives.
  std::vector<float> product(const std::vector<int8_t>& codes,
                             const std::vector<float>& steps) const {
    std::vector<float> y;
    for (size_t t = 0; t < n(); ++t) {
      for (size_t r = 0; r < rows; ++r) {
        int32_t sum = 0;
        for (size_t c = 0; c < cols; ++c) sum += trits[r * cols + c] * codes[t * cols + c];
        y.push_back(static_cast<float>(sum) * (scales[scales.size() == 1 ? 0 : r] * steps[t]));
      }
    }
    return y;
  }
};

TernaryLayer made(const Problem& p, const LayerOptions& options = {}) {
  auto layer = TernaryLayer::create(p.trits, p.rows, p.cols, p.scales, options);
  REQUIRE(layer.ok());
  return *std::move(layer);
}

std::vector<float> product(TernaryLayer& layer, const std::vector<float>& x) {
  std::vector<float> y(x.size() / layer.cols() * layer.rows());
  REQUIRE(layer.multiply(x, y).ok());
  return y;
}

}  // namespace

TEST_CASE("a layer multiplies as the formula says, on every table, in both packings") {
  for (const auto& [rows, cols] : {std::pair{1u, 1u}, {17u, 33u}, {64u, 320u}, {75u, 641u}}) {
    for (const size_t n : {1u, 3u, 8u, 19u}) {
      for (const bool row_scales : {false, true}) {
        const Problem p(rows, cols, n, row_scales);
        for (const auto& isa : available_isas()) {
          for (const auto packing : {tern::Packing::t2, tern::Packing::t5}) {
            LayerOptions options;
            options.isa = isa;
            options.packing = packing;
            TernaryLayer layer = made(p, options);
            std::vector<int8_t> codes(p.x.size());
            std::vector<float> steps(n);
            REQUIRE(layer.quantize(p.x, codes, steps).ok());
            std::vector<float> y(n * rows);
            REQUIRE(layer.multiply_codes(codes, steps, y).ok());
            INFO(isa << " " << rows << " x " << cols << ", " << n);
            CHECK(y == p.product(codes, steps));
            CHECK(product(layer, p.x) == y);
          }
        }
      }
    }
  }
}

TEST_CASE("a layer of many threads gives the bits of one") {
  const Problem p(1000, 1200, 5, true);
  TernaryLayer alone = made(p);
  auto pool = tern::ThreadPool::create(3, tern::default_allocator());
  REQUIRE(pool.ok());
  LayerOptions options;
  options.runner = tern::TaskRunner(*pool);
  TernaryLayer together = made(p, options);
  CHECK(product(together, p.x) == product(alone, p.x));
}

TEST_CASE("floats are ternarized by their mean magnitude") {
  const std::vector<float> weights = {1.0f, -0.25f, 0.5f, -2.0f, 0.0f, 0.75f};
  auto layer = TernaryLayer::ternarize(weights, 2, 3, {});
  REQUIRE(layer.ok());
  REQUIRE(layer->scales().size() == 1);
  CHECK(layer->scales()[0] == 0.75f);
  // Rounded to even: 1.33, -0.33, 0.67 and -2.67, 0, 1.
  const std::vector<float> x = {127, 63, 1};
  CHECK(product(*layer, x) == std::vector<float>{128 * 0.75f, -126 * 0.75f});
}

TEST_CASE("what is no layer, and what does not fit one, is refused") {
  const Problem p(4, 5, 1, true);
  const auto status = [&](std::vector<int8_t> trits, uint32_t rows, std::vector<float> scales) {
    return TernaryLayer::create(trits, rows, 5, scales, {}).status();
  };
  CHECK(status(p.trits, 3, {1}) == Status::invalid_argument);
  CHECK(status({}, 0, {1}) == Status::invalid_argument);
  CHECK(status(p.trits, 4, {1, 2}) == Status::invalid_argument);
  CHECK(status(p.trits, 4, {-1}) == Status::invalid_argument);
  CHECK(status(p.trits, 4, {std::numeric_limits<float>::infinity()}) == Status::invalid_argument);
  auto wrong = p.trits;
  wrong[7] = 2;
  const auto refused = TernaryLayer::create(wrong, 4, 5, p.scales, {});
  CHECK(refused.error().where == 7);
  LayerOptions options;
  options.isa = "none";
  CHECK(TernaryLayer::create(p.trits, 4, 5, p.scales, options).status() == Status::isa_unknown);
  const std::vector<float> weights(20, std::numeric_limits<float>::quiet_NaN());
  CHECK(TernaryLayer::ternarize(weights, 4, 5, {}).status() == Status::malformed);

  TernaryLayer layer = made(p);
  std::vector<float> y(4);
  CHECK(layer.multiply({p.x.data(), 4}, y).status() == Status::invalid_argument);
  CHECK(layer.multiply(p.x, {y.data(), 3}).status() == Status::invalid_argument);
  CHECK(layer.multiply({}, {}).status() == Status::invalid_argument);
  auto x = p.x;
  x[2] = std::numeric_limits<float>::infinity();
  CHECK(layer.multiply(x, y).status() == Status::non_finite);
}

TEST_CASE("products allocate nothing") {
  const Problem p(64, 48, 3, true);
  TernaryLayer layer = made(p);
  std::vector<float> y(3 * 64);
  const long before = n_allocations;
  const bool plain = layer.multiply(p.x, y).ok();
  CHECK(n_allocations == before);
  CHECK(plain);
}
