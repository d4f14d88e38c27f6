// How a Vocabulary is checked and built.
//
// Room: text. Each step settles one thing, in an order in which nothing is needed before it is
// there: sizes (before anything is allocated), special ids, types, markers, end-of-generation set,
// pieces and indices, merges.
#include "tern/text/vocabulary.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <optional>

#include "tern/base/memory_wall.hpp"
#include "tern/text/byte_map.hpp"
#include "tern/text/chat_layout.hpp"
#include "tern/text/token_spelling.hpp"
#include "tern/text/utf8.hpp"

TERN_NAMESPACE_BEGIN

namespace {
/// Whether a token may be a marker of a chat template, being written <...> or [...]. Runs of
/// spaces, which templates write too, are none.
constexpr bool is_bracketed(std::string_view text) {
  return text.size() > 2 && ((text.starts_with('<') && text.ends_with('>')) ||
                             (text.starts_with('[') && text.ends_with(']')));
}

/// Whether a space comes after another character.
bool has_inner_space(std::string_view piece) {
  const size_t word = piece.find_first_not_of(' ');
  return word != std::string_view::npos && piece.find(' ', word) != std::string_view::npos;
}
}  // namespace

Vocabulary::Vocabulary(const VocabularyData& data, const AllocatorHooks& hooks)
    : hooks_(hooks),
      kind_(data.kind),
      pieces_(hooks),
      index_(data.tokens.size(), hooks),
      specials_(hooks),
      user_defined_(hooks),
      merges_(std::max(data.kind == TokenizerKind::byte_bpe ? data.merges.size() : 0,
                       data.token_merges.size()),
              hooks),
      types_(hooks),
      scores_(hooks),
      end_of_generation_(hooks),
      strip_left_(hooks),
      strip_right_(hooks) {
  byte_symbols_.fill(-1);
}

Result<Vocabulary> Vocabulary::create(const VocabularyData& data, const AllocatorHooks& hooks) {
  return catch_out_of_memory([&]() -> Result<Vocabulary> {
    TERN_TRY(check_sizes(data));
    Vocabulary vocabulary(data, hooks);
    TERN_TRY(vocabulary.build(data));
    return vocabulary;
  });
}

Result<void> Vocabulary::build(const VocabularyData& data) {
  const bool is_spm = kind_ == TokenizerKind::spm_bpe;
  bool implied_ignore_merges = false;
  bool implied_add_bos = is_spm;
  if (!is_spm) {
    TERN_TRY_ASSIGN(pretokenizer_,
                    Pretokenizer::create(data.pretokenizer, data.patterns, data.pattern_compiler));
    implied_ignore_merges = pretokenizer_.spec().ignore_merges;
    implied_add_bos = pretokenizer_.spec().add_bos;
  }
  add_bos_ = data.add_bos.value_or(implied_add_bos);
  add_eos_ = data.add_eos.value_or(false);
  normalizer_ = data.normalizer;
  if (is_spm) {
    const bool implied_prefix = data.add_space_prefix.value_or(true);
    space_prefix_ =
        data.space_prefix.value_or(implied_prefix ? SpacePrefix::runs : SpacePrefix::none);
    split_at_spaces_ = data.split_at_spaces;
  } else if (data.space_prefix == SpacePrefix::unspaced_runs) {
    space_prefix_ = SpacePrefix::unspaced_runs;
  }
  ignore_merges_ = !is_spm && data.ignore_merges.value_or(implied_ignore_merges);
  TERN_TRY(resolve_special_tokens(data));
  TERN_TRY(resolve_types(data));
  guard_markers(data);
  TERN_TRY(resolve_end_of_generation(data));
  TERN_TRY(resolve_strips(data));
  TERN_TRY(copy_pieces(data));
  if (!is_spm || !data.token_merges.empty()) TERN_TRY(resolve_merges(data));
  return {};
}

Result<void> Vocabulary::check_sizes(const VocabularyData& data) {
  const size_t n = data.tokens.size();
  if (n == 0) return Error(Status::malformed, "the vocabulary has no tokens");
  if (!data.types.empty() && data.types.size() != n) {
    return Error(Status::mismatch, "there are not as many token types as tokens");
  }
  if (data.kind == TokenizerKind::spm_bpe) {
    if (data.scores.empty()) return Error(Status::missing, "the vocabulary has no scores");
    if (data.scores.size() != n) {
      return Error(Status::mismatch, "there are not as many scores as tokens");
    }
  } else if (data.merges.empty() && data.token_merges.empty()) {
    return Error(Status::missing, "the vocabulary has no merges");
  }
  // Symbols add at most three strings a merge, of its own bytes twice over.
  uint64_t bytes = 0;
  for (const std::string_view token : data.tokens) bytes += token.size();
  for (const std::string_view merge : data.merges) bytes += 2 * uint64_t{merge.size()};
  constexpr uint64_t kMaxSymbols = std::numeric_limits<TokenId>::max();
  if (bytes > PieceStore::kMaxBytes || n + 3 * uint64_t{data.merges.size()} > kMaxSymbols) {
    return Error(Status::unsupported, "the vocabulary is too large");
  }
  return {};
}

