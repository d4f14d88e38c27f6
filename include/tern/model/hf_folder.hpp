// A Hugging Face folder as one GGUF file: config.json, and one or more safetensors files.
//
// Room: model. The order is: the names of all tensors, which tell
// what the configuration may not; the configuration; then each tensor under its name in GGUF, with
// the form that its type and the configuration give it; then the tokenizer.
#pragma once

#include "tern/base/half.hpp"
#include "tern/format/safetensors.hpp"
#include "tern/model/checkpoint_data.hpp"
#include "tern/model/file_names.hpp"
#include "tern/model/hf_config.hpp"
#include "tern/model/hf_names.hpp"
#include "tern/model/hf_tokenizer.hpp"
#include "tern/quant/block_codec.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// Lives on the stack of Checkpoint::open.
class HfFolder {
 public:
  static constexpr std::string_view kConfigName = "config.json";

  /// `folder` ends in a separator.
  HfFolder(CheckpointData& out, std::string_view folder, FileAccess access)
      : out_(out), hooks_(out.hooks), folder_(folder), access_(access), shards_(hooks_) {}

  /// `config`: the bytes of config.json.
  Result<void> open(std::span<const uint8_t> config);

 private:
  /// A tensor of a shard, and what its name says.
  struct Named {
    const SafetensorsTensor* tensor;
    HfTensorName name;
  };

  Result<FileBytes> open_beside(std::string_view name, FileAccess access) const {
    return FileBytes::open(path_in(folder_, name, hooks_), access, hooks_);
  }
  bool has(std::string_view name) const {
    return open_beside(name, FileAccess::mapped).status() != Status::not_found;
  }
  Result<void> open_shards();
  Result<void> open_shard(std::string_view name, FileBytes file);
  Result<void> open_indexed(std::span<const uint8_t> index);
  Result<void> check_index(JsonValue map) const;
  size_t find_shard(std::string_view name) const;
  const SafetensorsTensor* find_tensor(std::string_view name) const;

  HfTensorHints read_hints() const;
  Result<void> add_pooling();
  Result<void> add_text(std::span<const GgufTensor> tensors);
  Result<GgufTensor> convert(const Named& named, size_t at);
  Result<void> give_form(const Named& named, GgufTensor& tensor);
  Result<uint32_t> read_scale(const Named& weight);
  void doubt_scale(uint32_t bits);
  Result<void> check_scale(const Named& scale) const;

  CheckpointData& out_;
  AllocatorHooks hooks_;
  std::string_view folder_;
  FileAccess access_;
  Vector<SafetensorsFile> shards_;  // beside out_.parts
  HfModel model_;
};

namespace detail {

/// The binary32 bits of one float of a type that tern reads.
inline uint32_t stored_f32_bits(TensorType type, const uint8_t* at) {
  switch (type) {
    case TensorType::f16: return FloatCodec<TensorType::f16>::f32_bits(at);
    case TensorType::bf16: return FloatCodec<TensorType::bf16>::f32_bits(at);
    default: return FloatCodec<TensorType::f32>::f32_bits(at);
  }
}

inline Error about_tensor(Status status, const char* what, const SafetensorsTensor& tensor) {
  return {status, what, tensor.name, tensor.offset};
}

}  // namespace detail

