// The vectors of docs/numerics.md on every table of this machine, with equality.
#include <set>
#include <utility>

#include "kernels/product_vectors.hpp"
#include "kernels/quantizer_vectors.hpp"
#include "tern/quant/tensor_type.hpp"

using namespace tern_test;
using tern::KernelTable;
using Line = VectorLine;

namespace {

std::vector<uint16_t> halves(const Floats& values) {
  std::vector<uint16_t> out;
  for (const float v : values) {
    out.push_back(tern::f16_from_f32(v));
    REQUIRE(tern::f32_from_f16(out.back()) == v);  // the document gives values of binary16
  }
  return out;
}
tern::TensorType row_type(const std::string& name) {
  constexpr std::pair<const char*, tern::TensorType> kTypes[] = {
      {"f32", tern::TensorType::f32},     {"f16", tern::TensorType::f16},
      {"bf16", tern::TensorType::bf16},   {"q8_0", tern::TensorType::q8_0},
      {"q4_0", tern::TensorType::q4_0},   {"q6_k", tern::TensorType::q6_k},
      {"tq1_0", tern::TensorType::tq1_0}, {"tq2_0", tern::TensorType::tq2_0},
      {"i8", tern::TensorType::i8},       {"q4_k", tern::TensorType::q4_k},
      {"i2_s", tern::TensorType::i2_s},   {"q1_0", tern::TensorType::q1_0},
      {"q2_0", tern::TensorType::q2_0},   {"q2_0_g128", tern::TensorType::q2_0_g128}};
  for (const auto& type : kTypes) {
    if (name == type.first) return type.second;
  }
  FAIL("no such row type: " << name);
  return tern::TensorType::f32;
}

bool rms_norm(const KernelTable& k, const Line& l) {
  const Floats x = l.floats("x"), gain = l.floats("gain");
  Floats y(x.size());
  return k.rms_norm(x.data(), gain.data(), x.size(), l.floats("eps")[0], y.data()) &&
         same(y, l.floats("->y"));
}
bool l2_normalize(const KernelTable& k, const Line& l) {
  Floats x = l.floats("x");
  const bool finite = k.l2_normalize(x.data(), x.size(), x.data());
  if (l.is_non_finite()) return !finite;
  return finite && same(x, l.floats("->y"));
}
// exp(x) is the weight of a logit x beside a logit 0; where x <= 0, also its share in a softmax.
bool exp_of(const KernelTable& k, const Line& l) {
  const Floats x = l.floats("x"), expected = l.floats("->y");
  bool good = x.size() == expected.size();
  for (size_t i = 0; i < x.size(); ++i) {
    const float logits[2] = {0.0f, x[i]};
    float weights[2] = {};
    k.sampling_weights(logits, 2, 1.0f, weights);
    good = good && same({weights[1]}, {expected[i]});
    if (!(x[i] <= 0) || !tern::is_finite(x[i])) continue;
    float s[2] = {0.0f, x[i]};
    k.softmax_exp(s, 2);
    good = good && same({s[1]}, {expected[i]});
  }
  return good;
}
bool gated(const Line& l, void (*slot)(const float*, const float*, size_t, float*)) {
  const Floats gate = l.floats("gate"), up = l.floats("up");
  Floats y(gate.size());
  slot(gate.data(), up.data(), y.size(), y.data());
  if (l.is_non_finite()) {
    for (const float v : y) {
      if (tern::is_finite(v)) return false;
    }
    return true;
  }
  return same(y, l.floats("->y"));
}
bool relu2_mul(const KernelTable& k, const Line& l) { return gated(l, k.relu2_mul); }
bool silu_mul(const KernelTable& k, const Line& l) { return gated(l, k.silu_mul); }
bool gelu_mul(const KernelTable& k, const Line& l) { return gated(l, k.gelu_mul); }
bool scale(const KernelTable& k, const Line& l) {
  Floats x = l.floats("x");
  k.scale(l.floats("factor")[0], x.size(), x.data());
  return same(x, l.floats("->x"));
}
bool embedding_scale(const KernelTable& k, const Line& l) {
  const auto model_dim = static_cast<size_t>(l.integers("model_dim")[0]);
  return same({k.embedding_scale(model_dim)}, l.floats("->y"));
}
bool add(const KernelTable& k, const Line& l) {
  Floats y = l.floats("y");
  k.add(l.floats("x").data(), y.size(), y.data());
  return same(y, l.floats("->y"));
}
bool rope_angles(const KernelTable& k, const Line& l) {
  const auto dim = static_cast<size_t>(l.integers("dim")[0]);
  const Floats factors = l.has("factors") ? l.floats("factors") : Floats();
  std::vector<double> inv_freq(dim / 2);
  k.rope_frequencies(l.doubles("base")[0],
                     l.has("linear_factor") ? l.doubles("linear_factor")[0] : 1.0,
                     factors.empty() ? nullptr : factors.data(), dim, inv_freq.data());
  Floats cos(dim / 2), sin(dim / 2);
  k.rope_angles(static_cast<uint32_t>(l.integers("position")[0]), inv_freq.data(), dim / 2,
                cos.data(), sin.data());
  return same(cos, l.floats("->cos")) && same(sin, l.floats("->sin"));
}
bool rotated(const Line& l, void (*slot)(float*, const float*, const float*, size_t)) {
  Floats x = l.floats("x");
  slot(x.data(), l.floats("cos").data(), l.floats("sin").data(), x.size() / 2);
  return same(x, l.floats("->x"));
}
bool rope_halves(const KernelTable& k, const Line& l) { return rotated(l, k.rope_halves); }
bool rope_pairs(const KernelTable& k, const Line& l) { return rotated(l, k.rope_pairs); }
bool to_f16(const KernelTable& k, const Line& l) {
  const Floats x = l.floats("x");
  std::vector<uint16_t> y(x.size());
  const bool finite = k.to_f16(x.data(), x.size(), y.data());
  if (l.is_non_finite()) return !finite;
  return finite && integers(y.data(), y.size()) == l.integers("->y");
}
bool to_i8(const KernelTable& k, const Line& l) {
  const Floats x = l.floats("x");
  std::vector<int8_t> y(x.size());
  uint16_t unit = 0;
  const bool finite = k.to_i8(x.data(), x.size(), y.data(), &unit);
  if (l.is_non_finite()) return !finite;
  return finite && integers(y.data(), y.size()) == l.integers("->y") &&
         same({tern::f32_from_f16(unit)}, l.floats("->unit"));
}
std::vector<int8_t> bytes_of(const std::vector<int64_t>& values) {
  std::vector<int8_t> out;
  for (const int64_t v : values) out.push_back(static_cast<int8_t>(v));
  return out;
}
/// One token and one head over all positions of the line.
bool attends(const KernelTable& k, const Line& l, tern::AttentionView a, size_t n) {
  const Floats q = l.floats("q");
  a.q = q.data();
  a.n_tokens = a.n_heads = 1;
  a.position = n - 1;
  a.dim = a.keys.stride = a.values.stride = q.size();
  a.scale = l.floats("scale")[0];
  Floats y(q.size());
  GuardedBuffer<uint8_t> scratch(k.attention_scratch_bytes(1, 1, n, a.dim));
  k.attend(a, y.data(), 0, scratch.data());
  return same(y, l.floats("->y"));
}
bool attend_f16(const KernelTable& k, const Line& l) {
  const auto keys = halves(l.floats("keys")), values = halves(l.floats("values"));
  tern::AttentionView a;
  a.keys.data = keys.data();
  a.values.data = values.data();
  return attends(k, l, a, keys.size() / l.floats("q").size());
}
bool attend_i8(const KernelTable& k, const Line& l) {
  const auto keys = bytes_of(l.integers("keys")), values = bytes_of(l.integers("values"));
  const auto key_units = halves(l.floats("key_units"));
  const auto value_units = halves(l.floats("value_units"));
  tern::AttentionView a;
  a.keys = {tern::CacheType::i8, keys.data(), 0, key_units.data()};
  a.values = {tern::CacheType::i8, values.data(), 0, value_units.data()};
  return attends(k, l, a, key_units.size());
}
bool attention_scale(const KernelTable& k, const Line& l) {
  const auto head_dim = static_cast<size_t>(l.integers("head_dim")[0]);
  return same({k.attention_scale(head_dim)}, l.floats("->y"));
}
bool qk_f16(const KernelTable& k, const Line& l) {
  const Floats q = l.floats("q");
  const auto keys = halves(l.floats("keys"));
  Floats scores(keys.size() / q.size());
  k.qk_f16(q.data(), {tern::CacheType::f16, keys.data(), q.size()}, scores.size(), q.size(),
           l.floats("scale")[0], scores.data());
  return same(scores, l.floats("->scores"));
}
bool softmax_exp(const KernelTable& k, const Line& l) {
  Floats s = l.floats("s");
  const float sum = k.softmax_exp(s.data(), s.size());
  if (l.is_non_finite()) return !tern::is_finite(sum) && same(s, l.floats("s"));
  return same(s, l.floats("->s")) && same({sum}, l.floats("->sum"));
}
bool pv_f16(const KernelTable& k, const Line& l) {
  const Floats weights = l.floats("weights");
  const auto cached = halves(l.floats("values"));
  Floats y(cached.size() / weights.size());
  k.pv_f16(weights.data(), l.floats("sum")[0], {tern::CacheType::f16, cached.data(), y.size()},
           weights.size(), y.size(), y.data());
  return same(y, l.floats("->y"));
}
bool decode_row(const KernelTable& k, const Line& l) {
  const Bytes row = l.bytes("row");
  const Floats unit = l.has("unit") ? l.floats("unit") : Floats();
  Floats y(l.floats("->y").size());
  k.decode_row({row_type(l.word("type")), row.data(), row.size(), y.size(), unit.data(),
                unit.empty() ? 0 : unit[0]},
               0, y.data());
  return same(y, l.floats("->y"));
}
bool encode_row(const KernelTable& k, const Line& l) {
  const Floats x = l.floats("x");
  const Bytes expected = l.bytes("->row");
  Bytes row(expected.size());
  float unit = 0;
  k.encode_row(row_type(l.word("type")), x.data(), x.size(), row.data(), &unit);
  return row == expected && (!l.has("->unit") || same({unit}, l.floats("->unit")));
}
bool head_rows(const KernelTable& k, const Line& l) {
  const Bytes row = l.bytes("row");
  const Floats x = l.floats("x");
  const Floats unit = l.has("unit") ? l.floats("unit") : Floats();
  std::vector<int8_t> high(tern::activation_stride(x.size())), low(high.size());
  const tern::QuantizedToken token =
      k.quantize_i16(x.data(), x.size(), high.data(), low.data(), high.size());
  const tern::HeadView head{
      row_type(l.word("type")),  row.data(), row.size(), x.size(), unit.data(),
      unit.empty() ? 0 : unit[0]};
  float logit = 0;
  k.head_rows(head, {x.data(), 0, {high.data(), low.data(), &token, high.size(), 1}}, 0, 1, &logit,
              0);
  return same({logit}, l.floats("->logits"));
}
bool plane_bounds(const KernelTable& k, const Line& l) {
  const Bytes row = l.bytes("row");
  const Floats x = l.floats("x");
  const Floats unit = l.floats("unit");
  std::vector<int8_t> high(tern::activation_stride(x.size())), low(high.size());
  const tern::QuantizedToken token =
      k.quantize_i16(x.data(), x.size(), high.data(), low.data(), high.size());
  const tern::ActivationView a{high.data(), low.data(), &token, high.size(), 1};
  const auto* codes = reinterpret_cast<const int8_t*>(row.data());
  Bytes planes(*tern::planes_bytes(x.size(), 1));
  tern::store_plane_row(codes, x.size(), 0, planes.data());
  Floats rests;
  for (size_t known = 1; known < tern::kPlanes; ++known) {
    rests.push_back(k.plane_norm(tern::plane_rest_squares(codes, x.size(), known)));
  }
  const tern::HeadView head{tern::TensorType::i8_planes,
                            planes.data(),
                            planes.size(),
                            x.size(),
                            unit.data(),
                            0,
                            rests.data()};
  const double reach = k.plane_reach(a, x.size(), l.has("likely") && l.integers("likely")[0] != 0);
  double dot = 0;
  Floats lows(tern::kPlanes), highs(tern::kPlanes);
  for (size_t plane = 0; plane < tern::kPlanes; ++plane) {
    k.plane_dots(head, plane, a, nullptr, 0, 1, &dot);
    k.plane_bounds(head, plane + 1, a, reach, nullptr, 0, 1, &dot, &lows[plane], &highs[plane]);
  }
  return same(lows, l.floats("->lows")) && same(highs, l.floats("->highs"));
}
bool absmean(const KernelTable& k, const Line& l) {
  const std::vector<uint8_t> rows = l.bytes("rows");
  const auto n_rows = static_cast<size_t>(l.integers("n_rows")[0]);
  const tern::TensorType type = row_type(l.word("type"));
  const size_t row_bytes = rows.size() / n_rows;
  const size_t cols = row_bytes / tern::type_info(type).block_bytes;
  const tern::HeadView table{type, rows.data(), row_bytes, cols};
  std::vector<double> sums;
  for (size_t row = 0; row < n_rows; ++row) sums.push_back(k.sum_magnitudes(table, row));
  const tern::AbsmeanScale out = k.absmean_scale(sums.data(), n_rows, n_rows * cols);
  if (l.is_non_finite()) return out.scale == 0.0f;
  return sums == l.doubles("->sums") && same({out.scale}, l.floats("->scale")) &&
         same({out.largest_zero}, l.floats("->largest_zero"));
}
bool reciprocal(const KernelTable& k, const Line& l) {
  return same({k.reciprocal(l.floats("x")[0])}, l.floats("->y"));
}
bool all_finite(const KernelTable& k, const Line& l) {
  const Floats x = l.floats("x");
  const bool finite = k.all_finite(x.data(), x.size());
  if (l.is_non_finite()) return !finite;
  return finite && l.integers("->finite")[0] == 1;
}
bool penalize(const KernelTable& k, const Line& l) {
  Floats logits = l.floats("l");
  for (float& v : logits) v = k.penalize(v, l.floats("penalty")[0]);
  return same(logits, l.floats("->l"));
}
bool sampling_weights(const KernelTable& k, const Line& l) {
  const Floats logits = l.floats("logits");
  Floats weights(logits.size());
  k.sampling_weights(logits.data(), logits.size(), l.floats("temperature")[0], weights.data());
  return same(weights, l.floats("->weights"));
}
bool counted(const Line& l, size_t (*slot)(const float*, size_t, float)) {
  const Floats weights = l.floats("weights");
  const size_t count = slot(weights.data(), weights.size(), l.floats("p")[0]);
  return static_cast<int64_t>(count) == l.integers("->count")[0];
}
bool top_p(const KernelTable& k, const Line& l) { return counted(l, k.top_p_count); }
bool min_p(const KernelTable& k, const Line& l) { return counted(l, k.min_p_count); }
bool draw(const KernelTable& k, const Line& l) {
  const Floats weights = l.floats("weights");
  const uint64_t bits = std::stoull(l.word("bits"), nullptr, 0);
  return static_cast<int64_t>(k.draw(weights.data(), weights.size(), bits)) ==
         l.integers("->index")[0];
}
bool log_prob(const KernelTable& k, const Line& l) {
  const Floats logits = l.floats("logits");
  Floats scratch(logits.size());
  const auto index = static_cast<size_t>(l.integers("index")[0]);
  const double y = k.log_prob(logits.data(), logits.size(), index, scratch.data());
  if (l.is_non_finite()) return y != y;
  return y == l.doubles("->y")[0];
}

struct Operation {
  const char* name;
  bool (*holds)(const KernelTable&, const Line&);
};
constexpr Operation kOperations[] = {
    {"rms_norm", rms_norm},
    {"l2_normalize", l2_normalize},
    {"quantize_i8", quantize_i8},
    {"quantize_i16", quantize_i16},
    {"norm_quantize_i8", norm_quantize_i8},
    {"norm_quantize_i16", norm_quantize_i16},
    {"quantize_i4", quantize_i4},
    {"norm_quantize_i4", norm_quantize_i4},
    {"keep_largest", keep_largest},
    {"to_packed", to_packed},
    {"multiply", multiply},
    {"exp", exp_of},
    {"relu2_mul", relu2_mul},
    {"silu_mul", silu_mul},
    {"gelu_mul", gelu_mul},
    {"scale", scale},
    {"embedding_scale", embedding_scale},
    {"add", add},
    {"rope_angles", rope_angles},
    {"rope_halves", rope_halves},
    {"rope_pairs", rope_pairs},
    {"to_f16", to_f16},
    {"to_i8", to_i8},
    {"attend_f16", attend_f16},
    {"attend_i8", attend_i8},
    {"attention_scale", attention_scale},
    {"qk_f16", qk_f16},
    {"softmax_exp", softmax_exp},
    {"pv_f16", pv_f16},
    {"decode_row", decode_row},
    {"encode_row", encode_row},
    {"head_rows", head_rows},
    {"plane_bounds", plane_bounds},
    {"absmean", absmean},
    {"reciprocal", reciprocal},
    {"all_finite", all_finite},
    {"penalize", penalize},
    {"sampling_weights", sampling_weights},
    {"top_p", top_p},
    {"min_p", min_p},
    {"draw", draw},
    {"log_prob", log_prob},
};

}  // namespace

TEST_CASE("Every vector of the numerics document holds on every table") {
  const auto lines = read_vector_lines(TERN_SOURCE_DIR "/docs/numerics.md");
  REQUIRE(lines.size() > 40);
  std::set<std::string> seen;
  for (const Line& line : lines) {
    INFO("docs/numerics.md:" << line.number << ": " << line.text);
    const Operation* operation = nullptr;
    for (const Operation& candidate : kOperations) {
      if (line.operation == candidate.name) operation = &candidate;
    }
    REQUIRE(operation != nullptr);
    seen.insert(line.operation);
    for (const KernelTable& table : runnable_kernels()) {
      INFO(table.isa);
      CHECK(operation->holds(table, line));
    }
    CHECK(line.unread() == "");
  }
  for (const Operation& operation : kOperations) {
    INFO(operation.name);
    CHECK(seen.count(operation.name) == 1);
  }
}
