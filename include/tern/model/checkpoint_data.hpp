// What a Checkpoint owns: the files with weights, and what a container's reader made of them.
//
// Room: model.
#pragma once

#include <optional>

#include "tern/format/gguf.hpp"
#include "tern/format/gguf_header.hpp"
#include "tern/model/tensor_names.hpp"
#include "tern/platform/mapped_file.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// Filled by SplitFile, HfFolder or Checkpoint itself; `file` views the rest.
struct CheckpointData {
  explicit CheckpointData(const AllocatorHooks& allocator)
      : hooks(allocator), parts(allocator), header(allocator), doubts(allocator) {}

  /// A file with weights, under its name in the folder; "" where it is the only one.
  struct Part {
    String name;
    FileBytes file;
  };

  AllocatorHooks hooks;
  Vector<Part> parts;
  GgufHeader header;              ///< backs the metadata of a folder
  Buffer<LayerTensorName> names;  ///< back the names of a folder's tensors
  std::optional<GgufFile> file;
  Vector<const char*> doubts;  ///< static sentences
};

TERN_NAMESPACE_END
