// The directory of a tern file: which of its tensors are packed, and how.
//
// Room: format. A tern file is a GGUF file whose packed tensors are blobs of type I8, described by
// parallel arrays in the metadata (docs/formats.md). Everything in it is untrusted: what comes out
// of read() has blobs and scales of exactly the right size, and names that are there once. No byte
// of a blob or of a scale is read.
#pragma once

#include <cstring>
#include <optional>

#include "tern/format/gguf.hpp"
#include "tern/quant/packing_name.hpp"

TERN_NAMESPACE_BEGIN

/// `tern.version` is 100 * major + minor; readers refuse majors above their own.
inline constexpr uint32_t kTernVersion = 100;
inline constexpr std::string_view kTernVersionKey = "tern.version";
inline constexpr std::string_view kTernHashKey = "tern.model_hash";
inline constexpr std::string_view kTernNameKey = "tern.tensor.name";
inline constexpr std::string_view kTernPackingKey = "tern.tensor.packing";
inline constexpr std::string_view kTernRowsKey = "tern.tensor.rows";
inline constexpr std::string_view kTernColsKey = "tern.tensor.cols";
inline constexpr std::string_view kTernScaleKey = "tern.tensor.scale_kind";
/// The merges of a byte-level vocabulary by token ids, an i32 array of left, right, result; best
/// first.
inline constexpr std::string_view kTernMergesKey = "tern.tokenizer.merges";
/// What an int8 table with a scale a row (a quantized head) has as its packing.
inline constexpr std::string_view kTernBytesName = "i8";
/// Behind the name of a packed tensor: the F32 tensor of its scales.
inline constexpr std::string_view kScaleSuffix = ".scale";
/// Where the region of blobs starts is a multiple of this, so that large pages can hold it.
inline constexpr uint64_t kTernRegionAlignment = uint64_t{2} << 20;

/// `<name>.scale`, composed in place; cut short where no tensor could have the name.
class ScaleTensorName {
 public:
  explicit ScaleTensorName(std::string_view name) {
    size_ = name.copy(text_, kGgufMaxNameBytes);
    size_ += kScaleSuffix.copy(text_ + size_, sizeof(text_) - size_);
  }
  std::string_view view() const { return {text_, size_}; }

 private:
  char text_[kGgufMaxNameBytes + kScaleSuffix.size()];
  size_t size_ = 0;
};

/// A packed tensor of a tern file.
struct TernTensor {
  const GgufTensor* blob = nullptr;    ///< its name is the tensor's
  const GgufTensor* scales = nullptr;  ///< F32
  std::optional<Packing> packing;      ///< nothing: int8 rows, a scale a row
  uint32_t rows = 0;
  uint32_t cols = 0;
  ScaleKind scale_kind = ScaleKind::tensor;
  uint32_t group_cols = 0;
};

/// The packed tensors of a file; none in a file that is no tern file. Views the GgufFile.
class TernDirectory {
 public:
  /// Errors: unsupported_version; malformed, mismatch, missing, with the key or the tensor.
  static Result<TernDirectory> read(const GgufFile& file, const AllocatorHooks& hooks);

  /// Whether the file says that it is a tern file.
  bool is_tern_file() const { return is_tern_file_; }
  std::span<const TernTensor> tensors() const { return tensors_.span(); }
  /// Null for a name that is not a packed tensor.
  const TernTensor* find(std::string_view name) const {
    const size_t i = names_.find(name, [this](size_t at) { return tensors_[at].blob->name; });
    return i == NameIndex::kNone ? nullptr : &tensors_[i];
  }
  /// Whether this is the name of some packed tensor's scales.
  bool names_scales(std::string_view name) const {
    if (name.size() <= kScaleSuffix.size()) return false;
    const size_t stem = name.size() - kScaleSuffix.size();
    return name.substr(stem) == kScaleSuffix && find(name.substr(0, stem)) != nullptr;
  }

 private:
  bool is_tern_file_ = false;
  Buffer<TernTensor> tensors_;
  NameIndex names_;
};

