#include "tern/text/pretokenizer.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Pieces = std::vector<std::string>;

Pieces split(std::string_view name, std::string_view text) {
  const auto spec = tern::find_pretokenizer(name);
  REQUIRE(spec.ok());
  Pieces pieces;
  tern::pretokenize(*spec, text, [&](std::string_view piece) { pieces.emplace_back(piece); });
  return pieces;
}

}  // namespace

TEST_CASE("llama3 splits words, numbers and symbols", "[pretokenizer]") {
  CHECK(split("llama3", "Hello world") == Pieces{"Hello", " world"});
  CHECK(split("llama3", "a1234567") == Pieces{"a", "123", "456", "7"});
  CHECK(split("llama3", " 12") == Pieces{" ", "12"});
  CHECK(split("llama3", "x!=y") == Pieces{"x", "!=", "y"});
  CHECK(split("llama3", "(word)") == Pieces{"(word", ")"});
  CHECK(split("llama3", " !?") == Pieces{" !?"});
  CHECK(split("llama3", "!?\r\n\nx") == Pieces{"!?\r\n\n", "x"});
  CHECK(split("llama3", "\xD0\xB1\xD1\x8B \xE4\xBD\xA0\xE5\xA5\xBD") ==
        Pieces{"\xD0\xB1\xD1\x8B", " \xE4\xBD\xA0\xE5\xA5\xBD"});
}

TEST_CASE("llama3 gives the last of a run of spaces to what follows", "[pretokenizer]") {
  CHECK(split("llama3", "a   b") == Pieces{"a", "  ", " b"});
  CHECK(split("llama3", "a \tb") == Pieces{"a", " ", "\tb"});
  CHECK(split("llama3", "a\t\t!") == Pieces{"a", "\t", "\t", "!"});  // only a space joins symbols
  CHECK(split("llama3", "a  !") == Pieces{"a", " ", " !"});
  CHECK(split("llama3", "a  1") == Pieces{"a", " ", " ", "1"});
  CHECK(split("llama3", "a   ") == Pieces{"a", "   "});
  CHECK(split("llama3", "\xC2\xA0\xC2\xA0z") == Pieces{"\xC2\xA0", "\xC2\xA0z"});
}

TEST_CASE("llama3 cuts whitespace behind its last line break", "[pretokenizer]") {
  CHECK(split("llama3", "a \n \n  b") == Pieces{"a", " \n \n", " ", " b"});
  CHECK(split("llama3", "a\n\tb") == Pieces{"a", "\n", "\tb"});
  CHECK(split("llama3", "a\r\nb") == Pieces{"a", "\r\n", "b"});
  CHECK(split("llama3", "a\n  ") == Pieces{"a", "\n", "  "});
}

TEST_CASE("llama3 contractions ignore case and come first", "[pretokenizer]") {
  CHECK(split("llama3", "I'm we'LL") == Pieces{"I", "'m", " we", "'LL"});
  CHECK(split("llama3", "'Sam") == Pieces{"'S", "am"});
  CHECK(split("llama3", "'x") == Pieces{"'x"});
  CHECK(split("llama3", "'r") == Pieces{"'r"});
  CHECK(split("llama3", "''") == Pieces{"''"});
  CHECK(split("llama3", " 's") == Pieces{" '", "s"});
}

TEST_CASE("combining marks and malformed bytes go with the symbols", "[pretokenizer]") {
  CHECK(split("llama3", "e\xCC\x81!") == Pieces{"e", "\xCC\x81!"});
  CHECK(split("llama3",
              "e\xCC\x81"
              "a") == Pieces{"e",
                             "\xCC\x81"
                             "a"});
  CHECK(split("llama3", "a\xFF\xFE.") == Pieces{"a", "\xFF\xFE."});
  CHECK(split("gpt-2", " \xFF!") == Pieces{" \xFF!"});
}

TEST_CASE("qwen2 splits like llama3 with single numbers", "[pretokenizer]") {
  CHECK(split("qwen2", "ab 123's") == Pieces{"ab", " ", "1", "2", "3", "'s"});
  CHECK(split("qwen2", "\xD9\xA1\xD9\xA2") == Pieces{"\xD9\xA1", "\xD9\xA2"});
}

TEST_CASE("gpt-2 joins a space to words, numbers and symbols", "[pretokenizer]") {
  CHECK(split("gpt-2", "Hello world 1234 !?") == Pieces{"Hello", " world", " 1234", " !?"});
  CHECK(split("gpt-2", "I'm I'M") == Pieces{"I", "'m", " I", "'", "M"});
  CHECK(split("gpt-2", "a   b") == Pieces{"a", "  ", " b"});
  CHECK(split("gpt-2", "a\n\nb") == Pieces{"a", "\n", "\n", "b"});
  CHECK(split("gpt-2", "a \n") == Pieces{"a", " \n"});
}

