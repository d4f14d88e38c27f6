// tokenizer.json and its neighbours: what is read, what wins, and what is refused by name.
#include "tern/model/hf_tokenizer.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "support/counting_allocator.hpp"
#include "support/hf_json_samples.hpp"
#include "support/hf_vocabulary_files.hpp"

namespace {

using tern::TokenId;
using tern_test::bytes_of;
using tern_test::HfJson;
using Ids = std::vector<TokenId>;

tern::Tokenizer loaded(const HfJson& json) {
  auto tokenizer = tern_test::load_hf_tokenizer(json.files());
  INFO(json.tokenizer());
  if (!tokenizer) INFO(tokenizer.error().what << ": " << tokenizer.error().subject);
  REQUIRE(tokenizer.ok());
  return *std::move(tokenizer);
}

void check_refused(const HfJson& json, tern::Status status, std::string_view subject) {
  const auto tokenizer = tern_test::load_hf_tokenizer(json.files());
  INFO(json.tokenizer());
  REQUIRE_FALSE(tokenizer.ok());
  INFO(tokenizer.error().what << ": " << tokenizer.error().subject);
  CHECK(tokenizer.error().status == status);
  CHECK(std::string_view(tokenizer.error().subject) == subject);
}

Ids encode(const tern::Tokenizer& tokenizer, std::string_view text, bool add_special = false) {
  tern::Vector<TokenId> ids;
  REQUIRE(tokenizer.encode(text, {.add_special = add_special, .parse_special = true}, ids).ok());
  return {ids.begin(), ids.end()};
}

/// The pieces of a text, with bars between.
std::string pieces(const tern::Tokenizer& tokenizer, std::string_view text) {
  std::string joined;
  for (const TokenId id : encode(tokenizer, text)) {
    if (!joined.empty()) joined += '|';
    joined += tokenizer.vocabulary().piece(id);
  }
  return joined;
}

constexpr tern::Status kUnsupported = tern::Status::unsupported_tokenizer;

}  // namespace

TEST_CASE("byte-level BPE is read with both spellings of merges", "[hf]") {
  HfJson json = HfJson::byte_level();
  CHECK(pieces(loaded(json), "abc ab") == "ab|c| ab");
  json.merges = R"([["a","b"],["\u0120","ab"]])";
  CHECK(pieces(loaded(json), "abc ab") == "ab|c| ab");
  json.merges = R"(["a b","\u0120 ab","a"])";
  const auto bad = tern_test::load_hf_tokenizer(json.files());
  REQUIRE_FALSE(bad.ok());
  CHECK(bad.error().status == tern::Status::malformed);
}

TEST_CASE("ignore_merges takes whole pieces that are tokens", "[hf]") {
  HfJson json = HfJson::byte_level();
  CHECK(pieces(loaded(json), "abcd") == "ab|c|d");  // no merge leads to "abcd"
  json.model_rest = R"("ignore_merges": true)";
  CHECK(pieces(loaded(json), "abcd") == "abcd");
}

TEST_CASE("pre-tokenizers are recognised by their text", "[hf]") {
  HfJson json = HfJson::byte_level();
  const auto name = [&json] {
    const auto header = tern_test::hf_header(json.files());
    REQUIRE(header.ok());
    const auto file = tern::GgufFile::parse(header->bytes(), tern::default_allocator());
    REQUIRE(file.ok());
    return std::string(*file->get_or<std::string_view>("tokenizer.ggml.pre", ""));
  };
  CHECK(name() == "gpt-2");
  for (const tern::HfPattern& pattern : tern::kHfPatterns) {
    json.pre_tokenizer = tern_test::split_and_byte_level(pattern.regex);
    CHECK(loaded(json).vocabulary().pretokenizer().spec().steps[0] ==
          tern::detail::step_end(pattern.step));
  }
  json.pre_tokenizer = tern_test::split_and_byte_level(tern::kHfPatterns[0].regex);
  CHECK(name() == "llama3");
  const std::string byte_level = R"({"type":"ByteLevel","add_prefix_space":false})";
  const std::string punctuation = R"({"type":"Punctuation","behavior":"Contiguous"})";
  json.pre_tokenizer = tern_test::sequence(
      {punctuation, byte_level, R"({"type":"Digits","individual_digits":false})",
       R"({"type":"Split","pattern":{"Regex":"[0-9][0-9][0-9]"},"behavior":"Isolated"})"});
  CHECK(name() == "falcon");
  json.pre_tokenizer = tern_test::sequence(
      {punctuation, byte_level,
       R"({"type":"Split","pattern":{"Regex":"[0-9]"},"behavior":"Isolated"})"});
  CHECK(name() == "falcon3");
  json.pre_tokenizer =
      tern_test::sequence({R"({"type":"Digits","individual_digits":true})", byte_level});
  CHECK(name() == "starcoder");
  // What no table names is spelled, and read back.
  json.pre_tokenizer = tern_test::sequence(
      {R"({"type":"Punctuation"})", byte_level, R"({"type":"Digits","individual_digits":true})"});
  CHECK(name() == "tern:single_punctuation,gpt2,single_number_bytes");
  CHECK(loaded(json).vocabulary().pretokenizer().spec().steps[2] ==
        tern::detail::step_end("single_number_bytes"));
}

