// Sampling slots: their edges, which a model's vocabulary rarely meets.
#include "kernels/kernel_cases.hpp"

using namespace tern_test;
using tern::KernelTable;

TEST_CASE("Top-p keeps at least one candidate and at most all") {
  for (const KernelTable& k : runnable_kernels()) {
    const float weights[] = {1.0f, 0.5f, 0.25f};
    CHECK(k.top_p_count(weights, 3, 0.0f) == 1);
    CHECK(k.top_p_count(weights, 3, 1.0f) == 3);
    CHECK(k.top_p_count(weights, 1, 0.5f) == 1);
  }
}

TEST_CASE("Min-p keeps the first candidate whatever its threshold") {
  for (const KernelTable& k : runnable_kernels()) {
    const float weights[] = {1.0f, 1.0f, 0.25f};
    CHECK(k.min_p_count(weights, 3, 0.0f) == 3);
    CHECK(k.min_p_count(weights, 3, 1.0f) == 2);
    CHECK(k.min_p_count(weights, 3, 2.0f) == 1);
  }
}

TEST_CASE("A draw never takes a candidate of weight zero before the last") {
  for (const KernelTable& k : runnable_kernels()) {
    const float weights[] = {0.0f, 1.0f, 0.0f, 1.0f};
    CHECK(k.draw(weights, 4, 0) == 1);
    CHECK(k.draw(weights, 4, ~uint64_t{0}) == 3);
    CHECK(k.draw(weights, 1, ~uint64_t{0}) == 0);
    size_t counts[4] = {};
    SampleRandom random(9);
    for (int i = 0; i < 4000; ++i) {
      const uint64_t bits = (uint64_t{random.next()} << 32) | random.next();
      ++counts[k.draw(weights, 4, bits)];
    }
    CHECK(counts[0] + counts[2] == 0);
    CHECK(counts[1] > 1800);
    CHECK(counts[3] > 1800);
  }
}

TEST_CASE(
    "A draw from weights that are all zero, or not numbers, takes the first or the last possible") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  for (const KernelTable& k : runnable_kernels()) {
    for (const uint64_t bits : {uint64_t{0}, uint64_t{1} << 63, ~uint64_t{0}}) {
      const float zeros[] = {0.0f, 0.0f, 0.0f};
      CHECK(k.draw(zeros, 3, bits) == 0);
      const float spoiled[] = {1.0f, 0.5f, nan, 0.0f};
      CHECK(k.draw(spoiled, 4, bits) == 1);
      const float overflowed[] = {1.0f, infinity, 0.0f};
      CHECK(k.draw(overflowed, 3, bits) < 2);
    }
    // Half a total of one subnormal rounds to zero or to the total, where no chain is above it.
    const float tiny[] = {0x1p-149f, 0.0f};
    CHECK(k.draw(tiny, 2, ~uint64_t{0}) == 0);
  }
}

TEST_CASE("Weights are numbers from 0 to 1 at the smallest temperature and the largest logits") {
  const float largest = std::numeric_limits<float>::max();
  for (const KernelTable& k : runnable_kernels()) {
    for (const float temperature : {0x1p-149f, 1e-38f, 1e-3f, 1.0f, largest}) {
      float weights[] = {largest, largest, 1.0f, 0.0f, -largest};
      k.sampling_weights(weights, 5, temperature, weights);  // in place
      CHECK(weights[0] == 1.0f);
      CHECK(weights[1] == 1.0f);
      for (const float w : weights) CHECK((w >= 0.0f && w <= 1.0f));
      for (const float p : {0.0f, 0.5f, 1.0f}) {
        const size_t count = k.top_p_count(weights, 5, p);
        CHECK((count >= 1 && count <= 5));
      }
      CHECK(k.draw(weights, 5, ~uint64_t{0}) < 5);
      CHECK(weights[k.draw(weights, 5, ~uint64_t{0})] > 0);
    }
  }
}

TEST_CASE("A penalty moves logits of either sign down") {
  for (const KernelTable& k : runnable_kernels()) {
    CHECK(k.penalize(2.0f, 2.0f) == 1.0f);
    CHECK(k.penalize(-2.0f, 2.0f) == -4.0f);
    CHECK(k.penalize(2.0f, 1.0f) == 2.0f);
  }
}
