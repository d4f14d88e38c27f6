// Models in every tensor type of trits: linear layers, embeddings and heads give the same bits from
// all of them, and what a type cannot say is refused by name.
#include <cmath>
#include <string>

#include "support/model_fixture.hpp"
#include "support/tern_files.hpp"
#include "tern/model/model.hpp"

using namespace tern_test;
using tern::Status;
using tern::TensorType;

namespace {

constexpr TensorType kTableTypes[] = {TensorType::tq1_0, TensorType::tq2_0, TensorType::i2_s,
                                      TensorType::q2_0, TensorType::q2_0_g128};

tern::LoadOptions arm_layout() {
  tern::LoadOptions options;
  options.i2_s_layout = tern::I2sLayout::arm;
  return options;
}

LogicalModel model_of_72(RandomScales scales = RandomScales::tensor,
                         const std::string& architecture = "bitnet-b1.58") {
  LogicalModel shape = small_shape(architecture);
  shape.vocab_size = 72;  // whole groups of four rows are the linear layers' alone
  return random_model(shape, 2, 19, scales);
}
void binarize(LogicalModel& m) {
  for (LogicalLayer& layer : m.layers) {
    for (const auto& [name, member] : linear_names()) {
      for (int8_t& t : (layer.*member).trits) t = t == 0 ? int8_t{1} : t;
    }
  }
}
// Tables of -1/8, 0 and 1/8, or without zeros.
void make_tables_ternary(LogicalModel& m, bool with_zeros = true) {
  for (std::vector<float>* table : {&m.embedding, &m.head}) {
    for (float& v : *table) {
      const float sign = v < 0 ? -1.0f : 1.0f;
      v = with_zeros && std::fabs(v) < 0.5f ? 0.0f : sign / 8;
    }
  }
}

}  // namespace

TEST_CASE("linear layers give the same logits from every type that can hold their scales") {
  const auto check = [](const LogicalModel& m, std::initializer_list<TensorType> types) {
    const auto expected = last_logits(gguf_of(m, TensorType::f32).build());
    for (const TensorType type : types) {
      INFO(tern::type_info(type).name);
      CHECK(last_logits(gguf_of(m, type).build()) == expected);
    }
  };
  check(model_of_72(), {TensorType::q2_0, TensorType::q2_0_g128, TensorType::iq1_bn,
                        TensorType::iq2_bn, TensorType::iq2_bn_r4});
  check(model_of_72(RandomScales::row),
        {TensorType::q2_0, TensorType::q2_0_g128, TensorType::iq1_bn, TensorType::iq2_bn,
         TensorType::iq2_bn_r4});
  check(model_of_72(RandomScales::group256), {TensorType::q2_0, TensorType::q2_0_g128});
  check(model_of_72(RandomScales::group128), {TensorType::q2_0, TensorType::q2_0_g128});
  check(model_of_72(RandomScales::group64), {TensorType::q2_0});
  LogicalModel binary = model_of_72(RandomScales::group128);
  binarize(binary);
  check(binary, {TensorType::q1_0, TensorType::q2_0});
}

TEST_CASE("groups of scales stay as wide as they are") {
  const auto width = [](RandomScales scales, TensorType type) {
    const auto bytes = gguf_of(model_of_72(scales), type).build();
    return load(bytes)->weights().layers[0].ffn_down.view().group_cols;
  };
  CHECK(width(RandomScales::group256, TensorType::q2_0) == 256);
  CHECK(width(RandomScales::group128, TensorType::q2_0) == 128);
  CHECK(width(RandomScales::group128, TensorType::q2_0_g128) == 128);
  CHECK(width(RandomScales::group64, TensorType::q2_0) == 64);
  CHECK(width(RandomScales::row, TensorType::iq2_bn) == 0);
}

