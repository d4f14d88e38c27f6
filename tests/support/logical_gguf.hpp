// Logical models to GGUF files in any type, and back; and random ones to test with.
#pragma once

#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "reference/reference_model.hpp"
#include "support/bfloat16.hpp"
#include "support/gguf_writer.hpp"
#include "support/trit_encoder.hpp"
#include "tern/format/gguf.hpp"

namespace tern_test {

/// The linear layers of a block by their names in GGUF.
inline std::vector<std::pair<std::string, LogicalLinear LogicalLayer::*>> linear_names() {
  return {{"attn_q", &LogicalLayer::q},      {"attn_k", &LogicalLayer::k},
          {"attn_v", &LogicalLayer::v},      {"attn_output", &LogicalLayer::output},
          {"ffn_gate", &LogicalLayer::gate}, {"ffn_up", &LogicalLayer::up},
          {"ffn_down", &LogicalLayer::down}};
}
inline std::vector<std::pair<std::string, std::vector<float> LogicalLayer::*>> gain_names(
    const LogicalModel& m) {
  std::vector<std::pair<std::string, std::vector<float> LogicalLayer::*>> names = {
      {"attn_norm", &LogicalLayer::attn_norm}, {"ffn_norm", &LogicalLayer::ffn_norm}};
  if (m.sub_norms) {
    names.emplace_back("attn_sub_norm", &LogicalLayer::attn_sub_norm);
    names.emplace_back("ffn_sub_norm", &LogicalLayer::ffn_sub_norm);
  }
  if (m.head_norms) {
    names.emplace_back("attn_q_norm", &LogicalLayer::attn_q_norm);
    names.emplace_back("attn_k_norm", &LogicalLayer::attn_k_norm);
  }
  if (m.post_norms) {
    names.emplace_back("post_attention_norm", &LogicalLayer::post_attention_norm);
    names.emplace_back("post_ffw_norm", &LogicalLayer::post_ffw_norm);
  }
  return names;
}

/// How many columns share a scale in a random model, and how the scales differ.
enum class RandomScales { tensor, row, group256, group128, group64 };

/// A random model: trits, scales powers of two, gains and embeddings exact in binary16 and
/// bfloat16.
inline LogicalModel random_model(LogicalModel shape, size_t n_layers, uint32_t seed,
                                 RandomScales scales = RandomScales::tensor) {
  LogicalModel m = std::move(shape);
  std::mt19937 rng(seed);
  const auto small = [&rng] {
    return std::ldexp(static_cast<float>(static_cast<int>(rng() % 255) - 127), -6);
  };
  const auto gains = [&](size_t n) {
    std::vector<float> out(n);
    for (float& v : out) v = 0.5f + std::ldexp(static_cast<float>(rng() % 64), -6);
    return out;
  };
  const auto linear = [&](size_t rows, size_t cols) {
    LogicalLinear w;
    w.rows = rows;
    w.cols = cols;
    w.group_cols = scales == RandomScales::group256   ? 256
                   : scales == RandomScales::group128 ? 128
                   : scales == RandomScales::group64  ? 64
                                                      : 0;
    w.trits.resize(rows * cols);
    for (int8_t& t : w.trits) t = static_cast<int8_t>(static_cast<int>(rng() % 3) - 1);
    w.scales.resize(rows * w.groups());
    for (float& s : w.scales) {
      s = std::ldexp(1.0f, scales == RandomScales::tensor ? -5 : -6 + static_cast<int>(rng() % 3));
    }
    return w;
  };
  const auto table = [&] {
    std::vector<float> out(m.vocab_size * m.model_dim);
    for (float& v : out) v = small();
    return out;
  };
  m.embedding = table();
  if (m.architecture == "llama") m.head = table();
  m.output_norm = gains(m.model_dim);
  const size_t q_dim = m.n_heads * m.head_dim;
  const size_t kv_dim = m.n_kv_heads * m.head_dim;
  for (size_t l = 0; l < n_layers; ++l) {
    LogicalLayer layer;
    layer.attn_norm = gains(m.model_dim);
    layer.ffn_norm = gains(m.model_dim);
    if (m.sub_norms) {
      layer.attn_sub_norm = gains(q_dim);
      layer.ffn_sub_norm = gains(m.ffn_dim);
    }
    if (m.head_norms) {
      layer.attn_q_norm = gains(m.head_dim);
      layer.attn_k_norm = gains(m.head_dim);
    }
    if (m.post_norms) {
      layer.post_attention_norm = gains(m.model_dim);
      layer.post_ffw_norm = gains(m.model_dim);
    }
    layer.q = linear(q_dim, m.model_dim);
    layer.k = linear(kv_dim, m.model_dim);
    layer.v = linear(kv_dim, m.model_dim);
    layer.output = linear(m.model_dim, q_dim);
    layer.gate = linear(m.ffn_dim, m.model_dim);
    layer.up = linear(m.ffn_dim, m.model_dim);
    layer.down = linear(m.model_dim, m.ffn_dim);
    for (const auto& named : linear_names()) {
      LogicalLinear& w = layer.*named.second;
      if (m.input_norms) w.norm_in = gains(w.cols);
    }
    m.layers.push_back(std::move(layer));
  }
  return m;
}

inline std::vector<uint8_t> encode_floats(const std::vector<float>& values, tern::TensorType type) {
  std::vector<uint8_t> out;
  for (const float v : values) {
    if (type == tern::TensorType::f32) GgufWriter::put(out, v);
    if (type == tern::TensorType::f16) GgufWriter::put(out, tern::f16_from_f32(v));
    if (type == tern::TensorType::bf16) GgufWriter::put(out, bf16_from_f32(v));
  }
  return out;
}

inline std::vector<uint8_t> encode_linear(const LogicalLinear& w, tern::TensorType type) {
  std::vector<uint8_t> u(w.trits.size());
  for (size_t i = 0; i < u.size(); ++i) u[i] = static_cast<uint8_t>(w.trits[i] + 1);
  const auto scale_of = [&w](size_t element) {
    return std::fabs(w.scales[element / (w.group_cols != 0 ? w.group_cols : w.cols)]);
  };
  auto trits = encode_trits(u, w.cols, type, scale_of);
  if (!trits.empty()) return trits;
  std::vector<float> values(w.trits.size());
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(w.weight(i / w.cols, i % w.cols));
  }
  return encode_floats(values, type);
}

