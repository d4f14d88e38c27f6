// Sums over T2 and T5 tiles with sdot, whose second factor is one 32-bit lane of a register:
// sixteen activations are loaded once and meet a block's digits lane by lane (docs/numerics.md 4).
// Included inside a NEON region with the dot product, in place of tile_sums.inl.hpp.
//
// Register r of a block holds rows 4r to 4r + 3, four neighbouring columns of each digit.
//
// T2: one plane needs no shifts. The digits stay where they are in the byte, and digits 1 and 2 are
// summed apart as 4u and 16u:
//
//     byte & 0x03 = u0    byte & 0x0C = 4 u1    byte & 0x30 = 16 u2    byte >> 6 = u3
//
// T5: with the byte f as s = f - 128 in a signed byte, the remainder behind a digit is s' = 3s
// modulo 256, and the trit is t = u - 1 = (3s - s') / 256. So a few planes need no digits at all:
//
//     256 sum(t q) = 3 sum(s q) - sum(s' q)        s of digit k is 3^k (f - 128), one product
//
// More planes share the digits (neon_five_digits.inl.hpp).
//
// Bounds, for w.cols <= 65536 and code 3: 16 * 3 * 127 * 16384 < 2^31 for digit 2 alone;
// 256 * 127 * 65536 < 2^31 for 256 sum(t q), and what wraps before cancels.
// Activations are read up to 12 bytes behind a block's: see activation_stride.

constexpr size_t kMostPlanes = 4;  // planes in one pass over a tile: 4 x 4 accumulators of 32

static inline int8x16_t load_codes(const int8_t* p) { return vld1q_s8(p); }
static inline int8x16_t signed_bytes(uint8x16_t v) { return vreinterpretq_s8_u8(v); }

// acc[p] += u * plane p over the blocks, register by register; the planes share the digits.
template <size_t kPlanes>
static inline void accumulate_t2(const uint8_t* blocks, size_t n_blocks,
                                 const int8_t* const* planes, I4 (*acc)[4]) {
  const uint8x16_t two_bits = vdupq_n_u8(0x03);
  for (size_t b = 0; b < n_blocks; ++b) {
    const uint8_t* block = blocks + kTritBlockBytes * b;
    prefetch(block + kPrefetchBytes);
    int8x16_t q[kPlanes];
#pragma GCC unroll 4
    for (size_t p = 0; p < kPlanes; ++p) q[p] = load_codes(planes[p] + 16 * b);
#pragma GCC unroll 4
    for (size_t r = 0; r < 4; ++r) {
      const uint8x16_t bits = vld1q_u8(block + 16 * r);
      const int8x16_t u0 = signed_bytes(vandq_u8(bits, two_bits));
      const int8x16_t u1 = signed_bytes(vandq_u8(vshrq_n_u8(bits, 2), two_bits));
      const int8x16_t u2 = signed_bytes(vandq_u8(vshrq_n_u8(bits, 4), two_bits));
      const int8x16_t u3 = signed_bytes(vshrq_n_u8(bits, 6));
#pragma GCC unroll 4
      for (size_t p = 0; p < kPlanes; ++p) {
        acc[p][r] = vdotq_laneq_s32(acc[p][r], u0, q[p], 0);
        acc[p][r] = vdotq_laneq_s32(acc[p][r], u1, q[p], 1);
        acc[p][r] = vdotq_laneq_s32(acc[p][r], u2, q[p], 2);
        acc[p][r] = vdotq_laneq_s32(acc[p][r], u3, q[p], 3);
      }
    }
  }
}

