// Writes the seed corpus of tokenizer_json_fuzz into the folder given:
// `tokenizer_json_corpus tests/fuzz/corpus/tokenizer_json`.
#include <cstdio>
#include <fstream>
#include <string>

#include "support/hf_json_samples.hpp"

using tern_test::HfJson;

namespace {

bool write(const std::string& folder, const char* name, const HfJson& json, const char* text) {
  const char zero = '\0';
  std::ofstream out(folder + "/" + name + ".bin", std::ios::binary);
  out << json.tokenizer() << zero << json.config << zero << json.generation << zero << text;
  return out.good();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  HfJson gpt2 = HfJson::byte_level();
  gpt2.added =
      R"([{"id":259,"content":"<s>","special":true},{"id":261,"content":"<x>","special":false}])";
  gpt2.config = R"({"bos_token":"<s>","eos_token":{"content":"<s>"},"add_bos_token":true})";
  gpt2.generation = R"({"eos_token_id":[259,261],"bos_token_id":259})";

  HfJson qwen = gpt2;
  qwen.normalizer = R"({"type":"NFC"})";
  qwen.pre_tokenizer = tern_test::split_and_byte_level(tern::kHfPatterns[1].regex);
  qwen.merges = R"([["a","b"],["\u0120","ab"]])";
  qwen.config = R"({"chat_template":[{"name":"default","template":"{{x}}"}],"eos_token":"<s>"})";

  HfJson falcon = gpt2;
  falcon.pre_tokenizer = tern_test::sequence(
      {R"({"type":"Punctuation","behavior":"Contiguous"})",
       R"({"type":"ByteLevel","add_prefix_space":false})",
       R"({"type":"Digits","individual_digits":true})",
       R"({"type":"Split","pattern":{"Regex":"[0-9][0-9][0-9]"},"behavior":"Isolated"})"});
  falcon.added = R"([{"id":259,"content":"<s>","special":true,"lstrip":true,"rstrip":true}])";
  falcon.post_processor = tern_test::template_of("<s>", 259, "<s>", 259);

  HfJson llama2 = HfJson::byte_fallback();
  llama2.added =
      R"([{"id":0,"content":"<unk>","special":true},{"id":1,"content":"<s>","special":true}])";
  llama2.config = R"({"tokenizer_class":"LlamaTokenizer","bos_token":"<s>","pad_token":null})";

  HfJson metaspace = HfJson::byte_fallback();
  metaspace.normalizer = "null";
  metaspace.pre_tokenizer = R"({"type":"Metaspace","prepend_scheme":"first","split":true})";

  const std::string folder = argv[1];
  const bool ok = write(folder, "gpt2", gpt2, "ab <s>abcd 12") &&
                  write(folder, "qwen", qwen, "e\xCC\x81 ab\xFF") &&
                  write(folder, "falcon", falcon, "1234 <s> a.b") &&
                  write(folder, "llama2", llama2, " ab<s> b\xC3\xA9") &&
                  write(folder, "metaspace", metaspace, " a  b") &&
                  write(folder, "refused", HfJson{}, "");
  return ok ? 0 : 1;
}
