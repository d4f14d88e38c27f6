// Loading models: every weight type means the same, every contradiction is refused by name.
#include "tern/model/model.hpp"

#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>

#include "support/model_fixture.hpp"

using namespace tern_test;
using tern::Status;
using tern::TensorType;

TEST_CASE("the same ternary values give the same logits from every weight type") {
  const LogicalModel m = small_model();
  const auto expected = last_logits(gguf_of(m, TensorType::f32).build());
  for (const auto type : {TensorType::f16, TensorType::bf16, TensorType::tq1_0, TensorType::tq2_0,
                          TensorType::i2_s}) {
    INFO(static_cast<int>(type));
    CHECK(last_logits(gguf_of(m, type).build()) == expected);
  }
}

TEST_CASE("scales a row and scales a group give the same logits from every type that has them") {
  for (const auto scales : {RandomScales::row, RandomScales::group256}) {
    const LogicalModel m = small_model(scales);
    const auto expected = last_logits(gguf_of(m, TensorType::f32).build());
    CHECK(last_logits(gguf_of(m, TensorType::tq2_0).build()) == expected);
    CHECK(last_logits(gguf_of(m, TensorType::tq1_0).build()) == expected);
  }
}

TEST_CASE("scales are kept as coarse as they are") {
  const auto kind = [](RandomScales scales) {
    const auto bytes = gguf_of(small_model(scales), TensorType::f16).build();
    const auto model = load(bytes);
    return model->weights().layers[0].ffn_down.view().scale_kind;
  };
  CHECK(kind(RandomScales::tensor) == tern::ScaleKind::tensor);
  CHECK(kind(RandomScales::row) == tern::ScaleKind::row);
  CHECK(kind(RandomScales::group256) == tern::ScaleKind::group);
}

TEST_CASE("embeddings in f16, bf16 and f32 give the same logits when their values are the same") {
  const LogicalModel m = small_model();
  const auto expected = last_logits(gguf_of(m, TensorType::tq2_0, TensorType::f32).build());
  CHECK(last_logits(gguf_of(m, TensorType::tq2_0, TensorType::f16).build()) == expected);
  CHECK(last_logits(gguf_of(m, TensorType::tq2_0, TensorType::bf16).build()) == expected);
}

TEST_CASE("a file loads the same from a path, mapped or copied, and from memory") {
  const auto bytes = gguf_of(small_model(), TensorType::i2_s).build();
  const std::string path = "tern_model_test.gguf";  // in the build folder
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  const auto expected = last_logits(bytes);
  for (const auto access : {tern::FileAccess::mapped, tern::FileAccess::copied}) {
    tern::LoadOptions options;
    options.map = access;
    auto model = tern::Model::load_file(path, options);
    REQUIRE(model.ok());
    const auto session = open_session(*model);
    REQUIRE(session->evaluate(some_tokens(9, 70)).ok());
    CHECK(std::vector<float>(session->logits().begin(), session->logits().end()) == expected);
  }
  std::remove(path.c_str());
  CHECK(tern::Model::load_file(path, {}).status() == Status::not_found);
}

TEST_CASE("packing in any number of tasks gives the same weights and the same first error") {
  auto pool = tern::ThreadPool::create(5, tern::default_allocator());
  REQUIRE(pool.ok());
  tern::LoadOptions options;
  options.runner = tern::TaskRunner(*pool);
  const auto bytes = gguf_of(small_model(), TensorType::tq1_0).build();
  const auto alone = load(bytes);
  const auto together = tern::Model::load_memory(bytes, options);
  REQUIRE(together.ok());
  const auto packed = [](const ModelPtr& model) { return model->weights().region.span(); };
  CHECK(std::equal(packed(alone).begin(), packed(alone).end(), packed(*together).begin(),
                   packed(*together).end()));

  LogicalModel m = small_model();
  auto& scales = m.layers[0].down;
  scales.group_cols = 256;
  scales.scales.assign(scales.rows * 2, 1.0f);
  scales.scales[6] = std::numeric_limits<float>::infinity();
  scales.scales[300] = std::numeric_limits<float>::infinity();
  const auto broken = gguf_of(m, TensorType::tq2_0).build();
  const auto first = load_error(broken);
  const auto second = tern::Model::load_memory(broken, options);
  REQUIRE_FALSE(second.ok());
  CHECK(first.status == Status::malformed);
  CHECK(first.where == second.error().where);
  CHECK(first.has_where());
}

