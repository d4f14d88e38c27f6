// Writes the seed corpus of safetensors_fuzz into the folder given:
// `safetensors_corpus tests/fuzz/corpus/safetensors`.
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "support/safetensors_writer.hpp"

using tern_test::SafetensorsWriter;
using Bytes = SafetensorsWriter::Bytes;

namespace {

std::vector<std::pair<std::string, Bytes>> corpus() {
  std::vector<std::pair<std::string, Bytes>> files;
  SafetensorsWriter layer;
  layer.add({"model.embed_tokens.weight", "BF16", {4, 8}, Bytes(64, 0x3F)});
  layer.add({"model.layers.0.self_attn.q_proj.weight", "U8", {2, 8}, Bytes(16, 0x24)});
  layer.add({"model.layers.0.self_attn.q_proj.weight_scale", "F32", {1}, Bytes(4, 0x3F)});
  layer.add({"model.layers.0.mlp.down_proj.norm.weight", "F16", {8}, Bytes(16, 0x3C)});
  files.emplace_back("layer", layer.build());
  SafetensorsWriter plain = layer;
  plain.metadata.clear();
  plain.pads = false;
  files.emplace_back("no_metadata", plain.build());
  SafetensorsWriter shapes;
  shapes.add({"scalar", "F64", {}, Bytes(8)});
  shapes.add({"empty", "I64", {0, 3}, {}});
  shapes.add({"deep", "BOOL", {1, 1, 1, 1, 1, 1, 1, 2}, Bytes(2)});
  files.emplace_back("shapes", shapes.build());
  SafetensorsWriter nothing;
  files.emplace_back("nothing", nothing.build());
  SafetensorsWriter long_header = layer;
  long_header.claimed_header_bytes = ~uint64_t{0};
  files.emplace_back("long_header", long_header.build());
  Bytes cut = layer.build();
  cut.pop_back();
  files.emplace_back("truncated", cut);
  SafetensorsWriter byte;
  byte.add({"a", "U8", {4}, Bytes(4)});
  files.emplace_back("overlap", byte.build_with(R"({"a":{"dtype":"U8","shape":[3],"data_offsets":)"
                                                R"([0,3]},"b":{"dtype":"U8","shape":[2],)"
                                                R"("data_offsets":[2,4]}})"));
  files.emplace_back("twice", byte.build_with(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":)"
                                              R"([0,2]},"a":{"dtype":"U8","shape":[2],)"
                                              R"("data_offsets":[2,4]}})"));
  files.emplace_back("not_json", byte.build_with("{\"a\":{]}"));
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  for (const auto& [name, bytes] : corpus()) {
    std::ofstream out(std::string(argv[1]) + "/" + name + ".safetensors", std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
    if (!out.good()) return 1;
  }
  return 0;
}
