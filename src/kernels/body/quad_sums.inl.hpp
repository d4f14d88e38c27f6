// Sums of products in 32 bits, for tables of 16-byte registers that add four of them at once.
// Included inside a kernel region after quad_vectors.inl.hpp and i4_dot_trits(sum, u, q): each lane
// += the products of four neighbouring u (0..15) and q.

using VS = VI;
constexpr size_t kDotsInSum = 65536;
constexpr size_t kSharedRows = 1;

static inline VS vs_zero() { return vi_zero(); }
static inline void vs_settle(VS*) {}
static inline VI vi_add_sums(VI v, VS s) { return vi_add(v, s); }
static inline VS vs_dot(VS s, VB u, VB q) {
  return {i4_dot_trits(s.a, u.a, q.a), i4_dot_trits(s.b, u.b, q.b), i4_dot_trits(s.c, u.c, q.c),
          i4_dot_trits(s.d, u.d, q.d)};
}
