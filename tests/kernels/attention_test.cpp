// Attention of every table gives the bits of `scalar`: any number of tokens, heads and positions,
// over caches of every type, in one call or in steps, within the stated bounds of memory.
#include "kernels/kernel_cases.hpp"

using namespace tern_test;
using tern::CacheType;
using tern::KernelTable;

namespace {

struct Shape {
  size_t tokens, heads, position, dim;
  size_t n_positions() const { return position + tokens; }
};

size_t row_elements(CacheType type, size_t dim) {
  return tern::is_packed(type) ? tern::cache_row_bytes(type, dim) : dim;
}

/// One call: inputs that end at guard pages, and rows further apart than they need be but for
/// packed ones. Of i3 the first position has a row of its own.
struct Call {
  Shape shape;
  CacheType type;
  size_t q_stride, y_stride, stride;
  GuardedBuffer<float> q;
  GuardedBuffer<uint16_t> halves;  // keys, then values
  GuardedBuffer<int8_t> bytes;
  GuardedBuffer<uint16_t> units;
  GuardedBuffer<uint8_t> firsts;

  Call(const Shape& s, CacheType cache, Values kind, uint64_t seed)
      : shape(s),
        type(cache),
        q_stride(s.heads * s.dim + s.tokens % 3),
        y_stride(s.heads * s.dim + s.tokens % 2 * 5),
        stride(tern::is_packed(cache) ? row_elements(cache, s.dim) : s.dim + s.dim % 2 * 7),
        q(values(kind, (s.tokens - 1) * q_stride + s.heads * s.dim, seed)),
        halves(cache == CacheType::f16 ? 2 * cache_size() : 1),
        bytes(tern::has_units(cache) ? 2 * cache_size() : 1),
        units(2 * s.n_positions()),
        firsts(2 * tern::cache_row_bytes(CacheType::i4, s.dim)) {
    SampleRandom random(seed + 1);
    for (size_t i = 0; i < halves.size(); ++i) {
      halves[i] = tern::f16_from_f32(value_of(Values::ordinary, random));
    }
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<int8_t>(random.next() >> 9);
    for (size_t i = 0; i < units.size(); ++i) {
      units[i] = static_cast<uint16_t>(0x2000u + random.below(0x400));  // about 0.01
    }
    for (size_t i = 0; i < firsts.size(); ++i) firsts[i] = static_cast<uint8_t>(random.next() >> 9);
  }
  size_t cache_size() const {
    return (shape.n_positions() - 1) * stride + row_elements(type, shape.dim);
  }

