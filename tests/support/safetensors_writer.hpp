// A small writer of safetensors files for tests, which lies where a test asks.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

namespace tern_test {

/// Tensors in the order of the calls; `build` gives the bytes.
class SafetensorsWriter {
 public:
  using Bytes = std::vector<uint8_t>;

  struct Tensor {
    std::string name;
    std::string dtype;
    std::vector<uint64_t> shape;  ///< the contiguous one last
    Bytes data;
  };
  std::vector<Tensor> tensors;
  std::string metadata = R"({"format":"pt"})";  ///< "" leaves it out
  std::optional<uint64_t> claimed_header_bytes;
  bool pads = true;  ///< the header, with spaces to a multiple of 8

  SafetensorsWriter& add(Tensor tensor) {
    tensors.push_back(std::move(tensor));
    return *this;
  }

  static std::string entry(const Tensor& tensor, uint64_t begin, uint64_t end) {
    std::string out = '"' + tensor.name + R"(":{"dtype":")" + tensor.dtype + R"(","shape":[)";
    for (size_t i = 0; i < tensor.shape.size(); ++i) {
      out += (i == 0 ? "" : ",") + std::to_string(tensor.shape[i]);
    }
    return out + R"(],"data_offsets":[)" + std::to_string(begin) + "," + std::to_string(end) + "]}";
  }
  std::string header() const {
    std::string out = "{";
    if (!metadata.empty()) out += R"("__metadata__":)" + metadata;
    uint64_t at = 0;
    for (const Tensor& tensor : tensors) {
      if (out.size() > 1) out += ",";
      out += entry(tensor, at, at + tensor.data.size());
      at += tensor.data.size();
    }
    out += "}";
    while (pads && out.size() % 8 != 0) out += " ";
    return out;
  }
  Bytes build() const { return build_with(header()); }
  /// The file with a header of the caller's.
  Bytes build_with(const std::string& header) const {
    Bytes out(sizeof(uint64_t));
    const uint64_t n = claimed_header_bytes.value_or(header.size());
    std::memcpy(out.data(), &n, sizeof(n));
    out.insert(out.end(), header.begin(), header.end());
    for (const Tensor& tensor : tensors) {
      out.insert(out.end(), tensor.data.begin(), tensor.data.end());
    }
    return out;
  }
};

}  // namespace tern_test
