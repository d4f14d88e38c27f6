// The products over listed rows and columns of every table give the bits of `scalar`, and so do the
// lists themselves.
#include "kernels/product_cases.hpp"

using namespace tern_test;
using tern::KernelTable;
using tern::Packing;
using tern::ScaleKind;

namespace {

enum class Listed { null, none, one, last, all, some, shuffled };
constexpr Listed kLists[] = {Listed::null, Listed::none, Listed::one,     Listed::last,
                             Listed::all,  Listed::some, Listed::shuffled};

/// Indices below n, ascending but where they are shuffled; for `null` all of them.
std::vector<uint32_t> make_list(Listed kind, size_t n) {
  SampleRandom random(n);
  std::vector<uint32_t> list;
  for (uint32_t i = 0; i < n; ++i) {
    const bool some = random.below(3) == 0;
    const bool chosen[] = {true, false, i == n / 2, i + 1 == n, true, some, some};
    if (chosen[static_cast<size_t>(kind)]) list.push_back(i);
  }
  for (size_t left = kind == Listed::shuffled ? list.size() : 0; left > 1; --left) {
    std::swap(list[left - 1], list[random.below(left)]);
  }
  return list;
}

/// Rows in two ranges, the later first; others must stay as they were.
Bytes rows_product(const KernelTable& k, const Problem& problem, Listed kind) {
  const tern::TernaryView w = problem.view();
  const GuardedBuffer<uint32_t> list(make_list(kind, w.rows));
  GuardedBuffer<float> y = problem.make_results();
  const uint32_t* rows = kind == Listed::null ? nullptr : list.data();
  const size_t middle = list.size() / 3;
  Bytes out;
  for (const auto& [begin, end] : {std::pair{middle, list.size()}, std::pair{size_t{0}, middle}}) {
    k.multiply_rows(w, problem.activations(), rows, begin, end, y.data(), problem.y_stride());
    append(out, y);
  }
  return out;
}
void check_rows(const std::vector<KernelTable>& tables, const ProductCase& c) {
  const Problem problem(c);
  for (const Listed kind : kLists) {
    const Bytes expected = rows_product(tables.back(), problem, kind);
    for (const KernelTable& table : tables) {
      if (rows_product(table, problem, kind) != expected) {
        FAIL("multiply_rows of " << table.isa << " differs from scalar: " << c << ", list "
                                 << static_cast<int>(kind));
      }
    }
  }
}

/// The columns that some token needs, as a list; null columns for all of them.
struct LiveColumns {
  std::vector<uint32_t> columns;
  GuardedBuffer<int8_t> values;
  size_t stride;
  size_t n_planes;

