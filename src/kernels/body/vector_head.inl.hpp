// The output head over block types (docs/numerics.md 11): rows one after the other, as they lie in
// memory, each read once for all tokens. Included inside a kernel region, after
// vector_float.inl.hpp and the lanes of the table, before the forms of types and of int8 rows and
// head_rows.inl.hpp.
//
// A step is 32 columns as 16-bit words: codes (times sub-scales) of a row, and values, the two
// planes of the activations joined:
//
//     lane i:  total += word[2i] * value[2i] + word[2i + 1] * value[2i + 1]
//
// The values of a run of columns are joined once for many rows. Sixteen rows leave totals
// [block][row, or kRows of them], whose lanes one transposition sums, so that floats are added with
// a row in each lane.
//
// Bounds, values in [-16256, 16256]: a step of codes in [-128, 127] adds at most 2 * 128 * 16256 =
// 4161536 to a lane; sixteen lanes of one step are below 2^31. Lanes whose sum could
// pass that are summed in two parts of 16 bits.

// Primitives beside those of attention_blocks.inl.hpp:
//
// clang-format off
//   vi_dot_words_at(acc, a, p)    vi_dot_words with the vector at p
//   vi_load_words(p)              32 int8 as words, in the table's own order
//   vi_join_planes(high, low)     32 values high * 128 + low, in that order
//   unpack_q4_0(nibbles)          the 32 codes of a block, in that order
//   vi_split(v, high, low)        v as high * 65536 + low, 0 <= low < 65536
//   vi_reduce16(v)                the lane sums of sixteen vectors, which may be overwritten
// clang-format on

constexpr size_t kStepCols = 32;
constexpr size_t kRunPlaces = 16;  // totals of 16 rows, blocks times tokens: 16 KiB
constexpr size_t kBatchRows = 16;
constexpr size_t kHeadAhead = 8192;  // bytes of prefetch where rows are read to their end

// The exact sum of the lanes of each of sixteen vectors, as a double.
static inline void sum_wide(const VI* totals, double* sums) {
  VI high[16];
  VI low[16];
#pragma GCC unroll 16
  for (size_t i = 0; i < 16; ++i) vi_split(totals[i], high + i, low + i);
  int32_t upper[16];
  int32_t lower[16];
  vi_store(upper, vi_reduce16(high));
  vi_store(lower, vi_reduce16(low));
  for (size_t i = 0; i < 16; ++i) {
    sums[i] = static_cast<double>(upper[i]) * 65536.0 + static_cast<double>(lower[i]);
  }
}

// The sum of up to eight steps, in two chains.
template <size_t kSteps>
static inline VI sum_steps(const VI* words, const VI* values) {
  VI even = vi_dot_words_at(vi_zero(), words[0], values);
  if constexpr (kSteps > 1) {
    VI odd = vi_dot_words_at(vi_zero(), words[1], values + 1);
#pragma GCC unroll 4
    for (size_t s = 2; s < kSteps; s += 2) {
      even = vi_dot_words_at(even, words[s], values + s);
      odd = vi_dot_words_at(odd, words[s + 1], values + s + 1);
    }
    even = vi_add(even, odd);
  }
  return even;
}

// How a block of a type is multiplied: `unpack` makes kWords vectors of it, `join` kValues of the
// activations that it meets, `dot` a total of kRows rows and those, and `sums` rounds the sums of
// sixteen rows' totals, which may be overwritten; kBatches batches of rows meet what is joined
// once: more where joining takes long. Where rows need at most kPlaces they are read to their end,
// which memory likes better than runs of all rows. The forms for q6_k are in
// head_q6_k_words.inl.hpp and avx512_head_q6_k.inl.hpp, those of few bits and q4_k are in
// head_words.inl.hpp.
struct HeadBlockDefaults {
  static constexpr size_t kBatches = 1;
  static constexpr size_t kRows = 1;
  static constexpr size_t kPlaces = kRunPlaces;
};
template <TensorType type>
struct HeadBlock : HeadBlockDefaults {
  static_assert(type == TensorType::q8_0 || type == TensorType::q4_0);
  static constexpr size_t kWords = 1;
  static constexpr size_t kValues = 1;

