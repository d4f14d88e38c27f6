// Tern files: what is written loads to the same bits, in place.
#include "tern/convert/tern_file.hpp"

#include <cstdio>
#include <fstream>

#include "support/model_fixture.hpp"
#include "support/tern_files.hpp"

using namespace tern_test;
using tern::HeadOption;
using tern::Packing;
using tern::Status;
using tern::TensorType;

namespace {

tern::LoadOptions options_of(Packing packing, HeadOption head) {
  tern::LoadOptions options;
  options.packing = packing;
  options.head = head;
  return options;
}

bool lies_in(const void* p, const Bytes& bytes) {
  const auto* at = static_cast<const uint8_t*>(p);
  return at >= bytes.data() && at < bytes.data() + bytes.size();
}

}  // namespace

TEST_CASE(
    "a tern file gives the logits of the load that it was made of, for any packing and head") {
  for (const char* architecture : {"bitnet-b1.58", "bitnet-a4.8", "bitnet", "llama"}) {
    for (const auto scales : {RandomScales::tensor, RandomScales::row, RandomScales::group256}) {
      const auto source = gguf_of(small_model(architecture, scales), TensorType::f32).build();
      for (const Packing packing : {Packing::t2, Packing::t5}) {
        for (const HeadOption head : {HeadOption::keep, HeadOption::q6, HeadOption::i8}) {
          const auto options = options_of(packing, head);
          const auto loaded = load_with(source, options);
          const auto tern_file = convert(source, options);
          CHECK(logits_of(load_with(tern_file, {})) == logits_of(loaded));
        }
      }
    }
  }
}

TEST_CASE("loading a tern file packs nothing: weights are viewed where they lie") {
  const auto source = gguf_of(small_model(), TensorType::i2_s).build();
  const auto bytes = convert(source, options_of(Packing::t5, HeadOption::i8));
  const auto model = load_with(bytes, {});
  const auto& weights = model->weights();
  CHECK(weights.region.size() == 0);
  CHECK(lies_in(weights.head.rows, bytes));
  CHECK(lies_in(weights.head.scales, bytes));
  CHECK(weights.head.rows == weights.embedding.rows);
  for (const auto& layer : weights.layers) {
    for (const auto& rule : model->architecture().linears) {
      const tern::TernaryView& w = (layer.*rule.matrix).view();
      CHECK(lies_in(w.data, bytes));
      CHECK(lies_in(w.scales, bytes));
      CHECK((w.data - bytes.data()) % 64 == 0);
    }
    CHECK(layer.ffn_gate.view().packing == Packing::t5);
    CHECK(layer.ffn_up.view().packing == Packing::t5r);
    CHECK(layer.ffn_down.view().packing == Packing::t5c);
  }
}

TEST_CASE("packed tensors begin at a multiple of 2 MiB, in the order of the forward pass") {
  const auto source = gguf_of(small_model(), TensorType::i2_s).build();
  const auto bytes = convert(source);
  const auto file = parse_gguf(bytes);
  const auto model = load_with(bytes, {});
  const uint8_t* at = bytes.data() + (size_t{2} << 20);
  for (const auto& layer : model->weights().layers) {
    for (const auto& rule : model->architecture().linears) {
      CHECK((layer.*rule.matrix).view().data == at);
      at += ((layer.*rule.matrix).packed_size() + 63) / 64 * 64;
    }
  }
  CHECK(model->weights().head.rows == at);
  CHECK(*file.get<uint32_t>("general.alignment") == 64);
  CHECK(*file.get<uint32_t>(tern::kTernVersionKey) == 100);
}

TEST_CASE("metadata of the source are kept, but for those of its container") {
  auto writer = gguf_of(small_model(), TensorType::tq2_0);
  writer.add("general.name", "a name").add("general.alignment", uint32_t{32});
  writer.add("general.file_type", uint32_t{37}).add("custom.number", 0.5f);
  const auto source = writer.build();
  const auto bytes = convert(source);
  const auto file = parse_gguf(bytes);
  CHECK(*file.get<std::string_view>("general.name") == "a name");
  CHECK(*file.get<float>("custom.number") == 0.5f);
  CHECK(file.find("general.file_type") == nullptr);
  CHECK(load_with(bytes, {})->name() == "a name");
  // Once more, from the tern file itself.
  CHECK(convert(bytes) == bytes);
}

