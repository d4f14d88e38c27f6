// Fuzz target: any bytes as a chat template, compiled, and if it compiles, run over conversations.
// Beside what the sanitizers see, it traps when compiling allocates more than the template
// justifies, when memory leaks, or when contents and the template's own text are not kept apart:
// contents are made of a byte that is in no UTF-8 and, where the fuzzer does not put it there, in
// no template.
#include <cstddef>
#include <cstdint>

#include "support/counting_allocator.hpp"
#include "tern/text/chat_template.hpp"

namespace {

constexpr std::string_view kContents = "\xFF\xFF\xFF\xFF\xFF\xFF\xFF";

void check(const tern::ChatPrompt& prompt) {
  for (const tern::TextSegment& segment : prompt.segments()) {
    const bool has_content = segment.text.find('\xFF') != std::string_view::npos;
    const bool has_other = segment.text.find_first_not_of('\xFF') != std::string_view::npos;
    if (segment.parse_special ? has_content : has_other) __builtin_trap();
  }
}

void run(const tern::ChatTemplate& compiled, bool keeps_apart) {
  const tern::ChatMessage messages[] = {{tern::ChatRole::system, kContents.substr(0, 2)},
                                        {tern::ChatRole::user, kContents},
                                        {tern::ChatRole::assistant, ""},
                                        {tern::ChatRole::user, kContents.substr(0, 1)}};
  const std::span<const tern::ChatMessage> all(messages);
  for (const auto part : {all, all.subspan(1, 1), all.first(0)}) {
    for (const bool flag : {true, false}) {
      const auto prompt = compiled.render(part, {flag, flag});
      if (prompt.ok() && keeps_apart) check(*prompt);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  tern_test::CountingAllocator counter;
  counter.budget = 40 * size + 512;
  {
    const auto compiled =
        tern::ChatTemplate::compile(text, {"<s>", "</s>", "<unk>", ""}, counter.hooks());
    if (counter.refused != 0) __builtin_trap();
    counter.budget = size_t{16} << 20;  // TemplateLimits, and what grows while it is copied
    if (compiled.ok()) run(*compiled, text.find('\xFF') == std::string_view::npos);
    if (counter.refused != 0) __builtin_trap();
  }
  if (counter.live != 0) __builtin_trap();
  return 0;
}
