// A GGUF file in parts: `<base>-00001-of-00003.gguf` and so on, as one.
//
// Room: model. Every part says which one it is, of how many; the
// first has the metadata and says how many tensors there are together.
#pragma once

#include "tern/model/checkpoint_data.hpp"
#include "tern/model/file_names.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// Lives on the stack of Checkpoint::open.
class SplitFile {
 public:
  explicit SplitFile(CheckpointData& out) : out_(out) {}

  /// Opens all parts, given the path of one and what it says.
  Result<void> open(std::string_view path, FileAccess access, const GgufFile& part);

 private:
  static constexpr size_t kDigits = 5;
  static constexpr std::string_view kMiddle = "-of-";
  static constexpr std::string_view kEnd = ".gguf";
  static constexpr size_t kTailBytes = 1 + kDigits + kMiddle.size() + kDigits + kEnd.size();

  static void put_digits(uint32_t value, char* out) {
    for (size_t i = kDigits; i > 0; value /= 10) out[--i] = static_cast<char>('0' + value % 10);
  }
  /// `-<number>-of-<count>.gguf`.
  static String tail(uint32_t number, uint32_t count, const AllocatorHooks& hooks) {
    char digits[kDigits];
    String out("-", hooks);
    put_digits(number, digits);
    out.append(digits, kDigits).append(kMiddle);
    put_digits(count, digits);
    return out.append(digits, kDigits).append(kEnd);
  }
  Result<GgufFile> parse_part(const CheckpointData::Part& part, uint32_t number,
                              uint32_t count) const;

  CheckpointData& out_;
};

/// A part that is what its name says.
inline Result<GgufFile> SplitFile::parse_part(const CheckpointData::Part& part, uint32_t number,
                                              uint32_t count) const {
  TERN_TRY_ASSIGN(GgufFile file, GgufFile::parse_part(part.file.bytes(), out_.hooks));
  TERN_TRY_ASSIGN(const auto said, file.get<uint32_t>(kSplitNumberKey));
  if (said != number) {
    return Error(Status::mismatch, "the part is another one than its name says", kSplitNumberKey);
  }
  TERN_TRY_ASSIGN(const auto n_parts, file.get<uint32_t>(kSplitCountKey));
  if (n_parts != count) {
    return Error(Status::mismatch, "the part is of another number of parts", kSplitCountKey);
  }
  return file;
}

inline Result<void> SplitFile::open(std::string_view path, FileAccess access,
                                    const GgufFile& part) {
  constexpr uint32_t kMostParts = 99'999;
  const AllocatorHooks& hooks = out_.hooks;
  TERN_TRY_ASSIGN(const auto count, part.get<uint32_t>(kSplitCountKey));
  TERN_TRY_ASSIGN(const auto number, part.get<uint32_t>(kSplitNumberKey));
  const PathParts parts = split_path(path);
  if (count > kMostParts || number >= count || parts.name.size() <= kTailBytes ||
      !parts.name.ends_with(tail(number + 1, count, hooks))) {
    return Error(Status::mismatch, "name of the file is not that of its part", kSplitNumberKey);
  }
  const std::string_view base = parts.name.substr(0, parts.name.size() - kTailBytes);
  Vector<GgufFile> files(hooks);
  uint64_t n_tensors = 0;
  for (uint32_t i = 0; i < count; ++i) {
    String name(base, hooks);
    name.append(tail(i + 1, count, hooks));
    auto opened = FileBytes::open(path_in(parts.folder, name, hooks), access, hooks);
    if (!opened.ok()) return in_file(opened.error(), name);
    out_.parts.push_back({std::move(name), *std::move(opened)});
    auto file = parse_part(out_.parts.back(), i, count);
    if (!file.ok()) return in_file(file.error(), out_.parts.back().name);
    n_tensors += file->tensors().size();
    files.push_back(*std::move(file));
  }
  TERN_TRY_ASSIGN(const auto claimed, files[0].get_or<uint64_t>(kSplitTensorsKey, n_tensors));
  if (claimed != n_tensors) {
    return Error(Status::mismatch, "the parts hold another number of tensors", kSplitTensorsKey);
  }
  TERN_TRY_ASSIGN(auto tensors, Buffer<GgufTensor>::create(n_tensors, hooks));
  size_t n = 0;
  for (const GgufFile& file : files) {
    for (const GgufTensor& tensor : file.tensors()) tensors[n++] = tensor;
  }
  TERN_TRY_ASSIGN(out_.file, GgufFile::compose(std::move(files[0]), std::move(tensors), hooks));
  return {};
}

TERN_NAMESPACE_END
