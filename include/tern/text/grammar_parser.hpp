// Grammars as text (GBNF, a BNF with the operators of regular expressions) to GrammarRules.
//
// Room: text. The notation, one rule a line:
//
//     root   ::= "yes" | "no" ws reason?      # rule `root` is where a text begins
//     reason ::= "because " [^\n]{1,80} "."
//     ws     ::= [ \t]*
//
//   | written               | matches                                                       |
//   |-----------------------|---------------------------------------------------------------|
//   | "text"                | these characters                                              |
//   | [a-z0-9_], [^"\\]     | one character in, or not in, the ranges                       |
//   | .                     | any one character                                             |
//   | name                  | what the rule matches: letters, digits, `-`, `_`              |
//   | ( ... ), a `|` b      | a group; one or the other, maybe nothing                      |
//   | x*, x+, x?            | any number, at least one, at most one                         |
//   | x{3}, x{3,}, x{3,5}   | so many                                                       |
//   | \n \r \t \\ \" \[ \]  | escapes, in texts and ranges; also \- \^ \xHH \uHHHH          |
//   |                       | \UHHHHHHHH, which are code points                             |
//
// A rule goes on behind a line feed inside parentheses, behind `::=`, and beside `|`. Tokens by id
// or name (`<[1000]>`) are refused by name.
#pragma once

#include <string_view>

#include "tern/text/grammar_rules.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// Groups inside groups.
inline constexpr size_t kMaxGrammarDepth = 64;
/// Most copies that a repetition asks for.
inline constexpr uint32_t kMaxGrammarRepeats = 16384;

/// Sealed rules, rule 0 being `root`.
/// Errors: malformed, with the byte (a syntax error, text that is not UTF-8, a rule that is missing,
///   defined twice, cannot end, or begins with itself); unsupported (beyond the limits, or tokens);
///   out_of_memory. Cost: O(text), repetitions written out.
Result<GrammarRules> parse_grammar(std::string_view text, const AllocatorHooks& hooks);

TERN_NAMESPACE_END
