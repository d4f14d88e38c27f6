// Tokenizers of GGUF files for tests: files with a vocabulary and maybe nothing else.
#pragma once

#include <string>

#include "tern/model/vocabulary_loader.hpp"
#include "tern/platform/mapped_file.hpp"

namespace tern_test {

/// The tokenizer of a file, by the loader that models use.
inline tern::Result<tern::Tokenizer> load_vocabulary_gguf(const std::string& path) {
  const auto hooks = tern::default_allocator();
  TERN_TRY_ASSIGN(const tern::FileBytes file,
                  tern::FileBytes::open(path, tern::FileAccess::mapped, hooks));
  TERN_TRY_ASSIGN(const tern::GgufFile gguf, tern::GgufFile::parse(file.bytes(), hooks));
  return tern::load_tokenizer(gguf, "", hooks);
}

}  // namespace tern_test
