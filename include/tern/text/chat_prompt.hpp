// Chat prompts: a conversation as text for a model, in segments.
//
// Room: text. Only what a format itself writes may become control tokens; contents are plain text,
// whatever they contain. Tokenizer::encode joins plain text across segments, so the ids are those
// of the joined text.
#pragma once

#include <span>
#include <string_view>
#include <utility>

#include "tern/base/allocator.hpp"
#include "tern/text/chat_layout.hpp"
#include "tern/text/tokenizer.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// One message. The text is viewed, not copied.
struct ChatMessage {
  ChatRole role = ChatRole::user;
  std::string_view content;
};

struct ChatOptions {
  bool ask_answer = true;          ///< end with what asks the assistant to speak
  bool tokenizer_adds_bos = true;  ///< Vocabulary::add_bos() of the tokenizer that will encode this
  /// The messages go on behind an answer: what ends that answer's turn comes first, since the token
  /// at which a generation stopped is not in the session.
  bool continues = false;
};

/// A rendered conversation. Movable; views the contents of its messages, which must outlive it.
class ChatPrompt {
 public:
  explicit ChatPrompt(const AllocatorHooks& hooks) : text_(hooks), segments_(hooks) {}

  /// For Tokenizer::encode.
  std::span<const TextSegment> segments() const { return segments_; }

  /// Adds a segment, which must outlive the prompt; an empty one is left out.
  void add(std::string_view text, bool parse_special) {
    if (!text.empty()) segments_.push_back({text, parse_special});
  }
  /// Keeps a text for segments to view, and gives it back. Requires: called once.
  std::string_view keep(Vector<char>&& text) {
    text_ = std::move(text);
    return {text_.data(), text_.size()};
  }

  // A copy would view the text of the original.
  ChatPrompt(ChatPrompt&&) = default;
  ChatPrompt& operator=(ChatPrompt&&) = default;

 private:
  Vector<char> text_;
  Vector<TextSegment> segments_;
};

TERN_NAMESPACE_END