TEST_CASE("ByteLevel puts a space in front of text that has none", "[hf]") {
  HfJson json = HfJson::byte_level();
  json.pre_tokenizer = R"({"type":"ByteLevel","add_prefix_space":true})";
  json.added = R"([{"id": 300, "content": "<x>", "special": false}])";
  const auto tokenizer = loaded(json);
  CHECK(pieces(tokenizer, "ab ab") == " ab| ab");
  CHECK(pieces(tokenizer, " ab") == " ab");
  CHECK(pieces(tokenizer, "\tab") == "\t|ab");
  CHECK(pieces(tokenizer, "ab<x>ab") == " ab|<x>| ab");
  CHECK(pieces(tokenizer, "") == "");
  // The decoder of such files leaves the space.
  tern::Vector<tern::TokenId> ids;
  REQUIRE(tokenizer.encode("ab", {}, ids).ok());
  tern::String text;
  REQUIRE(tokenizer.decode(ids, {}, text).ok());
  CHECK(text == " ab");
}

TEST_CASE("BERT's post-processors put their tokens around a text", "[hf]") {
  for (const char* type : {"BertProcessing", "RobertaProcessing"}) {
    HfJson json = HfJson::byte_level();
    json.added = R"([{"id": 300, "content": "[CLS]", "special": true},
                     {"id": 301, "content": "[SEP]", "special": true}])";
    json.post_processor =
        R"({"type":")" + std::string(type) + R"(","sep":["[SEP]",301],"cls":["[CLS]",300]})";
    const auto tokenizer = loaded(json);
    tern::Vector<tern::TokenId> ids;
    REQUIRE(tokenizer.encode("ab", {}, ids).ok());
    CHECK(std::vector<int>(ids.begin(), ids.end()) == std::vector<int>{300, 256, 301});
    json.post_processor = R"({"type":")" + std::string(type) + R"(","sep":["[SEP]",301]})";
    CHECK(tern_test::load_hf_tokenizer(json.files()).status() == tern::Status::malformed);
  }
}

