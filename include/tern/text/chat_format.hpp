// Chat formats: which one a model was trained with, and where its answers stop.
//
// Room: text. Published formats are rows of a table (tern/text/chat_layout.hpp), recognised by what
// their templates contain; ChatRenderer (chat_renderer.hpp) writes conversations in them.
#pragma once

#include <array>
#include <string_view>

#include "tern/text/chat_layout.hpp"
#include "tern/text/vocabulary.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

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
  std::array<std::string_view, 3> lacks;
};
inline constexpr ChatFingerprint kChatFingerprints[] = {
    // Phi-4 has a marker of its own behind the role.
    {ChatFormat::chatml, {"<|im_start|>", "<|im_end|>"}, {"<|im_sep|>"}},
    {ChatFormat::llama3, {"<|start_header_id|>", "<|end_header_id|>"}, {}},
    // Phi-3 and Zephyr write the same role markers, but end turns with a token.
    {ChatFormat::falcon3, {"<|user|>", "<|assistant|>"}, {"<|end|>", "</s>", "eos_token"}},
    {ChatFormat::bitnet, {"<|eot_id|>", "capitalize"}, {}},
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
}  // namespace detail

/// Which chat format a model was trained with, as far as its file tells.
///   1. The embedded template, by what it contains; one with "BITNET" in it is ignored (a converter
///      wrote it by mistake).
///   2. Without a template that is known: architectures bitnet-b1.58 and bitnet-25 with the Llama 3
///      vocabulary chat as BitNet b1.58 2B-4T does; pre-tokenizer falcon_e means chatml, falcon3
///      means falcon3, if the vocabulary has their markers.
///   3. Any other template is the model's own; without one: none, as for base models.
inline ChatFormat recognize_chat_format(const ChatHints& hints, const Vocabulary& vocabulary) {
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
  return text.empty() ? ChatFormat::none : ChatFormat::own;
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
