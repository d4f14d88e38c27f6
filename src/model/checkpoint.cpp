// Opening a checkpoint: which container a path is, and that container as one file.
//
// Room: model.
#include "tern/model/checkpoint.hpp"

#include "tern/base/memory_wall.hpp"
#include "tern/model/hf_folder.hpp"
#include "tern/model/split_file.hpp"

TERN_NAMESPACE_BEGIN

template <typename F>
Result<std::shared_ptr<const Checkpoint>> Checkpoint::create(const AllocatorHooks& hooks,
                                                             F&& fill) {
  return catch_out_of_memory([&]() -> Result<std::shared_ptr<const Checkpoint>> {
    auto out = std::allocate_shared<Checkpoint>(HostAllocator<Checkpoint>(hooks), Key(), hooks);
    TERN_TRY(fill(out->data_));
    return std::shared_ptr<const Checkpoint>(std::move(out));
  });
}

Result<std::shared_ptr<const Checkpoint>> Checkpoint::view(std::span<const uint8_t> bytes,
                                                           const AllocatorHooks& hooks) {
  return create(hooks, [&](CheckpointData& out) -> Result<void> {
    TERN_TRY_ASSIGN(out.file, GgufFile::parse(bytes, hooks));
    return {};
  });
}

Result<std::shared_ptr<const Checkpoint>> Checkpoint::adopt(FileBytes bytes,
                                                            const AllocatorHooks& hooks) {
  return create(hooks, [&](CheckpointData& out) -> Result<void> {
    out.parts.push_back({String(hooks), std::move(bytes)});
    TERN_TRY_ASSIGN(out.file, GgufFile::parse(out.parts[0].file.bytes(), hooks));
    return {};
  });
}

namespace {

/// Files that people name instead of their folder, by the ends of their names.
struct FolderFile {
  std::string_view end;
  Status status;
  const char* what;
};
constexpr FolderFile kFolderFiles[] = {
    {".safetensors", Status::unsupported, "part of a Hugging Face folder: name the folder itself"},
    {".safetensors.index.json", Status::unsupported,
     "part of a Hugging Face folder: name the folder itself"},
    {".bin", Status::unsupported_type, "neither GGUF nor safetensors: PyTorch files are not read"},
    {".pt", Status::unsupported_type, "neither GGUF nor safetensors: PyTorch files are not read"},
    {".pth", Status::unsupported_type, "neither GGUF nor safetensors: PyTorch files are not read"},
};

/// Why a file that does not begin as GGUF does is none.
Result<void> check_container(std::string_view name, std::span<const uint8_t> bytes) {
  ByteReader reader(bytes);
  const auto magic = reader.read<uint32_t>();
  if (magic.ok() && *magic == kGgufMagic) return {};
  for (const FolderFile& row : kFolderFiles) {
    if (name.ends_with(row.end)) return Error(row.status, row.what);
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const Checkpoint>> Checkpoint::open(std::string_view path, FileAccess access,
                                                           const AllocatorHooks& hooks) {
  return create(hooks, [&](CheckpointData& out) -> Result<void> {
    auto file = FileBytes::open(path, access, hooks);
    if (!file.ok()) {
      // A folder cannot be opened as a file.
      String folder(path, hooks);
      folder.append("/");
      const auto config =
          FileBytes::open(path_in(folder, HfFolder::kConfigName, hooks), FileAccess::copied, hooks);
      if (file.status() != Status::not_found && config.status() == Status::not_found) {
        return Error(Status::not_found, "not in this folder; name a GGUF file itself",
                     HfFolder::kConfigName);
      }
      if (!config.ok()) return file.error();
      return HfFolder(out, folder, access).open(config->bytes());
    }
    const PathParts parts = split_path(path);
    if (parts.name == HfFolder::kConfigName) {
      return HfFolder(out, parts.folder, access).open(file->bytes());
    }
    TERN_TRY(check_container(parts.name, file->bytes()));
    TERN_TRY_ASSIGN(GgufFile parsed, GgufFile::parse_part(file->bytes(), hooks));
    TERN_TRY_ASSIGN(const auto n_parts, parsed.get_or<uint32_t>(kSplitCountKey, 1));
    if (n_parts > 1) return SplitFile(out).open(path, access, parsed);
    out.parts.push_back({String(hooks), *std::move(file)});
    out.file = std::move(parsed);
    return {};
  });
}

uint64_t Checkpoint::size_bytes() const {
  uint64_t bytes = 0;
  for (const CheckpointData::Part& part : data_.parts) bytes += part.file.bytes().size();
  return bytes;
}

namespace {
bool holds(std::span<const uint8_t> bytes, std::span<const uint8_t> part) {
  return part.data() >= bytes.data() && part.data() < bytes.data() + bytes.size();
}
}  // namespace

Error Checkpoint::located(const Error& error) const {
  const GgufTensor* tensor = data_.file->find_tensor(error.subject);
  if (tensor == nullptr) return error;
  for (const CheckpointData::Part& part : data_.parts) {
    if (!part.name.empty() && holds(part.file.bytes(), tensor->data)) {
      return in_file(error, part.name);
    }
  }
  return error;
}

void Checkpoint::give_back(std::span<const uint8_t> data) const {
  for (const CheckpointData::Part& part : data_.parts) {
    if (holds(part.file.bytes(), data)) part.file.give_back(data);
  }
}

TERN_NAMESPACE_END
