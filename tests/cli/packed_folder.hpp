// A random packed Hugging Face folder of the shape of BitNet b1.58 2B-4T: 1.2 GB, written in
// pieces.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace tern_test {

struct PackedTensor {
  std::string name;
  const char* dtype;
  std::vector<uint64_t> shape;
  uint64_t bytes;
};

inline constexpr uint64_t kWidth = 2560, kKvWidth = 640, kFfn = 6912, kVocab = 128256;
inline constexpr unsigned kLayers = 30;

inline std::vector<PackedTensor> packed_tensors() {
  std::vector<PackedTensor> out;
  const auto gain = [&](const std::string& name, uint64_t size) {
    out.push_back({name, "BF16", {size}, 2 * size});
  };
  const auto linear = [&](const std::string& name, uint64_t rows, uint64_t cols) {
    out.push_back({name + ".weight", "U8", {rows / 4, cols}, rows / 4 * cols});
    out.push_back({name + ".weight_scale", "BF16", {1}, 2});
  };
  out.push_back({"model.embed_tokens.weight", "BF16", {kVocab, kWidth}, 2 * kVocab * kWidth});
  for (unsigned n = 0; n < kLayers; ++n) {
    const std::string layer = "model.layers." + std::to_string(n) + ".";
    gain(layer + "input_layernorm.weight", kWidth);
    linear(layer + "self_attn.q_proj", kWidth, kWidth);
    linear(layer + "self_attn.k_proj", kKvWidth, kWidth);
    linear(layer + "self_attn.v_proj", kKvWidth, kWidth);
    gain(layer + "self_attn.attn_sub_norm.weight", kWidth);
    linear(layer + "self_attn.o_proj", kWidth, kWidth);
    gain(layer + "post_attention_layernorm.weight", kWidth);
    linear(layer + "mlp.gate_proj", kFfn, kWidth);
    linear(layer + "mlp.up_proj", kFfn, kWidth);
    gain(layer + "mlp.ffn_sub_norm.weight", kFfn);
    linear(layer + "mlp.down_proj", kWidth, kFfn);
  }
  gain("model.norm.weight", kWidth);
  return out;
}

inline constexpr const char* kPackedConfig = R"({
  "architectures": ["BitNetForCausalLM"], "model_type": "bitnet", "hidden_act": "relu2",
  "hidden_size": 2560, "intermediate_size": 6912, "num_hidden_layers": 30,
  "num_attention_heads": 20, "num_key_value_heads": 5, "max_position_embeddings": 4096,
  "rms_norm_eps": 1e-05, "rope_theta": 500000.0, "tie_word_embeddings": true,
  "vocab_size": 128256, "bos_token_id": 128000, "eos_token_id": 128001, "torch_dtype": "bfloat16",
  "quantization_config": {"quant_method": "bitnet", "linear_class": "autobitlinear",
                          "quantization_mode": "offline"}
})";

inline std::string safetensors_header(const std::vector<PackedTensor>& tensors) {
  std::string json = "{";
  uint64_t offset = 0;
  for (const PackedTensor& tensor : tensors) {
    if (offset != 0) json += ",";
    json += "\"" + tensor.name + "\":{\"dtype\":\"" + tensor.dtype + "\",\"shape\":[";
    for (size_t d = 0; d < tensor.shape.size(); ++d) {
      json += (d == 0 ? "" : ",") + std::to_string(tensor.shape[d]);
    }
    json += "],\"data_offsets\":[" + std::to_string(offset) + ",";
    json += std::to_string(offset += tensor.bytes) + "]}";
  }
  json += "}";
  json.resize((json.size() + 7) / 8 * 8, ' ');
  return json;
}

/// Random bytes of what a tensor holds: four trits each, or bfloat16 of magnitudes from 1/2 to 2.
class PackedBytes {
 public:
  void fill(const PackedTensor& tensor, std::vector<uint8_t>& out) {
    for (size_t i = 0; i < out.size(); ++i) {
      if (i % 8 == 0) word_ = word_ * 6364136223846793005u + 1442695040888963407u;
      const auto byte = static_cast<uint8_t>(word_ >> (8 * (i % 4) + 32));
      if (tensor.dtype[0] == 'U') {
        // No pair of bits may be 3: where both are set, one goes.
        out[i] = static_cast<uint8_t>(byte & ~((byte & (byte >> 1) & 0x55) << (byte >> 7 & 1)));
      } else {
        out[i] = i % 2 == 0
                     ? byte
                     : static_cast<uint8_t>(0x3F | (tensor.shape.size() > 1 ? byte & 0x80 : 0));
      }
    }
  }

 private:
  uint64_t word_ = 1;
};

inline bool write_packed_folder(const std::string& folder) {
  std::FILE* config = std::fopen((folder + "/config.json").c_str(), "wb");
  if (config == nullptr) return false;
  bool good = std::fputs(kPackedConfig, config) >= 0;
  good &= std::fclose(config) == 0;
  std::FILE* file = std::fopen((folder + "/model.safetensors").c_str(), "wb");
  if (file == nullptr) return false;
  const auto tensors = packed_tensors();
  const std::string header = safetensors_header(tensors);
  const uint64_t size = header.size();
  good &= std::fwrite(&size, sizeof(size), 1, file) == 1;
  good &= std::fwrite(header.data(), 1, header.size(), file) == header.size();
  PackedBytes source;
  std::vector<uint8_t> piece;
  for (const PackedTensor& tensor : tensors) {
    for (uint64_t done = 0; done < tensor.bytes; done += piece.size()) {
      constexpr uint64_t kPiece = 1 << 20;
      piece.resize(tensor.bytes - done < kPiece ? tensor.bytes - done : kPiece);
      source.fill(tensor, piece);
      good &= std::fwrite(piece.data(), 1, piece.size(), file) == piece.size();
    }
  }
  return (std::fclose(file) == 0) && good;
}

}  // namespace tern_test