TEST_CASE("values that are not ternary are refused by the tensor's name") {
  LogicalModel m = small_model();
  auto writer = gguf_of(m, TensorType::f32);
  auto bytes = writer.build();
  const auto file = tern::GgufFile::parse(bytes, tern::default_allocator());
  REQUIRE(file.ok());
  const auto* tensor = file->find_tensor("blk.1.ffn_gate.weight");
  REQUIRE(tensor != nullptr);
  // The smallest change that leaves {-g, 0, +g}.
  for (size_t at = tensor->offset;; at += 4) {
    uint32_t bits = 0;
    std::memcpy(&bits, bytes.data() + at, 4);
    if ((bits & 0x7FFFFFFF) == 0) continue;
    bytes[at] ^= 1;
    break;
  }
  const auto error = load_error(bytes);
  CHECK(error.status == Status::not_ternary);
  CHECK(std::string(error.subject) == "blk.1.ffn_gate.weight");
  CHECK(error.where >= tensor->offset);
}

TEST_CASE("a missing tensor, a wrong shape and a surplus tensor are refused by name") {
  const LogicalModel m = small_model();
  auto surplus = gguf_of(m, TensorType::tq2_0);
  surplus.add_tensor({"blk.0.attn_q.bias", 0, {256}, std::vector<uint8_t>(1024), {}});
  auto error = load_error(surplus.build());
  CHECK(error.status == Status::unsupported);
  CHECK(std::string(error.subject) == "blk.0.attn_q.bias");

  GgufWriter claims_more = gguf_of(m, TensorType::tq2_0);
  claims_more.replace_u32("bitnet-b1.58.block_count", 3);
  error = load_error(claims_more.build());
  CHECK(error.status == Status::missing);
  CHECK(std::string(error.subject) == "blk.2.attn_norm.weight");

  claims_more.replace_u32("bitnet-b1.58.block_count", 1000);
  error = load_error(claims_more.build());
  CHECK(error.status == Status::missing);
  CHECK(std::string(error.subject) == "block_count");
  GgufWriter claims_less = gguf_of(m, TensorType::tq2_0);
  claims_less.replace_u32("bitnet-b1.58.block_count", 1);
  error = load_error(claims_less.build());
  CHECK(error.status == Status::unsupported);
  CHECK(std::string(error.subject) == "blk.1.attn_norm.weight");

  LogicalModel wrong = m;
  wrong.layers[1].up.rows = 511;
  wrong.layers[1].up.trits.resize(511 * 256);
  wrong.layers[1].up.scales.resize(511);
  error = load_error(gguf_of(wrong, TensorType::tq2_0).build());
  CHECK(error.status == Status::mismatch);
  CHECK(std::string(error.subject) == "blk.1.ffn_up.weight");
}

TEST_CASE("hyperparameters outside their limits are refused by key") {
  const auto error_of = [](auto spoil) {
    LogicalModel m = small_model();
    spoil(m);
    return load_error(gguf_of(m, TensorType::f32).build());
  };
  const auto subject = [](const tern::Error& error) { return std::string(error.subject); };
  auto error = error_of([](LogicalModel& m) { m.n_kv_heads = 3; });
  CHECK(error.status == Status::mismatch);
  CHECK(subject(error) == "bitnet-b1.58.attention.head_count_kv");
  error = error_of([](LogicalModel& m) { m.context_len = 1u << 20; });
  CHECK(subject(error) == "bitnet-b1.58.context_length");
  error = error_of([](LogicalModel& m) { m.eps = -1; });
  CHECK(subject(error) == "bitnet-b1.58.attention.layer_norm_rms_epsilon");
  error = error_of([](LogicalModel& m) { m.eps = std::nan(""); });
  CHECK(error.status == Status::mismatch);
  error = error_of([](LogicalModel& m) { m.rope_base = 0; });
  CHECK(subject(error) == "bitnet-b1.58.rope.freq_base");
  // Angles beyond docs/numerics.md 8.2 would be undefined.
  error = error_of([](LogicalModel& m) { m.rope_base = 0.5; });
  CHECK(subject(error) == "bitnet-b1.58.rope.freq_base");
  error = error_of([](LogicalModel& m) { m.head_dim = 63; });
  CHECK(error.status == Status::mismatch);
  error = error_of([](LogicalModel& m) { m.architecture = "mamba"; });
  CHECK(error.status == Status::unsupported_architecture);
  CHECK(subject(error) == "mamba");
}

