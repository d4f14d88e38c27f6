// Chat formats: how a conversation is written down for a model, and where its answer stops.
//
// Room: text. Each format is a row of a table (tern/text/chat_layout.hpp): what stands before and
// after a message of each role, and what asks for the answer. A conversation becomes segments
// (tern/text/tokenizer.hpp) in which only the format's own markers may be control tokens; contents
// are plain text, whatever they contain. Tokenizer::encode joins plain text across segments, so the
// ids are those of the joined text.
//
// BOS is never doubled: a prompt has the text of BOS in it only if the format begins with BOS and
// the caller says that its tokenizer does not add one. Encode prompts with add_special = true.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "tern/base/allocator.hpp"
#include "tern/base/memory_wall.hpp"
#include "tern/base/status.hpp"
#include "tern/text/chat_layout.hpp"
#include "tern/text/tokenizer.hpp"
#include "tern/text/unicode_class.hpp"
#include "tern/text/utf8.hpp"
#include "tern/text/vocabulary.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// One message. The text is viewed, not copied.
struct ChatMessage {
  ChatRole role = ChatRole::user;
  std::string_view content;
};

/// What a file says about its chat format. Empty for what it does not say.
struct ChatHints {
  std::string_view chat_template = {};  ///< the embedded template's text
  std::string_view architecture = {};
  std::string_view pretokenizer = {};  ///< its name
};

namespace detail {
/// A template that has all of `has` and none of `lacks` writes `format`.
struct ChatFingerprint {
  ChatFormat format;
  std::array<std::string_view, 2> has;
  std::array<std::string_view, 2> lacks;
};
inline constexpr ChatFingerprint kChatFingerprints[] = {
    {ChatFormat::chatml, {"<|im_start|>", "<|im_end|>"}, {"", ""}},
    {ChatFormat::llama3, {"<|start_header_id|>", "<|end_header_id|>"}, {"", ""}},
    // Phi-3 and Zephyr write the same role markers, but end turns with a token.
    {ChatFormat::falcon3, {"<|user|>", "<|assistant|>"}, {"<|end|>", "</s>"}},
    {ChatFormat::bitnet, {"<|eot_id|>", "capitalize"}, {"", ""}},
};

inline bool has_text(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

inline bool matches(const ChatFingerprint& fingerprint, std::string_view text) {
  for (const std::string_view part : fingerprint.has) {
    if (!has_text(text, part)) return false;
  }
  for (const std::string_view part : fingerprint.lacks) {
    if (!part.empty() && has_text(text, part)) return false;
  }
  return true;
}

/// Whether the vocabulary has the token that ends a turn of this format.
inline bool has_turn_end(const Vocabulary& vocabulary, ChatFormat format) {
  return vocabulary.find_special(chat_layout(format)->stop_texts[0]) != kNoToken;
}

inline std::string_view trim_whitespace(std::string_view text) {
  const auto is_space = [](const DecodedChar& c) {
    return class_of(c.value) == CharClass::whitespace;
  };
  size_t begin = 0;
  size_t end = 0;  // behind the last character that is not whitespace
  for (size_t at = 0; at < text.size();) {
    const DecodedChar c = decode_utf8(text, at);
    at += c.length;
    if (!is_space(c)) end = at;
    if (end == 0) begin = at;
  }
  return end == 0 ? std::string_view() : text.substr(begin, end - begin);
}
}  // namespace detail

/// Which chat format a model was trained with, as far as its file tells.
///   1. The embedded template, by what it contains; one with "BITNET" in it is ignored (a converter
///      wrote it by mistake).
///   2. Without a template that is known: architectures bitnet-b1.58 and bitnet-25 with the Llama 3
///      vocabulary chat as BitNet b1.58 2B-4T does; pre-tokenizer falcon_e means chatml, falcon3
///      means falcon3, if the vocabulary has their markers.
///   3. Without a template: none, as for base models.
/// Errors: unsupported (a template that none of this recognises), quoting its beginning.
inline Result<ChatFormat> recognize_chat_format(const ChatHints& hints,
                                                const Vocabulary& vocabulary) {
  const bool is_mistake = detail::has_text(hints.chat_template, "BITNET");
  const std::string_view text = is_mistake ? std::string_view() : hints.chat_template;
  for (const detail::ChatFingerprint& fingerprint : detail::kChatFingerprints) {
    if (detail::matches(fingerprint, text)) return fingerprint.format;
  }
  const bool is_bitnet = hints.architecture == "bitnet-b1.58" || hints.architecture == "bitnet-25";
  if (is_bitnet && detail::has_turn_end(vocabulary, ChatFormat::bitnet)) return ChatFormat::bitnet;
  if (hints.pretokenizer == "falcon_e" && detail::has_turn_end(vocabulary, ChatFormat::chatml))
    return ChatFormat::chatml;
  if (hints.pretokenizer == "falcon3" && detail::has_turn_end(vocabulary, ChatFormat::falcon3)) {
    return ChatFormat::falcon3;
  }
  if (text.empty()) return ChatFormat::none;
  return Error(Status::unsupported, "unknown chat template", text);
}

struct ChatOptions {
  bool ask_answer = true;          ///< end with what asks the assistant to speak
  bool tokenizer_adds_bos = true;  ///< Vocabulary::add_bos() of the tokenizer that will encode this
};

/// Appends a conversation, or turns that continue one, to `out` as segments for Tokenizer::encode.
/// The segments view the messages' contents, which must outlive them.
/// Requires: for turns that continue a conversation, tokenizer_adds_bos = true, and encoding them
///   with add_special = false.
/// Errors: unsupported (ChatFormat::none), out_of_memory.
inline Result<void> render_chat(ChatFormat format, std::span<const ChatMessage> messages,
                                const ChatOptions& options, Vector<TextSegment>& out) {
  const ChatLayout* layout = chat_layout(format);
  if (layout == nullptr) return Error(Status::unsupported, "the model has no chat format");
  return catch_out_of_memory([&]() -> Result<void> {
    const auto add = [&out](std::string_view text, bool parse_special) {
      if (!text.empty()) out.push_back({text, parse_special});
    };
    if (!options.tokenizer_adds_bos) add(layout->bos, true);
    for (const ChatMessage& message : messages) {
      add(layout->before[static_cast<size_t>(message.role)], true);
      add(layout->trims ? detail::trim_whitespace(message.content) : message.content, false);
      add(layout->after, true);
    }
    if (options.ask_answer) add(layout->answer, true);
    return {};
  });
}

/// Whether a token ends an answer in this format, or anything in this vocabulary.
inline bool is_chat_stop(ChatFormat format, const Vocabulary& vocabulary, TokenId id) {
  if (vocabulary.is_end_of_generation(id)) return true;
  const ChatLayout* layout = chat_layout(format);
  if (layout == nullptr || !vocabulary.contains(id)) return false;
  if (vocabulary.type(id) != TokenType::control) return false;
  for (const std::string_view stop : layout->stop_texts) {
    if (!stop.empty() && vocabulary.piece(id) == stop) return true;
  }
  return false;
}

TERN_NAMESPACE_END
