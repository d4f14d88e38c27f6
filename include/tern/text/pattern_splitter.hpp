// Pre-tokenizer patterns that tern does not know: what a host lends to cut text by them.
//
// Room: text. The patterns of published models are recognised by their text and coded by hand
// (pretokenizer.hpp). Any other needs an engine for regular expressions, which the library does not
// have; a host that has one gives it here (docs/adr/0015-patterns-by-a-hook.md). The program does
// so with PCRE2: examples/cli/pcre2_patterns.cpp.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "tern/base/status.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// Takes the ends of pieces, one after the other.
class PieceSink {
 public:
  virtual ~PieceSink() = default;

  /// The piece that goes on from where the one before ended. Requires: `end` is beyond that, and
  /// not beyond the text.
  virtual void piece_ends_at(size_t end) = 0;
};

/// One pattern, ready to cut texts: its matches are pieces, and so is what lies between two.
/// Threads: const, any number at once. None of its functions throws.
class PatternSplitter {
 public:
  virtual ~PatternSplitter() = default;

  /// Cuts a text of any bytes that is not empty, up to its end. A match without characters
  /// cuts where it is.
  /// Errors: out_of_memory; unsupported_tokenizer (a text that asks for more work than a bound),
  ///   after which the pieces so far are of no use.
  virtual Result<void> split(std::string_view text, PieceSink& sink) const = 0;
};

/// Makes splitters. Threads: const, any number at once. None of its functions throws.
class PatternCompiler {
 public:
  virtual ~PatternCompiler() = default;

  /// A splitter for a pattern as tokenizer.json has it: the syntax of Oniguruma, on characters.
  /// Errors: unsupported_tokenizer (a pattern that is none, or that it would take to mean something
  ///   else), with what is wrong at which byte; out_of_memory.
  virtual Result<std::shared_ptr<const PatternSplitter>> compile(
      std::string_view pattern) const = 0;
};

TERN_NAMESPACE_END
