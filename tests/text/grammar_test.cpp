// Grammars as text: what they match, what is refused; masks against a walk of every token; random
// grammars against the texts that are enumerated from their rules.
#include "tern/text/grammar.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <set>

#include "support/counting_allocator.hpp"
#include "tern/text/grammar_parser.hpp"
#include "text/grammar_fixture.hpp"

using namespace tern;
using namespace tern_test;

namespace {

struct Texts {
  const char* grammar;
  std::vector<std::string> matched;
  std::vector<std::string> others;  // not matched; some of them begin texts that are
};

const Texts kTexts[] = {
    {"root ::= \"yes\" | \"no\"", {"yes", "no"}, {"", "y", "yesno", "nO"}},
    {"root ::= [a-c]+ # all of them\n", {"a", "abcabc"}, {"", "abd"}},
    {"root ::= (\"a\" | \"b\" \"c\")* \"d\"?", {"", "d", "abca", "bcd"}, {"b", "ac", "dd"}},
    {"root ::= \"ab\"{2,3}", {"abab", "ababab"}, {"ab", "aba", "abababab"}},
    {"root ::= \"a\"{2}", {"aa"}, {"a", "aaa"}},
    {"root ::= \"a\"{1,}", {"a", "aaaaaa"}, {""}},
    {"root ::= \"a\"{0,2}", {"", "a", "aa"}, {"aaa"}},
    {"root ::= \"a\"{ 0 , 1 }", {"", "a"}, {"aa"}},
    {"root ::= a\na ::= b\nb ::= \"x\" a | ", {"", "x", "xxx"}, {"y"}},
    {"root ::=\n  \"a\"\n  | \"b\" |\n \"c\"\n", {"a", "b", "c"}, {"ab", ""}},
    {"root ::= ( \"a\"\n \"b\"\n | \"c\" )", {"ab", "c"}, {"a"}},
    {"root ::= empty \"a\"\nempty ::=\nnext ::= \"b\"", {"a"}, {"", "b"}},
    {"root ::= \"\\x41\\u00e9\\U0001F600\\n\\\"\\\\\"", {"A\xC3\xA9\xF0\x9F\x98\x80\n\"\\"}, {"A"}},
    {"root ::= [^a-z\\n]",
     {"A", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"},
     {"a", "\n", "\xC3", "\x80", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80"}},
    {"root ::= [\\]\\-^x-]", {"]", "-", "^", "x"}, {"\\", "y"}},
    {"root ::= [a-]", {"a", "-"}, {"b"}},
    {"root ::= .", {"a", "\n", "\xF4\x8F\xBF\xBF"}, {"", "ab", "\xFF"}},
    // Ranges over the borders of the number of bytes, and inside each.
    {"root ::= [\\x7F-\\u0080]", {"\x7F", "\xC2\x80"}, {"~", "\xC2\x81"}},
    {"root ::= [\\u07FF-\\u0800]", {"\xDF\xBF", "\xE0\xA0\x80"}, {"\xDF\xBE", "\xE0\xA0\x81"}},
    {"root ::= [\\uFFFF-\\U00010000]", {"\xEF\xBF\xBF", "\xF0\x90\x80\x80"}, {"\xEF\xBF\xBE"}},
    {"root ::= [\\u0123-\\u3456]",
     {"\xC4\xA3", "\xDF\xBF", "\xE0\xA0\x80", "\xE3\x91\x96"},
     {"\xC4\xA2", "\xE3\x91\x97", "\xE3\x92\x80", "\xE4\x80\x80"}},
    // Nested to any depth; a loop of what may be empty; rules that end in themselves.
    {"root ::= \"[\" (root (\",\" root)*)? \"]\"", {"[]", "[[],[[]]]"}, {"[", "[,]", "[[]"}},
    {"root ::= (ws word?)* \".\"\nws ::= \" \"*\nword ::= \"w\"", {".", " w  ww.", "   ."}, {" w"}},
    {"root ::= (\"a\"*)*", {"", "aaa"}, {"b"}},
    {"root ::= \"a\" root | \"b\" root | \"\"", {"", "abba"}, {"c"}},
    {"root ::= (\"a\"{3}){0,2}", {"", "aaa", "aaaaaa"}, {"a", "aaaa", "aaaaaaaaa"}},
    {"root ::= x\nx ::= y\ny ::= x | \"z\"", {"z"}, {"", "zz"}},
};

struct Wrong {
  const char* grammar;
  Status status;
  const char* what;
  const char* subject;
  uint64_t where;
};

const Wrong kWrong[] = {
    {"", Status::malformed, "the grammar has no rule of that name", "root", 0},
    {"a ::= \"x\"", Status::malformed, "the grammar has no rule of that name", "root", 0},
    {"root ::= b c", Status::malformed, "the grammar has no rule of that name", "b", 9},
    {"root ::= \"a\"\nroot ::= \"b\"", Status::malformed, "the rule is defined twice", "root", 13},
    {"root = \"a\"", Status::malformed, "`::=` was expected", "", 5},
    {"::= \"a\"", Status::malformed, "a rule's name was expected", "", 0},
    {"root ::= \"a", Status::malformed, "a text without an end", "", 11},
    {"root ::= \"a\n\"", Status::malformed, "a text without an end", "", 11},
    {"root ::= [a", Status::malformed, "a range without an end", "", 11},
    {"root ::= [a-", Status::malformed, "a range without an end", "", 12},
    {"root ::= []", Status::malformed, "a range without characters", "", 9},
    {"root ::= [^\\x00-\\U0010FFFF]", Status::malformed, "a range without characters", "", 9},
    {"root ::= [z-a]", Status::malformed, "a range that ends before it begins", "", 13},
    {"root ::= (\"a\"", Status::malformed, "a group without an end", "", 13},
    {"root ::= \"a\")", Status::malformed, "this begins nothing that a grammar knows", "", 12},
    {"root ::= *", Status::malformed, "this begins nothing that a grammar knows", "", 9},
    {"root ::= \"a\"{x}", Status::malformed, "a number was expected", "", 13},
    {"root ::= \"a\"{2,1}", Status::malformed, "a repetition that ends before it begins", "", 17},
    {"root ::= \"a\"{2", Status::malformed, "a repetition without an end", "", 14},
    {"root ::= \"a\"{99999}", Status::unsupported, "a repetition of the grammar is too long", "",
     13},
    {"root ::= \"\\q\"", Status::malformed, "an escape that a grammar does not know", "", 11},
    {"root ::= \"\\", Status::malformed, "an escape that a grammar does not know", "", 11},
    {"root ::= \"\\x4", Status::malformed, "a hexadecimal digit was expected", "", 13},
    {"root ::= \"\\uD800\"", Status::malformed, "an escape is no character", "", 16},
    {"root ::= \"\xFF\"", Status::malformed, "the grammar is not UTF-8", "", 10},
    {"root ::= <[7]>", Status::unsupported, "tokens in a grammar are not supported", "", 9},
    {"root ::= a\na ::= \"x\" a", Status::malformed, "a rule of the grammar can never end", "root",
     0},
    {"root ::= \"q\" | a\na ::= a \"x\" | \"y\"", Status::malformed,
     "a rule of the grammar begins with itself", "a", 17},
    {"root ::= b? root \"x\" | \"y\"\nb ::= \"z\"", Status::malformed,
     "a rule of the grammar begins with itself", "root", 0},
    {"root ::= a\na ::= b \"x\" | \"p\"\nb ::= c\nc ::= a", Status::malformed,
     "a rule of the grammar begins with itself", "a", 11},
};

}  // namespace

TEST_CASE("grammars match what they say") {
  const Tokenizer tokenizer = grammar_tokenizer();
  for (const Texts& texts : kTexts) {
    INFO(texts.grammar);
    const auto grammar = grammar_of(texts.grammar, tokenizer);
    for (const std::string& text : texts.matched) {
      INFO(text);
      CHECK(matches(*grammar, text));
    }
    for (const std::string& text : texts.others) {
      INFO(text);
      CHECK_FALSE(matches(*grammar, text));
    }
  }
}

TEST_CASE("grammars that are wrong are refused with their place") {
  const Tokenizer tokenizer = grammar_tokenizer();
  for (const Wrong& wrong : kWrong) {
    INFO(wrong.grammar);
    const auto grammar = Grammar::create(wrong.grammar, tokenizer, default_allocator());
    REQUIRE_FALSE(grammar.ok());
    CHECK(grammar.status() == wrong.status);
    CHECK(std::string(grammar.error().what) == wrong.what);
    CHECK(std::string(grammar.error().subject) == wrong.subject);
    CHECK(grammar.error().where == wrong.where);
  }
  for (const char* repeated : {"\"a\"{9999} ", "\"a\"{0,9999} "}) {
    std::string large = "root ::= ";
    for (int i = 0; i < 60; ++i) large += repeated;
    const auto grammar = Grammar::create(large, tokenizer, default_allocator());
    REQUIRE_FALSE(grammar.ok());
    CHECK(grammar.status() == Status::unsupported);
    CHECK(std::string(grammar.error().what) == "the grammar is too large");
  }
  const std::string deep = "root ::= " + std::string(100, '(') + "\"a\"" + std::string(100, ')');
  const auto nested = Grammar::create(deep, tokenizer, default_allocator());
  REQUIRE_FALSE(nested.ok());
  CHECK(nested.status() == Status::unsupported);
}

TEST_CASE("every cut of a grammar's text gives a grammar or a refusal") {
  const Tokenizer tokenizer = grammar_tokenizer();
  for (const Texts& texts : kTexts) {
    const std::string_view all = texts.grammar;
    for (size_t size = 0; size < all.size(); ++size) {
      const auto grammar = Grammar::create(all.substr(0, size), tokenizer, default_allocator());
      if (!grammar.ok()) CHECK(grammar.status() != Status::internal);
    }
  }
}

TEST_CASE("a mask allows the tokens whose bytes the grammar takes, at every place of a text") {
  const Tokenizer tokenizer = grammar_tokenizer({"ab", "abc", "b", "[[", "]]", "],[", "\xC3\xA9"});
  const char* const grammars[] = {
      "root ::= \"[\" (root (\",\" root)*)? \"]\"",
      "root ::= (\"a\" | \"ab\" \"c\"?)* [\\u00e0-\\u00ff]{0,2}",
      "root ::= .{1,3}",
  };
  const char* const texts[] = {"[[],[[]]]", "aababc\xC3\xA9", "a\xC3\xA9z"};
  for (size_t g = 0; g < std::size(grammars); ++g) {
    INFO(grammars[g]);
    const auto grammar = grammar_of(grammars[g], tokenizer);
    const auto check = [&] {
      const auto mask = grammar->mask();
      REQUIRE(mask.ok());
      const std::vector<uint64_t> bits(mask->begin(), mask->end());
      for (TokenId id = 0; tokenizer.vocabulary().contains(id); ++id) {
        INFO(id);
        const auto fork = grammar->fork();
        REQUIRE(fork.ok());
        CHECK(allows(bits, id) == (*fork)->accept(id).ok());
      }
    };
    check();
    for (const char c : std::string_view(texts[g])) {
      REQUIRE(grammar->accept(byte_token(c)).ok());
      check();
    }
    CHECK(grammar->may_end());
  }
}

TEST_CASE("a text may end where the grammar says, once") {
  const Tokenizer tokenizer = grammar_tokenizer();
  const TokenId end = tokenizer.vocabulary().special_tokens().eos;
  const auto grammar = grammar_of("root ::= \"ab\" \"c\"?", tokenizer);
  CHECK_FALSE(grammar->accept(end).ok());
  CHECK_FALSE(grammar->may_end());
  REQUIRE(grammar->accept(byte_token('a')).ok());
  CHECK_FALSE(allows(*grammar->mask(), end));
  REQUIRE(grammar->accept(byte_token('b')).ok());
  CHECK(grammar->may_end());
  CHECK_FALSE(grammar->is_finished());
  CHECK(allows(*grammar->mask(), end));
  const auto longer = *grammar->fork();
  REQUIRE(longer->accept(byte_token('c')).ok());
  CHECK(longer->is_finished());
  REQUIRE(grammar->accept(end).ok());
  CHECK(grammar->may_end());
  CHECK(grammar->is_finished());
  const auto nothing = grammar->mask();
  REQUIRE(nothing.ok());
  for (const uint64_t word : *nothing) CHECK(word == 0);
  CHECK(grammar->accept(end).status() == Status::invalid_argument);
  CHECK(grammar->accept(byte_token('c')).status() == Status::invalid_argument);
  CHECK(grammar->accept(-1).status() == Status::token_out_of_range);
  CHECK(matches(*grammar, "ab"));
}

TEST_CASE("the space in front of a text is not the grammar's") {
  const Tokenizer tokenizer = grammar_tokenizer({" yes", " ", "yes"}, true);
  const TokenId spaced = kFirstWord;
  const TokenId space = kFirstWord + 1;
  const auto grammar = grammar_of("root ::= \"yes\" \" yes\"?", tokenizer);
  CHECK_FALSE(grammar->accept(spaced).ok());
  REQUIRE(grammar->reset(true).ok());
  CHECK(allows(*grammar->mask(), spaced));
  CHECK(allows(*grammar->mask(), space));
  REQUIRE(grammar->accept(spaced).ok());
  CHECK(grammar->may_end());
  REQUIRE(grammar->accept(spaced).ok());  // this one is
  CHECK(grammar->is_finished());
  REQUIRE(grammar->reset(true).ok());
  REQUIRE(grammar->accept(space).ok());
  CHECK_FALSE(grammar->accept(spaced).ok());
}

TEST_CASE("what is kept of a grammar is bounded, and forgetting it changes nothing") {
  // Every byte of the text leaves another state: more than are kept.
  const Tokenizer tokenizer = grammar_tokenizer({"aaaaaaaaaaaaaaaa"});
  const auto grammar = grammar_of("root ::= ([a-f]{10} [g-k]){0,9000} \"z\"", tokenizer);
  std::mt19937 random(1);
  size_t phase = 0;
  for (size_t i = 0; i < 60000; ++i) {
    const bool is_last = phase == 10;
    const char c = static_cast<char>((is_last ? 'g' : 'a') + static_cast<int>(random() % 5));
    if (i % 997 == 0) {
      const auto mask = grammar->mask();
      REQUIRE(mask.ok());
      CHECK(allows(*mask, byte_token('a')) == !is_last);
      CHECK(allows(*mask, byte_token('g')) == is_last);
      CHECK(allows(*mask, byte_token('z')) == (phase == 0));
      CHECK_FALSE(allows(*mask, kFirstWord));
    }
    REQUIRE(grammar->accept(byte_token(c)).ok());
    phase = is_last ? 0 : phase + 1;
  }
}

namespace {

/// A small grammar as data: rules of alternatives of elements; a letter matches itself.
using RandomRule = std::vector<std::string>;  // 'a', 'b': bytes; '0', '1', ...: rules
constexpr size_t kLongest = 6;
using Language = std::set<std::string>;

Language joined(const Language& a, const Language& b, bool cut) {
  Language out;
  for (const std::string& x : a) {
    for (const std::string& y : b) {
      if (x.size() + y.size() <= kLongest) {
        out.insert(x + y);
      } else if (cut) {
        out.insert((x + y).substr(0, kLongest));
      }
    }
  }
  return out;
}

/// The texts of each rule up to kLongest, or what its texts begin with: least fixed points of the
/// rules' equations. Beginnings of longer texts count if all rules can end.
std::vector<Language> languages(const std::vector<RandomRule>& rules, bool beginnings) {
  std::vector<Language> out(rules.size());
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t r = 0; r < rules.size(); ++r) {
      for (const std::string& alternative : rules[r]) {
        Language texts = {""};
        for (const char c : alternative) {
          const Language one = {std::string(1, c)};
          texts = joined(texts, c >= 'a' ? one : out[static_cast<size_t>(c - '0')], beginnings);
        }
        for (const std::string& text : texts) changed = out[r].insert(text).second || changed;
      }
    }
  }
  return out;
}

}  // namespace

TEST_CASE("a text that is nested deeply is kept, and is not what makes a grammar large") {
  const auto rules = parse_grammar("root ::= \"(\" root \")\" | \"x\"", default_allocator());
  REQUIRE(rules.ok());
  GrammarAutomaton automaton(*rules);
  GrammarState state = *automaton.start();
  constexpr int kDepth = 70000;
  for (int i = 0; i < kDepth; ++i) state = *automaton.step(state, '(');
  CHECK(automaton.is_large());
  automaton.compact({&state, 1});
  CHECK_FALSE(automaton.is_large());
  state = *automaton.step(state, 'x');
  for (int i = 0; i < kDepth; ++i) state = *automaton.step(state, ')');
  CHECK(automaton.may_end(state));
  CHECK_FALSE(automaton.may_go_on(state));
}

TEST_CASE("a loop that never asks for a mask needs bounded memory") {
  const Tokenizer tokenizer = grammar_tokenizer();
  CountingAllocator memory;
  const auto grammar =
      Grammar::create("root ::= (\"(\" root \")\" | \"[\" root \"]\")*", tokenizer, memory.hooks());
  std::mt19937 random(5);
  size_t n_taken = 0;
  for (int round = 0; round < 3000; ++round) {  // brackets in an order that never came before
    std::string text;
    for (int i = 0; i < 40; ++i) text += random() % 2 == 0 ? '(' : '[';
    for (int i = 40; i-- > 0;) text += text[static_cast<size_t>(i)] == '(' ? ')' : ']';
    for (const char c : text) n_taken += (*grammar)->accept(byte_token(c)).ok() ? 1 : 0;
  }
  CHECK(n_taken == size_t{3000} * 80);
  CHECK(memory.peak < size_t{16} << 20);
}

TEST_CASE("random grammars match the texts that follow from their rules") {
  const Tokenizer tokenizer = grammar_tokenizer();
  std::mt19937 random(7);
  size_t n_grammars = 0;
  size_t n_texts = 0;
  size_t n_ambiguous = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<RandomRule> rules(1 + random() % 4);
    std::string gbnf;
    for (size_t r = 0; r < rules.size(); ++r) {
      gbnf += r == 0 ? "root ::= " : "r" + std::to_string(r) + " ::= ";
      const size_t n_alternatives = 1 + random() % 3;
      for (size_t a = 0; a < n_alternatives; ++a) {
        std::string alternative;
        gbnf += a == 0 ? "" : "| ";
        for (size_t n = random() % 4; n > 0; --n) {
          const size_t pick = random() % (2 + rules.size());
          const char c =
              pick < 2 ? static_cast<char>('a' + pick) : static_cast<char>('0' + pick - 2);
          alternative += c;
          gbnf += pick < 2    ? std::string("\"") + c + "\" "
                  : pick == 2 ? "root "
                              : "r" + std::to_string(pick - 2) + " ";
        }
        rules[r].push_back(alternative);
      }
      gbnf += "\n";
    }
    const auto created = Grammar::create(gbnf, tokenizer, default_allocator());
    if (!created.ok()) {
      // Rules without an end, or that begin with themselves: the other tests say which.
      CHECK(created.status() == Status::malformed);
      continue;
    }
    ++n_grammars;
    INFO(gbnf);
    const Language texts = languages(rules, false)[0];
    // A text is the beginning of another if it is what is left of one that was cut.
    Language beginnings;
    const auto cut_texts = languages(rules, true);
    for (const std::string& text : cut_texts[0]) {
      for (size_t n = 0; n <= text.size(); ++n) beginnings.insert(text.substr(0, n));
    }
    for (size_t size = 0; size <= kLongest; ++size) {
      for (size_t bits = 0; bits < size_t{1} << size; ++bits) {
        std::string text;
        for (size_t i = 0; i < size; ++i) text += (bits >> i) & 1 ? 'b' : 'a';
        Status status = Status::ok;
        const bool begins = takes(**created, text, &status);
        if (status == Status::unsupported) {
          ++n_ambiguous;  // as many stacks as there are ways to cut the text
          continue;
        }
        const bool is_match = begins && (*created)->may_end();
        if (begins != beginnings.contains(text) || is_match != texts.contains(text)) {
          INFO(text);
          CHECK(begins == beginnings.contains(text));
          CHECK(is_match == texts.contains(text));
        }
        n_texts += is_match ? 1 : 0;
      }
    }
  }
  CHECK(n_grammars > 300);
  CHECK(n_texts > 1000);
  CHECK(n_ambiguous < 10);
}
