// tern tokenize: text to token ids, and ids to text.
#include "command.hpp"
#include "console.hpp"
#include "model_options.hpp"
#include "pcre2_patterns.hpp"
#include "report.hpp"
#include "tern/format/gguf.hpp"
#include "tern/model/vocabulary_loader.hpp"

namespace cli {

namespace {

constexpr CommandHelp kTokenizeHelp = {
    "tern tokenize (-p TEXT | -f FILE | --decode IDS) [options]",
    "Prints the token ids of a text on one line, with BOS and EOS as the model's file says, names "
    "of\n"
    "control tokens becoming those tokens. With --decode prints the text of ids, control tokens\n"
    "hidden. Any GGUF file with a vocabulary will do.",
};

// Weights are not looked at, so files of vocabularies alone serve, too.
tern::Result<tern::Tokenizer> load_file_tokenizer(const tern::GgufFile& file) {
  TERN_TRY_ASSIGN(const auto name, file.get_or<std::string_view>("general.architecture", ""));
  const tern::Architecture* architecture = tern::find_architecture(name);
  return tern::load_tokenizer(
      file, architecture != nullptr ? architecture->default_pretokenizer : std::string_view(),
      tern::default_allocator(), pattern_compiler());
}

int print_ids(const tern::Tokenizer& tokenizer, std::string_view text, bool special) {
  tern::Vector<tern::TokenId> ids;
  const auto encoded = tokenizer.encode(text, {special, special}, ids);
  if (!encoded.ok()) return fail(encoded.error(), "text");
  fmt::memory_buffer line;
  fmt::format_to(std::back_inserter(line), "{}\n", fmt::join(ids, " "));
  write_out({line.data(), line.size()});
  return kDone;
}

int print_text(const tern::Tokenizer& tokenizer, std::span<const tern::TokenId> ids) {
  tern::String text;
  const auto decoded = tokenizer.decode(ids, {}, text);
  if (!decoded.ok()) return fail(decoded.error(), "--decode");
  text.push_back('\n');
  write_out(text);
  return kDone;
}

}  // namespace

int tokenize_command(Arguments arguments) {
  std::optional<std::string_view> model = kStoriesName;
  std::optional<std::string_view> prompt;
  std::optional<std::string_view> text_path;
  std::optional<std::vector<tern::TokenId>> ids;
  bool no_special = false;
  const OptionRow rows[] = {
      {"-p", "TEXT", "the text", &prompt},
      {"-f", "FILE", "a file with the text; - reads standard input", &text_path},
      {"--decode", "IDS", "token ids, with spaces between", &ids},
      {"--no-special", "", "add no BOS and EOS; names of control tokens are plain text",
       &no_special},
      model_row(model),
  };
  if (const auto status = parse_options(kTokenizeHelp, rows, arguments)) return *status;
  if (int{prompt.has_value()} + int{text_path.has_value()} + int{ids.has_value()} != 1) {
    return fail_usage("tokenize", "needs one of -p, -f and --decode");
  }

  const auto source = open_checkpoint(*model);
  if (!source) return kFailed;
  const auto tokenizer =
      tern::catch_out_of_memory([&] { return load_file_tokenizer((*source)->file()); });
  if (!tokenizer.ok()) return fail(tokenizer.error(), *model);
  if (ids) return print_text(*tokenizer, *ids);
  if (prompt) return print_ids(*tokenizer, *prompt, !no_special);
  const auto text = read_text_file(*text_path);
  return text ? print_ids(*tokenizer, *text, !no_special) : int{kFailed};
}

}  // namespace cli