Result<void> Vocabulary::resolve_special_tokens(const VocabularyData& data) {
  const size_t n = data.tokens.size();
  const bool is_spm = kind_ == TokenizerKind::spm_bpe;
  // Token 11 ends texts in the vocabularies that rely on this default, and is a comma in others.
  constexpr size_t kBpeDefault = 11;
  const bool has_bpe_default = data.types.size() > kBpeDefault &&
                               data.types[kBpeDefault] == static_cast<int32_t>(TokenType::control);
  const auto spm_default = [n](TokenId id) { return static_cast<size_t>(id) < n ? id : kNoToken; };
  const TokenId bpe_default = has_bpe_default ? static_cast<TokenId>(kBpeDefault) : kNoToken;
  struct Role {
    const char* name;
    const std::optional<int64_t>& given;
    TokenId SpecialTokens::*slot;
    TokenId fallback;
  };
  const Role roles[] = {
      {"bos", data.bos, &SpecialTokens::bos, is_spm ? spm_default(1) : bpe_default},
      {"eos", data.eos, &SpecialTokens::eos, is_spm ? spm_default(2) : bpe_default},
      {"eot", data.eot, &SpecialTokens::eot, kNoToken},
      {"eom", data.eom, &SpecialTokens::eom, kNoToken},
      {"unk", data.unk, &SpecialTokens::unk, is_spm ? spm_default(0) : kNoToken},
      {"pad", data.pad, &SpecialTokens::pad, kNoToken},
  };
  for (const Role& role : roles) {
    if (role.given && (*role.given < 0 || static_cast<uint64_t>(*role.given) >= n)) {
      return Error(Status::mismatch, "the id of a special token is outside the vocabulary",
                   role.name);
    }
    special_tokens_.*role.slot = role.given ? static_cast<TokenId>(*role.given) : role.fallback;
  }
  return {};
}

Result<void> Vocabulary::resolve_types(const VocabularyData& data) {
  types_.assign(data.tokens.size(), TokenType::normal);
  if (!data.types.empty()) {
    for (size_t i = 0; i < types_.size(); ++i) {
      if (data.types[i] < 0 || data.types[i] > static_cast<int32_t>(TokenType::byte)) {
        return Error(Status::malformed, "unknown token type", data.tokens[i]);
      }
      if (data.types[i] != 0) types_[i] = static_cast<TokenType>(data.types[i]);
    }
    return {};
  }
  if (kind_ == TokenizerKind::spm_bpe) {
    for (size_t i = 0; i < types_.size(); ++i) {
      if (detail::parse_byte_token(data.tokens[i])) types_[i] = TokenType::byte;
    }
  }
  const auto mark = [this](TokenId id, TokenType type) {
    if (id != kNoToken) types_[static_cast<size_t>(id)] = type;
  };
  const SpecialTokens& s = special_tokens_;
  for (const TokenId id : {s.bos, s.eos, s.eot, s.eom, s.pad}) mark(id, TokenType::control);
  mark(s.unk, TokenType::unknown);
  return {};
}

/// A marker is control, though the file has it as user-defined; see the top of vocabulary.hpp.
void Vocabulary::guard_markers(const VocabularyData& data) {
  for (size_t i = 0; i < types_.size(); ++i) {
    if (types_[i] != TokenType::user_defined) continue;
    const std::string_view text = data.tokens[i];
    const bool is_end =
        std::find(std::begin(kEndTexts), std::end(kEndTexts), text) != std::end(kEndTexts);
    if (is_end || is_chat_marker(text)) types_[i] = TokenType::control;
  }
  guard_template_markers(data);
}

void Vocabulary::guard_template_markers(const VocabularyData& data) {
  constexpr size_t kMaxTemplate = size_t{1} << 17;
  constexpr size_t kMaxMarker = 64;
  const std::string_view text = data.chat_template.substr(0, kMaxTemplate);
  if (text.empty()) return;
  Vector<TokenId> markers(hooks_);  // sorted by text
  for (size_t i = 0; i < types_.size(); ++i) {
    const bool may_be = types_[i] == TokenType::user_defined && data.tokens[i].size() <= kMaxMarker;
    if (may_be && is_bracketed(data.tokens[i])) markers.push_back(static_cast<TokenId>(i));
  }
  const auto text_of = [&data](TokenId id) { return data.tokens[static_cast<size_t>(id)]; };
  std::sort(markers.begin(), markers.end(),
            [&](TokenId a, TokenId b) { return text_of(a) < text_of(b); });
  for (size_t begin = 0; begin < text.size() && !markers.empty(); ++begin) {
    if (text[begin] != '<' && text[begin] != '[') continue;
    const std::string_view window = text.substr(begin, kMaxMarker);
    for (size_t end = 2; end < window.size(); ++end) {
      if (window[end] != '>' && window[end] != ']') continue;
      const std::string_view part = window.substr(0, end + 1);
      auto it = std::lower_bound(markers.begin(), markers.end(), part,
                                 [&](TokenId id, std::string_view t) { return text_of(id) < t; });
      for (; it != markers.end() && text_of(*it) == part; ++it) {
        types_[static_cast<size_t>(*it)] = TokenType::control;
      }
    }
  }
}

