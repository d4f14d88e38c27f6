// How a text is encoded: special tokens cut out of it, and the runs between them.
//
// Room: text. A file of its own, so that a build can compile it for speed
// (cmake/TernOptimization.cmake).
#include "tern/text/tokenizer.hpp"

#include "tern/text/byte_bpe.hpp"
#include "tern/text/normalizer.hpp"
#include "tern/text/spm_bpe.hpp"
#include "tern/text/token_spelling.hpp"

TERN_NAMESPACE_BEGIN

namespace {
using detail::char_at;
using detail::ClassedChar;
using detail::kSpmSpace;
using detail::run_from;

/// One encoding in progress: the plain run that is growing, and the scratch of the BPE.
class Encoding {
 public:
  Encoding(const Vocabulary& vocabulary, Vector<TokenId>& out)
      : vocabulary_(vocabulary),
        out_(out),
        joined_(out.get_allocator()),
        normalized_(out.get_allocator()),
        scratch_(out.get_allocator()),
        loop_(out.get_allocator().hooks()) {}

  Result<void> add_segment(const TextSegment& segment) {
    const SpecialIndex& specials =
        segment.parse_special ? vocabulary_.specials() : vocabulary_.user_defined();
    size_t plain_begin = 0;
    size_t position = specials.empty() ? segment.text.size() : 0;
    while (position < segment.text.size()) {
      TokenId id = kNoToken;
      if (specials.starts_with(segment.text[position])) {
        id = specials.longest_match(vocabulary_.pieces(), segment.text, position);
      }
      if (id == kNoToken) {
        ++position;
        continue;
      }
      add_plain(segment.text.substr(plain_begin, position - plain_begin));
      if (vocabulary_.strips_left(id)) run_ = without_last_spaces(run_);
      TERN_TRY(flush());
      out_.push_back(id);
      begins_text_ = false;
      position += vocabulary_.piece(id).size();
      if (vocabulary_.strips_right(id)) position = spaces_end(segment.text, position);
      plain_begin = position;
    }
    add_plain(segment.text.substr(plain_begin));
    return {};
  }

  /// Encodes the run that has grown.
  Result<void> flush() {
    if (run_.empty()) return {};
    if (vocabulary_.normalizer() == Normalizer::nfc) run_ = normalize_nfc(run_, normalized_);
    if (vocabulary_.kind() == TokenizerKind::byte_bpe) {
      if (vocabulary_.space_prefix() != SpacePrefix::none && !char_at(run_, 0).is_space()) {
        scratch_.assign(1, ' ').append(run_);
        run_ = scratch_;
      }
      TERN_TRY(encode_byte_bpe(vocabulary_, run_, loop_, out_));
    } else {
      encode_spm_bpe(vocabulary_, run_, has_space_prefix(), scratch_, loop_, out_);
    }
    run_ = {};
    joined_.clear();
    begins_text_ = false;
    return {};
  }

 private:
  /// A run inside one segment is only viewed; the first seam makes it a copy.
  void add_plain(std::string_view text) {
    if (text.empty()) return;
    if (run_.empty()) {
      run_ = text;
      return;
    }
    if (joined_.empty()) joined_.assign(run_);
    joined_.append(text);
    run_ = joined_;
  }

  bool has_space_prefix() const {
    const bool is_spaced = run_.front() == ' ' || run_.starts_with(kSpmSpace);
    switch (vocabulary_.space_prefix()) {
      case SpacePrefix::none: return false;
      case SpacePrefix::runs: return true;
      case SpacePrefix::unspaced_runs: return !is_spaced;
      case SpacePrefix::first_unspaced: return begins_text_ && !is_spaced;
    }
    return false;
  }

  static size_t spaces_end(std::string_view text, size_t position) {
    return run_from(text, position, [](const ClassedChar& c) { return c.is_space(); });
  }
  static std::string_view without_last_spaces(std::string_view text) {
    size_t end = 0;
    for (size_t at = 0; at < text.size();) {
      const ClassedChar c = char_at(text, at);
      at += c.length;
      if (!c.is_space()) end = at;
    }
    return text.substr(0, end);
  }

  const Vocabulary& vocabulary_;
  Vector<TokenId>& out_;
  std::string_view run_;
  String joined_;
  String normalized_;
  String scratch_;
  MergeLoop loop_;
  bool begins_text_ = true;  // nothing was encoded yet
};
}  // namespace

Result<void> Tokenizer::encode(std::span<const TextSegment> segments, bool add_special,
                               Vector<TokenId>& out) const {
  constexpr size_t kMaxBytes = size_t{1} << 31;
  size_t bytes = 0;
  for (const TextSegment& segment : segments) {
    if (segment.text.size() >= kMaxBytes - bytes) {
      return Error(Status::invalid_argument, "a text of 2 GiB or more cannot be encoded");
    }
    bytes += segment.text.size();
  }
  return catch_out_of_memory([&]() -> Result<void> {
    const SpecialTokens& tokens = vocabulary_.special_tokens();
    if (add_special && vocabulary_.add_bos() && tokens.bos != kNoToken) out.push_back(tokens.bos);
    Encoding encoding(vocabulary_, out);
    for (const TextSegment& segment : segments) TERN_TRY(encoding.add_segment(segment));
    TERN_TRY(encoding.flush());
    if (add_special && vocabulary_.add_eos() && tokens.eos != kNoToken) out.push_back(tokens.eos);
    return {};
  });
}

TERN_NAMESPACE_END
