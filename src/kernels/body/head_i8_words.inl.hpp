// int8 rows in the output head as 16-bit words: code times value.
// Included inside a kernel region, after vector_head.inl.hpp and before head_rows.inl.hpp.
//
// Bounds: a step adds at most 4161536 to a lane, as vector_head.inl.hpp says; 512 steps are below
// 2^31, and rows of more are cut.

constexpr size_t kRunSteps = 256;  // of all tokens together: 16 KiB of values
constexpr size_t kMostI8Cols = 512 * kStepCols;

// Values of steps [0, n_steps) from `column` on, of token t from values + t * n_steps on.
static void join_values(const ActivationView& a, size_t column, size_t n_steps, VI* values) {
  for (size_t t = 0; t < a.n; ++t) {
    const int8_t* high = a.high + t * a.stride + column;
    const int8_t* low = a.low + t * a.stride + column;
    for (size_t s = 0; s < n_steps; ++s) {
      values[t * n_steps + s] = vi_join_planes(high + kStepCols * s, low + kStepCols * s);
    }
  }
}

// A run of columns of int8 rows: values [token][step].
struct ByteRun {
  size_t first;
  size_t count;
  size_t n_steps;
  size_t n_tokens;
  const VI* values;
};

// totals[t] += a row's codes times the values of a run.
static inline void sum_i8_row(const uint8_t* row, const ByteRun& run, const uint8_t* ahead,
                              VI* totals) {
  constexpr size_t kSteps = 8;
  size_t s = 0;
  for (; (s + kSteps) * kStepCols <= run.count; s += kSteps) {
    fetch<3>(ahead + kStepCols * s, kStepCols * kSteps);
    VI words[kSteps];
#pragma GCC unroll 8
    for (size_t i = 0; i < kSteps; ++i) words[i] = vi_load_words(row + kStepCols * (s + i));
#pragma GCC unroll 1
    for (size_t t = 0; t < run.n_tokens; ++t) {
      const VI sum = sum_steps<kSteps>(words, run.values + t * run.n_steps + s);
      totals[t] = vi_add(totals[t], sum);
    }
  }
  for (; s * kStepCols < run.count; ++s) {
    uint8_t copy[kStepCols] = {};
    const size_t left = run.count - s * kStepCols;
    __builtin_memcpy(copy, row + kStepCols * s, left < kStepCols ? left : kStepCols);
    const VI words = vi_load_words(copy);
    for (size_t t = 0; t < run.n_tokens; ++t) {
      totals[t] = vi_dot_words(totals[t], words, run.values[t * run.n_steps + s]);
    }
  }
}

// totals[t][r] = the products of columns [begin, end), at most kMostI8Cols; at most kBatchRows
// rows.
static void sum_i8_batch(const HeadView& head, const ActivationView& a, size_t row, size_t n_rows,
                         size_t begin, size_t end, bool joined, VI* values,
                         VI (*totals)[kBatchRows]) {
  constexpr size_t kPieceCols = 8 * kStepCols;
  const size_t pieces = (end - begin + kPieceCols - 1) / kPieceCols;
  const size_t most = even_run(pieces, kRunSteps / 8 / a.n) * kPieceCols;
  for (size_t t = 0; t < a.n; ++t) {
    for (size_t r = 0; r < kBatchRows; ++r) totals[t][r] = vi_zero();
  }
  ByteRun run = {begin, 0, 0, a.n, values};
  const bool whole = begin == 0 && most >= head.k;
  const uint8_t* ahead = ahead_of(head, row, kBatchRows, whole) + (whole ? 0 : begin * kBatchRows);
  for (; run.first < end; run.first += run.count) {
    run.count = end - run.first < most ? end - run.first : most;
    run.n_steps = (run.count + kStepCols - 1) / kStepCols;
    if (!joined || run.count < head.k) join_values(a, run.first, run.n_steps, values);
    for (size_t r = 0; r < kBatchRows; ++r) {  // rows that do not exist are the last one
      const size_t index = row + (r < n_rows ? r : n_rows - 1);
      VI total[kVectorTokens];
      for (size_t t = 0; t < a.n; ++t) total[t] = totals[t][r];
      sum_i8_row(head.rows + index * head.row_bytes + run.first, run, ahead, total);
      ahead += run.count;
      for (size_t t = 0; t < a.n; ++t) totals[t][r] = total[t];
    }
  }
}

static void head_i8_rows(const HeadView& head, const HeadInput& input, size_t begin, size_t end,
                         float* logits, size_t logits_stride) {
  const ActivationView& a = input.codes;
  VI values[kRunSteps];
  for (size_t row = begin; row < end; row += kBatchRows) {
    const size_t n_rows = end - row < kBatchRows ? end - row : kBatchRows;
    double sums[kVectorTokens][kBatchRows] = {};  // exact: below 2^38
    for (size_t c = 0; c < head.k; c += kMostI8Cols) {
      VI totals[kVectorTokens][kBatchRows];
      const size_t columns_end = head.k - c < kMostI8Cols ? head.k : c + kMostI8Cols;
      sum_i8_batch(head, a, row, n_rows, c, columns_end, row != begin, values, totals);
      for (size_t t = 0; t < a.n; ++t) {
        double wide[kBatchRows];
        sum_wide(totals[t], wide);
        for (size_t r = 0; r < kBatchRows; ++r) sums[t][r] = sums[t][r] + wide[r];
      }
    }
    for (size_t t = 0; t < a.n; ++t) {
      float* out = logits + t * logits_stride + row - begin;
      for (size_t r = 0; r < n_rows; ++r) {
        out[r] = (static_cast<float>(sums[t][r]) * head.scales[row + r]) * a.tokens[t].step;
      }
    }
  }
}
