// tern run: continues a text, token by token.
#include "command.hpp"
#include "grammar_options.hpp"
#include "model_options.hpp"
#include "report.hpp"
#include "text_generation.hpp"

namespace cli {

namespace {

constexpr CommandHelp kRunHelp = {
    "tern run -p TEXT [options]",
    "Continues a text: prints the continuation as it comes, until the model ends it, -n tokens "
    "are\n"
    "there, the context is full, or the grammar lets nothing follow. Names of control tokens in "
    "the\n"
    "text become those tokens.",
};

struct RunOptions {
  ModelOptions model;
  SamplingOptions sampling;
  GrammarOptions grammar;
  std::optional<std::string_view> prompt;
  std::optional<std::string_view> system;
  uint32_t max_tokens = 128;
  bool chat = false;
  bool special = false;

  std::vector<OptionRow> rows() {
    std::vector<OptionRow> rows = {
        {"-p", "TEXT", "the text; - reads all of standard input", &prompt, true},
        {"-n", "TOKENS", "most tokens to add",
         Number<uint32_t>{&max_tokens, 0, std::numeric_limits<uint32_t>::max(), "a whole number"}},
        {"--chat", "", "the text is a question, asked in the model's chat format", &chat},
        {"--system", "TEXT", "with --chat: how the model should behave", &system},
        {"--special", "", "show control tokens in the text", &special},
    };
    grammar.add_rows(rows);
    sampling.add_rows(rows);
    model.add_rows(rows);
    return rows;
  }
};

// The prompt's tokens: the text itself, or a conversation of one question.
tern::Result<tern::Vector<tern::TokenId>> prompt_tokens(const tern::Tokenizer& tokenizer,
                                                        std::string_view text,
                                                        std::optional<std::string_view> system,
                                                        const tern::ChatRenderer* chat) {
  if (chat == nullptr) {
    const tern::TextSegment whole{text, true};
    return encode_prompt(tokenizer, {&whole, 1});
  }
  std::vector<tern::ChatMessage> messages;
  if (system) messages.push_back({tern::ChatRole::system, *system});
  messages.push_back({tern::ChatRole::user, text});
  const tern::ChatOptions options{true, tokenizer.vocabulary().add_bos()};
  TERN_TRY_ASSIGN(const tern::ChatPrompt prompt, chat->render(messages, options));
  return encode_prompt(tokenizer, prompt.segments());
}

// Something to begin with where the prompt has no token at all; says what it took.
bool begin_empty_prompt(const tern::Vocabulary& vocabulary, tern::Vector<tern::TokenId>& tokens) {
  const tern::SpecialTokens& special = vocabulary.special_tokens();
  const tern::TokenId first = special.bos != tern::kNoToken ? special.bos : special.eos;
  if (first == tern::kNoToken) return false;
  say(fmt::format("the prompt is empty: beginning with {}", one_line(vocabulary.piece(first))));
  tokens.push_back(first);
  return true;
}

}  // namespace

int run_command(Arguments arguments) {
  RunOptions options;
  if (const auto status = parse_options(kRunHelp, options.rows(), arguments)) return *status;
  if (options.system && !options.chat) return fail_usage("--system", "needs --chat");
  if (const auto status = options.grammar.read()) return *status;

  OpenModel open;
  if (const auto status = load_model(options.model, open)) return *status;
  if (const auto status = open_session(options.model, open)) return *status;
  const std::string_view model_name = *options.model.model;
  const tern::Tokenizer* tokenizer = require_tokenizer(options.model, *open.model);
  if (tokenizer == nullptr) return kFailed;
  std::shared_ptr<tern::Grammar> grammar;
  if (const auto status = options.grammar.create(*tokenizer, grammar)) return *status;
  tern::GenerateOptions generation;
  generation.grammar = grammar.get();
  const tern::ChatRenderer* chat = nullptr;
  if (options.chat) {
    const auto renderer = open.model->chat();
    if (!renderer.ok()) return fail(renderer.error(), model_name);
    chat = *renderer;
    generation.chat_format = chat->format();
  }
  const InterruptGuard interrupts(open.session.get());
  std::string input;
  if (*options.prompt == "-") {
    auto text = read_text_file("-");
    if (is_interrupted()) return kInterrupted;
    if (!text) return kFailed;
    input = *std::move(text);
    options.prompt = input;
  }

  auto tokens = prompt_tokens(*tokenizer, *options.prompt, options.system, chat);
  if (!tokens.ok()) return fail(tokens.error(), "prompt");
  if (tokens->empty() && !begin_empty_prompt(tokenizer->vocabulary(), *tokens)) {
    return fail(
        {tern::Status::invalid_argument, "is empty, and the model has no token to begin with"},
        "prompt");
  }
  if (tokens->size() > open.session->capacity()) {
    say(fmt::format("prompt: {} tokens, but the context holds {}", tokens->size(),
                    open.session->capacity()));
    return kFailed;
  }

  generation.sampler = options.sampling.sampler;
  generation.n_draft = options.sampling.n_draft;
  generation.max_tokens = options.max_tokens;
  generation.show_special = options.special;
  generation.begins_text = options.prompt->empty() && !options.chat;
  const auto evaluated = open.session->evaluate(*tokens);
  if (!evaluated.ok() && !is_interrupted()) return fail(evaluated.error(), model_name);
  const auto result = [&]() -> tern::Result<tern::Generation> {
    TERN_TRY(evaluated);
    return tern::generate(*open.session, generation,
                          [](std::string_view text, tern::TokenId) { return show_text(text); });
  }();
  write_out("\n");
  flush_out();
  if (is_interrupted()) return kInterrupted;
  if (!result.ok()) return fail(result.error(), model_name);
  if (result->reason == tern::StopReason::context_full) {
    say(fmt::format("the context is full: {} tokens", open.session->capacity()));
  }
  return kDone;
}

}  // namespace cli
