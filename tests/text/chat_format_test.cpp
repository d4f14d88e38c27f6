#include "tern/text/chat_format.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "text/tiny_vocabularies.hpp"

using tern::ChatFormat;
using tern::TokenId;

TEST_CASE("templates are recognised by what they contain", "[chat]") {
  const auto t = tern_test::tiny_byte_bpe({{"a", "b"}}).tokenizer();
  const auto recognize = [&](std::string_view text) {
    return tern::recognize_chat_format({.chat_template = text}, t.vocabulary());
  };
  CHECK(recognize("{{ '<|im_start|>' + role }}...<|im_end|>") == ChatFormat::chatml);
  CHECK(recognize("<|start_header_id|>x<|end_header_id|>") == ChatFormat::llama3);
  CHECK(recognize("'<|user|>\\n' ... '<|assistant|>\\n'") == ChatFormat::falcon3);
  CHECK(recognize("{{ role | capitalize + ': ' + content | trim + '<|eot_id|>' }}") ==
        ChatFormat::bitnet);
  CHECK(recognize("") == ChatFormat::none);
  CHECK(recognize("Human: x\n\nBITNETAssistant: ") == ChatFormat::none);
  for (const std::string_view text :
       {"[INST] x [/INST]", "<|user|>x<|end|><|assistant|>", "<|user|><|assistant|>{{ eos_token }}",
        "<|im_start|>user<|im_sep|>x<|im_end|>"}) {
    CHECK(recognize(text) == ChatFormat::own);
  }
}

TEST_CASE("architecture and pre-tokenizer tell where no template does", "[chat]") {
  const auto llama3 = tern_test::llama3_vocabulary().tokenizer();
  auto chatml = tern_test::tiny_byte_bpe({{"a", "b"}}, "falcon_e");
  chatml.add("<|im_end|>", tern::TokenType::control);
  auto falcon = tern_test::tiny_byte_bpe({{"a", "b"}}, "falcon3");
  falcon.add("<|endoftext|>", tern::TokenType::control);
  auto stories = tern_test::tiny_spm({{"a", 0}}).tokenizer();
  const auto recognize = [](const tern::ChatHints& hints, const tern::Tokenizer& t) {
    return tern::recognize_chat_format(hints, t.vocabulary());
  };
  CHECK(recognize({.architecture = "bitnet-b1.58"}, llama3) == ChatFormat::bitnet);
  CHECK(recognize({.chat_template = "BITNET", .architecture = "bitnet-25"}, llama3) ==
        ChatFormat::bitnet);
  CHECK(recognize({.chat_template = "other", .architecture = "bitnet-25"}, llama3) ==
        ChatFormat::bitnet);
  CHECK(recognize({.architecture = "llama"}, llama3) == ChatFormat::none);
  CHECK(recognize({.architecture = "bitnet-b1.58"}, stories) == ChatFormat::none);
  CHECK(recognize({.pretokenizer = "falcon_e"}, chatml.tokenizer()) == ChatFormat::chatml);
  CHECK(recognize({.pretokenizer = "falcon3"}, falcon.tokenizer()) == ChatFormat::falcon3);
}

TEST_CASE("answers stop at the ends of turns and of texts", "[chat]") {
  const auto t = tern_test::llama3_vocabulary().tokenizer();
  const tern::Vocabulary& v = t.vocabulary();
  const TokenId end_of_text = v.find_special("<|end_of_text|>");
  CHECK(tern::is_chat_stop(ChatFormat::bitnet, v, v.find_special("<|eot_id|>")));
  CHECK(tern::is_chat_stop(ChatFormat::bitnet, v, end_of_text));
  CHECK_FALSE(tern::is_chat_stop(ChatFormat::none, v, end_of_text));
  CHECK_FALSE(tern::is_chat_stop(ChatFormat::own, v, end_of_text));
  CHECK(tern::is_chat_stop(ChatFormat::own, v, v.special_tokens().eos));
  CHECK_FALSE(tern::is_chat_stop(ChatFormat::bitnet, v, 'a'));
  CHECK_FALSE(tern::is_chat_stop(ChatFormat::bitnet, v, -1));
}
