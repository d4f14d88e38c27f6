// Compiling chat templates, and what they are given when they run.
//
// Room: text.
#include "tern/text/chat_template.hpp"

#include "tern/base/memory_wall.hpp"
#include "tern/text/template_parser.hpp"
#include "tern/text/template_run.hpp"

TERN_NAMESPACE_BEGIN

Result<ChatTemplate> ChatTemplate::compile(std::string_view text, const ChatTokenTexts& tokens,
                                           const AllocatorHooks& hooks) {
  return catch_out_of_memory([&]() -> Result<ChatTemplate> {
    ChatTemplate out(hooks);
    TERN_TRY(out.build(text));
    const std::string_view texts[] = {tokens.bos, tokens.eos, tokens.unk, tokens.pad};
    for (size_t i = 0; i < out.tokens_.size(); ++i) out.tokens_[i].assign(texts[i]);
    return out;
  });
}

Result<void> ChatTemplate::build(std::string_view text) {
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

Result<void> ChatTemplate::define_names(std::span<const ChatMessage> messages, bool ask_answer,
                                        detail::TemplateMemory& memory,
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

Result<ChatPrompt> ChatTemplate::render(std::span<const ChatMessage> messages,
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
