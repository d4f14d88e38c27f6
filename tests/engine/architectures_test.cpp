// The relatives of Qwen3 and Gemma 3, and int16 activations: against the double-precision pass, and
// the same bits however the work is cut.
#include <cmath>

#include "support/model_fixture.hpp"
#include "support/tern_files.hpp"

using namespace tern_test;
using tern::Status;
using tern::TensorType;

namespace {

struct Variant {
  const char* architecture;
  bool input_norms;
  bool own_head;
};
constexpr Variant kVariants[] = {
    {"qwen3", false, false}, {"qwen3", false, true},  {"qwen3", true, false},
    {"gemma3", false, true}, {"gemma3", true, false},
};

LogicalModel shape_of(const Variant& variant) {
  LogicalModel m = small_shape(variant.architecture);
  m.head_dim = 96;  // four heads are wider than the residual
  m.input_norms = variant.input_norms;
  if (variant.input_norms) m.activation_bits = 8;
  return m;
}

LogicalModel model_of(const Variant& variant, RandomScales scales, uint32_t seed = 17) {
  LogicalModel m = random_model(shape_of(variant), 2, seed, scales);
  if (variant.own_head) {
    m.head = m.embedding;
    std::reverse(m.head.begin(), m.head.end());
  }
  return m;
}

/// Widths that fill no tile, no vector and no block.
LogicalModel odd_model_of(const Variant& variant) {
  LogicalModel shape = shape_of(variant);
  shape.model_dim = 60;
  shape.n_heads = 6;
  shape.n_kv_heads = 3;
  shape.head_dim = 14;
  shape.ffn_dim = 75;
  shape.vocab_size = 33;
  return random_model(shape, 3, 5, RandomScales::row);
}

double spread_of(const std::vector<float>& logits) {
  double spread = 0;
  for (const float v : logits) spread = std::max(spread, std::fabs(static_cast<double>(v)));
  return spread;
}

double largest_difference(const std::vector<Row>& expected, const std::vector<float>& actual) {
  double largest = 0;
  size_t i = 0;
  for (const Row& row : expected) {
    for (const double logit : row) largest = std::max(largest, std::fabs(logit - actual[i++]));
  }
  return largest;
}

/// A llama whose linear layers were trained with float activations.
GgufWriter trilm_of(const LogicalModel& m) {
  GgufWriter writer = gguf_of(m, TensorType::f32);
  writer.add("general.name", "TriLM_99M");
  return writer;
}

void check_same_bits(const std::vector<uint8_t>& bytes) {
  const auto reference = load(bytes, "scalar");
  const auto tokens = some_tokens(33, reference->config().vocab_size);
  const auto expected = all_logits(*open_session(reference), tokens, 1);
  for (const auto& isa : available_isas()) {
    const auto model = load(bytes, isa);
    for (const uint32_t threads : {1u, 2u, 5u}) {
      for (const uint32_t batch : {1u, 7u, 13u, 128u}) {
        INFO(isa << " threads " << threads << " batch " << batch);
        tern::SessionOptions options;
        options.n_threads = threads;
        options.batch = batch;
        CHECK(all_logits(*open_session(model, options), tokens, 33) == expected);
      }
    }
  }
}

}  // namespace

TEST_CASE("qwen3 and gemma3 agree with the double-precision pass") {
  // As in reference_test.cpp: int8 values within float rounding of a tie move logits by a fraction
  // of a percent, int16 ones by a hundredth of that.
  for (const Variant& variant : kVariants) {
    for (const auto scales : {RandomScales::tensor, RandomScales::row, RandomScales::group128}) {
      const LogicalModel m = model_of(variant, scales);
      const auto bytes = gguf_of(m, TensorType::f32).build();
      const auto model = load(bytes);
      CHECK(model->config().activation_bits == static_cast<uint32_t>(m.activation_bits));
      const auto tokens = some_tokens(20, 70);
      const auto actual = all_logits(*open_session(model), tokens, 20);
      const double difference =
          largest_difference(reference_logits(m, {tokens.begin(), tokens.end()}), actual);
      INFO(variant.architecture << " input norms " << variant.input_norms << " scales "
                                << static_cast<int>(scales) << ": " << difference << " of "
                                << spread_of(actual));
      CHECK(difference < (m.activation_bits == 8 ? 1e-2 : 1e-4) * spread_of(actual));
    }
  }
}