inline Result<void> HfFolder::open(std::span<const uint8_t> config) {
  auto document = JsonDocument::parse(config, hooks_);
  if (!document.ok()) return in_file(document.error(), kConfigName);
  TERN_TRY(open_shards());
  auto model = read_hf_config(document->root(), read_hints(), out_.header, hooks_);
  if (!model.ok()) return in_file(model.error(), kConfigName);
  model_ = *model;
  if (model_.guesses_float) {
    out_.doubts.push_back(
        "config.json: names no quantization: inputs of linear layers are taken to be float "
        "(int16)");
  }

  size_t most = 0;
  for (const SafetensorsFile& shard : shards_) most += shard.tensors().size();
  TERN_TRY_ASSIGN(out_.names, Buffer<LayerTensorName>::create(most, hooks_));
  Vector<GgufTensor> tensors(hooks_);
  for (size_t i = 0; i < shards_.size(); ++i) {
    for (const SafetensorsTensor& tensor : shards_[i].tensors()) {
      const Named named{&tensor, parse_hf_tensor_name(tensor.name, model_.is_gemma)};
      if (named.name.role == HfRole::derived) continue;
      if (named.name.role == HfRole::scale) {
        if (const auto good = check_scale(named); !good.ok()) {
          return in_file(good.error(), out_.parts[i].name);
        }
        continue;
      }
      // A tied head is the embedding, stored twice.
      if (named.name.gguf == kHeadName && model_.is_tied) continue;
      const auto converted = convert(named, tensors.size());
      if (!converted.ok()) return in_file(converted.error(), out_.parts[i].name);
      tensors.push_back(*converted);
    }
  }
  TERN_TRY(add_pooling());
  TERN_TRY(add_text(tensors));
  TERN_TRY(out_.header.finish({}));
  TERN_TRY_ASSIGN(auto header, GgufFile::parse(out_.header.bytes(), hooks_));
  TERN_TRY_ASSIGN(auto list, Buffer<GgufTensor>::create(tensors.size(), hooks_));
  std::copy(tensors.begin(), tensors.end(), list.data());
  TERN_TRY_ASSIGN(out_.file, GgufFile::compose(std::move(header), std::move(list), hooks_));
  if (!model_.is_tied && !model_.is_headless && out_.file->find_tensor(kHeadName) == nullptr) {
    return Error(Status::missing, "required tensor is absent", "lm_head.weight");
  }
  return {};
}

inline Result<void> HfFolder::open_shards() {
  constexpr std::string_view kSingle = "model.safetensors";
  constexpr std::string_view kIndex = "model.safetensors.index.json";
  auto single = open_beside(kSingle, access_);
  if (single.ok()) return open_shard(kSingle, *std::move(single));
  if (single.status() != Status::not_found) return in_file(single.error(), kSingle);
  const auto index = open_beside(kIndex, FileAccess::copied);
  if (index.status() == Status::not_found) {
    for (const std::string_view name : {"pytorch_model.bin", "pytorch_model.bin.index.json"}) {
      if (!has(name)) continue;
      return Error(Status::unsupported_type, "PyTorch files are not read, only safetensors", name);
    }
    // The single file is what most folders have.
    return in_file(single.error(), kSingle);
  }
  if (!index.ok()) return in_file(index.error(), kIndex);
  const auto opened = open_indexed(index->bytes());
  if (opened.ok() || opened.error().has_subject()) return opened;
  return in_file(opened.error(), kIndex);
}

inline Result<void> HfFolder::open_shard(std::string_view name, FileBytes file) {
  auto parsed = SafetensorsFile::parse(file.bytes(), hooks_);
  if (!parsed.ok()) return in_file(parsed.error(), name);
  out_.parts.push_back({String(name, hooks_), std::move(file)});
  shards_.push_back(*std::move(parsed));
  return {};
}

/// Opens each file of an index, once. Errors of the index alone have no subject.
inline Result<void> HfFolder::open_indexed(std::span<const uint8_t> index) {
  TERN_TRY_ASSIGN(const JsonDocument document, JsonDocument::parse(index, hooks_));
  const JsonValue map = document.root().find("weight_map");
  if (!map.is_object() || map.size() == 0) {
    return Error(Status::malformed, "no weight_map in the index", document.root().where());
  }
  for (const JsonMember member : map.members()) {
    const auto name = member.value.as_text();
    if (!name || !is_plain_file_name(*name)) {
      return Error(Status::malformed, "a tensor in what is no file of the folder",
                   member.value.where());
    }
    if (find_shard(*name) != shards_.size()) continue;
    auto file = open_beside(*name, access_);
    if (!file.ok()) return in_file(file.error(), *name);
    TERN_TRY(open_shard(*name, *std::move(file)));
  }
  return check_index(map);
}

/// The index and the files must name the same tensors.
inline Result<void> HfFolder::check_index(JsonValue map) const {
  size_t n = 0;
  for (const SafetensorsFile& shard : shards_) n += shard.tensors().size();
  for (const JsonMember member : map.members()) {
    const size_t shard = find_shard(*member.value.as_text());
    if (shards_[shard].find(member.name) != nullptr) continue;
    return in_file({Status::missing, "tensor is not in the file that the index says", member.name},
                   out_.parts[shard].name);
  }
  if (n == map.size()) return {};
  return Error(Status::mismatch, "the files hold other tensors than the index says", map.where());
}

inline size_t HfFolder::find_shard(std::string_view name) const {
  size_t i = 0;
  while (i < shards_.size() && out_.parts[i].name != name) ++i;
  return i;
}

