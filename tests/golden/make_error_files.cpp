// Writes the model files of tests/golden/errors into the folder given, and on standard output what
// loading them says now: `make_error_files tests/golden/errors`. The expectations are in
// expected.txt, which is written by hand.
#include <fstream>
#include <string>

#include "golden/error_report.hpp"
#include "support/logical_gguf.hpp"
#include "support/tern_files.hpp"

using tern::TensorType;
using tern_test::Bytes;
using tern_test::GgufWriter;

namespace {

std::string folder;

void save(const std::string& name, const Bytes& bytes) {
  const std::string path = folder + "/" + name;
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<long>(bytes.size()));
  tern_test::report(folder, name);
}

void save(const std::string& name, const GgufWriter& writer) { save(name, writer.build()); }

tern_test::LogicalModel tiny(size_t model_dim = 32) {
  tern_test::LogicalModel shape = tern_test::small_shape();
  shape.model_dim = model_dim;
  shape.n_heads = 2;
  shape.n_kv_heads = 1;
  shape.head_dim = 16;
  shape.ffn_dim = 32;
  shape.vocab_size = 4;
  return tern_test::random_model(shape, 1, 1);
}

GgufWriter good() { return gguf_of(tiny(), TensorType::i2_s); }

GgufWriter::Tensor tensor(std::string name, TensorType type, std::vector<uint64_t> dims,
                          Bytes data) {
  return {std::move(name), static_cast<uint32_t>(type), std::move(dims), std::move(data), {}};
}

// A tensor of 32 bytes, and anything else about it a lie.
GgufWriter lone(uint32_t type_id, std::vector<uint64_t> dims, size_t bytes = 32) {
  GgufWriter writer;
  writer.add_tensor({"lone", type_id, std::move(dims), Bytes(bytes), {}});
  return writer;
}

Bytes cut(const Bytes& bytes, size_t size) {
  return {bytes.begin(), bytes.begin() + static_cast<long>(size)};
}

