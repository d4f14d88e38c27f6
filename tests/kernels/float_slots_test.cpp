// Every float slot of every table gives the bits of `scalar`, within the stated bounds of memory.
#include <functional>

#include "kernels/kernel_cases.hpp"

using namespace tern_test;
using tern::KernelTable;

namespace {

constexpr float kEps = 1e-5f;

struct FloatCase {
  size_t n;
  Values kind;
  uint64_t seed;
  GuardedBuffer<float> input(uint64_t which) const { return values(kind, n, seed * 8 + which); }
};

Bytes run_rms_norm(const KernelTable& k, const FloatCase& c) {
  const auto x = c.input(0), gain = c.input(1);
  GuardedBuffer<float> y(c.n);
  Bytes out;
  const bool finite = k.rms_norm(x.data(), gain.data(), c.n, kEps, y.data());
  append(out, finite);
  if (finite) append(out, y);
  return out;
}

Bytes run_l2_normalize(const KernelTable& k, const FloatCase& c) {
  const auto x = c.input(0);
  GuardedBuffer<float> y(c.n);
  Bytes out;
  const bool finite = k.l2_normalize(x.data(), c.n, y.data());
  append(out, finite);
  if (finite) append(out, y);
  return out;
}

using Quantize = tern::QuantizedToken (*)(const float*, size_t, int8_t*, size_t);

Bytes run_quantize(Quantize quantize, const FloatCase& c) {
  const auto x = c.input(0);
  GuardedBuffer<int8_t> q(tern::activation_stride(c.n));
  q.fill(99);
  const tern::QuantizedToken token = quantize(x.data(), c.n, q.data(), q.size());
  Bytes out;
  append(out, token.finite);
  if (token.finite == 0) return out;
  append(out, token);
  append(out, q);
  return out;
}

Bytes run_quantize_i8(const KernelTable& k, const FloatCase& c) {
  return run_quantize(k.quantize_i8, c);
}
Bytes run_quantize_i4(const KernelTable& k, const FloatCase& c) {
  return run_quantize(k.quantize_i4, c);
}

Bytes run_keep_largest(const KernelTable& k, const FloatCase& c) {
  Bytes out;
  for (const size_t keep : {size_t{1}, (c.n + 1) / 2, c.n}) {
    auto x = c.input(0);
    k.keep_largest(x.data(), c.n, keep);
    append(out, x);
  }
  return out;
}

Bytes run_quantize_i16(const KernelTable& k, const FloatCase& c) {
  const auto x = c.input(0);
  GuardedBuffer<int8_t> high(tern::activation_stride(c.n)), low(tern::activation_stride(c.n));
  high.fill(99);
  low.fill(99);
  const tern::QuantizedToken token =
      k.quantize_i16(x.data(), c.n, high.data(), low.data(), high.size());
  Bytes out;
  append(out, token.finite);
  if (token.finite == 0) return out;
  append(out, token);
  append(out, high);
  append(out, low);
  return out;
}

Bytes run_add(const KernelTable& k, const FloatCase& c) {
  const auto x = c.input(0);
  auto y = c.input(1);
  k.add(x.data(), c.n, y.data());
  Bytes out;
  append(out, y);
  return out;
}

Bytes run_gated(const KernelTable& k, const FloatCase& c,
                void (*KernelTable::*slot)(const float*, const float*, size_t, float*)) {
  auto gate = c.input(0), up = c.input(1);
  GuardedBuffer<float> y(c.n);
  Bytes out;
  (k.*slot)(gate.data(), up.data(), c.n, y.data());
  append(out, y);
  // In place over either input.
  (k.*slot)(gate.data(), up.data(), c.n, gate.data());
  append(out, gate);
  gate = c.input(0);
  (k.*slot)(gate.data(), up.data(), c.n, up.data());
  append(out, up);
  return out;
}
Bytes run_relu2_mul(const KernelTable& k, const FloatCase& c) {
  return run_gated(k, c, &KernelTable::relu2_mul);
}
Bytes run_silu_mul(const KernelTable& k, const FloatCase& c) {
  return run_gated(k, c, &KernelTable::silu_mul);
}

Bytes run_gelu_mul(const KernelTable& k, const FloatCase& c) {
  return run_gated(k, c, &KernelTable::gelu_mul);
}
Bytes run_scale(const KernelTable& k, const FloatCase& c) {
  auto x = c.input(0);
  k.scale(25.298222f, c.n, x.data());
  Bytes out;
  append(out, x);
  return out;
}

Bytes run_rope(const KernelTable& k, const FloatCase& c,
               void (*KernelTable::*slot)(float*, const float*, const float*, size_t)) {
  auto x = GuardedBuffer<float>(values(c.kind, 2 * c.n, c.seed));
  const auto cos = c.input(1), sin = c.input(2);
  (k.*slot)(x.data(), cos.data(), sin.data(), c.n);
  Bytes out;
  append(out, x);
  return out;
}
Bytes run_rope_halves(const KernelTable& k, const FloatCase& c) {
  return run_rope(k, c, &KernelTable::rope_halves);
}
Bytes run_rope_pairs(const KernelTable& k, const FloatCase& c) {
  return run_rope(k, c, &KernelTable::rope_pairs);
}

Bytes run_to_f16(const KernelTable& k, const FloatCase& c) {
  const auto x = c.input(0);
  GuardedBuffer<uint16_t> y(c.n);
  Bytes out;
  append(out, k.to_f16(x.data(), c.n, y.data()));
  for (size_t i = 0; i < c.n; ++i) append(out, tern::f32_from_f16(y[i]));
  return out;
}

Bytes run_softmax(const KernelTable& k, const FloatCase& c) {
  auto s = c.input(0);
  Bytes out;
  append(out, k.softmax_exp(s.data(), c.n));
  append(out, s);
  return out;
}

Bytes run_all_finite(const KernelTable& k, const FloatCase& c) {
  const auto x = c.input(0);
  Bytes out;
  append(out, k.all_finite(x.data(), c.n));
  return out;
}

// n is the width of a head; positions vary around the chunk of 256.
Bytes run_attention(const KernelTable& k, const FloatCase& c) {
  Bytes out;
  const auto q = c.input(0);
  for (const size_t positions : {1, 3, 256, 300}) {
    const size_t stride = c.n + positions % 2 * 5;
    const size_t size = (positions - 1) * stride + c.n;
    const GuardedBuffer<uint16_t> cache(finite_halves(size, c.seed));
    GuardedBuffer<float> scores(positions);
    k.qk_f16(q.data(), {tern::CacheType::f16, cache.data(), stride}, positions, c.n, 0.125f,
             scores.data());
    append(out, scores);
    const GuardedBuffer<float> weights(values(c.kind, positions, c.seed + 1));
    GuardedBuffer<float> y(c.n);
    k.pv_f16(weights.data(), 3.0f, {tern::CacheType::f16, cache.data(), stride}, positions, c.n,
             y.data());
    append(out, y);
  }
  return out;
}

using NormQuantize = tern::QuantizedToken (*)(const float*, const float*, size_t, float, int8_t*,
                                              size_t);

Bytes run_norm_quantize(NormQuantize norm_quantize, const FloatCase& c) {
  const auto x = c.input(0), gain = c.input(1);
  GuardedBuffer<int8_t> q(tern::activation_stride(c.n));
  q.fill(1);
  const tern::QuantizedToken token =
      norm_quantize(x.data(), gain.data(), c.n, kEps, q.data(), q.size());
  Bytes out;
  append(out, token);
  if (token.finite != 0) append(out, q);
  return out;
}
Bytes run_norm_quantize_i8(const KernelTable& k, const FloatCase& c) {
  return run_norm_quantize(k.norm_quantize_i8, c);
}
Bytes run_norm_quantize_i4(const KernelTable& k, const FloatCase& c) {
  return run_norm_quantize(k.norm_quantize_i4, c);
}

Bytes run_norm_quantize_i16(const KernelTable& k, const FloatCase& c) {
  const auto x = c.input(0), gain = c.input(1);
  GuardedBuffer<int8_t> high(tern::activation_stride(c.n)), low(tern::activation_stride(c.n));
  high.fill(1);
  low.fill(1);
  const tern::QuantizedToken token =
      k.norm_quantize_i16(x.data(), gain.data(), c.n, kEps, high.data(), low.data(), high.size());
  Bytes out;
  append(out, token);
  if (token.finite == 0) return out;
  append(out, high);
  append(out, low);
  return out;
}

Bytes run_to_i8(const KernelTable& k, const FloatCase& c) {
  const auto x = c.input(0);
  GuardedBuffer<int8_t> y(c.n);
  uint16_t unit = 0;
  Bytes out;
  append(out, k.to_i8(x.data(), c.n, y.data(), &unit));
  append(out, unit);
  append(out, y);
  return out;
}

struct FloatSlot {
  const char* name;
  Bytes (*run)(const KernelTable&, const FloatCase&);
};
constexpr FloatSlot kFloatSlots[] = {
    {"rms_norm", run_rms_norm},
    {"l2_normalize", run_l2_normalize},
    {"quantize_i8", run_quantize_i8},
    {"quantize_i16", run_quantize_i16},
    {"norm_quantize_i8", run_norm_quantize_i8},
    {"norm_quantize_i16", run_norm_quantize_i16},
    {"quantize_i4", run_quantize_i4},
    {"norm_quantize_i4", run_norm_quantize_i4},
    {"keep_largest", run_keep_largest},
    {"to_i8", run_to_i8},
    {"add", run_add},
    {"relu2_mul", run_relu2_mul},
    {"silu_mul", run_silu_mul},
    {"gelu_mul", run_gelu_mul},
    {"scale", run_scale},
    {"rope_halves", run_rope_halves},
    {"rope_pairs", run_rope_pairs},
    {"to_f16", run_to_f16},
    {"softmax_exp", run_softmax},
    {"all_finite", run_all_finite},
    {"attention", run_attention},
};

}  // namespace

