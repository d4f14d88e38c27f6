// Conventions of a model file (conventions.hpp).
#include "conventions.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "report.hpp"
#include "tern/model/config_reader.hpp"
#include "tern/model/tensor_names.hpp"
#include "tern/model/vocabulary_loader.hpp"

namespace cli {

namespace {

using tern::FormKind;
using tern::TensorType;

constexpr std::string_view kPretokenizerKey = "tokenizer.ggml.pre";
constexpr std::string_view kAddBosKey = "tokenizer.ggml.add_bos_token";
constexpr std::string_view kTemplateKey = "tokenizer.chat_template";

bool is_linear(const tern::GgufTensor& tensor) {
  return tensor.n_dims >= 2 && tensor.name.starts_with("blk.");
}

bool is_type(const tern::GgufTensor& tensor, TensorType type) {
  return tensor.type != nullptr && tensor.type->readable && tensor.type_id == uint32_t(type);
}

bool is_folder(const tern::Checkpoint& checkpoint) {
  const auto names = part_names(checkpoint);
  return !names.empty() && names.front().ends_with(".safetensors");
}

// Adds a word to a list that has each word once.
void add_once(std::string& list, std::string_view word) {
  if (word.empty() || (", " + list + ", ").find(fmt::format(", {}, ", word)) != list.npos) return;
  list += fmt::format("{}{}", list.empty() ? "" : ", ", word);
}

// What the scale of a linear layer is.
std::string_view scale_convention(const InspectedTensor& inspected) {
  const tern::GgufTensor& tensor = *inspected.tensor;
  if (inspected.packed != nullptr) {
    return tern::scale_name(inspected.packed->scale_kind, inspected.packed->group_cols);
  }
  if (tensor.form.kind == FormKind::master) return "mean magnitude of the weights, found at load";
  if (tensor.form.kind == FormKind::row_quarters) {
    return tensor.form.is_inverse ? "weight_scale, divided by" : "weight_scale, multiplied by";
  }
  if (is_type(tensor, TensorType::i2_s)) return "behind the tensor";
  if (tensor.type != nullptr && tensor.type->block_elems > 1) return "in the blocks";
  return inspected.zeros ? "the magnitude of the weights" : "";
}

// What says so of a scale.
std::string_view scale_source(const InspectedTensor& inspected) {
  switch (inspected.tensor->form.kind) {
    case FormKind::row_quarters: return "config.json linear_class";
    case FormKind::master: return "config.json or norms at the inputs";
    default: return "the tensors";
  }
}

// How the trits of a linear layer lie, where a type alone does not say.
std::string_view layout_convention(const InspectedTensor& inspected) {
  const tern::GgufTensor& tensor = *inspected.tensor;
  if (inspected.packed != nullptr) return "";  // told by the tensor's type
  if (tensor.form.kind == FormKind::row_quarters) return "quarters of the rows share bytes";
  if (is_type(tensor, TensorType::i2_s)) return "I2_S in blocks of 128";
  return "";
}

// What says so of a layout.
std::string_view layout_source(const InspectedTensor& inspected) {
  return is_type(*inspected.tensor, TensorType::i2_s) ? "assumption, unless --i2s-layout arm"
                                                      : "the tensors";
}

// Whether a value comes from the key that can say it.
std::string_view source_of(const tern::GgufFile& file, std::string_view key,
                           std::string_view otherwise) {
  return file.find(key) != nullptr ? key : otherwise;
}

// Conventions of how a model computes, for one file.
class Computation {
 public:
  Computation(const tern::Checkpoint& checkpoint, const tern::Architecture& architecture,
              const tern::ModelConfig& config, std::vector<Convention>& out)
      : file_(checkpoint.file()),
        is_folder_(is_folder(checkpoint)),
        architecture_(architecture),
        config_(config),
        out_(out) {}

  void add_all() {
    add_rope();
    const auto row =
        std::find_if(std::begin(tern::kActivationNames), std::end(tern::kActivationNames),
                     [&](const auto& named) { return named.activation == config_.activation; });
    add("activation", std::string(row->name), said_by("hidden_activation", "the architecture"));
    add_inputs();
    add_input_norms();
    add_window();
    add_pooling();
    const bool has_head = file_.find_tensor(tern::kHeadName) != nullptr;
    const bool is_tied = architecture_.tied_head || !has_head;
    add("head", std::string(is_tied ? tern::kEmbeddingName : tern::kHeadName),
        architecture_.tied_head ? "the architecture" : "the tensors");
  }

 private:
  void add(std::string_view name, std::string is, std::string_view from) {
    out_.push_back({name, std::move(is), std::string(from)});
  }
  // The key below the architecture's name, if it is there; what stands for it in a folder.
  std::string said_by(std::string_view key, std::string_view otherwise,
                      std::string_view in_folder = "config.json") const {
    const std::string name = fmt::format("{}.{}", architecture_.name, key);
    if (file_.find(name) == nullptr) return std::string(otherwise);
    return is_folder_ ? std::string(in_folder) : name;
  }

