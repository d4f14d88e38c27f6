// Chat layouts: what every chat format writes around messages, and the markers among that.
//
// Room: text. One row of a table for each format. chat_format.hpp renders conversations from it;
// Vocabulary reads from it which tokens contents must never make.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// `own` is a template that is none of the published ones, run as it is (chat_template.hpp).
enum class ChatFormat : uint8_t { none, bitnet, llama3, falcon3, chatml, own };
enum class ChatRole : uint8_t { system, user, assistant };

/// What a format looks like. A row of kChatLayouts.
struct ChatLayout {
  ChatFormat format;
  std::string_view name;
  std::string_view bos;                        ///< begins the prompt; "" if the format has none
  std::array<std::string_view, 3> before;      ///< before a message, by ChatRole
  std::string_view after;                      ///< after a message
  std::string_view answer;                     ///< asks for the answer
  bool trims;                                  ///< whitespace around contents is taken off
  std::array<std::string_view, 2> stop_texts;  ///< tokens that end the answer; "" for none
};

// clang-format off
inline constexpr ChatLayout kChatLayouts[] = {
    {ChatFormat::bitnet, "bitnet",
     "<|begin_of_text|>",
     {"System: ", "User: ", "Assistant: "},
     "<|eot_id|>",
     "Assistant: ",
     true,
     {"<|eot_id|>", "<|end_of_text|>"}},
    {ChatFormat::llama3, "llama3",
     "<|begin_of_text|>",
     {"<|start_header_id|>system<|end_header_id|>\n\n",
      "<|start_header_id|>user<|end_header_id|>\n\n",
      "<|start_header_id|>assistant<|end_header_id|>\n\n"},
     "<|eot_id|>",
     "<|start_header_id|>assistant<|end_header_id|>\n\n",
     true,
     {"<|eot_id|>", "<|end_of_text|>"}},
    {ChatFormat::falcon3, "falcon3",
     "",
     {"<|system|>\n", "<|user|>\n", "<|assistant|>\n"},
     "\n",
     "<|assistant|>\n",
     false,
     {"<|endoftext|>", ""}},
    {ChatFormat::chatml, "chatml",
     "",
     {"<|im_start|>system\n", "<|im_start|>user\n", "<|im_start|>assistant\n"},
     "<|im_end|>\n",
     "<|im_start|>assistant\n",
     false,
     {"<|im_end|>", ""}},
};
// clang-format on

/// The layout of a format, or null for ChatFormat::none and own.
inline const ChatLayout* chat_layout(ChatFormat format) {
  for (const ChatLayout& layout : kChatLayouts) {
    if (layout.format == format) return &layout;
  }
  return nullptr;
}

/// "none", "bitnet", "llama3", "falcon3", "chatml", or "template" for the model's own.
inline std::string_view chat_format_name(ChatFormat format) {
  if (format == ChatFormat::own) return "template";
  const ChatLayout* layout = chat_layout(format);
  return layout == nullptr ? "none" : layout->name;
}

/// Whether a token of this text is a marker of some format: written <|...|>, as a whole in what a
/// layout writes. So Falcon 3's role markers, otherwise plain text, count where they are tokens.
constexpr bool is_chat_marker(std::string_view text) {
  if (!text.starts_with("<|") || !text.ends_with("|>")) return false;
  const auto is_in = [text](std::string_view part) {
    return part.find(text) != std::string_view::npos;
  };
  for (const ChatLayout& layout : kChatLayouts) {
    if (is_in(layout.bos) || is_in(layout.after) || is_in(layout.answer)) return true;
    for (const std::string_view before : layout.before) {
      if (is_in(before)) return true;
    }
    for (const std::string_view stop : layout.stop_texts) {
      if (is_in(stop)) return true;
    }
  }
  return false;
}

TERN_NAMESPACE_END
