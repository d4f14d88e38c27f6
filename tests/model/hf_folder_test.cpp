// Hugging Face folders: every form of the weights gives the bits of the GGUF file of the same
// model, and what is wrong with a folder is said with its file.
#include <catch2/catch.hpp>

#if defined(__wasi__)
TEST_CASE("Hugging Face folders") { WARN("skipped: no file system for tests"); }
#else

#include "support/hf_folders.hpp"
#include "support/model_fixture.hpp"

using namespace tern_test;
using tern::Status;
using tern::TensorType;
using Bytes = std::vector<uint8_t>;

namespace {

bool have_json() {
  const std::string empty = "{}";
  const auto bytes = reinterpret_cast<const uint8_t*>(empty.data());
  if (tern::JsonDocument::parse({bytes, 2}, tern::default_allocator()).ok()) return true;
  WARN("skipped: a build without JSON");
  return false;
}

LogicalModel small_model(const std::string& architecture) {
  return random_model(small_shape(architecture), 2, 11);
}

std::vector<float> logits_of(const ModelPtr& model) {
  const auto session = open_session(model);
  return all_logits(*session, some_tokens(9, 70), 3);
}
std::vector<float> folder_logits(const TemporaryFolder& folder) {
  const auto model = tern::Model::load_file(folder.path(), {});
  if (!model.ok()) FAIL(model.error().subject << ": " << model.error().what);
  return logits_of(*model);
}
/// Of floats that are not packed, activations are 16 bits unless the configuration says otherwise.
std::vector<float> gguf_logits(const LogicalModel& m, TensorType type, bool int16 = false) {
  GgufWriter writer = gguf_of(m, type);
  if (int16) writer.add("tern.activation_bits", uint32_t{16});
  const auto bytes = writer.build();
  return logits_of(load(bytes));
}

tern::Error folder_error(const TemporaryFolder& folder) {
  const auto model = tern::Model::load_file(folder.path(), {});
  REQUIRE_FALSE(model.ok());
  return model.error();
}

}  // namespace

TEST_CASE("Every form of the weights gives the bits of the GGUF file") {
  if (!have_json()) return;
  for (const std::string architecture : {"bitnet-b1.58", "bitnet", "llama"}) {
    const LogicalModel m = small_model(architecture);
    const auto expected = gguf_logits(m, TensorType::i2_s);
    CHECK(expected == gguf_logits(m, TensorType::tq2_0));
    for (const HfWeights weights :
         {HfWeights::packed_direct, HfWeights::packed_inverse, HfWeights::online}) {
      for (const TensorType floats : {TensorType::bf16, TensorType::f16, TensorType::f32}) {
        INFO(architecture << " " << static_cast<int>(weights) << " " << dtype_name(floats));
        const TemporaryFolder folder("hf_forms");
        write_hf_folder(folder, hf_config_of(m, weights), hf_tensors_of(m, weights, floats));
        CHECK(folder_logits(folder) == expected);
      }
    }
  }
}

TEST_CASE("A folder without quantization holds exactly ternary floats, at any scales") {
  if (!have_json()) return;
  for (const RandomScales scales :
       {RandomScales::tensor, RandomScales::row, RandomScales::group256}) {
    const LogicalModel m = random_model(small_shape("llama"), 2, 12, scales);
    const TemporaryFolder folder("hf_exact");
    write_hf_folder(folder, hf_config_of(m, HfWeights::exact),
                    hf_tensors_of(m, HfWeights::exact, TensorType::f16));
    CHECK(folder_logits(folder) == gguf_logits(m, TensorType::f16, true));
    const auto checkpoint =
        tern::Checkpoint::open(folder.path(), tern::FileAccess::mapped, tern::default_allocator());
    REQUIRE(checkpoint.ok());
    CHECK(*(*checkpoint)->file().get<uint32_t>("tern.activation_bits") == 16);
  }
}

TEST_CASE("1bitLLM's configuration means master weights") {
  if (!have_json()) return;
  const LogicalModel m = small_model("bitnet");
  const TemporaryFolder folder("hf_1bit");
  HfConfigMembers config = hf_config_of(m, HfWeights::online);
  config["quantization_config"] = "null";
  config["weight_bits"] = "1";
  config["input_bits"] = "8";
  const auto tensors = hf_tensors_of(m, HfWeights::online, TensorType::f16);
  write_hf_folder(folder, config, tensors);
  const auto expected = gguf_logits(m, TensorType::i2_s);
  CHECK(folder_logits(folder) == expected);
  // Norms inside the blocks tell it, whatever class it was saved as.
  config["architectures"] = "[\"LlamaForCausalLM\"]";
  write_hf_folder(folder, config, tensors);
  CHECK(folder_logits(folder) == expected);
  config["input_bits"] = "4";
  write_hf_folder(folder, config, tensors);
  CHECK(std::string(folder_error(folder).subject) == "config.json: input_bits");
}

