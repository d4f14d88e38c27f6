// Models of tests as files and folders, for programs that write them.
#pragma once

#include <filesystem>
#include <fstream>
#include <span>
#include <string>

#include "support/hf_folders.hpp"

namespace tern_test {

/// Whether it was written.
inline bool write_file(const std::string& path, std::span<const uint8_t> bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  return out.flush().good();
}

/// A folder whose configuration says that its weights are `said`, and whose weights are `stored`.
inline bool write_folder(const std::string& path, const LogicalModel& m, HfWeights said,
                         HfWeights stored) {
  std::filesystem::create_directories(path);
  const std::string config = json_of(hf_config_of(m, said));
  return write_file(path + "/config.json",
                    {reinterpret_cast<const uint8_t*>(config.data()), config.size()}) &&
         write_file(path + "/model.safetensors", hf_tensors_of(m, stored).build());
}
inline bool write_folder(const std::string& path, const LogicalModel& m, HfWeights weights) {
  return write_folder(path, m, weights, weights);
}

}  // namespace tern_test
