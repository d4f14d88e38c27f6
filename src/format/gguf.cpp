// The parser and the lookups of GgufFile (gguf.hpp).
//
// Room: format. Order of the file: header, metadata, tensor directory, padding, data. Every count
// is checked against the bytes that are left, at the smallest size an entry can have, before
// anything is allocated for it; every offset and size that a tensor claims is checked before a view
// of it is made.
#include "tern/format/gguf.hpp"

#include <bit>

#include "tern/base/checked_math.hpp"

TERN_NAMESPACE_BEGIN

namespace {

/// "GGUF", read as a little-endian number.
constexpr uint32_t kGgufMagic = 0x46554747;
// The smallest entries: a key of one byte and a value of one; a name of one byte and no dimensions.
constexpr uint64_t kGgufMinMetadataBytes = 8 + 1 + 4 + 1;
constexpr uint64_t kGgufMinTensorBytes = 8 + 1 + 4 + 4 + 8;

/// An error of a lower level, with the name that it is about.
Error about(const Error& error, std::string_view name) {
  return {error.status, error.what, name, error.where};
}

Result<std::string_view> read_gguf_string(ByteReader& reader) {
  TERN_TRY_ASSIGN(const auto length, reader.read<uint64_t>());
  return reader.read_text(length);
}

Result<MetadataType> read_metadata_type(ByteReader& reader) {
  const uint64_t where = reader.position();
  TERN_TRY_ASSIGN(const auto id, reader.read<uint32_t>());
  if (id >= kMetadataTypes) return Error(Status::malformed, "unknown metadata type", where);
  return static_cast<MetadataType>(id);
}

/// Walks `count` elements of a type; what makes every later view of them safe.
Result<void> skip_elements(ByteReader& reader, MetadataType type, uint64_t count) {
  if (type != MetadataType::string) {
    // count is at most 2^30, so the product fits.
    TERN_TRY(reader.read_bytes(count * kMetadataTypeBytes[static_cast<uint32_t>(type)]));
    return {};
  }
  for (uint64_t i = 0; i < count; ++i) TERN_TRY(read_gguf_string(reader));
  return {};
}

Result<MetadataValue> read_metadata_value(ByteReader& reader, std::span<const uint8_t> bytes) {
  const uint64_t where = reader.position();
  TERN_TRY_ASSIGN(const auto type, read_metadata_type(reader));
  if (type != MetadataType::array) {
    const uint8_t* at = bytes.data() + reader.position();
    TERN_TRY(skip_elements(reader, type, 1));
    return MetadataValue(type, at);
  }
  TERN_TRY_ASSIGN(const auto element_type, read_metadata_type(reader));
  if (element_type == MetadataType::array) {
    return Error(Status::unsupported, "arrays of arrays are not supported", where);
  }
  TERN_TRY_ASSIGN(const auto count, reader.read<uint64_t>());
  if (count > kGgufMaxArrayElems) return Error(Status::malformed, "array too long", where);
  const uint8_t* first = bytes.data() + reader.position();
  TERN_TRY(skip_elements(reader, element_type, count));
  return MetadataValue(element_type, static_cast<size_t>(count), first);
}

/// Refuses a count of entries that the rest of the file cannot hold.
Result<void> check_count(const ByteReader& reader, uint64_t count, uint64_t min_bytes,
                         const char* what, uint64_t where) {
  if (count > reader.remaining() / min_bytes) return Error(Status::truncated, what, where);
  // Positions are kept in 32 bits (NameIndex).
  if (count > std::numeric_limits<uint32_t>::max()) return Error(Status::malformed, what, where);
  return {};
}

Result<uint32_t> read_gguf_version(ByteReader& reader) {
  TERN_TRY_ASSIGN(const auto magic, reader.read<uint32_t>());
  if (magic != kGgufMagic) return Error(Status::malformed, "not a GGUF file", 0);
  const uint64_t where = reader.position();
  TERN_TRY_ASSIGN(const auto version, reader.read<uint32_t>());
  // A byte-swapped small number; nothing else in the file says the byte order.
  if (version != 0 && (version & 0xFFFF) == 0) {
    return Error(Status::unsupported, "big-endian GGUF files are not supported", where);
  }
  if (version < 2 || version > 3) {
    return Error(Status::unsupported_version, "only GGUF versions 2 and 3 are supported", where);
  }
  return version;
}

/// One entry of the tensor directory; `offset` is relative to the data, `data` and `type` unset.
Result<GgufTensor> read_tensor_info(ByteReader& reader) {
  const uint64_t where = reader.position();
  GgufTensor tensor{};
  TERN_TRY_ASSIGN(tensor.name, read_gguf_string(reader));
  const auto refused = [&](const char* what) {
    return Error(Status::malformed, what, tensor.name, where);
  };
  if (tensor.name.empty()) return refused("tensor without a name");
  if (tensor.name.size() > kGgufMaxNameBytes) return refused("tensor name too long");
  TERN_TRY_ASSIGN(tensor.n_dims, reader.read<uint32_t>());
  if (tensor.n_dims > kGgufMaxDims) return refused("tensor with more than 4 dimensions");
  uint64_t elems = 1;
  for (size_t d = 0; d < kGgufMaxDims; ++d) {
    tensor.dims[d] = 1;
    if (d >= tensor.n_dims) continue;
    TERN_TRY_ASSIGN(tensor.dims[d], reader.read<uint64_t>());
    if (tensor.dims[d] == 0) return refused("tensor with an empty dimension");
    const auto product = checked_mul(elems, tensor.dims[d]);
    if (!product || *product >= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return refused("tensor with too many elements");
    }
    elems = *product;
  }
  TERN_TRY_ASSIGN(tensor.type_id, reader.read<uint32_t>());
  TERN_TRY_ASSIGN(tensor.offset, reader.read<uint64_t>());
  return tensor;
}

}  // namespace