TEST_CASE("the default cuts punctuation, then numbers, then groups of three", "[pretokenizer]") {
  for (const std::string_view name : {"", "default"}) {
    CHECK(split(name, "a, b") == Pieces{"a", ",", " b"});
    CHECK(split(name, " 12345") == Pieces{" ", "123", "45"});
    CHECK(split(name, "x+=1") == Pieces{"x", "+=", "1"});
    CHECK(split(name, "don't") == Pieces{"don", "'", "t"});
    CHECK(split(name, " `a`") == Pieces{" `", "a", "`"});
    CHECK(split(name, "a  .") == Pieces{"a", "  ", "."});  // punctuation leaves both spaces behind
  }
}

TEST_CASE("the Falcon family differs in digits and in the backtick", "[pretokenizer]") {
  CHECK(split("falcon", " 12345") == Pieces{" ", "123", "45"});
  CHECK(split("falcon", " `a`") == Pieces{" ", "`", "a", "`"});
  for (const std::string_view name : {"falcon3", "falcon_e"}) {
    CHECK(split(name, "12 a") == Pieces{"1", "2", " a"});
    CHECK(split(name, " 12") == Pieces{" ", "1", "2"});
  }
}

TEST_CASE("numbers are found in what byte-level BPE spells", "[pretokenizer]") {
  // The last byte of U+043C is spelled as a fraction, U+00BC.
  CHECK(split("falcon", "a\xD0\xBC") == Pieces{"a\xD0", "\xBC"});
  CHECK(split("tern:number_bytes", "x12\xD0\xBC.") == Pieces{"x", "12", "\xD0", "\xBC", "."});
  CHECK(split("tern:single_number_bytes", "x12y") == Pieces{"x", "1", "2", "y"});
}

TEST_CASE("a name can spell its steps", "[pretokenizer]") {
  CHECK(split("tern:", "a b, 1") == Pieces{"a b, 1"});
  CHECK(split("tern:qwen2", "ab 12") == split("qwen2", "ab 12"));
  CHECK(split("tern:punctuation,gpt2,digits_1", "a,b 12") == split("falcon3", "a,b 12"));
  CHECK(split("tern:single_punctuation", "a?!b") == Pieces{"a", "?", "!", "b"});
  CHECK(split("tern:single_numbers", "a12 \xD9\xA1") == Pieces{"a", "1", "2", " ", "\xD9\xA1"});
  CHECK(split("starcoder", "ab 12") == Pieces{"ab", " ", "1", "2"});
  for (const std::string_view name :
       {"tern:nothing", "tern:gpt2,,gpt2", "tern:gpt2,gpt2,gpt2,gpt2,gpt2", "tern"}) {
    CHECK(tern::find_pretokenizer(name).status() == tern::Status::unsupported_tokenizer);
  }
}

TEST_CASE("names imply defaults, unknown names are refused", "[pretokenizer]") {
  CHECK((*tern::find_pretokenizer("llama-bpe")).ignore_merges);
  CHECK((*tern::find_pretokenizer("llama-bpe")).add_bos);
  CHECK_FALSE((*tern::find_pretokenizer("qwen2")).ignore_merges);
  CHECK_FALSE((*tern::find_pretokenizer("falcon3")).add_bos);
  const auto unknown = tern::find_pretokenizer("tekken");
  REQUIRE_FALSE(unknown.ok());
  CHECK(unknown.error().status == tern::Status::unsupported_tokenizer);
  CHECK(std::string_view(unknown.error().subject) == "tekken");
}

TEST_CASE("pieces are not empty and join to the text, whatever its bytes", "[pretokenizer]") {
  std::mt19937 random(1);
  constexpr std::string_view kAlphabet = " \t\r\n'sSlLrRe019.,$`\xCC\x81\xC2\xA0\xE4\xBD";
  for (const tern::PretokenizerSpec& spec : tern::kPretokenizers) {
    for (int round = 0; round < 300; ++round) {
      std::string text(random() % 40, '\0');
      for (char& c : text) c = kAlphabet[random() % kAlphabet.size()];
      std::string joined;
      bool has_empty = false;
      tern::pretokenize(spec, text, [&](std::string_view piece) {
        has_empty = has_empty || piece.empty();
        joined += piece;
      });
      REQUIRE_FALSE(has_empty);
      REQUIRE(joined == text);
    }
  }
}
