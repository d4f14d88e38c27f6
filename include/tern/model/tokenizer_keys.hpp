// The metadata keys of vocabularies that more than one file knows, and tern's own among them.
//
// Room: model. GGUF has no keys for the rules below; docs/formats.md, Vocabularies, says what they
// mean.
#pragma once

#include <string_view>

#include "tern/text/vocabulary_data.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

inline constexpr std::string_view kTokenizerModelKey = "tokenizer.ggml.model";
inline constexpr std::string_view kPretokenizerKey = "tokenizer.ggml.pre";
inline constexpr std::string_view kAddSpacePrefixKey = "tokenizer.ggml.add_space_prefix";
inline constexpr std::string_view kChatTemplateKey = "tokenizer.chat_template";

inline constexpr std::string_view kTernPatternsKey = "tern.tokenizer.patterns";
inline constexpr std::string_view kTernNormalizerKey = "tern.tokenizer.normalizer";
inline constexpr std::string_view kTernSpacePrefixKey = "tern.tokenizer.space_prefix";
inline constexpr std::string_view kTernSplitAtSpacesKey = "tern.tokenizer.split_at_spaces";
inline constexpr std::string_view kTernIgnoreMergesKey = "tern.tokenizer.ignore_merges";
inline constexpr std::string_view kTernStripLeftKey = "tern.tokenizer.strip_left";
inline constexpr std::string_view kTernStripRightKey = "tern.tokenizer.strip_right";
inline constexpr std::string_view kTernEndTokensKey = "tern.tokenizer.end_token_ids";
inline constexpr std::string_view kTernConflictsKey = "tern.tokenizer.conflicts";

/// The one value of kTernNormalizerKey.
inline constexpr std::string_view kNfcName = "nfc";

/// Values of kTernSpacePrefixKey, where kAddSpacePrefixKey does not say enough.
struct SpacePrefixName {
  SpacePrefix prefix;
  std::string_view name;
};
inline constexpr SpacePrefixName kSpacePrefixNames[] = {
    {SpacePrefix::unspaced_runs, "unspaced_runs"},
    {SpacePrefix::first_unspaced, "first_unspaced"},
};

TERN_NAMESPACE_END
