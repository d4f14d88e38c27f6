// Exported GGUF files: the same values in another type, or a refusal by name.
#include "support/gguf_exports.hpp"

using namespace tern_test;
using tern::Packing;
using tern::Status;
using tern::TensorType;

namespace {

constexpr TensorType kTargets[] = {TensorType::tq1_0, TensorType::tq2_0, TensorType::i2_s,
                                   TensorType::f16};

tern::LoadOptions packed_as(Packing packing, bool skip_zeros) {
  tern::LoadOptions options;
  options.packing = packing;
  options.skip_zeros = skip_zeros;
  return options;
}

}  // namespace

TEST_CASE("an exported model gives the same logits, whatever it was loaded from and packed as") {
  for (const char* architecture : {"bitnet-b1.58", "bitnet-25", "bitnet-a4.8", "bitnet", "llama"}) {
    const auto model = small_model(architecture);
    const auto expected = logits_of(gguf_of(model, TensorType::f32).build());
    for (const TensorType from : {TensorType::bf16, TensorType::tq1_0, TensorType::i2_s}) {
      const auto source = gguf_of(model, from).build();
      for (const TensorType to : kTargets) {
        INFO(architecture << ": type " << id_of(from) << " to " << id_of(to));
        const auto file = exported(source, to);
        CHECK(linear_types(file) == std::set{id_of(to)});
        CHECK(logits_of(file) == expected);
        CHECK(exported(source, to, packed_as(Packing::t5, false)) == file);
      }
    }
  }
}

TEST_CASE("tern files of every packing are exported, and exports make the same tern files") {
  const auto source = gguf_of(small_model(), TensorType::i2_s).build();
  for (const Packing packing : {Packing::t2, Packing::t5}) {
    for (const bool skip_zeros : {true, false}) {
      const auto options = packed_as(packing, skip_zeros);
      const auto tern_file = convert(source, options);
      for (const TensorType to : kTargets) {
        const auto file = exported(tern_file, to);
        CHECK(file == exported(source, to));
        CHECK(parse_gguf(file).find(tern::kTernVersionKey) == nullptr);
        const auto again = convert(file, options);
        CHECK(logits_of(again) == logits_of(source));
        CHECK(exported(again, to) == file);
      }
    }
  }
}

TEST_CASE("an export of an export is that export, to the byte, for any pair of types") {
  const auto source = gguf_of(small_model("llama"), TensorType::f32, TensorType::bf16).build();
  for (const TensorType first : kTargets) {
    for (const TensorType second : kTargets) {
      CHECK(exported(exported(source, first), second) == exported(source, second));
    }
  }
}

TEST_CASE("the number of workers changes no byte") {
  const auto source = gguf_of(small_model(), TensorType::tq2_0).build();
  auto pool = tern::ThreadPool::create(3, tern::default_allocator());
  REQUIRE(pool.ok());
  tern::LoadOptions threads;
  threads.runner = tern::TaskRunner(*std::move(pool));
  for (const TensorType to : kTargets) CHECK(exported(source, to, threads) == exported(source, to));
}

TEST_CASE("what a type cannot hold is F16 where that is exact, told by item") {
  struct Case {
    RandomScales scales;
    TensorType to;
    tern::TernaryFit fit;
  };
  const Case cases[] = {
      {RandomScales::row, TensorType::tq1_0, tern::TernaryFit::exact},
      {RandomScales::row, TensorType::i2_s, tern::TernaryFit::many_scales},
      {RandomScales::group256, TensorType::tq2_0, tern::TernaryFit::exact},
      {RandomScales::group256, TensorType::i2_s, tern::TernaryFit::many_scales},
      {RandomScales::group256, TensorType::f16, tern::TernaryFit::exact},
  };
  for (const Case& c : cases) {
    const auto source = gguf_of(small_model("bitnet", c.scales), TensorType::f32).build();
    const auto file = exported(source, c.to);
    const bool exact = c.fit == tern::TernaryFit::exact;
    CHECK(linear_types(file) == std::set{id_of(exact ? c.to : TensorType::f16)});
    CHECK(logits_of(file) == logits_of(source));
    const auto model = load_with(source, {});
    const auto planned = tern::GgufExport::create(*model, {.linear = c.to});
    REQUIRE(planned.ok());
    for (const tern::ExportItem& item : planned->items()) {
      CHECK(item.fit == (item.matrix.rows != 0 ? c.fit : tern::TernaryFit::exact));
    }
  }
}