TEST_CASE("Names without their prefix, derived tensors and a tied head stored twice are read") {
  if (!have_json()) return;
  const LogicalModel m = small_model("bitnet-b1.58");
  const TemporaryFolder folder("hf_names");
  SafetensorsWriter tensors = hf_tensors_of(m, HfWeights::packed_direct);
  for (auto& tensor : tensors.tensors) tensor.name = tensor.name.substr(6);
  tensors.add({"layers.0.self_attn.rotary_emb.inv_freq", "F32", {32}, Bytes(128)});
  auto head = tensors.tensors[0];
  head.name = "lm_head.weight";
  tensors.add(head);
  write_hf_folder(folder, hf_config_of(m, HfWeights::packed_direct), tensors);
  CHECK(folder_logits(folder) == gguf_logits(m, TensorType::i2_s));
}

TEST_CASE("Shards are one model; the path of config.json is that of the folder") {
  if (!have_json()) return;
  const LogicalModel m = small_model("llama");
  const auto expected = gguf_logits(m, TensorType::i2_s);
  const TemporaryFolder folder("hf_shards");
  folder.write("config.json", json_of(hf_config_of(m, HfWeights::packed_inverse)));
  const SafetensorsWriter tensors = hf_tensors_of(m, HfWeights::packed_inverse);
  write_shards(folder, tensors, 3);
  CHECK(folder_logits(folder) == expected);
  const auto by_config = tern::Model::load_file(folder.path_of("config.json"), {});
  REQUIRE(by_config.ok());
  CHECK(logits_of(*by_config) == expected);

  const std::string second = "model-00002-of-00003.safetensors";
  SafetensorsWriter spoiled;
  spoiled.add({"model.norm.weight", "F32", {1}, Bytes(4)});
  folder.write(second, spoiled.build());
  CHECK_THAT(folder_error(folder).subject, Catch::StartsWith(second + ": "));
  CHECK(folder_error(folder).status == Status::missing);
  folder.remove(second);
  CHECK(folder_error(folder).status == Status::not_found);
  CHECK(folder_error(folder).subject == second);
  folder.write("model.safetensors.index.json", std::string(R"({"weight_map":{"a":"../b"}})"));
  CHECK(folder_error(folder).status == Status::malformed);
  CHECK(std::string(folder_error(folder).subject) == "model.safetensors.index.json");
}

TEST_CASE("Of a key given twice the last counts, as in a published configuration") {
  if (!have_json()) return;
  const LogicalModel m = small_model("llama");
  const TemporaryFolder folder("hf_twice");
  write_hf_folder(folder, {}, hf_tensors_of(m, HfWeights::packed_inverse));
  std::string text = json_of(hf_config_of(m, HfWeights::packed_inverse));
  text.insert(1, R"("quantization_config": {"quant_method": "gptq"}, )");
  folder.write("config.json", text);
  CHECK(folder_logits(folder) == gguf_logits(m, TensorType::i2_s));
}

TEST_CASE("What a configuration asks for and tern does not follow is refused by name") {
  if (!have_json()) return;
  struct Case {
    const char* key;
    const char* value;
    Status status;
  };
  const Case cases[] = {
      {"attention_bias", "true", Status::unsupported},
      {"mlp_bias", "true", Status::unsupported},
      {"rope_interleaved", "true", Status::unsupported},
      {"num_experts", "8", Status::unsupported},
      {"sliding_window", "32", Status::unsupported},
      {"layer_types", "[\"sliding_attention\"]", Status::unsupported},
      {"partial_rotary_factor", "0.5", Status::unsupported},
      {"logits_scaling", "2.0", Status::unsupported},
      {"rope_scaling", R"({"rope_type": "llama3", "factor": 8.0})", Status::unsupported},
      {"rope_parameters", R"({"rope_type": "yarn"})", Status::unsupported},
      {"quantization_config", R"({"quant_method": "gptq"})", Status::unsupported},
      {"quantization_config",
       R"({"quant_method": "bitnet", "modules_to_not_convert": ["model.layers.0"]})",
       Status::unsupported},
      {"quantization_config", R"({"quant_method": "bitnet", "linear_class": "x"})",
       Status::unsupported},
      {"hidden_size", "null", Status::missing},
      {"hidden_size", "\"256\"", Status::mismatch},
      {"hidden_size", "-256", Status::mismatch},
      {"num_attention_heads", "0", Status::mismatch},
      {"architectures", "[]", Status::missing},
      {"architectures", "[\"GPT2LMHeadModel\"]", Status::unsupported_architecture},
      {"hidden_act", "\"gelu_new\"", Status::unsupported},
  };
  const LogicalModel m = small_model("llama");
  const SafetensorsWriter tensors = hf_tensors_of(m, HfWeights::packed_inverse);
  for (const Case& c : cases) {
    INFO(c.key << ": " << c.value);
    const TemporaryFolder folder("hf_refused");
    HfConfigMembers config = hf_config_of(m, HfWeights::packed_inverse);
    config[c.key] = c.value;
    write_hf_folder(folder, config, tensors);
    CHECK(folder_error(folder).status == c.status);
  }
}

