// An independent forward pass in double precision, written from the formulas of docs/numerics.md
// and the papers. It shares no code with src/kernels or the engine: triple loops over logical
// weights.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace tern_test {

using Row = std::vector<double>;

/// A linear layer by its meaning: trits and scales, before any packing.
struct LogicalLinear {
  size_t rows = 0;
  size_t cols = 0;
  size_t group_cols = 0;       ///< columns that share a scale; 0: the whole row
  std::vector<int8_t> trits;   // [rows, cols]
  std::vector<float> scales;   // [rows, groups]
  std::vector<float> norm_in;  ///< gain of the input's own norm, [cols]; empty: none

  size_t groups() const { return group_cols == 0 ? 1 : (cols + group_cols - 1) / group_cols; }
  double weight(size_t row, size_t col) const {
    const size_t group = group_cols == 0 ? 0 : col / group_cols;
    return trits[row * cols + col] * static_cast<double>(scales[row * groups() + group]);
  }
};

struct LogicalLayer {
  // An empty gain is a norm that the architecture does not have.
  std::vector<float> attn_norm, attn_sub_norm, ffn_norm, ffn_sub_norm;
  std::vector<float> attn_q_norm, attn_k_norm, post_attention_norm, post_ffw_norm;
  LogicalLinear q, k, v, output, gate, up, down;
};

struct LogicalModel {
  std::string architecture = "bitnet-b1.58";
  size_t model_dim = 0, n_heads = 0, n_kv_heads = 0, head_dim = 0, ffn_dim = 0, vocab_size = 0;
  size_t context_len = 64;
  double eps = 1e-5;
  double input_eps = 1e-5;  ///< of norms at the inputs of linear layers
  double rope_base = 10000;
  size_t window = 0;         ///< positions that a token sees in a layer that slides; 0: none does
  size_t window_period = 6;  ///< every so many layers one does not slide; 0: all slide
  double window_rope_base = 10000;
  bool sub_norms = true;
  bool head_norms = false;
  bool post_norms = false;
  bool input_norms = false;
  bool scales_embedding = false;
  bool relu2 = true;
  bool gelu = false;
  int activation_bits = 8;
  bool int4_inputs = false;  ///< of q, k, v, gate and up: BitNet a4.8
  double output_topk = 1;    ///< share of the output projection's inputs that are kept
  unsigned pooling = 0;      ///< of the file: 0 none, 3 last
  bool rope_halves = true;
  std::vector<float> embedding;  // [vocab_size, model_dim]
  std::vector<float> head;       // the same shape; empty: tied
  std::vector<float> output_norm;
  std::vector<LogicalLayer> layers;

  bool slides(size_t layer) const {
    return window != 0 && !(window_period != 0 && layer % window_period == window_period - 1);
  }
};

/// What the reference leaves out or puts in beside the formulas.
struct ReferenceOptions {
  bool f16_cache = true;   ///< round keys and values to binary16
  bool down_topk = false;  ///< keep the largest inputs of the down projection too: a mistake
};

