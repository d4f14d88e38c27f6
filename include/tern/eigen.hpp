// Eigen vectors and matrices in and out of ternary layers and sessions. Opt-in: the only public
// header that includes a third party.
//
// Vectors of a batch are columns, as is usual with Eigen: x [cols, n] gives y [rows, n], and both
// are column-major, so that nothing is transposed.
#pragma once

#include <Eigen/Core>

#include "tern/engine/session.hpp"
#include "tern/engine/ternary_layer.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// y = W x. An expression is evaluated first; a vector or matrix of floats is used where it is.
/// Shapes: x [cols, n], no part of y; y is resized to [rows, n]: no allocation where it has that
/// size. Errors: those of TernaryLayer::multiply.
template <typename Derived, typename Output>
Result<void> multiply(TernaryLayer& layer, const Eigen::MatrixBase<Derived>& x,
                      Eigen::PlainObjectBase<Output>& y) {
  static_assert(std::is_same_v<typename Derived::Scalar, float>, "layers take floats");
  static_assert(std::is_same_v<typename Output::Scalar, float>, "layers give floats");
  static_assert(!Output::IsRowMajor || Output::RowsAtCompileTime == 1, "columns are vectors");
  const Eigen::Ref<const Eigen::MatrixXf, 0, Eigen::OuterStride<>> in(x);
  if (in.data() == y.data() || in.cols() == 0) {
    return Error(Status::invalid_argument, "no vectors, or the outputs are the inputs", "x");
  }
  y.resize(layer.rows(), in.cols());
  // Columns that lie one behind the other go together.
  const Eigen::Index n = in.outerStride() == in.rows() ? in.cols() : 1;
  for (Eigen::Index begin = 0; begin < in.cols(); begin += n) {
    TERN_TRY(
        layer.multiply({in.data() + begin * in.outerStride(), static_cast<size_t>(in.rows() * n)},
                       {y.data() + begin * y.rows(), static_cast<size_t>(y.rows() * n)}));
  }
  return {};
}

/// A layer of Eigen's matrix, ternarized. Shapes: weights [rows, cols], any storage order.
/// Errors: those of TernaryLayer::ternarize. Cost: a copy in row order.
template <typename Derived>
Result<TernaryLayer> ternarize(const Eigen::MatrixBase<Derived>& weights,
                               const LayerOptions& options) {
  const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> rows = weights;
  return TernaryLayer::ternarize({rows.data(), static_cast<size_t>(rows.size())},
                                 static_cast<uint32_t>(rows.rows()),
                                 static_cast<uint32_t>(rows.cols()), options);
}

/// The logits of a session's last token, where they are; of size 0 where there are none. Valid
/// until the session changes.
inline Eigen::Map<const Eigen::VectorXf> logits(const Session& session) {
  const auto values = session.logits();
  return {values.data(), static_cast<Eigen::Index>(values.size())};
}

TERN_NAMESPACE_END
