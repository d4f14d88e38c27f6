// Fuzz target: any bytes as a model, loaded, and if it loads, run: text to tokens, two tokens
// evaluated, one sampled, text back. Beside what the sanitizers see, it traps when loading
// allocates more than the file justifies, or leaks.
#include <cstddef>
#include <cstdint>

#include "support/counting_allocator.hpp"
#include "tern/tern.hpp"

namespace {

void run(const std::shared_ptr<const tern::Model>& model) {
  if (const tern::Tokenizer* tokenizer = model->tokenizer()) {
    tern::Vector<tern::TokenId> ids(model->allocator());
    tern::String text(model->allocator());
    if (tokenizer->encode("Hello <|end|> w\xC3\xB6rld\n", {true, true}, ids).ok()) {
      static_cast<void>(tokenizer->decode(ids, {true, true}, text));
    }
  }
  tern::SessionOptions options;
  options.context = 4;
  options.batch = 2;
  const auto session = tern::Session::create(model, options);
  if (!session.ok()) return;
  const tern::TokenId tokens[] = {0, static_cast<tern::TokenId>(model->config().vocab_size - 1)};
  if (!(*session)->evaluate(tokens).ok()) return;
  tern::SamplerOptions sampler;
  sampler.temperature = 1;
  sampler.top_p = 0.9f;
  static_cast<void>((*session)->sample(sampler));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tern_test::CountingAllocator counter;
  // Directories, vocabulary, packed weights with their scales: a small multiple of the file. The
  // constant covers the layers that a header may claim before their tensors are found missing.
  const size_t layers = tern::kMaxLayers * sizeof(tern::LayerWeights);
  counter.budget = 40 * size + layers + 65536;
  {
    tern::LoadOptions options;
    options.allocator = counter.hooks();
    const auto model = tern::Model::load_memory({data, size}, options);
    if (counter.refused != 0) __builtin_trap();
    counter.budget = ~size_t{0};
    if (model.ok()) run(*model);
  }
  if (counter.live != 0) __builtin_trap();
  return 0;
}