/// A table of floats; in a type of trits, one whose values are -g, 0 and +g of one g.
inline std::vector<uint8_t> encode_table(const std::vector<float>& values, size_t cols,
                                         tern::TensorType type) {
  float largest = 0;
  std::vector<uint8_t> u;
  for (const float v : values) {
    largest = std::max(largest, std::fabs(v));
    u.push_back(static_cast<uint8_t>(v < 0 ? 0 : v > 0 ? 2 : 1));
  }
  auto trits = encode_trits(u, cols, type, [largest](size_t) { return largest; });
  return trits.empty() ? encode_floats(values, type) : trits;
}

/// A writer that holds the whole model; a test may spoil it before build().
inline GgufWriter gguf_of(const LogicalModel& m, tern::TensorType linear_type,
                          tern::TensorType table_type = tern::TensorType::f16,
                          tern::TensorType gain_type = tern::TensorType::f32) {
  GgufWriter writer;
  const std::string a = m.architecture + ".";
  writer.add("general.architecture", m.architecture.c_str());
  writer.add(a + "embedding_length", static_cast<uint32_t>(m.model_dim));
  writer.add(a + "block_count", static_cast<uint32_t>(m.layers.size()));
  writer.add(a + "feed_forward_length", static_cast<uint32_t>(m.ffn_dim));
  writer.add(a + "context_length", static_cast<uint32_t>(m.context_len));
  writer.add(a + "attention.head_count", static_cast<uint32_t>(m.n_heads));
  writer.add(a + "attention.head_count_kv", static_cast<uint32_t>(m.n_kv_heads));
  writer.add(a + "attention.key_length", static_cast<uint32_t>(m.head_dim));
  writer.add(a + "attention.layer_norm_rms_epsilon", static_cast<float>(m.eps));
  if (m.input_eps != m.eps) {
    writer.add("tern.input_norm_epsilon", static_cast<float>(m.input_eps));
  }
  writer.add(a + "rope.freq_base", static_cast<float>(m.rope_base));
  if (m.window != 0) {
    writer.add(a + "attention.sliding_window", static_cast<uint32_t>(m.window));
    writer.add(a + "attention.sliding_window_pattern", static_cast<uint32_t>(m.window_period));
    writer.add(a + "rope.freq_base_swa", static_cast<float>(m.window_rope_base));
  }
  if (m.int4_inputs) {
    writer.add(a + "activation.input_format", "int4_absmean");
    writer.add(a + "activation.output_topk", static_cast<float>(m.output_topk));
    writer.add(a + "activation.topk_position", "after_norm");
    writer.add(a + "activation.epsilon", 1e-5f);
  }
  if (m.pooling != 0) writer.add(a + "pooling_type", static_cast<uint32_t>(m.pooling));
  const auto table = [&](const char* name, const std::vector<float>& values) {
    writer.add_tensor({name,
                       tern::gguf_type_id(table_type),
                       {m.model_dim, m.vocab_size},
                       encode_table(values, m.model_dim, table_type),
                       {}});
  };
  const auto gain = [&](const std::string& name, const std::vector<float>& values) {
    writer.add_tensor({name,
                       tern::gguf_type_id(gain_type),
                       {values.size()},
                       encode_floats(values, gain_type),
                       {}});
  };
  table("token_embd.weight", m.embedding);
  if (!m.head.empty()) table("output.weight", m.head);
  gain("output_norm.weight", m.output_norm);
  for (size_t l = 0; l < m.layers.size(); ++l) {
    const std::string prefix = "blk." + std::to_string(l) + ".";
    for (const auto& [name, member] : gain_names(m))
      gain(prefix + name + ".weight", m.layers[l].*member);
    for (const auto& [name, member] : linear_names()) {
      const LogicalLinear& w = m.layers[l].*member;
      if (m.input_norms) gain(prefix + name + "_norm_in.weight", w.norm_in);
      writer.add_tensor({prefix + name + ".weight",
                         tern::gguf_type_id(linear_type),
                         {w.cols, w.rows},
                         encode_linear(w, linear_type),
                         {}});
    }
  }
  return writer;
}

