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

TEST_CASE("A penalty moves logits of either sign down") {
  for (const KernelTable& k : runnable_kernels()) {
    CHECK(k.penalize(2.0f, 2.0f) == 1.0f);
    CHECK(k.penalize(-2.0f, 2.0f) == -4.0f);
    CHECK(k.penalize(2.0f, 1.0f) == 2.0f);
  }
}
