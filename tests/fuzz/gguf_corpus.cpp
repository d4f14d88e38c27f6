// Writes the seed corpus of gguf_fuzz into the folder given: `gguf_corpus tests/fuzz/corpus/gguf`.
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "support/gguf_samples.hpp"

using tern::TensorType;
using tern_test::GgufWriter;
using tern_test::sample_tensor;
using tern_test::small_file;
using tern_test::ternary_tensor;

namespace {

std::vector<std::pair<std::string, GgufWriter::Bytes>> corpus() {
  std::vector<std::pair<std::string, GgufWriter::Bytes>> files;
  const auto keep = [&files](const char* name, const GgufWriter& writer) {
    files.emplace_back(name, writer.build());
  };
  keep("empty_v3", GgufWriter());
  GgufWriter v2 = small_file();
  v2.version = 2;
  keep("small_v2", v2);
  keep("small_v3", small_file());

  GgufWriter swapped = small_file();
  swapped.version = 0x03000000;
  keep("big_endian", swapped);
  GgufWriter split = small_file();
  keep("split", split.add("split.no", uint16_t{0}).add("split.count", uint16_t{2}));
  GgufWriter page = small_file();
  page.alignment = 64;
  keep("aligned_64", page.add("general.alignment", uint32_t{64}));
  GgufWriter tight = small_file();
  tight.alignment = 1;
  keep("aligned_1", tight.add("general.alignment", uint32_t{1}));

  GgufWriter trits;
  trits.add("general.architecture", "bitnet-b1.58");
  trits.add_tensor(ternary_tensor("tq1", TensorType::tq1_0, 2));
  trits.add_tensor(ternary_tensor("tq2", TensorType::tq2_0, 2));
  trits.add_tensor(ternary_tensor("i2s", TensorType::i2_s, 2));
  keep("trits", trits);
  GgufWriter more_trits;
  more_trits.add_tensor(ternary_tensor("q1", TensorType::q1_0, 2));
  more_trits.add_tensor(ternary_tensor("q2", TensorType::q2_0, 2));
  more_trits.add_tensor(ternary_tensor("q2_g128", TensorType::q2_0_g128, 16));
  more_trits.add_tensor(ternary_tensor("iq1", TensorType::iq1_bn, 2));
  more_trits.add_tensor(ternary_tensor("iq2", TensorType::iq2_bn, 2));
  more_trits.add_tensor(ternary_tensor("iq2_r4", TensorType::iq2_bn_r4, 4));
  more_trits.add_tensor(sample_tensor("q4_k", 12, {256}, 144));
  keep("more_trits", more_trits);
  GgufWriter blocks;
  blocks.add_tensor(sample_tensor("f32", 0, {8}, 32));
  blocks.add_tensor(sample_tensor("f16", 1, {8}, 16));
  blocks.add_tensor(sample_tensor("bf16", 30, {8}, 16));
  blocks.add_tensor(sample_tensor("q4_0", 2, {32}, 18));
  blocks.add_tensor(sample_tensor("q8_0", 8, {32}, 34));
  blocks.add_tensor(sample_tensor("q6_k", 14, {256}, 210));
  blocks.add_tensor(sample_tensor("i8", 24, {40}, 40));
  keep("blocks", blocks);
  GgufWriter forks;
  forks.add_tensor(sample_tensor("i2_s", 36, {64, 4}, 96));
  forks.add_tensor(sample_tensor("iq4_nl", 36, {64, 4}, 144));
  forks.add_tensor(sample_tensor("mxfp4", 39, {64}, 34));
  forks.add_tensor(sample_tensor("iq2_bn", 135, {64}, 20));
  forks.add_tensor(sample_tensor("unknown", 99, {64}, 32));
  keep("forks", forks);

  GgufWriter vocabulary;
  vocabulary.add("tokenizer.ggml.model", "gpt2");
  std::vector<std::string_view> pieces = {"a",
                                          "b",
                                          "ab",
                                          "\xC4\xA0",
                                          "\xC4\xA0"
                                          "a",
                                          "<|end|>"};
  vocabulary.add_array<std::string_view>("tokenizer.ggml.tokens", pieces);
  vocabulary.add_array<int32_t>("tokenizer.ggml.token_type", {1, 1, 1, 1, 1, 3});
  vocabulary.add_array<float>("tokenizer.ggml.scores", {0, 0, 0, 0, 0, -1});
  vocabulary.add_array<std::string_view>("tokenizer.ggml.merges", {"a b", "\xC4\xA0 a"});
  keep("vocabulary", vocabulary);

  GgufWriter liar = small_file();
  liar.claimed_tensors = ~uint64_t{0};
  keep("too_many_tensors", liar);
  GgufWriter twice;
  keep("duplicate_key", twice.add("k", true).add("k", 1.0f));
  GgufWriter overlap;
  auto first = sample_tensor("first", 0, {8}, 32);
  first.claimed_offset = 32;
  keep("overlap", overlap.add_tensor(first).add_tensor(sample_tensor("second", 0, {16}, 64)));

  auto cut = small_file().build();
  cut.resize(cut.size() / 2);
  files.emplace_back("truncated", cut);
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  for (const auto& [name, bytes] : corpus()) {
    std::ofstream out(std::string(argv[1]) + "/" + name + ".gguf", std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<long>(bytes.size()));
    if (!out) return 1;
    std::printf("%s: %zu bytes\n", name.c_str(), bytes.size());
  }
  return 0;
}