TEST_CASE("what only tern's own keys say of text is kept") {
  auto source = gguf_of(small_model(), TensorType::f32);
  source.add("tern.tokenizer.normalizer", "nfc");
  source.add_array<int32_t>("tern.tokenizer.merges", {1, 2, 3});
  const auto bytes = convert(source.build());
  const auto file = parse_gguf(bytes);
  CHECK(*file.get_or<std::string_view>("tern.tokenizer.normalizer", "") == "nfc");
  CHECK(file.get_array<int32_t>("tern.tokenizer.merges")->size() == 3);
  CHECK(convert(bytes) == bytes);
}

TEST_CASE("a tern file is packed anew where another packing is asked for, and gives the same") {
  const auto source = gguf_of(small_model(), TensorType::i2_s).build();
  const auto as_t5 = convert(source, options_of(Packing::t5, HeadOption::keep));
  const auto as_t2 = convert(source, options_of(Packing::t2, HeadOption::keep));
  CHECK(as_t5 != as_t2);
  CHECK(convert(as_t5, options_of(Packing::t2, HeadOption::keep)) == as_t2);
  CHECK(convert(as_t2, options_of(Packing::t5, HeadOption::keep)) == as_t5);
  CHECK(convert(as_t5, options_of(Packing::t5, HeadOption::keep)) == as_t5);
  CHECK(convert(as_t5) == as_t5);
  const auto repacked = load_with(as_t5, options_of(Packing::t2, HeadOption::keep));
  CHECK(repacked->weights().layers[0].ffn_down.view().packing == Packing::t2c);
  CHECK(logits_of(repacked) == logits_of(load_with(source, {})));
}

TEST_CASE("the hash depends on every packed byte and on every scale, not on the rest") {
  const auto hash_of = [](const Bytes& bytes) {
    const auto file = parse_gguf(bytes);
    return *file.get<uint64_t>(tern::kTernHashKey);
  };
  LogicalModel m = small_model();
  const auto hash = hash_of(convert(gguf_of(m, TensorType::f32).build()));
  auto renamed = gguf_of(m, TensorType::f32);
  renamed.add("general.name", "another");
  CHECK(hash_of(convert(renamed.build())) == hash);
  int8_t& trit = m.layers[1].down.trits[777];
  trit = static_cast<int8_t>(trit == 1 ? -1 : trit + 1);
  const auto changed = hash_of(convert(gguf_of(m, TensorType::f32).build()));
  CHECK(changed != hash);
  for (float& scale : m.layers[1].up.scales) scale *= 2;
  CHECK(hash_of(convert(gguf_of(m, TensorType::f32).build())) != changed);
}

TEST_CASE("a tern file loads from a path, mapped and copied") {
  const auto bytes = convert(gguf_of(small_model(), TensorType::i2_s).build());
  const std::string path = "tern_file_test.tern";  // in the build folder
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  const auto expected = logits_of(load_with(bytes, {}));
  for (const auto map : {tern::FileAccess::mapped, tern::FileAccess::copied}) {
    tern::LoadOptions options;
    options.map = map;
    const auto model = tern::Model::load_file(path, options);
    REQUIRE(model.ok());
    CHECK((*model)->weights().region.size() == 0);
    CHECK(logits_of(*model) == expected);
  }
  std::remove(path.c_str());
}

TEST_CASE("a sink that fails ends the writing with its error") {
  const auto source = gguf_of(small_model(), TensorType::i2_s).build();
  const auto model = load_with(source, {});
  const auto tern_file = tern::TernFile::create(*model);
  REQUIRE(tern_file.ok());
  size_t calls = 0;
  const auto written = tern_file->write([&](std::span<const uint8_t>) -> tern::Result<void> {
    if (++calls == 3) return tern::Error(Status::io_error, "disk full");
    return {};
  });
  CHECK(written.status() == Status::io_error);
  CHECK(calls == 3);
}