  LiveColumns(const tern::ActivationView& a, size_t cols, bool all)
      : values(0), n_planes(a.low != nullptr ? 2 * a.n : a.n) {
    const auto value = [&a](size_t plane, size_t column) {
      const int8_t* q = plane < a.n ? a.high + plane * a.stride : a.low + (plane - a.n) * a.stride;
      return q[column];
    };
    for (uint32_t c = 0; c < cols; ++c) {
      bool live = all;
      for (size_t p = 0; p < n_planes; ++p) live = live || value(p, c) != 0;
      if (live) columns.push_back(c);
    }
    stride = columns.size() + 5;
    values = GuardedBuffer<int8_t>(columns.empty() ? 0 : (n_planes - 1) * stride + columns.size());
    for (size_t p = 0; p < n_planes; ++p) {
      for (size_t i = 0; i < columns.size(); ++i) values[p * stride + i] = value(p, columns[i]);
    }
  }
};

/// All columns in `n_parts` ranges, all planes in a call or each in one of its own; then all rows
/// in two.
Bytes columns_product(const KernelTable& k, const Problem& problem, bool all, size_t n_parts,
                      bool apart) {
  const tern::TernaryView w = problem.view();
  const tern::ActivationView a = problem.activations();
  const LiveColumns live(a, w.cols, all);
  const GuardedBuffer<uint32_t> list(live.columns);
  const size_t part_size = live.n_planes * tern::column_sums_size(w);
  GuardedBuffer<int32_t> parts(n_parts * part_size);
  parts.fill(0x55555555);
  const tern::ColumnInputs in{all ? nullptr : list.data(), live.values.data(), live.stride,
                              live.n_planes};
  const size_t n = live.columns.size();
  for (size_t p = 0; p < n_parts; ++p) {
    int32_t* sums = parts.data() + p * part_size;
    const size_t begin = n * p / n_parts;
    const size_t end = n * (p + 1) / n_parts;
    for (size_t plane = 0; apart && plane < in.n_planes; ++plane) {
      k.multiply_columns(w, {in.columns, in.values + plane * in.stride, in.stride, 1}, begin, end,
                         sums + plane * tern::column_sums_size(w));
    }
    if (!apart) k.multiply_columns(w, in, begin, end, sums);
  }
  GuardedBuffer<float> y = problem.make_results();
  const size_t middle = (problem.n_units() + 1) / 2;
  Bytes out;
  k.finish_columns(w, a, parts.data(), n_parts, part_size, middle, problem.n_units(), y.data(),
                   problem.y_stride());
  append(out, y);
  k.finish_columns(w, a, parts.data(), n_parts, part_size, 0, middle, y.data(), problem.y_stride());
  append(out, y);
  return out;
}
void check_columns(const std::vector<KernelTable>& tables, const ProductCase& c, size_t n_parts) {
  const Problem problem(c);
  for (const bool all : {false, true}) {
    const Bytes expected = columns_product(tables.back(), problem, true, 1, false);
    for (const KernelTable& table : tables) {
      for (const bool apart : {false, true}) {
        if (columns_product(table, problem, all, n_parts, apart) != expected) {
          FAIL("multiply_columns of " << table.isa << " differs from scalar: " << c << ", parts "
                                      << n_parts << ", all " << all << ", planes apart " << apart);
        }
      }
    }
  }
}

constexpr Packing kRowPackings[] = {Packing::t2r, Packing::t5r};
constexpr Packing kColumnPackings[] = {Packing::t2c, Packing::t5c};

}  // namespace

TEST_CASE("Listed rows have the bits of scalar, and other rows stay as they were") {
  const auto tables = runnable_kernels();
  for (const Packing packing : kRowPackings) {
    for (const size_t rows : {1, 2, 15, 16, 17, 47, 64, 100}) {
      for (const size_t cols : {1, 63, 64, 65, 255, 256, 257, 320, 321, 700}) {
        const bool two_planes = (rows + cols) % 2 == 0;
        check_rows(tables,
                   {packing, rows, cols, 1, rows % 2 == 0 ? ScaleKind::row : ScaleKind::tensor, 0,
                    two_planes, Weights::all_bytes, Codes::random});
      }
    }
    for (size_t tokens = 1; tokens <= tern::kVectorTokens; ++tokens) {
      for (const bool two_planes : {false, true}) {
        check_rows(tables, {packing, 37, 333, tokens, ScaleKind::row, 0, two_planes, Weights::trits,
                            Codes::random});
      }
    }
  }
  SUCCEED();
}

TEST_CASE("Live columns give the bits of scalar over all columns, in any number of parts") {
  const auto tables = runnable_kernels();
  for (const Packing packing : kColumnPackings) {
    for (const size_t cols : {1, 2, 3, 4, 5, 15, 16, 17, 31, 33, 48, 130}) {
      for (const size_t rows : {1, 15, 64, 255, 257, 321, 700}) {
        const bool two_planes = (rows + cols) % 2 == 0;
        check_columns(tables,
                      {packing, rows, cols, 1, rows % 2 == 0 ? ScaleKind::row : ScaleKind::tensor,
                       0, two_planes, Weights::all_bytes, Codes::sparse},
                      1 + cols % 3);
      }
    }
    for (size_t tokens = 1; tokens <= tern::kVectorTokens; ++tokens) {
      for (const bool two_planes : {false, true}) {
        for (const size_t cols : {37, 130}) {
          check_columns(tables,
                        {packing, 333, cols, tokens, ScaleKind::row, 0, two_planes, Weights::trits,
                         Codes::sparse},
                        2);
        }
      }
    }
  }
  SUCCEED();
}