/// Small shapes that tests share: odd heads, grouped queries, widths that are multiples of 256
/// where block types need them.
inline LogicalModel small_shape(const std::string& architecture = "bitnet-b1.58") {
  LogicalModel m;
  m.architecture = architecture;
  m.model_dim = 256;
  m.n_heads = 4;
  m.n_kv_heads = 2;
  m.head_dim = 64;
  m.ffn_dim = 512;
  m.vocab_size = 70;
  m.gelu = m.post_norms = m.scales_embedding = architecture == "gemma3";
  m.head_norms = architecture == "qwen3" || architecture == "gemma3";
  m.sub_norms = architecture != "llama" && !m.head_norms;
  // Without norms at their inputs, such models were trained with float activations.
  if (m.head_norms) m.activation_bits = 16;
  m.int4_inputs = architecture == "bitnet-a4.8";
  if (m.int4_inputs) m.output_topk = 0.5;
  m.relu2 = m.int4_inputs || architecture == "bitnet-b1.58" || architecture == "bitnet-25";
  m.rope_halves = architecture != "llama";
  return m;
}

/// Two random layers of that shape.
inline LogicalModel small_model(const std::string& architecture = "bitnet-b1.58",
                                RandomScales scales = RandomScales::tensor) {
  return random_model(small_shape(architecture), 2, 11, scales);
}
inline LogicalModel small_model(RandomScales scales) { return small_model("bitnet-b1.58", scales); }

}  // namespace tern_test
