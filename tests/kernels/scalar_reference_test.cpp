// The scalar table against the formulas in double precision: ternary products exactly, the rest
// within the bound that each operation's roundings allow.
#include <cmath>

#include "kernels/kernel_cases.hpp"
#include "reference/naive_ops.hpp"
#include "tern/quant/block_codec.hpp"
#include "tern/quant/trit_packer.hpp"

using namespace tern_test;
using tern::KernelTable;

namespace {

constexpr double kUlp = 0x1p-24;  // half an ulp of a float near 1: the error of one rounding

naive::Doubles doubles(const std::vector<float>& x) { return {x.begin(), x.end()}; }

/// How many roundings (of `scale`) apart two values are.
double roundings(double actual, double expected, double scale) {
  return std::fabs(actual - expected) / (std::fabs(scale) * kUlp + 0x1p-149);
}

}  // namespace

TEST_CASE("Scalar ternary products are the exact integer sums") {
  const KernelTable k = scalar_kernels();
  SampleRandom random(7);
  for (const size_t cols : {1, 17, 100, 515}) {
    constexpr uint32_t rows = 19;
    const size_t tokens = 3;
    std::vector<int> t(rows * cols), q(tokens * cols);
    for (int& v : t) v = static_cast<int>(random.below(3)) - 1;
    for (int& v : q) v = static_cast<int>(random.below(255)) - 127;
    const auto expected = naive::ternary_product(t, q, rows, cols, tokens);

    const size_t stride = tern::activation_stride(cols);
    std::vector<int8_t> codes(tokens * stride);
    std::vector<tern::QuantizedToken> sums(tokens);
    for (size_t i = 0; i < tokens; ++i) {
      sums[i].step = 1;
      for (size_t c = 0; c < cols; ++c) {
        codes[i * stride + c] = static_cast<int8_t>(q[i * cols + c]);
        sums[i].sum += q[i * cols + c];
      }
    }
    for (const tern::Packing packing : {tern::Packing::t2, tern::Packing::t5}) {
      std::vector<uint8_t> tiles(*tern::packed_bytes(packing, rows, cols));
      std::vector<uint8_t> u;
      for (size_t i = 0; i < rows * cols; ++i) u.push_back(static_cast<uint8_t>(t[i] + 1));
      const float one = 1;
      tern::TernaryView w;
      w.data = tiles.data();
      w.rows = rows;
      w.cols = static_cast<uint32_t>(cols);
      w.packing = packing;
      for (size_t unit = 0; unit < w.n_units(); ++unit) {
        tern::pack_unit(w, tiles.data(), unit, u.data() + unit * tern::kTileRows * cols);
      }
      w.scales = &one;
      std::vector<float> y(tokens * rows);
      k.multiply_vector(w, {codes.data(), nullptr, sums.data(), stride, tokens}, 0, 2, y.data(),
                        rows);
      for (size_t i = 0; i < y.size(); ++i) REQUIRE(y[i] == static_cast<float>(expected[i]));
    }
  }
}

TEST_CASE("The scalar quantizers round the formula to the nearest integer") {
  const KernelTable k = scalar_kernels();
  for (const Values kind : {Values::ordinary, Values::wide, Values::ties, Values::zeros}) {
    for (const size_t n : {1, 33, 257}) {
      const auto x = values(kind, n, n);
      std::vector<int8_t> q(tern::activation_stride(n)), high(q.size()), low(q.size());
      const auto token8 = k.quantize_i8(x.data(), n, q.data(), q.size());
      const auto token16 = k.quantize_i16(x.data(), n, high.data(), low.data(), q.size());
      double step = 0;
      const auto q8 = naive::quantized(doubles(x), 127, &step);
      CHECK(roundings(token8.step, step, step) <= 2);
      for (size_t i = 0; i < n; ++i) REQUIRE(std::fabs(q[i] - q8[i]) <= 0.5 + 127 * 3 * kUlp);
      const auto q16 = naive::quantized(doubles(x), 16256, &step);
      CHECK(roundings(token16.step, step, step) <= 2);
      for (size_t i = 0; i < n; ++i) {
        REQUIRE(std::fabs(high[i] * 128 + low[i] - q16[i]) <= 0.5 + 16256 * 3 * kUlp);
        REQUIRE((low[i] >= -64 && low[i] <= 63 && high[i] >= -127));
      }
      for (size_t i = n; i < q.size(); ++i) REQUIRE((q[i] == 0 && high[i] == 0 && low[i] == 0));
    }
  }
}

