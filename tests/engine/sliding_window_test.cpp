// Layers that see only the last positions, beside layers that see all: against the double-precision
// pass, and the same bits however the work is cut.
#include <algorithm>
#include <cmath>

#include "support/model_fixture.hpp"
#include "support/tern_files.hpp"

using namespace tern_test;
using tern::CacheType;
using tern::Status;
using tern::TensorType;

namespace {

/// Three layers of gemma3: by default the third sees all.
LogicalModel sliding_model(size_t window, size_t period = 3, bool input_norms = false,
                           size_t n_layers = 3) {
  LogicalModel shape = small_shape("gemma3");
  shape.model_dim = 60;
  shape.n_heads = 6;
  shape.n_kv_heads = 3;
  shape.head_dim = 14;
  shape.ffn_dim = 75;
  shape.context_len = 700;
  shape.rope_base = 1e6;
  shape.window = window;
  shape.window_period = period;
  shape.input_norms = input_norms;
  if (input_norms) shape.activation_bits = 8;
  return random_model(shape, n_layers, 23);
}

Bytes file_of(const LogicalModel& m) { return gguf_of(m, TensorType::f32).build(); }

std::vector<float> logits_of_file(const Bytes& bytes, const std::vector<tern::TokenId>& tokens) {
  return all_logits(*open_session(load(bytes)), tokens, tokens.size());
}

/// The largest difference from the double-precision pass, as a part of the largest logit.
double relative_difference(const LogicalModel& m, const std::vector<tern::TokenId>& tokens,
                           const std::vector<float>& actual) {
  double largest = 0;
  double spread = 0;
  size_t i = 0;
  for (const Row& row : reference_logits(m, {tokens.begin(), tokens.end()})) {
    for (const double logit : row) {
      spread = std::max(spread, std::fabs(logit));
      largest = std::max(largest, std::fabs(logit - static_cast<double>(actual[i++])));
    }
  }
  return largest / spread;
}

}  // namespace

TEST_CASE("layers that slide agree with the double-precision pass, far beyond the window") {
  for (const size_t window : {1u, 2u, 7u, 16u, 40u}) {
    for (const size_t period : {0u, 1u, 2u, 3u, 6u}) {
      const LogicalModel m = sliding_model(window, period);
      const auto tokens = some_tokens(100, 70);
      INFO("window " << window << " period " << period);
      CHECK(relative_difference(m, tokens, logits_of_file(file_of(m), tokens)) < 1e-4);
    }
  }
  // Sums of more than one chunk of 256 positions.
  const LogicalModel wide = sliding_model(300);
  const auto tokens = some_tokens(650, 70);
  const auto actual = logits_of_file(file_of(wide), tokens);
  CHECK(relative_difference(wide, tokens, actual) < 1e-4);
  // Without the window it is another model, from the first token behind it on.
  LogicalModel endless = wide;
  endless.window = 1000;
  const auto seen = logits_of_file(file_of(endless), tokens);
  const auto differs = std::mismatch(actual.begin(), actual.end(), seen.begin()).first;
  CHECK((differs - actual.begin()) / 70 == 300);
}

TEST_CASE("the bits of layers that slide do not depend on table, threads, batch and cache") {
  for (const size_t window : {5u, 300u}) {
    for (const bool input_norms : {false, true}) {
      const auto bytes = file_of(sliding_model(window, 2, input_norms));
      const auto tokens = some_tokens(window == 300 ? 340 : 70, 70);
      for (const tern::CacheType kv : kCacheTypes) {
        tern::SessionOptions options;
        options.kv = kv;
        const auto expected = all_logits(*open_session(load(bytes, "scalar"), options), tokens, 1);
        for (const auto& isa : available_isas()) {
          const auto model = load(bytes, isa);
          for (const auto& [threads, batch] :
               {std::pair(1u, 1u), {2u, 7u}, {5u, 13u}, {3u, 128u}}) {
            INFO(isa << " window " << window << " threads " << threads << " batch " << batch);
            options.n_threads = threads;
            options.batch = batch;
            CHECK(all_logits(*open_session(model, options), tokens, tokens.size()) == expected);
          }
        }
      }
    }
  }
}

TEST_CASE("a session that went back gives the bits of one that did not") {
  const auto bytes = file_of(sliding_model(9));
  const auto tokens = some_tokens(50, 70);
  const auto session = open_session(load(bytes));
  const auto expected = all_logits(*session, tokens, 50);
  REQUIRE(session->truncate(20).ok());
  const std::vector<tern::TokenId> rest(tokens.begin() + 20, tokens.end());
  const auto again = all_logits(*session, rest, 11);
  CHECK(std::equal(again.begin(), again.end(), expected.begin() + 20 * 70));
}

TEST_CASE("texts side by side see only their own windows") {
  LogicalModel m = sliding_model(6, 3, true);
  m.pooling = 3;
  const auto bytes = file_of(m);
  const std::vector<size_t> lengths = {20, 3, 31, 7};
  const auto tokens = some_tokens(61, 70);
  const auto model = load(bytes);
  std::vector<float> together(4 * 60);
  REQUIRE(open_session(model)->embed(tokens, lengths, together).ok());
  size_t begin = 0;
  for (size_t text = 0; text < lengths.size(); ++text) {
    std::vector<float> alone(60);
    const std::span<const tern::TokenId> own(tokens.data() + begin, lengths[text]);
    REQUIRE(open_session(model)->embed(own, {&lengths[text], 1}, alone).ok());
    CHECK(std::equal(alone.begin(), alone.end(), together.begin() + text * 60));
    begin += lengths[text];
  }
}

TEST_CASE("of files of other programs one layer of six sees all, the others have a local base") {
  LogicalModel m = sliding_model(8, 6, false, 7);
  const auto tokens = some_tokens(40, 70);
  const auto expected = logits_of_file(file_of(m), tokens);
  m.window = 0;
  const auto file_with = [&](uint32_t window) {
    GgufWriter writer = gguf_of(m, TensorType::f32);
    writer.add("gemma3.attention.sliding_window", window);
    return writer.build();
  };
  const auto bytes = file_with(8);
  CHECK(load(bytes)->config().context_len == 700);
  CHECK(logits_of_file(bytes, tokens) == expected);
  CHECK(logits_of_file(convert(bytes), tokens) == expected);
  const auto windowless = logits_of_file(file_of(m), tokens);
  CHECK(windowless != expected);
  // The base matters even where the window does not.
  CHECK(logits_of_file(file_with(700), tokens) != windowless);
}

TEST_CASE("what is no window, no pattern and no base is refused by name") {
  const LogicalModel m = sliding_model(0);
  const auto status_of = [&](const std::string& key, auto value) {
    GgufWriter writer = gguf_of(m, TensorType::f32);
    if (key != "gemma3.attention.sliding_window") {
      writer.add("gemma3.attention.sliding_window", 8u);
    }
    writer.add(key, value);
    const tern::Error error = load_error(writer.build());
    CHECK(std::string_view(error.subject) == key);
    return error.status;
  };
  CHECK(status_of("gemma3.attention.sliding_window", "wide") == Status::mismatch);
  CHECK(status_of("gemma3.attention.sliding_window_pattern", "LLG") == Status::mismatch);
  CHECK(status_of("gemma3.rope.freq_base_swa", 0.5f) == Status::mismatch);
}
