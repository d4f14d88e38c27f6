// tern logits: writes the logits of token ids to a file, for comparing with other programs.
#include <bit>

#include "command.hpp"
#include "console.hpp"
#include "interrupt.hpp"
#include "model_options.hpp"
#include "output_file.hpp"
#include "report.hpp"

namespace cli {

namespace {

constexpr CommandHelp kLogitsHelp = {
    "tern logits --tokens \"1 2 3\" -o OUT.f32 [options]",
    "Writes the logits of every token: float32, little-endian, tokens x vocabulary. The ids are "
    "taken\n"
    "as they are, nothing is added.",
};

struct LogitsOptions {
  ModelOptions model;
  std::optional<std::vector<tern::TokenId>> tokens;
  std::optional<std::string_view> out;

  std::vector<OptionRow> rows() {
    model.batch = 512;
    std::vector<OptionRow> rows = {
        {"--tokens", "IDS", "the token ids, with spaces between", &tokens, true},
        {"-o", "FILE", "where the logits go", &out, true},
        {"--batch", "N", "tokens in one pass; results do not depend on it",
         Number<uint32_t>{&model.batch, 1, tern::kMaxBatch, "a whole number from 1 to 4096"}},
    };
    model.add_rows(rows);
    return rows;
  }
};

// A batch at a time, so that memory does not grow with the number of tokens.
tern::Result<void> write_logits(tern::Session& session, std::span<const tern::TokenId> tokens,
                                size_t batch, OutputFile& file) {
  static_assert(std::endian::native == std::endian::little, "the file is little-endian");
  const size_t vocab_size = session.model().config().vocab_size;
  batch = std::min(batch, tokens.size());
  TERN_TRY_ASSIGN(auto logits,
                  tern::Buffer<float>::create(batch * vocab_size, session.model().allocator()));
  Progress progress("logits", tokens.size());
  for (size_t done = 0; done < tokens.size();) {
    const auto run = tokens.subspan(done, std::min(batch, tokens.size() - done));
    const auto run_logits = logits.span().first(run.size() * vocab_size);
    if (is_interrupted()) return tern::Error(tern::Status::cancelled, "interrupted");
    TERN_TRY(session.evaluate(run, run_logits));
    TERN_TRY(file.write(run_logits.data(), run_logits.size_bytes()));
    done += run.size();
    progress.update(done);
  }
  return {};
}

}  // namespace

int logits_command(Arguments arguments) {
  LogitsOptions options;
  if (const auto status = parse_options(kLogitsHelp, options.rows(), arguments)) return *status;
  if (options.tokens->empty()) return fail_usage("--tokens", "needs a token id");

  OpenModel open;
  if (const auto status = load_model(options.model, open)) return *status;
  const auto& tokens = *options.tokens;
  const size_t vocab_size = open.model->config().vocab_size;
  // The whole list at once: evaluation sees it a batch at a time, and counts from there.
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (static_cast<size_t>(tokens[i]) < vocab_size) continue;
    say(fmt::format("--tokens: the model has no token {}: its ids end at {}", tokens[i],
                    vocab_size - 1));
    return kFailed;
  }
  const uint32_t context = context_size(options.model, *open.model);
  if (tokens.size() > context) {
    say(fmt::format("--tokens: {} tokens, but the context holds {}", tokens.size(), context));
    return kFailed;
  }
  if (const auto status = open_session(options.model, open, tokens.size())) return *status;
  const InterruptGuard interrupts(open.session.get());
  auto file = OutputFile::create(*options.out);
  if (!file.ok()) return fail(file.error(), *options.out);
  const auto written = write_logits(*open.session, tokens, options.model.batch, *file);
  if (!written.ok()) {
    return fail(written.error(),
                written.status() == tern::Status::io_error ? *options.out : *options.model.model);
  }
  if (const auto kept = file->keep(); !kept.ok()) return fail(kept.error(), *options.out);
  return kDone;
}

}  // namespace cli
