// The sampler: each stage alone, their order, and ties.
#include "tern/engine/sampler.hpp"

#include <cmath>
#include <limits>
#include <set>

#include "support/model_fixture.hpp"

using tern::Status;
using tern::TokenId;

namespace {

tern::Sampler make_sampler(size_t n_tokens) {
  tern::Sampler sampler;
  tern::BufferPlan plan(tern::default_allocator());
  REQUIRE(sampler.allocate(static_cast<uint32_t>(n_tokens), plan).ok());
  return sampler;
}

/// Samples once per position 0 .. n - 1 on every table; the tables must agree.
std::vector<TokenId> draws(const std::vector<float>& logits, const tern::SamplerOptions& options,
                           size_t n, const std::vector<TokenId>& recent = {}) {
  std::vector<TokenId> first;
  for (const auto& isa : tern_test::available_isas()) {
    const auto kernels = tern::select_kernels(isa);
    REQUIRE(kernels.ok());
    tern::Sampler sampler = make_sampler(logits.size());
    std::vector<TokenId> out;
    for (size_t position = 0; position < n; ++position) {
      const auto token = sampler.sample(*kernels, logits, recent, position, options);
      if (!token.ok()) FAIL(token.error().what);
      out.push_back(*token);
    }
    if (first.empty()) first = out;
    CHECK(out == first);
  }
  return first;
}

std::set<TokenId> support(const std::vector<float>& logits, const tern::SamplerOptions& options,
                          const std::vector<TokenId>& recent = {}) {
  const auto all = draws(logits, options, 2000, recent);
  return {all.begin(), all.end()};
}

const std::vector<float> kLogits = {0.0f, 3.0f, 1.0f, 3.0f, 2.0f};

tern::SamplerOptions warm() {
  tern::SamplerOptions options;
  options.temperature = 1;
  return options;
}

}  // namespace

TEST_CASE("greedy takes the largest logit, and the lowest id among equals") {
  CHECK(draws(kLogits, {}, 3) == std::vector<TokenId>{1, 1, 1});
}

TEST_CASE("top-k keeps the k best, the lower id first among equals") {
  auto options = warm();
  options.top_k = 1;
  CHECK(support(kLogits, options) == std::set<TokenId>{1});
  options.top_k = 2;
  CHECK(support(kLogits, options) == std::set<TokenId>{1, 3});
  options.top_k = 3;
  CHECK(support(kLogits, options) == std::set<TokenId>{1, 3, 4});
  options.top_k = 0;
  CHECK(support(kLogits, options).size() == 5);
}

TEST_CASE("top-p keeps the shortest prefix that reaches its share") {
  // Probabilities 0.5, 0.25, 0.125, 0.125, exact.
  const std::vector<float> logits = {0, std::log(4.0f), std::log(2.0f), 0};
  auto options = warm();
  options.top_p = 0.49f;
  CHECK(support(logits, options) == std::set<TokenId>{1});
  options.top_p = 0.6f;
  CHECK(support(logits, options) == std::set<TokenId>{1, 2});
  options.top_p = 0.8f;
  CHECK(support(logits, options) == std::set<TokenId>{0, 1, 2});
  options.top_p = 0.99f;
  CHECK(support(logits, options).size() == 4);
}

TEST_CASE("min-p keeps what is at least its share of the best") {
  const std::vector<float> logits = {0, 2, 1, -1};
  auto options = warm();
  options.min_p = 1;
  CHECK(support(logits, options) == std::set<TokenId>{1});
  options.min_p = 0.3f;
  CHECK(support(logits, options) == std::set<TokenId>{1, 2});
  options.min_p = 0.1f;
  CHECK(support(logits, options) == std::set<TokenId>{0, 1, 2});
}

TEST_CASE("temperature comes before top-p: a flatter distribution keeps more") {
  const std::vector<float> logits = {0, 2, 1, -1};
  auto options = warm();
  options.top_p = 0.6f;
  CHECK(support(logits, options) == std::set<TokenId>{1});
  options.temperature = 4;
  CHECK(support(logits, options) == std::set<TokenId>{1, 2});
}

TEST_CASE("the repetition penalty lowers each recent token once, of either sign") {
  tern::SamplerOptions options;
  options.repeat_penalty = 2;
  CHECK(draws({4.0f, 3.0f, 1.0f}, options, 1, {0, 0, 0}) == std::vector<TokenId>{1});
  // Once only: 4 / 2 = 2 still beats 1.5; a penalty a repeat would not.
  CHECK(draws({4.0f, 1.5f, 1.0f}, options, 1, {0, 0, 0}) == std::vector<TokenId>{0});
  CHECK(draws({-1.0f, -1.5f}, options, 1, {0}) == std::vector<TokenId>{1});
}