Result<void> Vocabulary::resolve_end_of_generation(const VocabularyData& data) {
  constexpr size_t kTexts = std::size(kEndTexts);
  std::array<TokenId, kTexts> found;
  found.fill(kNoToken);
  for (size_t i = 0; i < data.tokens.size(); ++i) {
    if (data.tokens[i].empty() || data.tokens[i][0] != '<') continue;
    for (size_t t = 0; t < kTexts; ++t) {
      if (data.tokens[i] == kEndTexts[t]) found[t] = static_cast<TokenId>(i);
    }
  }
  for (size_t t = 0; t < kTexts; ++t) {
    if (found[t] == kNoToken) continue;
    // Some converters leave these normal; as text they would not be found whole.
    types_[static_cast<size_t>(found[t])] = TokenType::control;
    const bool is_message = kEndTexts[t] == kEndOfMessageText;
    TokenId& role = is_message ? special_tokens_.eom : special_tokens_.eot;
    if (role == kNoToken) role = found[t];
    end_of_generation_.push_back(found[t]);
  }
  for (const TokenId id : {special_tokens_.eos, special_tokens_.eot, special_tokens_.eom}) {
    if (id != kNoToken) end_of_generation_.push_back(id);
  }
  for (const int32_t id : data.end_tokens) {
    if (!contains(id)) {
      return Error(Status::mismatch, "the id of a special token is outside the vocabulary", "end");
    }
    end_of_generation_.push_back(id);
  }
  std::sort(end_of_generation_.begin(), end_of_generation_.end());
  end_of_generation_.erase(std::unique(end_of_generation_.begin(), end_of_generation_.end()),
                           end_of_generation_.end());
  return {};
}

Result<void> Vocabulary::resolve_strips(const VocabularyData& data) {
  const auto keep = [this](std::span<const int32_t> ids, Vector<TokenId>& out) -> Result<void> {
    for (const int32_t id : ids) {
      if (!contains(id)) {
        return Error(Status::mismatch, "the id of a special token is outside the vocabulary",
                     "strip");
      }
      out.push_back(id);
    }
    std::sort(out.begin(), out.end());
    return {};
  };
  TERN_TRY(keep(data.strip_left, strip_left_));
  return keep(data.strip_right, strip_right_);
}

Result<void> Vocabulary::copy_pieces(const VocabularyData& data) {
  size_t bytes = 0;
  for (const std::string_view token : data.tokens) bytes += token.size();
  pieces_.reserve(data.tokens.size(), bytes);
  const bool is_spm = kind_ == TokenizerKind::spm_bpe;
  if (is_spm) scores_.assign(data.scores.begin(), data.scores.end());

  Vector<char>& arena = pieces_.bytes();
  for (size_t i = 0; i < data.tokens.size(); ++i) {
    const std::string_view text = data.tokens[i];
    const auto id = static_cast<TokenId>(i);
    const TokenType type = types_[i];
    const bool is_text = type == TokenType::normal || (type == TokenType::byte && !is_spm);
    bool reachable = false;  // by merging
    if (is_text && is_spm) {
      // Text has no spaces of its own in SentencePiece, only U+2581.
      reachable = !detail::append_spm(text, arena);
      pieces_.finish_piece();
      spaces_begin_pieces_ = spaces_begin_pieces_ && !has_inner_space(pieces_[i]);
    } else if (is_text) {
      reachable = append_byte_level(text, arena);
      if (!reachable) arena.insert(arena.end(), text.begin(), text.end());
      pieces_.finish_piece();
    } else if (type == TokenType::byte) {
      const auto byte = detail::parse_byte_token(text);
      if (!byte) return Error(Status::malformed, "a byte token is not spelled <0xHH>", text);
      const char piece = static_cast<char>(*byte);
      pieces_.append({&piece, 1});
      byte_symbols_[*byte] = id;
    } else {
      pieces_.append(text);
      if (type != TokenType::unused) {
        if (text.size() > SpecialIndex::kMaxBytes) {
          return Error(Status::malformed, "the text of a special token is too long", text);
        }
        specials_.add(pieces_, id);
        if (type == TokenType::user_defined) user_defined_.add(pieces_, id);
      }
    }
    const size_t length = pieces_[i].size();
    if (length > max_piece_bytes_) max_piece_bytes_ = length;
    if (reachable && length != 0 && !index_.insert(pieces_, id)) {
      return detail::collision_error(text);
    }
  }
  specials_.finish(pieces_);
  user_defined_.finish(pieces_);
  return {};
}

TERN_NAMESPACE_END
