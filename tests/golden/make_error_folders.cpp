// Writes the Hugging Face folders of tests/golden/errors into the folder given, and on standard
// output what loading them says now, as make_error_files does.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "golden/error_report.hpp"
#include "support/hf_folders.hpp"
#include "support/hf_json_samples.hpp"

using tern_test::HfConfigMembers;
using tern_test::HfWeights;
using tern_test::json_of;
using tern_test::SafetensorsWriter;

namespace {

std::string folder;

/// What a folder holds; an empty text is no file.
struct Files {
  std::string config, tokenizer;
  std::vector<uint8_t> weights;
  std::string other = {};  ///< the name of a file that is not read
};

void write(const std::string& path, const char* data, size_t size) {
  std::ofstream(path, std::ios::binary).write(data, static_cast<std::streamsize>(size));
}

void save(const std::string& name, const Files& files) {
  const std::string path = folder + "/" + name;
  std::filesystem::create_directories(path);
  const auto write_text = [&](const std::string& file, const std::string& text) {
    if (!text.empty()) write(path + "/" + file, text.data(), text.size());
  };
  write_text("config.json", files.config);
  write_text("tokenizer.json", files.tokenizer);
  if (!files.weights.empty()) {
    write(path + "/model.safetensors", reinterpret_cast<const char*>(files.weights.data()),
          files.weights.size());
  }
  if (!files.other.empty()) write_text(files.other, "x");
  tern_test::report(folder, name);
}

tern_test::LogicalModel tiny() {
  tern_test::LogicalModel shape = tern_test::small_shape();
  shape.model_dim = 32;
  shape.n_heads = 2;
  shape.n_kv_heads = 1;
  shape.head_dim = 16;
  shape.ffn_dim = 32;
  shape.vocab_size = 4;
  return tern_test::random_model(shape, 1, 1);
}

HfConfigMembers config(HfWeights weights = HfWeights::packed_direct) {
  return hf_config_of(tiny(), weights);
}
SafetensorsWriter tensors(HfWeights weights = HfWeights::packed_direct) {
  return hf_tensors_of(tiny(), weights);
}
SafetensorsWriter::Tensor& find(SafetensorsWriter& writer, const std::string& name) {
  for (SafetensorsWriter::Tensor& tensor : writer.tensors) {
    if (tensor.name == name) return tensor;
  }
  return writer.tensors.front();
}

void save_configurations() {
  const auto changed = [](const char* name, const char* key, const char* value) {
    HfConfigMembers members = config();
    members[key] = value;
    if (*value == '\0') members.erase(key);
    save(name, {json_of(members), "", tensors().build()});
  };
  save("hf_no_weights", {json_of(config()), "", {}});
  save("hf_config_is_no_json", {"{\"hidden_size\": 32,,}", "", tensors().build()});
  save("hf_config_is_a_list", {"[]", "", tensors().build()});
  changed("hf_no_class", "architectures", "");
  changed("hf_unknown_class", "architectures", "[\"MambaForCausalLM\"]");
  changed("hf_no_size", "hidden_size", "");
  changed("hf_size_is_text", "hidden_size", "\"32\"");
  changed("hf_bias", "attention_bias", "true");
  changed("hf_experts", "num_experts", "8");
  changed("hf_rope_scaling", "rope_scaling", R"({"rope_type": "yarn", "factor": 4.0})");
  changed("hf_other_quantization", "quantization_config", R"({"quant_method": "gptq"})");
}

// What people have that is not what is read, or name that is not what is opened.
void save_other_forms() {
  save("hf_no_config", {"", "", tensors().build()});
  save("hf_pytorch", {json_of(config()), "", {}, "pytorch_model.bin"});
  save("hf_pytorch_shards", {json_of(config()), "", {}, "pytorch_model.bin.index.json"});
  save("hf_tokenizer_model", {json_of(config()), "", tensors().build(), "tokenizer.model"});
  save("hf_vocab_and_merges", {json_of(config()), "", tensors().build(), "vocab.json"});
  const auto weights = tensors().build();
  for (const std::string name :
       {"hf_one_file.safetensors", "hf_one_file.safetensors.index.json", "hf_one_file.bin"}) {
    const bool is_whole = name == "hf_one_file.safetensors";
    write(folder + "/" + name, reinterpret_cast<const char*>(weights.data()),
          is_whole ? weights.size() : 16);
    tern_test::report(folder, name);
  }
}

void save_weights() {
  const std::string q = "model.layers.0.self_attn.q_proj.weight";
  const auto spoiled = [&](const char* name, auto spoil) {
    SafetensorsWriter writer = tensors();
    spoil(writer);
    save(name, {json_of(config()), "", writer.build()});
  };
  spoiled("hf_header_too_long",
          [](SafetensorsWriter& w) { w.claimed_header_bytes = uint64_t{1} << 40; });
  spoiled("hf_unknown_dtype", [&](SafetensorsWriter& w) { find(w, q).dtype = "Z8"; });
  spoiled("hf_data_of_another_size", [&](SafetensorsWriter& w) { find(w, q).data.resize(8); });
  spoiled("hf_duplicate_tensor",
          [&](SafetensorsWriter& w) { w.tensors.push_back(w.tensors.front()); });
  spoiled("hf_extra_tensor", [](SafetensorsWriter& w) { w.add({"model.extra", "U8", {1}, {0}}); });
  spoiled("hf_no_scale", [&](SafetensorsWriter& w) {
    std::erase_if(w.tensors, [&](const auto& tensor) { return tensor.name == q + "_scale"; });
  });
  spoiled("hf_scale_is_zero", [&](SafetensorsWriter& w) { find(w, q + "_scale").data = {0, 0}; });
  spoiled("hf_scale_is_nan", [&](SafetensorsWriter& w) {
    find(w, q + "_scale").data = {0xC0, 0x7F};
  });
  spoiled("hf_code_3", [&](SafetensorsWriter& w) { find(w, q).data[5] = 0xFF; });
  spoiled("hf_wrong_shape", [&](SafetensorsWriter& w) {
    find(w, q).shape = {4, 32};
    find(w, q).data.resize(128);
  });
  spoiled("hf_no_norm", [](SafetensorsWriter& w) {
    std::erase_if(w.tensors, [](const auto& tensor) { return tensor.name == "model.norm.weight"; });
  });
  const std::vector<uint8_t> whole = tensors().build();
  save("hf_cut_in_header", {json_of(config()), "", {whole.begin(), whole.begin() + 100}});
  save("hf_cut_in_data", {json_of(config()), "", {whole.begin(), whole.end() - 10}});
}

void save_tokenizers() {
  const auto with = [](const char* name, const std::string& tokenizer) {
    save(name, {json_of(config()), tokenizer, tensors().build()});
  };
  const std::string model =
      R"("model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"c":3},"merges":["a b"]})";
  const std::string byte_level =
      R"("pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"use_regex":true})";
  with("hf_tokenizer_is_no_json", "{");
  with("hf_tokenizer_without_model", "{" + byte_level + "}");
  with("hf_unigram", R"({"model":{"type":"Unigram","vocab":[["a",0.5]]}})");
  with("hf_wordpiece", R"({"model":{"type":"WordPiece","vocab":{"a":0}}})");
  with("hf_unknown_normalizer",
       R"({"normalizer":{"type":"Lowercase"},)" + byte_level + "," + model + "}");
  with("hf_unknown_pretokenizer", R"({"pre_tokenizer":{"type":"BertPreTokenizer"},)" + model + "}");
  with("hf_unknown_pattern",
       R"({"pre_tokenizer":)" + tern_test::split_and_byte_level("[abc]+") + "," + model + "}");
  with("hf_merge_of_one_side",
       "{" + byte_level + R"(,"model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":["ab"]}})");
  with("hf_two_tokens_of_one_id",
       "{" + byte_level + R"(,"model":{"type":"BPE","vocab":{"a":0,"b":0},"merges":["a b"]}})");
  with("hf_id_out_of_range",
       "{" + byte_level + R"(,"model":{"type":"BPE","vocab":{"a":0,"b":-1},"merges":["a b"]}})");
  with("hf_more_tokens_than_rows",
       "{" + byte_level +
           R"(,"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"c":3,"d":4},"merges":["a b"]}})");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  folder = argv[1];
  save_configurations();
  save_other_forms();
  save_weights();
  save_tokenizers();
  return 0;
}
