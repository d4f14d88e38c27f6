// Tern files for tests: of any model file, in memory, and taken apart again to be spoiled.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "support/gguf_writer.hpp"
#include "tern/convert/tern_file.hpp"

namespace tern_test {

using Bytes = std::vector<uint8_t>;

/// Ends the program where a fixture cannot be made; usable without a test framework.
inline void must(bool good) {
  if (!good) std::abort();
}

inline Bytes tern_bytes_of(const tern::Model& model) {
  const auto tern_file = tern::TernFile::create(model);
  must(tern_file.ok());
  Bytes out;
  const auto written = tern_file->write([&](std::span<const uint8_t> part) -> tern::Result<void> {
    out.insert(out.end(), part.begin(), part.end());
    return {};
  });
  must(written.ok());
  must(out.size() == tern_file->size_bytes());
  return out;
}

/// The file of a load with these options.
inline Bytes convert(const Bytes& source, const tern::LoadOptions& options = {}) {
  const auto model = tern::Model::load_memory(source, options);
  must(model.ok());
  return tern_bytes_of(**model);
}

/// What the arrays of a tern file say, to be changed.
struct TernArrays {
  std::vector<std::string> names, packings, scale_kinds;
  std::vector<uint32_t> rows, cols;

  static TernArrays of(const tern::GgufFile& file) {
    TernArrays out;
    const auto texts = [&file](std::string_view key) {
      std::vector<std::string> values;
      const auto array = file.get_array<std::string_view>(key);
      for (const auto element : *array) values.emplace_back(*element.as<std::string_view>());
      return values;
    };
    const auto counts = [&file](std::string_view key) {
      std::vector<uint32_t> values;
      const auto array = file.get_array<uint32_t>(key);
      for (const auto element : *array) values.push_back(*element.as<uint32_t>());
      return values;
    };
    out.names = texts(tern::kTernNameKey);
    out.packings = texts(tern::kTernPackingKey);
    out.scale_kinds = texts(tern::kTernScaleKey);
    out.rows = counts(tern::kTernRowsKey);
    out.cols = counts(tern::kTernColsKey);
    return out;
  }
  size_t index_of(std::string_view name) const {
    const auto at = std::find(names.begin(), names.end(), name);
    must(at != names.end());
    return static_cast<size_t>(at - names.begin());
  }
};

/// A writer with everything that the file holds, but with these arrays.
inline GgufWriter rewrite(const tern::GgufFile& file, const TernArrays& arrays) {
  GgufWriter writer;
  writer.alignment = 64;
  constexpr std::string_view kArrays = "tern.tensor.";
  for (size_t i = 0; i < file.metadata().size(); ++i) {
    const std::string_view key = file.metadata()[i].key;
    const auto entry = file.entry_bytes(i).subspan(8 + key.size());
    if (key.substr(0, kArrays.size()) != kArrays) writer.add_raw(key, {entry.begin(), entry.end()});
  }
  const auto views = [](const std::vector<std::string>& texts) {
    return std::vector<std::string_view>(texts.begin(), texts.end());
  };
  writer.add_array(tern::kTernNameKey, views(arrays.names));
  writer.add_array(tern::kTernPackingKey, views(arrays.packings));
  writer.add_array(tern::kTernScaleKey, views(arrays.scale_kinds));
  writer.add_array(tern::kTernRowsKey, arrays.rows);
  writer.add_array(tern::kTernColsKey, arrays.cols);
  for (const tern::GgufTensor& tensor : file.tensors()) {
    writer.add_tensor({std::string(tensor.name),
                       tensor.type_id,
                       {tensor.dims, tensor.dims + tensor.n_dims},
                       {tensor.data.begin(), tensor.data.end()},
                       {}});
  }
  return writer;
}

}  // namespace tern_test