namespace reference {

/// The nearest binary16 by arithmetic, not by bits.
inline double round_to_f16(double x) {
  if (x == 0) return x;
  int exponent = 0;
  std::frexp(x, &exponent);
  const double unit = std::ldexp(1.0, std::max(exponent, -13) - 11);
  return std::nearbyint(x / unit) * unit;
}

/// x itself where there is no gain.
inline Row rms_norm(const Row& x, const std::vector<float>& gain, double eps) {
  if (gain.empty()) return x;
  double sum = 0;
  for (const double v : x) sum += v * v;
  const double r = 1 / std::sqrt(sum / static_cast<double>(x.size()) + eps);
  Row y(x.size());
  for (size_t i = 0; i < x.size(); ++i) y[i] = x[i] * r * static_cast<double>(gain[i]);
  return y;
}

/// Each head of x by itself, with one gain.
inline void norm_heads(Row& x, const std::vector<float>& gain, size_t head_dim, double eps) {
  for (size_t start = 0; start < x.size(); start += head_dim) {
    const auto at = x.begin() + static_cast<std::ptrdiff_t>(start);
    const Row head = rms_norm(Row(at, at + static_cast<std::ptrdiff_t>(head_dim)), gain, eps);
    std::copy(head.begin(), head.end(), at);
  }
}

/// Absmax quantization: integers of int8, or of two planes of it, and their step.
struct Quantized {
  std::vector<int> q;
  double step = 0;
};
inline Quantized quantize(const Row& x, int bits) {
  double absmax = 1e-5;
  for (const double v : x) absmax = std::max(absmax, std::fabs(v));
  const double largest = bits == 8 ? 127 : 127 * 128;
  Quantized out;
  out.step = absmax / largest;
  for (const double v : x)
    out.q.push_back(static_cast<int>(std::nearbyint(v * (largest / absmax))));
  return out;
}

/// int4 by the mean magnitude: BitNet a4.8, equation 7.
inline Quantized quantize_absmean(const Row& x) {
  double sum = 0;
  for (const double v : x) sum += std::fabs(v);
  const double beta = std::max(sum / static_cast<double>(x.size()), 1e-5);
  Quantized out;
  out.step = beta / std::sqrt(7.0);
  for (const double v : x) {
    const double code = std::nearbyint(v * (std::sqrt(7.0) / beta));
    out.q.push_back(static_cast<int>(std::clamp(code, -8.0, 7.0)));
  }
  return out;
}

/// The largest magnitudes of a row, the first of equal ones; the rest zero.
inline Row largest(const Row& x, double share) {
  std::vector<size_t> order(x.size());
  for (size_t i = 0; i < x.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::fabs(x[a]) > std::fabs(x[b]) || (std::fabs(x[a]) == std::fabs(x[b]) && a < b);
  });
  Row y(x.size());
  for (size_t i = 0; i < static_cast<size_t>(share * static_cast<double>(x.size())); ++i) {
    y[order[i]] = x[order[i]];
  }
  return y;
}

/// A linear layer: its input's own norm, quantization (by the mean magnitude where `is_int4`), the
/// product.
inline Row apply(const LogicalModel& m, const LogicalLinear& w, const Row& input,
                 bool is_int4 = false) {
  const Row normed = rms_norm(input, w.norm_in, m.input_eps);
  const Quantized x = is_int4 ? quantize_absmean(normed) : quantize(normed, m.activation_bits);
  Row y(w.rows);
  for (size_t r = 0; r < w.rows; ++r) {
    double sum = 0;
    for (size_t c = 0; c < w.cols; ++c) sum += w.weight(r, c) * x.q[c];
    y[r] = sum * x.step;
  }
  return y;
}

inline double activate(const LogicalModel& m, double gate) {
  if (m.relu2) return std::pow(std::max(gate, 0.0), 2);
  if (!m.gelu) return gate / (1 + std::exp(-gate));
  const double inner = std::sqrt(2 / std::acos(-1.0)) * (gate + 0.044715 * std::pow(gate, 3));
  return 0.5 * gate * (1 + std::tanh(inner));
}

inline void rotate(Row& x, size_t head_dim, size_t position, double base, bool halves) {
  for (size_t start = 0; start < x.size(); start += head_dim) {
    for (size_t p = 0; p < head_dim / 2; ++p) {
      const double exponent = -2.0 * static_cast<double>(p) / static_cast<double>(head_dim);
      const double angle = static_cast<double>(position) * std::pow(base, exponent);
      const size_t i = start + (halves ? p : 2 * p);
      const size_t j = start + (halves ? p + head_dim / 2 : 2 * p + 1);
      const double a = x[i];
      const double b = x[j];
      x[i] = a * std::cos(angle) - b * std::sin(angle);
      x[j] = a * std::sin(angle) + b * std::cos(angle);
    }
  }
}

/// Attention of one query over the positions so far, or the last `window` of them.
/// Shapes: keys, values [positions][kv_dim].
inline Row attend(const LogicalModel& m, const Row& q, std::vector<Row> keys,
                  std::vector<Row> values, size_t window) {
  if (window != 0 && keys.size() > window) {
    const auto hidden = static_cast<std::ptrdiff_t>(keys.size() - window);
    keys.erase(keys.begin(), keys.begin() + hidden);
    values.erase(values.begin(), values.begin() + hidden);
  }
  Row out(m.n_heads * m.head_dim);
  for (size_t head = 0; head < m.n_heads; ++head) {
    const size_t at = head * m.head_dim;
    const size_t kv_at = head / (m.n_heads / m.n_kv_heads) * m.head_dim;
    Row weights(keys.size());
    for (size_t j = 0; j < keys.size(); ++j) {
      for (size_t d = 0; d < m.head_dim; ++d) weights[j] += q[at + d] * keys[j][kv_at + d];
      weights[j] /= std::sqrt(static_cast<double>(m.head_dim));
    }
    const double largest = *std::max_element(weights.begin(), weights.end());
    double sum = 0;
    for (double& w : weights) sum += w = std::exp(w - largest);
    for (size_t j = 0; j < keys.size(); ++j) {
      for (size_t d = 0; d < m.head_dim; ++d)
        out[at + d] += weights[j] / sum * values[j][kv_at + d];
    }
  }
  return out;
}

}  // namespace reference

