// The `multiply` vectors of docs/numerics.md in every packing, whole and by lists of rows or
// columns.
#pragma once

#include "kernels/product_cases.hpp"
#include "kernels/vector_lines.hpp"

namespace tern_test {

using Floats = std::vector<float>;

/// What an operation gave, to compare with a line: null where it reported a non-finite value.
inline bool same(const Floats& a, const Floats& b) {
  Bytes x, y;
  for (const float v : a) append(x, v);
  for (const float v : b) append(y, v);
  return x == y;
}
/// The product over every column that is not zero, in two parts, and over the listed rows.
inline Floats multiply_listed(const tern::KernelTable& k, const tern::TernaryView& w,
                              const tern::ActivationView& a) {
  Floats y(w.rows);
  if (tern::is_rows(w.packing)) {
    std::vector<uint32_t> rows;
    for (uint32_t r = 0; r < w.rows; ++r) rows.push_back(w.rows - 1 - r);
    k.multiply_rows(w, a, rows.data(), 0, 1, y.data(), y.size());
    k.multiply_rows(w, a, rows.data(), 1, rows.size(), y.data(), y.size());
    return y;
  }
  const size_t n_planes = a.low != nullptr ? 2 : 1;
  std::vector<uint32_t> columns;
  std::vector<int8_t> values(n_planes * w.cols);
  for (uint32_t c = 0; c < w.cols; ++c) {
    if (a.high[c] == 0 && (a.low == nullptr || a.low[c] == 0)) continue;
    values[columns.size()] = a.high[c];
    if (a.low != nullptr) values[w.cols + columns.size()] = a.low[c];
    columns.push_back(c);
  }
  const tern::ColumnInputs in{columns.data(), values.data(), w.cols, n_planes};
  const size_t size = n_planes * tern::column_sums_size(w);
  GuardedBuffer<int32_t> sums(2 * size);
  k.multiply_columns(w, in, 0, columns.size() / 2, sums.data());
  k.multiply_columns(w, in, columns.size() / 2, columns.size(), sums.data() + size);
  k.finish_columns(w, a, sums.data(), 2, size, 0, w.n_units(), y.data(), y.size());
  return y;
}

/// Whether a line holds.
inline bool multiply(const tern::KernelTable& k, const VectorLine& l) {
  const auto rows = l.rows("t");
  const size_t cols = rows[0].size();
  std::vector<uint8_t> u;
  for (const auto& row : rows) {
    for (const std::string& trit : row) u.push_back(static_cast<uint8_t>(std::stoi(trit) + 1));
  }
  tern::TernaryView w;
  w.rows = static_cast<uint32_t>(rows.size());
  w.cols = static_cast<uint32_t>(cols);
  Floats scales;
  if (l.has("tensor")) scales = l.floats("tensor");
  if (l.has("row")) scales = l.floats("row"), w.scale_kind = tern::ScaleKind::row;
  for (const uint32_t group_cols : {32u, 64u, 128u, 256u}) {
    const std::string name = "group_" + std::to_string(group_cols);
    if (!l.has(name)) continue;
    scales = l.floats(name), w.scale_kind = tern::ScaleKind::group, w.group_cols = group_cols;
  }
  w.scales = scales.data();

  const bool two_planes = l.has("low");
  std::vector<int8_t> high(tern::activation_stride(cols)), low(high.size());
  tern::QuantizedToken token;
  token.step = l.floats("step")[0];
  const auto put = [&](const char* name, std::vector<int8_t>& plane, int32_t& sum) {
    const auto codes = l.integers(name);
    for (size_t i = 0; i < cols; ++i) plane[i] = static_cast<int8_t>(codes[i]);
    for (const int64_t v : codes) sum += static_cast<int32_t>(v);
  };
  put(two_planes ? "high" : "q", high, token.sum);
  if (two_planes) put("low", low, token.sum_low);
  const tern::ActivationView a{high.data(), two_planes ? low.data() : nullptr, &token, high.size(),
                               1};

  const Floats expected = l.floats("->y");
  GuardedBuffer<int8_t> packed(k.packed_tokens_bytes(1, cols));
  GuardedBuffer<uint8_t> scratch(k.matrix_scratch_bytes);
  k.pack_tokens(a, cols, 0, 1, packed.data());
  for (const tern::Packing packing : kPackings) {
    if (w.scale_kind == tern::ScaleKind::group && packing != tern::Packing::t2) continue;
    w.packing = packing;
    std::vector<uint8_t> data(*tern::packed_bytes(packing, w.rows, w.cols));
    if (tern::is_five(packing)) {
      pack_trits<tern::T5Code>(u.data(), w.rows, cols, packing, data.data());
    } else {
      pack_trits<tern::T2Code>(u.data(), w.rows, cols, packing, data.data());
    }
    w.data = data.data();
    Floats y(w.rows), y_matrix(w.rows);
    if (tern::is_rows(packing) || tern::is_columns(packing)) {
      y = multiply_listed(k, w, a);
    } else {
      k.multiply_vector(w, a, 0, w.n_units(), y.data(), y.size());
    }
    k.multiply_matrix(w, a, packed.data(), 0, w.n_units(), y_matrix.data(), y.size(),
                      scratch.data());
    if (!same(y, expected) || !same(y_matrix, expected)) return false;
  }
  return true;
}

}  // namespace tern_test