  void add_rope() {
    const bool is_reordered =
        std::any_of(file_.tensors().begin(), file_.tensors().end(),
                    [](const tern::GgufTensor& tensor) { return tensor.form.paired_rows != 0; });
    add("rope",
        config_.rope_style == tern::RopeStyle::pairs ? "neighbours turn together"
                                                     : "halves of a head turn together",
        is_reordered ? "the architecture; stored as halves, read in the other order"
                     : "the architecture");
  }

  void add_inputs() {
    if (config_.int4_inputs) {
      std::string is = "int4 of q, k, v, gate and up, int8 of the others";
      if (config_.output_topk != 0) {
        is += fmt::format(", the largest {} of the output projection", config_.output_topk);
      }
      return add("inputs", std::move(is), said_by("activation.input_format", "the architecture"));
    }
    std::string_view from = "the architecture";
    if (file_.find(tern::kActivationBitsKey) != nullptr) {
      from = is_folder_ ? "config.json, which names no quantization" : tern::kActivationBitsKey;
    } else if (is_folder_) {
      from = "config.json and the tensors";
    } else if (config_.input_norms) {
      from = "the norms at the inputs";
    } else if (config_.activation_bits == 16 && !architecture_.float_activations) {
      from = "general.name";
    }
    add("inputs", config_.activation_bits == 16 ? "int16, for float activations" : "int8", from);
  }

  void add_input_norms() {
    if (config_.input_norm_eps == config_.norm_eps) {
      return add("input_norms", config_.input_norms ? "before each linear layer" : "none",
                 "the tensors");
    }
    add("input_norms",
        fmt::format("before each linear layer, of epsilon {}", config_.input_norm_eps),
        is_folder_ ? "config.json rms_norm_eps" : tern::kInputNormEpsilonKey);
  }

  void add_window() {
    constexpr std::string_view kKey = "attention.sliding_window";
    std::string is = "none";
    if (config_.context_limit != 0) {
      is = fmt::format("{} positions, with which the context ends", config_.context_limit);
    } else if (config_.window != 0) {
      is = fmt::format("{} positions", config_.window);
      if (config_.window_period != 0) {
        is += fmt::format(", but all in every layer {}", config_.window_period);
      }
    }
    add("window", std::move(is), said_by(kKey, "the absence of a key"));
  }

  void add_pooling() {
    const bool is_last = config_.pooling == tern::Pooling::last;
    add("pooling", is_last ? "the last token's, of length 1" : "none, a model of logits",
        said_by("pooling_type", "the absence of a key", "the folder"));
  }

