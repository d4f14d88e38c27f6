// Splitting by pre-tokenizer patterns that the library does not know, with PCRE2.
//
// Program tern.
#pragma once

#include "tern/text/pattern_splitter.hpp"

namespace cli {

/// What loading gets for such patterns; null in a build without PCRE2. Lives as long as the program.
const tern::PatternCompiler* pattern_compiler();

}  // namespace cli
