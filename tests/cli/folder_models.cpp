// Writes small random models for folder_conversion_test.cmake: Hugging Face folders, and the GGUF
// file of each architecture that they must equal.
//
// Usage: folder_models FOLDER
#include <cstdio>
#include <string>

#include "support/model_files.hpp"

using namespace tern_test;

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: folder_models FOLDER\n");
    return 2;
  }
  bool good = true;
  for (const std::string architecture : {"bitnet-b1.58", "llama", "qwen3", "gemma3"}) {
    LogicalModel shape = small_shape(architecture);
    shape.input_norms = shape.head_norms;
    shape.activation_bits = 8;
    const LogicalModel m = random_model(shape, 2, 11);
    const std::string path = argv[1] + ("/" + architecture);
    good = good && write_file(path + ".gguf", gguf_of(m, tern::TensorType::i2_s).build());
    good = good && write_folder(path + "-packed", m, HfWeights::packed_direct);
    good = good && write_folder(path + "-inverse", m, HfWeights::packed_inverse);
    good = good && write_folder(path + "-online", m, HfWeights::online);
  }
  return good ? 0 : 1;
}