TEST_CASE("The scalar norm and activations are within a few roundings of the formulas") {
  const KernelTable k = scalar_kernels();
  for (const size_t n : {1, 17, 256, 2560}) {
    const auto x = values(Values::ordinary, n, n), gain = values(Values::ordinary, n, n + 1);
    std::vector<float> y(n);
    REQUIRE(k.rms_norm(x.data(), gain.data(), n, 1e-5f, y.data()));
    const auto normed = naive::rms_norm(doubles(x), doubles(gain), 1e-5f);
    // A lane adds n / 16 squares, then the tree; the root halves their share of the error.
    const double bound = 8 + static_cast<double>(n) / 16;
    for (size_t i = 0; i < n; ++i) REQUIRE(roundings(y[i], normed[i], normed[i]) <= bound);
    k.relu2_mul(x.data(), gain.data(), n, y.data());
    for (size_t i = 0; i < n; ++i) {
      const double expected = naive::relu2_mul(x[i], gain[i]);
      REQUIRE(roundings(y[i], expected, expected) <= 3);
    }
    k.silu_mul(x.data(), gain.data(), n, y.data());
    for (size_t i = 0; i < n; ++i) {
      const double expected = naive::silu_mul(x[i], gain[i]);
      REQUIRE(roundings(y[i], expected, expected) <= 8);
    }
    k.gelu_mul(x.data(), gain.data(), n, y.data());
    for (size_t i = 0; i < n; ++i) {
      // Errors of the exponent grow with it; the formula itself cancels where it is large.
      const double expected = naive::gelu_mul(x[i], gain[i]);
      const double exponent = 1.6 * std::fabs(x[i]) * (1 + 0.045 * x[i] * x[i]);
      REQUIRE(roundings(y[i], expected, expected) <=
              8 + 5 * exponent + 1e-9 * std::exp(std::fmin(exponent, 40)));
    }
    REQUIRE(k.l2_normalize(x.data(), n, y.data()));
    const auto unit = naive::l2_normalize(doubles(x));
    for (size_t i = 0; i < n; ++i) REQUIRE(roundings(y[i], unit[i], unit[i]) <= bound);
  }
}

TEST_CASE("The scalar exponential is within 1.25 ulp from -104 to overflow") {
  const KernelTable k = scalar_kernels();
  double worst = 0;
  std::vector<float> logits(2048), weights(logits.size());
  for (float x = -104.0f; x < 88.72f;) {
    for (size_t i = 1; i < logits.size(); ++i) {
      logits[i] = x;
      x = x + 1.7e-4f + std::fabs(x) * 1e-6f;
    }
    logits[0] = 0;
    k.sampling_weights(logits.data(), logits.size(), 1, weights.data());
    for (size_t i = 1; i < logits.size() && logits[i] < 88.72f; ++i) {
      const double expected = std::exp(static_cast<double>(logits[i]));
      int exponent = 0;
      std::frexp(expected, &exponent);
      const double ulp = std::ldexp(1.0, (exponent < -125 ? -125 : exponent) - 24);
      worst = std::fmax(worst, std::fabs(weights[i] - expected) / ulp);
    }
  }
  CHECK(worst < 1.25);
}

