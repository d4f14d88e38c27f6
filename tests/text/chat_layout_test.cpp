#include "tern/text/chat_layout.hpp"

#include <catch2/catch.hpp>
#include <string_view>

TEST_CASE("formats have names", "[chat]") {
  CHECK(tern::chat_format_name(tern::ChatFormat::none) == "none");
  CHECK(tern::chat_format_name(tern::ChatFormat::bitnet) == "bitnet");
  CHECK(tern::chat_format_name(tern::ChatFormat::llama3) == "llama3");
  CHECK(tern::chat_format_name(tern::ChatFormat::falcon3) == "falcon3");
  CHECK(tern::chat_format_name(tern::ChatFormat::chatml) == "chatml");
  CHECK(tern::chat_format_name(tern::ChatFormat::own) == "template");
  CHECK(tern::chat_layout(tern::ChatFormat::none) == nullptr);
  CHECK(tern::chat_layout(tern::ChatFormat::own) == nullptr);
}

TEST_CASE("every bracketed text of a layout is a marker, and nothing else", "[chat]") {
  for (const std::string_view marker :
       {"<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>", "<|start_header_id|>",
        "<|end_header_id|>", "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|system|>",
        "<|user|>", "<|assistant|>", "<|start_header_id|>user<|end_header_id|>"}) {
    INFO(marker);
    CHECK(tern::is_chat_marker(marker));
  }
  for (const std::string_view text :
       {"", "<|", "|>", "<|>", "<||>", "User: ", "\n", "<|im_start", "im_start|>", "<|im_start|>s",
        "<|tool|>", "<|im_start|><|im_end|>"}) {
    INFO(text);
    CHECK_FALSE(tern::is_chat_marker(text));
  }
}