/// What the final norm makes of every token of a text. Shapes: [tokens][model_dim].
inline std::vector<Row> reference_states(const LogicalModel& m, const std::vector<int>& tokens,
                                         const ReferenceOptions& options = {}) {
  using namespace reference;
  std::vector<std::vector<Row>> keys(m.layers.size());
  std::vector<std::vector<Row>> values(m.layers.size());
  std::vector<Row> states;
  for (size_t position = 0; position < tokens.size(); ++position) {
    const float* embedded =
        m.embedding.data() + static_cast<size_t>(tokens[position]) * m.model_dim;
    Row h(embedded, embedded + m.model_dim);
    if (m.scales_embedding) {
      for (double& v : h) v *= std::sqrt(static_cast<double>(m.model_dim));
    }
    for (size_t l = 0; l < m.layers.size(); ++l) {
      const LogicalLayer& w = m.layers[l];
      const Row a = rms_norm(h, w.attn_norm, m.eps);
      Row q = apply(m, w.q, a, m.int4_inputs);
      Row k = apply(m, w.k, a, m.int4_inputs);
      Row v = apply(m, w.v, a, m.int4_inputs);
      norm_heads(q, w.attn_q_norm, m.head_dim, m.eps);
      norm_heads(k, w.attn_k_norm, m.head_dim, m.eps);
      const double base = m.slides(l) ? m.window_rope_base : m.rope_base;
      rotate(q, m.head_dim, position, base, m.rope_halves);
      rotate(k, m.head_dim, position, base, m.rope_halves);
      if (options.f16_cache) {
        std::transform(k.begin(), k.end(), k.begin(), round_to_f16);
        std::transform(v.begin(), v.end(), v.begin(), round_to_f16);
      }
      keys[l].push_back(k);
      values[l].push_back(v);
      const Row seen = attend(m, q, keys[l], values[l], m.slides(l) ? m.window : 0);
      Row mixed = rms_norm(seen, w.attn_sub_norm, m.eps);
      if (m.output_topk < 1) mixed = largest(mixed, m.output_topk);
      const Row attention = rms_norm(apply(m, w.output, mixed), w.post_attention_norm, m.eps);
      for (size_t i = 0; i < h.size(); ++i) h[i] += attention[i];

      const Row f = rms_norm(h, w.ffn_norm, m.eps);
      Row z = apply(m, w.gate, f, m.int4_inputs);
      const Row up = apply(m, w.up, f, m.int4_inputs);
      for (size_t i = 0; i < z.size(); ++i) z[i] = activate(m, z[i]) * up[i];
      z = rms_norm(z, w.ffn_sub_norm, m.eps);
      if (options.down_topk) z = largest(z, m.output_topk);
      const Row down = rms_norm(apply(m, w.down, z), w.post_ffw_norm, m.eps);
      for (size_t i = 0; i < h.size(); ++i) h[i] += down[i];
    }
    states.push_back(rms_norm(h, m.output_norm, m.eps));
  }
  return states;
}

/// Logits of every token of a text from position 0. Shapes: [tokens][vocab_size].
inline std::vector<Row> reference_logits(const LogicalModel& m, const std::vector<int>& tokens,
                                         const ReferenceOptions& options = {}) {
  const std::vector<float>& head = m.head.empty() ? m.embedding : m.head;
  std::vector<Row> all_logits;
  for (const Row& x : reference_states(m, tokens, options)) {
    Row logits(m.vocab_size);
    for (size_t t = 0; t < m.vocab_size; ++t) {
      for (size_t i = 0; i < m.model_dim; ++i)
        logits[t] += static_cast<double>(head[t * m.model_dim + i]) * x[i];
    }
    all_logits.push_back(std::move(logits));
  }
  return all_logits;
}

/// The embedding of a text: the last token's state, of length 1.
inline Row reference_embedding(const LogicalModel& m, const std::vector<int>& tokens) {
  Row x = reference_states(m, tokens).back();
  double sum = 0;
  for (const double v : x) sum += v * v;
  for (double& v : x) v /= std::sqrt(sum);
  return x;
}

}  // namespace tern_test
