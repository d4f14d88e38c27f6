// A pre-tokenizer whose steps may be patterns that only a splitter of the host can follow.
//
// Room: text.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "tern/base/status.hpp"
#include "tern/text/pattern_splitter.hpp"
#include "tern/text/pretokenizer.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// A pre-tokenizer with the splitters that its steps need, one for each that is a pattern.
class Pretokenizer {
 public:
  /// `patterns` are those of the steps named "pattern", in order; `compiler` may be null.
  /// Errors: those of find_pretokenizer and of the compiler; malformed (not as many patterns as
  ///   steps); unsupported_tokenizer (a pattern and no compiler), naming the pattern.
  static Result<Pretokenizer> create(std::string_view name,
                                     std::span<const std::string_view> patterns,
                                     const PatternCompiler* compiler);

  const PretokenizerSpec& spec() const { return spec_; }

  /// As pretokenize does. Errors: those of PatternSplitter::split.
  template <typename Emit>
  Result<void> split(std::string_view text, Emit&& emit) const {
    if (!has_patterns_) {
      pretokenize(spec_, text, emit);
      return {};
    }
    return split_from(0, text, emit);
  }

 private:
  template <typename Emit>
  Result<void> split_from(size_t step, std::string_view text, Emit& emit) const;

  PretokenizerSpec spec_{};
  std::array<std::shared_ptr<const PatternSplitter>, 4> splitters_;  // null where there is none
  bool has_patterns_ = false;
};

inline Result<Pretokenizer> Pretokenizer::create(std::string_view name,
                                                 std::span<const std::string_view> patterns,
                                                 const PatternCompiler* compiler) {
  Pretokenizer out;
  TERN_TRY_ASSIGN(out.spec_, find_pretokenizer(name));
  size_t n = 0;
  for (size_t i = 0; i < out.spec_.steps.size(); ++i) {
    if (out.spec_.steps[i] != detail::pattern_end) continue;
    if (n == patterns.size()) {
      return Error(Status::malformed, "a pre-tokenizer without its pattern", name);
    }
    const std::string_view pattern = patterns[n++];
    if (compiler == nullptr) {
      return Error(Status::unsupported_tokenizer,
                   "pre-tokenizer pattern is not known, and nothing here splits by patterns",
                   pattern);
    }
    TERN_TRY_ASSIGN(out.splitters_[i], compiler->compile(pattern));
    out.has_patterns_ = true;
  }
  if (n != patterns.size()) {
    return Error(Status::malformed, "a pattern that no step of the pre-tokenizer has", patterns[n]);
  }
  return out;
}

template <typename Emit>
Result<void> Pretokenizer::split_from(size_t step, std::string_view text, Emit& emit) const {
  if (step == spec_.steps.size() || spec_.steps[step] == nullptr) {
    emit(text);
    return {};
  }
  if (splitters_[step] == nullptr) {
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = spec_.steps[step](text, begin);
      TERN_TRY(split_from(step + 1, text.substr(begin, end - begin), emit));
      begin = end;
    }
    return {};
  }
  class Sink final : public PieceSink {
   public:
    Sink(const Pretokenizer& owner, size_t next, std::string_view whole, Emit& to)
        : owner_(owner), next_(next), text_(whole), emit_(to) {}
    void piece_ends_at(size_t end) override {
      if (!result_.ok() || end <= begin_ || end > text_.size()) return;
      result_ = owner_.split_from(next_, text_.substr(begin_, end - begin_), emit_);
      begin_ = end;
    }
    /// Whatever a splitter leaves out at the end is a piece.
    Result<void> finish() {
      piece_ends_at(text_.size());
      return result_;
    }

   private:
    const Pretokenizer& owner_;
    size_t next_;
    std::string_view text_;
    Emit& emit_;
    size_t begin_ = 0;
    Result<void> result_;
  };
  Sink sink(*this, step + 1, text, emit);
  TERN_TRY(splitters_[step]->split(text, sink));
  return sink.finish();
}

TERN_NAMESPACE_END
