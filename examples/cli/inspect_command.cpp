// tern inspect: shows what is in a model file, as tables or JSON.
#include "activity_report.hpp"
#include "command.hpp"
#include "console.hpp"
#include "conventions.hpp"
#include "json_writer.hpp"
#include "model_options.hpp"
#include "report.hpp"

namespace cli {

namespace {

constexpr CommandHelp kInspectHelp = {
    "tern inspect FILE [--activations TEXT] [--json]",
    "Shows what is in a model's files, whether or not tern can run it: metadata, tensors with "
    "their "
    "share\n"
    "of zero weights, tokenizer, and what is doubtful about it. Shapes are [rows, columns]; "
    "offsets\n"
    "count from the start of the file that holds a tensor. With a text: which inputs of each layer "
    "are\n"
    "zero on it, so that their weights need not be read.",
};

constexpr std::string_view kTypeNames[tern::kMetadataTypes] = {
    "u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "string", "array", "u64", "i64", "f64"};

std::string_view metadata_type_name(tern::MetadataType type) {
  return kTypeNames[static_cast<uint32_t>(type)];
}

// Rows and columns of what is packed, the dimensions of the file of anything else.
std::vector<uint64_t> shape_of(const InspectedTensor& inspected) {
  if (inspected.packed != nullptr) return {inspected.packed->rows, inspected.packed->cols};
  const tern::GgufTensor& tensor = *inspected.tensor;
  return {std::reverse_iterator(tensor.dims + tensor.n_dims), std::reverse_iterator(tensor.dims)};
}

// Strings in full; of arrays what they are made of, because vocabularies are long.
void write_value(const tern::MetadataValue& value, JsonWriter& json) {
  if (const auto array = value.as_array()) {
    json.begin_object();
    json.key("array_of");
    json.text(metadata_type_name(array->element_type()));
    json.key("size");
    json.count(array->size());
    json.end_object();
  } else if (const auto text = value.as<std::string_view>()) {
    json.text(*text);
  } else if (const auto truth = value.as<bool>()) {
    json.boolean(*truth);
  } else if (const auto single = value.as<float>()) {
    json.real(*single);
  } else if (const auto real = value.as<double>()) {
    json.real(*real);
  } else if (const auto count = value.as<uint64_t>()) {
    json.count(*count);
  } else {
    json.whole(value.as<int64_t>().value_or(0));
  }
}

std::string value_text(const tern::MetadataValue& value) {
  constexpr size_t kMost = 60;
  if (const auto array = value.as_array()) {
    return fmt::format("{} of {}", array->size(), metadata_type_name(array->element_type()));
  }
  if (const auto text = value.as<std::string_view>()) {
    const std::string line = one_line(text->substr(0, kMost));
    return text->size() > kMost ? line.substr(0, tern::complete_utf8_prefix(line)) + " ..." : line;
  }
  if (const auto truth = value.as<bool>()) return fmt::format("{}", *truth);
  if (const auto single = value.as<float>()) return fmt::format("{}", *single);
  if (const auto real = value.as<double>()) return fmt::format("{}", *real);
  if (const auto count = value.as<uint64_t>()) return fmt::format("{}", *count);
  return fmt::format("{}", value.as<int64_t>().value_or(0));
}

struct NamedToken {
  std::string_view name;
  tern::TokenId tern::SpecialTokens::*id;
};
constexpr NamedToken kSpecialTokens[] = {
    {"bos", &tern::SpecialTokens::bos}, {"eos", &tern::SpecialTokens::eos},
    {"eot", &tern::SpecialTokens::eot}, {"unk", &tern::SpecialTokens::unk},
    {"pad", &tern::SpecialTokens::pad},
};

std::string_view kind_name(const tern::Vocabulary& vocabulary) {
  return vocabulary.kind() == tern::TokenizerKind::byte_bpe ? "byte-level BPE"
                                                            : "SentencePiece BPE";
}

void write_tensor(const InspectedTensor& inspected, JsonWriter& json) {
  const tern::GgufTensor& tensor = *inspected.tensor;
  json.begin_object();
  json.key("name");
  json.text(tensor.name);
  json.key("type");
  json.text(tensor.type != nullptr ? type_name(inspected) : fmt::format("{}", tensor.type_id));
  json.key("shape");
  json.begin_short_array();
  for (const uint64_t extent : shape_of(inspected)) json.count(extent);
  json.end_array();
  json.key("offset");
  json.count(tensor.offset);
  json.key("bytes");
  json.count(tensor.data.size());
  json.key("zeros");
  if (inspected.zeros) {
    json.real(*inspected.zeros);
  } else {
    json.null();
  }
  json.end_object();
}

void write_tokenizer(const Inspection& inspection, JsonWriter& json) {
  if (!inspection.tokenizer) {
    json.null();
    return;
  }
  const tern::Vocabulary& vocabulary = inspection.tokenizer->vocabulary();
  json.begin_object();
  json.key("kind");
  json.text(kind_name(vocabulary));
  json.key("tokens");
  json.count(vocabulary.size());
  for (const NamedToken& row : kSpecialTokens) {
    json.key(row.name);
    const tern::TokenId id = vocabulary.special_tokens().*row.id;
    if (id != tern::kNoToken) {
      json.whole(id);
    } else {
      json.null();
    }
  }
  json.key("end_of_generation");
  json.begin_short_array();
  for (const tern::TokenId id : vocabulary.end_of_generation()) json.whole(id);
  json.end_array();
  json.key("add_bos");
  json.boolean(vocabulary.add_bos());
  json.key("add_eos");
  json.boolean(vocabulary.add_eos());
  json.key("chat_format");
  json.text(tern::chat_format_name(inspection.chat_format));
  json.end_object();
}

std::string inspection_json(const tern::Checkpoint& checkpoint, const Inspection& inspection) {
  const tern::GgufFile& file = checkpoint.file();
  JsonWriter json;
  json.begin_object();
  json.key("container");
  json.text(container_name(checkpoint, inspection.directory));
  json.key("files");
  json.begin_short_array();
  for (const std::string& name : part_names(checkpoint)) json.text(name);
  json.end_array();
  json.key("gguf_version");
  json.count(file.version());
  json.key("architecture");
  if (inspection.architecture) {
    json.text(*inspection.architecture);
  } else {
    json.null();
  }
  json.key("conventions");
  json.begin_object();
  for (const Convention& convention : inspection.conventions) {
    json.key(convention.name);
    json.begin_object();
    json.key("is");
    json.text(convention.is);
    json.key("from");
    json.text(convention.from);
    json.end_object();
  }
  json.end_object();
  json.key("metadata");
  json.begin_object();
  for (const tern::MetadataEntry& entry : file.metadata()) {
    json.key(entry.key);
    write_value(entry.value, json);
  }
  json.end_object();
  json.key("tensors");
  json.begin_array();
  for (const InspectedTensor& tensor : inspection.tensors) write_tensor(tensor, json);
  json.end_array();
  json.key("tokenizer");
  write_tokenizer(inspection, json);
  json.key("doubts");
  json.begin_array();
  for (const std::string& doubt : inspection.doubts) json.text(doubt);
  json.end_array();
  json.end_object();
  return json.finish();
}

std::string tokenizer_text(const Inspection& inspection) {
  if (!inspection.tokenizer) return "none\n";
  const tern::Vocabulary& vocabulary = inspection.tokenizer->vocabulary();
  std::string text = fmt::format("{} tokens, {}", vocabulary.size(), kind_name(vocabulary));
  for (const NamedToken& row : kSpecialTokens) {
    const tern::TokenId id = vocabulary.special_tokens().*row.id;
    if (id != tern::kNoToken) text += fmt::format(", {} {}", row.name, id);
  }
  if (vocabulary.add_bos()) text += ", adds bos";
  if (vocabulary.add_eos()) text += ", adds eos";
  text += fmt::format(", chat format {}", tern::chat_format_name(inspection.chat_format));
  return text + "\n";
}

std::string inspection_text(const tern::Checkpoint& checkpoint, const Inspection& inspection) {
  const tern::GgufFile& file = checkpoint.file();
  uint64_t bytes = 0;
  size_t name_width = 4;
  for (const InspectedTensor& row : inspection.tensors) {
    bytes += row.tensor->data.size();
    name_width = std::max(name_width, row.tensor->name.size());
  }
  std::string text = fmt::format("{}, architecture {}, {} tensors of {} bytes\n",
                                 container_name(checkpoint, inspection.directory),
                                 one_line(inspection.architecture.value_or("none")),
                                 inspection.tensors.size(), bytes);
  for (const std::string& name : part_names(checkpoint)) {
    text += fmt::format("file: {}\n", one_line(name));
  }
  text += "tokenizer: " + tokenizer_text(inspection);
  for (const Convention& convention : inspection.conventions) {
    text += fmt::format("{}: {} (by {})\n", convention.name, one_line(convention.is),
                        one_line(convention.from));
  }
  text += "\nmetadata\n";
  for (const tern::MetadataEntry& entry : file.metadata()) {
    text += fmt::format("  {} = {}\n", one_line(entry.key), value_text(entry.value));
  }
  text += fmt::format("\n{:<{}}  {:<6}  {:<14}  {:>12}  {:>12}  {:>7}\n", "name", name_width,
                      "type", "shape", "offset", "bytes", "zeros");
  for (const InspectedTensor& row : inspection.tensors) {
    const tern::GgufTensor& tensor = *row.tensor;
    text += fmt::format(
        "{:<{}}  {:<6}  {:<14}  {:>12}  {:>12}  {:>7}\n", one_line(tensor.name), name_width,
        type_name(row), fmt::format("[{}]", fmt::join(shape_of(row), ", ")), tensor.offset,
        tensor.data.size(), row.zeros ? fmt::format("{:.1f} %", *row.zeros * 100) : "-");
  }
  text += inspection.doubts.empty() ? "\nno doubts\n" : "\ndoubts\n";
  for (const std::string& doubt : inspection.doubts) text += fmt::format("  {}\n", one_line(doubt));
  return text;
}

}  // namespace

int inspect_command(Arguments arguments) {
  std::optional<std::string_view> path;
  std::optional<std::string_view> text_path;
  bool json = false;
  const OptionRow rows[] = {
      {"FILE", "", kModelHelp, &path, true},
      {"--activations", "TEXT", "a text file to run the model on", &text_path},
      {"--json", "", "as JSON", &json},
  };
  if (const auto status = parse_options(kInspectHelp, rows, arguments)) return *status;
  if (text_path) return report_activity(*path, *text_path, json);

  const auto source = open_checkpoint(*path);
  if (!source) return kFailed;
  auto pool = tern::ThreadPool::create(static_cast<uint32_t>(tern::available_processors()),
                                       tern::default_allocator());
  if (!pool.ok()) return fail(pool.error(), "threads");
  const auto inspection = inspect(*source, tern::TaskRunner(*std::move(pool)));
  if (!inspection.ok()) return fail(inspection.error(), *path);
  write_out(json ? inspection_json(**source, *inspection) : inspection_text(**source, *inspection));
  return kDone;
}

}  // namespace cli
