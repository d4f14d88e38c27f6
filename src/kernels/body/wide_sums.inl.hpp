// Sums of lanes beyond 32 bits, rounded once to a float: a row in each lane.
// Included inside a kernel region after vector_head.inl.hpp, before the forms that want it.

// The exact sum of the lanes of each of sixteen vectors, rounded.
static inline V rounded_wide(const VI* totals) {
  double wide[kBatchRows];
  float rounded[kBatchRows];
  sum_wide(totals, wide);
  for (size_t i = 0; i < kBatchRows; ++i) rounded[i] = static_cast<float>(wide[i]);
  return v_load(rounded);
}
