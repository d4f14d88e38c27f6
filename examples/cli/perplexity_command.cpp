// tern perplexity: how well a model predicts a text, in nats, bits and guesses.
#include <cmath>

#include "command.hpp"
#include "console.hpp"
#include "interrupt.hpp"
#include "json_writer.hpp"
#include "model_options.hpp"
#include "report.hpp"

namespace cli {

namespace {

constexpr CommandHelp kPerplexityHelp = {
    "tern perplexity -f FILE [options]",
    "Measures how well the model predicts a text, as JSON. The text is cut into windows of 512 "
    "tokens\n"
    "or the context, whichever is less, that do not overlap; BOS comes first in each if the file "
    "adds\n"
    "it. Every token of the text is counted once, but for the first of a window without BOS.",
};
constexpr size_t kMaxWindow = 512;

struct Counted {
  uint64_t tokens = 0;
  uint64_t bytes = 0;
  double nats = 0;
};

/// Adds the tokens of a window but the first, which is given. `log_probs` is scratch.
tern::Result<void> add_window(tern::Session& session, std::span<const tern::TokenId> window,
                              tern::Vector<double>& log_probs, Counted& counted) {
  TERN_TRY(session.reset());
  log_probs.resize(window.size());
  TERN_TRY(session.score(window, log_probs));
  for (size_t i = 1; i < window.size(); ++i) counted.nats -= log_probs[i];
  counted.tokens += window.size() - 1;
  if (is_interrupted()) return tern::Error(tern::Status::cancelled, "interrupted");
  return {};
}

// The windows of a text. Requires: a session of one window.
tern::Result<Counted> measure(const OpenModel& open, const tern::Tokenizer& tokenizer,
                              std::string_view text) {
  tern::Session& session = *open.session;
  const tern::Vocabulary& vocabulary = tokenizer.vocabulary();
  tern::Vector<tern::TokenId> ids;
  TERN_TRY(tokenizer.encode(text, {false, false}, ids));
  const bool has_bos = vocabulary.add_bos() && vocabulary.special_tokens().bos != tern::kNoToken;
  const size_t window_size = session.capacity();
  const size_t text_size = window_size - (has_bos ? 1 : 0);  // tokens of the text in a window
  if (window_size < 2) {
    return tern::Error(tern::Status::invalid_argument, "a context of one token predicts nothing");
  }

  Counted result;
  tern::Vector<double> log_probs;
  tern::Vector<tern::TokenId> window;
  Progress progress("perplexity", ids.size());
  bool begins_text = true;
  for (size_t begin = 0; begin < ids.size(); begin += text_size) {
    const size_t end = std::min(begin + text_size, ids.size());
    window.clear();
    if (has_bos) window.push_back(vocabulary.special_tokens().bos);
    window.insert(window.end(), ids.begin() + static_cast<ptrdiff_t>(begin),
                  ids.begin() + static_cast<ptrdiff_t>(end));
    TERN_TRY(add_window(session, window, log_probs, result));
    for (size_t i = begin; i < end; ++i) {
      TERN_TRY_ASSIGN(const auto piece, tokenizer.visible_piece(ids[i], false, begins_text));
      if (has_bos || i > begin) result.bytes += piece.size();
    }
    progress.update(end);
  }
  return result;
}

std::string result_json(const Counted& result) {
  const double nats_per_token = result.nats / static_cast<double>(result.tokens);
  JsonWriter json;
  json.begin_object();
  json.key("tokens");
  json.count(result.tokens);
  json.key("bytes");
  json.count(result.bytes);
  json.key("nats_per_token");
  json.real(nats_per_token);
  json.key("perplexity");
  json.real(std::exp(nats_per_token));
  json.key("bits_per_byte");
  json.real(result.nats / std::log(2.0) / static_cast<double>(result.bytes));
  json.end_object();
  return json.finish();
}

}  // namespace

int perplexity_command(Arguments arguments) {
  ModelOptions model;
  std::optional<std::string_view> text_path;
  std::vector<OptionRow> rows = {
      {"-f", "FILE", "the text, taken as plain text; - reads standard input", &text_path, true}};
  model.add_rows(rows);
  if (const auto status = parse_options(kPerplexityHelp, rows, arguments)) return *status;

  OpenModel open;
  if (const auto status = load_model(model, open)) return *status;
  if (const auto status = open_session(model, open, kMaxWindow)) return *status;
  const tern::Tokenizer* tokenizer = require_tokenizer(model, *open.model);
  if (tokenizer == nullptr) return kFailed;
  const auto text = read_text_file(*text_path);
  if (!text) return kFailed;
  const InterruptGuard interrupts(open.session.get());
  const auto result = measure(open, *tokenizer, *text);
  if (!result.ok()) return fail(result.error(), *model.model);
  if (result->tokens == 0) {
    say(fmt::format("{}: no tokens to count", one_line(*text_path)));
    return kFailed;
  }
  write_out(result_json(*result));
  return kDone;
}

}  // namespace cli
