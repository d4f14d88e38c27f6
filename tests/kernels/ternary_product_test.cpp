// The ternary product of every table gives the bits of `scalar`: every scale kind, byte and token
// count.
#include "kernels/kernel_cases.hpp"
#include "tern/quant/trit_tiles.hpp"

using namespace tern_test;
using tern::KernelTable;
using tern::ScaleKind;

namespace {

enum class Tiles { trits, all_bytes, code_three };
enum class Codes { random, extreme };

struct ProductCase {
  size_t rows;
  size_t cols;
  size_t tokens;
  ScaleKind kind;
  uint32_t group_cols;
  bool two_planes;
  Tiles tiles;
  Codes codes;
};

std::ostream& operator<<(std::ostream& out, const ProductCase& c) {
  return out << c.rows << " x " << c.cols << ", " << c.tokens << " tokens, scale kind "
             << static_cast<int>(c.kind) << ", groups of " << c.group_cols << ", planes "
             << 1 + c.two_planes << ", tiles " << static_cast<int>(c.tiles) << ", codes "
             << static_cast<int>(c.codes);
}

/// A matrix and activations that end at guard pages.
class Problem {
 public:
  explicit Problem(const ProductCase& c)
      : c_(c),
        stride_(tern::activation_stride(c.cols)),
        tiles_(make_tiles(c)),
        scales_(make_scales(c)),
        high_(c.tokens * stride_),
        low_(c.two_planes ? c.tokens * stride_ : 0),
        tokens_(c.tokens) {
    SampleRandom random(c.cols + c.tokens);
    for (size_t t = 0; t < c.tokens; ++t) {
      tokens_[t].step = 0x1p-8f * static_cast<float>(1 + random.below(1000));
      tokens_[t].finite = 1;
      for (size_t i = 0; i < c.cols; ++i) {
        const bool extreme = c.codes == Codes::extreme;
        // Extreme: whole tokens of +127 and of -127, then of random sign.
        const bool positive = t % 3 == 0 || (t % 3 == 2 && random.below(2) == 0);
        const int high =
            extreme ? (positive ? 127 : -127) : static_cast<int>(random.below(255)) - 127;
        high_[t * stride_ + i] = static_cast<int8_t>(high);
        tokens_[t].sum += high;
        if (!c.two_planes) continue;
        const int low = extreme ? (positive ? 63 : -64) : static_cast<int>(random.below(128)) - 64;
        low_[t * stride_ + i] = static_cast<int8_t>(low);
        tokens_[t].sum_low += low;
      }
    }
  }

  tern::TernaryView view() const {
    tern::TernaryView w;
    w.data = tiles_.data();
    w.rows = static_cast<uint32_t>(c_.rows);
    w.cols = static_cast<uint32_t>(c_.cols);
    w.scale_kind = c_.kind;
    w.group_cols = c_.group_cols;
    w.scales = scales_.data();
    return w;
  }
  tern::ActivationView activations() const {
    return {high_.data(), c_.two_planes ? low_.data() : nullptr, tokens_.data(), stride_,
            c_.tokens};
  }
  size_t n_tiles() const { return tern::T2Tiles::row_tiles(c_.rows); }

  /// The whole product in two ranges of tiles. Rows outside a range must stay as they were.
  Bytes vector_product(const KernelTable& k) const {
    GuardedBuffer<float> y((c_.tokens - 1) * y_stride() + c_.rows);
    y.fill(-77.0f);
    const size_t middle = (n_tiles() + 1) / 2;
    Bytes out;
    k.multiply_vector(view(), activations(), middle, n_tiles(), y.data(), y_stride());
    append(out, y);
    k.multiply_vector(view(), activations(), 0, middle, y.data(), y_stride());
    append(out, y);
    return out;
  }
  Bytes matrix_product(const KernelTable& k) const {
    GuardedBuffer<int8_t> packed(k.packed_tokens_bytes(c_.tokens, c_.cols));
    packed.fill(55);
    // Packing in two ranges, the later first.
    const size_t half = (c_.tokens / 2 + k.token_tile - 1) / k.token_tile * k.token_tile;
    const size_t middle = half < c_.tokens ? half : c_.tokens;
    if (middle < c_.tokens) {
      k.pack_tokens(activations(), c_.cols, middle, c_.tokens, packed.data());
    }
    k.pack_tokens(activations(), c_.cols, 0, middle, packed.data());
    GuardedBuffer<uint8_t> scratch(k.matrix_scratch_bytes);
    scratch.fill(0xAA);
    GuardedBuffer<float> y((c_.tokens - 1) * y_stride() + c_.rows);
    y.fill(-77.0f);
    const size_t split = (n_tiles() + 1) / 2;
    Bytes out;
    k.multiply_matrix(view(), activations(), packed.data(), split, n_tiles(), y.data(), y_stride(),
                      scratch.data());
    append(out, y);
    k.multiply_matrix(view(), activations(), packed.data(), 0, split, y.data(), y_stride(),
                      scratch.data());
    append(out, y);
    return out;
  }

