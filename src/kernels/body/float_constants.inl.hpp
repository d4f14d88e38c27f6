// Bits of floats and the constants of exp (docs/numerics.md 5), for scalar and vector bodies alike.
// Included first inside a kernel region.

static inline float f32_of_bits(uint32_t bits) { return __builtin_bit_cast(float, bits); }

// 1/7! ... 1/0!
constexpr float kExpCoefficients[8] = {1.0f / 5040, 1.0f / 720, 1.0f / 120, 1.0f / 24,
                                       1.0f / 6,    1.0f / 2,   1.0f,       1.0f};
constexpr float kExpLowest = -104.0f;
constexpr float kExpHighest = 89.0f;
constexpr float kLog2E = 0x1.715476p+0f;
constexpr float kLn2High = 0x1.62ep-1f;
constexpr float kLn2Low = 0x1.0bfbe8p-15f;