TEST_CASE("norms at the inputs have an epsilon of their own where the file says so") {
  // Not gemma3: its norms behind the layers hide the lengths of their outputs.
  for (const char* architecture : {"llama", "qwen3"}) {
    LogicalModel shape = small_shape(architecture);
    shape.input_norms = true;
    shape.activation_bits = 8;
    const LogicalModel same = random_model(shape, 2, 23, RandomScales::row);
    LogicalModel m = same;
    m.input_eps = 0.5;
    const auto tokens = some_tokens(20, 70);
    const auto bytes = gguf_of(m, TensorType::f32).build();
    const auto actual = all_logits(*open_session(load(bytes)), tokens, 20);
    INFO(architecture);
    const auto difference = [&](const LogicalModel& model) {
      return largest_difference(reference_logits(model, {tokens.begin(), tokens.end()}), actual) /
             spread_of(actual);
    };
    CHECK(difference(m) < 1e-2);
    CHECK(difference(same) > 2e-2);
    check_same_bits(bytes);
    // What a tern file keeps of it.
    CHECK(all_logits(*open_session(load(convert(bytes))), tokens, 20) == actual);
  }
  LogicalModel without = small_model("llama");
  const auto plain = gguf_of(without, TensorType::f32).build();
  without.input_eps = 0.5;  // means nothing without such norms
  CHECK(logits_of(gguf_of(without, TensorType::f32).build()) == logits_of(plain));
  LogicalModel wrong = small_shape("llama");
  wrong.input_norms = true;
  wrong.input_eps = -1;
  const tern::Error error = load_error(gguf_of(random_model(wrong, 1, 3), TensorType::f32).build());
  CHECK(error.status == Status::mismatch);
  CHECK(error.subject == std::string_view("tern.input_norm_epsilon"));
}

TEST_CASE("a TriLM has int16 activations, another llama has them where the file says so") {
  LogicalModel m = random_model(small_shape("llama"), 2, 17, RandomScales::row);
  const auto tokens = some_tokens(20, 70);
  const auto eight =
      all_logits(*open_session(load(gguf_of(m, TensorType::f32).build())), tokens, 20);
  m.activation_bits = 16;
  const auto expected = reference_logits(m, {tokens.begin(), tokens.end()});
  const auto bytes = trilm_of(m).build();
  const auto actual = all_logits(*open_session(load(bytes)), tokens, 20);
  CHECK(largest_difference(expected, actual) < 1e-4 * spread_of(actual));
  CHECK(largest_difference(expected, eight) > 1e-4 * spread_of(actual));

  GgufWriter said = gguf_of(m, TensorType::f32);
  said.add("tern.activation_bits", 16u);
  CHECK(all_logits(*open_session(load(said.build())), tokens, 20) == actual);
  GgufWriter unsaid = trilm_of(m);
  unsaid.add("tern.activation_bits", 8u);
  CHECK(all_logits(*open_session(load(unsaid.build())), tokens, 20) == eight);
  GgufWriter wrong = trilm_of(m);
  wrong.add("tern.activation_bits", 12u);
  const tern::Error error = load_error(wrong.build());
  CHECK(error.status == Status::mismatch);
  CHECK(error.subject == std::string_view("tern.activation_bits"));
  // What a tern file keeps of it.
  CHECK(all_logits(*open_session(load(convert(said.build()))), tokens, 20) == actual);
  CHECK(all_logits(*open_session(load(convert(bytes))), tokens, 20) == actual);
}

