// The bytes of the model file TERN_STORIES_FILE, taken in by the assembler or by #embed.
#include "embedded_model.hpp"

#if defined(__ELF__)

__asm__(
    ".pushsection .rodata.tern_stories,\"a\"\n"
    ".balign 64\n"
    ".globl tern_stories_begin\n"
    ".hidden tern_stories_begin\n"
    "tern_stories_begin:\n"
    ".incbin \"" TERN_STORIES_FILE
    "\"\n"
    ".globl tern_stories_end\n"
    ".hidden tern_stories_end\n"
    "tern_stories_end:\n"
    ".byte 0\n"
    ".popsection\n");

extern "C" {
extern const uint8_t tern_stories_begin[];
extern const uint8_t tern_stories_end[];
}

namespace cli {
std::span<const uint8_t> stories_model() { return {tern_stories_begin, tern_stories_end}; }
}  // namespace cli

#elif defined(__has_embed)

namespace cli {
namespace {
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wc23-extensions"
#endif
alignas(64) constexpr uint8_t kStories[] = {
#embed TERN_STORIES_FILE
};
}  // namespace
std::span<const uint8_t> stories_model() { return kStories; }
}  // namespace cli

#else
#error "embedding a file needs an ELF assembler or a compiler with #embed"
#endif
