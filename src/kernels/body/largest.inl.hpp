// The largest magnitudes of a vector (docs/numerics.md 3.4), by the bits of floats, which as
// integers are in the order of the magnitudes. Included inside every kernel region, where the
// compiler makes vectors of the counting.

static inline uint32_t magnitude_bits(float x) {
  return __builtin_bit_cast(uint32_t, x) & 0x7FFFFFFFu;
}

static inline size_t count_from(const float* x, size_t n, uint32_t least) {
  uint32_t count = 0;
  for (size_t i = 0; i < n; ++i) count += magnitude_bits(x[i]) >= least ? 1u : 0u;
  return count;
}

// The magnitude of rank `keep` bit by bit from above, until exactly `keep` are left, which most
// often is before the last bit. Else what is below it goes, and of those equal to it the last ones.
static void keep_largest(float* x, size_t n, size_t keep) {
  uint32_t least = 0;
  size_t left = n;
  for (uint32_t bit = 1u << 30; bit != 0 && left != keep; bit >>= 1) {
    const size_t found = count_from(x, n, least | bit);
    if (found < keep) continue;
    least |= bit;
    left = found;
  }
  if (left == keep) {
    for (size_t i = 0; i < n; ++i) x[i] = magnitude_bits(x[i]) >= least ? x[i] : 0.0f;
    return;
  }
  size_t equal = keep - count_from(x, n, least + 1);
  for (size_t i = 0; i < n; ++i) {
    const uint32_t bits = magnitude_bits(x[i]);
    if (bits > least || (bits == least && equal > 0)) {
      if (bits == least) --equal;
    } else {
      x[i] = 0.0f;
    }
  }
}
