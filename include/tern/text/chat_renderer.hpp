// Chat renderers: write conversations down for a model, in a published format or by the model's own
// template.
//
// Room: text. BOS is never doubled: a prompt has the text of BOS in it only if the format or
// template begins with BOS and the caller says that its tokenizer does not add one. Encode prompts
// with add_special = true.
#pragma once

#include <optional>
#include <span>
#include <utility>

#include "tern/base/memory_wall.hpp"
#include "tern/base/status.hpp"
#include "tern/text/chat_format.hpp"
#include "tern/text/chat_prompt.hpp"
#include "tern/text/chat_template.hpp"
#include "tern/text/vocabulary.hpp"
#include "tern/text/whitespace.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// How conversations are written for a model. Immutable.
/// Threads: const, any number at once.
class ChatRenderer {
 public:
  /// The renderer of a model, by what its file says.
  /// Errors: unsupported (no chat format), and those of ChatTemplate::compile.
  static Result<ChatRenderer> create(const ChatHints& hints, const Vocabulary& vocabulary) {
    const ChatFormat format = recognize_chat_format(hints, vocabulary);
    ChatRenderer out(format, vocabulary.hooks());
    if (format == ChatFormat::none) {
      return Error(Status::unsupported, "the model has no chat format");
    }
    if (format == ChatFormat::own) {
      const SpecialTokens& tokens = vocabulary.special_tokens();
      const auto text = [&](TokenId id) {
        return id != kNoToken ? vocabulary.piece(id) : std::string_view();
      };
      TERN_TRY_ASSIGN(out.template_, ChatTemplate::compile(hints.chat_template,
                                                           {text(tokens.bos), text(tokens.eos),
                                                            text(tokens.unk), text(tokens.pad)},
                                                           vocabulary.hooks()));
    }
    return out;
  }
  /// The renderer of a published format. Requires: neither none nor own.
  ChatRenderer(ChatFormat format, const AllocatorHooks& hooks) : format_(format), hooks_(hooks) {}

  ChatFormat format() const { return format_; }

  /// Writes a conversation, or turns that continue one. With a model's own template, turns are
  /// written as a conversation of their own: what it writes first comes again.
  /// Requires: for turns that continue a conversation, tokenizer_adds_bos = true, continues = true,
  ///   and encoding them with add_special = false.
  /// Errors: those of ChatTemplate::render, out_of_memory.
  Result<ChatPrompt> render(std::span<const ChatMessage> messages,
                            const ChatOptions& options) const {
    if (template_) return template_->render(messages, options);
    const ChatLayout* layout = chat_layout(format_);
    if (layout == nullptr) return Error(Status::unsupported, "the model has no chat format");
    return catch_out_of_memory([&]() -> Result<ChatPrompt> {
      ChatPrompt prompt(hooks_);
      if (!options.tokenizer_adds_bos) prompt.add(layout->bos, true);
      if (options.continues) prompt.add(layout->after, true);
      for (const ChatMessage& message : messages) {
        prompt.add(layout->before[static_cast<size_t>(message.role)], true);
        prompt.add(layout->trims ? trim_whitespace(message.content) : message.content, false);
        prompt.add(layout->after, true);
      }
      if (options.ask_answer) prompt.add(layout->answer, true);
      return prompt;
    });
  }

 private:
  ChatFormat format_;
  AllocatorHooks hooks_;
  std::optional<ChatTemplate> template_;  // of ChatFormat::own
};

TERN_NAMESPACE_END
