// Sixteen floats, or as many as there are. Included inside a kernel region after its primitives,
// before every body that says v_load_any.

static inline V v_load_any(const float* p, size_t n) {
  return n >= 16 ? v_load(p) : v_load_n(p, n);
}
static inline void v_store_any(float* p, size_t n, V v) {
  if (n >= 16) {
    v_store(p, v);
  } else {
    v_store_n(p, n, v);
  }
}