  const tern::GgufFile& file_;
  bool is_folder_;
  const tern::Architecture& architecture_;
  const tern::ModelConfig& config_;
  std::vector<Convention>& out_;
};

void add_computation(const tern::Checkpoint& checkpoint, std::vector<Convention>& out) {
  const auto architecture = tern::read_architecture(checkpoint.file());
  if (!architecture.ok()) return;
  const auto config = tern::read_config(checkpoint.file(), **architecture);
  if (config.ok()) Computation(checkpoint, **architecture, *config, out).add_all();
}

void add_text(const tern::GgufFile& file, const Inspection& inspection,
              std::vector<Convention>& out) {
  if (!inspection.tokenizer) return;
  const tern::Vocabulary& vocabulary = inspection.tokenizer->vocabulary();
  if (vocabulary.kind() == tern::TokenizerKind::byte_bpe) {
    const tern::Architecture* architecture =
        tern::find_architecture(inspection.architecture.value_or(""));
    const auto fallback =
        architecture != nullptr ? architecture->default_pretokenizer : std::string_view();
    const auto name = file.get_or<std::string_view>(kPretokenizerKey, fallback);
    if (name.ok()) {
      out.push_back({"pretokenizer", std::string(name->empty() ? "default" : *name),
                     std::string(source_of(file, kPretokenizerKey,
                                           fallback.empty() ? "nothing" : "the architecture"))});
    }
  }
  out.push_back({"add_bos", vocabulary.add_bos() ? "yes" : "no",
                 std::string(source_of(file, kAddBosKey, "the tokenizer's kind"))});
  out.push_back({"chat_format", std::string(tern::chat_format_name(inspection.chat_format)),
                 std::string(source_of(file, kTemplateKey, "architecture and tokens"))});
}

// The type of linear layers that general.file_type promises; nothing for mixtures and other ids.
std::optional<TensorType> promised_type(uint32_t file_type) {
  struct Row {
    uint32_t file_type;
    TensorType type;
  };
  constexpr Row kRows[] = {
      {0, TensorType::f32},   {1, TensorType::f16},    {7, TensorType::q8_0},
      {32, TensorType::bf16}, {36, TensorType::tq1_0}, {37, TensorType::tq2_0},
      {40, TensorType::i2_s},
  };
  for (const Row& row : kRows) {
    if (row.file_type == file_type) return row.type;
  }
  return std::nullopt;
}

void doubt_file_type(const tern::GgufFile& file, std::vector<std::string>& doubts) {
  const auto id = file.get_or<uint32_t>("general.file_type", ~0u);
  const auto promised = promised_type(id.ok() ? *id : ~0u);
  if (!promised) return;
  size_t linears = 0;
  size_t kept = 0;
  for (const tern::GgufTensor& tensor : file.tensors()) {
    if (!is_linear(tensor)) continue;
    ++linears;
    if (is_type(tensor, *promised)) ++kept;
  }
  if (linears == 0 || kept != 0) return;
  doubts.push_back(fmt::format("general.file_type: {} means {}, and no linear layer is of it", *id,
                               tern::type_info(*promised).name));
}

void doubt_i2_s(const Inspection& inspection, std::vector<std::string>& doubts) {
  // Quantized from weights that were not ternary before, nearly all become -1 or +1.
  constexpr double kFewZeros = 0.02;
  for (const InspectedTensor& row : inspection.tensors) {
    if (!is_type(*row.tensor, TensorType::i2_s)) continue;
    if (row.zeros && *row.zeros < kFewZeros) {
      doubts.push_back(
          fmt::format("{}: hardly any weight is zero; it may have been quantized from "
                      "weights that were not ternary",
                      one_line(row.tensor->name)));
      return;
    }
  }
}

void doubt_text(const tern::GgufFile& file, const Inspection& inspection,
                std::vector<std::string>& doubts) {
  const auto name = file.get_or<std::string_view>(kPretokenizerKey, "");
  if (name.ok() && (*name == "falcon3" || *name == "falcon_e")) {
    doubts.push_back(fmt::format(
        "{}: {} is read as its makers do; other programs take it for llama3, and add BOS",
        kPretokenizerKey, *name));
  }
  if (!inspection.tokenizer) return;
  const tern::Vocabulary& vocabulary = inspection.tokenizer->vocabulary();
  if (file.find(kAddBosKey) == nullptr && vocabulary.add_bos() &&
      vocabulary.kind() == tern::TokenizerKind::byte_bpe) {
    doubts.push_back(fmt::format("{}: absent, taken to be true", kAddBosKey));
  }
}

// The key that says what the embedding shows.
void doubt_vocabulary_size(const tern::GgufFile& file, const Inspection& inspection,
                           std::vector<std::string>& doubts) {
  const tern::GgufTensor* embedding = file.find_tensor(tern::kEmbeddingName);
  if (embedding == nullptr || !inspection.architecture) return;
  const std::string key = fmt::format("{}.vocab_size", *inspection.architecture);
  const auto said = file.get_or<uint64_t>(key, 0);
  const tern::TernTensor* packed = inspection.directory.find(tern::kEmbeddingName);
  const uint64_t rows = packed != nullptr ? packed->rows : embedding->rows();
  if (!said.ok() || *said == 0 || *said == rows) return;
  doubts.push_back(
      fmt::format("{}: {}, and {} has {} rows", one_line(key), *said, tern::kEmbeddingName, rows));
}

}  // namespace

std::string container_name(const tern::Checkpoint& checkpoint,
                           const tern::TernDirectory& directory) {
  if (!part_names(checkpoint).empty()) {
    return is_folder(checkpoint) ? "Hugging Face folder" : "split GGUF file";
  }
  return fmt::format("{} version {}", directory.is_tern_file() ? "tern file, GGUF" : "GGUF",
                     checkpoint.file().version());
}

std::vector<std::string> part_names(const tern::Checkpoint& checkpoint) {
  std::vector<std::string> names;
  for (size_t i = 0; i < checkpoint.n_parts(); ++i) {
    if (!checkpoint.part_name(i).empty()) names.emplace_back(checkpoint.part_name(i));
  }
  return names;
}

std::vector<Convention> find_conventions(const tern::Checkpoint& checkpoint,
                                         const Inspection& inspection) {
  std::vector<Convention> out;
  Convention scales{"scales", {}, {}};
  Convention layouts{"layout", {}, {}};
  for (const InspectedTensor& row : inspection.tensors) {
    if (!is_linear(*row.tensor) && row.packed == nullptr) continue;
    if (const auto is = scale_convention(row); !is.empty()) {
      add_once(scales.is, is);
      add_once(scales.from, scale_source(row));
    }
    if (const auto is = layout_convention(row); !is.empty()) {
      add_once(layouts.is, is);
      add_once(layouts.from, layout_source(row));
    }
  }
  for (const Convention& convention : {scales, layouts}) {
    if (!convention.is.empty()) out.push_back(convention);
  }
  add_computation(checkpoint, out);
  add_text(checkpoint.file(), inspection, out);
  return out;
}

void doubt_conventions(const tern::GgufFile& file, const Inspection& inspection,
                       std::vector<std::string>& doubts) {
  doubt_file_type(file, doubts);
  doubt_i2_s(inspection, doubts);
  doubt_vocabulary_size(file, inspection, doubts);
  doubt_text(file, inspection, doubts);
}

}  // namespace cli
