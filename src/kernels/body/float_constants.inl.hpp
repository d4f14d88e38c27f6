// What scalar and vector bodies share: bits of floats, the constants of exp and GELU
// (docs/numerics.md 5, 6) and the floor of the quantizers (3). Included first inside a kernel
// region.

static inline float f32_of_bits(uint32_t bits) { return __builtin_bit_cast(float, bits); }

// 1/7! ... 1/0!
constexpr float kExpCoefficients[8] = {1.0f / 5040, 1.0f / 720, 1.0f / 120, 1.0f / 24,
                                       1.0f / 6,    1.0f / 2,   1.0f,       1.0f};
constexpr uint32_t kNanBits = 0x7FC00000u;
constexpr float kExpLowest = -104.0f;
constexpr float kExpHighest = 89.0f;
constexpr float kLog2E = 0x1.715476p+0f;
constexpr float kLn2High = 0x1.62ep-1f;
constexpr float kLn2Low = 0x1.0bfbe8p-15f;

// 6: the cubic term, and -2 sqrt(2 / pi).
constexpr float kGeluCubic = 0.044715f;
constexpr float kGeluSlope = -1.5957691216f;

// 3: the largest magnitude, given by its bits, but never so small that a step would be zero.
static inline float floored_absmax(uint32_t bits) {
  const float absmax = f32_of_bits(bits);
  return absmax > 1e-5f ? absmax : 1e-5f;
}

// 3.3: sqrt(7), what int4 codes of a mean magnitude go up to.
constexpr float kSqrt7 = 2.6457513f;

// 9.4: the same for the weights of a chunk, whose unit may be as small as weights get.
static inline float floored_weight(uint32_t bits) {
  const float absmax = f32_of_bits(bits);
  return absmax > 0x1p-100f ? absmax : 0x1p-100f;
}

// Adding 1.5 * 2^23 leaves the integer nearest to x, half to even, in the low bits. Exact for
// |x| < 2^22, which every caller guarantees.
static inline float rint_f32(float x) { return (x + 12582912.0f) - 12582912.0f; }
