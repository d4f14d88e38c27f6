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
#include "tern/base/status.hpp"
#include "tern/text/chat_prompt.hpp"
#include "tern/text/template_node.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {
class TemplateMemory;
class TemplateRunner;
}  // namespace detail

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

TERN_NAMESPACE_END
