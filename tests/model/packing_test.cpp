// What linear layers are packed as, and what the head is kept as: other bytes, the same meaning.
#include <cstring>

#include "support/model_fixture.hpp"

using namespace tern_test;
using tern::HeadOption;
using tern::Packing;
using tern::Status;
using tern::TensorType;

namespace {

std::vector<float> logits_with(const std::vector<uint8_t>& bytes,
                               const tern::LoadOptions& options) {
  const auto session = open_session(load_with(bytes, options));
  return all_logits(*session, some_tokens(9, 70), 3);
}

tern::LoadOptions packed_as(Packing packing) {
  tern::LoadOptions options;
  options.packing = packing;
  return options;
}

tern::LoadOptions with_head(HeadOption head) {
  tern::LoadOptions options;
  options.head = head;
  return options;
}

}  // namespace

TEST_CASE("a ReLU^2 layer has up by rows and down by columns, every other matrix is tiles") {
  const auto relu2 = gguf_of(small_model(), TensorType::i2_s).build();
  const auto silu = gguf_of(small_model("bitnet"), TensorType::i2_s).build();
  struct Row {
    Packing tiles, rows, columns;
  };
  for (const Row& row : {Row{Packing::t2, Packing::t2r, Packing::t2c},
                         Row{Packing::t5, Packing::t5r, Packing::t5c}}) {
    const auto skipping = load_with(relu2, packed_as(row.tiles));
    const auto dense = load_with(silu, packed_as(row.tiles));
    for (const auto& layer : skipping->weights().layers) {
      CHECK(layer.ffn_gate.view().packing == row.tiles);
      CHECK(layer.attn_q.view().packing == row.tiles);
      CHECK(layer.ffn_up.view().packing == row.rows);
      CHECK(layer.ffn_down.view().packing == row.columns);
    }
    for (const auto& layer : dense->weights().layers) {
      CHECK(layer.ffn_up.view().packing == row.tiles);
      CHECK(layer.ffn_down.view().packing == row.tiles);
    }
  }
}

TEST_CASE("scales by groups are T2 tiles, and one such matrix keeps its whole layer dense") {
  LogicalModel m = small_model("bitnet-b1.58", RandomScales::row);
  m.layers[1].down = small_model("bitnet-b1.58", RandomScales::group256).layers[1].down;
  const auto bytes = gguf_of(m, TensorType::f32).build();
  const auto model = load_with(bytes, packed_as(Packing::t5));
  CHECK(model->weights().layers[0].ffn_down.view().packing == Packing::t5c);
  CHECK(model->weights().layers[1].ffn_down.view().packing == Packing::t2);
  CHECK(model->weights().layers[1].ffn_up.view().packing == Packing::t5);
}

TEST_CASE("every packing gives the same logits") {
  for (const auto scales : {RandomScales::tensor, RandomScales::row, RandomScales::group256}) {
    for (const char* architecture : {"bitnet-b1.58", "bitnet", "llama"}) {
      const auto bytes = gguf_of(small_model(architecture, scales), TensorType::f32).build();
      const auto expected = logits_with(bytes, {});
      CHECK(logits_with(bytes, packed_as(Packing::t2)) == expected);
      CHECK(logits_with(bytes, packed_as(Packing::t5)) == expected);
    }
  }
}

TEST_CASE("packed weights lie in one region, in the order of their use") {
  const auto model = load_with(gguf_of(small_model(), TensorType::i2_s).build(), {});
  const auto& weights = model->weights();
  const uint8_t* at = weights.region.data();
  for (const auto& layer : weights.layers) {
    for (const auto& rule : model->architecture().linears) {
      const auto& matrix = layer.*rule.matrix;
      CHECK(matrix.view().data == at);
      at += (matrix.packed_size() + 63) / 64 * 64;
    }
  }
  CHECK(at == weights.region.data() + weights.region.size());
  CHECK(model->weight_bytes() > weights.region.size());
}

TEST_CASE("a packing that is no tiles is refused as an argument") {
  const auto bytes = gguf_of(small_model(), TensorType::i2_s).build();
  const auto model = tern::Model::load_memory(bytes, packed_as(Packing::t5r));
  CHECK(model.status() == Status::invalid_argument);
}