TEST_CASE("rows that are no whole blocks are F16") {
  LogicalModel shape = small_shape("llama");
  shape.ffn_dim = 192;
  const auto source = gguf_of(random_model(shape, 1, 3), TensorType::f32).build();
  const auto file = exported(source, TensorType::i2_s);
  CHECK(linear_types(file) == std::set{id_of(TensorType::f16), id_of(TensorType::i2_s)});
  CHECK(parse_gguf(file).find_tensor("blk.0.ffn_down.weight")->type_id == id_of(TensorType::f16));
  CHECK(logits_of(file) == logits_of(source));
}

TEST_CASE("a scale that no f16 is stays in I2_S, and is refused by name elsewhere") {
  LogicalModel model = small_model();
  for (float& scale : model.layers[1].k.scales) scale = 1.0f / 3;
  const auto source = gguf_of(model, TensorType::i2_s).build();
  CHECK(logits_of(exported(source, TensorType::i2_s)) == logits_of(source));
  for (const TensorType to : {TensorType::tq1_0, TensorType::tq2_0, TensorType::f16}) {
    const auto refused = try_export(source, to);
    REQUIRE(refused.status() == Status::unsupported);
    CHECK(std::string_view(refused.error().subject) == "blk.1.attn_k.weight");
    CHECK(std::string_view(refused.error().what) ==
          "a scale is not exact in f16: i2_s or a tern file can hold it; round_scales rounds it");
  }
  // Of many such scales none but a tern file's can be.
  LogicalModel rows = small_model("bitnet", RandomScales::row);
  for (float& scale : rows.layers[0].up.scales) scale *= 1.0f / 3;
  const auto by_row = gguf_of(rows, TensorType::f32).build();
  for (const TensorType to : kTargets) {
    const auto refused = try_export(by_row, to);
    REQUIRE(refused.status() == Status::unsupported);
    CHECK(std::string_view(refused.error().what) ==
          "a scale is not exact in f16: only a tern file can hold it; round_scales rounds it");
  }
  // Too large for f16, and too small.
  for (const float scale : {std::ldexp(1.0f, 17), std::ldexp(1.0f, -25)}) {
    for (float& s : model.layers[1].k.scales) s = scale;
    const auto file = gguf_of(model, TensorType::i2_s).build();
    CHECK(try_export(file, TensorType::tq2_0).status() == Status::unsupported);
    const auto stored = parse_gguf(file).find_tensor("blk.1.attn_k.weight")->data;
    const auto kept = exported(file, TensorType::i2_s);
    const auto data = parse_gguf(kept).find_tensor("blk.1.attn_k.weight")->data;
    CHECK(std::equal(data.begin(), data.end(), stored.begin(), stored.end()));
  }
}

TEST_CASE("tables stay as they are; BF16 is F16 where that is exact, as a whole") {
  LogicalModel model = small_model("llama");
  for (const TensorType table : {TensorType::f32, TensorType::f16}) {
    const auto bytes = exported(gguf_of(model, TensorType::i2_s, table).build(), TensorType::tq1_0);
    const auto file = parse_gguf(bytes);
    CHECK(file.find_tensor("token_embd.weight")->type_id == id_of(table));
    CHECK(file.find_tensor("output.weight")->type_id == id_of(table));
  }
  model.head[17] = std::ldexp(1.0f, 20);  // of bfloat16 only
  const auto source = gguf_of(model, TensorType::i2_s, TensorType::bf16).build();
  const auto bytes = exported(source, TensorType::tq1_0);
  const auto file = parse_gguf(bytes);
  CHECK(file.find_tensor("token_embd.weight")->type_id == id_of(TensorType::f16));
  CHECK(file.find_tensor("output.weight")->type_id == id_of(TensorType::bf16));
  CHECK(logits_of(bytes) == logits_of(source));
}

