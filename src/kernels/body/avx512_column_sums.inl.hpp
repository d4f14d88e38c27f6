// What makes floats of the sums that multiply_columns left. Included inside an AVX-512 region,
// after avx512_columns.inl.hpp, which says in what order they lie.

// Sums of one digit of a unit over all parts, as four registers of sixteen neighbouring outputs.
static inline void gather_sums(const int32_t* parts, size_t n_parts, size_t part_stride, VI* out) {
  VI quarters[4];
  for (size_t q = 0; q < 4; ++q) {
    quarters[q] = vi_zero();
    for (size_t p = 0; p < n_parts; ++p) {
      quarters[q] = vi_add(quarters[q], _mm512_loadu_si512(parts + p * part_stride + 16 * q));
    }
  }
  transpose_quarters(quarters, 1, out, 1);
}
template <bool kTwoPlanes>
static void finish_planes(const TernaryView& w, const ActivationView& a, const int32_t* parts,
                          size_t n_parts, size_t part_stride, size_t unit_begin, size_t unit_end,
                          float* y, size_t y_stride) {
  const size_t unit = unit_rows(w.packing);
  const size_t plane_size = w.n_units() * unit;
  const size_t end = unit_end * unit < w.rows ? unit_end * unit : w.rows;
  for (size_t t = 0; t < a.n; ++t) {
    const int32_t* high = parts + t * plane_size;
    for (size_t row = unit_begin * unit; row < end; row += 64) {
      VI sums[2][4];
      gather_sums(high + row, n_parts, part_stride, sums[0]);
      if constexpr (kTwoPlanes) {
        gather_sums(high + a.n * plane_size + row, n_parts, part_stride, sums[1]);
      }
      for (size_t i = 0; i < 4 && row + 16 * i < end; ++i) {
        const VI planes[2] = {sums[0][i], sums[1][i]};
        const V scale = tile_scales(w, row / kTileRows + i);
        const V result = scaled<kTwoPlanes>(planes, 0, 1, a.tokens[t], scale);
        v_store_any(y + t * y_stride + row + 16 * i, end - row - 16 * i, result);
      }
    }
  }
}
static void finish_columns(const TernaryView& w, const ActivationView& a, const int32_t* parts,
                           size_t n_parts, size_t part_stride, size_t unit_begin, size_t unit_end,
                           float* y, size_t y_stride) {
  if (a.low != nullptr) {
    finish_planes<true>(w, a, parts, n_parts, part_stride, unit_begin, unit_end, y, y_stride);
  } else {
    finish_planes<false>(w, a, parts, n_parts, part_stride, unit_begin, unit_end, y, y_stride);
  }
}