 private:
  size_t y_stride() const { return c_.rows + 3; }

  static std::vector<uint8_t> make_tiles(const ProductCase& c) {
    std::vector<uint8_t> tiles(tern::T2Tiles::bytes(c.rows, c.cols));
    SampleRandom random(c.rows * 1000 + c.cols);
    if (c.tiles == Tiles::trits) {
      for (size_t r = 0; r < c.rows; ++r) {
        tern::T2Tiles::encode_row(random_u(c.cols, r + c.cols).data(), c.cols, r, tiles.data());
      }
      for (size_t r = c.rows; r % 16 != 0; ++r) tern::T2Tiles::clear_row(c.cols, r, tiles.data());
      return tiles;
    }
    // Untrusted bytes, in the padding too: the padding of activations makes them harmless.
    for (size_t i = 0; i < tiles.size(); ++i) {
      tiles[i] = c.tiles == Tiles::code_three ? 0xFF : static_cast<uint8_t>(i + random.below(2));
    }
    return tiles;
  }
  static std::vector<float> make_scales(const ProductCase& c) {
    size_t n = 1;
    if (c.kind == ScaleKind::row) n = c.rows;
    if (c.kind == ScaleKind::group) n = c.rows * ((c.cols + c.group_cols - 1) / c.group_cols);
    auto scales = values(Values::ordinary, n, c.rows + c.cols);
    for (float& s : scales) s = s < 0 ? -s : s;
    return scales;
  }

  ProductCase c_;
  size_t stride_;
  GuardedBuffer<uint8_t> tiles_;
  GuardedBuffer<float> scales_;
  GuardedBuffer<int8_t> high_;
  GuardedBuffer<int8_t> low_;
  GuardedBuffer<tern::QuantizedToken> tokens_;
};

void check_vector(const std::vector<KernelTable>& tables, const ProductCase& c) {
  const Problem problem(c);
  const Bytes expected = problem.vector_product(tables.back());
  for (const KernelTable& table : tables) {
    if (problem.vector_product(table) != expected) {
      FAIL("multiply_vector of " << table.isa << " differs from scalar: " << c);
    }
  }
}
void check_matrix(const std::vector<KernelTable>& tables, const ProductCase& c) {
  const Problem problem(c);
  const Bytes expected = problem.vector_product(tables.back());
  for (const KernelTable& table : tables) {
    if (problem.matrix_product(table) != expected) {
      FAIL("multiply_matrix of " << table.isa << " differs from multiply_vector of scalar: " << c);
    }
  }
}

struct Scales {
  ScaleKind kind;
  uint32_t group_cols;
};
constexpr Scales kScales[] = {{ScaleKind::tensor, 0},  {ScaleKind::row, 0},
                              {ScaleKind::group, 32},  {ScaleKind::group, 64},
                              {ScaleKind::group, 128}, {ScaleKind::group, 256}};

}  // namespace

TEST_CASE("The vector product gives the bits of scalar at every number of columns") {
  const auto tables = runnable_kernels();
  for (size_t cols = 1; cols <= 340; cols += cols < 70 ? 1 : 13) {
    for (const bool two_planes : {false, true}) {
      check_vector(tables,
                   {17, cols, 1, ScaleKind::tensor, 0, two_planes, Tiles::trits, Codes::random});
      check_vector(tables,
                   {33, cols, 3, ScaleKind::row, 0, two_planes, Tiles::all_bytes, Codes::random});
      check_vector(tables,
                   {16, cols, 2, ScaleKind::group, 32, two_planes, Tiles::trits, Codes::random});
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
            check_vector(tables,
                         {rows, cols, tokens, scales.kind, scales.group_cols, two_planes,
                          tokens % 2 == 0 ? Tiles::trits : Tiles::all_bytes, Codes::random});
          }
        }
      }
    }
  }
  SUCCEED();
}

