// The matrix product of every table, from every packing, gives the bits of `scalar`.
#include "kernels/product_cases.hpp"

using namespace tern_test;
using tern::KernelTable;
using tern::Packing;
using tern::ScaleKind;

namespace {

void check_matrix(const std::vector<KernelTable>& tables, const ProductCase& c) {
  const Problem problem(c);
  const Bytes expected = problem.matrix_product(tables.back());
  for (const KernelTable& table : tables) {
    if (problem.matrix_product(table) != expected) {
      FAIL("multiply_matrix of " << table.isa << " differs from scalar: " << c);
    }
  }
}

}  // namespace

TEST_CASE("The matrix product gives the bits of scalar for 1 to 40 tokens from every packing") {
  const auto tables = runnable_kernels();
  for (size_t tokens = 1; tokens <= 40; ++tokens) {
    const bool two_planes = tokens % 2 == 0;
    const size_t cols = 16 + tokens * 7;
    for (const Packing packing : kPackings) {
      check_matrix(tables, {packing, 50, cols, tokens, ScaleKind::tensor, 0, two_planes,
                            Weights::trits, Codes::random});
      check_matrix(tables, {packing, 33, cols, tokens, ScaleKind::row, 0, !two_planes,
                            Weights::all_bytes, Codes::random});
    }
    for (const bool both : {false, true}) {
      check_matrix(tables, {Packing::t2, 17, cols, tokens, ScaleKind::group, 64, both,
                            Weights::trits, Codes::random});
    }
  }
  SUCCEED();
}

TEST_CASE("The matrix product gives the bits of scalar at every number of rows and of columns") {
  const auto tables = runnable_kernels();
  for (const Packing packing : kPackings) {
    for (size_t rows = 1; rows <= 36; ++rows) {
      check_matrix(tables, {packing, rows, 3 * rows, 2, ScaleKind::row, 0, false,
                            Weights::all_bytes, Codes::random});
    }
    // Units of columns are 256 and 320 rows.
    for (const size_t rows : {63, 64, 65, 240, 255, 256, 257, 300, 320, 321, 530}) {
      check_matrix(tables, {packing, rows, 21, 3, ScaleKind::row, 0, true, Weights::all_bytes,
                            Codes::random});
    }
    for (const size_t cols : {1, 2, 3, 4, 255, 256, 257, 319, 320, 321, 700}) {
      check_matrix(tables, {packing, 18, cols, 3, ScaleKind::row, 0, true, Weights::all_bytes,
                            Codes::random});
    }
  }
  SUCCEED();
}

TEST_CASE("The matrix product continues its sums over blocks of columns") {
  const auto tables = runnable_kernels();
  for (const Packing packing : kPackings) {
    for (const size_t cols :
         {511, 513, 960, 1024, 1279, 1281, 2048, 2303, 2305, 2560, 2561, 2564, 2580, 5123}) {
      for (const size_t tokens : {1, 13}) {
        check_matrix(tables, {packing, 31, cols, tokens, ScaleKind::row, 0, cols % 2 == 0,
                              Weights::all_bytes, Codes::extreme});
      }
    }
  }
  SUCCEED();
}

TEST_CASE("Groups of scales in a matrix product keep their order and their two planes") {
  const auto tables = runnable_kernels();
  for (const uint32_t group_cols : {32u, 64u, 128u, 256u}) {
    // Blocks of columns end at 1280.
    for (const size_t cols : {30, 64, 600, 1100, 1281, 1310, 2600}) {
      for (const size_t tokens : {5, 12, 26}) {
        check_matrix(tables, {Packing::t2, 35, cols, tokens, ScaleKind::group, group_cols,
                              tokens % 2 == 0, Weights::all_bytes, Codes::extreme});
      }
    }
  }
  SUCCEED();
}

TEST_CASE("Groups of scales meet more tokens than their sums have room for") {
  const auto tables = runnable_kernels();
  for (const bool two_planes : {false, true}) {
    check_matrix(tables, {Packing::t2, 17, 1290, 910, ScaleKind::group, 32, two_planes,
                          Weights::trits, Codes::random});
  }
  SUCCEED();
}

TEST_CASE("No sum of a matrix product overflows at the widest row that a model may have") {
  const auto tables = runnable_kernels();
  for (const bool two_planes : {false, true}) {
    for (const Packing packing : kPackings) {
      check_matrix(tables, {packing, 1, 65536, 2, ScaleKind::tensor, 0, two_planes,
                            Weights::code_three, Codes::extreme});
    }
  }
  SUCCEED();
}