TEST_CASE("weights that are not finite are refused") {
  const auto error_of = [](auto spoil) {
    LogicalModel m = small_model();
    spoil(m);
    return load_error(gguf_of(m, TensorType::f32, TensorType::f16).build());
  };
  const float nan = std::nanf("");
  CHECK(error_of([&](LogicalModel& m) { m.embedding[1234] = nan; }).status == Status::malformed);
  CHECK(error_of([&](LogicalModel& m) { m.output_norm[3] = nan; }).status == Status::malformed);
  CHECK(error_of([&](LogicalModel& m) { m.layers[1].ffn_sub_norm[511] = nan; }).status ==
        Status::malformed);
  CHECK(error_of([&](LogicalModel& m) { m.layers[0].q.scales[5] = nan; }).status ==
        Status::malformed);
}

TEST_CASE("keys of the forward pass that tern does not follow are refused, not ignored") {
  const auto error_with = [](const char* key, const char* value) {
    auto writer = gguf_of(small_model(), TensorType::tq2_0);
    writer.add(key, value);
    return load_error(writer.build());
  };
  CHECK(error_with("bitnet-b1.58.rope.scaling.type", "yarn").status == Status::unsupported);
  CHECK(error_with("bitnet-b1.58.hidden_activation", "gelu").status == Status::unsupported);
  const auto with_number = [](const char* key, auto value) {
    auto spoiled = gguf_of(small_model(), TensorType::tq2_0);
    spoiled.add(key, value);
    const auto file = spoiled.build();
    return tern::Model::load_memory(file, {}).status();
  };
  CHECK(with_number("bitnet-b1.58.logit_scale", 0.25f) == Status::unsupported);
  CHECK(with_number("bitnet-b1.58.expert_count", uint32_t{8}) == Status::unsupported);
  CHECK(with_number("bitnet-b1.58.expert_count", uint32_t{0}) == Status::ok);
  CHECK(with_number("bitnet-b1.58.rope.scale_linear", 0.5f) == Status::mismatch);
  CHECK(with_number("bitnet-b1.58.rope.scale_linear", 2.0f) == Status::ok);
  auto writer = gguf_of(small_model(), TensorType::tq2_0);
  writer.add("bitnet-b1.58.hidden_activation", "silu");
  const auto bytes = writer.build();
  CHECK(load(bytes)->config().activation == tern::Activation::silu);
}

TEST_CASE("an unknown instruction set is refused by name, before anything is packed") {
  const auto bytes = gguf_of(small_model(), TensorType::tq2_0).build();
  tern::LoadOptions options;
  options.isa = "mmx";
  const auto model = tern::Model::load_memory(bytes, options);
  REQUIRE_FALSE(model.ok());
  CHECK(model.status() == Status::isa_unknown);
  CHECK(std::string(model.error().subject) == "mmx");
}

TEST_CASE("a model without a vocabulary loads and has no tokenizer") {
  const auto bytes = gguf_of(small_model(), TensorType::tq2_0).build();
  const auto model = load(bytes);
  CHECK(model->tokenizer() == nullptr);
  CHECK(model->n_tokens() == 70);
  CHECK(model->chat().status() == Status::unsupported);
}
