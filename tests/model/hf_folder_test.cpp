// Hugging Face folders: every form of the weights gives the bits of the GGUF file of the same
// model.
#include <catch2/catch.hpp>

#if defined(__wasi__)
TEST_CASE("Hugging Face folders") { WARN("skipped: no file system for tests"); }
#else

#include "support/hf_fixture.hpp"

using namespace tern_test;
using tern::Status;
using tern::TensorType;
using Bytes = std::vector<uint8_t>;

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

TEST_CASE("Models of qwen3 and gemma3, with input norms and without, give the bits of GGUF") {
  if (!have_json()) return;
  for (const std::string architecture : {"qwen3", "gemma3"}) {
    for (const bool input_norms : {true, false}) {
      INFO(architecture << " input norms " << input_norms);
      LogicalModel shape = small_shape(architecture);
      shape.input_norms = input_norms;
      shape.activation_bits = input_norms ? 8 : 16;
      const LogicalModel m = random_model(shape, 2, 13);
      const HfWeights weights = input_norms ? HfWeights::online : HfWeights::exact;
      HfConfigMembers config = hf_config_of(m, weights);
      config["quantization_config"] = "null";
      SafetensorsWriter tensors = hf_tensors_of(m, weights);
      for (auto& tensor : tensors.tensors) {
        if (tensor.name.starts_with("model.")) tensor.name = tensor.name.substr(6);
      }
      const TemporaryFolder folder("hf_embeddings");
      write_hf_folder(folder, config, tensors);
      CHECK(folder_logits(folder) == gguf_logits(m, TensorType::i2_s));
    }
  }
}

TEST_CASE("Pooling is read, and taken to be the last token's of a model without a head") {
  if (!have_json()) return;
  LogicalModel shape = small_shape("qwen3");
  shape.input_norms = true;
  const LogicalModel m = random_model(shape, 1, 14);
  const TemporaryFolder folder("hf_pooling");
  HfConfigMembers config = hf_config_of(m, HfWeights::online);
  write_hf_folder(folder, config, hf_tensors_of(m, HfWeights::online));
  const auto pooling_of = [&folder] {
    const auto model = tern::Model::load_file(folder.path(), {});
    REQUIRE(model.ok());
    return (*model)->config().pooling;
  };
  CHECK(pooling_of() == tern::Pooling::none);
  config["architectures"] = "[\"Qwen3Model\"]";
  folder.write("config.json", json_of(config));
  CHECK(pooling_of() == tern::Pooling::last);
  std::filesystem::create_directory(folder.path_of("1_Pooling"));
  folder.write("1_Pooling/config.json",
               std::string(R"({"pooling_mode_lasttoken": true, "pooling_mode_cls_token": false})"));
  CHECK(pooling_of() == tern::Pooling::last);
  folder.write("1_Pooling/config.json", std::string(R"({"pooling_mode_max_tokens": true})"));
  CHECK(folder_error(folder).status == Status::unsupported);
  CHECK_THAT(folder_error(folder).subject, Catch::StartsWith("1_Pooling/config.json: "));
}

TEST_CASE("Norms at the inputs of a Llama's layers are read as the linear class has them") {
  if (!have_json()) return;
  LogicalModel shape = small_shape("llama");
  shape.input_norms = true;
  const LogicalModel m = random_model(shape, 2, 15);
  const TemporaryFolder folder("hf_rms_norm");
  HfConfigMembers config = hf_config_of(m, HfWeights::packed_inverse);
  const auto tensors = hf_tensors_of(m, HfWeights::packed_inverse);
  config["quantization_config"] =
      R"({"quant_method": "bitnet", "use_rms_norm": true, "rms_norm_eps": 1e-05})";
  write_hf_folder(folder, config, tensors);
  CHECK(folder_logits(folder) == gguf_logits(m, TensorType::i2_s));
  // An epsilon of their own, which is another by default; told from the model's by the logits.
  for (const float epsilon : {0.25f, 1e-6f}) {
    INFO(epsilon);
    LogicalModel other = m;
    other.input_eps = static_cast<double>(epsilon);
    config["quantization_config"] =
        R"({"quant_method": "bitnet", "use_rms_norm": true)" +
        std::string(epsilon == 0.25f ? R"(, "rms_norm_eps": 0.25})" : "}");
    write_hf_folder(folder, config, tensors);
    CHECK(folder_logits(folder) == gguf_logits(other, TensorType::i2_s));
    const auto loaded = tern::Model::load_file(folder.path(), {});
    REQUIRE(loaded.ok());
    CHECK((*loaded)->config().input_norm_eps == epsilon);
    if (epsilon == 0.25f) {
      CHECK(gguf_logits(other, TensorType::i2_s) != gguf_logits(m, TensorType::i2_s));
    }
  }
  config["quantization_config"] =
      R"({"quant_method": "bitnet", "use_rms_norm": true, "rms_norm_eps": 0})";
  write_hf_folder(folder, config, tensors);
  CHECK(std::string(folder_error(folder).subject) == "tern.input_norm_epsilon");
}