TEST_CASE("embeddings and heads of trits give the same logits from every type") {
  for (const char* architecture : {"bitnet-b1.58", "llama"}) {  // a tied table, two tables
    LogicalModel m = model_of_72(RandomScales::tensor, architecture);
    make_tables_ternary(m);
    const auto expected = last_logits(gguf_of(m, TensorType::tq2_0, TensorType::tq2_0).build());
    for (const TensorType type : kTableTypes) {
      INFO(architecture << ", " << tern::type_info(type).name);
      const auto bytes = gguf_of(m, TensorType::tq2_0, type).build();
      for (const std::string& isa : available_isas()) {
        CHECK(last_logits(load(bytes, isa)) == expected);
      }
      const auto model = load(bytes);
      CHECK(model->weights().head.type == type);
      CHECK((model->weights().head.rows == model->weights().embedding.rows) ==
            (m.architecture == "bitnet-b1.58"));
    }
    make_tables_ternary(m, false);
    CHECK(last_logits(gguf_of(m, TensorType::tq2_0, TensorType::q1_0).build()) ==
          last_logits(gguf_of(m, TensorType::tq2_0, TensorType::q2_0).build()));
  }
}

TEST_CASE("a model of qwen3 with groups of 128 in all its tensors loads as Ternary-Bonsai does") {
  LogicalModel m = model_of_72(RandomScales::group128, "qwen3");
  make_tables_ternary(m);
  const auto expected = last_logits(gguf_of(m, TensorType::f32, TensorType::tq2_0).build());
  CHECK(last_logits(gguf_of(m, TensorType::q2_0_g128, TensorType::q2_0_g128).build()) == expected);
  CHECK(last_logits(gguf_of(m, TensorType::q2_0, TensorType::q2_0).build()) == expected);
}

TEST_CASE("tern files of models with tables of trits give the logits of their sources") {
  LogicalModel m = model_of_72();
  make_tables_ternary(m);
  for (const TensorType type : kTableTypes) {
    INFO(tern::type_info(type).name);
    const auto source = gguf_of(m, TensorType::q2_0, type).build();
    const auto converted = convert(source);
    CHECK(load(converted)->weights().head.type == type);
    CHECK(last_logits(converted) == last_logits(source));
  }
}

TEST_CASE("the layout of ARM builds is read when it is asked for") {
  const LogicalModel m = model_of_72();
  GgufWriter writer = gguf_of(m, TensorType::i2_s);
  const auto expected = last_logits(writer.build());
  for (size_t l = 0; l < m.layers.size(); ++l) {
    for (const auto& [name, member] : linear_names()) {
      const LogicalLinear& w = m.layers[l].*member;
      writer.replace_tensor({"blk." + std::to_string(l) + "." + name + ".weight",
                             36,
                             {w.cols, w.rows},
                             as_arm_i2_s(encode_linear(w, TensorType::i2_s)),
                             {}});
    }
  }
  const auto bytes = writer.build();
  CHECK(last_logits(bytes) != expected);
  const auto model = tern::Model::load_memory(bytes, arm_layout());
  REQUIRE(model.ok());
  CHECK(last_logits(*model) == expected);
}

TEST_CASE("tables that kernels cannot read are refused by name") {
  LogicalModel m = model_of_72();
  make_tables_ternary(m);
  const auto refused = [](const std::vector<uint8_t>& bytes, const tern::LoadOptions& options,
                          Status status) {
    const auto model = tern::Model::load_memory(bytes, options);
    REQUIRE_FALSE(model.ok());
    CHECK(model.status() == status);
    CHECK(std::string(model.error().subject) == "token_embd.weight");
  };
  for (const TensorType type : {TensorType::iq1_bn, TensorType::iq2_bn, TensorType::iq2_bn_r4}) {
    refused(gguf_of(m, TensorType::tq2_0, type).build(), {}, Status::unsupported_type);
  }
  refused(gguf_of(m, TensorType::tq2_0, TensorType::i2_s).build(), arm_layout(),
          Status::unsupported_type);
  const auto with_scale = [&](TensorType type, size_t at, std::vector<uint8_t> scale) {
    auto data = encode_table(m.embedding, m.model_dim, type);
    std::copy(scale.begin(), scale.end(), data.begin() + static_cast<long>(at));
    GgufWriter writer = gguf_of(m, TensorType::tq2_0, type);
    writer.replace_tensor({"token_embd.weight",
                           tern::gguf_type_id(type),
                           {m.model_dim, m.vocab_size},
                           std::move(data),
                           {}});
    return writer.build();
  };
  refused(with_scale(TensorType::q2_0, 18 * 7, {0x00, 0x7C}), {}, Status::malformed);
  refused(with_scale(TensorType::q2_0_g128, 34 * 7, {0x01, 0xFC}), {}, Status::malformed);
  refused(with_scale(TensorType::q1_0, 18 * 7, {0x00, 0x7C}), {}, Status::malformed);
  refused(with_scale(TensorType::tq1_0, 54 * 7 + 52, {0x00, 0x7C}), {}, Status::malformed);
  refused(with_scale(TensorType::i2_s, m.embedding.size() / 4, {0, 0, 0x80, 0x7F}), {},
          Status::malformed);
}

