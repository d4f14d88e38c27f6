// The bytes of the model files of TERN_MODELS_FOLDER, taken in by the assembler or by #embed.
#include "embedded_model.hpp"

#if defined(__ELF__)

// The file `name` of the folder as tern_<symbol>_begin up to tern_<symbol>_end.
#define TERN_EMBED(symbol, name)                    \
  __asm__(".pushsection .rodata.tern_" #symbol      \
          ",\"a\"\n"                                \
          ".balign 64\n"                            \
          ".globl tern_" #symbol                    \
          "_begin\n"                                \
          ".hidden tern_" #symbol                   \
          "_begin\n"                                \
          "tern_" #symbol                           \
          "_begin:\n"                               \
          ".incbin \"" TERN_MODELS_FOLDER "/" name  \
          "\"\n"                                    \
          ".globl tern_" #symbol                    \
          "_end\n"                                  \
          ".hidden tern_" #symbol                   \
          "_end\n"                                  \
          "tern_" #symbol                           \
          "_end:\n"                                 \
          ".byte 0\n"                               \
          ".popsection\n");                         \
  extern "C" const uint8_t tern_##symbol##_begin[]; \
  extern "C" const uint8_t tern_##symbol##_end[]

TERN_EMBED(stories, "stories.gguf");
TERN_EMBED(stories_a48, "stories-a48.gguf");

namespace cli {
namespace {
const std::span<const uint8_t> kStories = {tern_stories_begin, tern_stories_end};
const std::span<const uint8_t> kStoriesA48 = {tern_stories_a48_begin, tern_stories_a48_end};
}  // namespace
}  // namespace cli

#elif defined(__has_embed)

namespace cli {
namespace {
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wc23-extensions"
#endif
alignas(64) constexpr uint8_t kStories[] = {
#embed TERN_MODELS_FOLDER "/stories.gguf"
};
alignas(64) constexpr uint8_t kStoriesA48[] = {
#embed TERN_MODELS_FOLDER "/stories-a48.gguf"
};
}  // namespace
}  // namespace cli

#else
#error "embedding a file needs an ELF assembler or a compiler with #embed"
#endif

namespace cli {

std::span<const uint8_t> embedded_model(std::string_view name) {
  if (name == kStoriesName) return kStories;
  if (name == "@stories-a48") return kStoriesA48;
  return {};
}

}  // namespace cli