// The same for one plane, digit by digit.
static inline void accumulate_t2_plane(const uint8_t* blocks, size_t n_blocks, const int8_t* plane,
                                       I4* acc) {
  const uint8x16_t mask0 = vdupq_n_u8(0x03), mask1 = vdupq_n_u8(0x0C), mask2 = vdupq_n_u8(0x30);
  I4 sums[4][4];
#pragma GCC unroll 16
  for (size_t i = 0; i < 16; ++i) sums[i / 4][i % 4] = i4_set(0);
  for (size_t b = 0; b < n_blocks; ++b) {
    const uint8_t* block = blocks + kTritBlockBytes * b;
    prefetch(block + kPrefetchBytes);
    const int8x16_t q = load_codes(plane + 16 * b);
#pragma GCC unroll 4
    for (size_t r = 0; r < 4; ++r) {
      const uint8x16_t bits = vld1q_u8(block + 16 * r);
      const int8x16_t u0 = signed_bytes(vandq_u8(bits, mask0));
      const int8x16_t u1 = signed_bytes(vandq_u8(bits, mask1));
      const int8x16_t u2 = signed_bytes(vandq_u8(bits, mask2));
      const int8x16_t u3 = signed_bytes(vshrq_n_u8(bits, 6));
      sums[0][r] = vdotq_laneq_s32(sums[0][r], u0, q, 0);
      sums[1][r] = vdotq_laneq_s32(sums[1][r], u1, q, 1);
      sums[2][r] = vdotq_laneq_s32(sums[2][r], u2, q, 2);
      sums[3][r] = vdotq_laneq_s32(sums[3][r], u3, q, 3);
    }
  }
#pragma GCC unroll 4
  for (size_t r = 0; r < 4; ++r) {
    const I4 shifted = vsraq_n_s32(vshrq_n_s32(sums[1][r], 2), sums[2][r], 4);
    acc[r] = vaddq_s32(vaddq_s32(sums[0][r], sums[3][r]), shifted);
  }
}

// The sum of 16 * n_blocks activations.
static inline int32_t column_sum(const int8_t* q, size_t n_blocks) {
  const int8x16_t one = vdupq_n_s8(1);
  I4 sum = i4_set(0);
  for (size_t b = 0; b < n_blocks; ++b) sum = vdotq_s32(sum, load_codes(q + 16 * b), one);
  return vaddvq_s32(sum);
}

// 3^k of the digits behind the first, modulo 256.
constexpr int8_t kPowersOfThree[5] = {3, 9, 27, 81, -13};

// acc[p] += u * plane p over the blocks, for one or two planes: from remainders.
template <size_t kPlanes>
static inline void accumulate_t5_remainders(const uint8_t* blocks, size_t n_blocks,
                                            const int8_t* const* planes, I4 (*acc)[4]) {
  I4 at[kPlanes][4], behind[kPlanes][4];
#pragma GCC unroll 8
  for (size_t i = 0; i < 4 * kPlanes; ++i) at[i / 4][i % 4] = behind[i / 4][i % 4] = i4_set(0);
  for (size_t b = 0; b < n_blocks; ++b) {
    const uint8_t* block = blocks + kTritBlockBytes * b;
    prefetch(block + kPrefetchBytes);
    int8x16_t q[kPlanes], last[kPlanes];
#pragma GCC unroll 2
    for (size_t p = 0; p < kPlanes; ++p) {
      q[p] = load_codes(planes[p] + 20 * b);
      last[p] = load_codes(planes[p] + 20 * b + 16);
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < 4; ++r) {
      int8x16_t s[6];
      s[0] = signed_bytes(veorq_u8(vld1q_u8(block + 16 * r), vdupq_n_u8(0x80)));
#pragma GCC unroll 5
      for (size_t k = 0; k < 5; ++k) s[k + 1] = vmulq_s8(s[0], vdupq_n_s8(kPowersOfThree[k]));
#pragma GCC unroll 2
      for (size_t p = 0; p < kPlanes; ++p) {
        at[p][r] = vdotq_laneq_s32(at[p][r], s[0], q[p], 0);
        behind[p][r] = vdotq_laneq_s32(behind[p][r], s[1], q[p], 0);
        at[p][r] = vdotq_laneq_s32(at[p][r], s[1], q[p], 1);
        behind[p][r] = vdotq_laneq_s32(behind[p][r], s[2], q[p], 1);
        at[p][r] = vdotq_laneq_s32(at[p][r], s[2], q[p], 2);
        behind[p][r] = vdotq_laneq_s32(behind[p][r], s[3], q[p], 2);
        at[p][r] = vdotq_laneq_s32(at[p][r], s[3], q[p], 3);
        behind[p][r] = vdotq_laneq_s32(behind[p][r], s[4], q[p], 3);
        at[p][r] = vdotq_laneq_s32(at[p][r], s[4], last[p], 0);
        behind[p][r] = vdotq_laneq_s32(behind[p][r], s[5], last[p], 0);
      }
    }
  }
#pragma GCC unroll 2
  for (size_t p = 0; p < kPlanes; ++p) {
    const I4 codes = i4_set(column_sum(planes[p], (20 * n_blocks + 15) / 16));
#pragma GCC unroll 4
    for (size_t r = 0; r < 4; ++r) {
      const uint32x4_t three = vmulq_n_u32(vreinterpretq_u32_s32(at[p][r]), 3);
      const uint32x4_t sum = vsubq_u32(three, vreinterpretq_u32_s32(behind[p][r]));
      const I4 trits = vshrq_n_s32(vreinterpretq_s32_u32(sum), 8);
      acc[p][r] = vaddq_s32(acc[p][r], vaddq_s32(trits, codes));
    }
  }
}

