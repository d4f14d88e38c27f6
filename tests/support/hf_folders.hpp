// Logical models as Hugging Face folders, in every form of their weights.
#pragma once

#include <map>
#include <string>

#include "support/logical_gguf.hpp"
#include "support/safetensors_writer.hpp"
#include "support/temporary_folder.hpp"

namespace tern_test {

/// How a folder stores its linear layers.
enum class HfWeights {
  packed_direct,   ///< uint8, the scale as it is
  packed_inverse,  ///< uint8, its reciprocal
  online,          ///< floats whose mean magnitude is the scale
  exact,           ///< floats that are ternary
};

inline std::string dtype_name(tern::TensorType type) {
  if (type == tern::TensorType::f32) return "F32";
  return type == tern::TensorType::f16 ? "F16" : "BF16";
}

/// Names of BitNet's classes; the older one calls the norms inside the blocks otherwise.
struct HfNames {
  std::string hf_class = "BitNetForCausalLM";
  std::string model_type = "bitnet";
  std::string attn_sub_norm = "self_attn.attn_sub_norm";
  std::string ffn_sub_norm = "mlp.ffn_sub_norm";
  std::string prefix = "model.";
  std::string input_norm = ".norm";  ///< behind a linear layer's name
};
inline HfNames hf_names_of(const LogicalModel& m) {
  HfNames names;
  if (m.architecture == "llama") names.hf_class = "LlamaForCausalLM", names.model_type = "llama";
  if (m.architecture == "bitnet") {
    names = {"BitnetForCausalLM", "llama",  "self_attn.inner_attn_ln",
             "mlp.ffn_layernorm", "model.", ""};
  }
  if (m.architecture == "qwen3") names.hf_class = "Qwen3ForCausalLM", names.model_type = "qwen3";
  if (m.architecture == "gemma3") {
    names.hf_class = "Gemma3ForCausalLM", names.model_type = "gemma3_text";
  }
  if (m.architecture == "llama") names.input_norm = ".rms_norm";
  return names;
}

/// config.json as a list of members, to be changed.
using HfConfigMembers = std::map<std::string, std::string>;
inline std::string json_of(const HfConfigMembers& members) {
  std::string out = "{";
  for (const auto& [key, value] : members) {
    out += (out.size() > 1 ? ", \"" : "\"") + key + "\": " + value;
  }
  return out + "}";
}
inline HfConfigMembers hf_config_of(const LogicalModel& m, HfWeights weights) {
  const HfNames names = hf_names_of(m);
  HfConfigMembers out = {
      {"architectures", "[\"" + names.hf_class + "\"]"},
      {"model_type", '"' + names.model_type + '"'},
      {m.gelu ? "hidden_activation" : "hidden_act",
       m.relu2 ? "\"relu2\"" : (m.gelu ? "\"gelu_pytorch_tanh\"" : "\"silu\"")},
      {"hidden_size", std::to_string(m.model_dim)},
      {"intermediate_size", std::to_string(m.ffn_dim)},
      {"num_hidden_layers", std::to_string(m.layers.size())},
      {"num_attention_heads", std::to_string(m.n_heads)},
      {"num_key_value_heads", std::to_string(m.n_kv_heads)},
      {"head_dim", std::to_string(m.head_dim)},
      {"max_position_embeddings", std::to_string(m.context_len)},
      {"rms_norm_eps", "1e-05"},
      {"rope_theta", "10000.0"},
      {"rope_scaling", "null"},
      {"attention_bias", "false"},
      {"tie_word_embeddings", m.head.empty() ? "true" : "false"},
      {"vocab_size", std::to_string(m.vocab_size)},
  };
  const std::string quantization = R"({"quant_method": "bitnet", "modules_to_not_convert": null)";
  std::string& config = out["quantization_config"];
  switch (weights) {
    case HfWeights::packed_direct:
      config =
          quantization + R"(, "linear_class": "autobitlinear", "quantization_mode": "offline"})";
      break;
    case HfWeights::packed_inverse: config = quantization + "}"; break;
    case HfWeights::online:
      config =
          quantization + R"(, "linear_class": "autobitlinear", "quantization_mode": "online"})";
      break;
    case HfWeights::exact: config = "null"; break;
  }
  return out;
}

/// Rows of q and k as Hugging Face has them: the halves of a head, not its neighbours, turn.
inline LogicalLinear in_halves(const LogicalLinear& w, size_t head_dim) {
  LogicalLinear out = w;
  for (size_t row = 0; row < w.rows; ++row) {
    const size_t in_head = row % head_dim;
    const size_t stored = row - in_head + in_head % 2 * (head_dim / 2) + in_head / 2;
    std::copy_n(&w.trits[row * w.cols], w.cols, &out.trits[stored * w.cols]);
    std::copy_n(&w.scales[row * w.groups()], w.groups(), &out.scales[stored * w.groups()]);
  }
  return out;
}

/// Byte [r][c] holds rows r, r + rows/4, ... of column c, the lowest bits first.
inline std::vector<uint8_t> row_quarters(const LogicalLinear& w) {
  std::vector<uint8_t> out(w.trits.size() / 4);
  for (size_t i = 0; i < w.trits.size(); ++i) {
    const unsigned code = static_cast<unsigned>(w.trits[i] + 1);
    const size_t quarter = i / out.size();
    out[i % out.size()] = static_cast<uint8_t>(out[i % out.size()] | (code << (2 * quarter)));
  }
  return out;
}

/// Floats whose mean magnitude is the one scale of `w`, and which become its trits: what zeros lack
/// is spread over the others in quarters of the scale; a few zeros are half of it, the very limit.
inline std::vector<float> master_floats(const LogicalLinear& w) {
  std::vector<int> units(w.trits.size());
  int64_t missing = 0;
  for (size_t i = 0; i < units.size(); ++i) {
    const int wanted = w.trits[i] == 0 ? (i % 11 == 0 ? 2 : 0) : 4;
    units[i] = wanted;
    missing += 4 - wanted;
  }
  for (size_t round = 0; missing > 0 && round < 4; ++round) {
    for (size_t i = 0; i < units.size() && missing > 0; ++i) {
      if (w.trits[i] != 0) ++units[i], --missing;
    }
  }
  std::vector<float> out(units.size());
  for (size_t i = 0; i < units.size(); ++i) {
    const int sign = w.trits[i] < 0 || (w.trits[i] == 0 && i % 2 != 0) ? -1 : 1;
    out[i] = static_cast<float>(sign * units[i]) * 0.25f * w.scales[0];
  }
  return out;
}

/// The tensors of a folder, in the order of the model.
inline SafetensorsWriter hf_tensors_of(const LogicalModel& m, HfWeights weights,
                                       tern::TensorType floats = tern::TensorType::bf16) {
  const HfNames names = hf_names_of(m);
  SafetensorsWriter writer;
  const auto add = [&](const std::string& name, std::vector<uint64_t> shape,
                       const std::vector<float>& values) {
    writer.add(
        {names.prefix + name, dtype_name(floats), std::move(shape), encode_floats(values, floats)});
  };
  add("embed_tokens.weight", {m.vocab_size, m.model_dim}, m.embedding);
  const std::map<std::string, std::string> gains = {
      {"attn_norm", "input_layernorm"},
      {"attn_sub_norm", names.attn_sub_norm},
      {"attn_q_norm", "self_attn.q_norm"},
      {"attn_k_norm", "self_attn.k_norm"},
      {"ffn_norm", m.post_norms ? "pre_feedforward_layernorm" : "post_attention_layernorm"},
      {"ffn_sub_norm", names.ffn_sub_norm},
      {"post_attention_norm", "post_attention_layernorm"},
      {"post_ffw_norm", "post_feedforward_layernorm"},
  };
  // Gemma adds one to the gains of its own norms.
  const auto stored_gain = [&m](std::vector<float> values) {
    for (float& v : values) v -= m.gelu ? 1.0f : 0.0f;
    return values;
  };
  const std::map<std::string, std::string> linears = {
      {"attn_q", "self_attn.q_proj"}, {"attn_k", "self_attn.k_proj"},
      {"attn_v", "self_attn.v_proj"}, {"attn_output", "self_attn.o_proj"},
      {"ffn_gate", "mlp.gate_proj"},  {"ffn_up", "mlp.up_proj"},
      {"ffn_down", "mlp.down_proj"},
  };
  for (size_t l = 0; l < m.layers.size(); ++l) {
    const std::string layer = "layers." + std::to_string(l) + ".";
    for (const auto& [gguf, member] : gain_names(m)) {
      const auto& values = m.layers[l].*member;
      add(layer + gains.at(gguf) + ".weight", {values.size()}, stored_gain(values));
    }
    for (const auto& [gguf, member] : linear_names()) {
      const bool is_turned = gguf == "attn_q" || gguf == "attn_k";
      const LogicalLinear& w = m.layers[l].*member;
      const LogicalLinear stored = is_turned && !m.rope_halves ? in_halves(w, m.head_dim) : w;
      const std::string name = layer + linears.at(gguf) + ".weight";
      if (m.input_norms) {
        add(layer + linears.at(gguf) + names.input_norm + ".weight", {w.cols}, w.norm_in);
      }
      if (weights == HfWeights::online) {
        add(name, {w.rows, w.cols}, master_floats(stored));
      } else if (weights == HfWeights::exact) {
        writer.add({names.prefix + name,
                    dtype_name(floats),
                    {w.rows, w.cols},
                    encode_linear(stored, floats)});
      } else {
        writer.add({names.prefix + name, "U8", {w.rows / 4, w.cols}, row_quarters(stored)});
        const bool is_inverse = weights == HfWeights::packed_inverse;
        add(name + "_scale", {1}, {is_inverse ? 1 / w.scales[0] : w.scales[0]});
      }
    }
  }
  add("norm.weight", {m.model_dim}, stored_gain(m.output_norm));
  if (!m.head.empty()) {
    writer.add({"lm_head.weight",
                dtype_name(floats),
                {m.vocab_size, m.model_dim},
                encode_floats(m.head, floats)});
  }
  return writer;
}

/// Writes a folder of one file.
inline void write_hf_folder(const TemporaryFolder& folder, const HfConfigMembers& config,
                            const SafetensorsWriter& tensors) {
  folder.write("config.json", json_of(config));
  folder.write("model.safetensors", tensors.build());
}

/// Writes the same tensors over several files, with an index.
inline void write_shards(const TemporaryFolder& folder, const SafetensorsWriter& tensors,
                         size_t n_shards) {
  std::string map;
  for (size_t s = 0; s < n_shards; ++s) {
    const std::string name = "model-0000" + std::to_string(s + 1) + "-of-0000" +
                             std::to_string(n_shards) + ".safetensors";
    SafetensorsWriter shard;
    for (size_t i = s; i < tensors.tensors.size(); i += n_shards) {
      shard.add(tensors.tensors[i]);
      map += (map.empty() ? "" : ",") + ('"' + tensors.tensors[i].name + "\":\"" + name + '"');
    }
    folder.write(name, shard.build());
  }
  folder.write("model.safetensors.index.json",
               R"({"metadata": {"total_size": 1}, "weight_map": {)" + map + "}}");
}

}  // namespace tern_test
