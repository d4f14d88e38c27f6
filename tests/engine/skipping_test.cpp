// Exact skipping and the caches: what is not read changes no bit, on any table and packing, and an
// int8 cache is as independent of the cut into calls as a binary16 one.
#include "support/model_fixture.hpp"
#include "support/shared_fixtures.hpp"
#include "tern/engine/session.hpp"

using namespace tern_test;
using tern::CacheType;
using tern::Packing;

namespace {

/// A ReLU^2 model of which so many of ten gates are zero whatever comes in, and half of the others.
/// By default widths are more than a block of a column line in either packing, and not whole.
std::vector<uint8_t> relu_model_bytes(size_t dead_of_ten,
                                      const std::string& architecture = "bitnet-b1.58",
                                      uint32_t model_dim = 96, uint32_t ffn_dim = 355) {
  LogicalModel shape = small_shape(architecture);
  shape.model_dim = model_dim;
  shape.ffn_dim = ffn_dim;
  LogicalModel model = random_model(shape, 2, 11, RandomScales::row);
  for (LogicalLayer& layer : model.layers) {
    for (size_t row = 0; row < layer.gate.rows; ++row) {
      if (row % 10 >= dead_of_ten) continue;
      std::fill_n(layer.gate.trits.begin() + static_cast<std::ptrdiff_t>(row * layer.gate.cols),
                  layer.gate.cols, int8_t{0});
    }
  }
  return gguf_of(model, tern::TensorType::f16).build();
}

ModelPtr load_packed(const std::vector<uint8_t>& bytes, std::string_view isa, Packing packing) {
  tern::LoadOptions options;
  options.isa = isa;
  options.packing = packing;
  auto model = tern::Model::load_memory(bytes, options);
  REQUIRE(model.ok());
  return *model;
}

SessionPtr open_with(const ModelPtr& model, bool skip, CacheType kv, uint32_t threads) {
  tern::SessionOptions options;
  options.skip_zeros = skip;
  options.kv = kv;
  options.n_threads = threads;
  return open_session(model, options);
}

/// Logits of passes of so many tokens, skipped with three threads, are those of reading everything,
/// on every table and packing. Then look(session).
template <typename Look>
void check_passes(const std::vector<uint8_t>& bytes, const std::vector<tern::TokenId>& tokens,
                  std::initializer_list<size_t> passes, const Look& look) {
  const auto reference = load_packed(bytes, "scalar", Packing::t2);
  const auto expected =
      all_logits(*open_with(reference, false, CacheType::f16, 1), tokens, tokens.size());
  for (const auto& isa : available_isas()) {
    for (const Packing packing : {Packing::t2, Packing::t5}) {
      const auto session = open_with(load_packed(bytes, isa, packing), true, CacheType::f16, 3);
      for (const size_t in_pass : passes) {
        INFO(isa << " packing " << static_cast<int>(packing) << " tokens " << in_pass);
        REQUIRE(session->reset().ok());
        CHECK(all_logits(*session, tokens, in_pass) == expected);
      }
      look(*session);
    }
  }
}

}  // namespace

TEST_CASE("logits are the same bits skipped and dense, for every table, packing and cache") {
  struct Case {
    const char* architecture;
    size_t dead_of_ten;
  };
  // Half of the gates dead, where several tokens read everything at once; two thirds, where each
  // has lists; nine of ten, and all.
  for (const auto& [architecture, dead_of_ten] : {Case{"bitnet-b1.58", 0},
                                                  {"bitnet-b1.58", 3},
                                                  {"bitnet-b1.58", 8},
                                                  {"bitnet-b1.58", 10},
                                                  {"bitnet-a4.8", 0},
                                                  {"bitnet-a4.8", 3},
                                                  {"bitnet-a4.8", 8},
                                                  {"bitnet-a4.8", 10}}) {
    const auto bytes = relu_model_bytes(dead_of_ten, architecture);
    const auto tokens = some_tokens(25, 70);
    for (const CacheType kv : {CacheType::f16, CacheType::i8}) {
      const auto reference = load_packed(bytes, "scalar", Packing::t2);
      const auto expected = all_logits(*open_with(reference, false, kv, 1), tokens, 25);
      for (const auto& isa : available_isas()) {
        for (const Packing packing : {Packing::t2, Packing::t5}) {
          const auto model = load_packed(bytes, isa, packing);
          for (const bool skip : {false, true}) {
            for (const uint32_t threads : {1u, 3u}) {
              INFO(architecture << " dead " << dead_of_ten << " kv " << static_cast<int>(kv) << " "
                                << isa << " packing " << static_cast<int>(packing) << " skip "
                                << skip << " threads " << threads);
              const auto session = open_with(model, skip, kv, threads);
              CHECK(all_logits(*session, tokens, 1) == expected);
              CHECK((session->statistics().skipped.gates.all != 0) == skip);
              // Several tokens in one pass, each with lists of its own or all over everything; the
              // matrix kernel.
              for (const size_t in_pass : {2, 6, 8, 25}) {
                REQUIRE(session->reset().ok());
                CHECK(all_logits(*session, tokens, in_pass) == expected);
              }
            }
          }
        }
      }
    }
  }
}