Result<TensorType> readable_type(const GgufTensor& tensor) {
  if (tensor.type == nullptr) {
    return Error(Status::unsupported_type, "tensor type id unknown, or its meaning unclear",
                 tensor.name, tensor.offset);
  }
  if (!tensor.type->readable) {
    return Error(Status::unsupported_type, tensor.type->refusal, tensor.name, tensor.offset);
  }
  return tensor.type->type();
}

Result<GgufFile> GgufFile::parse(std::span<const uint8_t> bytes, const AllocatorHooks& hooks) {
  TERN_TRY_ASSIGN(GgufFile file, parse_part(bytes, hooks));
  TERN_TRY_ASSIGN(const auto n_parts, file.get_or<uint32_t>(kSplitCountKey, 1));
  if (n_parts > 1) {
    return Error(Status::unsupported, "a part of a split GGUF file needs the other files beside it",
                 kSplitCountKey, file.where(kSplitCountKey));
  }
  return file;
}

Result<GgufFile> GgufFile::parse_part(std::span<const uint8_t> bytes, const AllocatorHooks& hooks) {
  GgufFile file;
  file.bytes_ = bytes;
  TERN_TRY(file.read_all(hooks));
  return file;
}

Result<GgufFile> GgufFile::compose(GgufFile header, Buffer<GgufTensor> tensors,
                                   const AllocatorHooks& hooks) {
  header.tensors_ = std::move(tensors);
  const auto name_of = [&header](size_t i) { return header.tensors_[i].name; };
  TERN_TRY_ASSIGN(header.names_, NameIndex::create(header.tensors_.size(), name_of, hooks));
  const size_t duplicate = header.names_.find_duplicate(name_of);
  if (duplicate != NameIndex::kNone) {
    return Error(Status::malformed, "duplicate tensor name", name_of(duplicate));
  }
  return header;
}

Result<void> GgufFile::read_all(const AllocatorHooks& hooks) {
  ByteReader reader(bytes_);
  TERN_TRY_ASSIGN(version_, read_gguf_version(reader));
  const uint64_t counts_at = reader.position();
  TERN_TRY_ASSIGN(const auto n_tensors, reader.read<uint64_t>());
  TERN_TRY_ASSIGN(const auto n_entries, reader.read<uint64_t>());
  TERN_TRY(check_count(reader, n_tensors, kGgufMinTensorBytes,
                       "more tensors than the file can hold", counts_at));
  TERN_TRY(check_count(reader, n_entries, kGgufMinMetadataBytes,
                       "more metadata than the file can hold", counts_at + 8));
  TERN_TRY(read_metadata(reader, n_entries, hooks));
  TERN_TRY_ASSIGN(alignment_, get_or<uint32_t>("general.alignment", kGgufDefaultAlignment));
  if (!std::has_single_bit(alignment_)) {
    return Error(Status::malformed, "alignment is not a power of two", "general.alignment",
                 where("general.alignment"));
  }

  TERN_TRY(read_tensor_infos(reader, n_tensors, hooks));
  // A file of metadata alone need not be padded. Positions are below 2^63, so this cannot overflow.
  const uint64_t padded = round_up(reader.position(), uint64_t{alignment_});
  data_offset_ = padded < bytes_.size() ? padded : bytes_.size();
  return place_tensors(hooks);
}

/// Errors: malformed, at the second entry of a name.
template <typename NameOf>
Result<void> GgufFile::refuse_duplicate(const NameIndex& index, NameOf name_of,
                                        const char* what) const {
  const size_t duplicate = index.find_duplicate(name_of);
  if (duplicate == NameIndex::kNone) return {};
  const std::string_view name = name_of(duplicate);
  return Error(Status::malformed, what, name, entry_offset(name));
}

