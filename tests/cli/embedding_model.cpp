// Writes a small random model of embeddings, for embedding_test.cmake.
//
// Usage: embedding_model FILE
#include <cstdio>
#include <fstream>

#include "support/byte_vocabulary.hpp"
#include "support/logical_gguf.hpp"

int main(int argc, char** argv) {
  using namespace tern_test;
  if (argc != 2) {
    std::fprintf(stderr, "usage: embedding_model FILE\n");
    return 2;
  }
  const ByteVocabulary vocabulary;
  LogicalModel shape = small_shape("qwen3");
  shape.input_norms = true;
  shape.pooling = 3;
  shape.vocab_size = vocabulary.texts.size();
  GgufWriter writer = gguf_of(random_model(shape, 2, 3), tern::TensorType::i2_s);
  vocabulary.add_to(writer);
  writer.add("tokenizer.ggml.add_eos_token", true);
  const auto bytes = writer.build();
  std::ofstream out(argv[1], std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  return out.flush().good() ? 0 : 1;
}
