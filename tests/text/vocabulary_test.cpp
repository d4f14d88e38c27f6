#include "tern/text/vocabulary.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <string>
#include <vector>

#include "support/counting_allocator.hpp"
#include "text/hash_collisions.hpp"
#include "text/tiny_vocabularies.hpp"

using tern::kNoToken;
using tern::Status;
using tern::TokenType;
using tern_test::tiny_byte_bpe;
using tern_test::tiny_spm;
using tern_test::TinyVocabulary;

namespace {

tern::Vocabulary create(TinyVocabulary& tiny) {
  auto result = tern::Vocabulary::create(tiny.data(), tern::default_allocator());
  REQUIRE(result.ok());
  return *std::move(result);
}

std::vector<tern::TokenId> end_of_generation(const tern::Vocabulary& v) {
  return {v.end_of_generation().begin(), v.end_of_generation().end()};
}

}  // namespace

TEST_CASE("byte-level tokens are kept as the bytes that they spell", "[vocabulary]") {
  auto tiny = tiny_byte_bpe({{" ", "t"}, {" t", "he"}, {"h", "e"}});
  const auto v = create(tiny);
  CHECK(v.kind() == tern::TokenizerKind::byte_bpe);
  CHECK(v.size() == 256 + 3 + 4);
  CHECK(v.piece(0x0A) == "\n");
  CHECK(v.piece(0xFF) == "\xFF");
  CHECK(v.piece(256) == " t");
  CHECK(v.find_piece(" the") == 257);
  CHECK(v.byte_token('h') == 'h');
  CHECK(v.max_piece_bytes() == 10);  // <|eot_id|>
  CHECK(v.type(261) == TokenType::control);
  CHECK(v.find_special("<|eot_id|>") == 261);
  CHECK(v.find_special("[tool]") == 262);
  CHECK(v.find_special("<|eot_id|") == kNoToken);
  CHECK(v.find_piece("<|bos|>") == kNoToken);  // merging never makes a control token
  CHECK_FALSE(v.contains(-1));
  CHECK_FALSE(v.contains(263));
}

TEST_CASE("a normal token outside the byte map keeps its text and is never found", "[vocabulary]") {
  auto tiny = tiny_byte_bpe({{"a", "b"}});
  const auto id = tiny.add("\xE4\xBD\xA0 x", TokenType::normal);
  const auto v = create(tiny);
  CHECK(v.piece(id) == "\xE4\xBD\xA0 x");
  CHECK(v.find_piece("\xE4\xBD\xA0 x") == kNoToken);
}

TEST_CASE("SentencePiece tokens are kept with plain spaces and single bytes", "[vocabulary]") {
  auto tiny = tiny_spm({{" the", -1.0f}, {"  ", -2.0f}});
  const auto v = create(tiny);
  CHECK(v.piece(3 + 0xE2) == "\xE2");
  CHECK(v.byte_token(0x0A) == 3 + 0x0A);
  CHECK(v.find_piece(" the") == 259);
  CHECK(v.score(259) == -1.0f);
  CHECK(v.find_piece("\n") == kNoToken);  // byte tokens are for what has no other token
  CHECK(v.find_piece("<s>") == kNoToken);
  CHECK(v.spaces_begin_pieces());

  tiny.add("of\xE2\x96\x81the", TokenType::normal);
  CHECK_FALSE(create(tiny).spaces_begin_pieces());
}

TEST_CASE("what a SentencePiece file leaves out has its defaults", "[vocabulary]") {
  auto tiny = tiny_spm({{"a", 0.0f}});
  const auto v = create(tiny);
  CHECK(v.special_tokens().bos == 1);
  CHECK(v.special_tokens().eos == 2);
  CHECK(v.special_tokens().unk == 0);
  CHECK(v.special_tokens().pad == kNoToken);
  CHECK(v.add_bos());
  CHECK_FALSE(v.add_eos());
  CHECK(v.add_space_prefix());

  tiny.flags.add_bos = false;
  tiny.flags.add_eos = true;
  tiny.flags.add_space_prefix = false;
  tiny.flags.bos = 7;
  tiny.flags.pad = 0;
  const auto told = create(tiny);
  CHECK_FALSE(told.add_bos());
  CHECK(told.add_eos());
  CHECK_FALSE(told.add_space_prefix());
  CHECK(told.special_tokens().bos == 7);
  CHECK(told.special_tokens().pad == 0);
}