Result<void> GgufFile::read_metadata(ByteReader& reader, uint64_t count,
                                     const AllocatorHooks& hooks) {
  TERN_TRY_ASSIGN(metadata_, Buffer<MetadataEntry>::create(static_cast<size_t>(count), hooks));
  for (size_t i = 0; i < count; ++i) {
    const uint64_t where = reader.position();
    TERN_TRY_ASSIGN(const auto key, read_gguf_string(reader));
    if (key.empty()) return Error(Status::malformed, "metadata with an empty key", where);
    if (key.size() > kGgufMaxKeyBytes) {
      return Error(Status::malformed, "metadata key too long", key, where);
    }
    const auto value = read_metadata_value(reader, bytes_);
    if (!value) return about(value.error(), key);
    metadata_[i] = MetadataEntry{key, *value};
  }
  metadata_end_ = reader.position();
  const auto key_of = [this](size_t i) { return metadata_[i].key; };
  TERN_TRY_ASSIGN(keys_, NameIndex::create(metadata_.size(), key_of, hooks));
  return refuse_duplicate(keys_, key_of, "duplicate metadata key");
}

Result<void> GgufFile::read_tensor_infos(ByteReader& reader, uint64_t count,
                                         const AllocatorHooks& hooks) {
  TERN_TRY(check_count(reader, count, kGgufMinTensorBytes, "more tensors than the file can hold",
                       reader.position()));
  TERN_TRY_ASSIGN(tensors_, Buffer<GgufTensor>::create(static_cast<size_t>(count), hooks));
  for (size_t i = 0; i < count; ++i) {
    TERN_TRY_ASSIGN(tensors_[i], read_tensor_info(reader));
  }
  const auto name_of = [this](size_t i) { return tensors_[i].name; };
  TERN_TRY_ASSIGN(names_, NameIndex::create(tensors_.size(), name_of, hooks));
  return refuse_duplicate(names_, name_of, "duplicate tensor name");
}

/// From directory entries to tensors: each gets the bytes between its offset and the next one, if
/// its type and dimensions need no more than those.
Result<void> GgufFile::place_tensors(const AllocatorHooks& hooks) {
  const uint64_t data_bytes = bytes_.size() - data_offset_;
  TERN_TRY_ASSIGN(auto by_offset, Buffer<uint32_t>::create(tensors_.size(), hooks));
  for (size_t i = 0; i < tensors_.size(); ++i) {
    by_offset[i] = static_cast<uint32_t>(i);
    const GgufTensor& tensor = tensors_[i];
    const uint64_t where = entry_offset(tensor.name);
    if (tensor.offset % alignment_ != 0) {
      return Error(Status::malformed, "tensor offset is not aligned", tensor.name, where);
    }
    if (tensor.offset > data_bytes) {
      return Error(Status::truncated, "tensor data start past the end of the file", tensor.name,
                   where);
    }
  }
  std::sort(by_offset.data(), by_offset.data() + by_offset.size(), [this](uint32_t a, uint32_t b) {
    const uint64_t offset_a = tensors_[a].offset;
    const uint64_t offset_b = tensors_[b].offset;
    return offset_a != offset_b ? offset_a < offset_b : a < b;
  });
  for (size_t i = 0; i < by_offset.size(); ++i) {
    GgufTensor& tensor = tensors_[by_offset[i]];
    const bool is_last = i + 1 == by_offset.size();
    // The next tensor still has its relative offset.
    const uint64_t end = is_last ? data_bytes : tensors_[by_offset[i + 1]].offset;
    const uint64_t room = end - tensor.offset;
    const auto resolved =
        resolve_type(tensor.type_id, tensor.dims[0], tensor.rows(), room, alignment_);
    const auto refused = [&](Status status, const char* what) {
      return Error(status, what, tensor.name, entry_offset(tensor.name));
    };
    if (resolved.fit == TypeFit::broken_blocks) {
      return refused(Status::malformed, "tensor dimensions do not fill whole blocks of its type");
    }
    if (resolved.fit == TypeFit::no_room) {
      if (is_last) return refused(Status::truncated, "tensor data pass the end of the file");
      return refused(Status::malformed, "tensors overlap");
    }
    tensor.type = resolved.type;
    tensor.offset += data_offset_;
    const uint64_t size = resolved.type != nullptr ? resolved.bytes : room;
    tensor.data = bytes_.subspan(static_cast<size_t>(tensor.offset), static_cast<size_t>(size));
  }
  return {};
}

const MetadataValue* GgufFile::find(std::string_view key) const {
  const size_t i = keys_.find(key, [this](size_t entry) { return metadata_[entry].key; });
  return i == NameIndex::kNone ? nullptr : &metadata_[i].value;
}

uint64_t GgufFile::where(std::string_view key) const {
  const size_t i = keys_.find(key, [this](size_t entry) { return metadata_[entry].key; });
  return i == NameIndex::kNone ? Error::kNowhere : entry_offset(metadata_[i].key);
}

const GgufTensor* GgufFile::find_tensor(std::string_view name) const {
  const size_t i = names_.find(name, [this](size_t tensor) { return tensors_[tensor].name; });
  return i == NameIndex::kNone ? nullptr : &tensors_[i];
}

Result<const GgufTensor*> GgufFile::get_tensor(std::string_view name) const {
  const GgufTensor* tensor = find_tensor(name);
  if (tensor == nullptr) return Error(Status::missing, "required tensor is absent", name);
  return tensor;
}

TERN_NAMESPACE_END