TEST_CASE("the repetition penalty looks at the last 64 tokens") {
  tern::SamplerOptions options;
  options.repeat_penalty = 100;
  std::vector<TokenId> recent(65, 2);
  recent[0] = 0;
  CHECK(draws({4.0f, 3.0f, 1.0f}, options, 1, recent) == std::vector<TokenId>{0});
  recent[1] = 0;
  CHECK(draws({4.0f, 3.0f, 1.0f}, options, 1, recent) == std::vector<TokenId>{1});
}

TEST_CASE("bias comes first, then the mask") {
  tern::SamplerOptions options;
  const tern::LogitBias biases[] = {{0, 5.0f}, {2, 1.0f}};
  options.biases = biases;
  CHECK(draws(kLogits, options, 1) == std::vector<TokenId>{0});
  const uint64_t mask[] = {0b11100};
  options.mask = mask;
  CHECK(draws(kLogits, options, 1) == std::vector<TokenId>{3});
  const uint64_t only[] = {0b00100};
  options.mask = only;
  CHECK(draws(kLogits, options, 1) == std::vector<TokenId>{2});
}

TEST_CASE("draws follow the probabilities and depend on seed and position alone") {
  const std::vector<float> logits = {0, std::log(3.0f)};
  const auto options = warm();
  const auto all = draws(logits, options, 4000);
  const auto ones = std::count(all.begin(), all.end(), 1);
  CHECK(ones > 2900);
  CHECK(ones < 3100);
  CHECK(draws(logits, options, 4000) == all);
  auto other = options;
  other.seed = 1;
  CHECK(draws(logits, other, 4000) != all);
}

TEST_CASE("the random bits are those of SplitMix64") {
  // First outputs for seed 1234567, from the generator's published test vectors.
  CHECK(tern::random_bits(1234567, 0) == 6457827717110365317u);
  CHECK(tern::random_bits(1234567, 1) == 3203168211198807973u);
  CHECK(tern::random_bits(1234567, 2) == 9817491932198370423u);
}

TEST_CASE("options out of range are refused by name") {
  const auto refused = [](auto spoil) {
    tern::SamplerOptions options;
    spoil(options);
    const auto result = tern::check_sampler_options(options);
    return result.ok() ? std::string() : std::string(result.error().subject);
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(refused([](auto&) {}).empty());
  CHECK(refused([](auto& o) { o.temperature = -1; }) == "temperature");
  CHECK(refused([&](auto& o) { o.temperature = nan; }) == "temperature");
  CHECK(refused([](auto& o) { o.top_p = 0; }) == "top_p");
  CHECK(refused([&](auto& o) { o.top_p = nan; }) == "top_p");
  CHECK(refused([](auto& o) { o.min_p = 1.5f; }) == "min_p");
  CHECK(refused([](auto& o) { o.repeat_penalty = 0; }) == "repeat_penalty");
}

TEST_CASE("a mask that allows nothing, a short mask and a bias of no token are refused") {
  const auto kernels = tern::select_kernels("scalar");
  tern::Sampler sampler = make_sampler(5);
  const auto status = [&](const tern::SamplerOptions& options) {
    return sampler.sample(*kernels, kLogits, {}, 0, options).status();
  };
  tern::SamplerOptions options;
  const uint64_t nothing[] = {0};
  options.mask = nothing;
  CHECK(status(options) == Status::invalid_argument);
  options.mask = {};
  const tern::LogitBias biases[] = {{5, 1.0f}};
  options.biases = biases;
  CHECK(status(options) == Status::invalid_argument);
}

TEST_CASE("a bias or penalty that overflows is refused, and a tiny temperature is greedy") {
  const auto kernels = tern::select_kernels("scalar");
  tern::Sampler sampler = make_sampler(5);
  tern::SamplerOptions options;
  const float largest = std::numeric_limits<float>::max();
  const std::vector<float> logits = {1, largest, 14, 3, -20};
  const tern::LogitBias biases[] = {{1, largest}};
  options.biases = biases;
  CHECK(sampler.sample(*kernels, logits, {}, 0, options).status() == Status::invalid_argument);
  options.biases = {};
  options.repeat_penalty = 1e-39f;
  const TokenId recent[] = {1};
  CHECK(sampler.sample(*kernels, logits, recent, 0, options).status() == Status::invalid_argument);
  auto cold = warm();
  cold.temperature = 1e-38f;
  CHECK(support({1, 15, 14, 3, -20}, cold) == std::set<TokenId>{1});
}