// The same for more planes: from digits.
template <size_t kPlanes>
static inline void accumulate_t5(const uint8_t* blocks, size_t n_blocks,
                                 const int8_t* const* planes, I4 (*acc)[4]) {
  for (size_t b = 0; b < n_blocks; ++b) {
    const uint8_t* block = blocks + kTritBlockBytes * b;
    prefetch(block + kPrefetchBytes);
    int8x16_t q[kPlanes], last[kPlanes];
#pragma GCC unroll 4
    for (size_t p = 0; p < kPlanes; ++p) {
      q[p] = load_codes(planes[p] + 20 * b);
      last[p] = load_codes(planes[p] + 20 * b + 16);
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < 4; ++r) {
      const uint8x16_t f0 = vld1q_u8(block + 16 * r);
      int8x16_t u[5];
#pragma GCC unroll 5
      for (size_t k = 0; k < 5; ++k) {
        const uint8_t power = static_cast<uint8_t>(k == 0 ? 1 : kPowersOfThree[k - 1]);
        const uint8x16_t f = k == 0 ? f0 : vmulq_u8(f0, vdupq_n_u8(power));
        u[k] = signed_bytes(five_digit(f));
      }
#pragma GCC unroll 4
      for (size_t p = 0; p < kPlanes; ++p) {
        acc[p][r] = vdotq_laneq_s32(acc[p][r], u[0], q[p], 0);
        acc[p][r] = vdotq_laneq_s32(acc[p][r], u[1], q[p], 1);
        acc[p][r] = vdotq_laneq_s32(acc[p][r], u[2], q[p], 2);
        acc[p][r] = vdotq_laneq_s32(acc[p][r], u[3], q[p], 3);
        acc[p][r] = vdotq_laneq_s32(acc[p][r], u[4], last[p], 0);
      }
    }
  }
}

// acc[p][row] = sum over the blocks of u * plane p from `column` on.
template <typename Code, size_t kPlanes>
static inline void accumulate(const uint8_t* blocks, size_t n_blocks, const int8_t* const* planes,
                              size_t column, VI* acc) {
  const int8_t* from[kPlanes];
  I4 sums[kPlanes][4];
#pragma GCC unroll 4
  for (size_t p = 0; p < kPlanes; ++p) {
    from[p] = planes[p] + column;
#pragma GCC unroll 4
    for (size_t r = 0; r < 4; ++r) sums[p][r] = i4_set(0);
  }
  if constexpr (!kIsTwo<Code> && kPlanes <= 2) {
    accumulate_t5_remainders<kPlanes>(blocks, n_blocks, from, sums);
  } else if constexpr (!kIsTwo<Code>) {
    accumulate_t5<kPlanes>(blocks, n_blocks, from, sums);
  } else if constexpr (kPlanes == 1) {
    accumulate_t2_plane(blocks, n_blocks, from[0], sums[0]);
  } else {
    accumulate_t2<kPlanes>(blocks, n_blocks, from, sums);
  }
#pragma GCC unroll 4
  for (size_t p = 0; p < kPlanes; ++p) acc[p] = {sums[p][0], sums[p][1], sums[p][2], sums[p][3]};
}