TEST_CASE("Scalar rope angles are the nearest floats, and rotations keep the norm") {
  const KernelTable k = scalar_kernels();
  constexpr size_t kDim = 128;
  for (const double base : {10000.0, 500000.0}) {
    std::vector<double> inv_freq(kDim / 2);
    k.rope_frequencies(base, 1.0, nullptr, kDim, inv_freq.data());
    for (const uint32_t position : {0u, 1u, 63u, 4095u, 131071u}) {
      std::vector<float> cos(kDim / 2), sin(kDim / 2);
      k.rope_angles(position, inv_freq.data(), kDim / 2, cos.data(), sin.data());
      for (size_t p = 0; p < kDim / 2; ++p) {
        const double angle = naive::rope_angle(base, position, p, kDim);
        // The angle itself carries a few roundings of f64, large at large positions.
        const double slack = 1e-15 * angle + kUlp * 0x1p-2;
        REQUIRE(std::fabs(cos[p] - std::cos(angle)) <= kUlp + slack);
        REQUIRE(std::fabs(sin[p] - std::sin(angle)) <= kUlp + slack);
      }
      auto x = values(Values::ordinary, kDim, position), pairs = x;
      const double norm = naive::dot(doubles(x), doubles(x));
      k.rope_halves(x.data(), cos.data(), sin.data(), kDim / 2);
      k.rope_pairs(pairs.data(), cos.data(), sin.data(), kDim / 2);
      CHECK(std::fabs(naive::dot(doubles(x), doubles(x)) / norm - 1) < 1e-6);
      CHECK(std::fabs(naive::dot(doubles(pairs), doubles(pairs)) / norm - 1) < 1e-6);
    }
  }
}

TEST_CASE("Scalar attention is close to the formula, and softmax sums to one") {
  const KernelTable k = scalar_kernels();
  for (const size_t dim : {1, 64, 100}) {
    for (const size_t n : {1, 5, 300}) {
      const auto q = values(Values::ordinary, dim, n);
      std::vector<uint16_t> cache(2 * n * dim);
      const auto floats = values(Values::ordinary, cache.size(), dim);
      REQUIRE(k.to_f16(floats.data(), floats.size(), cache.data()));
      std::vector<naive::Doubles> keys(n), cached(n);
      for (size_t j = 0; j < n; ++j) {
        for (size_t d = 0; d < dim; ++d) {
          keys[j].push_back(naive::half_value(cache[j * dim + d]));
          cached[j].push_back(naive::half_value(cache[(n + j) * dim + d]));
        }
      }
      std::vector<float> scores(n), y(dim);
      k.qk_f16(q.data(), {tern::CacheType::f16, cache.data(), dim}, n, dim, k.attention_scale(dim),
               scores.data());
      double largest_score = 0;
      for (const float s : scores) largest_score = std::fmax(largest_score, std::fabs(s));
      const float sum = k.softmax_exp(scores.data(), n);
      double total = 0;
      for (const float e : scores) total += e;
      CHECK(roundings(sum, total, total) <= 4 + static_cast<double>(n) / 16);
      k.pv_f16(scores.data(), sum, {tern::CacheType::f16, cache.data() + n * dim, dim}, n, dim,
               y.data());
      const auto expected = naive::attention(doubles(q), keys, cached);
      // Scores carry dim / 16 + 4 roundings of their magnitude; values are below 8.
      const double bound = kUlp * 8 *
                           (40 + (static_cast<double>(dim) / 8 + 10) * (largest_score + 8) +
                            static_cast<double>(n) / 8);
      for (size_t d = 0; d < dim; ++d) REQUIRE(std::fabs(y[d] - expected[d]) <= bound);
    }
  }
}