TEST_CASE("What asks for nothing is no reason to refuse") {
  if (!have_json()) return;
  const LogicalModel m = small_model("llama");
  const TemporaryFolder folder("hf_harmless");
  HfConfigMembers config = hf_config_of(m, HfWeights::packed_inverse);
  config["sliding_window"] = "64";
  config["num_experts"] = "0";
  config["rope_scaling"] = R"({"type": "default"})";
  config["partial_rotary_factor"] = "1.0";
  config["layer_types"] = R"(["full_attention", "full_attention"])";
  write_hf_folder(folder, config, hf_tensors_of(m, HfWeights::packed_inverse));
  CHECK(folder_logits(folder) == gguf_logits(m, TensorType::i2_s));
}

TEST_CASE("Tensors that do not fit are refused with their file") {
  if (!have_json()) return;
  const LogicalModel m = small_model("bitnet-b1.58");
  const SafetensorsWriter good = hf_tensors_of(m, HfWeights::packed_direct);
  const auto error_of = [&](const SafetensorsWriter& tensors) {
    const TemporaryFolder folder("hf_tensors");
    write_hf_folder(folder, hf_config_of(m, HfWeights::packed_direct), tensors);
    const tern::Error error = folder_error(folder);
    CHECK_THAT(error.subject, Catch::StartsWith("model.safetensors"));
    return error;
  };
  const auto at = [&](SafetensorsWriter & writer, const std::string& end) -> auto& {
    for (auto& tensor : writer.tensors) {
      if (tensor.name.ends_with(end)) return tensor;
    }
    FAIL(end);
    return writer.tensors[0];
  };
  SafetensorsWriter writer = good;
  writer.add({"model.layers.0.self_attn.q_proj.bias", "F32", {256}, Bytes(1024)});
  CHECK(error_of(writer).status == Status::unsupported);
  writer = good;
  at(writer, "q_proj.weight_scale").data = encode_floats({0.0f}, TensorType::bf16);
  CHECK(error_of(writer).status == Status::malformed);
  writer = good;
  at(writer, "q_proj.weight_scale").data = encode_floats({-1.0f}, TensorType::bf16);
  CHECK(error_of(writer).status == Status::malformed);
  writer = good;
  at(writer, "q_proj.weight_scale").name = "model.layers.0.mlp.up_proj.weight_scale2";
  CHECK(error_of(writer).status == Status::missing);
  writer = good;
  at(writer, "q_proj.weight").data[5] |= 3;
  CHECK(error_of(writer).status == Status::malformed);
  writer = good;
  at(writer, "q_proj.weight").dtype = "I8";
  CHECK(error_of(writer).status == Status::unsupported_type);
  writer = good;
  at(writer, "q_proj.weight").shape = {32, 512};
  CHECK(error_of(writer).status == Status::mismatch);
  writer = good;
  at(writer, "input_layernorm.weight").shape = {1, 256, 1};
  CHECK(error_of(writer).status == Status::mismatch);
}

TEST_CASE("Master weights that are not finite are refused") {
  if (!have_json()) return;
  const LogicalModel m = small_model("bitnet");
  SafetensorsWriter writer = hf_tensors_of(m, HfWeights::online, TensorType::f32);
  for (auto& tensor : writer.tensors) {
    if (!tensor.name.ends_with("1.mlp.up_proj.weight")) continue;
    const float infinity = INFINITY;
    std::memcpy(tensor.data.data() + 400, &infinity, 4);
  }
  const TemporaryFolder folder("hf_infinite");
  write_hf_folder(folder, hf_config_of(m, HfWeights::online), writer);
  const tern::Error error = folder_error(folder);
  CHECK(error.status == Status::malformed);
  CHECK(std::string(error.subject) == "model.safetensors: blk.1.ffn_up.weight");
}

TEST_CASE("A head that is missing is not replaced by the embedding") {
  if (!have_json()) return;
  const LogicalModel m = small_model("llama");
  SafetensorsWriter writer = hf_tensors_of(m, HfWeights::packed_inverse);
  writer.tensors.pop_back();
  const TemporaryFolder folder("hf_headless");
  HfConfigMembers config = hf_config_of(m, HfWeights::packed_inverse);
  write_hf_folder(folder, config, writer);
  CHECK(folder_error(folder).status == Status::missing);
  config["tie_word_embeddings"] = "true";
  write_hf_folder(folder, config, writer);
  LogicalModel tied = m;
  tied.head.clear();
  CHECK(folder_logits(folder) == gguf_logits(tied, TensorType::i2_s));
}

#endif
