// How attention is cut into blocks (docs/numerics.md 9): shared by the f16 and the integer caches.
// Included inside a kernel region, after vector_float.inl.hpp and the lanes of the table.
//
// The queries of a call (heads that share a key head, times tokens) go in blocks whose scores fit
// in kMostScoreBytes. For a block: scores over all positions, softmax, then the sums over values.
// Of several tokens:
//
//     scores   keys of 16 * kKeyVectors positions are transposed to [dim][position] once; a tile of
//              kTileQueries queries adds products with positions in lanes, so that nothing is
//              summed across lanes
//     values   lanes are dims; a tile of kTileQueries x kTileVectors chains ascends over positions,
//     in
//              halves of the chunks of 256 that the sums are made of
//
// One token's few queries do not pay for tiles: they take rows as they lie, or staged a chunk at a
// time where they are packed (attention_rows.inl.hpp).
//
// Padding: queries to kTileQueries, a head's dims to kTileDims, both with zeros.

// Primitives beside those of vector_float.inl.hpp and trit_digits.inl.hpp; words are 16-bit halves
// of lanes, the even one lower:
//
// clang-format off
//   kTileQueries kTileVectors   queries and vectors of a tile, so that their product and both fit
//   kRowQueries                 queries of one token that share what is read of a row
//   v_bits v_of_bits            the same registers as integers and as floats
//   vi_store_words(v, p)        the sixteen low words
//   vi_dot_words(acc, a, b)     each lane += even words' product + odd words' product
//   kByteOffset vi_offset_bytes what the table's dot of bytes adds to the first ones (keys, codes of
//                               rows) to have them unsigned
//   vi_dot_bytes(acc, b, codes) each lane += four offset bytes * four codes in [-127, 127]
//   vi_transpose4(v)            v[4]: lanes 4p + i of v[j] become lanes 4j + i of v[p]
//   vi_load_pairs(e, o, pairs)  words of kTileDims int8 of two rows, those of `o` above, in an order
//                               that vi_sort_pairs(sums) makes that of the dims: kTileVectors each
//   v_tree16(v)                 lane i is v_tree(v[i]), i < 16
//   kReadsPacked                whether the table has NibbleRows and ThreeBitRows
// clang-format on

constexpr size_t kTileDims = 16 * kTileVectors;   // dims of a tile of values
constexpr size_t kByteBlock = 16 * kTileVectors;  // positions of a tile of int8 keys
static_assert(attention_row(1) >= kByteBlock && 64 % kByteBlock == 0, "a row holds whole tiles");
constexpr size_t kKeyVectors = kTileVectors / 2;  // of binary16 keys, two chains a vector
constexpr size_t kKeyBlock = 16 * kKeyVectors;
constexpr size_t kChunk = kAttentionChunk;
constexpr size_t kPart = kChunk / 2;  // positions of values that are floats at a time
constexpr size_t kMostScoreBytes = size_t{4} << 20;

static inline size_t round_up_to(size_t n, size_t unit) { return (n + unit - 1) / unit * unit; }
static inline size_t smaller(size_t a, size_t b) { return a < b ? a : b; }
static inline size_t larger(size_t a, size_t b) { return a > b ? a : b; }

// Sizes of a call and the bytes of its scratch, all growing with each argument.
struct AttentionPlan {
  size_t dim;          // of a head, padded
  size_t row;          // elements between the scores of two queries
  size_t n_queries;    // all, padded
  size_t score_bytes;  // room for the scores of a block

  AttentionPlan(size_t queries, size_t n_positions, size_t head_dim)
      : dim(round_up_to(head_dim, 64)),
        row(attention_row(n_positions)),
        n_queries(round_up_to(queries, kTileQueries)),
        score_bytes(smaller(n_queries * row * sizeof(float),
                            larger(kMostScoreBytes, kTileQueries * row * sizeof(float)))) {}

  size_t block() const {
    return smaller(n_queries, score_bytes / (row * sizeof(float)) / kTileQueries * kTileQueries);
  }
  size_t stage_bytes() const { return kChunk * dim; }
  size_t tile_bytes() const { return larger(dim * kKeyBlock, kPart * kTileDims) * sizeof(float); }
  // A query's row: itself, its chunk of a value tile, its integer weights, sums and units.
  size_t query_bytes() const {
    return (dim + kTileDims) * sizeof(float) + kChunk * sizeof(int16_t) + 64;
  }
  size_t scratch_bytes() const {
    return round_up_to(score_bytes, 64) + tile_bytes() + stage_bytes() + n_queries * query_bytes();
  }
};