TEST_CASE("tokens of which every gate is live, or none, have the bits of reading everything") {
  LogicalModel shape = small_shape();
  shape.ffn_dim = 355;
  LogicalModel logical = random_model(shape, 2, 11, RandomScales::row);
  for (LogicalLayer& layer : logical.layers) {
    // One row again and again: its sign is that of all gates of a token.
    auto& trits = layer.gate.trits;
    for (size_t i = layer.gate.cols; i < trits.size(); ++i) trits[i] = trits[i - layer.gate.cols];
  }
  const auto bytes = gguf_of(logical, tern::TensorType::f16).build();
  check_passes(bytes, some_tokens(25, 70), {1, 5, 25}, [](const tern::Session& session) {
    const tern::ZeroCount gates = session.statistics().skipped.gates;
    CHECK(gates.all == 25 * 2 * 355);
    CHECK(gates.zeros % 355 == 0);
    CHECK(gates.zeros > 0);
    CHECK(gates.zeros < gates.all);
  });
}

TEST_CASE("lists that several tokens share give the same bits as reading everything") {
  // Wide enough for lists in several tasks, sums in several parts, and rows in a scattered order.
  for (const size_t dead_of_ten : {0, 3}) {
    INFO("dead " << dead_of_ten);
    const auto bytes = relu_model_bytes(dead_of_ten, "bitnet-b1.58", 704, 4100);
    check_passes(bytes, some_tokens(9, 70), {1, 2, 8}, [](const tern::Session&) {});
  }
}

TEST_CASE(
    "a cache in four or three bits gives the same bits on every table, however texts are cut") {
  const auto bytes = relu_model_bytes(0);
  const auto tokens = some_tokens(40, 70);
  for (const CacheType kv : kCacheTypes) {
    const auto expected =
        all_logits(*open_with(load_packed(bytes, "scalar", Packing::t2), false, kv, 1), tokens, 1);
    for (const auto& isa : available_isas()) {
      const auto session = open_with(load_packed(bytes, isa, Packing::t2), true, kv, 3);
      for (const size_t step : {1, 7, 40}) {
        INFO(static_cast<int>(kv) << " " << isa << " step " << step);
        REQUIRE(session->reset().ok());
        CHECK(all_logits(*session, tokens, step) == expected);
      }
    }
  }
}

TEST_CASE("a model that is not laid out for skipping has tiles only, and the same logits") {
  const auto bytes = relu_model_bytes(3);
  const auto tokens = some_tokens(12, 70);
  tern::LoadOptions options;
  options.skip_zeros = false;
  const auto tiles = tern::Model::load_memory(bytes, options);
  REQUIRE(tiles.ok());
  const auto lines = load(bytes);
  for (size_t n = 0; n < 2; ++n) {
    const tern::LayerWeights& layer = (*tiles)->weights().layers[n];
    CHECK_FALSE(tern::is_rows(layer.ffn_up.view().packing));
    CHECK_FALSE(tern::is_columns(layer.ffn_down.view().packing));
    CHECK(tern::is_rows(lines->weights().layers[n].ffn_up.view().packing));
    CHECK(tern::is_columns(lines->weights().layers[n].ffn_down.view().packing));
    CHECK_FALSE(tern::is_columns(lines->weights().layers[n].attn_output.view().packing));
  }
  const auto session = open_session(*tiles);
  CHECK(all_logits(*session, tokens, 1) == all_logits(*open_session(lines), tokens, 1));
  CHECK(session->statistics().skipped.gates.all == 0);
}

