#include "tern/text/stream_decoder.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "support/counting_allocator.hpp"
#include "text/tiny_vocabularies.hpp"

using tern::TokenId;

namespace {

tern::StreamDecoder make(const tern::Tokenizer& tokenizer, const tern::DecodeOptions& options) {
  auto decoder = tern::StreamDecoder::create(tokenizer, options, tern::default_allocator());
  REQUIRE(decoder.ok());
  return *std::move(decoder);
}

std::string push(tern::StreamDecoder& decoder, TokenId id) {
  const auto shown = decoder.push(id);
  REQUIRE(shown.ok());
  return std::string(*shown);
}

}  // namespace

TEST_CASE("characters come out when their last byte is in", "[stream_decoder]") {
  const auto t = tern_test::tiny_byte_bpe({{"a", "b"}}).tokenizer();
  auto decoder = make(t, {});
  CHECK(push(decoder, 'x') == "x");
  CHECK(push(decoder, 0xF0).empty());
  CHECK(push(decoder, 0x9F).empty());
  CHECK(push(decoder, 0x98).empty());
  CHECK(push(decoder, 0x80) == "\xF0\x9F\x98\x80");
  CHECK(push(decoder, 256) == "ab");
  CHECK(decoder.flush().empty());
}

TEST_CASE("bytes that cannot become a character pass, flush gives the rest", "[stream_decoder]") {
  const auto t = tern_test::tiny_byte_bpe({{"a", "b"}}).tokenizer();
  auto decoder = make(t, {});
  CHECK(push(decoder, 0x80) == "\x80");
  CHECK(push(decoder, 0xE2).empty());
  CHECK(push(decoder, 'a') ==
        "\xE2"
        "a");
  CHECK(push(decoder, 0xE2).empty());
  CHECK(push(decoder, 0x82).empty());
  CHECK(decoder.flush() == "\xE2\x82");
  CHECK(decoder.flush().empty());
  CHECK(push(decoder, 'b') == "b");
}

TEST_CASE("a token outside the vocabulary changes nothing", "[stream_decoder]") {
  const auto t = tern_test::tiny_byte_bpe({{"a", "b"}}).tokenizer();
  auto decoder = make(t, {});
  CHECK(push(decoder, 0xC3).empty());
  CHECK(decoder.push(9999).status() == tern::Status::token_out_of_range);
  CHECK(push(decoder, 0xA9) == "\xC3\xA9");
}

TEST_CASE("the first space goes unless the tokens continue a text", "[stream_decoder]") {
  const auto t = tern_test::tiny_spm({{" a", 0}}).tokenizer();
  auto beginning = make(t, {});
  CHECK(push(beginning, 1).empty());  // <s>, hidden
  CHECK(push(beginning, 259) == "a");
  CHECK(push(beginning, 259) == " a");
  CHECK(beginning.flush().empty());
  CHECK(push(beginning, 259) == "a");  // a new text
  auto continuing = make(t, {.begins_text = false});
  CHECK(push(continuing, 259) == " a");
  auto showing = make(t, {.show_special = true});
  CHECK(push(showing, 1) == "<s>");
}

TEST_CASE("a stream decoder allocates when it is created and never again", "[stream_decoder]") {
  const auto t = tern_test::tiny_byte_bpe({{"a", "b"}}).tokenizer();
  tern_test::CountingAllocator memory;
  {
    auto decoder = tern::StreamDecoder::create(t, {}, memory.hooks());
    REQUIRE(decoder.ok());
    const size_t before = memory.calls;
    CHECK(before > 0);
    for (TokenId id = 0; id < 261; ++id) REQUIRE(decoder->push(id).ok());
    decoder->flush();
    CHECK(memory.calls == before);
  }
  CHECK(memory.live == 0);
  memory.budget = 0;
  CHECK(tern::StreamDecoder::create(t, {}, memory.hooks()).status() == tern::Status::out_of_memory);
}

TEST_CASE("pushes and a flush give what decode gives", "[stream_decoder][property]") {
  std::mt19937 random(9);
  auto byte_level = tern_test::tiny_byte_bpe({{"\xE4\xBD", "\xA0"}, {"\x98", "\x80"}});
  auto spm = tern_test::tiny_spm({{" a", 0}, {"  ", 0}});
  for (auto* tiny : {&byte_level, &spm}) {
    const auto t = tiny->tokenizer();
    for (int round = 0; round < 500; ++round) {
      const tern::DecodeOptions options = {.show_special = random() % 2 == 0,
                                           .begins_text = random() % 2 == 0};
      auto decoder = make(t, options);
      std::vector<TokenId> ids(random() % 30);
      std::string streamed;
      for (size_t i = 0; i < ids.size(); ++i) {
        TokenId& id = ids[i];
        id = static_cast<TokenId>(random() % t.vocabulary().size());
        if (random() % 2 == 0)
          id = t.vocabulary().byte_token(static_cast<uint8_t>(0x80 + id % 128));
        streamed += push(decoder, id);
        // Not a character more could have been shown, nor one less.
        const std::string so_far = tern_test::decode(
            t, {ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(i) + 1}, options);
        REQUIRE(streamed == so_far.substr(0, tern::complete_utf8_prefix(so_far)));
      }
      streamed += decoder.flush();
      REQUIRE(streamed == tern_test::decode(t, ids, options));
    }
  }
}