TEST_CASE("Layers of gemma3 slide as the configuration says, in each of its forms") {
  if (!have_json()) return;
  LogicalModel shape = small_shape("gemma3");
  shape.window = 3;
  shape.window_period = 2;
  shape.rope_base = 1e6;
  shape.window_rope_base = 20000;
  const LogicalModel m = random_model(shape, 4, 16);
  const auto expected = gguf_logits(m, TensorType::f16);
  const auto tensors = hf_tensors_of(m, HfWeights::exact);
  const TemporaryFolder folder("hf_sliding");
  HfConfigMembers common = hf_config_of(m, HfWeights::exact);
  common["sliding_window"] = "3";
  const auto check = [&](const HfConfigMembers& more) {
    HfConfigMembers config = common;
    for (const auto& [key, value] : more) config[key] = value;
    write_hf_folder(folder, config, tensors);
    CHECK(folder_logits(folder) == expected);
  };
  const std::string types =
      R"(["sliding_attention", "full_attention", "sliding_attention", "full_attention"])";
  const HfConfigMembers old = {{"rope_theta", "1000000.0"}, {"rope_local_base_freq", "20000.0"}};
  HfConfigMembers named = old;
  named["sliding_window_pattern"] = "2";
  check(named);
  named["sliding_window_pattern"] = "6";
  named["layer_types"] = types;
  check(named);
  HfConfigMembers underscored = old;
  underscored["_sliding_window_pattern"] = "2";
  check(underscored);
  check({{"layer_types", types},
         {"rope_theta", "null"},
         {"rope_parameters",
          R"({"full_attention": {"rope_type": "default", "rope_theta": 1000000.0},
              "sliding_attention": {"rope_type": "default", "rope_theta": 20000.0}})"}});
  const auto refusal = [&](const std::string& key, const std::string& value) {
    HfConfigMembers config = common;
    config[key] = value;
    write_hf_folder(folder, config, tensors);
    CHECK(folder_error(folder).status == Status::unsupported);
    CHECK(std::string(folder_error(folder).subject) == "config.json: " + key);
  };
  refusal("layer_types", R"(["full_attention", "sliding_attention", "full_attention"])");
  refusal("layer_types", R"(["sliding_attention", "linear_attention"])");
  refusal("rope_parameters", R"({"sliding_attention": {"rope_type": "linear", "factor": 8}})");
  refusal("use_bidirectional_attention", "true");
}

TEST_CASE("A sliding window bounds the context") {
  if (!have_json()) return;
  const LogicalModel m = small_model("llama");
  const TemporaryFolder folder("hf_window");
  HfConfigMembers config = hf_config_of(m, HfWeights::packed_inverse);
  const auto tensors = hf_tensors_of(m, HfWeights::packed_inverse);
  const auto context_of = [&](const std::string& window, const std::string& is_used) {
    config["sliding_window"] = window;
    config["use_sliding_window"] = is_used;
    write_hf_folder(folder, config, tensors);
    const auto model = tern::Model::load_file(folder.path(), {});
    REQUIRE(model.ok());
    return (*model)->config().context_len;
  };
  CHECK(context_of("32", "true") == 32);
  CHECK(context_of("32", "null") == 32);
  CHECK(context_of("32", "false") == m.context_len);
  CHECK(context_of("64", "true") == m.context_len);
}

TEST_CASE("Falcon-E's revisions, packed and multiplied out, are one model where they say BitNet") {
  if (!have_json()) return;
  LogicalModel shape = small_shape("llama");
  shape.n_heads = 8;
  shape.n_kv_heads = 1;
  shape.head_dim = 32;
  const LogicalModel m = random_model(shape, 2, 18);
  const auto expected = gguf_logits(m, TensorType::i2_s);
  const TemporaryFolder folder("hf_falcon_e");
  HfConfigMembers config = hf_config_of(m, HfWeights::packed_inverse);
  config["is_bitnet_config"] = "true";
  config["quantization_config"] =
      R"({"modules_to_not_convert": ["lm_head"], "quant_method": "bitnet"})";
  write_hf_folder(folder, config, hf_tensors_of(m, HfWeights::packed_inverse));
  CHECK(folder_logits(folder) == expected);
  const auto doubts_of = [&] {
    const auto opened =
        tern::Checkpoint::open(folder.path(), tern::FileAccess::mapped, tern::default_allocator());
    REQUIRE(opened.ok());
    return (*opened)->doubts().size();
  };
  // The revision `bfloat16`: the packed weights times their scale, and no quantization_config.
  config["quantization_config"] = "null";
  write_hf_folder(folder, config, hf_tensors_of(m, HfWeights::exact));
  CHECK(folder_logits(folder) == expected);
  CHECK(doubts_of() == 0);
  // Without that sign it is the model of plain float layers that its configuration means; doubted.
  config.erase("is_bitnet_config");
  write_hf_folder(folder, config, hf_tensors_of(m, HfWeights::exact));
  CHECK(folder_logits(folder) == gguf_logits(m, TensorType::f16, true));
  CHECK(doubts_of() == 1);
  config["pretraining_model_parallel"] = "1";  // TriLM's
  write_hf_folder(folder, config, hf_tensors_of(m, HfWeights::exact));
  CHECK(doubts_of() == 0);
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

#endif
