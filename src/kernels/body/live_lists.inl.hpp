// Which rows and columns of a product matter (docs/numerics.md 4.5), sixteen or 64 at a time.
// Included inside a kernel region after trit_digits.inl.hpp.

static size_t find_live_rows(const float* gate, size_t n, uint32_t first, uint32_t* rows) {
  size_t count = 0;
  for (size_t i = 0; i < n; i += 16) {
    uint32_t live = v_live_bits(v_load_any(gate + i, n - i));  // zeros behind the end are dead
    for (; live != 0; live &= live - 1) {
      rows[count++] = first + static_cast<uint32_t>(i) + static_cast<uint32_t>(__builtin_ctz(live));
    }
  }
  return count;
}

static size_t find_nonzero(const int8_t* q, size_t n, uint32_t* columns, int8_t* values) {
  size_t count = 0;
  for (size_t i = 0; i < n; i += 64) {
    uint64_t live = 0;
    if (n - i >= 64) {
      live = vb_nonzero_bits(vi_load(q + i));
    } else {
      int8_t last[64] = {};
      __builtin_memcpy(last, q + i, n - i);
      live = vb_nonzero_bits(vi_load(last));
    }
    for (; live != 0; live &= live - 1) {
      const size_t at = i + static_cast<size_t>(__builtin_ctzll(live));
      columns[count] = static_cast<uint32_t>(at);
      values[count++] = q[at];
    }
  }
  return count;
}