TEST_CASE("ReLU^2 layers with int16 activations skip nothing and give the same bits") {
  LogicalModel m = random_model(small_shape(), 2, 17);
  m.activation_bits = 16;
  GgufWriter writer = gguf_of(m, TensorType::f32);
  writer.add("tern.activation_bits", 16u);
  const auto bytes = writer.build();
  const auto tokens = some_tokens(20, 70);
  const auto actual = all_logits(*open_session(load(bytes)), tokens, 1);
  const auto expected = reference_logits(m, {tokens.begin(), tokens.end()});
  CHECK(largest_difference(expected, actual) < 1e-4 * spread_of(actual));
  check_same_bits(bytes);
}

TEST_CASE("the bits of qwen3, gemma3 and TriLM do not depend on table, threads and batch") {
  for (const Variant& variant : kVariants) {
    INFO(variant.architecture << " input norms " << variant.input_norms);
    check_same_bits(gguf_of(odd_model_of(variant), TensorType::f16).build());
  }
  check_same_bits(gguf_of(model_of(kVariants[0], RandomScales::group128), TensorType::f32).build());
  check_same_bits(trilm_of(random_model(small_shape("llama"), 2, 3, RandomScales::row)).build());
}

TEST_CASE("a tern file of each gives the bits of what it was made of, norms in F16 those of F32") {
  for (const Variant& variant : kVariants) {
    INFO(variant.architecture << " input norms " << variant.input_norms);
    const LogicalModel m = model_of(variant, RandomScales::row);
    const auto bytes = gguf_of(m, TensorType::f32).build();
    const auto tokens = some_tokens(12, 70);
    const auto expected = all_logits(*open_session(load(bytes)), tokens, 12);
    CHECK(all_logits(*open_session(load(convert(bytes))), tokens, 12) == expected);
    const auto halves = gguf_of(m, TensorType::f32, TensorType::f16, TensorType::f16).build();
    CHECK(all_logits(*open_session(load(halves)), tokens, 12) == expected);
  }
}

TEST_CASE("input norms are had by all linear layers or by none") {
  const LogicalModel m = model_of({"qwen3", true, false}, RandomScales::tensor);
  const auto without = [&m](size_t layer, LogicalLinear LogicalLayer::*linear) {
    LogicalModel spoiled = m;
    (spoiled.layers[layer].*linear).norm_in.clear();
    return load_error(gguf_of(spoiled, TensorType::f32).build());
  };
  // An empty gain is a tensor of no elements here; a missing one is named as missing.
  CHECK_FALSE(without(1, &LogicalLayer::down).status == Status::ok);
  LogicalModel first = m;
  first.input_norms = false;
  GgufWriter writer = gguf_of(first, TensorType::f32);
  const auto& gain = m.layers[1].q.norm_in;
  writer.add_tensor(
      {"blk.1.attn_q_norm_in.weight", 0, {gain.size()}, encode_floats(gain, TensorType::f32), {}});
  const tern::Error error = load_error(writer.build());
  CHECK(error.status == Status::unsupported);
  CHECK(error.subject == std::string_view("blk.1.attn_q_norm_in.weight"));
}

TEST_CASE("a sliding window bounds the context of an architecture whose layers do not slide") {
  const LogicalModel m = model_of({"qwen3", false, false}, RandomScales::tensor);
  GgufWriter writer = gguf_of(m, TensorType::f32);
  writer.add("qwen3.attention.sliding_window", 24u);
  const auto bytes = writer.build();
  const auto model = load(bytes);
  CHECK(model->config().context_len == 24);
  tern::SessionOptions options;
  options.context = 25;
  CHECK(tern::Session::create(model, options).status() == Status::invalid_argument);
  const auto tokens = some_tokens(24, 70);
  const auto plain = gguf_of(m, TensorType::f32).build();
  CHECK(all_logits(*open_session(model), tokens, 24) ==
        all_logits(*open_session(load(plain)), tokens, 24));
}