TEST_CASE("Scalar attention over int8 is the formula for the quantized query, keys and values") {
  const KernelTable k = scalar_kernels();
  constexpr size_t kDim = 64;
  for (const size_t n : {1, 5, 300}) {
    const auto q = values(Values::ordinary, kDim, n);
    std::vector<int8_t> cache(2 * n * kDim);
    std::vector<uint16_t> units(2 * n);
    std::vector<naive::Doubles> rows(2 * n);  // keys, then values
    for (size_t j = 0; j < 2 * n; ++j) {
      const auto row = values(Values::ordinary, kDim, n + j);
      REQUIRE(k.to_i8(row.data(), kDim, cache.data() + j * kDim, &units[j]));
      const double unit = naive::half_value(units[j]);
      for (size_t d = 0; d < kDim; ++d) {
        rows[j].push_back(cache[j * kDim + d] * unit);
        // Half a unit, and what the clamp takes off where the unit was rounded down.
        REQUIRE(std::fabs(rows[j][d] - row[d]) <= unit * (0.5 + 127 * 0x1p-11 + 1e-4));
      }
    }
    tern::AttentionView a;
    a.q = q.data();
    a.n_tokens = a.n_heads = 1;
    a.position = n - 1;
    a.dim = kDim;
    a.keys = {tern::CacheType::i8, cache.data(), kDim, units.data()};
    a.values = {tern::CacheType::i8, cache.data() + n * kDim, kDim, units.data() + n};
    a.scale = k.attention_scale(kDim);
    std::vector<float> y(kDim);
    std::vector<float> scratch(k.attention_scratch_bytes(1, 1, n, kDim) / sizeof(float));
    k.attend(a, y.data(), 0, scratch.data());
    std::vector<int8_t> codes(kDim);
    const double step = k.quantize_i8(q.data(), kDim, codes.data(), kDim).step;
    naive::Doubles query;
    for (const int8_t code : codes) query.push_back(code * step);
    const auto expected =
        naive::attention(query, {rows.begin(), rows.begin() + n}, {rows.begin() + n, rows.end()});
    // Values are below 4; weights are off by half of 1 / 16256 of the largest, and their sum is not
    // below the largest.
    const double bound = 4 * (static_cast<double>(n) * 0.5 / 16256 + 64 * kUlp);
    for (size_t d = 0; d < kDim; ++d) REQUIRE(std::fabs(y[d] - expected[d]) <= bound);
  }
}

TEST_CASE("Scalar heads of floats are dot products within their roundings") {
  const KernelTable k = scalar_kernels();
  const size_t n = 320;
  const auto x = values(Values::ordinary, n, 1), row = values(Values::ordinary, n, 2);
  const auto* bytes = reinterpret_cast<const uint8_t*>(row.data());
  float logit = 0;
  k.head_rows({tern::TensorType::f32, bytes, 4 * n, n},
              {x.data(), 0, {nullptr, nullptr, nullptr, 0, 1}}, 0, 1, &logit, 0);
  const double magnitude = naive::dot_magnitude(doubles(row), doubles(x));
  CHECK(roundings(logit, naive::dot(doubles(row), doubles(x)), magnitude) <= n / 16 + 5);
}

TEST_CASE("Scalar rows of floats are decoded exactly") {
  const KernelTable k = scalar_kernels();
  const auto row = values(Values::wide, 100, 2);
  const auto half = finite_halves(100, 3);
  std::vector<float> y(100);
  k.decode_row({tern::TensorType::f32, reinterpret_cast<const uint8_t*>(row.data()), 400, 100}, 0,
               y.data());
  CHECK(y == row);
  const auto* bytes = reinterpret_cast<const uint8_t*>(half.data());
  k.decode_row({tern::TensorType::f16, bytes, 200, 100}, 0, y.data());
  for (size_t i = 0; i < 100; ++i) REQUIRE(y[i] == naive::half_value(half[i]));
  k.decode_row({tern::TensorType::bf16, bytes, 200, 100}, 0, y.data());
  for (size_t i = 0; i < 100; ++i) {
    REQUIRE(std::bit_cast<uint32_t>(y[i]) == uint32_t{half[i]} << 16);
  }
}

namespace {

/// The scale, sub-scale and code of every element of random blocks, and what is taken off it,
/// through the codec.
template <tern::TensorType type>
struct RandomBlocks {
  using Codec = tern::BlockCodec<type>;
  static constexpr size_t kBlocks = 3;
  std::vector<uint8_t> bytes = std::vector<uint8_t>(kBlocks * Codec::kBytes);
  naive::Doubles d, sub, code, less;

  RandomBlocks() {
    SampleRandom random(static_cast<uint64_t>(type));
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.next());
    for (size_t b = 0; b < kBlocks; ++b) {
      uint8_t* block = bytes.data() + b * Codec::kBytes;
      block[Codec::kScaleAt + 1] = static_cast<uint8_t>(0x2D + b);  // about 0.1
      int8_t mins[Codec::kElems / Codec::kSubElems] = {};
      uint16_t dmin_bits = 0;
      if constexpr (type == tern::TensorType::q4_k) {
        block[Codec::kMinScaleAt + 1] = 0xAD;
        Codec::decode_mins(block, mins, dmin_bits);
      }
      int8_t codes[Codec::kElems], subs[Codec::kElems / Codec::kSubElems];
      uint16_t d_bits = 0;
      Codec::decode(block, codes, d_bits, subs);
      for (size_t i = 0; i < Codec::kElems; ++i) {
        d.push_back(naive::half_value(d_bits));
        sub.push_back(subs[i / Codec::kSubElems]);
        code.push_back(codes[i]);
        less.push_back(naive::half_value(dmin_bits) * mins[i / Codec::kSubElems]);
      }
    }
  }
};