  static inline void join(const int8_t* high, const int8_t* low, VI* values) {
    values[0] = vi_join_planes(high, low);
  }
  static inline void unpack(const uint8_t* block, VI* words) {
    words[0] = type == TensorType::q8_0 ? vi_load_words(block + 2) : unpack_q4_0(block + 2);
  }
  static inline VI dot(const VI* words, const VI* values) { return sum_steps<1>(words, values); }
  static inline V sums(VI* totals) { return v_from_int(vi_reduce16(totals)); }
};

// The form for one token, which meets a block once: a table may have another one, with a
// `dot_stored` of the block as it is stored instead of `unpack` and `dot`.
template <TensorType type>
struct OneTokenBlock {
  using Form = HeadBlock<type>;
};

// What is fetched ahead, in the order in which rows lie: a little after what is read, if rows are
// read to their end, else as much of the next n_rows as was read of these.
static inline const uint8_t* ahead_of(const HeadView& head, size_t row, size_t n_rows, bool whole) {
  return head.rows + row * head.row_bytes + (whole ? kHeadAhead : n_rows * head.row_bytes);
}

// Runs of equal length, as few as hold `n` things, at most `most` in one.
static inline size_t even_run(size_t n, size_t most) {
  const size_t runs = (n + most - 1) / most;
  return (n + runs - 1) / runs;
}

// A run of blocks of one call: values [token][block][kValues].
struct HeadRun {
  size_t first;
  size_t count;
  size_t n_tokens;
  const VI* values;
};

template <TensorType type, typename Block>
static void join_run(const ActivationView& a, const HeadRun& run, VI* values) {
  constexpr size_t kElems = BlockCodec<type>::kElems;
  for (size_t t = 0; t < a.n; ++t) {
    for (size_t b = 0; b < run.count; ++b) {
      const size_t at = t * a.stride + (run.first + b) * kElems;
      Block::join(a.high + at, a.low + at, values + (t * run.count + b) * Block::kValues);
    }
  }
}

// What a batch of rows and a run of blocks leave: totals of [token][block] places, the rest by
// block.
template <TensorType type, typename Block>
struct BatchTotals {
  VI totals[Block::kPlaces][kBatchRows / Block::kRows];
  uint16_t scale_bits[Block::kPlaces][kBatchRows];
  static constexpr size_t kMinPlaces = type == TensorType::q4_k ? Block::kPlaces : 1;
  int8_t mins[kMinPlaces][8][kBatchRows];
  uint16_t min_scale_bits[kMinPlaces][kBatchRows];
};

// The totals of at most kBatchRows rows.
template <TensorType type, typename Block>
static inline void dot_batch(const HeadView& head, size_t row, size_t n_rows, const HeadRun& run,
                             const uint8_t* ahead, BatchTotals<type, Block>* batch) {
  using Codec = BlockCodec<type>;
  constexpr size_t kRows = Block::kRows;
  const size_t count = run.count;
  const size_t n_tokens = run.n_tokens;
  const VI* const run_values = run.values;
  for (size_t r = 0; r < kBatchRows; r += kRows) {
    const uint8_t* blocks[kRows];
    for (size_t i = 0; i < kRows; ++i) {  // rows that do not exist are the last one
      const size_t index = row + (r + i < n_rows ? r + i : n_rows - 1);
      blocks[i] = head.rows + index * head.row_bytes + run.first * Codec::kBytes;
    }
    for (size_t b = 0; b < count; ++b) {
      fetch<3>(ahead, kRows * Codec::kBytes);
      ahead += kRows * Codec::kBytes;
#pragma GCC unroll 2
      for (size_t i = 0; i < kRows; ++i) {
        if constexpr (type != TensorType::i2_s) {
          __builtin_memcpy(&batch->scale_bits[b][r + i], blocks[i] + Codec::kScaleAt, 2);
        }
        if constexpr (type == TensorType::q4_k) {
          int8_t mins[Codec::kSubs];
          Codec::decode_mins(blocks[i], mins, batch->min_scale_bits[b][r + i]);
          for (size_t s = 0; s < Codec::kSubs; ++s) batch->mins[b][s][r + i] = mins[s];
        }
      }
      const VI* values = run_values + b * Block::kValues;
      VI* total = &batch->totals[b][r / kRows];
      if constexpr (requires { Block::kWords; }) {
        VI words[kRows * Block::kWords];
#pragma GCC unroll 2
        for (size_t i = 0; i < kRows; ++i) Block::unpack(blocks[i], words + i * Block::kWords);
        *total = Block::dot(words, values);
#pragma GCC unroll 1
        for (size_t left = n_tokens - 1; left != 0; --left) {
          values += count * Block::kValues;
          total += count * (kBatchRows / kRows);
          *total = Block::dot(words, values);
        }
      } else {
        *total = Block::dot_stored(blocks[0], values);
      }
#pragma GCC unroll 2
      for (size_t i = 0; i < kRows; ++i) blocks[i] += Codec::kBytes;
    }
  }
}

