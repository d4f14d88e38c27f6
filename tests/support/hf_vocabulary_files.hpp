// Tokenizers of Hugging Face files for tests: through metadata, by the loader that models use.
#pragma once

#include <string_view>

#include "tern/model/hf_tokenizer.hpp"
#include "tern/model/vocabulary_loader.hpp"

namespace tern_test {

inline std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

/// The header that the files become; metadata only.
inline tern::Result<tern::GgufHeader> hf_header(
    const tern::HfTextFiles& files, const tern::AllocatorHooks& hooks = tern::default_allocator()) {
  return tern::catch_out_of_memory([&]() -> tern::Result<tern::GgufHeader> {
    tern::GgufHeader header(hooks);
    TERN_TRY(tern::add_tokenizer_metadata(files, header, hooks));
    TERN_TRY(header.finish({}));
    return header;
  });
}

inline tern::Result<tern::Tokenizer> load_hf_tokenizer(
    const tern::HfTextFiles& files, const tern::AllocatorHooks& hooks = tern::default_allocator(),
    const tern::PatternCompiler* patterns = nullptr) {
  TERN_TRY_ASSIGN(const tern::GgufHeader header, hf_header(files, hooks));
  TERN_TRY_ASSIGN(const tern::GgufFile file, tern::GgufFile::parse(header.bytes(), hooks));
  return tern::load_tokenizer(file, "", hooks, patterns);
}

}  // namespace tern_test