  tern::AttentionView view() const {
    const size_t n = shape.n_positions();
    tern::AttentionView a;
    a.q = q.data();
    a.q_stride = q_stride;
    a.n_tokens = shape.tokens;
    a.n_heads = shape.heads;
    a.position = shape.position;
    a.dim = shape.dim;
    a.scale = 0.125f;
    if (type == CacheType::f16) {
      a.keys = {type, halves.data(), stride, nullptr};
      a.values = {type, halves.data() + cache_size(), stride, nullptr};
    } else {
      a.keys = {type, bytes.data(), stride, units.data()};
      a.values = {type, bytes.data() + cache_size(), stride, units.data() + n};
    }
    if (type == CacheType::i3) {
      a.keys.first = firsts.data();
      a.values.first = firsts.data() + firsts.size() / 2;
    }
    return a;
  }
  /// Everything between the outputs must stay as it was.
  GuardedBuffer<float> run(const KernelTable& table) const {
    GuardedBuffer<float> y((shape.tokens - 1) * y_stride + shape.heads * shape.dim);
    y.fill(-7.0f);
    GuardedBuffer<uint8_t> scratch(
        table.attention_scratch_bytes(shape.tokens, shape.heads, shape.n_positions(), shape.dim));
    table.attend(view(), y.data(), y_stride, scratch.data());
    return y;
  }
};

/// The same for one token, in steps of `chunks` chunks of positions at a time.
GuardedBuffer<float> run_steps(const Call& call, const KernelTable& table, size_t chunks) {
  const Shape& s = call.shape;
  const size_t n = s.n_positions();
  const size_t row = tern::attention_row(n);
  const size_t step = chunks * tern::kAttentionChunk;
  const size_t n_parts = (n + tern::kAttentionChunk - 1) / tern::kAttentionChunk;
  GuardedBuffer<float> y(s.heads * s.dim);
  GuardedBuffer<float> scores(s.heads * row);
  GuardedBuffer<float> parts(n_parts * s.heads * s.dim);
  GuardedBuffer<uint8_t> scratch(table.attention_scratch_bytes(1, s.heads, n, s.dim));
  std::vector<float> sums(s.heads);
  const tern::AttentionView a = call.view();
  for (size_t j = 0; j < n; j += step) {
    table.attend_scores(a, j, std::min(n, j + step), scores.data(), row, scratch.data());
  }
  for (size_t h = 0; h < s.heads; ++h) sums[h] = table.softmax_exp(scores.data() + h * row, n);
  for (size_t j = 0; j < n; j += step) {
    table.attend_values(a, j, std::min(n, j + step), scores.data(), row, parts.data(),
                        s.heads * s.dim, scratch.data());
  }
  for (size_t h = 0; h < s.heads; ++h) {
    table.attend_merge(parts.data() + h * s.dim, s.heads * s.dim, n_parts, sums[h], s.dim,
                       y.data() + h * s.dim);
  }
  return y;
}

void check(const Call& call) {
  Bytes expected;
  append(expected, call.run(scalar_kernels()));
  for (const KernelTable& table : runnable_kernels()) {
    Bytes actual;
    append(actual, call.run(table));
    bool same = actual == expected;
    for (size_t chunks = 1; call.shape.tokens == 1 && chunks <= 2; ++chunks) {
      Bytes steps;
      append(steps, run_steps(call, table, chunks));
      same = same && steps == expected;
    }
    if (same) continue;
    const Shape& s = call.shape;
    FAIL("attend of " << table.isa << " differs: " << s.tokens << " tokens, " << s.heads
                      << " heads, position " << s.position << ", dim " << s.dim << ", cache "
                      << static_cast<int>(call.type));
  }
}

constexpr CacheType kCacheTypes[] = {CacheType::f16, CacheType::i8, CacheType::i4, CacheType::i3};
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr uint16_t kHalfInfinity = 0x7C00;

size_t count_nan(const GuardedBuffer<float>& y, size_t begin, size_t end) {
  size_t count = 0;
  for (size_t i = begin; i < end; ++i) count += y[i] != y[i] ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("Attention gives the bits of scalar for every number of tokens and heads") {
  for (const CacheType type : kCacheTypes) {
    for (size_t heads = 1; heads <= 8; ++heads) {
      for (const size_t tokens : {1, 2, 3, 5, 16}) {
        check(Call({tokens, heads, 37, 64}, type, Values::ordinary, heads * tokens));
      }
    }
    for (size_t tokens = 1; tokens <= 17; ++tokens) {
      check(Call({tokens, 4, 250, 32}, type, Values::ordinary, tokens));
    }
  }
  SUCCEED();
}

TEST_CASE("Attention gives the bits of scalar for heads of every width") {
  for (const CacheType type : kCacheTypes) {
    for (const size_t dim :
         {1, 3, 15, 16, 17, 20, 31, 48, 63, 64, 65, 80, 96, 100, 127, 128, 160, 256}) {
      check(Call({1, 2, 70, dim}, type, Values::ordinary, dim));
      check(Call({1, 3, 70, dim}, type, Values::ordinary, dim));
      check(Call({3, 2, 70, dim}, type, Values::ordinary, dim));
    }
  }
  SUCCEED();
}

TEST_CASE("Attention gives the bits of scalar around every block of positions") {
  for (const CacheType type : kCacheTypes) {
    for (const size_t n : {0,   1,   2,   14,  15,  16,  30,  31,  32,  62,  63,  64,  126, 127,
                           128, 129, 254, 255, 256, 257, 383, 384, 510, 511, 512, 513, 800}) {
      check(Call({1, 1, n, 64}, type, Values::ordinary, n));
      check(Call({1, 4, n, 64}, type, Values::ordinary, n));
      check(Call({1, 5, n, 128}, type, Values::ordinary, n));
      check(Call({1, 6, n, 128}, type, Values::ordinary, n));
      check(Call({3, 3, n, 68}, type, Values::ordinary, n));
    }
  }
  SUCCEED();
}

TEST_CASE("Attention gives the bits of scalar when scores do not fit one block of queries") {
  // 128 queries of 8400 positions are more than 4 MiB.
  for (const CacheType type : kCacheTypes) {
    check(Call({16, 8, 8384, 4}, type, Values::ordinary, 3));
  }
  SUCCEED();
}

TEST_CASE("Attention gives the bits of scalar for extreme queries and units") {
  for (const CacheType type : kCacheTypes) {
    for (const Values kind : kAllValues) {
      for (const Shape& shape : {Shape{1, 2, 300, 40}, Shape{4, 3, 60, 64}}) {
        check(Call(shape, type, kind, 5));
      }
    }
  }
  for (const uint16_t unit : {0x0000, 0x0001, 0x03FF, 0x7BFF}) {
    Call call({2, 3, 300, 40}, CacheType::i8, Values::ordinary, 9);
    for (size_t i = 0; i < call.units.size(); i += 3) call.units[i] = unit;
    check(call);
    call.units.fill(unit);
    check(call);
    call.bytes.fill(-128);
    check(call);
  }
  SUCCEED();
}

TEST_CASE("Attention depends on no position that a token does not see") {
  for (const CacheType type : kCacheTypes) {
    Call call({9, 3, 250, 40}, type, Values::ordinary, 11);
    // Token t sees positions up to 250 + t: poison the position of token 5.
    const size_t row = 255 * call.stride;
    if (type == CacheType::f16) {
      call.halves[row] = kHalfInfinity;
      call.halves[call.cache_size() + row + 1] = kHalfInfinity;
    } else {
      call.units[255] = kHalfInfinity;
      call.units[call.shape.n_positions() + 255] = kHalfInfinity;
    }
    check(call);
    for (const KernelTable& table : runnable_kernels()) {
      const auto y = call.run(table);
      CHECK(count_nan(y, 0, 5 * call.y_stride) == 0);
      CHECK(count_nan(y, 5 * call.y_stride, y.size()) >= 4 * 3 * 40);
    }
  }
}

TEST_CASE("A score that is not finite makes every output of its query NaN, and no other") {
  for (const CacheType type : kCacheTypes) {
    for (const float bad : {kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()}) {
      for (const size_t tokens : {1, 7}) {
        Call call({tokens, 2, 100, 64}, type, Values::ordinary, 13);
        call.q[(tokens - 1) * call.q_stride + 64 + 9] = bad;  // head 1 of the last token
        check(call);
        for (const KernelTable& table : runnable_kernels()) {
          const auto y = call.run(table);
          CHECK(count_nan(y, 0, y.size() - 64) == 0);
          CHECK(count_nan(y, y.size() - 64, y.size()) == 64);
        }
      }
    }
  }
}

TEST_CASE("Scratch of attention grows with every argument and stays small") {
  for (const KernelTable& table : runnable_kernels()) {
    INFO(table.isa);
    const auto bytes = table.attention_scratch_bytes;
    size_t wrong = 0;
    for (size_t n = 1; n < 70000; n += 61) {
      for (const size_t queries : {1, 4, 15, 16, 128}) {
        wrong += bytes(1, queries, n + 61, 64) < bytes(1, queries, n, 64) ? 1 : 0;
        wrong += bytes(1, queries + 1, n, 64) < bytes(1, queries, n, 64) ? 1 : 0;
        wrong += bytes(2, queries, n, 64) < bytes(1, queries, n, 64) ? 1 : 0;
        wrong += bytes(1, queries, n, 80) < bytes(1, queries, n, 64) ? 1 : 0;
      }
    }
    CHECK(wrong == 0);
    CHECK(bytes(16, 4, 4096, 128) <= 1536 * 1024);
    CHECK(bytes(16, 4, 32768, 128) < 8 * 1024 * 1024);
  }
}

TEST_CASE("packed rows become the codes they were made of, on every table, within their bounds") {
  for (const KernelTable& table : runnable_kernels()) {
    for (const CacheType type : {CacheType::i4, CacheType::i3}) {
      for (const size_t dim : {2, 8, 14, 30, 64, 96, 128, 130, 256}) {
        constexpr size_t kRows = 5;
        const size_t row_bytes = tern::cache_row_bytes(type, dim);
        const int limit = type == CacheType::i4 ? 7 : 3;
        std::mt19937 random(static_cast<uint32_t>(dim));
        GuardedBuffer<uint8_t> rows(kRows * row_bytes);
        std::vector<int> expected;
        for (size_t j = 0; j < kRows; ++j) {
          std::vector<float> x(dim);
          for (float& v : x) {
            v = static_cast<float>(static_cast<int>(random() % 15) % (2 * limit + 1) - limit);
          }
          x[random() % dim] = static_cast<float>(limit);
          uint16_t unit = 0;
          REQUIRE(table.to_packed(type, x.data(), dim, rows.data() + j * row_bytes, &unit));
          CHECK(tern::f32_from_f16(unit) == 1.0f);
          expected.insert(expected.end(), x.begin(), x.end());
        }
        GuardedBuffer<int8_t> codes(kRows * dim);
        codes.fill(55);
        table.unpack_codes(type, rows.data(), kRows, dim, codes.data());
        INFO(table.isa << " dim " << dim);
        CHECK(std::equal(expected.begin(), expected.end(), codes.data()));
      }
    }
  }
}
