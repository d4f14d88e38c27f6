// Writes the seed corpus of model_fuzz into the folder given: `model_corpus
// tests/fuzz/corpus/model`.
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "support/logical_gguf.hpp"
#include "support/tern_files.hpp"

using tern::TensorType;
using tern_test::GgufWriter;

namespace {

tern_test::LogicalModel tiny(const std::string& architecture, size_t width = 32) {
  tern_test::LogicalModel shape = tern_test::small_shape(architecture);
  shape.model_dim = width;
  shape.n_heads = 2;
  shape.n_kv_heads = 1;
  shape.head_dim = width / 2;
  shape.ffn_dim = width;
  shape.vocab_size = 12;
  return tern_test::random_model(shape, 1, 1);
}

void add_byte_bpe(GgufWriter& writer) {
  writer.add("tokenizer.ggml.model", "gpt2").add("tokenizer.ggml.pre", "llama3");
  writer.add_array<std::string_view>(
      "tokenizer.ggml.tokens",
      {"H", "e", "l", "o", "ll", "\xC4\xA0", "w", "r", "d", "lo", "<|end|>", "\xC4\x8A"});
  writer.add_array<int32_t>("tokenizer.ggml.token_type", {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 1});
  writer.add_array<std::string_view>("tokenizer.ggml.merges", {"l l", "l o"});
  writer.add("tokenizer.ggml.bos_token_id", uint32_t{10}).add("tokenizer.ggml.add_bos_token", true);
}

void add_spm(GgufWriter& writer) {
  writer.add("tokenizer.ggml.model", "llama");
  writer.add_array<std::string_view>(
      "tokenizer.ggml.tokens",
      {"<unk>", "<s>", "</s>", "<0x0A>", "H", "e", "l", "o", "ll", "\xE2\x96\x81", "lo", "d"});
  writer.add_array<float>("tokenizer.ggml.scores", {0, 0, 0, 0, -3, -4, -5, -6, -1, -2, -1.5f, -7});
  writer.add_array<int32_t>("tokenizer.ggml.token_type", {2, 3, 3, 6, 1, 1, 1, 1, 1, 1, 1, 1});
}

void save(const std::string& folder, const char* name, const GgufWriter& writer) {
  const auto bytes = writer.build();
  std::ofstream out(folder + "/" + name + ".gguf", std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<long>(bytes.size()));
  std::printf("%s: %zu bytes\n", name, bytes.size());
}

// Without the region's alignment, which would make a seed of 2 MiB.
GgufWriter tern_file_of(const GgufWriter& source, tern::Packing packing, tern::HeadOption head) {
  tern::LoadOptions options;
  options.packing = packing;
  options.head = head;
  const auto bytes = tern_test::convert(source.build(), options);
  const auto file = tern::GgufFile::parse(bytes, tern::default_allocator());
  return rewrite(*file, tern_test::TernArrays::of(*file));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string folder = argv[1];
  GgufWriter bpe = gguf_of(tiny("bitnet-b1.58"), TensorType::i2_s);
  add_byte_bpe(bpe);
  save(folder, "bitnet_bpe_i2_s", bpe);
  GgufWriter spm = gguf_of(tiny("bitnet"), TensorType::f16, TensorType::bf16);
  add_spm(spm);
  save(folder, "bitnet_spm_f16", spm);
  GgufWriter llama = gguf_of(tiny("llama"), TensorType::i2_s);
  llama.add("llama.rope.scaling.type", "linear").add("llama.rope.scaling.factor", 2.0f);
  save(folder, "llama_i2_s", llama);
  save(folder, "bitnet_q2_0", gguf_of(tiny("bitnet", 64), TensorType::q2_0, TensorType::q2_0));
  save(folder, "llama_q1_0", gguf_of(tiny("llama", 128), TensorType::q1_0, TensorType::q2_0_g128));
  GgufWriter factors = gguf_of(tiny("bitnet", 64), TensorType::iq2_bn);
  factors.add_tensor({"blk.0.attn_q.scale", 0, {1}, {0, 0, 0x80, 0x3F}, {}});
  save(folder, "bitnet_iq2_bn", factors);
  save(folder, "tern_t5_i8", tern_file_of(bpe, tern::Packing::t5, tern::HeadOption::i8));
  save(folder, "tern_t2_f16", tern_file_of(llama, tern::Packing::t2, tern::HeadOption::keep));
  return 0;
}
