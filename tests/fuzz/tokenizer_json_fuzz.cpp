// Fuzz target: any bytes as the files of a Hugging Face tokenizer, made metadata, loaded, and used.
// The input is tokenizer.json, then, each behind a zero byte, tokenizer_config.json,
// generation_config.json and a text. Traps when memory is leaked, more than the input justifies, or
// when a text without a normalizer, a space put in front, or tokens that take whitespace does not
// come back.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "support/counting_allocator.hpp"
#include "support/hf_vocabulary_files.hpp"

namespace {

std::span<const uint8_t> next_part(std::span<const uint8_t>& rest) {
  size_t size = 0;
  while (size < rest.size() && rest[size] != 0) ++size;
  const std::span<const uint8_t> part = rest.first(size);
  rest = rest.subspan(size < rest.size() ? size + 1 : size);
  return part;
}

/// Whether every byte has a token, so that nothing of a text is dropped.
bool has_every_byte(const tern::Vocabulary& vocabulary) {
  for (int byte = 0; byte < 256; ++byte) {
    if (vocabulary.byte_token(static_cast<uint8_t>(byte)) == tern::kNoToken) return false;
  }
  return true;
}

void use(const tern::Tokenizer& tokenizer, std::string_view text) {
  for (const bool special : {false, true}) {
    tern::Vector<tern::TokenId> ids;
    if (!tokenizer.encode(text, {.add_special = special, .parse_special = special}, ids)) return;
    tern::String decoded;
    if (!tokenizer.decode(ids, {.show_special = true}, decoded)) __builtin_trap();
    const tern::Vocabulary& vocabulary = tokenizer.vocabulary();
    bool is_exact = !special && vocabulary.normalizer() == tern::Normalizer::none &&
                    !vocabulary.add_space_prefix() && has_every_byte(vocabulary) &&
                    text.find("\xE2\x96\x81") == std::string_view::npos;
    for (const tern::TokenId id : ids) {
      is_exact = is_exact && !vocabulary.strips_left(id) && !vocabulary.strips_right(id);
    }
    if (is_exact && std::string_view(decoded) != text) __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::span<const uint8_t> rest(data, size);
  tern::HfTextFiles files;
  files.tokenizer = next_part(rest);
  files.tokenizer_config = next_part(rest);
  files.generation_config = next_part(rest);
  const std::string_view text(reinterpret_cast<const char*>(rest.data()), rest.size());
  files.chat_template = text;

  constexpr size_t kBytesPerByte = 400;          // nodes of JSON, then tables of texts and merges
  constexpr size_t kSmallest = size_t{1} << 20;  // tables of their least size, ids without texts
  tern_test::CountingAllocator counter;
  counter.budget = kBytesPerByte * size + kSmallest;
  {
    const auto tokenizer = tern_test::load_hf_tokenizer(files, counter.hooks());
    if (counter.refused != 0) __builtin_trap();
    if (tokenizer.ok()) use(*tokenizer, text);
  }
  if (counter.live != 0) __builtin_trap();
  return 0;
}
