// Prompt lookup: guesses how a text goes on from where its last tokens were before.
//
// Room: engine.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "tern/text/vocabulary_data.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// Of the places where a text's last tokens were before, the one where most of them were is taken,
/// up to the first number, the latest of several; fewer than the second guess nothing.
inline constexpr size_t kMostLookupTokens = 16;
inline constexpr size_t kLeastLookupTokens = 3;
/// How far back it looks.
inline constexpr size_t kLookupWindow = 8192;

/// The tokens that followed the place of `text` that is most like its end, as many as there are, at
/// most `most`; viewed. Empty if there is no such place. Cost: a pass over kLookupWindow tokens.
inline std::span<const TokenId> look_up_draft(std::span<const TokenId> text, size_t most) {
  const size_t n = text.size();
  if (most == 0) return {};
  const size_t first = n > kLookupWindow ? n - kLookupWindow : 0;
  size_t best = kLeastLookupTokens - 1;
  size_t place = n;
  for (size_t end = n; end-- > first + kLeastLookupTokens;) {
    // The tokens before `end` beside the last ones of the text.
    size_t same = 0;
    const size_t limit = std::min(end - first, kMostLookupTokens);
    while (same < limit && text[end - 1 - same] == text[n - 1 - same]) ++same;
    if (same > best) {
      best = same;
      place = end;
      if (same == kMostLookupTokens) break;
    }
  }
  return text.subspan(place, std::min(most, n - place));
}

TERN_NAMESPACE_END
