// Writes random ternary models that llama.cpp loads too, for llama_cpp_agreement.mjs to compare.
//
// Usage: random_model_gguf FOLDER
// For each row of kCases, FOLDER gets NAME.gguf (TQ2_0 linears, F16 tables, a byte-level vocabulary),
// NAME.ids (token ids, a line a sequence) and NAME.reference.f32: the logits of the double-precision
// pass of tests/reference as float32, [tokens of all sequences][vocabulary].
#include <cstdio>
#include <fstream>

#include "support/logical_gguf.hpp"
#include "tern/text/byte_map.hpp"

using namespace tern_test;

namespace {

struct Case {
  const char* name;
  const char* architecture;
  size_t model_dim, n_heads, n_kv_heads, ffn_dim, n_layers;
  bool relu2;
  RandomScales scales;
};

// one_block: every row is one block of 256, so that a scale a block is a scale a row.
constexpr Case kCases[] = {
    {"bitnet_one_block", "bitnet", 256, 4, 2, 256, 2, false, RandomScales::tensor},
    {"bitnet", "bitnet", 768, 12, 4, 1280, 2, false, RandomScales::tensor},
    {"bitnet_block_scales", "bitnet", 512, 8, 8, 1024, 2, false, RandomScales::group256},
    {"bitnet_relu2", "bitnet", 512, 8, 2, 1024, 2, true, RandomScales::tensor},
    {"llama", "llama", 512, 8, 2, 1024, 2, false, RandomScales::tensor},
};

constexpr size_t kSequences = 4;
constexpr size_t kTokens = 48;
constexpr uint32_t kSeed = 20;

/// Token texts of a byte-level vocabulary: every byte, a few merges, an end of text.
struct ByteVocabulary {
  std::vector<std::string> texts;
  std::vector<int32_t> types;
  std::vector<std::string> merges;
};

ByteVocabulary byte_vocabulary() {
  ByteVocabulary v;
  const auto add = [&v](const std::string& text, int32_t type) {
    v.texts.push_back(text);
    v.types.push_back(type);
  };
  constexpr int32_t kNormal = 1;
  constexpr int32_t kControl = 3;
  for (int byte = 0; byte < 256; ++byte) {
    const auto spelled = tern::encode_utf8(tern::byte_level_code_point(static_cast<uint8_t>(byte)));
    add(std::string(spelled.view()), kNormal);
  }
  for (const auto& [left, right] : {std::pair("t", "h"), {"th", "e"}, {"i", "n"}, {"e", "r"}}) {
    add(std::string(left) + right, kNormal);
    v.merges.push_back(std::string(left) + " " + right);
  }
  add("<|endoftext|>", kControl);
  return v;
}

/// Gives a random model logits that differ by whole units, and layers that decide them.
///
/// A sum of k random trits has a deviation of sqrt(2k/3): each linear is scaled so that its output is
/// near one, where softmax and SiLU bend. The embedding is made small beside what the layers add;
/// otherwise a tied head would just find the input token again. The last gain makes up for it.
void sharpen(LogicalModel& m) {
  constexpr double kMeanScale = 1.0 / 32;  // of random_model
  for (LogicalLayer& layer : m.layers) {
    for (const auto& [name, member] : linear_names()) {
      LogicalLinear& w = layer.*member;
      const double wanted = 1.5 / std::sqrt(static_cast<double>(w.cols) * 2 / 3);
      const double factor = std::exp2(std::round(std::log2(wanted / kMeanScale)));
      for (float& scale : w.scales) scale *= static_cast<float>(factor);
    }
  }
  for (float& value : m.embedding) value /= 16;
  for (float& value : m.head) value /= 16;
  for (float& gain : m.output_norm) gain *= 8;
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
  m.relu2 = c.relu2;
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
  if (c.relu2) writer.add(a + "hidden_activation", "relu2");
  const auto end = static_cast<uint32_t>(v.texts.size() - 1);
  writer.add("tokenizer.ggml.model", "gpt2");
  writer.add("tokenizer.ggml.pre", "gpt-2");
  writer.add_array("tokenizer.ggml.tokens", v.texts);
  writer.add_array("tokenizer.ggml.token_type", v.types);
  writer.add_array("tokenizer.ggml.merges", v.merges);
  writer.add("tokenizer.ggml.bos_token_id", end);
  writer.add("tokenizer.ggml.eos_token_id", end);
  return writer.build();
}

bool write_file(const std::string& path, const void* data, size_t n_bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(static_cast<const char*>(data), static_cast<std::streamsize>(n_bytes));
  return out.flush().good();
}

bool write_case(const Case& c, const std::string& folder) {
  const ByteVocabulary vocabulary = byte_vocabulary();
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
  return write_file(path + ".gguf", file.data(), file.size()) &&
         write_file(path + ".ids", ids.data(), ids.size()) &&
         write_file(path + ".reference.f32", logits.data(), logits.size() * sizeof(float));
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
