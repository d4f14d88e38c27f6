// Models whose embedding and head are Q8_0 or Q4_0: loaded, converted, and compared with the same
// values in F16 and with the double-precision pass.
#include <cmath>

#include "support/gguf_exports.hpp"

using namespace tern_test;
using tern::TensorType;

namespace {

constexpr size_t kBlock = 32;

struct BlockType {
  TensorType type;
  int least, largest;  ///< codes
  float unit;          ///< of the values, the scale of every block
};
const BlockType kTypes[] = {
    {TensorType::q8_0, -127, 127, std::ldexp(1.0f, -6)},
    {TensorType::q4_0, -8, 7, std::ldexp(1.0f, -2)},
};

/// Makes all values whole multiples of the unit.
void make_exact(std::vector<float>& table, const BlockType& t) {
  for (float& v : table) {
    const int code = static_cast<int>(std::lround(v / t.unit));
    v = static_cast<float>(std::clamp(code, t.least, t.largest)) * t.unit;
  }
}

/// Blocks as docs/formats.md has them: the scale, then bytes, or nibbles of j and j + 16.
Bytes blocks_of(const std::vector<float>& table, const BlockType& t) {
  Bytes out;
  for (size_t first = 0; first < table.size(); first += kBlock) {
    GgufWriter::put(out, tern::f16_from_f32(t.unit));
    const auto code = [&](size_t i) { return static_cast<int>(table[first + i] / t.unit); };
    if (t.type == TensorType::q8_0) {
      for (size_t i = 0; i < kBlock; ++i) GgufWriter::put(out, static_cast<int8_t>(code(i)));
    } else {
      for (size_t i = 0; i < kBlock / 2; ++i) {
        const int byte = (code(i) + 8) | (code(i + kBlock / 2) + 8) << 4;
        GgufWriter::put(out, static_cast<uint8_t>(byte));
      }
    }
  }
  return out;
}

/// A model's file with some of its tables as blocks.
Bytes file_of(const LogicalModel& m, const BlockType& t, bool embedding, bool head) {
  GgufWriter writer = gguf_of(m, TensorType::tq2_0);
  const auto replace = [&](const char* name, const std::vector<float>& table) {
    writer.replace_tensor(
        {name, tern::gguf_type_id(t.type), {m.model_dim, m.vocab_size}, blocks_of(table, t), {}});
  };
  if (embedding) replace("token_embd.weight", m.embedding);
  if (head && !m.head.empty()) replace("output.weight", m.head);
  return writer.build();
}

}  // namespace

TEST_CASE("an embedding of Q8_0 or Q4_0 gives the bits of the same values in F16") {
  for (const BlockType& t : kTypes) {
    INFO(tern::type_info(t.type).name);
    LogicalModel m = small_model("llama");
    make_exact(m.embedding, t);
    const auto expected = logits_of(gguf_of(m, TensorType::tq2_0).build());
    const auto bytes = file_of(m, t, true, false);
    CHECK(load(bytes)->weights().embedding.type == t.type);
    for (const std::string& isa : available_isas()) CHECK(logits_of(load(bytes, isa)) == expected);
  }
}

TEST_CASE("heads of Q8_0 and Q4_0 agree with the double-precision pass, tied or not") {
  for (const BlockType& t : kTypes) {
    for (const char* architecture : {"bitnet-b1.58", "llama"}) {
      INFO(tern::type_info(t.type).name << " " << architecture);
      LogicalModel m = small_model(architecture);
      make_exact(m.embedding, t);
      make_exact(m.head, t);
      const auto bytes = file_of(m, t, true, true);
      const auto model = load(bytes);
      CHECK(model->weights().head.type == t.type);
      CHECK((model->weights().head.rows == model->weights().embedding.rows) == m.head.empty());
      const auto tokens = some_tokens(12, 70);
      const auto actual = all_logits(*open_session(model), tokens, 5);
      double spread = 0;
      for (const float v : actual) spread = std::max(spread, std::fabs(static_cast<double>(v)));
      size_t i = 0;
      for (const Row& row : reference_logits(m, {tokens.begin(), tokens.end()})) {
        for (const double logit : row) REQUIRE(std::fabs(logit - actual[i++]) < 5e-3 * spread);
      }
      for (const std::string& isa : available_isas()) {
        CHECK(all_logits(*open_session(load(bytes, isa)), tokens, 12) == actual);
      }
    }
  }
}

TEST_CASE("tern files and exports of models with tables of Q8_0 and Q4_0 keep them") {
  for (const BlockType& t : kTypes) {
    INFO(tern::type_info(t.type).name);
    LogicalModel m = small_model("llama");
    make_exact(m.embedding, t);
    make_exact(m.head, t);
    const auto source = file_of(m, t, true, true);
    const auto expected = logits_of(source);
    for (const Bytes& made : {convert(source), exported(source, TensorType::i2_s)}) {
      CHECK(load(made)->weights().embedding.type == t.type);
      CHECK(load(made)->weights().head.type == t.type);
      CHECK(logits_of(made) == expected);
    }
  }
}