TEST_CASE("a table of BF16 is F16 where each of its values is, for every value that there is") {
  for (uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const uint8_t value[2] = {static_cast<uint8_t>(bits & 0xFF), static_cast<uint8_t>(bits >> 8)};
    const uint32_t wide = tern::f32_bits_from_bf16(static_cast<uint16_t>(bits));
    const bool is_exact = tern::f32_bits_from_f16(tern::f16_from_f32_bits(wide)) == wide;
    if (tern::detail::narrows_exactly(value) != is_exact) FAIL(bits);
  }
}

TEST_CASE("a head as q6 is exported, an int8 one refused by name") {
  const auto source = gguf_of(small_model(), TensorType::i2_s).build();
  tern::LoadOptions options;
  options.head = tern::HeadOption::q6;
  const auto file = exported(source, TensorType::tq2_0, options);
  CHECK(parse_gguf(file).find_tensor("token_embd.weight")->type_id == id_of(TensorType::q6_k));
  options.head = tern::HeadOption::i8;
  const auto refused = try_export(source, TensorType::tq2_0, options);
  REQUIRE(refused.status() == Status::unsupported);
  CHECK(std::string_view(refused.error().subject) == "token_embd.weight");
}

TEST_CASE("metadata of the source are kept, and the file says what it holds") {
  auto writer = gguf_of(small_model(), TensorType::tq2_0);
  writer.add("general.name", "a name").add("general.file_type", uint32_t{40});
  writer.add("general.alignment", uint32_t{32}).add("custom.number", 0.5f);
  const auto source = writer.build();
  const std::pair<TensorType, uint32_t> file_types[] = {{TensorType::f16, 1},
                                                        {TensorType::tq1_0, 36},
                                                        {TensorType::tq2_0, 37},
                                                        {TensorType::i2_s, 40}};
  for (const auto& [type, id] : file_types) {
    const auto bytes = exported(convert(source), type);
    const auto file = parse_gguf(bytes);
    CHECK(*file.get<std::string_view>("general.name") == "a name");
    CHECK(*file.get<float>("custom.number") == 0.5f);
    CHECK(*file.get<uint32_t>("general.file_type") == id);
    CHECK(*file.get<uint32_t>("general.quantization_version") == 2);
    for (const auto& entry : file.metadata()) CHECK(!entry.key.starts_with("tern."));
    // As current readers ask: offsets are the running sum of padded sizes.
    uint64_t end = file.tensors()[0].offset;
    for (const auto& tensor : file.tensors()) {
      CHECK(tensor.offset == end);
      end += (tensor.data.size() + 63) / 64 * 64;
    }
    CHECK(end == bytes.size());
  }
}

TEST_CASE("a type that holds no trits, and a packed matrix with code 3, are refused") {
  const auto source = gguf_of(small_model(), TensorType::i2_s).build();
  const auto refused = try_export(source, TensorType::q8_0);
  CHECK(refused.status() == Status::invalid_argument);
  auto tern_file = convert(source, packed_as(Packing::t2, true));
  for (const char* name : {"blk.1.attn_v.weight", "blk.0.ffn_up.weight", "blk.0.ffn_down.weight"}) {
    auto spoiled = tern_file;
    spoiled[parse_gguf(tern_file).find_tensor(name)->offset + 100] = 0xFF;
    const auto error = try_export(spoiled, TensorType::i2_s);
    REQUIRE(error.status() == Status::malformed);
    CHECK(std::string_view(error.error().subject) == name);
  }
}

namespace {

/// qwen3 or gemma3: with input norms of int8 activations, without of int16; of logits or of texts.
LogicalModel head_norm_model(const std::string& architecture, bool input_norms, unsigned pooling,
                             RandomScales scales) {
  LogicalModel shape = small_shape(architecture);
  shape.input_norms = input_norms;
  shape.activation_bits = input_norms ? 8 : 16;
  shape.pooling = pooling;
  return random_model(shape, 2, 19, scales);
}

/// What a model gives for some texts: their logits, or their embeddings.
std::vector<float> output_of(const Bytes& bytes) {
  const auto model = load_with(bytes, {});
  if (model->config().pooling == tern::Pooling::none) return logits_of(bytes);
  const auto session = open_session(model);
  const std::vector<size_t> lengths = {4, 1, 9};
  std::vector<float> out(lengths.size() * model->config().model_dim);
  REQUIRE(session->embed(some_tokens(14, 70), lengths, out).ok());
  return out;
}

/// Whether a type has a place for all scales of a matrix.
bool has_room(TensorType type, RandomScales scales) {
  if (type == TensorType::f16 || scales == RandomScales::tensor) return true;
  if (type == TensorType::i2_s) return false;
  return scales == RandomScales::row || scales == RandomScales::group256;
}

}  // namespace