template <tern::TensorType type>
void check_decoded_blocks() {
  const RandomBlocks<type> blocks;
  std::vector<float> y(blocks.d.size());
  scalar_kernels().decode_row({type, blocks.bytes.data(), blocks.bytes.size(), y.size()}, 0,
                              y.data());
  for (size_t i = 0; i < y.size(); ++i) {
    const double scale = static_cast<float>(blocks.d[i] * blocks.sub[i]);
    const double value = static_cast<float>(scale * blocks.code[i]);
    REQUIRE(y[i] == static_cast<float>(value - static_cast<float>(blocks.less[i])));
  }
}

template <tern::TensorType type>
void check_block_head() {
  const RandomBlocks<type> blocks;
  const size_t n = blocks.d.size();
  const KernelTable k = scalar_kernels();
  const auto x = values(Values::ordinary, n, 4);
  std::vector<int8_t> high(tern::activation_stride(n)), low(high.size());
  const auto token = k.quantize_i16(x.data(), n, high.data(), low.data(), high.size());
  float logit = 0;
  k.head_rows({type, blocks.bytes.data(), blocks.bytes.size(), n},
              {x.data(), 0, {high.data(), low.data(), &token, high.size(), 1}}, 0, 1, &logit, 0);
  double exact = 0, magnitude = 0;
  for (size_t i = 0; i < n; ++i) {
    const double input = (high[i] * 128 + low[i]) * static_cast<double>(token.step);
    const double weight = blocks.d[i] * blocks.sub[i] * blocks.code[i];
    exact += (weight - blocks.less[i]) * input;
    magnitude += (std::fabs(weight) + std::fabs(blocks.less[i])) * std::fabs(input);
  }
  CHECK(roundings(logit, exact, magnitude) <= 3 * RandomBlocks<type>::kBlocks + 2);
}

}  // namespace

TEST_CASE("Scalar rows of blocks are scale times code, each product rounded") {
  check_decoded_blocks<tern::TensorType::q8_0>();
  check_decoded_blocks<tern::TensorType::q4_0>();
  check_decoded_blocks<tern::TensorType::q4_k>();
  check_decoded_blocks<tern::TensorType::q6_k>();
  check_decoded_blocks<tern::TensorType::tq1_0>();
  check_decoded_blocks<tern::TensorType::tq2_0>();
  check_decoded_blocks<tern::TensorType::q1_0>();
  check_decoded_blocks<tern::TensorType::q2_0>();
  check_decoded_blocks<tern::TensorType::q2_0_g128>();
}

TEST_CASE("Scalar heads of blocks are the exact integer sums of their blocks, scaled") {
  check_block_head<tern::TensorType::q8_0>();
  check_block_head<tern::TensorType::q4_0>();
  check_block_head<tern::TensorType::q4_k>();
  check_block_head<tern::TensorType::q6_k>();
  check_block_head<tern::TensorType::tq1_0>();
  check_block_head<tern::TensorType::tq2_0>();
  check_block_head<tern::TensorType::q1_0>();
  check_block_head<tern::TensorType::q2_0>();
  check_block_head<tern::TensorType::q2_0_g128>();
}

TEST_CASE("Log-probabilities are within a float's rounding of the formula and sum to one") {
  const KernelTable k = scalar_kernels();
  const auto logits = values(Values::ordinary, 257, 5);
  const auto expected = naive::softmax(doubles(logits));
  std::vector<float> scratch(logits.size());
  double total = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    const double p = k.log_prob(logits.data(), logits.size(), i, scratch.data());
    REQUIRE(std::fabs(p - std::log(expected[i])) < 1e-5);
    total += std::exp(p);
  }
  CHECK(std::fabs(total - 1) < 1e-5);
}
