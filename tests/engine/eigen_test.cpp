// Eigen's vectors and matrices in and out of ternary layers and sessions.
#include "tern/eigen.hpp"

#include "support/allocation_counter.hpp"
#include "support/model_fixture.hpp"

using namespace tern_test;
using tern::Status;
using tern::TernaryLayer;

namespace {
TernaryLayer made(uint32_t rows, uint32_t cols) {
  std::vector<int8_t> trits;
  for (size_t i = 0; i < size_t{rows} * cols; ++i) {
    trits.push_back(static_cast<int8_t>(static_cast<int>(i * i % 7 % 3) - 1));
  }
  const float scale = 0.5f;
  auto layer = TernaryLayer::create(trits, rows, cols, {&scale, 1}, {});
  REQUIRE(layer.ok());
  return *std::move(layer);
}
}  // namespace

TEST_CASE("Eigen's vectors, matrices, blocks and expressions go in and out") {
  TernaryLayer layer = made(20, 30);
  const Eigen::MatrixXf x = Eigen::MatrixXf::Random(30, 4);
  Eigen::MatrixXf y(20, 4);
  REQUIRE(layer.multiply({x.data(), 120}, {y.data(), 80}).ok());
  Eigen::MatrixXf out;
  REQUIRE(tern::multiply(layer, x, out).ok());
  CHECK(out == y);
  Eigen::MatrixXf wide = Eigen::MatrixXf::Zero(50, 4);
  wide.topRows(30) = x;
  REQUIRE(tern::multiply(layer, wide.topRows(30), out).ok());
  CHECK(out == y);
  REQUIRE(tern::multiply(layer, x * 1.0f, out).ok());
  CHECK(out == y);
  Eigen::VectorXf one;
  REQUIRE(tern::multiply(layer, x.col(2), one).ok());
  CHECK(one == y.col(2));
  CHECK(tern::multiply(layer, x.topRows(29), out).status() == Status::invalid_argument);

  const Eigen::MatrixXf weights = Eigen::MatrixXf::Random(7, 9);
  auto ternary = tern::ternarize(weights, {});
  REQUIRE(ternary.ok());
  CHECK(ternary->rows() == 7);
  CHECK(ternary->cols() == 9);
}

TEST_CASE("a session's logits are an Eigen vector where they are") {
  const auto bytes = gguf_of(random_model(small_shape(), 2, 3), tern::TensorType::tq2_0).build();
  const auto session = open_session(load(bytes));
  CHECK(tern::logits(*session).size() == 0);
  REQUIRE(session->evaluate(some_tokens(3, 70)).ok());
  const auto logits = tern::logits(*session);
  CHECK(logits.size() == 70);
  CHECK(logits.data() == session->logits().data());
}

TEST_CASE("products of Eigen's vectors allocate nothing") {
  TernaryLayer layer = made(64, 48);
  const Eigen::VectorXf in = Eigen::VectorXf::LinSpaced(48, -1, 1);
  Eigen::VectorXf out(64);
  const long before = n_allocations;
  const bool done = tern::multiply(layer, in, out).ok();
  CHECK(n_allocations == before);
  CHECK(done);
}