TEST_CASE("a Q4_K table loads, and both of its scales must be finite") {
  const LogicalModel m = model_of_72();
  GgufWriter writer = gguf_of(m, TensorType::tq2_0);
  const auto table = [&](uint8_t scale, uint8_t min_scale) {
    std::vector<uint8_t> data(72 * 144);
    for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(i * i + i / 144);
    for (size_t at = 0; at < data.size(); at += 144) {
      data[at + 1] = 0x28;
      data[at + 3] = 0x24;
    }
    data[144 * 5 + 1] = scale;
    data[144 * 5 + 3] = min_scale;
    writer.replace_tensor({"token_embd.weight", 12, {256, 72}, data, {}});
    return writer.build();
  };
  const auto bytes = table(0x28, 0x24);
  const auto expected = last_logits(load(bytes, "scalar"));
  for (const std::string& isa : available_isas()) CHECK(last_logits(load(bytes, isa)) == expected);
  CHECK(load_error(table(0x7C, 0x24)).status == Status::malformed);
  CHECK(load_error(table(0x28, 0xFC)).status == Status::malformed);
}

TEST_CASE("a factor beside a layer multiplies its scales where those are 1, else is refused") {
  LogicalModel m = model_of_72();
  const auto expected = last_logits(gguf_of(m, TensorType::tq2_0).build());
  for (LogicalLayer& layer : m.layers) {
    std::fill(layer.k.scales.begin(), layer.k.scales.end(), 1.0f);
    std::fill(layer.down.scales.begin(), layer.down.scales.end(), 1.0f);
  }
  const auto with_factors = [&](const std::string& name, float factor) {
    GgufWriter writer = gguf_of(m, TensorType::tq2_0);
    for (const char* layer : {"blk.0.", "blk.1."}) {
      for (const char* unit : {"attn_k.scale", "ffn_down.scale"}) {
        writer.add_tensor(
            {layer + std::string(unit), 0, {1}, encode_floats({0x1p-5f}, TensorType::f32), {}});
      }
    }
    if (!name.empty()) {
      writer.remove_tensor(name);
      writer.add_tensor({name, 0, {1}, encode_floats({factor}, TensorType::f32), {}});
    }
    return writer.build();
  };
  CHECK(last_logits(with_factors("", 0)) == expected);
  for (const float factor : {0.0f, -1.0f}) {
    const auto error = load_error(with_factors("blk.1.attn_k.scale", factor));
    CHECK(error.status == Status::unsupported);
    CHECK(std::string(error.subject) == "blk.1.attn_k.scale");
  }
  CHECK(load_error(with_factors("blk.1.attn_k.scale", std::nanf(""))).status == Status::malformed);
  CHECK(load_error(with_factors("blk.0.ffn_up.scale", 2)).status == Status::unsupported);
  CHECK(load_error(with_factors("blk.0.attn_norm.scale", 1)).status == Status::unsupported);
}

TEST_CASE("types whose tiles are not in the file, and rows without scales, say what to do") {
  const LogicalModel m = model_of_72();
  const auto error_of = [&](uint32_t id, size_t bytes) {
    GgufWriter writer = gguf_of(m, TensorType::tq2_0);
    writer.replace_tensor({"blk.1.ffn_up.weight", id, {256, 512}, std::vector<uint8_t>(bytes), {}});
    const tern::Error error = load_error(writer.build());
    CHECK(error.status == Status::unsupported_type);
    CHECK(std::string(error.subject) == "blk.1.ffn_up.weight");
    return std::string(error.what);
  };
  CHECK(error_of(38, 256 * 512 / 4 + 32) ==
        "tensor type TL1 is not supported: its tile sizes are not in the file; take the I2_S file "
        "of the model");
  CHECK(error_of(134, 512 * 4 * 13) ==
        "tensor type IQ1_BN without row scales is not supported: convert the model anew");
  CHECK(error_of(135, 512 * 4 * 16) ==
        "tensor type IQ2_BN without row scales is not supported: convert the model anew");
}
