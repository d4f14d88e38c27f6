// tern embed: texts to vectors, by models that are made for it.
#include <algorithm>

#include "command.hpp"
#include "console.hpp"
#include "interrupt.hpp"
#include "json_writer.hpp"
#include "model_options.hpp"
#include "report.hpp"

namespace cli {

namespace {

constexpr CommandHelp kEmbedHelp = {
    "tern embed -m FILE (-p TEXT | -f FILE) [options]",
    "Prints the embeddings of texts as JSON: an array of vectors of length 1, a line each, in the\n"
    "order of the texts. With -f each line of the file is a text; an empty line is one, too. BOS "
    "and\n"
    "EOS are added as the model's file says. Needs a model of embeddings.",
};

struct EmbedOptions {
  ModelOptions model;
  std::optional<std::string_view> prompt;
  std::optional<std::string_view> text_path;

  std::vector<OptionRow> rows() {
    model.batch = tern::kDefaultBatch;
    std::vector<OptionRow> rows = {
        {"-p", "TEXT", "the text", &prompt},
        {"-f", "FILE", "a file with a text in each line; - reads standard input", &text_path},
        {"--batch", "N", "tokens in one pass; results do not depend on it",
         Number<uint32_t>{&model.batch, 1, tern::kMaxBatch, "a whole number from 1 to 4096"}},
    };
    model.add_rows(rows);
    return rows;
  }
};

// The lines of a file; a line end behind the last one begins no other.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// Tokens of all texts, one behind the other.
struct EncodedTexts {
  tern::Vector<tern::TokenId> tokens;
  std::vector<size_t> lengths;

  size_t longest() const { return *std::max_element(lengths.begin(), lengths.end()); }
};

std::optional<int> encode_texts(std::span<const std::string_view> texts,
                                const tern::Tokenizer& tokenizer, EncodedTexts& out) {
  for (size_t i = 0; i < texts.size(); ++i) {
    const size_t before = out.tokens.size();
    const auto encoded = tokenizer.encode(texts[i], {true, false}, out.tokens);
    if (!encoded.ok()) return fail(encoded.error(), "text");
    out.lengths.push_back(out.tokens.size() - before);
    if (out.lengths.back() != 0) continue;
    say(fmt::format("text {}: has no tokens", i + 1));
    return kFailed;
  }
  return std::nullopt;
}

std::string json_of(std::span<const float> embeddings, size_t width) {
  JsonWriter json;
  json.begin_array();
  for (size_t at = 0; at < embeddings.size(); at += width) {
    json.begin_short_array();
    for (const float v : embeddings.subspan(at, width)) json.real(v);
    json.end_array();
  }
  json.end_array();
  return json.finish();
}

}  // namespace

int embed_command(Arguments arguments) {
  EmbedOptions options;
  if (const auto status = parse_options(kEmbedHelp, options.rows(), arguments)) return *status;
  if (options.prompt.has_value() == options.text_path.has_value()) {
    return fail_usage("embed", "needs one of -p and -f");
  }
  std::optional<std::string> file;
  std::vector<std::string_view> texts;
  if (options.text_path) {
    file = read_text_file(*options.text_path);
    if (!file) return kFailed;
    texts = lines_of(*file);
    if (texts.empty()) return fail_usage("-f", "the file has no lines");
  } else {
    texts.push_back(*options.prompt);
  }

  OpenModel open;
  if (const auto status = load_model(options.model, open)) return *status;
  const size_t width = open.model->config().embedding_size();
  if (width == 0) {
    return fail({tern::Status::unsupported, "the model gives logits, not embeddings"},
                *options.model.model);
  }
  const tern::Tokenizer* tokenizer = require_tokenizer(options.model, *open.model);
  if (tokenizer == nullptr) return kFailed;
  EncodedTexts encoded;
  if (const auto status = encode_texts(texts, *tokenizer, encoded)) return *status;
  // Room for the longest text, and for as many short ones as a batch takes.
  const size_t room = std::max<size_t>(encoded.longest(), options.model.batch);
  if (const auto status = open_session(options.model, open, room)) return *status;
  const InterruptGuard interrupts(open.session.get());
  std::vector<float> embeddings(encoded.lengths.size() * width);
  const auto result = open.session->embed(encoded.tokens, encoded.lengths, embeddings);
  if (!result.ok()) return fail(result.error(), *options.model.model);
  write_out(json_of(embeddings, width));
  return kDone;
}

}  // namespace cli
