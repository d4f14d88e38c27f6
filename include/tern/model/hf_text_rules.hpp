// How a tokenizer.json treats text before merging: its normalizer and its pre-tokenizer,
// recognised.
//
// Room: model. Both are trees of named parts. Sequences are flattened; every part is then known by
// its type and its exact parameters, or the file is refused with the part's name or pattern:
//
//   | part                                             | byte level     | with byte_fallback |
//   |--------------------------------------------------|----------------|--------------------------|
//   | normalizer NFC                                   | NFC            | NFC | | normalizer
//   Prepend U+2581                        | -              | a space before every run | |
//   normalizer Replace " " by U+2581                 | -              | how tern reads such text |
//   | Split by a pattern of kHfPatterns, Digits,       | a step         | - | | Punctuation | | |
//   | Split by any other pattern, pieces isolated      | a step for a splitter of the host | - |
//   | ByteLevel, use_regex                             | nothing, GPT-2 | - | | Metaspace | - |
//   prepend_scheme, split    | | Split by " " after the Replace                   | - | nothing |
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "tern/format/json.hpp"
#include "tern/text/pretokenizer.hpp"
#include "tern/text/vocabulary_data.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// A pattern of published models and the step (of kPretokenizerSteps) that does the same. Each one
/// matches every character, so it makes no difference which side of it a file keeps.
struct HfPattern {
  std::string_view regex;
  std::string_view step;
};
inline constexpr HfPattern kHfPatterns[] = {
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     "llama3"},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     "qwen2"},
    {R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", "gpt2"},
};

/// What a tokenizer.json says about text before merging.
struct HfTextRules {
  Normalizer normalizer = Normalizer::none;
  bool is_byte_level = false;
  bool spells_spaces = false;  ///< spaces become U+2581
  SpacePrefix space_prefix = SpacePrefix::none;
  bool split_at_spaces = false;
  std::array<std::string_view, 4> steps;  ///< of kPretokenizerSteps; "" after the last
  size_t n_steps = 0;
  std::array<std::string_view, 4> patterns;  ///< of the steps named kHfPatternStep
  size_t n_patterns = 0;
};

/// The step of a pattern that is none of kHfPatterns.
inline constexpr std::string_view kHfPatternStep = "pattern";

namespace detail {

inline constexpr std::string_view kHfSpace = "\xE2\x96\x81";

inline std::string_view json_text(JsonValue value, std::string_view fallback = {}) {
  return value.as_text().value_or(fallback);
}
inline bool json_flag(JsonValue value, bool fallback) { return value.as_bool().value_or(fallback); }

inline Error hf_unsupported(const char* what, std::string_view about) {
  return {Status::unsupported_tokenizer, what, about};
}

/// Calls `visit(JsonValue) -> Result<void>` for a part, or in order for the parts of a Sequence.
template <typename Visit>
Result<void> for_each_hf_part(JsonValue part, std::string_view list_name, Visit&& visit,
                              size_t depth = 0) {
  if (part.is_absent() || part.is_null()) return {};
  if (!part.is_object()) return Error(Status::malformed, "a part is no object", list_name);
  if (json_text(part.find("type")) != "Sequence") return visit(part);
  constexpr size_t kMaxDepth = 8;
  if (depth == kMaxDepth) return Error(Status::malformed, "parts nested too deeply", list_name);
  for (const JsonValue inner : part.find(list_name).elements()) {
    TERN_TRY(for_each_hf_part(inner, list_name, visit, depth + 1));
  }
  return {};
}

class HfRuleReader {
 public:
  Result<HfTextRules> read(JsonValue root) {
    TERN_TRY(for_each_hf_part(root.find("normalizer"), "normalizers",
                              [this](JsonValue part) { return add_normalizer(part); }));
    TERN_TRY(for_each_hf_part(root.find("pre_tokenizer"), "pretokenizers",
                              [this](JsonValue part) { return add_pretokenizer(part); }));
    if (rules_.is_byte_level && (rules_.spells_spaces || is_prefixed_)) {
      return hf_unsupported("byte-level text with spaces spelled otherwise", "normalizer");
    }
    if (!rules_.is_byte_level && rules_.n_steps != 0) {
      return hf_unsupported("a pre-tokenizer of text that is not byte-level", rules_.steps[0]);
    }
    return rules_;
  }

 private:
  Result<void> add_normalizer(JsonValue part) {
    const std::string_view type = json_text(part.find("type"));
    if (type == "NFC") {
      rules_.normalizer = Normalizer::nfc;
      return {};
    }
    if (type == "Prepend") {
      if (json_text(part.find("prepend")) != kHfSpace || is_prefixed_) {
        return hf_unsupported("normalizer puts other text in front",
                              json_text(part.find("prepend")));
      }
      is_prefixed_ = true;
      rules_.space_prefix = SpacePrefix::runs;
      return {};
    }
    if (type == "Replace") {
      const std::string_view pattern = json_text(part.find("pattern").find("String"));
      if (pattern != " " || json_text(part.find("content")) != kHfSpace) {
        return hf_unsupported("normalizer replaces other text", pattern);
      }
      rules_.spells_spaces = true;
      return {};
    }
    return hf_unsupported("normalizer is not supported", type);
  }