TEST_CASE("Every float slot gives the bits of scalar on every kind of value and length") {
  const KernelTable scalar = scalar_kernels();
  for (const FloatSlot& slot : kFloatSlots) {
    for (const Values kind : kAllValues) {
      for (const size_t n : vector_lengths()) {
        const FloatCase c{n, kind, n * 31 + static_cast<uint64_t>(kind)};
        const Bytes expected = slot.run(scalar, c);
        for (const KernelTable& table : runnable_kernels()) {
          if (slot.run(table, c) == expected) continue;
          FAIL(slot.name << " of " << table.isa << " differs from scalar at n = " << n
                         << ", values " << static_cast<int>(kind));
        }
      }
    }
  }
  SUCCEED();
}

TEST_CASE("Quantizers, the norm and the cache report values that are not finite") {
  for (const KernelTable& table : runnable_kernels()) {
    INFO(table.isa);
    for (const Values kind : {Values::with_infinity, Values::with_nan}) {
      for (const size_t n : {1, 16, 17, 40}) {
        auto x = values(kind, n, n);
        std::vector<float> y(n), gain(n, 1.0f);
        std::vector<int8_t> q(tern::activation_stride(n)), low(q.size());
        std::vector<uint16_t> half(n);
        CHECK_FALSE(table.rms_norm(x.data(), gain.data(), n, kEps, y.data()));
        CHECK_FALSE(table.l2_normalize(x.data(), n, y.data()));
        CHECK(table.quantize_i8(x.data(), n, q.data(), q.size()).finite == 0);
        CHECK(table.quantize_i16(x.data(), n, q.data(), low.data(), q.size()).finite == 0);
        CHECK_FALSE(table.to_f16(x.data(), n, half.data()));
        CHECK_FALSE(table.all_finite(x.data(), n));
        x.assign(n, 1.0f);
        CHECK(table.rms_norm(x.data(), gain.data(), n, kEps, y.data()));
        CHECK(table.l2_normalize(x.data(), n, y.data()));
        CHECK(table.quantize_i8(x.data(), n, q.data(), q.size()).finite == 1);
        CHECK(table.quantize_i16(x.data(), n, q.data(), low.data(), q.size()).finite == 1);
        CHECK(table.to_f16(x.data(), n, half.data()));
        CHECK(table.all_finite(x.data(), n));
        // Finite, but its square and its binary16 are not.
        x.back() = 3e38f;
        CHECK_FALSE(table.rms_norm(x.data(), gain.data(), n, kEps, y.data()));
        CHECK_FALSE(table.l2_normalize(x.data(), n, y.data()));
        CHECK_FALSE(table.to_f16(x.data(), n, half.data()));
        CHECK(table.all_finite(x.data(), n));
      }
    }
  }
}