TEST_CASE("what a byte-level file leaves out depends on the pre-tokenizer", "[vocabulary]") {
  auto gpt2 = tiny_byte_bpe({{"a", "b"}}, "gpt-2");
  CHECK_FALSE(create(gpt2).add_bos());
  CHECK_FALSE(create(gpt2).ignore_merges());
  CHECK_FALSE(create(gpt2).add_space_prefix());
  auto llama3 = tiny_byte_bpe({{"a", "b"}}, "llama-bpe");
  CHECK(create(llama3).add_bos());
  CHECK(create(llama3).ignore_merges());
  llama3.flags.add_bos = false;
  llama3.flags.ignore_merges = false;
  CHECK_FALSE(create(llama3).add_bos());
  CHECK_FALSE(create(llama3).ignore_merges());
}

TEST_CASE("id 11 is the default only where it is a control token", "[vocabulary]") {
  auto tiny = tiny_byte_bpe({{"a", "b"}});
  tiny.flags.bos.reset();
  tiny.flags.eos.reset();
  CHECK(create(tiny).special_tokens().eos == kNoToken);
  tiny.types[11] = static_cast<int32_t>(TokenType::control);
  CHECK(create(tiny).special_tokens().bos == 11);
  CHECK(create(tiny).special_tokens().eos == 11);
}

TEST_CASE("generation ends at eos, eot, eom and at texts that say so", "[vocabulary]") {
  auto tiny = tiny_byte_bpe({{"a", "b"}});  // bos 257, eos 258, <|eot_id|> 259, [tool] 260
  const auto v = create(tiny);
  CHECK(v.special_tokens().eot == 259);
  CHECK(end_of_generation(v) == std::vector<tern::TokenId>{258, 259});
  CHECK(v.is_end_of_generation(259));
  CHECK_FALSE(v.is_end_of_generation(257));

  // A converter left it normal: it becomes a control token all the same.
  const auto im_end = tiny.add("<|im_end|>", TokenType::normal);
  const auto eom = tiny.add("<|eom_id|>", TokenType::control);
  tiny.flags.eot = 65;
  const auto more = create(tiny);
  CHECK(more.special_tokens().eot == 65);
  CHECK(more.special_tokens().eom == eom);
  CHECK(more.type(im_end) == TokenType::control);
  CHECK(more.find_special("<|im_end|>") == im_end);
  CHECK(end_of_generation(more) == std::vector<tern::TokenId>{65, 258, 259, im_end, eom});
}

TEST_CASE("a vocabulary without types has bytes and special tokens", "[vocabulary]") {
  auto tiny = tiny_spm({{"a", 0.0f}});
  tiny.types.clear();
  const auto v = create(tiny);
  CHECK(v.type(0) == TokenType::unknown);
  CHECK(v.type(1) == TokenType::control);
  CHECK(v.type(3) == TokenType::byte);
  CHECK(v.type(259) == TokenType::normal);
  CHECK(v.byte_token('x') == 3 + 'x');
}

TEST_CASE("of tokens with the same text the last one is found", "[vocabulary]") {
  auto tiny = tiny_byte_bpe({{"a", "b"}, {"a", "b"}});
  CHECK(create(tiny).find_piece("ab") == 257);
}

TEST_CASE("merges may pass through texts that are no tokens", "[vocabulary]") {
  auto tiny = tiny_byte_bpe({{"ab", "c"}});
  tiny.merges.insert(tiny.merges.begin(), "a b");  // "ab" has no token
  const auto v = create(tiny);
  CHECK(v.find_piece("ab") == kNoToken);
  CHECK(v.find_symbol("ab") >= static_cast<int32_t>(v.size()));
  const auto tokenizer = tiny.tokenizer();
  CHECK(tern_test::encode_plain(tokenizer, "abc") == std::vector<tern::TokenId>{256});
  CHECK(tern_test::encode_plain(tokenizer, "ab") == std::vector<tern::TokenId>{'a', 'b'});
}

