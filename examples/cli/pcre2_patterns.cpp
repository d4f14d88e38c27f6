// Patterns of tokenizer.json by PCRE2 (pcre2_patterns.hpp).
//
// Those files are written for Oniguruma, with Ruby's syntax. What means something else to PCRE2, or
// nothing, is refused; lines end at "\n" alone and ^ and $ are at their ends, as there. Bytes that
// are no UTF-8 never match, so they are between pieces. Time and memory of a text are bounded:
// kMostSteps is far beyond what a pattern of a tokenizer takes for a word.
#include "pcre2_patterns.hpp"

#ifdef TERN_WITH_PCRE2

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>

namespace cli {

namespace {

using tern::Error;
using tern::Status;

constexpr uint32_t kMostSteps = 10'000'000;
constexpr uint32_t kMostDepth = 100'000;
constexpr uint32_t kMostHeapKibibytes = 64 * 1024;
constexpr size_t kMostPatternBytes = 16 * 1024;

struct Free {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
  void operator()(pcre2_compile_context* context) const { pcre2_compile_context_free(context); }
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

Error out_of_memory() { return {Status::out_of_memory, "out of memory"}; }

// Where a pattern first says what Oniguruma and PCRE2 read differently: sets inside sets and their
// intersections, \h (a hexadecimal digit there), possessive {n,m}+, and (?m) (there: . matches
// all).
size_t find_other_meaning(std::string_view pattern) {
  bool in_set = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const std::string_view rest = pattern.substr(i);
    if (pattern[i] == '\\') {
      if (rest.starts_with("\\h") || rest.starts_with("\\H")) return i;
      const bool is_class = rest.starts_with("\\p{") || rest.starts_with("\\P{");
      i = is_class ? std::min(pattern.find('}', i), pattern.size()) : i + 1;
    } else if (in_set) {
      if (rest.starts_with("&&") || (pattern[i] == '[' && !rest.starts_with("[:"))) return i;
      if (rest.starts_with("[:"))
        i = pattern.find(":]", i) == pattern.npos ? i : pattern.find(":]", i) + 1;
      in_set = pattern[i] != ']' || rest.starts_with("[:");
    } else if (pattern[i] == '[') {
      in_set = true;
      if (rest.starts_with("[^")) ++i;
      if (pattern.substr(i + 1).starts_with("]")) return i + 1;  // a set that begins so
    } else if (rest.starts_with("}+")) {
      return i;
    } else if (rest.starts_with("(?") && !rest.starts_with("(?<") && !rest.starts_with("(?P")) {
      for (size_t flag = i + 2; flag < pattern.size(); ++flag) {
        const char c = pattern[flag];
        if (c == 'm' || c == 'a' || c == 'u') return i;
        if (c != '-' && (c < 'a' || c > 'z')) break;
      }
    }
  }
  return pattern.npos;
}

// Behind a character, or what stands in for one where bytes are no UTF-8.
size_t next_character(std::string_view text, size_t at) {
  for (++at; at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;) ++at;
  return at;
}

// Goes from match to match as the tokenizers library does with Oniguruma.
class Pcre2Splitter final : public tern::PatternSplitter {
 public:
  Pcre2Splitter(Owned<pcre2_code> code, Owned<pcre2_match_context> limits)
      : code_(std::move(code)), limits_(std::move(limits)) {}

  tern::Result<void> split(std::string_view text, tern::PieceSink& sink) const override {
    const Owned<pcre2_match_data> match(pcre2_match_data_create(1, nullptr));
    if (match == nullptr) return out_of_memory();
    const auto* bytes = reinterpret_cast<PCRE2_SPTR>(text.data());
    size_t end = 0;           // of the last piece
    size_t last = text.npos;  // the end of the last match
    for (size_t from = 0; from < text.size();) {
      const int found =
          pcre2_match(code_.get(), bytes, text.size(), from, 0, match.get(), limits_.get());
      if (found == PCRE2_ERROR_NOMATCH) break;
      if (found == PCRE2_ERROR_NOMEMORY) return out_of_memory();
      if (found < 0) {
        return Error(Status::unsupported_tokenizer,
                     "a pre-tokenizer pattern takes too long for the text");
      }
      const size_t* range = pcre2_get_ovector_pointer(match.get());
      if (range[0] > range[1] || range[1] < from) break;  // \K in a look-around can say so
      // A match without characters right behind the last one does not count.
      if (range[0] == range[1] && range[1] == last) {
        from = next_character(text, from);
        continue;
      }
      if (range[0] > end) sink.piece_ends_at(range[0]);
      if (range[1] > range[0]) sink.piece_ends_at(range[1]);
      end = from = last = range[1];
    }
    if (end < text.size()) sink.piece_ends_at(text.size());
    return {};
  }

 private:
  Owned<pcre2_code> code_;
  Owned<pcre2_match_context> limits_;
};

class Pcre2Compiler final : public tern::PatternCompiler {
 public:
  tern::Result<std::shared_ptr<const tern::PatternSplitter>> compile(
      std::string_view pattern) const override {
    const size_t other = find_other_meaning(pattern);
    if (other != pattern.npos) {
      return Error(Status::unsupported_tokenizer,
                   "pre-tokenizer pattern is not read by PCRE2 as it is meant",
                   pattern.substr(other));
    }
    const Owned<pcre2_compile_context> context(pcre2_compile_context_create(nullptr));
    Owned<pcre2_match_context> limits(pcre2_match_context_create(nullptr));
    if (context == nullptr || limits == nullptr) return out_of_memory();
    pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
    pcre2_set_max_pattern_length(context.get(), kMostPatternBytes);
    pcre2_set_match_limit(limits.get(), kMostSteps);
    pcre2_set_depth_limit(limits.get(), kMostDepth);
    pcre2_set_heap_limit(limits.get(), kMostHeapKibibytes);
    constexpr uint32_t kOptions = PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF |
                                  PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_CAPTURE;
    int problem = 0;
    size_t where = 0;
    Owned<pcre2_code> code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()),
                                         pattern.size(), kOptions, &problem, &where,
                                         context.get()));
    if (code == nullptr) {
      if (problem == PCRE2_ERROR_NOMEMORY) return out_of_memory();
      return Error(Status::unsupported_tokenizer, "pre-tokenizer pattern is not one for PCRE2",
                   pattern.substr(where < pattern.size() ? where : 0));
    }
    // Without it the pattern is interpreted: the same matches.
    pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);
    return std::shared_ptr<const tern::PatternSplitter>(
        std::make_shared<Pcre2Splitter>(std::move(code), std::move(limits)));
  }
};

}  // namespace

const tern::PatternCompiler* pattern_compiler() {
  static const Pcre2Compiler compiler;
  return &compiler;
}

}  // namespace cli

#else

namespace cli {

const tern::PatternCompiler* pattern_compiler() { return nullptr; }

}  // namespace cli

#endif