TEST_CASE("a head quantized at load is the head of a file that stores it so") {
  const LogicalModel m = small_model();
  const auto bytes = gguf_of(m, TensorType::tq2_0, TensorType::f32).build();
  const auto file = load(bytes);
  const tern::KernelTable& kernels = file->kernels();
  const tern::HeadView table = file->weights().embedding;

  const auto quantized = load_with(bytes, with_head(HeadOption::q6));
  const tern::HeadView head = quantized->weights().head;
  REQUIRE(head.type == TensorType::q6_k);
  REQUIRE(head.row_bytes == 210);
  CHECK(quantized->weights().embedding.rows == head.rows);
  std::vector<float> x(256);
  std::vector<uint8_t> row(256);
  std::vector<uint8_t> rows;
  for (size_t r = 0; r < m.vocab_size; ++r) {
    float unit = 0;
    kernels.decode_row(table, r, x.data());
    kernels.encode_row(TensorType::q6_k, x.data(), x.size(), row.data(), &unit);
    CHECK(std::memcmp(row.data(), head.rows + r * head.row_bytes, head.row_bytes) == 0);
    rows.insert(rows.end(), row.begin(), row.begin() + 210);
  }
  LogicalModel without_table = m;
  without_table.embedding.clear();
  GgufWriter writer = gguf_of(without_table, TensorType::tq2_0);
  writer.replace_tensor({"token_embd.weight", 14, {256, m.vocab_size}, rows, {}});
  CHECK(logits_with(writer.build(), {}) == logits_with(bytes, with_head(HeadOption::q6)));
}

TEST_CASE("an int8 head has the rows and units that the kernels encode, in any number of tasks") {
  const LogicalModel m = small_model();
  const auto bytes = gguf_of(m, TensorType::tq2_0, TensorType::f16).build();
  const auto file = load(bytes);
  auto pool = tern::ThreadPool::create(3, tern::default_allocator());
  REQUIRE(pool.ok());
  auto options = with_head(HeadOption::i8);
  options.runner = tern::TaskRunner(*pool);
  const auto quantized = load_with(bytes, options);
  const tern::HeadView head = quantized->weights().head;
  REQUIRE(head.type == TensorType::i8);
  REQUIRE(head.row_bytes == 256);
  CHECK(quantized->weights().embedding.rows == head.rows);
  std::vector<float> x(256);
  std::vector<uint8_t> row(256);
  for (size_t r = 0; r < m.vocab_size; ++r) {
    float unit = 0;
    file->kernels().decode_row(file->weights().embedding, r, x.data());
    file->kernels().encode_row(TensorType::i8, x.data(), x.size(), row.data(), &unit);
    CHECK(std::memcmp(row.data(), head.rows + r * 256, 256) == 0);
    CHECK(head.scales[r] == unit);
  }
}

TEST_CASE("where embedding and head are two tables, the head alone is quantized") {
  const auto bytes = gguf_of(small_model("llama"), TensorType::tq2_0).build();
  const auto model = load_with(bytes, with_head(HeadOption::i8));
  CHECK(model->weights().head.type == TensorType::i8);
  CHECK(model->weights().embedding.type == TensorType::f16);
  CHECK(load(bytes)->weights().head.type == TensorType::f16);
}

TEST_CASE("a q6 head of a width that it cannot have is refused, naming the one that can") {
  LogicalModel shape = small_shape();
  shape.model_dim = 96;
  shape.n_heads = 3;
  shape.n_kv_heads = 3;
  shape.head_dim = 32;
  const auto bytes = gguf_of(random_model(shape, 1, 3), TensorType::f32).build();
  const auto model = tern::Model::load_memory(bytes, with_head(HeadOption::q6));
  REQUIRE_FALSE(model.ok());
  CHECK(model.status() == Status::unsupported);
  CHECK(std::string(model.error().what).find("i8") != std::string::npos);
  CHECK(tern::Model::load_memory(bytes, with_head(HeadOption::i8)).ok());
}