// A function of its own for the type that is common: with all that surrounds it, g++ 12 has no
// registers left for the innermost loop.
template <TensorType type, typename Block>
[[gnu::noinline]] static void dot_batch_apart(const HeadView& head, size_t row, size_t n_rows,
                                              const HeadRun& run, const uint8_t* ahead,
                                              BatchTotals<type, Block>* batch) {
  dot_batch(head, row, n_rows, run, ahead, batch);
}

// sums[t][r] += float(D) * d, of q4_k less float(M) * dmin, for the blocks of a run, ascending; at
// most kBatchRows rows.
template <TensorType type, typename Block>
static void add_batch(const HeadView& head, size_t row, size_t n_rows, const HeadRun& run,
                      const uint8_t*& ahead, float (*sums)[kBatchRows]) {
  using Codec = BlockCodec<type>;
  BatchTotals<type, Block> batch;
  if constexpr (type == TensorType::q6_k) {
    dot_batch_apart(head, row, n_rows, run, ahead, &batch);
  } else {
    dot_batch(head, row, n_rows, run, ahead, &batch);
  }
  ahead += kBatchRows * run.count * Codec::kBytes;
  for (size_t t = 0; t < run.n_tokens; ++t) {
    V sum = v_load(sums[t]);
    for (size_t b = 0; b < run.count; ++b) {
      const size_t place = t * run.count + b;
      V scale = v_set(head.scale);
      if constexpr (type != TensorType::i2_s) scale = v_load_f16(batch.scale_bits[b]);
      V part = v_mul(Block::sums(batch.totals[place]), scale);
      if constexpr (type == TensorType::q4_k) {
        const VI* values = run.values + place * Block::kValues;
        const V min_total = v_from_int(Block::sum_mins(batch.mins[b], values));
        part = v_sub(part, v_mul(min_total, v_load_f16(batch.min_scale_bits[b])));
      }
      sum = v_add(sum, part);
    }
    v_store(sums[t], sum);
  }
}

template <TensorType type, typename Block>
static void head_rows_as(const HeadView& head, const HeadInput& input, size_t begin, size_t end,
                         float* logits, size_t logits_stride) {
  using Codec = BlockCodec<type>;
  const ActivationView& a = input.codes;
  const size_t n_blocks = head.k / Codec::kElems;
  const bool whole = n_blocks * a.n <= Block::kPlaces;
  const size_t most = whole ? n_blocks : even_run(n_blocks, kRunPlaces / a.n);
  constexpr size_t kBatches = Block::kBatches;
  VI values[Block::kPlaces * Block::kValues];
  for (size_t row = begin; row < end; row += kBatches * kBatchRows) {
    const size_t n_rows = smaller(end - row, kBatches * kBatchRows);
    float sums[kBatches][kVectorTokens][kBatchRows] = {};
    HeadRun run = {0, 0, a.n, values};
    const uint8_t* ahead = ahead_of(head, row, kBatches * kBatchRows, whole);
    for (; run.first < n_blocks; run.first += run.count) {
      run.count = smaller(n_blocks - run.first, most);
      if (row == begin || run.count < n_blocks) join_run<type, Block>(a, run, values);
      for (size_t r = 0; r < n_rows; r += kBatchRows) {
        add_batch<type, Block>(head, row + r, smaller(n_rows - r, kBatchRows), run, ahead,
                               sums[r / kBatchRows]);
      }
    }
    for (size_t t = 0; t < a.n; ++t) {
      float* out = logits + t * logits_stride + row - begin;
      for (size_t r = 0; r < n_rows; ++r) {
        out[r] = sums[r / kBatchRows][t][r % kBatchRows] * a.tokens[t].step;
      }
    }
  }
}

template <TensorType type>
static void head_block_rows(const HeadView& head, const HeadInput& input, size_t begin, size_t end,
                            float* logits, size_t logits_stride) {
  const auto rows = input.codes.n == 1 ? head_rows_as<type, typename OneTokenBlock<type>::Form>
                                       : head_rows_as<type, HeadBlock<type>>;
  rows(head, input, begin, end, logits, logits_stride);
}