TEST_CASE("what tern does not follow is refused by name", "[hf]") {
  const auto refused = [](std::string HfJson::*field, std::string value, std::string_view subject) {
    HfJson json = HfJson::byte_level();
    json.*field = std::move(value);
    check_refused(json, kUnsupported, subject);
  };
  refused(&HfJson::pre_tokenizer, tern_test::split_and_byte_level(R"(\p{Lu}+)"), R"(\p{Lu}+)");
  refused(&HfJson::pre_tokenizer,
          R"({"type":"Split","pattern":{"Regex":"[a]+"},"behavior":"MergedWithNext"})",
          "MergedWithNext");
  refused(&HfJson::pre_tokenizer,
          tern_test::sequence({R"({"type":"Punctuation"})", R"({"type":"ByteLevel"})"}),
          "ByteLevel");
  refused(&HfJson::pre_tokenizer, R"({"type":"BertPreTokenizer"})", "BertPreTokenizer");
  refused(&HfJson::pre_tokenizer, "null", "model");
  refused(&HfJson::normalizer, R"({"type":"Lowercase"})", "Lowercase");
  refused(&HfJson::normalizer,
          R"({"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"NFKC"}]})", "NFKC");
  refused(&HfJson::normalizer, R"({"type":"Replace","pattern":{"Regex":" +"},"content":"_"})", "");
  refused(&HfJson::post_processor, R"({"type":"OtherProcessing"})", "OtherProcessing");
  refused(&HfJson::model_rest, R"("type": "Unigram")", "Unigram");
  refused(&HfJson::model_rest, R"("continuing_subword_prefix": "##")", "##");
  refused(&HfJson::model_rest, R"("dropout": 0.1)", "dropout");
  refused(&HfJson::added, R"([{"id": 300, "content": "x", "single_word": true}])", "x");
  HfJson spm = HfJson::byte_fallback();
  spm.model_rest = R"("byte_fallback": true, "ignore_merges": true)";
  check_refused(spm, kUnsupported, "model");
  spm = HfJson::byte_fallback();
  spm.vocab.erase(spm.vocab.find("\"<0x41>\""), std::string("\"<0x41>\": 68, ").size());
  check_refused(spm, kUnsupported, "model");
  spm = HfJson::byte_fallback();
  spm.added = R"([{"id": 300, "content": "<x>", "normalized": true, "special": false}])";
  check_refused(spm, kUnsupported, "<x>");
}

TEST_CASE("contradictions and holes", "[hf]") {
  HfJson json = HfJson::byte_level();
  json.added = R"([{"id": 0, "content": "<eos>", "special": true}])";
  check_refused(json, tern::Status::mismatch, "<eos>");
  json.added = R"([{"id": 259, "content": "ab", "special": true}])";
  check_refused(json, tern::Status::mismatch, "ab");
  json.added = R"([{"id": 1000000000, "content": "<eos>", "special": true}])";
  check_refused(json, tern::Status::malformed, "<eos>");
  json.added = R"([{"id": 270, "content": "<eos>", "special": true}])";
  const auto tokenizer = loaded(json);
  CHECK(tokenizer.vocabulary().size() == 271);
  CHECK(tokenizer.vocabulary().piece(265) == "[PAD265]");
  CHECK(tokenizer.vocabulary().type(265) == tern::TokenType::unused);
  CHECK(tokenizer.vocabulary().type(270) == tern::TokenType::control);
  // Rows that the embedding does not have.
  tern::HfTextFiles files = json.files();
  files.vocab_size = 270;
  CHECK(tern_test::load_hf_tokenizer(files)->vocabulary().size() == 259);
  files.vocab_size = 200;
  CHECK(tern_test::load_hf_tokenizer(files).status() == tern::Status::mismatch);
}

TEST_CASE("byte_fallback becomes SentencePiece-BPE, by ranks of merges", "[hf]") {
  HfJson json = HfJson::byte_fallback();
  const auto tokenizer = loaded(json);
  const tern::Vocabulary& vocabulary = tokenizer.vocabulary();
  CHECK(vocabulary.kind() == tern::TokenizerKind::spm_bpe);
  CHECK(pieces(tokenizer, "ab b") == " ab| b");
  CHECK(pieces(tokenizer, "\xC3\xA9") == " |\xC3|\xA9");
  // The score is minus the first rank of a merge that makes the token.
  CHECK(vocabulary.score(vocabulary.find_piece("ab")) == 0.0f);
  CHECK(vocabulary.score(vocabulary.find_piece(" ab")) == -1.0f);
  CHECK(vocabulary.score(vocabulary.find_piece("aba")) == -2.0f);
  // "aba" is a token, but no merge leads to it from here: scores alone would.
  json.normalizer = tern_test::kReplaceSpaces;
  json.merges = R"(["b a"])";
  CHECK(pieces(loaded(json), "aba") == "a|ba");
}

