// tern chat: a conversation, a line a turn.
//
// The conversation is kept as text. Each answer evaluates it anew from the first token that differs
// from what the session holds, so nothing has to be undone when old turns are dropped.
#include <deque>

#include "command.hpp"
#include "grammar_options.hpp"
#include "model_options.hpp"
#include "report.hpp"
#include "text_generation.hpp"

namespace cli {

namespace {

constexpr CommandHelp kChatHelp = {
    "tern chat [options]",
    "Talks with a model: a line of standard input is a turn, its answer goes to standard output. "
    "The\n"
    "end of input ends the conversation. When the context is full, the oldest turns are "
    "forgotten,\n"
    "the system's text never.",
};

struct ChatCommandOptions {
  ModelOptions model;
  SamplingOptions sampling;
  GrammarOptions grammar;
  std::optional<std::string_view> system;
  uint32_t max_tokens = 0;

  std::vector<OptionRow> rows() {
    std::vector<OptionRow> rows = {
        {"--system", "TEXT", "how the model should behave", &system},
        {"-n", "TOKENS", "most tokens of an answer; 0 sets no limit",
         Number<uint32_t>{&max_tokens, 0, std::numeric_limits<uint32_t>::max(), "a whole number"}},
    };
    grammar.add_rows(rows);
    sampling.add_rows(rows);
    model.add_rows(rows);
    return rows;
  }
};

/// How an answer came to its end.
enum class AnswerEnd : uint8_t {
  whole,     ///< by itself, at the limit, or because nobody reads on
  cut,       ///< the context was full
  too_long,  ///< the message leaves no room for an answer; it is forgotten
};

class Conversation {
 public:
  Conversation(tern::Session& session, const tern::Tokenizer& tokenizer,
               const tern::ChatRenderer& chat, const ChatCommandOptions& options,
               tern::Grammar* grammar)
      : session_(session),
        tokenizer_(tokenizer),
        chat_(chat),
        system_(options.system),
        sampler_(options.sampling.sampler) {
    generation_.chat_format = chat.format();
    generation_.grammar = grammar;
    generation_.n_draft = options.sampling.n_draft;
    max_tokens_ =
        options.max_tokens != 0 ? options.max_tokens : std::numeric_limits<uint32_t>::max();
  }

  /// Prints the answer to what the user said.
  tern::Result<AnswerEnd> answer(std::string_view message) {
    turns_.push_back({std::string(message), ""});
    if (generation_.grammar != nullptr) TERN_TRY(generation_.grammar->reset());
    tern::Vector<tern::TokenId> given;  // the answer so far
    for (;;) {
      TERN_TRY_ASSIGN(const bool fits, evaluate(given));
      if (!fits) {
        if (!given.empty()) return AnswerEnd::cut;
        turns_.pop_back();  // it would be in the way of every later one
        return AnswerEnd::too_long;
      }
      generation_.sampler = sampler_;
      generation_.max_tokens = max_tokens_ - static_cast<uint32_t>(given.size());
      TERN_TRY_ASSIGN(
          const tern::Generation result,
          tern::generate(session_, generation_, [&](std::string_view text, tern::TokenId token) {
            if (token != tern::kNoToken) given.push_back(token);
            turns_.back().answer.append(text);
            return show_text(text);
          }));
      if (result.reason != tern::StopReason::context_full || given.size() >= max_tokens_) {
        return AnswerEnd::whole;
      }
    }
  }

 private:
  struct Turn {
    std::string user;
    std::string answer;
  };

  // The whole conversation up to the answer that is asked for.
  tern::Result<tern::Vector<tern::TokenId>> prompt_tokens() const {
    std::vector<tern::ChatMessage> messages;
    if (system_) messages.push_back({tern::ChatRole::system, *system_});
    for (const Turn& turn : turns_) {
      messages.push_back({tern::ChatRole::user, turn.user});
      if (&turn != &turns_.back()) messages.push_back({tern::ChatRole::assistant, turn.answer});
    }
    const tern::ChatOptions options{true, tokenizer_.vocabulary().add_bos()};
    TERN_TRY_ASSIGN(const tern::ChatPrompt prompt, chat_.render(messages, options));
    return encode_prompt(tokenizer_, prompt.segments());
  }

  // Brings the session to the conversation and what is given of the answer. False when even the
  // last turn alone leaves no room for another token.
  tern::Result<bool> evaluate(std::span<const tern::TokenId> given) {
    const size_t capacity = session_.capacity();
    TERN_TRY_ASSIGN(auto tokens, prompt_tokens());
    // Room for a good part of an answer, not to begin again with every token.
    const size_t room = capacity - capacity / 4;
    if (tokens.size() + given.size() >= capacity) {
      while (turns_.size() > 1 && tokens.size() + given.size() > room) {
        turns_.pop_front();
        TERN_TRY_ASSIGN(tokens, prompt_tokens());
      }
    }
    tokens.insert(tokens.end(), given.begin(), given.end());
    if (tokens.size() >= capacity) return false;
    const auto held = session_.tokens();
    size_t same = 0;
    while (same < held.size() && same + 1 < tokens.size() && held[same] == tokens[same]) ++same;
    TERN_TRY(session_.truncate(static_cast<uint32_t>(same)));
    TERN_TRY(session_.evaluate(std::span<const tern::TokenId>(tokens).subspan(same)));
    return true;
  }

  tern::Session& session_;
  const tern::Tokenizer& tokenizer_;
  const tern::ChatRenderer& chat_;
  std::optional<std::string_view> system_;
  tern::SamplerOptions sampler_;
  tern::GenerateOptions generation_;
  uint32_t max_tokens_ = 0;
  std::deque<Turn> turns_;
};

}  // namespace

int chat_command(Arguments arguments) {
  ChatCommandOptions options;
  if (const auto status = parse_options(kChatHelp, options.rows(), arguments)) return *status;
  if (const auto status = options.grammar.read()) return *status;

  OpenModel open;
  if (const auto status = load_model(options.model, open)) return *status;
  if (const auto status = open_session(options.model, open)) return *status;
  const std::string_view model_name = *options.model.model;
  const tern::Tokenizer* tokenizer = require_tokenizer(options.model, *open.model);
  if (tokenizer == nullptr) return kFailed;
  std::shared_ptr<tern::Grammar> grammar;
  if (const auto status = options.grammar.create(*tokenizer, grammar)) return *status;
  const auto chat = open.model->chat();
  if (!chat.ok()) return fail(chat.error(), model_name);

  const InterruptGuard interrupts(open.session.get());
  Conversation conversation(*open.session, *tokenizer, **chat, options, grammar.get());
  const bool is_interactive = input_is_terminal();
  if (is_interactive) say(fmt::format("chat format {}", tern::chat_format_name((*chat)->format())));
  std::string line;
  for (;;) {
    if (is_interactive) std::fputs("> ", stderr);
    if (!read_input_line(line)) break;
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    const auto answered = conversation.answer(line);
    const bool can_write = write_out("\n") && flush_out();
    if (is_interrupted()) return kInterrupted;
    if (!answered.ok()) return fail(answered.error(), model_name);
    if (!can_write) return kDone;
    if (*answered != AnswerEnd::whole) {
      say(fmt::format(
          "the context is full: {} tokens; {}", open.session->capacity(),
          *answered == AnswerEnd::cut ? "the answer ends here" : "the message is too long"));
    }
  }
  if (is_interactive) std::fputs("\n", stderr);
  return is_interrupted() ? kInterrupted : kDone;
}

}  // namespace cli