TEST_CASE("a vocabulary that contradicts itself is refused", "[vocabulary]") {
  SECTION("no tokens") {
    TinyVocabulary none;
    CHECK(none.error().status == Status::malformed);
  }
  SECTION("sizes that disagree") {
    auto types = tiny_byte_bpe({{"a", "b"}});
    types.types.pop_back();
    CHECK(types.error().status == Status::mismatch);
    auto scores = tiny_spm({{"a", 0.0f}});
    scores.scores.pop_back();
    CHECK(scores.error().status == Status::mismatch);
  }
  SECTION("what its kind cannot do without") {
    auto merges = tiny_byte_bpe({{"a", "b"}});
    merges.merges.clear();
    CHECK(merges.error().status == Status::missing);
    auto scores = tiny_spm({{"a", 0.0f}});
    scores.scores.clear();
    CHECK(scores.error().status == Status::missing);
  }
  SECTION("a type that does not exist") {
    auto tiny = tiny_byte_bpe({{"a", "b"}});
    tiny.types[5] = 7;
    CHECK(tiny.error().status == Status::malformed);
    CHECK(std::string(tiny.error().subject) == tiny.tokens[5]);
    CHECK_FALSE(tiny.error().has_where());  // a number here would be read as a byte of the file
    tiny.types[5] = -1;
    CHECK(tiny.error().status == Status::malformed);
  }
  SECTION("special ids that are no tokens") {
    for (const int64_t id : {int64_t{-1}, int64_t{261}, std::numeric_limits<int64_t>::max()}) {
      auto tiny = tiny_byte_bpe({{"a", "b"}});
      tiny.flags.pad = id;
      CHECK(tiny.error().status == Status::mismatch);
      CHECK(std::string(tiny.error().subject) == "pad");
    }
  }
  SECTION("merges without two sides") {
    for (const char* merge : {"", " ", "ab", "ab ", " ab"}) {
      auto tiny = tiny_byte_bpe({{"a", "b"}});
      tiny.merges.push_back(merge);
      INFO("merge '" << merge << "'");
      CHECK(tiny.error().status == Status::malformed);
      CHECK(std::string(tiny.error().subject) == merge);
      CHECK_FALSE(tiny.error().has_where());
    }
  }
  SECTION("a byte token that spells no byte") {
    for (const char* text : {"<0x4>", "<0x4g>", "<0x4a>", "x", ""}) {
      auto tiny = tiny_spm({});
      tiny.add(text, TokenType::byte);
      CHECK(tiny.error().status == Status::malformed);
      CHECK(std::string(tiny.error().subject) == text);
      CHECK_FALSE(tiny.error().has_where());
    }
  }
  SECTION("a special token that is too long") {
    for (const TokenType type : {TokenType::unknown, TokenType::control, TokenType::user_defined}) {
      auto tiny = tiny_byte_bpe({{"a", "b"}});
      const auto id = tiny.add(std::string(tern::SpecialIndex::kMaxBytes, 'x'), type);
      CHECK(create(tiny).find_special(tiny.tokens[static_cast<size_t>(id)]) == id);
      tiny.tokens.back() += 'x';
      CHECK(tiny.error().status == Status::malformed);
    }
    auto normal = tiny_byte_bpe({{"a", "b"}});
    const auto id = normal.add(std::string(10000, 'x'), TokenType::normal);
    CHECK(create(normal).find_piece(normal.tokens.back()) == id);
  }
  SECTION("a pre-tokenizer that nobody knows") {
    auto tiny = tiny_byte_bpe({{"a", "b"}}, "made-up");
    CHECK(tiny.error().status == Status::unsupported_tokenizer);
    CHECK(std::string(tiny.error().subject) == "made-up");
  }
}