TEST_CASE("where spaces are put in front", "[hf]") {
  HfJson json = HfJson::byte_fallback();
  json.added = R"([{"id": 300, "content": "<x>", "special": true}])";
  const auto shape = [&json](std::string normalizer, std::string pre_tokenizer) {
    json.normalizer = std::move(normalizer);
    json.pre_tokenizer = std::move(pre_tokenizer);
    const auto tokenizer = loaded(json);
    return pieces(tokenizer, "b<x>b") + " / " + pieces(tokenizer, " b<x> b");
  };
  const auto metaspace = [](std::string_view scheme) {
    return R"({"type":"Metaspace","replacement":")" + std::string(tern_test::kSpace) +
           R"(","prepend_scheme":")" + std::string(scheme) + R"(","split":false})";
  };
  CHECK(shape(tern_test::kPrependAndReplace, "null") == " b|<x>| b /  | b|<x>| | b");
  CHECK(shape(tern_test::kReplaceSpaces, "null") == "b|<x>|b /  b|<x>| b");
  CHECK(shape("null", metaspace("always")) == " b|<x>| b /  b|<x>| b");
  CHECK(shape("null", metaspace("first")) == " b|<x>|b /  b|<x>| b");
  CHECK(shape("null", metaspace("never")) == "b|<x>|b /  b|<x>| b");
  json.pre_tokenizer = R"({"type":"Metaspace","replacement":"_"})";
  check_refused(json, kUnsupported, "_");
}

TEST_CASE("a Metaspace that splits keeps merges from passing spaces", "[hf]") {
  HfJson json = HfJson::byte_fallback();
  json.normalizer = "null";
  json.merges = R"(["\u2581 \u2581","\u2581 b"])";
  const std::string begin = R"({"type":"Metaspace","prepend_scheme":"never","split":)";
  json.pre_tokenizer = begin + "false}";
  CHECK(pieces(loaded(json), "  b") == "  |b");
  json.pre_tokenizer = begin + "true}";
  CHECK(pieces(loaded(json), "  b") == " | b");
}

TEST_CASE("a file's NFC composes text", "[hf]") {
  HfJson json = HfJson::byte_level();
  CHECK(pieces(loaded(json), "e\xCC\x81") == "e|\xCC|\x81");
  json.normalizer = R"({"type":"NFC"})";
  CHECK(pieces(loaded(json), "e\xCC\x81") == "\xC3|\xA9");
}

TEST_CASE("added tokens are found in text and take whitespace as they say", "[hf]") {
  HfJson json = HfJson::byte_level();
  json.added = R"([{"id": 259, "content": "<l>", "special": true, "lstrip": true},
                   {"id": 260, "content": "<r>", "special": false, "rstrip": true},
                   {"id": 261, "content": "<n>", "special": false}])";
  const auto tokenizer = loaded(json);
  CHECK(tokenizer.vocabulary().type(260) == tern::TokenType::user_defined);
  CHECK(pieces(tokenizer, "a \n<l> a") == "a|<l>| |a");
  CHECK(pieces(tokenizer,
               "a <r> \xC2\xA0"
               "a") == "a| |<r>|a");
  CHECK(pieces(tokenizer, "a<r> <l> <n> ") == "a|<r>|<l>| |<n>| ");
}

TEST_CASE("templates, classes and roles", "[hf]") {
  HfJson json = HfJson::byte_level();
  json.added = R"([{"id": 259, "content": "<s>", "special": true},
                   {"id": 260, "content": "</s>", "special": true},
                   {"id": 261, "content": "<end>", "special": true}])";
  const auto ids = [&json] { return encode(loaded(json), "a", true); };
  const TokenId a = 97;
  CHECK(ids() == Ids{a});  // nothing is said
  json.config = R"({"bos_token": "<s>", "eos_token": {"content": "</s>"}})";
  CHECK(ids() == Ids{a});
  json.config = R"({"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": true})";
  CHECK(ids() == Ids{259, a});
  json.post_processor = tern_test::template_of("<s>", 259, "", 0);
  json.config = R"({"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": false})";
  CHECK(ids() == Ids{259, a});  // tokenizer.json wins
  json.config =
      R"({"bos_token": "<s>", "add_bos_token": false, "tokenizer_class": "LlamaTokenizer"})";
  CHECK(ids() == Ids{a});  // but for classes that write the template anew
  json.post_processor = tern_test::template_of("", 0, "<end>", 261);
  json.config = R"({"eos_token": "</s>"})";
  CHECK(ids() == Ids{a, 261});
  json.generation = R"({"eos_token_id": [260, 259]})";
  const auto tokenizer = loaded(json);
  const auto ends = tokenizer.vocabulary().end_of_generation();
  CHECK(Ids(ends.begin(), ends.end()) == Ids{259, 260, 261});
  json.post_processor = tern_test::template_of("<s>", 259, "", 0);
  json.post_processor.insert(json.post_processor.find("[") + 1,
                             R"({"SpecialToken":{"id":"<s>"}},)");
  check_refused(json, kUnsupported, "post_processor");
}