TEST_CASE("Activations and softmax do not swallow infinities of either sign") {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const KernelTable& table : runnable_kernels()) {
    INFO(table.isa);
    for (const float bad : {infinity, -infinity, std::numeric_limits<float>::quiet_NaN()}) {
      for (const size_t n : {1, 2, 16, 17, 40}) {
        for (const size_t at : {size_t{0}, n / 2, n - 1}) {
          std::vector<float> gate(n, 0.5f), up(n, 0.75f), y(n);
          gate[at] = bad;
          table.relu2_mul(gate.data(), up.data(), n, y.data());
          CHECK_FALSE(tern::is_finite(y[at]));
          table.silu_mul(gate.data(), up.data(), n, y.data());
          CHECK_FALSE(tern::is_finite(y[at]));
          table.gelu_mul(gate.data(), up.data(), n, y.data());
          CHECK_FALSE(tern::is_finite(y[at]));
          CHECK_FALSE(tern::is_finite(table.softmax_exp(gate.data(), n)));
          CHECK_FALSE(gate[at] == 0.0f);
        }
      }
    }
  }
}

TEST_CASE("Rounding to binary16 gives the same halves for all upper bits of a float") {
  for (const KernelTable& table : runnable_kernels()) {
    GuardedBuffer<float> x(33);
    GuardedBuffer<uint16_t> y(33);
    size_t wrong = 0;
    for (uint32_t upper = 0; upper < 0x80000u; upper += 11) {
      for (size_t i = 0; i < 33; ++i) {
        // The bits that decide a tie: just below, at, and just above one half, of both parities.
        const uint32_t lower =
            i < 3 ? 0xFFFu + static_cast<uint32_t>(i) : 0x3Fu * static_cast<uint32_t>(i);
        x[i] = std::bit_cast<float>((upper << 13) + (lower & 0x1FFFu));
      }
      table.to_f16(x.data(), 33, y.data());
      for (size_t i = 0; i < 33; ++i) {
        const uint16_t expected = tern::f16_from_f32(x[i]);
        wrong += y[i] != expected ? 1 : 0;
      }
    }
    INFO(table.isa);
    CHECK(wrong == 0);
  }
}