namespace detail {

/// What the arrays say of one tensor.
struct TernEntry {
  std::string_view name;
  std::string_view packing;
  std::string_view scale;
  uint32_t rows = 0;
  uint32_t cols = 0;
};

/// An entry with its tensors, all sizes checked.
inline Result<TernTensor> resolve_tern_entry(const GgufFile& file, const TernEntry& entry) {
  TERN_TRY_ASSIGN(const GgufTensor* blob, file.get_tensor(entry.name));
  const auto refused = [&](Status status, const char* what) {
    return Error(status, what, entry.name, blob->offset);
  };
  TernTensor out;
  out.blob = blob;
  out.rows = entry.rows;
  out.cols = entry.cols;
  if (out.rows == 0 || out.cols == 0) return refused(Status::malformed, "packed tensor is empty");
  const ScaleName* scale = find_scale_name(entry.scale);
  if (scale == nullptr) return refused(Status::malformed, "unknown kind of scales");
  out.scale_kind = scale->kind;
  out.group_cols = scale->group_cols;
  out.packing = find_packing(entry.packing);
  std::optional<uint64_t> bytes = checked_mul(out.rows, out.cols);
  if (out.packing) {
    bytes = packed_bytes(*out.packing, out.rows, out.cols);
    if (out.scale_kind == ScaleKind::group && *out.packing != Packing::t2) {
      return refused(Status::malformed, "only t2 has scales by groups");
    }
  } else if (entry.packing != kTernBytesName) {
    return refused(Status::malformed, "unknown packing");
  } else if (out.scale_kind != ScaleKind::row) {
    return refused(Status::malformed, "int8 tensor without a scale a row");
  }
  constexpr uint32_t kByteType = static_cast<uint32_t>(TensorType::i8);
  if (blob->type_id != kByteType || !bytes || blob->data.size() != *bytes) {
    return refused(Status::mismatch, "packed tensor of another size than its packing has");
  }
  TERN_TRY_ASSIGN(out.scales, file.get_tensor(ScaleTensorName(entry.name).view()));
  uint64_t n_scales = out.scale_kind == ScaleKind::tensor ? 1 : out.rows;
  if (out.group_cols != 0) n_scales *= scale_groups(out.cols, out.group_cols);
  constexpr uint32_t kFloatType = static_cast<uint32_t>(TensorType::f32);
  const GgufTensor& scales = *out.scales;
  if (scales.type_id != kFloatType || scales.data.size() != n_scales * sizeof(float)) {
    return Error(Status::mismatch, "not as many scales as the packed tensor has", scales.name,
                 scales.offset);
  }
  // Scales are read where they lie. A file that was mapped or copied is aligned, so only the bytes
  // that a host hands over, or a file with a broken alignment, can be off.
  if (reinterpret_cast<uintptr_t>(scales.data.data()) % alignof(float) != 0) {
    return Error(Status::malformed, "scales are not aligned in memory", scales.name, scales.offset);
  }
  return out;
}

}  // namespace detail

inline Result<TernDirectory> TernDirectory::read(const GgufFile& file,
                                                 const AllocatorHooks& hooks) {
  TernDirectory out;
  if (file.find(kTernVersionKey) == nullptr) return out;
  TERN_TRY_ASSIGN(const auto version, file.get<uint32_t>(kTernVersionKey));
  if (version / 100 != kTernVersion / 100) {
    return Error(Status::unsupported_version,
                 version > kTernVersion ? "tern file of a newer major version"
                                        : "tern file of an unknown version",
                 kTernVersionKey);
  }
  out.is_tern_file_ = true;
  TERN_TRY_ASSIGN(const MetadataArray names, file.get_array<std::string_view>(kTernNameKey));
  TERN_TRY_ASSIGN(const MetadataArray packings, file.get_array<std::string_view>(kTernPackingKey));
  TERN_TRY_ASSIGN(const MetadataArray rows, file.get_array<uint32_t>(kTernRowsKey));
  TERN_TRY_ASSIGN(const MetadataArray cols, file.get_array<uint32_t>(kTernColsKey));
  TERN_TRY_ASSIGN(const MetadataArray scales, file.get_array<std::string_view>(kTernScaleKey));
  for (const size_t size : {packings.size(), rows.size(), cols.size(), scales.size()}) {
    if (size != names.size()) {
      return Error(Status::mismatch, "arrays of packed tensors are not of one length",
                   kTernNameKey);
    }
  }
  TERN_TRY_ASSIGN(out.tensors_, Buffer<TernTensor>::create(names.size(), hooks));
  auto packing = packings.begin();
  auto row = rows.begin();
  auto col = cols.begin();
  auto scale = scales.begin();
  size_t n = 0;
  for (const MetadataScalar name : names) {
    const auto n_rows = (*row++).as<uint32_t>();
    const auto n_cols = (*col++).as<uint32_t>();
    const detail::TernEntry entry{
        *name.as<std::string_view>(), *(*packing++).as<std::string_view>(),
        *(*scale++).as<std::string_view>(), n_rows.value_or(0), n_cols.value_or(0)};
    TERN_TRY_ASSIGN(out.tensors_[n++], detail::resolve_tern_entry(file, entry));
  }
  const auto name_of = [&out](size_t i) { return out.tensors_[i].blob->name; };
  TERN_TRY_ASSIGN(out.names_, NameIndex::create(out.tensors_.size(), name_of, hooks));
  const size_t duplicate = out.names_.find_duplicate(name_of);
  if (duplicate != NameIndex::kNone) {
    return Error(Status::malformed, "packed tensor is listed twice", name_of(duplicate));
  }
  return out;
}

TERN_NAMESPACE_END