TEST_CASE("exports of qwen3 and gemma3 give the same bits, of logits and of embeddings") {
  for (const char* architecture : {"qwen3", "gemma3"}) {
    for (const bool input_norms : {false, true}) {
      for (const unsigned pooling : {0u, 3u}) {
        for (const RandomScales scales :
             {RandomScales::tensor, RandomScales::row, RandomScales::group256,
              RandomScales::group128, RandomScales::group64}) {
          const auto m = head_norm_model(architecture, input_norms, pooling, scales);
          const auto source = gguf_of(m, TensorType::f32).build();
          const auto expected = output_of(source);
          CHECK(output_of(convert(source)) == expected);
          for (const TensorType to : kTargets) {
            INFO(architecture << " input norms " << input_norms << " pooling " << pooling
                              << " scales " << static_cast<int>(scales) << " to " << id_of(to));
            const auto file = exported(source, to);
            const TensorType held = has_room(to, scales) ? to : TensorType::f16;
            CHECK(linear_types(file) == std::set{id_of(held)});
            CHECK(output_of(file) == expected);
          }
        }
      }
    }
  }
}

TEST_CASE("an epsilon of input norms that a file says is said by its exports") {
  auto m = head_norm_model("qwen3", true, 0, RandomScales::tensor);
  const auto plain = gguf_of(m, TensorType::f32).build();
  m.input_eps = 0.5;
  const auto source = gguf_of(m, TensorType::f32).build();
  CHECK(output_of(source) != output_of(plain));
  CHECK(output_of(convert(source)) == output_of(source));
  for (const TensorType to : kTargets) {
    CHECK(output_of(exported(source, to)) == output_of(source));
    CHECK(output_of(exported(convert(source), to)) == output_of(source));
  }
}

TEST_CASE("bits of activations that a file says are said by its exports") {
  const auto m = head_norm_model("qwen3", false, 0, RandomScales::tensor);
  const auto plain = gguf_of(m, TensorType::f32).build();
  GgufWriter writer = gguf_of(m, TensorType::f32);
  writer.add("tern.activation_bits", 8u);
  const auto source = writer.build();
  CHECK(output_of(source) != output_of(plain));
  for (const TensorType to : kTargets) {
    CHECK(output_of(exported(source, to)) == output_of(source));
    CHECK(output_of(exported(convert(source), to)) == output_of(source));
  }
}

TEST_CASE("what no type holds of qwen3 and gemma3 is refused by name") {
  for (const char* architecture : {"qwen3", "gemma3"}) {
    auto m = head_norm_model(architecture, false, 0, RandomScales::group128);
    for (float& scale : m.layers[1].gate.scales) scale *= 1.0f / 3;
    const auto source = gguf_of(m, TensorType::f32).build();
    const auto whole =
        gguf_of(head_norm_model(architecture, false, 0, RandomScales::tensor), TensorType::f32);
    tern::LoadOptions int8_head;
    int8_head.head = tern::HeadOption::i8;
    for (const TensorType to : kTargets) {
      const auto refused = try_export(source, to);
      REQUIRE(refused.status() == Status::unsupported);
      CHECK(std::string_view(refused.error().subject) == "blk.1.ffn_gate.weight");
      CHECK(std::string_view(refused.error().what) ==
            "a scale is not exact in f16: only a tern file can hold it; round_scales rounds it");
      const auto head = try_export(whole.build(), to, int8_head);
      REQUIRE(head.status() == Status::unsupported);
      CHECK(std::string_view(head.error().subject) == "token_embd.weight");
    }
    CHECK(output_of(convert(source)) == output_of(source));
  }
}
