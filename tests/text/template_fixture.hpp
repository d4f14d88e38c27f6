// Rendering chat templates in a line, for tests.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tern/text/chat_template.hpp"

namespace tern_test {

inline constexpr tern::ChatTokenTexts kTokens = {"<s>", "</s>", "<unk>", ""};

inline const std::vector<tern::ChatMessage>& two_turns() {
  static const std::vector<tern::ChatMessage> messages = {{tern::ChatRole::user, "Hi"},
                                                          {tern::ChatRole::assistant, "Yes?"},
                                                          {tern::ChatRole::user, " Why \n"}};
  return messages;
}

/// What a template writes.
struct Rendered {
  std::string text;    ///< as it is
  std::string marked;  ///< with { and } around what came from contents
};

inline tern::ChatTemplate compile(std::string_view source) {
  auto compiled = tern::ChatTemplate::compile(source, kTokens, tern::default_allocator());
  if (!compiled.ok()) FAIL(compiled.error().what << ": " << compiled.error().subject);
  return *std::move(compiled);
}

inline Rendered render_template(std::string_view source,
                                const std::vector<tern::ChatMessage>& messages,
                                const tern::ChatOptions& options = {true, false}) {
  const auto prompt = compile(source).render(messages, options);
  if (!prompt.ok()) {
    FAIL(prompt.error().what << ": " << prompt.error().subject << " at " << prompt.error().where);
  }
  Rendered out;
  for (const tern::TextSegment& segment : prompt->segments()) {
    out.text += segment.text;
    const std::string text(segment.text);
    out.marked += segment.parse_special ? text : "{" + text + "}";
  }
  return out;
}

/// What a template without messages writes.
inline std::string write(std::string_view source) { return render_template(source, {}).text; }

/// The error of a template that compiles and does not run, or does not compile.
inline tern::Error template_error(std::string_view source,
                                  const std::vector<tern::ChatMessage>& messages = {}) {
  const auto compiled = tern::ChatTemplate::compile(source, kTokens, tern::default_allocator());
  if (!compiled.ok()) return compiled.error();
  const auto prompt = compiled->render(messages, {});
  INFO(source);
  REQUIRE_FALSE(prompt.ok());
  return prompt.error();
}

}  // namespace tern_test
