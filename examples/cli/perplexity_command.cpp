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

/// Windows through one session, a run of tokens at a time; runs share buffers.
class Measurement {
 public:
  static tern::Result<Measurement> create(tern::Session& session, const tern::TaskRunner& runner) {
    Measurement m(session, runner);
    const size_t vocab_size = session.model().config().vocab_size;
    const tern::AllocatorHooks& hooks = session.model().allocator();
    TERN_TRY_ASSIGN(m.logits_, tern::Buffer<float>::create(kRun * vocab_size, hooks));
    TERN_TRY_ASSIGN(m.scratch_, tern::Buffer<float>::create(m.n_lanes_ * vocab_size, hooks));
    return m;
  }

  /// Evaluates one window and counts its tokens but the first, which is given.
  tern::Result<void> add_window(std::span<const tern::TokenId> window) {
    const size_t vocab_size = session_.model().config().vocab_size;
    TERN_TRY(session_.reset());
    // The last token predicts nothing that is counted.
    for (size_t done = 0; done + 1 < window.size();) {
      const size_t n = std::min(kRun, window.size() - 1 - done);
      TERN_TRY(session_.evaluate(window.subspan(done, n), logits_.span().first(n * vocab_size)));
      add_run(window.subspan(done + 1, n));
      done += n;
      if (is_interrupted()) return tern::Error(tern::Status::cancelled, "interrupted");
    }
    return {};
  }

  double nats() const { return nats_; }
  uint64_t tokens() const { return tokens_; }

 private:
  static constexpr size_t kRun = tern::kDefaultBatch;

  Measurement(tern::Session& session, const tern::TaskRunner& runner)
      : session_(session), runner_(runner), n_lanes_(std::min(runner.n_workers(), kRun)) {}

  // Adds the probabilities of the tokens that follow; summed in their order, whoever computed them.
  void add_run(std::span<const tern::TokenId> next) {
    const tern::KernelTable& kernels = session_.model().kernels();
    const size_t vocab_size = session_.model().config().vocab_size;
    double log_probs[kRun];
    runner_.run(n_lanes_, [&](size_t lane) {
      float* scratch = scratch_.data() + lane * vocab_size;
      for (size_t i = lane; i < next.size(); i += n_lanes_) {
        log_probs[i] = kernels.log_prob(logits_.data() + i * vocab_size, vocab_size,
                                        static_cast<size_t>(next[i]), scratch);
      }
    });
    for (size_t i = 0; i < next.size(); ++i) nats_ -= log_probs[i];
    tokens_ += next.size();
  }

  tern::Session& session_;
  const tern::TaskRunner& runner_;
  size_t n_lanes_;
  tern::Buffer<float> logits_;   // [kRun, vocab_size]
  tern::Buffer<float> scratch_;  // [n_lanes_, vocab_size]
  double nats_ = 0;
  uint64_t tokens_ = 0;
};

struct Counted {
  uint64_t tokens = 0;
  uint64_t bytes = 0;
  double nats = 0;
};

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

  TERN_TRY_ASSIGN(Measurement measurement, Measurement::create(session, open.runner));
  Counted result;
  tern::Vector<tern::TokenId> window;
  Progress progress("perplexity", ids.size());
  bool begins_text = true;
  for (size_t begin = 0; begin < ids.size(); begin += text_size) {
    const size_t end = std::min(begin + text_size, ids.size());
    window.clear();
    if (has_bos) window.push_back(vocabulary.special_tokens().bos);
    window.insert(window.end(), ids.begin() + static_cast<ptrdiff_t>(begin),
                  ids.begin() + static_cast<ptrdiff_t>(end));
    TERN_TRY(measurement.add_window(window));
    for (size_t i = begin; i < end; ++i) {
      TERN_TRY_ASSIGN(const auto piece, tokenizer.visible_piece(ids[i], false, begins_text));
      if (has_bos || i > begin) result.bytes += piece.size();
    }
    progress.update(end);
  }
  result.tokens = measurement.tokens();
  result.nats = measurement.nats();
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
