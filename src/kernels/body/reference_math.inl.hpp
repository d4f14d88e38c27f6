// The elementary functions of docs/numerics.md 5, 8 and the sums of 1, one value at a time.
// Included inside a kernel region; uses nothing but the operations that the document names.

static inline uint32_t bits_of_f32(float x) { return __builtin_bit_cast(uint32_t, x); }

// As rint_f32: exact for |x| < 2^51.
static inline double rint_f64(double x) { return (x + 6755399441055744.0) - 6755399441055744.0; }

// 1: the sum of sixteen lanes.
static inline float lane_tree(float* lane) {
  for (int width = 8; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) lane[i] = lane[i] + lane[i + width];
  }
  return lane[0];
}

static inline float power_of_two(int k) {
  return f32_of_bits(static_cast<uint32_t>(k + 127) << 23);
}

static inline float exp_f32(float x) {
  if (x != x) return x;
  x = x < kExpLowest ? kExpLowest : x;
  x = x > kExpHighest ? kExpHighest : x;
  const float kf = rint_f32(x * kLog2E);
  const float r = (x - kf * kLn2High) - kf * kLn2Low;
  float p = kExpCoefficients[0];
  for (int i = 1; i < 8; ++i) p = p * r + kExpCoefficients[i];
  const int k = static_cast<int>(kf);
  const int k1 = k >> 1;
  return (p * power_of_two(k1)) * power_of_two(k - k1);
}

// 8: f64 functions for angles and log-probabilities.
constexpr double kLn2High64 = 0x1.62e42feep-1;
constexpr double kLn2Low64 = 0x1.a39ef35793c76p-33;

static inline double power_of_two_f64(int64_t k) {
  return __builtin_bit_cast(double, static_cast<uint64_t>(k + 1023) << 52);
}

static inline double log_f64(double x) {
  constexpr uint64_t kFraction = (uint64_t{1} << 52) - 1;
  const uint64_t bits = __builtin_bit_cast(uint64_t, x);
  int64_t e = static_cast<int64_t>(bits >> 52) - 1023;
  double m = __builtin_bit_cast(double, (bits & kFraction) | (uint64_t{1023} << 52));
  if (m >= 0x1.6a09e667f3bcdp+0) {  // sqrt(2)
    m = m * 0.5;
    e = e + 1;
  }
  const double s = (m - 1.0) / (m + 1.0);
  const double z = s * s;
  double q = 1.0 / 23;
  for (int i = 21; i >= 1; i -= 2) q = q * z + 1.0 / static_cast<double>(i);
  const double ef = static_cast<double>(e);
  return ef * kLn2High64 + ((2.0 * s) * q + ef * kLn2Low64);
}

static inline double exp_f64(double x) {
  const double kf = rint_f64(x * 0x1.71547652b82fep+0);
  const double r = (x - kf * kLn2High64) - kf * kLn2Low64;
  // 13! down to 0!; each factorial is exact in f64, so each coefficient is rounded once.
  double factorial = 6227020800.0;
  double p = 1.0 / factorial;
  for (int i = 13; i >= 1; --i) {
    factorial = factorial / static_cast<double>(i);
    p = p * r + 1.0 / factorial;
  }
  return p * power_of_two_f64(static_cast<int64_t>(kf));
}

// Cosine and sine of 0 <= x < 2^20 (8.2).
static inline void cos_sin_f64(double x, double* cosine, double* sine) {
  const double kf = rint_f64(x * 0x1.45f306dc9c883p-1);
  const double r =
      ((x - kf * 0x1.921fb544p+0) - kf * 0x1.0b4611a6p-34) - kf * 0x1.3198a2e037073p-69;
  const double z = r * r;
  constexpr double kSin[8] = {
      1.0 / 355687428096000.0, -1.0 / 1307674368000.0, 1.0 / 6227020800.0, -1.0 / 39916800.0,
      1.0 / 362880.0,          -1.0 / 5040.0,          1.0 / 120.0,        -1.0 / 6.0};
  constexpr double kCos[9] = {-1.0 / 6402373705728000.0,
                              1.0 / 20922789888000.0,
                              -1.0 / 87178291200.0,
                              1.0 / 479001600.0,
                              -1.0 / 3628800.0,
                              1.0 / 40320.0,
                              -1.0 / 720.0,
                              1.0 / 24.0,
                              -1.0 / 2.0};
  double p = kSin[0];
  for (int i = 1; i < 8; ++i) p = p * z + kSin[i];
  double q = kCos[0];
  for (int i = 1; i < 9; ++i) q = q * z + kCos[i];
  const double s = r + (r * z) * p;
  const double c = 1.0 + z * q;
  switch (static_cast<int64_t>(kf) & 3) {
    case 0: *cosine = c, *sine = s; break;
    case 1: *cosine = -s, *sine = c; break;
    case 2: *cosine = -c, *sine = -s; break;
    default: *cosine = s, *sine = -c; break;
  }
}

// 8.1
static void rope_frequencies(double base, double linear_factor, const float* factors, size_t dim,
                             double* inv_freq) {
  const double log_base = log_f64(base);
  for (size_t p = 0; p < dim / 2; ++p) {
    const double exponent = static_cast<double>(2 * p) / static_cast<double>(dim);
    const double factor = factors != nullptr ? static_cast<double>(factors[p]) : 1.0;
    inv_freq[p] = (exp_f64(-(log_base * exponent)) / factor) / linear_factor;
  }
}

// 8.2
static void rope_angles(uint32_t position, const double* inv_freq, size_t n, float* cos,
                        float* sin) {
  for (size_t p = 0; p < n; ++p) {
    double c = 0;
    double s = 0;
    cos_sin_f64(static_cast<double>(position) * inv_freq[p], &c, &s);
    cos[p] = static_cast<float>(c);
    sin[p] = static_cast<float>(s);
  }
}
