// Writes small random models for folder_conversion_test.cmake: Hugging Face folders, and the GGUF
// file of each architecture that they must equal.
//
// Usage: folder_models FOLDER
#include <cstdio>
#include <string>

#include "support/model_files.hpp"

using namespace tern_test;

namespace {

/// A folder whose linear layers have magnitudes of many bits, as training leaves them: so have
/// their means, the scales.
bool write_mean_scaled(const std::string& path, const LogicalModel& m) {
  SafetensorsWriter tensors = hf_tensors_of(m, HfWeights::online);
  std::mt19937 rng(12);
  for (auto& tensor : tensors.tensors) {
    if (tensor.name.find("_proj") == std::string::npos) continue;
    for (size_t at = 0; at < tensor.data.size(); at += 2) {
      const auto low = static_cast<uint8_t>(rng());
      const auto high = static_cast<uint8_t>(0x3C | (rng() % 2) << 7);  // from 2^-7 to 2^-5
      tensor.data[at] = low;
      tensor.data[at + 1] = high;
    }
  }
  std::filesystem::create_directories(path);
  const std::string config = json_of(hf_config_of(m, HfWeights::online));
  return write_file(path + "/config.json",
                    {reinterpret_cast<const uint8_t*>(config.data()), config.size()}) &&
         write_file(path + "/model.safetensors", tensors.build());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: folder_models FOLDER\n");
    return 2;
  }
  bool good = true;
  for (const std::string architecture : {"bitnet-b1.58", "bitnet", "llama", "qwen3", "gemma3"}) {
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
  // As TriLM is: floats that are ternary already, several scales a matrix, float activations.
  const LogicalModel trilm = random_model(small_shape("llama"), 2, 13, RandomScales::row);
  GgufWriter trilm_file = gguf_of(trilm, tern::TensorType::f32);
  trilm_file.add("general.name", "TriLM_99M");
  good = good && write_file(argv[1] + std::string("/trilm.gguf"), trilm_file.build());
  good = good && write_folder(argv[1] + std::string("/trilm-exact"), trilm, HfWeights::exact);
  good = good && write_mean_scaled(argv[1] + std::string("/mean-scaled"), small_model());
  return good ? 0 : 1;
}
