// Writes random ternary models that llama.cpp loads too, for llama_cpp_agreement.mjs to compare.
//
// Usage: random_model_gguf FOLDER
// For each row of kCases, FOLDER gets NAME.gguf (TQ2_0 linears, F16 tables, a byte-level
// vocabulary), NAME.ids (token ids, a line a sequence) and NAME.reference.f32: the logits of the
// double-precision pass of tests/reference as float32, [tokens of all sequences][vocabulary].
#include <cstdio>

#include "support/byte_vocabulary.hpp"
#include "support/model_files.hpp"

using namespace tern_test;

namespace {

struct Case {
  const char* name;
  const char* architecture;
  size_t model_dim, n_heads, n_kv_heads, ffn_dim, n_layers;
  RandomScales scales;
};

// one_block: every row is one block of 256, so that a scale a block is a scale a row.
constexpr Case kCases[] = {
    {"bitnet_one_block", "bitnet", 256, 4, 2, 256, 2, RandomScales::tensor},
    {"bitnet", "bitnet", 768, 12, 4, 1280, 2, RandomScales::tensor},
    {"bitnet_block_scales", "bitnet", 512, 8, 8, 1024, 2, RandomScales::group256},
    {"llama", "llama", 512, 8, 2, 1024, 2, RandomScales::tensor},
    {"qwen3", "qwen3", 512, 4, 2, 1024, 2, RandomScales::tensor},
    {"gemma3", "gemma3", 512, 4, 1, 1024, 2, RandomScales::tensor},
};

constexpr size_t kSequences = 12;
constexpr size_t kTokens = 16;
constexpr uint32_t kSeed = 20;

/// Scales a linear so that its output on a normalized input has this deviation: a sum of k random
/// trits has sqrt(2k/3).
void set_deviation(LogicalLinear& w, double deviation) {
  double sum = 0;
  for (const float scale : w.scales) sum += static_cast<double>(scale) * static_cast<double>(scale);
  const double mean_square = sum / static_cast<double>(w.scales.size());
  const double factor = deviation / std::sqrt(static_cast<double>(w.cols) * 2 / 3 * mean_square);
  for (float& scale : w.scales) {
    scale = static_cast<float>(reference::round_to_f16(static_cast<double>(scale) * factor));
  }
}

/// Makes the logits of a random model depend on all of it, and differ by more than the noise of
/// quantized activations.
///
/// Inside a layer deviations above one reach the bends of softmax and SiLU. What the layers add
/// together has about the variance of the embedding, which is exact in every program. The last
/// norm's gains get random signs, or a tied head would find the input token again, and keep logits
/// moderate.
void sharpen(LogicalModel& m) {
  constexpr double kInside = 1.5;
  constexpr double kAdded = 0.6;
  for (LogicalLayer& layer : m.layers) {
    for (const auto& [name, member] : linear_names()) {
      const bool adds = member == &LogicalLayer::output || member == &LogicalLayer::down;
      set_deviation(layer.*member, adds ? kAdded : kInside);
    }
  }
  // Times sqrt(model_dim) the embedding would drown what the layers add.
  if (m.scales_embedding) {
    for (float& v : m.embedding) v = std::ldexp(v, -4);
  }
  std::mt19937 rng(kSeed);
  for (float& gain : m.output_norm) gain *= rng() % 2 == 0 ? 0.25f : -0.25f;
}

LogicalModel model_of(const Case& c, size_t vocab_size) {
  LogicalModel m = small_shape(c.architecture);
  m.model_dim = c.model_dim;
  m.n_heads = c.n_heads;
  m.n_kv_heads = c.n_kv_heads;
  m.head_dim = c.model_dim / c.n_heads;
  m.ffn_dim = c.ffn_dim;
  m.vocab_size = vocab_size;
  m.context_len = 256;
  m = random_model(std::move(m), c.n_layers, kSeed, c.scales);
  sharpen(m);
  return m;
}

/// The model's file with what llama.cpp wants beside what tern needs.
std::vector<uint8_t> file_of(const Case& c, const LogicalModel& m, const ByteVocabulary& v) {
  constexpr uint32_t kFileTypeTq2 = 37;
  GgufWriter writer = gguf_of(m, tern::TensorType::tq2_0);
  const std::string a = m.architecture + ".";
  writer.add("general.name", c.name);
  writer.add("general.file_type", kFileTypeTq2);
  writer.add("general.quantization_version", uint32_t{2});
  writer.add(a + "vocab_size", static_cast<uint32_t>(m.vocab_size));
  writer.add(a + "rope.dimension_count", static_cast<uint32_t>(m.head_dim));
  if (m.architecture == "gemma3") {  // llama.cpp wants a window; this one holds every test
    writer.add(a + "attention.sliding_window", static_cast<uint32_t>(m.context_len));
  }
  v.add_to(writer);
  return writer.build();
}

bool write_case(const Case& c, const std::string& folder) {
  const ByteVocabulary vocabulary;
  const LogicalModel m = model_of(c, vocabulary.texts.size());
  std::mt19937 rng(kSeed);
  std::string ids;
  std::vector<float> logits;
  for (size_t s = 0; s < kSequences; ++s) {
    std::vector<int> tokens(kTokens);
    for (int& token : tokens) token = static_cast<int>(rng() % m.vocab_size);
    for (const int token : tokens) ids += std::to_string(token) + " ";
    ids.back() = '\n';
    for (const Row& row : reference_logits(m, tokens)) {
      for (const double logit : row) logits.push_back(static_cast<float>(logit));
    }
  }
  const auto file = file_of(c, m, vocabulary);
  const std::string path = folder + "/" + c.name;
  return write_file(path + ".gguf", file) &&
         write_file(path + ".ids", {reinterpret_cast<const uint8_t*>(ids.data()), ids.size()}) &&
         write_file(path + ".reference.f32", {reinterpret_cast<const uint8_t*>(logits.data()),
                                              logits.size() * sizeof(float)});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: random_model_gguf FOLDER\n");
    return 2;
  }
  for (const Case& c : kCases) {
    if (write_case(c, argv[1])) continue;
    std::fprintf(stderr, "random_model_gguf: cannot write %s in %s\n", c.name, argv[1]);
    return 1;
  }
  return 0;
}
