// Writes small random models for embedding_test.cmake: one of embeddings, and one of logits with a
// sliding window and int16 activations.
//
// Usage: embedding_model EMBEDDINGS LOGITS
#include <cstdio>

#include "support/byte_vocabulary.hpp"
#include "support/model_files.hpp"

using namespace tern_test;

namespace {

LogicalModel shape_of(const char* architecture, const ByteVocabulary& vocabulary) {
  LogicalModel shape = small_shape(architecture);
  shape.vocab_size = vocabulary.texts.size();
  return shape;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: embedding_model EMBEDDINGS LOGITS\n");
    return 2;
  }
  const ByteVocabulary vocabulary;
  LogicalModel shape = shape_of("qwen3", vocabulary);
  shape.input_norms = true;
  shape.pooling = 3;
  GgufWriter embeddings = gguf_of(random_model(shape, 2, 3), tern::TensorType::i2_s);
  vocabulary.add_to(embeddings);
  embeddings.add("tokenizer.ggml.add_eos_token", true);

  GgufWriter logits =
      gguf_of(random_model(shape_of("qwen3", vocabulary), 1, 3), tern::TensorType::i2_s);
  vocabulary.add_to(logits);
  logits.add("qwen3.attention.sliding_window", 24u);
  return write_file(argv[1], embeddings.build()) && write_file(argv[2], logits.build()) ? 0 : 1;
}
