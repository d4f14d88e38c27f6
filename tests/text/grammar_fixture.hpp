// What tests of grammars share: a vocabulary of all bytes and some words, and walks along texts.
#pragma once

#include <memory>
#include <string_view>

#include "tern/text/grammar.hpp"
#include "text/tiny_vocabularies.hpp"

namespace tern_test {

/// A SentencePiece vocabulary: three special tokens, every byte, and `words` from kFirstWord on.
inline tern::Tokenizer grammar_tokenizer(const std::vector<std::string>& words = {},
                                         bool adds_space = false) {
  std::vector<std::pair<std::string, float>> pieces;
  for (const std::string& word : words) pieces.emplace_back(word, 0.0f);
  TinyVocabulary v = tiny_spm(pieces);
  v.flags.add_space_prefix = adds_space;
  return v.tokenizer();
}
inline constexpr tern::TokenId kFirstWord = 259;
inline tern::TokenId byte_token(char byte) { return 3 + static_cast<uint8_t>(byte); }

inline std::shared_ptr<tern::Grammar> grammar_of(std::string_view gbnf,
                                                 const tern::Tokenizer& tokenizer) {
  auto grammar = tern::Grammar::create(gbnf, tokenizer, tern::default_allocator());
  INFO(gbnf);
  if (!grammar.ok()) {
    INFO(grammar.error().what << " " << grammar.error().subject << " " << grammar.error().where);
    REQUIRE(grammar.ok());
  }
  return *grammar;
}

/// Takes the text byte by byte, from the beginning; whether the grammar allows it.
inline bool takes(tern::Grammar& grammar, std::string_view text, tern::Status* status = nullptr) {
  REQUIRE(grammar.reset().ok());
  for (const char c : text) {
    const auto accepted = grammar.accept(byte_token(c));
    if (status != nullptr) *status = accepted.status();
    if (!accepted.ok()) return false;
  }
  return true;
}
/// Whether the text is one of the grammar's.
inline bool matches(tern::Grammar& grammar, std::string_view text) {
  return takes(grammar, text) && grammar.may_end();
}

inline bool allows(std::span<const uint64_t> mask, tern::TokenId token) {
  const auto bit = static_cast<size_t>(token);
  return ((mask[bit / 64] >> (bit % 64)) & 1) != 0;
}

}  // namespace tern_test
