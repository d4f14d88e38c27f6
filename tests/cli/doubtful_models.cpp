// Writes small random models for doubts_test.cmake: files and folders that load, each with one
// thing that its container does not settle.
//
// Usage: doubtful_models FOLDER
#include <cstdio>
#include <string>

#include "support/byte_vocabulary.hpp"
#include "support/model_files.hpp"

using namespace tern_test;

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: doubtful_models FOLDER\n");
    return 2;
  }
  const std::string folder = std::string(argv[1]) + "/";
  const ByteVocabulary vocabulary;
  const auto with_vocabulary = [&](const char* architecture, const char* pretokenizer) {
    LogicalModel shape = small_shape(architecture);
    shape.vocab_size = vocabulary.texts.size();
    GgufWriter writer = gguf_of(random_model(shape, 1, 3), tern::TensorType::tq2_0);
    vocabulary.add_to(writer, pretokenizer);
    return writer;
  };
  bool good = true;
  for (const char* name : {"falcon3", "falcon_e", "llama-bpe", "gpt-2"}) {
    good = good && write_file(folder + name + ".gguf", with_vocabulary("llama", name).build());
  }
  GgufWriter said = with_vocabulary("llama", "llama-bpe");
  said.add("tokenizer.ggml.add_bos_token", true);
  good = good && write_file(folder + "said.gguf", said.build());
  good = good && write_file(folder + "gemma3.gguf", with_vocabulary("gemma3", "gpt-2").build());
  LogicalModel sliding = small_shape("gemma3");
  sliding.window = 12;
  sliding.window_period = 2;
  sliding.input_norms = true;
  sliding.activation_bits = 8;
  sliding.input_eps = 0.25;
  sliding.pooling = 3;
  good = good && write_file(folder + "sliding.gguf",
                            gguf_of(random_model(sliding, 2, 3), tern::TensorType::i2_s).build());
  LogicalModel bounded = small_shape("llama");
  bounded.window = 12;
  good = good && write_file(folder + "bounded.gguf",
                            gguf_of(random_model(bounded, 1, 3), tern::TensorType::tq1_0).build());

  const LogicalModel m = random_model(small_shape(), 1, 3);
  constexpr HfWeights kDirect = HfWeights::packed_direct;
  constexpr HfWeights kInverse = HfWeights::packed_inverse;
  good = good && write_folder(folder + "direct", m, kDirect, kDirect);
  good = good && write_folder(folder + "inverse", m, kInverse, kInverse);
  good = good && write_folder(folder + "large_scales", m, kDirect, kInverse);
  good = good && write_folder(folder + "small_scales", m, kInverse, kDirect);
  return good ? 0 : 1;
}
