// The registry. Adding an instruction set adds one line to kTables and one to kKnownNames.
#include "tern/kernels/registry.hpp"

#include <cstring>

#include "kernels/tables.hpp"
#include "tern/base/half.hpp"

TERN_NAMESPACE_BEGIN

namespace {

constexpr const KernelTable* kTables[] = {
#if defined(__x86_64__)
    &kAvx512VnniKernels,
    &kAvx2Kernels,
#endif
    &kScalarKernels,
};

// Names of every build, so that a known name on another CPU is "unavailable", not "unknown".
constexpr std::string_view kKnownNames[] = {"scalar", "avx2", "avx512vnni"};

bool is_known(std::string_view isa) {
  for (const std::string_view name : kKnownNames) {
    if (name == isa) return true;
  }
  return false;
}

// A problem small enough for every load: odd sizes, negative and positive values.
struct SelfTest {
  static constexpr size_t kRows = 19;
  static constexpr size_t kCols = 70;
  static constexpr size_t kTokens = 3;
  static constexpr size_t kStride = activation_stride(kCols);

  float x[kTokens][kCols];
  float gain[kCols];
  float normed[kCols];
  alignas(64) int8_t q[kTokens][kStride];
  QuantizedToken tokens[kTokens];
  alignas(64) uint8_t tiles[2 * 5 * 64];
  float scale = 0.03125f;
  float y[kTokens][kRows];
  float act[kRows];
  uint16_t keys[8][kRows];
  float scores[8];
  float mixed[kRows];

  void run(const KernelTable& table) {
    uint32_t state = 1;
    const auto next = [&state] { return (state = state * 1664525u + 1013904223u) >> 8; };
    // Of either sign, of magnitude 1/8 to 1/4, exact without float arithmetic here.
    const auto value = [&next] {
      return f32_from_f16(static_cast<uint16_t>(0xB000u ^ (next() & 0x8BFFu)));
    };
    for (auto& token : x) {
      for (float& v : token) v = value();
    }
    for (float& v : gain) v = value();
    for (uint8_t& byte : tiles) byte = static_cast<uint8_t>(next());
    for (size_t t = 0; t < kTokens; ++t) {
      table.rms_norm(x[t], gain, kCols, 0x1p-17f, normed);
      tokens[t] = table.quantize_i8(normed, kCols, q[t], kStride);
    }
    TernaryView w;
    w.tiles = tiles;
    w.rows = kRows;
    w.cols = kCols;
    w.scales = &scale;
    const ActivationView a{q[0], nullptr, tokens, kStride, kTokens};
    table.multiply_vector(w, a, 0, 2, y[0], kRows);
    table.relu2_mul(y[0], y[1], kRows, act);
    for (size_t j = 0; j < 8; ++j) table.to_f16(normed + j, kRows, keys[j]);
    table.qk_f16(y[2], {keys[0], kRows}, 8, kRows, 0.25f, scores);
    const float sum = table.softmax_exp(scores, 8);
    table.pv_f16(scores, sum, {keys[0], kRows}, 8, kRows, mixed);
  }
};

}  // namespace

std::span<const KernelTable* const> compiled_kernels() { return kTables; }

KernelTable resolve_kernels(const KernelTable& raw) {
  KernelTable table = raw;
#define TERN_KERNEL_SLOT(name, result, parameters) \
  if (table.name == nullptr) table.name = kScalarKernels.name;
  TERN_KERNEL_SLOTS(TERN_KERNEL_SLOT)
#undef TERN_KERNEL_SLOT
  return table;
}

bool passes_self_test(const KernelTable& table) {
  SelfTest expected{};
  SelfTest actual{};
  expected.run(kScalarKernels);
  actual.run(table);
  return std::memcmp(expected.tokens, actual.tokens, sizeof(actual.tokens)) == 0 &&
         std::memcmp(expected.q, actual.q, sizeof(actual.q)) == 0 &&
         std::memcmp(expected.y, actual.y, sizeof(actual.y)) == 0 &&
         std::memcmp(expected.mixed, actual.mixed, sizeof(actual.mixed)) == 0;
}

Result<KernelTable> select_kernels(std::string_view isa) {
  if (!isa.empty() && !is_known(isa)) {
    return Error(Status::isa_unknown, "no such instruction set", isa);
  }
  const CpuFeatureMask available = detect_cpu_features();
  for (const KernelTable* raw : kTables) {
    if (!isa.empty() && isa != raw->isa) continue;
    if ((raw->features & available) != raw->features) continue;
    const KernelTable table = resolve_kernels(*raw);
    if (passes_self_test(table)) return table;
  }
  return Error(Status::isa_unavailable, "instruction set is not available here", isa);
}

TERN_NAMESPACE_END
