// Looking into a model file (inspection.hpp).
#include "inspection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "console.hpp"
#include "conventions.hpp"
#include "pcre2_patterns.hpp"
#include "report.hpp"
#include "tern/model/config_reader.hpp"
#include "tern/model/matrix_loader.hpp"
#include "tern/model/vocabulary_loader.hpp"
#include "tern/quant/ternary_source.hpp"

namespace cli {

namespace {

// Zero weights in rows [begin, end); nothing when one of them is not ternary.
std::optional<uint64_t> count_zeros(const tern::TernarySource& source, size_t begin, size_t end) {
  std::vector<uint8_t> u(source.cols);
  std::vector<uint32_t> scale_bits(
      tern::scale_groups(source.cols, tern::ternary_group_cols(source)));
  uint64_t zeros = 0;
  for (size_t row = begin; row < end; ++row) {
    if (!tern::read_ternary_row(source, row, u.data(), scale_bits.data()).ok()) return std::nullopt;
    zeros += static_cast<uint64_t>(std::count(u.begin(), u.end(), tern::kZeroTrit));
  }
  return zeros;
}

// The same of a packed matrix.
std::optional<uint64_t> count_zeros(const tern::TernaryView& matrix, size_t begin, size_t end) {
  std::vector<uint8_t> u(matrix.cols);
  uint64_t zeros = 0;
  for (size_t row = begin; row < end; ++row) {
    tern::unpack_row(matrix, row, u.data());
    zeros += static_cast<uint64_t>(std::count(u.begin(), u.end(), tern::kZeroTrit));
  }
  return zeros;
}

// The share of zeros of a matrix, if it is ternary all through.
template <typename Matrix>
std::optional<double> zero_share(const Matrix& matrix, const tern::TaskRunner& runner) {
  const size_t n_tasks = runner.n_workers();
  std::vector<std::optional<uint64_t>> zeros(n_tasks);
  runner.run(n_tasks, [&](size_t task) {
    zeros[task] =
        count_zeros(matrix, matrix.rows * task / n_tasks, matrix.rows * (task + 1) / n_tasks);
  });
  uint64_t sum = 0;
  for (const auto& part : zeros) {
    if (!part) return std::nullopt;
    sum += *part;
  }
  return static_cast<double>(sum) / static_cast<double>(uint64_t{matrix.rows} * matrix.cols);
}

std::optional<double> stored_zero_share(const tern::GgufTensor& tensor,
                                        const tern::TaskRunner& runner) {
  constexpr uint64_t kMost = std::numeric_limits<uint32_t>::max();
  if (tensor.n_dims < 2 || tensor.type == nullptr || !tensor.type->readable) return std::nullopt;
  if (tensor.dims[0] > kMost || tensor.rows() > kMost) return std::nullopt;
  const auto kernels = tern::select_kernels("");
  if (!kernels.ok()) return std::nullopt;
  const auto source =
      tern::open_ternary_source(tensor, *kernels, runner, tern::default_allocator());
  if (!source.ok() || tern::ternary_group_cols(*source) == 0) return std::nullopt;
  return zero_share(*source, runner);
}

std::optional<double> packed_zero_share(const tern::TernTensor& tensor,
                                        const tern::TaskRunner& runner) {
  if (!tensor.packing) return std::nullopt;
  tern::TernaryView matrix;
  matrix.data = tensor.blob->data.data();
  matrix.rows = tensor.rows;
  matrix.cols = tensor.cols;
  matrix.packing = *tensor.packing;
  return zero_share(matrix, runner);
}

// "NAME", or "NAME and N more".
std::string some_of(const std::vector<std::string_view>& names) {
  const std::string first = one_line(names.front());
  return names.size() == 1 ? first : fmt::format("{} and {} more", first, names.size() - 1);
}

void doubt_types(const tern::GgufFile& file, std::vector<std::string>& doubts) {
  std::vector<std::string> kinds;  // in order of appearance
  std::vector<std::vector<std::string_view>> names;
  for (const tern::GgufTensor& tensor : file.tensors()) {
    if (tensor.type != nullptr && tensor.type->readable) continue;
    std::string kind =
        tensor.type != nullptr
            ? fmt::format("{}", tensor.type->refusal)
            : fmt::format("tensor type id {} is unknown, or its meaning unclear", tensor.type_id);
    const auto at =
        static_cast<size_t>(std::find(kinds.begin(), kinds.end(), kind) - kinds.begin());
    if (at == kinds.size()) {
      kinds.push_back(std::move(kind));
      names.emplace_back();
    }
    names[at].push_back(tensor.name);
  }
  for (size_t i = 0; i < kinds.size(); ++i) {
    doubts.push_back(fmt::format("{}: {}", some_of(names[i]), kinds[i]));
  }
}

// Types whose meaning a file does not settle: other sizes of the same id that fill the same bytes,
// and I2_S, of which there are two layouts.
void doubt_meanings(const tern::GgufFile& file, std::vector<std::string>& doubts) {
  const auto alignment = file.get_or<uint32_t>("general.alignment", tern::kGgufDefaultAlignment);
  std::vector<std::string_view> of_two_sizes;
  std::vector<std::string_view> of_two_layouts;
  for (const tern::GgufTensor& tensor : file.tensors()) {
    if (tensor.type == nullptr) continue;
    const auto padded = [&](uint64_t bytes) { return (bytes + *alignment - 1) / *alignment; };
    const auto fits = [&](const tern::TypeInfo& row) {
      const auto bytes = tern::tensor_bytes(row, tensor.dims[0], tensor.rows());
      return row.id == tensor.type_id && bytes && padded(*bytes) == padded(tensor.data.size());
    };
    if (std::count_if(std::begin(tern::kTypeTable), std::end(tern::kTypeTable), fits) > 1) {
      of_two_sizes.push_back(tensor.name);
    }
    if (tensor.type->readable && tensor.type->type() == tern::TensorType::i2_s) {
      of_two_layouts.push_back(tensor.name);
    }
  }
  if (!of_two_sizes.empty()) {
    doubts.push_back(some_of(of_two_sizes) +
                     ": the type id has another meaning that fills as many bytes");
  }
  if (!of_two_layouts.empty()) {
    doubts.push_back(
        some_of(of_two_layouts) +
        ": I2_S has two layouts that no file tells apart; x86 unless --i2s-layout arm");
  }
}

// Tensors that the architecture has and the file has not, and the other way round. Whether it has
// all.
bool doubt_names(const tern::GgufFile& file, const tern::TernDirectory& directory,
                 const tern::Architecture& architecture, uint32_t n_layers,
                 std::vector<std::string>& doubts) {
  std::set<std::string> required = {"token_embd.weight", "output_norm.weight"};
  const bool input_norms = tern::has_input_norms(file, architecture);
  for (uint32_t layer = 0; layer < n_layers; ++layer) {
    const auto add = [&](std::string_view name) {
      required.insert(fmt::format("blk.{}.{}.weight", layer, name));
    };
    for (const tern::LinearRule& rule : architecture.linears) {
      add(rule.name);
      if (input_norms) add(fmt::format("{}{}", rule.name, tern::kInputNormSuffix));
    }
    for (const tern::GainRule& rule : architecture.gains) add(rule.name);
  }
  std::vector<std::string_view> unknown;
  for (const tern::GgufTensor& tensor : file.tensors()) {
    const auto in_layer = tern::detail::parse_layer_tensor(tensor.name);
    if (required.erase(std::string(tensor.name)) != 0 || tensor.name == "rope_freqs.weight" ||
        directory.names_scales(tensor.name) ||
        (in_layer && tern::detail::names_one_of(architecture.linears, in_layer->rest, {},
                                                tern::kFactorSuffix))) {
      continue;
    }
    if (tensor.name != "output.weight") {
      unknown.push_back(tensor.name);
    } else if (architecture.tied_head) {
      doubts.push_back("output.weight: not used, the embedding is this architecture's head");
    }
  }
  if (!unknown.empty()) doubts.push_back(some_of(unknown) + ": not part of the architecture");
  const std::vector<std::string_view> absent(required.begin(), required.end());
  if (!absent.empty()) doubts.push_back(some_of(absent) + ": required, but not in the file");
  return absent.empty();
}

// Whether all that loading needs is there, as far as names and numbers tell.
bool doubt_architecture(const tern::GgufFile& file, const tern::TernDirectory& directory,
                        std::vector<std::string>& doubts) {
  const auto architecture = tern::read_architecture(file);
  if (!architecture.ok()) {
    doubts.push_back(format_error(architecture.error(), ""));
    return false;
  }
  const auto config = tern::read_config(file, **architecture);
  if (!config.ok()) {
    doubts.push_back(format_error(config.error(), ""));
    return false;
  }
  if (config->context_len == config->context_limit) {
    doubts.push_back(
        fmt::format("attention.sliding_window: the context ends with the window, at {} positions",
                    config->context_limit));
  }
  if (config->activation_bits == 16 && file.find(tern::kActivationBitsKey) == nullptr) {
    doubts.push_back(fmt::format("{}: absent, taken to be 16", tern::kActivationBitsKey));
  }
  return doubt_names(file, directory, **architecture, config->n_layers, doubts);
}

// The text side: fills the inspection's tokenizer and chat format, or doubts them.
void inspect_text(const tern::GgufFile& file, Inspection& out) {
  if (!tern::has_vocabulary(file)) {
    out.doubts.push_back("no vocabulary: the model runs on token ids only");
    return;
  }
  const tern::Architecture* architecture = tern::find_architecture(out.architecture.value_or(""));
  const std::string_view fallback =
      architecture != nullptr ? architecture->default_pretokenizer : "";
  auto tokenizer =
      tern::load_tokenizer(file, fallback, tern::default_allocator(), pattern_compiler());
  if (!tokenizer.ok()) {
    out.doubts.push_back(format_error(tokenizer.error(), ""));
    return;
  }
  out.tokenizer = *std::move(tokenizer);
  const tern::Vocabulary& vocabulary = out.tokenizer->vocabulary();
  if (vocabulary.kind() == tern::TokenizerKind::byte_bpe &&
      file.find("tokenizer.ggml.pre") == nullptr) {
    out.doubts.push_back(fmt::format("tokenizer.ggml.pre: absent, taken to be {}",
                                     fallback.empty() ? "the default" : fallback));
  }
  const auto conflicts = file.get_array<std::string_view>(tern::kTernConflictsKey);
  if (conflicts.ok()) {
    for (const tern::MetadataScalar conflict : *conflicts) {
      const auto text = conflict.as<std::string_view>().value_or("");
      out.doubts.push_back(fmt::format("tokenizer: {}", text));
    }
  }
  if (vocabulary.end_of_generation().empty()) {
    out.doubts.push_back("no token ends a text: generation stops at its limit only");
  }
  if (const tern::GgufTensor* embedding = file.find_tensor(tern::kEmbeddingName)) {
    const tern::TernTensor* packed = out.directory.find(tern::kEmbeddingName);
    const uint64_t rows = packed != nullptr ? packed->rows : embedding->rows();
    if (rows != vocabulary.size()) {
      out.doubts.push_back(
          fmt::format("{}: {} rows for {} tokens", tern::kEmbeddingName, rows, vocabulary.size()));
    }
  }
  const auto chat = tern::load_chat_renderer(file, vocabulary);
  out.chat_format = chat.ok() ? chat->format() : tern::ChatFormat::none;
  if (!chat.ok() && file.find("tokenizer.chat_template") != nullptr) {
    out.doubts.push_back(format_error(chat.error(), "tokenizer.chat_template"));
  }
}

// The last word: whether the model would run. Says nothing twice.
void doubt_loading(const std::shared_ptr<const tern::Checkpoint>& checkpoint,
                   const tern::TaskRunner& runner, std::vector<std::string>& doubts) {
  tern::LoadOptions options;
  options.runner = runner;
  options.patterns = pattern_compiler();
  const auto model = tern::Model::load(checkpoint, options);
  if (model.ok()) return;
  const std::string why = format_error(model.error(), "");
  if (std::find(doubts.begin(), doubts.end(), why) == doubts.end()) doubts.push_back(why);
}

}  // namespace

std::string type_name(const InspectedTensor& inspected) {
  if (inspected.packed != nullptr && inspected.packed->packing) {
    std::string name(tern::packing_name(*inspected.packed->packing));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
    return name;
  }
  return inspected.tensor->type != nullptr ? inspected.tensor->type->name : "?";
}

tern::Result<Inspection> inspect(const std::shared_ptr<const tern::Checkpoint>& checkpoint,
                                 const tern::TaskRunner& runner) {
  const tern::GgufFile& file = checkpoint->file();
  Inspection out;
  if (const tern::MetadataValue* name = file.find("general.architecture")) {
    out.architecture = name->as<std::string_view>();
  }
  auto directory = tern::TernDirectory::read(file, tern::default_allocator());
  if (directory.ok()) {
    out.directory = *std::move(directory);
  } else {
    out.doubts.push_back(format_error(directory.error(), ""));
  }
  uint64_t all = 0;
  for (const tern::GgufTensor& tensor : file.tensors()) all += tensor.data.size();
  Progress progress("inspect", all);
  uint64_t done = 0;
  for (const tern::GgufTensor& tensor : file.tensors()) {
    const tern::TernTensor* packed = out.directory.find(tensor.name);
    const auto zeros =
        packed != nullptr ? packed_zero_share(*packed, runner) : stored_zero_share(tensor, runner);
    out.tensors.push_back({&tensor, zeros, packed});
    checkpoint->give_back(tensor.data);
    progress.update(done += tensor.data.size());
  }
  inspect_text(file, out);
  out.conventions = find_conventions(*checkpoint, out);
  doubt_types(file, out.doubts);
  doubt_meanings(file, out.doubts);
  doubt_conventions(file, out, out.doubts);
  out.doubts.insert(out.doubts.end(), checkpoint->doubts().begin(), checkpoint->doubts().end());
  if (doubt_architecture(file, out.directory, out.doubts))
    doubt_loading(checkpoint, runner, out.doubts);
  return out;
}

}  // namespace cli
