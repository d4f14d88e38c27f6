// Chat templates: a small subset of Jinja, compiled when a model is loaded, run for each prompt.
//
// Room: text. What there is:
//   text, {{ }}, {% %}, {# #}, whitespace control (template_lexer.hpp);
//   if, for (several names, filter, else, loop, break, continue), set (also of a block, and of a
//   namespace's field), macro, generation;
//   strings, whole numbers, true, false, none, lists, dicts, names, .attr, [index], [a:b:c], calls;
//   or and not, comparisons, in, + - ~ * // %, A if B else C, |filter, is test;
//   the filters, tests, functions and methods of template_routines.hpp.
// Anything else is refused by name. Names that a template is given: messages (role, content),
// add_generation_prompt, bos_token, eos_token, unk_token, pad_token where the vocabulary has them;
// tools and documents, which are none.
//
// What a message contains is plain text in the prompt, also where a template cut, changed or joined
// it (template_value.hpp). Time and memory are bounded by TemplateLimits.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "tern/base/allocator.hpp"
#include "tern/base/memory_wall.hpp"
#include "tern/base/status.hpp"
#include "tern/text/chat_prompt.hpp"
#include "tern/text/template_parser.hpp"
#include "tern/text/template_run.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// The texts of the tokens that templates know by name; empty where there is none.
struct ChatTokenTexts {
  std::string_view bos, eos, unk, pad;
};

/// A compiled template. Immutable.
/// Threads: const, any number at once.
class ChatTemplate {
 public:
  static constexpr size_t kMaxBytes = size_t{1} << 17;

  /// Copies what it needs.
  /// Errors: malformed (no template), unsupported (beyond the subset, or longer than kMaxBytes),
  /// both
  ///   quoting the construct, at its byte of the template; out_of_memory.
  /// Cost: O(bytes of the template); memory at most 40 times that.
  static Result<ChatTemplate> compile(std::string_view text, const ChatTokenTexts& tokens,
                                      const AllocatorHooks& hooks);

  /// A conversation as the template writes it, without the text of BOS at its beginning where the
  /// tokenizer adds that.
  /// Errors: invalid_argument (the template refuses the conversation, or stumbles over it),
  ///   unsupported (a function that tern does not have, or a limit), out_of_memory.
  Result<ChatPrompt> render(std::span<const ChatMessage> messages,
                            const ChatOptions& options) const;

 private:
  explicit ChatTemplate(const AllocatorHooks& hooks)
      : hooks_(hooks),
        program_(hooks),
        tokens_{String(hooks), String(hooks), String(hooks), String(hooks)} {}

  Result<void> build(std::string_view text);
  Result<void> define_names(std::span<const ChatMessage> messages, bool ask_answer,
                            detail::TemplateMemory& memory, detail::TemplateRunner& runner) const;

  AllocatorHooks hooks_;
  detail::TemplateProgram program_;
  std::array<String, 4> tokens_;  // as kTokenNames
  static constexpr std::string_view kTokenNames[] = {"bos_token", "eos_token", "unk_token",
                                                     "pad_token"};
};

inline Result<ChatTemplate> ChatTemplate::compile(std::string_view text,
                                                  const ChatTokenTexts& tokens,
                                                  const AllocatorHooks& hooks) {
  return catch_out_of_memory([&]() -> Result<ChatTemplate> {
    ChatTemplate out(hooks);
    TERN_TRY(out.build(text));
    const std::string_view texts[] = {tokens.bos, tokens.eos, tokens.unk, tokens.pad};
    for (size_t i = 0; i < out.tokens_.size(); ++i) out.tokens_[i].assign(texts[i]);
    return out;
  });
}

inline Result<void> ChatTemplate::build(std::string_view text) {
  if (text.size() > kMaxBytes) return Error(Status::unsupported, "the chat template is too long");
  Vector<char>& pool = program_.pool;
  pool.reserve(2 * text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_pair = text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if (!is_pair) pool.push_back(text[i] == '\r' ? '\n' : text[i]);
  }
  program_.source_bytes = static_cast<uint32_t>(pool.size());
  const detail::TemplateLexer lexer(program_.source());
  detail::TemplateLexer counter = lexer;
  for (size_t n = 1;; ++n) {
    TERN_TRY_ASSIGN(const detail::TemplateToken token, counter.next());
    if (token.kind != detail::TemplateTokenKind::end) continue;
    program_.nodes.reserve(n + n / 3 + 4);  // at the most, for four nodes of three tokens: a + b
    break;
  }
  return detail::TemplateParser(program_, lexer).parse();
}

inline Result<void> ChatTemplate::define_names(std::span<const ChatMessage> messages,
                                               bool ask_answer, detail::TemplateMemory& memory,
                                               detail::TemplateRunner& runner) const {
  using detail::TemplateValue;
  constexpr std::string_view kRoles[] = {"system", "user", "assistant"};  // by ChatRole
  TERN_TRY_ASSIGN(const auto list, memory.allocate<TemplateValue>(messages.size()));
  for (size_t i = 0; i < list.size(); ++i) {
    TERN_TRY_ASSIGN(const auto fields, memory.allocate<TemplateValue>(4));
    fields[0] = TemplateValue::of(std::string_view("role"));
    fields[1] = TemplateValue::of(kRoles[static_cast<size_t>(messages[i].role)]);
    fields[2] = TemplateValue::of(std::string_view("content"));
    fields[3] = TemplateValue::of(detail::MarkedText{messages[i].content, nullptr, true});
    list[i] = TemplateValue::of_dict(fields);
  }
  runner.define("messages", TemplateValue::of_list(list));
  runner.define("add_generation_prompt", TemplateValue::of(ask_answer));
  for (size_t i = 0; i < tokens_.size(); ++i) {
    const std::string_view text = tokens_[i];
    if (!text.empty()) runner.define(kTokenNames[i], TemplateValue::of(text));
  }
  for (const std::string_view name : {"tools", "documents"}) {
    runner.define(name, TemplateValue::none());
  }
  return {};
}

inline Result<ChatPrompt> ChatTemplate::render(std::span<const ChatMessage> messages,
                                               const ChatOptions& options) const {
  constexpr size_t kMaxContents = size_t{1} << 26;
  size_t bytes = 64 * messages.size();
  for (const ChatMessage& message : messages) {
    if (message.content.size() > kMaxContents - std::min(bytes, kMaxContents)) {
      return Error(Status::invalid_argument, "a conversation of 64 MiB or more");
    }
    bytes += message.content.size();
  }
  return catch_out_of_memory([&]() -> Result<ChatPrompt> {
    detail::TemplateMemory memory(detail::TemplateLimits::for_contents(bytes), hooks_);
    detail::TemplateRunner runner(program_, memory);
    TERN_TRY(define_names(messages, options.ask_answer, memory, runner));
    TERN_TRY(runner.run());
    const detail::MarkedText written = memory.writer.since(0);
    const std::string_view marks(written.marks, written.size());
    ChatPrompt prompt(hooks_);
    // Runs of one mark are segments. The bytes move without changing their place.
    const std::string_view text = prompt.keep(memory.writer.take_bytes());
    const std::string_view bos = tokens_[0];
    const bool has_bos = text.starts_with(bos) && marks.find('\1') >= bos.size();
    size_t begin = options.tokenizer_adds_bos && has_bos ? bos.size() : 0;
    while (begin < text.size()) {
      const size_t end = std::min(marks.find(marks[begin] != 0 ? '\0' : '\1', begin), text.size());
      prompt.add(text.substr(begin, end - begin), marks[begin] == 0);
      begin = end;
    }
    return prompt;
  });
}

TERN_NAMESPACE_END