TEST_CASE("what was skipped is counted") {
  const auto bytes = relu_model_bytes(10);  // every gate is dead
  const auto all_dead = open_session(load(bytes));
  const auto tokens = some_tokens(3, 70);
  for (const auto token : tokens) REQUIRE(all_dead->evaluate({&token, 1}).ok());
  CHECK(all_dead->statistics().skipped.gates.all == 3 * 2 * 355);
  CHECK(all_dead->statistics().skipped.gates.zeros == 3 * 2 * 355);
  CHECK(all_dead->statistics().skipped.down_inputs.all == 3 * 2 * 355);
  CHECK(all_dead->statistics().skipped.down_inputs.zeros == 3 * 2 * 355);

  const auto random_bytes = relu_model_bytes(0);
  const auto random = open_session(load(random_bytes));
  for (const auto token : tokens) REQUIRE(random->evaluate({&token, 1}).ok());
  const tern::SkipCounts counts = random->statistics().skipped;
  CHECK(counts.gates.zeros > counts.gates.all / 4);
  CHECK(counts.gates.zeros < counts.gates.all * 3 / 4);
  CHECK(counts.down_inputs.zeros >= counts.gates.zeros);
  // Passes of several tokens count nothing.
  REQUIRE(random->evaluate(tokens).ok());
  CHECK(random->statistics().skipped.gates.all == 3 * 2 * 355);
}

TEST_CASE("where only the largest inputs are kept, the others' columns are not read") {
  const auto bytes = relu_model_bytes(0, "bitnet-a4.8");
  const auto model = load(bytes);
  const auto& config = model->config();
  CHECK(config.output_topk == config.q_dim() / 2);
  const auto session = open_session(model);
  const auto tokens = some_tokens(5, 70);
  for (const auto token : tokens) REQUIRE(session->evaluate({&token, 1}).ok());
  const tern::ZeroCount counts = session->statistics().skipped.output_inputs;
  CHECK(counts.all == 5 * 2 * config.q_dim());
  CHECK(counts.zeros >= counts.all / 2);  // rounding makes some more
  CHECK(counts.zeros < counts.all * 6 / 10);
  for (const auto& layer : model->weights().layers) {
    CHECK(tern::is_columns(layer.attn_output.view().packing));
  }
}

TEST_CASE("an int8 cache costs half, and is close to a binary16 one") {
  const auto bytes = relu_model_bytes(0);
  const auto model = load(bytes);
  const auto tokens = some_tokens(40, 70);
  const auto f16 = all_logits(*open_with(model, true, CacheType::f16, 1), tokens, 40);
  const auto i8 = all_logits(*open_with(model, true, CacheType::i8, 1), tokens, 40);
  double difference = 0;
  double spread = 0;
  for (size_t i = 0; i < f16.size(); ++i) {
    difference += (f16[i] - i8[i]) * (f16[i] - i8[i]);
    spread += f16[i] * f16[i];
  }
  CHECK(difference > 0);
  // Eight bits a value leave one part in 254 of the largest, and int8 activations amplify it: the
  // bound is that of a difference which would be seen, a tenth of the logits' spread.
  CHECK(difference < 0.01 * spread);
  const auto& config = model->config();
  CHECK(tern::KvCache::bytes_per_position(config, CacheType::f16) ==
        4u * config.n_layers * config.kv_dim());
  CHECK(tern::KvCache::bytes_per_position(config, CacheType::i8) ==
        2u * config.n_layers * (config.kv_dim() + 2 * config.n_kv_heads));
  CHECK(tern::KvCache::bytes_per_position(config, CacheType::i4) ==
        2u * config.n_layers * (config.kv_dim() / 2 + 2 * config.n_kv_heads));
  CHECK(tern::KvCache::bytes_per_position(config, CacheType::i3) ==
        2u * config.n_layers * (config.kv_dim() * 3 / 8 + 2 * config.n_kv_heads));
}
