// What need not be read, as lists; and the machine's limits, which say how fast reading can be.
// Included inside an AVX-512 region, after avx512_trits.inl.hpp.

// A whole register is stored for its first lanes, since a list never gets ahead of its input.
static size_t find_live_rows(const float* gate, size_t n, uint32_t first, uint32_t* rows) {
  const V infinity = v_set(-__builtin_huge_valf());
  VI index =
      _mm512_add_epi32(vi_set(static_cast<int32_t>(first)),
                       _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
  size_t count = 0;
  for (size_t i = 0; i < n; i += 16) {
    const __mmask16 present = first_n(n - i);
    const V v = _mm512_maskz_loadu_ps(present, gate + i);
    const __mmask16 above = _mm512_mask_cmp_ps_mask(present, v, v_zero(), _CMP_NLE_UQ);
    const auto live =
        static_cast<__mmask16>(above | _mm512_mask_cmp_ps_mask(present, v, infinity, _CMP_EQ_OQ));
    const VI packed = _mm512_maskz_compress_epi32(live, index);
    const auto found = static_cast<size_t>(__builtin_popcount(live));
    _mm512_mask_storeu_epi32(rows + count, n - i < 16 ? first_n(found) : present, packed);
    count += found;
    index = _mm512_add_epi32(index, vi_set(16));
  }
  return count;
}

static size_t find_nonzero(const int8_t* q, size_t n, uint32_t* columns, int8_t* values) {
  const VI lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  size_t count = 0;
  for (size_t i = 0; i < n; i += 16) {
    const __m128i codes = _mm_maskz_loadu_epi8(first_n(n - i), q + i);
    const __mmask16 live = _mm_test_epi8_mask(codes, codes);
    const VI index = _mm512_add_epi32(lanes, vi_set(static_cast<int32_t>(i)));
    _mm512_storeu_si512(columns + count, _mm512_maskz_compress_epi32(live, index));
    const VI packed = _mm512_maskz_compress_epi32(live, _mm512_cvtepi8_epi32(codes));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(values + count), _mm512_cvtepi32_epi8(packed));
    count += static_cast<size_t>(__builtin_popcount(live));
  }
  return count;
}

static uint64_t probe_read(const uint8_t* bytes, size_t n) {
  VI sum[4] = {vi_zero(), vi_zero(), vi_zero(), vi_zero()};
  for (size_t i = 0; i < n; i += 256) {
#pragma GCC unroll 4
    for (size_t j = 0; j < 4; ++j) {
      prefetch(bytes + i + 64 * j + kPrefetchBytes);
      sum[j] = _mm512_add_epi64(sum[j], load_bytes(bytes + i + 64 * j));
    }
  }
  const VI pairs[2] = {_mm512_add_epi64(sum[0], sum[1]), _mm512_add_epi64(sum[2], sum[3])};
  return static_cast<uint64_t>(_mm512_reduce_add_epi64(_mm512_add_epi64(pairs[0], pairs[1])));
}

static uint64_t probe_dot(size_t rounds, int32_t* sink) {
  constexpr size_t kSums = 16;
  const VI u = _mm512_set1_epi8(static_cast<char>(*sink));
  VI sum[kSums];
#pragma GCC unroll 16
  for (size_t i = 0; i < kSums; ++i) sum[i] = u;
  for (size_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 16
    for (size_t i = 0; i < kSums; ++i) dot(sum[i], u, u);
  }
  VI total = sum[0];
#pragma GCC unroll 16
  for (size_t i = 1; i < kSums; ++i) total = vi_add(total, sum[i]);
  *sink = vi_reduce_add(total);
  return rounds * kSums * 64;
}
