// The inner loop of the matrix kernel with sdot by lane: four columns of six tokens are one
// register and a half, whose lanes meet the sixteen rows of a byte tile. Included inside a NEON
// region with the dot product before matrix_product.inl.hpp, which says what each name means.

constexpr size_t kTokenTile = 6;  // 6 x 4 accumulators of 32, 4 of rows, 2 of tokens
constexpr size_t kPackedColumns = 4;

static inline void arrange_tile(uint8_t*, size_t) {}

static void dot_tokens(const uint8_t* bytes, const int8_t* packed, size_t n, VS* part) {
  I4 sum[kTokenTile][4];
#pragma GCC unroll 24
  for (size_t i = 0; i < 4 * kTokenTile; ++i) sum[i / 4][i % 4] = i4_set(0);
  for (size_t c = 0; c < n; c += 4, bytes += kTritBlockBytes, packed += 4 * kTokenTile) {
    const int8x16_t q = vld1q_s8(packed);
    const int8x8_t last = vld1_s8(packed + 16);
#pragma GCC unroll 4
    for (size_t r = 0; r < 4; ++r) {
      const int8x16_t u = vreinterpretq_s8_u8(vld1q_u8(bytes + 16 * r));
      sum[0][r] = vdotq_laneq_s32(sum[0][r], u, q, 0);
      sum[1][r] = vdotq_laneq_s32(sum[1][r], u, q, 1);
      sum[2][r] = vdotq_laneq_s32(sum[2][r], u, q, 2);
      sum[3][r] = vdotq_laneq_s32(sum[3][r], u, q, 3);
      sum[4][r] = vdotq_lane_s32(sum[4][r], u, last, 0);
      sum[5][r] = vdotq_lane_s32(sum[5][r], u, last, 1);
    }
  }
#pragma GCC unroll 6
  for (size_t i = 0; i < kTokenTile; ++i) part[i] = {sum[i][0], sum[i][1], sum[i][2], sum[i][3]};
}