  Result<void> add_pretokenizer(JsonValue part) {
    const std::string_view type = json_text(part.find("type"));
    if (type == "ByteLevel") return add_byte_level(part);
    if (type == "Split") return add_split(part);
    if (type == "Digits") {
      const bool alone = json_flag(part.find("individual_digits"), false);
      // Numbers of the text, or of its spelling.
      if (rules_.is_byte_level) return add_step(alone ? "single_number_bytes" : "number_bytes");
      return add_step(alone ? "single_numbers" : "numbers");
    }
    if (type == "Punctuation") {
      const std::string_view behavior = json_text(part.find("behavior"), "Isolated");
      if (rules_.is_byte_level) return hf_unsupported("punctuation of spelled bytes", type);
      if (behavior == "Contiguous") return add_step("punctuation");
      if (behavior == "Isolated") return add_step("single_punctuation");
      return hf_unsupported("behavior of Punctuation is not supported", behavior);
    }
    if (type == "Metaspace") return add_metaspace(part);
    return hf_unsupported("pre-tokenizer is not supported", type);
  }

  Result<void> add_byte_level(JsonValue part) {
    if (rules_.is_byte_level)
      return hf_unsupported("pre-tokenizer spells bytes twice", "ByteLevel");
    if (json_flag(part.find("add_prefix_space"), true)) {
      // Of what a step before it cut, each piece would get one.
      if (rules_.n_steps != 0) {
        return hf_unsupported("pre-tokenizer puts a space in front of pieces", "ByteLevel");
      }
      rules_.space_prefix = SpacePrefix::unspaced_runs;
    }
    if (json_flag(part.find("use_regex"), true)) TERN_TRY(add_step("gpt2"));
    rules_.is_byte_level = true;
    return {};
  }

  Result<void> add_split(JsonValue part) {
    const JsonValue pattern = part.find("pattern");
    const std::string_view behavior = json_text(part.find("behavior"));
    const bool invert = json_flag(part.find("invert"), false);
    const auto literal = pattern.find("String").as_text();
    if (literal) {
      // No spaces are left where all have become U+2581.
      if (*literal == " " && rules_.spells_spaces) return {};
      return hf_unsupported("pre-tokenizer splits by text", *literal);
    }
    const std::string_view regex = json_text(pattern.find("Regex"));
    const bool keeps_all = (behavior == "Isolated" && !invert) || (behavior == "Removed" && invert);
    for (const HfPattern& known : kHfPatterns) {
      if (known.regex != regex || !keeps_all) continue;
      if (rules_.is_byte_level) break;  // it would see the spelling
      return add_step(known.step);
    }
    // Digits are spelled as they are, so these may come before or behind ByteLevel.
    if (behavior == "Isolated" && !invert) {
      if (regex == "[0-9]") return add_step("digits_1");
      if (regex == "[0-9][0-9][0-9]" || regex == "[0-9]{3}") return add_step("digits_3");
    }
    if (regex.empty() || rules_.is_byte_level) {
      return hf_unsupported("pre-tokenizer pattern is not known", regex);
    }
    // Where a match is no piece of its own, or is left out.
    if (!keeps_all) return hf_unsupported("behavior of Split is not supported", behavior);
    TERN_TRY(add_step(kHfPatternStep));
    rules_.patterns[rules_.n_patterns++] = regex;
    return {};
  }

  Result<void> add_metaspace(JsonValue part) {
    if (json_text(part.find("replacement"), kHfSpace) != kHfSpace) {
      return hf_unsupported("Metaspace with another character",
                            json_text(part.find("replacement")));
    }
    // Older files have add_prefix_space alone.
    const bool prefix = json_flag(part.find("add_prefix_space"), true);
    const std::string_view scheme =
        json_text(part.find("prepend_scheme"), prefix ? "always" : "never");
    if (scheme == "always") {
      rules_.space_prefix = SpacePrefix::unspaced_runs;
    } else if (scheme == "first") {
      rules_.space_prefix = SpacePrefix::first_unspaced;
    } else if (scheme != "never") {
      return hf_unsupported("prepend_scheme is not supported", scheme);
    }
    if (is_prefixed_) return hf_unsupported("spaces are put in front twice", "Metaspace");
    is_prefixed_ = scheme != "never";
    rules_.spells_spaces = true;
    rules_.split_at_spaces = json_flag(part.find("split"), true);
    return {};
  }

  Result<void> add_step(std::string_view name) {
    if (rules_.n_steps == rules_.steps.size()) {
      return hf_unsupported("pre-tokenizer has too many parts", name);
    }
    rules_.steps[rules_.n_steps++] = name;
    return {};
  }

  HfTextRules rules_;
  bool is_prefixed_ = false;
};

inline PieceEnd step_end(std::string_view name) {
  for (const PretokenizerStep& step : kPretokenizerSteps) {
    if (step.name == name) return step.end;
  }
  return nullptr;
}

/// The value of tokenizer.ggml.pre for the steps of a file: the first name of the table that has
/// exactly these, else the steps spelled. Uses `scratch`.
inline std::string_view pretokenizer_name(const HfTextRules& rules, String& scratch) {
  PieceEnds ends{};
  for (size_t i = 0; i < rules.n_steps; ++i) ends[i] = step_end(rules.steps[i]);
  for (const PretokenizerSpec& spec : kPretokenizers) {
    if (!spec.name.empty() && spec.steps == ends) return spec.name;
  }
  scratch.assign(kSpelledPrefix);
  for (size_t i = 0; i < rules.n_steps; ++i) {
    if (i != 0) scratch.push_back(',');
    scratch.append(rules.steps[i]);
  }
  return scratch;
}
}  // namespace detail

/// Reads the normalizer and the pre-tokenizer of a tokenizer.json.
/// Errors: malformed, unsupported_tokenizer, naming the part or quoting the pattern.
inline Result<HfTextRules> read_hf_text_rules(JsonValue root) {
  return detail::HfRuleReader().read(root);
}

TERN_NAMESPACE_END
