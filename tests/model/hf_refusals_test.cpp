// Hugging Face folders that are refused or doubted: what is wrong is said with its file.
#include <catch2/catch.hpp>

#if defined(__wasi__)
TEST_CASE("Refusals of Hugging Face folders") { WARN("skipped: no file system for tests"); }
#else

#include "support/hf_fixture.hpp"

using namespace tern_test;
using tern::Status;
using tern::TensorType;
using Bytes = std::vector<uint8_t>;

TEST_CASE("A scale that looks like the other convention is a doubt") {
  if (!have_json()) return;
  const LogicalModel m = small_model("llama");
  const auto doubts_of = [&](HfWeights stored, HfWeights said) {
    const TemporaryFolder folder("hf_doubt");
    write_hf_folder(folder, hf_config_of(m, said), hf_tensors_of(m, stored));
    const auto checkpoint =
        tern::Checkpoint::open(folder.path(), tern::FileAccess::mapped, tern::default_allocator());
    REQUIRE(checkpoint.ok());
    return (*checkpoint)->doubts().size();
  };
  using W = HfWeights;
  CHECK(doubts_of(W::packed_direct, W::packed_direct) == 0);
  CHECK(doubts_of(W::packed_inverse, W::packed_inverse) == 0);
  CHECK(doubts_of(W::packed_direct, W::packed_inverse) == 1);
  CHECK(doubts_of(W::packed_inverse, W::packed_direct) == 1);
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
      {"sliding_window", "-1", Status::mismatch},
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
