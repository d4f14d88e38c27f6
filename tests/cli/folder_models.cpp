// Writes small random models for folder_conversion_test.cmake: Hugging Face folders, and the GGUF
// file of each architecture that they must equal.
//
// Usage: folder_models FOLDER
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "support/hf_folders.hpp"

using namespace tern_test;

namespace {

bool write_file(const std::string& path, const std::vector<uint8_t>& bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  return out.flush().good();
}

bool write_folder(const std::string& path, const LogicalModel& m, HfWeights weights) {
  std::filesystem::create_directories(path);
  const std::string config = json_of(hf_config_of(m, weights));
  return write_file(path + "/config.json", {config.begin(), config.end()}) &&
         write_file(path + "/model.safetensors", hf_tensors_of(m, weights).build());
}

}  // namespace

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
