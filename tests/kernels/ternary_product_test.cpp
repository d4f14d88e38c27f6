// The ternary product over tiles of every table gives the bits of `scalar`: every scale kind, byte
// and token count.
#include "kernels/product_cases.hpp"

using namespace tern_test;
using tern::KernelTable;
using tern::Packing;
using tern::ScaleKind;

namespace {

void check_vector(const std::vector<KernelTable>& tables, const ProductCase& c) {
  const Problem problem(c);
  const Bytes expected = problem.vector_product(tables.back());
  for (const KernelTable& table : tables) {
    if (problem.vector_product(table) != expected) {
      FAIL("multiply_vector of " << table.isa << " differs from scalar: " << c);
    }
  }
}

}  // namespace

TEST_CASE("The vector product gives the bits of scalar at every number of columns") {
  const auto tables = runnable_kernels();
  for (size_t cols = 1; cols <= 340; cols += cols < 70 ? 1 : 13) {
    for (const bool two_planes : {false, true}) {
      for (const Packing packing : {Packing::t2, Packing::t5}) {
        check_vector(tables, {packing, 17, cols, 1, ScaleKind::tensor, 0, two_planes,
                              Weights::trits, Codes::random});
        check_vector(tables, {packing, 33, cols, 3, ScaleKind::row, 0, two_planes,
                              Weights::all_bytes, Codes::random});
      }
      check_vector(tables, {Packing::t2, 16, cols, 2, ScaleKind::group, 32, two_planes,
                            Weights::trits, Codes::random});
    }
  }
  SUCCEED();
}

TEST_CASE("The vector product gives the bits of scalar for every scale kind and 1 to 8 tokens") {
  const auto tables = runnable_kernels();
  for (const Scales& scales : kScales) {
    for (size_t tokens = 1; tokens <= tern::kVectorTokens; ++tokens) {
      for (const size_t rows : {1, 15, 31, 64, 65}) {
        for (const size_t cols : {64, 255, 257}) {
          for (const bool two_planes : {false, true}) {
            const Weights weights = tokens % 2 == 0 ? Weights::trits : Weights::all_bytes;
            ProductCase c{Packing::t2,       rows,       cols,    tokens,       scales.kind,
                          scales.group_cols, two_planes, weights, Codes::random};
            check_vector(tables, c);
            if (scales.kind == ScaleKind::group) continue;
            c.packing = Packing::t5;
            check_vector(tables, c);
          }
        }
      }
    }
  }
  SUCCEED();
}

TEST_CASE("Scales of more than sixteen groups a row meet their columns") {
  const auto tables = runnable_kernels();
  for (const size_t cols : {512, 544, 1023, 1100}) {
    for (const size_t rows : {5, 16, 18}) {
      check_vector(tables, {Packing::t2, rows, cols, 2, ScaleKind::group, 32, true,
                            Weights::all_bytes, Codes::random});
    }
  }
  SUCCEED();
}

TEST_CASE("The same trits give the same product in every packing") {
  const KernelTable scalar = scalar_kernels();
  for (const size_t cols : {1, 19, 20, 64, 257, 330}) {
    for (const bool two_planes : {false, true}) {
      ProductCase c{Packing::t2,    35,           cols, 3, ScaleKind::row, 0, two_planes,
                    Weights::trits, Codes::random};
      // All rows at once: units differ between packings.
      const auto product = [&c](const KernelTable& k) {
        const Problem problem(c);
        GuardedBuffer<int8_t> packed(k.packed_tokens_bytes(c.tokens, c.cols));
        GuardedBuffer<uint8_t> scratch(k.matrix_scratch_bytes);
        GuardedBuffer<float> y = problem.make_results();
        k.pack_tokens(problem.activations(), c.cols, 0, c.tokens, packed.data());
        k.multiply_matrix(problem.view(), problem.activations(), packed.data(), 0,
                          problem.n_units(), y.data(), problem.y_stride(), scratch.data());
        Bytes out;
        append(out, y);
        return out;
      };
      const Bytes expected = product(scalar);
      for (const Packing packing : kPackings) {
        c.packing = packing;
        INFO(c);
        CHECK(product(scalar) == expected);
      }
    }
  }
}

TEST_CASE("No sum over tiles overflows with code 3 everywhere and the largest activations") {
  const auto tables = runnable_kernels();
  for (const Scales& scales : kScales) {
    for (const size_t cols : {160, 176, 640, 6912}) {
      for (const bool two_planes : {false, true}) {
        for (const Weights weights : {Weights::code_three, Weights::all_bytes}) {
          ProductCase c{Packing::t2, 16,      cols,          5, scales.kind, scales.group_cols,
                        two_planes,  weights, Codes::extreme};
          check_vector(tables, c);
          if (scales.kind == ScaleKind::group) continue;
          c.packing = Packing::t5;
          check_vector(tables, c);
        }
      }
    }
  }
  // The widest row that a model may have.
  for (const bool two_planes : {false, true}) {
    for (const Packing packing : {Packing::t2, Packing::t5}) {
      for (const size_t tokens : {1, 2, 4}) {
        check_vector(tables, {packing, 16, 65536, tokens, ScaleKind::tensor, 0, two_planes,
                              Weights::code_three, Codes::extreme});
      }
    }
  }
  SUCCEED();
}