// Rows of the cache that the next block needs, brought while this one is multiplied: as many at
// each of `steps` as make all in the end. With one step there is nothing to spread them over: loops
// over few queries bring each row kRowsAhead before they read it.
constexpr size_t kRowsAhead = 64;
constexpr size_t kBytesAhead = 16384;  // the same of integers, in bytes
static inline void fetch_ahead(const int8_t* row) { __builtin_prefetch(row + kBytesAhead, 0, 2); }

// Always inlined: a call of what changes nothing g++ leaves out.
template <int kLocality = 2>
static TERN_ALWAYS_INLINE void fetch(const void* begin, size_t bytes) {
  const auto* at = static_cast<const uint8_t*>(begin);
  for (size_t b = 0; b < bytes; b += 64) __builtin_prefetch(at + b, 0, kLocality);
}

// Bytes between two rows.
static inline size_t row_stride(const CacheView& cache, size_t dim) {
  return is_packed(cache.type) ? cache_row_bytes(cache.type, dim)
                               : cache.stride * cache_row_bytes(cache.type, 1);
}

struct RowsAhead {
  const uint8_t* at;
  size_t stride;
  size_t row_bytes;
  size_t left;
  size_t each;

  RowsAhead(const CacheView& cache, size_t dim, size_t begin, size_t end, size_t steps)
      : left(steps > 1 ? larger(end, begin) - begin : 0), each((left + steps - 1) / steps) {
    stride = row_stride(cache, dim);
    row_bytes = cache_row_bytes(cache.type, dim);
    at = static_cast<const uint8_t*>(cache.data) + begin * stride;
  }
  void step() {
    for (size_t i = 0; i < each && left > 0; ++i, --left, at += stride) fetch(at, row_bytes);
  }
};

// A block of queries and its part of the scratch.
struct QueryBlock {
  const AttentionView& view;
  size_t first;     // query of the call
  size_t count;     // queries that exist
  size_t padded;    // with those that fill the last tile
  size_t dim;       // padded
  size_t row;       // elements between two rows of scores
  float* scores;    // [padded, row]
  float* tile;      // keys or values, laid out for lanes
  int8_t* stage;    // [kChunk, dim]: codes of packed rows, or rows padded
  float* queries;   // [padded, dim] floats, or int8, once or four times
  float* chunks;    // [padded, kTileDims]
  int16_t* words;   // [padded, kChunk]
  float* sums;      // [padded] of softmax
  float* units;     // [padded]
  int32_t* totals;  // [padded] sums of codes, or of words

  QueryBlock(const AttentionView& a, const AttentionPlan& plan, size_t begin, void* scratch)
      : view(a),
        first(begin),
        count(smaller(plan.block(), a.n_tokens * a.n_heads - begin)),
        padded(round_up_to(count, kTileQueries)),
        dim(plan.dim),
        row(plan.row) {
    auto* at = static_cast<uint8_t*>(scratch);
    scores = reinterpret_cast<float*>(at);
    at += round_up_to(plan.score_bytes, 64);
    tile = reinterpret_cast<float*>(at);
    at += plan.tile_bytes();
    stage = reinterpret_cast<int8_t*>(at);
    at += plan.stage_bytes();
    queries = reinterpret_cast<float*>(at);
    chunks = queries + padded * dim;
    words = reinterpret_cast<int16_t*>(chunks + padded * kTileDims);
    sums = reinterpret_cast<float*>(words + padded * kChunk);
    units = sums + padded;
    totals = reinterpret_cast<int32_t*>(units + padded);
  }
  size_t token(size_t q) const { return (first + q) / view.n_heads; }
  size_t head(size_t q) const { return (first + q) % view.n_heads; }
  // Positions that a query sees; those that fill a tile see what the last one does.
  size_t seen(size_t q) const { return view.position + token(smaller(q, count - 1)) + 1; }
  const float* query(size_t q) const {
    return view.q + token(q) * view.q_stride + head(q) * view.dim;
  }
  float* output(float* y, size_t y_stride, size_t q) const {
    return y + token(q) * y_stride + head(q) * view.dim;
  }
};