TEST_CASE("No sum over lines overflows with code 3 everywhere and the largest activations") {
  const auto tables = runnable_kernels();
  for (const bool two_planes : {false, true}) {
    for (const Packing packing : kRowPackings) {
      for (const size_t tokens : {1, 3}) {
        check_rows(tables, {packing, 1, 65536, tokens, ScaleKind::tensor, 0, two_planes,
                            Weights::code_three, Codes::extreme});
      }
    }
    for (const Packing packing : kColumnPackings) {
      check_columns(tables,
                    {packing, 1, 65536, 1, ScaleKind::tensor, 0, two_planes, Weights::code_three,
                     Codes::extreme},
                    1);
    }
  }
  SUCCEED();
}

TEST_CASE("A gate is live unless it is finite and not above zero") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kTiny = std::numeric_limits<float>::denorm_min();
  const float special[] = {0.0f,
                           -0.0f,
                           kTiny,
                           -kTiny,
                           kInfinity,
                           -kInfinity,
                           -3.4e38f,
                           3.4e38f,
                           1.0f,
                           -1.0f,
                           std::numeric_limits<float>::quiet_NaN()};
  const auto tables = runnable_kernels();
  for (size_t n = 0; n <= 200; n += n < 70 ? 1 : 13) {
    for (const uint32_t modulus : {1u, 2u, 11u}) {  // all alike, half and half, all kinds
      SampleRandom random(n + modulus);
      std::vector<float> gates(n);
      std::vector<uint32_t> expected;
      for (uint32_t i = 0; i < n; ++i) {
        gates[i] = special[modulus == 11 ? random.below(11) : random.below(modulus) == 0 ? 8 : 9];
        const bool dead = gates[i] <= 0 && gates[i] != -kInfinity;
        if (!dead) expected.push_back(1000 + i);
      }
      const GuardedBuffer<float> gate(gates);
      for (const KernelTable& k : tables) {
        GuardedBuffer<uint32_t> rows(n);
        const size_t count = k.find_live_rows(gate.data(), n, 1000, rows.data());
        INFO(k.isa << ", " << n << " gates");
        REQUIRE(count == expected.size());
        CHECK(std::equal(expected.begin(), expected.end(), rows.data()));
      }
    }
  }
}

TEST_CASE("Columns whose activation is not zero are listed with it") {
  const auto tables = runnable_kernels();
  for (size_t n = 0; n <= 300; n += n < 140 ? 1 : 17) {
    for (const uint32_t zeros : {0u, 50u, 90u, 100u}) {  // of a hundred
      SampleRandom random(n + zeros);
      std::vector<int8_t> codes(n);
      std::vector<uint32_t> expected;
      for (uint32_t i = 0; i < n; ++i) {
        if (random.below(100) >= zeros) codes[i] = static_cast<int8_t>(random.below(256));
        if (codes[i] != 0) expected.push_back(i);
      }
      const GuardedBuffer<int8_t> q(codes);
      for (const KernelTable& k : tables) {
        GuardedBuffer<uint32_t> columns(n + 63);
        GuardedBuffer<int8_t> values(n + 63);
        const size_t count = k.find_nonzero(q.data(), n, columns.data(), values.data());
        INFO(k.isa << ", " << n << " codes, " << zeros << " % zero");
        REQUIRE(count == expected.size());
        CHECK(std::equal(expected.begin(), expected.end(), columns.data()));
        for (size_t i = 0; i < count; ++i) REQUIRE(values[i] == codes[expected[i]]);
      }
    }
  }
}

TEST_CASE("The probes do what they count") {
  for (const KernelTable& k : runnable_kernels()) {
    INFO(k.isa);
    const std::vector<uint8_t> zeros(2048);
    CHECK(k.probe_read(zeros.data(), zeros.size()) == 0);
    int32_t sink = 1;
    CHECK(k.probe_dot(0, &sink) == 0);
    const uint64_t once = k.probe_dot(1, &sink);
    CHECK(once > 0);
    CHECK(k.probe_dot(1000, &sink) == 1000 * once);
  }
}
