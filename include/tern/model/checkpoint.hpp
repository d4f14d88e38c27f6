// Checkpoint: a model's files, whatever container they are, seen as one GGUF file.
//
// Room: model. The one door for every container, so that loading, converting and inspecting need
// one reader:
//
//     a GGUF or tern file       as it is
//     a split GGUF file         the metadata of its first part, the tensors of all
//     a Hugging Face folder     config.json as metadata that are made in memory, the tensors of its
//                               safetensors under their names in GGUF, in their own forms
//
// A Checkpoint owns what backs that view (checkpoint_data.hpp).
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "tern/model/checkpoint_data.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// Immutable once open. Threads: any number.
class Checkpoint {
 public:
  /// Opens a file, one part of a split file (the others are beside it), a Hugging Face folder, or
  /// the config.json of one.
  /// Errors: not_found, io_error, and those of the groups format, unsupported and out_of_memory,
  ///         with the name of the file in front of the subject where there are several.
  /// Cost:   reads metadata alone.
  static Result<std::shared_ptr<const Checkpoint>> open(std::string_view path, FileAccess access,
                                                        const AllocatorHooks& hooks);
  /// The same of one file in memory, which the caller keeps alive and unchanged.
  static Result<std::shared_ptr<const Checkpoint>> view(std::span<const uint8_t> bytes,
                                                        const AllocatorHooks& hooks);

  /// One GGUF or tern file whose bytes are there already.
  static Result<std::shared_ptr<const Checkpoint>> adopt(FileBytes bytes,
                                                         const AllocatorHooks& hooks);

  const GgufFile& file() const { return *data_.file; }
  /// Bytes of all files with weights.
  uint64_t size_bytes() const;
  /// How many files with weights there are, and their names; a file by itself has none.
  size_t n_parts() const { return data_.parts.size(); }
  std::string_view part_name(size_t part) const { return data_.parts[part].name; }
  /// What is not clear about the container, a static sentence each.
  std::span<const char* const> doubts() const { return data_.doubts; }

  /// An error about a tensor of file(), with the name of the file that holds it in front of the
  /// subject where there are several.
  Error located(const Error& error) const;
  /// Says that data of tensors will not be read soon, so that they need not count as memory of this
  /// process. They stay readable. Cost: a system call, of mapped files.
  void give_back(std::span<const uint8_t> data) const;

  /// Only open and view can make one.
  class Key {
    friend class Checkpoint;
    Key() = default;
  };
  Checkpoint(Key, const AllocatorHooks& hooks) : data_(hooks) {}

 private:
  /// A new one whose data `fill(data)` fills, behind the wall that containers need.
  template <typename F>
  static Result<std::shared_ptr<const Checkpoint>> create(const AllocatorHooks& hooks, F&& fill);

  CheckpointData data_;
};

TERN_NAMESPACE_END