TEST_CASE("contradictions between files are listed", "[hf]") {
  HfJson json = HfJson::byte_fallback();
  const auto conflicts = [&json] {
    const auto header = tern_test::hf_header(json.files());
    REQUIRE(header.ok());
    const auto file = tern::GgufFile::parse(header->bytes(), tern::default_allocator());
    REQUIRE(file.ok());
    const auto found = file->get_array<std::string_view>(tern::kTernConflictsKey);
    return found.ok() ? found->size() : 0;
  };
  json.added = R"([{"id": 1, "content": "<s>", "special": true},
                   {"id": 2, "content": "</s>", "special": true}])";
  json.post_processor = tern_test::template_of("<s>", 1, "", 0);
  json.config = R"({"bos_token": "<s>", "add_bos_token": true})";
  CHECK(conflicts() == 0);
  json.config = R"({"bos_token": "<s>", "add_bos_token": false})";
  CHECK(conflicts() == 1);
  json.config = R"({"bos_token": "</s>", "add_bos_token": false})";
  CHECK(conflicts() == 2);
  json.added = R"([{"id": 1, "content": "<s>", "special": true, "normalized": true}])";
  CHECK(conflicts() == 3);
}

TEST_CASE("chat templates come from their file, the config, or its list", "[hf]") {
  HfJson json = HfJson::byte_level();
  const auto chat = [](const tern::HfTextFiles& files, std::string_view key) {
    const auto header = tern_test::hf_header(files);
    REQUIRE(header.ok());
    const auto file = tern::GgufFile::parse(header->bytes(), tern::default_allocator());
    REQUIRE(file.ok());
    return std::string(*file->get_or<std::string_view>(key, ""));
  };
  json.config = R"({"chat_template": "one"})";
  CHECK(chat(json.files(), "tokenizer.chat_template") == "one");
  tern::HfTextFiles files = json.files();
  files.chat_template = "two";
  CHECK(chat(files, "tokenizer.chat_template") == "two");
  json.config = R"({"chat_template": [{"name": "default", "template": "three"},
                                      {"name": "tool_use", "template": "four"}]})";
  CHECK(chat(json.files(), "tokenizer.chat_template") == "three");
  CHECK(chat(json.files(), "tokenizer.chat_template.tool_use") == "four");
}

TEST_CASE("an error says which file and where", "[hf]") {
  const HfJson json = HfJson::byte_level();
  tern::HfTextFiles files = json.files();
  files.tokenizer_config = bytes_of("{\"a\": ");
  const auto tokenizer = tern_test::load_hf_tokenizer(files);
  REQUIRE_FALSE(tokenizer.ok());
  CHECK(tokenizer.error().status == tern::Status::malformed);
  CHECK(std::string_view(tokenizer.error().subject) == "tokenizer_config.json");
  CHECK(tokenizer.error().where == 6);
}

TEST_CASE("memory comes from the hooks, and its end is an error", "[hf]") {
  const HfJson json = HfJson::byte_fallback();
  tern_test::CountingAllocator counter;
  REQUIRE(tern_test::load_hf_tokenizer(json.files(), counter.hooks()).ok());
  CHECK(counter.live == 0);
#if defined(__cpp_exceptions)  // else fatal, by design
  for (const size_t budget : {size_t{4096}, counter.peak / 2, counter.peak - 1}) {
    counter.budget = budget;
    CHECK(tern_test::load_hf_tokenizer(json.files(), counter.hooks()).status() ==
          tern::Status::out_of_memory);
    CHECK(counter.live == 0);
  }
#endif
}
