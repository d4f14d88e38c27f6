// The merges of a Vocabulary: read, resolved to symbols, given back.
//
// Room: text.
#include "tern/text/vocabulary.hpp"

#include <algorithm>

#include "tern/base/memory_wall.hpp"
#include "tern/text/byte_map.hpp"
#include "tern/text/token_spelling.hpp"

TERN_NAMESPACE_BEGIN

/// The symbol of these bytes, entered if it is new; -1 where too many collide.
int32_t Vocabulary::intern(std::string_view bytes) {
  const int32_t found = find_symbol(bytes);
  if (found >= 0) return found;
  pieces_.append(bytes);
  const auto number = static_cast<int32_t>(pieces_.size() - 1);
  return index_.insert(pieces_, number) ? number : -1;
}

Result<void> Vocabulary::read_text_merges(const VocabularyData& data, Vector<MergeRule>& rules) {
  String joined(hooks_);
  int32_t result = -1;
  for (size_t rank = 0; rank < data.merges.size(); ++rank) {
    const std::string_view merge = data.merges[rank];
    // From index 1: a left side may begin with a space.
    const size_t space = merge.find(' ', 1);
    if (space == std::string_view::npos || space + 1 == merge.size()) {
      return Error(Status::malformed, "a merge is not two texts with a space between", merge);
    }
    joined.clear();
    if (!append_byte_level(merge.substr(0, space), joined)) continue;  // no text can come here
    const size_t left_bytes = joined.size();
    if (!append_byte_level(merge.substr(space + 1), joined)) continue;
    const std::string_view view = joined;
    MergeRule rule;
    rule.left = intern(view.substr(0, left_bytes));
    rule.right = intern(view.substr(left_bytes));
    rule.rank = static_cast<uint32_t>(rank);
    // Converters write the ways to make a token one after another.
    const bool is_same = result >= 0 && pieces_[static_cast<size_t>(result)] == view;
    if (!is_same) result = intern(view);
    if (rule.left < 0 || rule.right < 0 || result < 0) return detail::collision_error(merge);
    rule.result = result;
    rules.push_back(rule);
  }
  return {};
}

// Merging never gives a token that is not text, whatever a file says; see the top of
// vocabulary.hpp.
Result<void> Vocabulary::read_token_merges(const VocabularyData& data,
                                           Vector<MergeRule>& rules) const {
  const auto is_text = [this](TokenId id) {
    return contains(id) && (type(id) == TokenType::normal || type(id) == TokenType::byte);
  };
  uint32_t rank = 0;
  for (const TokenMerge& merge : data.token_merges) {
    if (!is_text(merge.left) || !is_text(merge.right) || !is_text(merge.result)) {
      return Error(Status::malformed, "a resolved merge is of something that is no text token");
    }
    rules.push_back({merge.left, merge.right, rank++, merge.result});
  }
  return {};
}

Result<void> Vocabulary::resolve_merges(const VocabularyData& data) {
  Vector<MergeRule> rules(hooks_);
  rules.reserve(std::max(data.merges.size(), data.token_merges.size()));
  if (data.token_merges.empty()) {
    TERN_TRY(read_text_merges(data, rules));
  } else {
    TERN_TRY(read_token_merges(data, rules));
  }
  if (!merges_.insert(rules)) {
    return Error(Status::malformed, "too many merges collide in a hash table");
  }
  has_merges_ = !rules.empty();
  if (kind_ == TokenizerKind::spm_bpe) return {};  // it has the bytes from their tokens
  for (size_t byte = 0; byte < byte_symbols_.size(); ++byte) {
    const char text = static_cast<char>(byte);
    byte_symbols_[byte] = find_symbol({&text, 1});
  }
  return {};
}

Result<Vector<TokenMerge>> Vocabulary::token_merges() const {
  return catch_out_of_memory([this]() -> Result<Vector<TokenMerge>> {
    Vector<MergeRule> rules(hooks_);
    bool only_tokens = true;
    merges_.for_each([&](const MergeRule& rule) {
      only_tokens =
          only_tokens && contains(rule.left) && contains(rule.right) && contains(rule.result);
      rules.push_back(rule);
    });
    Vector<TokenMerge> out(hooks_);
    if (!only_tokens) return out;
    std::sort(rules.begin(), rules.end(),
              [](const MergeRule& a, const MergeRule& b) { return a.rank < b.rank; });
    out.reserve(rules.size());
    for (const MergeRule& rule : rules) out.push_back({rule.left, rule.right, rule.result});
    return out;
  });
}

TERN_NAMESPACE_END