inline const SafetensorsTensor* HfFolder::find_tensor(std::string_view name) const {
  for (const SafetensorsFile& shard : shards_) {
    if (const SafetensorsTensor* tensor = shard.find(name)) return tensor;
  }
  return nullptr;
}

inline HfTensorHints HfFolder::read_hints() const {
  HfTensorHints hints;
  for (const SafetensorsFile& shard : shards_) {
    for (const SafetensorsTensor& tensor : shard.tensors()) {
      const HfTensorName name = parse_hf_tensor_name(tensor.name, false);
      hints.has_sub_norms |= name.gguf == "attn_sub_norm";
      hints.has_input_norms |= name.role == HfRole::input_norm;
      hints.has_packed |= name.role == HfRole::scale;
      hints.has_head |= name.gguf == kHeadName;
    }
  }
  return hints;
}

/// What becomes of the hidden states of an embedding model.
inline Result<void> HfFolder::add_pooling() {
  constexpr std::string_view kName = "1_Pooling/config.json";
  const auto file = open_beside(kName, FileAccess::copied);
  if (file.status() == Status::not_found) {
    if (!model_.is_headless) return {};
    out_.doubts.push_back("no pooling is said: taken to be that of the last token");
    add_hf_pooling(HfPooling::last, model_, out_.header, hooks_);
    return {};
  }
  if (!file.ok()) return in_file(file.error(), kName);
  const auto document = JsonDocument::parse(file->bytes(), hooks_);
  if (!document.ok()) return in_file(document.error(), kName);
  const auto pooling = read_hf_pooling(document->root());
  if (!pooling.ok()) return in_file(pooling.error(), kName);
  add_hf_pooling(*pooling, model_, out_.header, hooks_);
  return {};
}

/// Metadata of the tokenizer; a folder without one, in any form, is a model of token ids.
inline Result<void> HfFolder::add_text(std::span<const GgufTensor> tensors) {
  constexpr std::string_view kNames[] = {"tokenizer.json", "tokenizer_config.json",
                                         "special_tokens_map.json", "generation_config.json",
                                         "chat_template.jinja"};
  FileBytes files[std::size(kNames)];
  for (size_t i = 0; i < std::size(kNames); ++i) {
    auto file = open_beside(kNames[i], FileAccess::copied);
    if (file.ok()) {
      files[i] = *std::move(file);
    } else if (file.status() != Status::not_found) {
      return in_file(file.error(), kNames[i]);
    }
  }
  if (files[0].bytes().empty()) {
    for (const std::string_view name : {"tokenizer.model", "vocab.json"}) {
      if (!has(name)) continue;
      return Error(Status::unsupported_tokenizer,
                   "not read: a folder's vocabulary is its tokenizer.json, which it lacks", name);
    }
    return {};
  }
  HfTextFiles text;
  text.tokenizer = files[0].bytes();
  text.tokenizer_config = files[1].bytes();
  text.special_tokens_map = files[2].bytes();
  text.generation_config = files[3].bytes();
  const auto bytes = files[4].bytes();
  text.chat_template = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  for (const GgufTensor& tensor : tensors) {
    if (tensor.name == kEmbeddingName) text.vocab_size = static_cast<size_t>(tensor.dims[1]);
  }
  const auto added = add_tokenizer_metadata(text, out_.header, hooks_);
  // Of the other files an error names its file itself.
  if (added.ok() || std::string_view(added.error().subject).ends_with(".json")) return added;
  return in_file(added.error(), kNames[0]);
}

/// A tensor as GGUF has it; `at` is its place in the list.
inline Result<GgufTensor> HfFolder::convert(const Named& named, size_t at) {
  const SafetensorsTensor& source = *named.tensor;
  const auto refused = [&source](Status status, const char* what) {
    return detail::about_tensor(status, what, source);
  };
  if (named.name.role == HfRole::unknown) {
    return refused(Status::unsupported, "tensor is not part of the architecture");
  }
  if (source.elems == 0) return refused(Status::malformed, "tensor is empty");
  if (source.n_dims > 2) return refused(Status::mismatch, "tensor with more than 2 dimensions");
  GgufTensor tensor{};
  tensor.name = named.name.gguf;
  if (named.name.role != HfRole::top) {
    const bool is_input_norm = named.name.role == HfRole::input_norm;
    out_.names[at] = LayerTensorName(named.name.layer, named.name.gguf,
                                     is_input_norm ? kInputNormSuffix : std::string_view());
    tensor.name = out_.names[at].view();
  }
  tensor.n_dims = source.n_dims;
  std::fill(std::begin(tensor.dims), std::end(tensor.dims), uint64_t{1});
  for (size_t d = 0; d < source.n_dims; ++d) tensor.dims[d] = source.dims[source.n_dims - 1 - d];
  tensor.offset = source.offset;
  tensor.data = source.data;
  TERN_TRY(give_form(named, tensor));
  if (tensor.type == nullptr) {
    if (!source.type->type) {
      return refused(Status::unsupported_type, "a tensor of this type is not supported");
    }
    tensor.type = &type_info(*source.type->type);
  }
  tensor.type_id = tensor.type->id;
  return tensor;
}

