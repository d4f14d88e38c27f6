// The operations of docs/numerics.md in double precision, written from the formulas with the C++
// library's functions. Nothing is shared with src/kernels, so that an error there cannot hide here.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace naive {

using Doubles = std::vector<double>;

inline double dot(const Doubles& a, const Doubles& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}
/// The sum of the magnitudes that dot adds: its rounding error is in proportion to it.
inline double dot_magnitude(const Doubles& a, const Doubles& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::fabs(a[i] * b[i]);
  return sum;
}

inline Doubles rms_norm(const Doubles& x, const Doubles& gain, double eps) {
  const double mean = dot(x, x) / static_cast<double>(x.size());
  Doubles y;
  for (size_t i = 0; i < x.size(); ++i) y.push_back(x[i] / std::sqrt(mean + eps) * gain[i]);
  return y;
}

/// x / step before rounding, step = absmax / limit, and never less than 1e-5 / limit.
inline Doubles quantized(const Doubles& x, double limit, double* step) {
  double largest = 1e-5;
  for (const double v : x) largest = std::fmax(largest, std::fabs(v));
  *step = largest / limit;
  Doubles q;
  for (const double v : x) q.push_back(v / *step);
  return q;
}

/// Exact: y[n][m] = sum over k of t[m][k] * q[n][k].
inline std::vector<int64_t> ternary_product(const std::vector<int>& t, const std::vector<int>& q,
                                            size_t m, size_t k, size_t n) {
  std::vector<int64_t> y(n * m, 0);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < m; ++j) {
      for (size_t l = 0; l < k; ++l) y[i * m + j] += int64_t{t[j * k + l]} * q[i * k + l];
    }
  }
  return y;
}

inline double relu2_mul(double gate, double up) { return gate > 0 ? gate * gate * up : 0; }
inline double silu_mul(double gate, double up) { return gate / (1 + std::exp(-gate)) * up; }

/// GELU in its tanh form.
inline double gelu_mul(double gate, double up) {
  const double inner = std::sqrt(2 / std::acos(-1.0)) * (gate + 0.044715 * gate * gate * gate);
  return 0.5 * gate * (1 + std::tanh(inner)) * up;
}
inline Doubles l2_normalize(const Doubles& x) {
  Doubles y;
  for (const double v : x) y.push_back(v / std::sqrt(dot(x, x)));
  return y;
}

/// The angle of pair p of `dim / 2` at a position.
inline double rope_angle(double base, double position, size_t p, size_t dim) {
  return position * std::pow(base, -2.0 * static_cast<double>(p) / static_cast<double>(dim));
}

inline Doubles softmax(const Doubles& x) {
  double largest = x[0];
  for (const double v : x) largest = std::fmax(largest, v);
  double sum = 0;
  Doubles y;
  for (const double v : x) {
    y.push_back(std::exp(v - largest));
    sum += y.back();
  }
  for (double& v : y) v /= sum;
  return y;
}

/// Attention of one head: softmax of the scaled scores, then the weighted sum of the values.
inline Doubles attention(const Doubles& q, const std::vector<Doubles>& keys,
                         const std::vector<Doubles>& values) {
  Doubles scores;
  for (const Doubles& key : keys) {
    scores.push_back(dot(q, key) / std::sqrt(static_cast<double>(q.size())));
  }
  const Doubles weights = softmax(scores);
  Doubles y(values[0].size(), 0.0);
  for (size_t j = 0; j < values.size(); ++j) {
    for (size_t d = 0; d < y.size(); ++d) y[d] += weights[j] * values[j][d];
  }
  return y;
}

/// The value of a binary16 from its definition.
inline double half_value(uint16_t bits) {
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  if (exponent == 31) return fraction == 0 ? sign * INFINITY : NAN;
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}

}  // namespace naive