TEST_CASE("a vocabulary that was made to collide is refused", "[vocabulary]") {
  const auto texts = tern_test::colliding_texts(2 * tern::PieceIndex::kMaxProbes);
  SECTION("by its tokens") {
    auto byte_level = tiny_byte_bpe({{"a", "b"}});
    for (const auto& text : texts) byte_level.add(tern_test::spell(text), TokenType::normal);
    CHECK(byte_level.error().status == Status::malformed);
    auto spm = tiny_spm({});
    for (const auto& text : texts) {
      // A space of its own would keep a text out of the index.
      if (text.find(' ') == std::string::npos) spm.add(text, TokenType::normal);
    }
    CHECK(spm.error().status == Status::malformed);
  }
  SECTION("by the texts of its merges") {
    auto tiny = tiny_byte_bpe({{"a", "b"}});
    for (const auto& text : texts) tiny.merges.push_back(tern_test::spell(text) + " a");
    CHECK(tiny.error().status == Status::malformed);
  }
}

TEST_CASE("sizes that disagree are found before anything is allocated", "[vocabulary]") {
  auto tiny = tiny_byte_bpe({{"a", "b"}});
  tiny.merges.assign(100000, "a b");
  tiny.types.pop_back();
  tern_test::CountingAllocator memory;
  CHECK(tern::Vocabulary::create(tiny.data(), memory.hooks()).status() == Status::mismatch);
  CHECK(memory.calls == 0);
}

TEST_CASE("markers that a file has as user-defined tokens are control tokens", "[vocabulary]") {
  auto tiny = tiny_byte_bpe({{"a", "b"}});
  std::vector<tern::TokenId> markers;
  for (const char* text : {"<|im_start|>", "<|start_header_id|>", "<|end_of_text|>", "<|user|>",
                           "<end_of_turn>", "<EOT>", "<EOT>"}) {
    markers.push_back(tiny.add(text, TokenType::user_defined));
  }
  const auto other = tiny.add("<|tool|>", TokenType::user_defined);
  const auto v = create(tiny);
  for (const tern::TokenId id : markers) CHECK(v.type(id) == TokenType::control);
  CHECK(v.type(other) == TokenType::user_defined);
  CHECK(v.user_defined().find(v.pieces(), "<|tool|>") == other);
  CHECK(v.user_defined().find(v.pieces(), "<|im_start|>") == kNoToken);
  CHECK(v.find_special("<|im_start|>") == markers[0]);
}

TEST_CASE("a vocabulary takes a small multiple of its input", "[vocabulary]") {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (int i = 0; i < 20000; ++i) pairs.emplace_back(std::to_string(i), "x");
  auto byte_level = tiny_byte_bpe(pairs);
  std::vector<std::pair<std::string, float>> pieces;
  for (int i = 0; i < 20000; ++i) pieces.emplace_back(std::to_string(i), 0.0f);
  auto spm = tiny_spm(pieces);
  for (TinyVocabulary* tiny : {&byte_level, &spm}) {
    tern_test::CountingAllocator memory;
    const auto data = tiny->data();
    // As in a file: a length of 8 bytes and the bytes of each text, a type and a score each token.
    size_t input = 8 * (data.tokens.size() + data.merges.size());
    for (const auto text : data.tokens) input += text.size() + 8;
    for (const auto text : data.merges) input += text.size();
    {
      const auto v = tern::Vocabulary::create(data, memory.hooks());
      REQUIRE(v.ok());
      CHECK(memory.live <= 8 * input);
      CHECK(memory.peak <= 12 * input);
    }
    CHECK(memory.live == 0);
  }
}

#if defined(__cpp_exceptions)
TEST_CASE("memory that runs out anywhere is a status", "[vocabulary]") {
  auto tiny = tiny_byte_bpe({{"a", "b"}, {"ab", "c"}});
  const auto data = tiny.data();
  tern_test::CountingAllocator whole;
  REQUIRE(tern::Vocabulary::create(data, whole.hooks()).ok());
  int refusals = 0;
  for (size_t budget = 0; budget < whole.peak; budget += 97) {
    tern_test::CountingAllocator memory;
    memory.budget = budget;
    const auto v = tern::Vocabulary::create(data, memory.hooks());
    refusals += v.status() == Status::out_of_memory ? 1 : 0;
    CHECK((v.ok() || v.status() == Status::out_of_memory));
  }
  CHECK(refusals > 10);
}
#endif