/// What the rows of a linear layer are, and the gains of gemma's own norms; sets the type of rows
/// that are packed.
inline Result<void> HfFolder::give_form(const Named& named, GgufTensor& tensor) {
  const bool is_own_gain = named.name.role == HfRole::gain || tensor.name == kOutputNormName;
  if (model_.is_gemma && is_own_gain) tensor.form.kind = FormKind::less_one;
  if (named.name.role != HfRole::linear) return {};
  const bool is_packed = named.tensor->type->name == "U8";
  if (is_packed) {
    if (named.tensor->n_dims != 2 || tensor.dims[1] > kMaxDim) {
      return detail::about_tensor(Status::mismatch, "packed tensor is not a matrix", *named.tensor);
    }
    TERN_TRY_ASSIGN(tensor.form.scale_bits, read_scale(named));
    tensor.form.kind = FormKind::row_quarters;
    tensor.form.is_inverse = model_.is_scale_inverse;
    tensor.type = &kRowQuarters;
    tensor.dims[1] *= 4;
  } else if (model_.is_online) {
    tensor.form.kind = FormKind::master;
  }
  // Halves of a head turn together in this family, neighbours in GGUF's `llama`.
  const bool is_rotated = named.name.gguf == "attn_q" || named.name.gguf == "attn_k";
  if (model_.architecture->rope_style == RopeStyle::pairs && is_rotated) {
    if (model_.head_dim % 2 != 0 || tensor.dims[1] % model_.head_dim != 0) {
      return detail::about_tensor(Status::mismatch, "rows are not those of whole heads",
                                  *named.tensor);
    }
    tensor.form.paired_rows = model_.head_dim;
  }
  return {};
}

/// The one scale of a packed matrix, as binary32 bits.
inline Result<uint32_t> HfFolder::read_scale(const Named& weight) {
  String name(weight.tensor->name, hooks_);
  name.append(kHfScaleSuffix);
  const SafetensorsTensor* scale = find_tensor(name);
  if (scale == nullptr) {
    return detail::about_tensor(Status::missing, "packed tensor without a scale", *weight.tensor);
  }
  if (scale->elems != 1 || !scale->type->type) {
    return detail::about_tensor(Status::mismatch, "scale is not one float", *scale);
  }
  const uint32_t bits = detail::stored_f32_bits(*scale->type->type, scale->data.data());
  constexpr uint32_t kInfinity = 0x7F800000;
  if (bits == 0 || bits >= kInfinity) {  // the sign is the highest bit
    return detail::about_tensor(Status::malformed, "a scale is not a positive finite number",
                                *scale);
  }
  doubt_scale(bits);
  return bits;
}

/// Mean magnitudes are far below one, and their reciprocals far above.
inline void HfFolder::doubt_scale(uint32_t bits) {
  constexpr uint32_t kOne = 0x3F800000;
  const bool looks_inverse = bits > kOne;
  if (bits == kOne || looks_inverse == model_.is_scale_inverse || !out_.doubts.empty()) return;
  out_.doubts.push_back(looks_inverse
                            ? "weight_scale: above one, as if inverse, but read as it is: "
                              "linear_class is autobitlinear"
                            : "weight_scale: below one, as if direct, but read as inverse: "
                              "linear_class is not autobitlinear");
}

inline Result<void> HfFolder::check_scale(const Named& scale) const {
  std::string_view name = scale.tensor->name;
  name.remove_suffix(kHfScaleSuffix.size());
  const SafetensorsTensor* weight = find_tensor(name);
  if (weight != nullptr && weight->type->name == "U8") return {};
  return detail::about_tensor(Status::mismatch, "a scale without a packed tensor", *scale.tensor);
}

TERN_NAMESPACE_END