void save_headers() {
  const Bytes whole = good().build();
  save("empty.gguf", Bytes());
  save("cut_in_magic.gguf", cut(whole, 3));
  save("cut_in_header.gguf", cut(whole, 20));
  save("cut_in_metadata.gguf", cut(whole, 600));
  save("cut_in_tensor_list.gguf", cut(whole, 1000));
  save("cut_in_data.gguf", cut(whole, whole.size() - 64));
  GgufWriter writer;
  writer.magic = 0x4C4D4747;
  save("bad_magic.gguf", writer);
  writer = {};
  writer.version = 0x03000000;
  save("big_endian.gguf", writer);
  writer.version = 1;
  save("version_1.gguf", writer);
  writer.version = 4;
  save("version_4.gguf", writer);
  writer = {};
  writer.claimed_tensors = uint64_t{1} << 40;
  save("too_many_tensors.gguf", writer);
  writer = {};
  writer.claimed_entries = uint64_t{1} << 40;
  save("too_many_entries.gguf", writer);
  save("duplicate_key.gguf", GgufWriter().add("a", uint32_t{1}).add("a", uint32_t{2}));
  save("unknown_metadata_type.gguf", GgufWriter().add_raw("a", {77, 0, 0, 0, 0, 0, 0, 0}));
  save("array_of_arrays.gguf",
       GgufWriter().add_raw("a", {9, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  save("alignment_48.gguf", GgufWriter().add("general.alignment", uint32_t{48}));
  GgufWriter split = good();
  split.add("split.no", uint16_t{0}).add("split.count", uint16_t{2});
  save("split_part.gguf", split);
}

void save_tensor_lists() {
  GgufWriter writer = lone(0, {8});
  writer.add_tensor({"lone", 0, {8}, Bytes(32), {}});
  save("duplicate_tensor.gguf", writer);
  writer = lone(0, {8});
  writer.add_tensor({"other", 0, {8}, Bytes(32), 0});
  save("overlap.gguf", writer);
  writer = {};
  writer.add_tensor({"lone", 0, {8}, Bytes(32), 8});
  save("offset_not_aligned.gguf", writer);
  writer = {};
  writer.add_tensor({"lone", 0, {8}, Bytes(32), uint64_t{1} << 40});
  save("offset_past_the_end.gguf", writer);
  save("five_dims.gguf", lone(0, {1, 1, 1, 1, 8}));
  save("empty_dim.gguf", lone(0, {0, 8}));
  save("huge_dims.gguf", lone(0, {uint64_t{1} << 40, uint64_t{1} << 40}));
  save("broken_block.gguf", lone(8, {33}, 34));
}

void save_configurations() {
  const auto with = [](const char* name, const char* key, auto value) {
    save(name, good().add(key, value));
  };
  save("no_architecture.gguf", GgufWriter().add("general.name", "nameless"));
  save("unknown_architecture.gguf", GgufWriter().add("general.architecture", "rwkv7"));
  save("architecture_of_another_type.gguf", GgufWriter().add("general.architecture", uint32_t{1}));
  save("missing_key.gguf", GgufWriter().add("general.architecture", "bitnet-b1.58"));
  with("refused_key.gguf", "bitnet-b1.58.expert_count", uint32_t{8});
  with("rope_scaling.gguf", "bitnet-b1.58.rope.scaling.type", "yarn");
  with("unknown_activation.gguf", "bitnet-b1.58.hidden_activation", "gelu");
  const auto replaced = [](const char* name, const char* key, uint32_t value) {
    GgufWriter writer = good();
    writer.replace_u32(key, value);
    save(name, writer);
  };
  replaced("no_layers.gguf", "bitnet-b1.58.block_count", 0);
  replaced("too_many_layers.gguf", "bitnet-b1.58.block_count", 100000);
  replaced("more_layers_than_tensors.gguf", "bitnet-b1.58.block_count", 40);
  replaced("too_wide.gguf", "bitnet-b1.58.embedding_length", 0x7FFFFFFF);
  replaced("heads_not_divided.gguf", "bitnet-b1.58.attention.head_count_kv", 3);
  replaced("odd_head.gguf", "bitnet-b1.58.attention.key_length", 15);
  replaced("epsilon_is_nan.gguf", "bitnet-b1.58.attention.layer_norm_rms_epsilon", 0x7FC00000);
}

void save_weights() {
  const auto without = [](const char* name, const char* removed) {
    GgufWriter writer = good();
    writer.remove_tensor(removed);
    save(name, writer);
  };
  const auto with = [](const char* name, GgufWriter::Tensor changed) {
    GgufWriter writer = good();
    writer.replace_tensor(std::move(changed));
    save(name, writer);
  };
  without("no_embedding.gguf", "token_embd.weight");
  without("no_norm.gguf", "blk.0.attn_sub_norm.weight");
  without("no_matrix.gguf", "blk.0.ffn_down.weight");
  GgufWriter bias = good();
  bias.add_tensor({"blk.0.attn_q.bias", 0, {32}, Bytes(128), {}});
  save("bias.gguf", bias);
  const std::string q = "blk.0.attn_q.weight";
  with("wrong_shape.gguf", tensor(q, TensorType::f16, {32, 16}, Bytes(1024)));
  with("unknown_type.gguf", {q, 99, {32, 32}, Bytes(1024), {}});
  with("tl1.gguf", {q, 38, {32, 32}, Bytes(288), {}});
  // Rows of TL2 have 256 columns or more.
  GgufWriter wide = gguf_of(tiny(256), TensorType::i2_s);
  wide.replace_tensor({q, 39, {256, 32}, Bytes(2080), {}});
  save("tl2.gguf", wide);
  // 1, 2, 3, ... in binary16.
  Bytes ramp;
  for (int i = 0; i < 1024; ++i) GgufWriter::put(ramp, tern::f16_from_f32(static_cast<float>(i)));
  with("not_ternary.gguf", tensor(q, TensorType::f16, {32, 32}, ramp));
  with("quantized_linear.gguf", tensor(q, TensorType::q8_0, {32, 32}, Bytes(1088, 1)));
  const auto i2_s = [&](uint8_t codes, uint32_t scale_bits) {
    Bytes data(256, codes);
    GgufWriter::put(data, scale_bits);
    data.resize(288);
    return tensor(q, TensorType::i2_s, {32, 32}, data);
  };
  with("code_3.gguf", i2_s(0xFF, 0x3F800000));
  with("scale_is_infinite.gguf", i2_s(0x55, 0x7F800000));
  with("scale_is_nan.gguf", i2_s(0x00, 0x7FC00000));
  Bytes infinite(256);
  infinite[255] = 0x7C;
  with("embedding_is_infinite.gguf",
       tensor("token_embd.weight", TensorType::f16, {32, 4}, infinite));
  Bytes nan(128);
  nan[126] = 0xC0;
  nan[127] = 0x7F;
  with("norm_is_nan.gguf", tensor("output_norm.weight", TensorType::f32, {32}, nan));
  with("norm_of_another_type.gguf",
       tensor("output_norm.weight", TensorType::q8_0, {32}, Bytes(34)));
}

GgufWriter with_tokens(const char* model, const char* pretokenizer) {
  GgufWriter writer = good();
  writer.add("tokenizer.ggml.model", model).add("tokenizer.ggml.pre", pretokenizer);
  return writer.add_array<std::string_view>("tokenizer.ggml.tokens", {"a", "b", "ab", "<|end|>"});
}

void save_vocabularies() {
  save("unknown_tokenizer.gguf", with_tokens("bert", ""));
  GgufWriter writer = with_tokens("gpt2", "no-such-pre");
  save("unknown_pretokenizer.gguf",
       writer.add_array<std::string_view>("tokenizer.ggml.merges", {"a b"}));
  save("no_merges.gguf", with_tokens("gpt2", "gpt-2"));
  writer = with_tokens("gpt2", "gpt-2");
  writer.add_array<std::string_view>("tokenizer.ggml.merges", {"a b"});
  save("special_id_is_no_token.gguf", GgufWriter(writer).add("tokenizer.ggml.eos_token_id", 4u));
  save("types_are_too_few.gguf",
       GgufWriter(writer).add_array<int32_t>("tokenizer.ggml.token_type", {1, 1}));
  save("merge_of_one_side.gguf",
       with_tokens("gpt2", "gpt-2").add_array<std::string_view>("tokenizer.ggml.merges", {"ab"}));
  save("no_scores.gguf", with_tokens("llama", ""));
  writer = good();
  writer.add("tokenizer.ggml.model", "gpt2");
  writer.add_array<std::string_view>("tokenizer.ggml.tokens", {"a", "b", "c", "d", "e"});
  writer.add_array<std::string_view>("tokenizer.ggml.merges", {"a b"});
  save("more_tokens_than_rows.gguf", writer);
}

// Without the region's alignment, which would make files of 2 MiB.
void save_tern_files() {
  tern::LoadOptions options;
  options.packing = tern::Packing::t2;
  options.head = tern::HeadOption::i8;
  const Bytes bytes = tern_test::convert(good().build(), options);
  const auto file = tern::GgufFile::parse(bytes, tern::default_allocator());
  const auto arrays = tern_test::TernArrays::of(*file);
  GgufWriter newer = rewrite(*file, arrays);
  newer.replace_u32("tern.version", 200);
  save("newer_major.tern", newer);
  const auto spoiled = [&](const char* name, auto spoil) {
    auto changed = arrays;
    spoil(changed, changed.index_of("blk.0.attn_q.weight"));
    save(name, rewrite(*file, changed));
  };
  using Arrays = tern_test::TernArrays;
  spoiled("unknown_packing.tern", [](Arrays& a, size_t q) { a.packings[q] = "t9"; });
  spoiled("unknown_scales.tern", [](Arrays& a, size_t q) { a.scale_kinds[q] = "column"; });
  spoiled("arrays_of_unequal_length.tern", [](Arrays& a, size_t) { a.rows.pop_back(); });
  spoiled("no_such_tensor.tern", [](Arrays& a, size_t q) { a.names[q] = "blk.0.attn_z.weight"; });
  spoiled("too_few_bytes.tern", [](Arrays& a, size_t q) { a.rows[q] = 64; });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  folder = argv[1];
  save_headers();
  save_tensor_lists();
  save_configurations();
  save_weights();
  save_vocabularies();
  save_tern_files();
  return 0;
}
