// Rows in planes, a column at a time (docs/numerics.md 11.1). Included inside a kernel region.
// |sum|: 65536 * 240 * 16256 < 2^38.

static void plane_dots(const HeadView& head, size_t plane, const ActivationView& a,
                       const uint32_t* rows, size_t begin, size_t end, double* dots) {
  for (size_t i = begin; i < end; ++i) {
    const size_t r = rows != nullptr ? rows[i] : i;
    const uint8_t* row = head.rows + plane_row_at(head.k, plane, r);
    int64_t sum = 0;
    for (size_t c = 0; c < head.k; ++c) {
      sum += static_cast<int64_t>(plane_code(row, plane, c)) * (a.high[c] * 128 + a.low[c]);
    }
    dots[r] = plane == 0 ? static_cast<double>(sum) : dots[r] + static_cast<double>(sum);
  }
}