TEST_CASE("T5 gives the product of the same trits in T2") {
  constexpr size_t kRows = 35, kTokens = 3;
  const auto tables = runnable_kernels();
  for (const size_t cols : {1, 19, 20, 64, 257, 330}) {
    const Problem problem(
        {kRows, cols, kTokens, ScaleKind::row, 0, true, Tiles::trits, Codes::random});
    std::vector<uint8_t> tiles(tern::T5Tiles::bytes(kRows, cols));
    for (size_t r = 0; r < kRows; ++r) {
      tern::T5Tiles::encode_row(random_u(cols, r + cols).data(), cols, r, tiles.data());
    }
    for (size_t r = kRows; r % tern::kTileRows != 0; ++r) {
      tern::T5Tiles::clear_row(cols, r, tiles.data());
    }
    const GuardedBuffer<uint8_t> guarded(tiles);
    tern::TernaryView w = problem.view();
    const size_t n_tiles = problem.n_tiles();
    GuardedBuffer<float> expected(kTokens * kRows), y(kTokens * kRows);
    tables.back().multiply_vector(w, problem.activations(), 0, n_tiles, expected.data(), kRows);
    w.data = guarded.data();
    w.packing = tern::Packing::t5;
    for (const KernelTable& k : tables) {
      INFO(k.isa << ", " << cols << " columns");
      y.fill(-77.0f);
      k.multiply_vector(w, problem.activations(), 0, n_tiles, y.data(), kRows);
      CHECK(std::memcmp(y.data(), expected.data(), y.size() * sizeof(float)) == 0);
      GuardedBuffer<int8_t> packed(k.packed_tokens_bytes(kTokens, cols));
      GuardedBuffer<uint8_t> scratch(k.matrix_scratch_bytes);
      k.pack_tokens(problem.activations(), cols, 0, kTokens, packed.data());
      y.fill(-77.0f);
      k.multiply_matrix(w, problem.activations(), packed.data(), 0, n_tiles, y.data(), kRows,
                        scratch.data());
      CHECK(std::memcmp(y.data(), expected.data(), y.size() * sizeof(float)) == 0);
    }
  }
}

TEST_CASE("No sum overflows with code 3 everywhere and the largest activations") {
  const auto tables = runnable_kernels();
  for (const Scales& scales : kScales) {
    for (const size_t cols : {160, 176, 640, 6912}) {
      for (const bool two_planes : {false, true}) {
        for (const Tiles tiles : {Tiles::code_three, Tiles::all_bytes}) {
          const ProductCase c{16,    cols,          5, scales.kind, scales.group_cols, two_planes,
                              tiles, Codes::extreme};
          check_vector(tables, c);
          check_matrix(tables, c);
        }
      }
    }
  }
  // The widest row that a model may have.
  for (const bool two_planes : {false, true}) {
    const ProductCase c{
        16, 65536, 2, ScaleKind::tensor, 0, two_planes, Tiles::code_three, Codes::extreme};
    check_vector(tables, c);
    check_matrix(tables, c);
  }
  SUCCEED();
}

TEST_CASE("The matrix product gives the bits of the vector product for 1 to 40 tokens") {
  const auto tables = runnable_kernels();
  for (size_t tokens = 1; tokens <= 40; ++tokens) {
    for (const bool two_planes : {false, true}) {
      const size_t cols = 16 + tokens * 7;
      check_matrix(tables, {50, cols, tokens, ScaleKind::tensor, 0, two_planes, Tiles::trits,
                            Codes::random});
      check_matrix(tables, {33, cols, tokens, ScaleKind::row, 0, two_planes, Tiles::all_bytes,
                            Codes::random});
      check_matrix(tables, {17, cols, tokens, ScaleKind::group, 64, two_planes, Tiles::trits,
                            Codes::random});
    }
  }
  SUCCEED();
}

TEST_CASE("The matrix product continues its sums over blocks of columns") {
  const auto tables = runnable_kernels();
  for (const size_t cols : {1023, 1024, 1025, 1040, 2048, 3000}) {
    for (const size_t tokens : {1, 12, 13, 25}) {
      for (const bool two_planes : {false, true}) {
        check_matrix(tables, {31, cols, tokens, ScaleKind::row, 0, two_planes, Tiles::all_bytes,
                              Codes::extreme});
      }
    }
  }
  SUCCEED();
}
