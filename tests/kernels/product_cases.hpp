// What the tests of the ternary products share: matrices in every packing and activations that end
// at guard pages.
#pragma once

#include <ostream>

#include "kernels/kernel_cases.hpp"

namespace tern_test {

enum class Weights { trits, all_bytes, code_three };
enum class Codes { random, extreme, sparse };

struct ProductCase {
  tern::Packing packing;
  size_t rows;
  size_t cols;
  size_t tokens;
  tern::ScaleKind kind;
  uint32_t group_cols;
  bool two_planes;
  Weights weights;
  Codes codes;
};

inline std::ostream& operator<<(std::ostream& out, const ProductCase& c) {
  return out << "packing " << static_cast<int>(c.packing) << ", " << c.rows << " x " << c.cols
             << ", " << c.tokens << " tokens, scale kind " << static_cast<int>(c.kind)
             << ", groups of " << c.group_cols << ", planes " << 1 + c.two_planes << ", weights "
             << static_cast<int>(c.weights) << ", codes " << static_cast<int>(c.codes);
}

/// The same trits in any packing. Shapes: u [rows][cols].
template <typename Code>
void pack_trits(const uint8_t* u, size_t rows, size_t cols, tern::Packing packing, uint8_t* out) {
  using Tiles = tern::TritTiles<Code>;
  using Lines = tern::TritLines<Code>;
  if (tern::is_rows(packing)) {
    const size_t line_bytes = Lines::blocks(cols) * 64;
    for (size_t r = 0; r < rows; ++r) Lines::encode(u + r * cols, cols, 1, out + r * line_bytes);
  } else if (tern::is_columns(packing)) {
    const size_t line_bytes = Lines::blocks(rows) * 64;
    for (size_t c = 0; c < cols; ++c) Lines::encode(u + c, rows, cols, out + c * line_bytes);
  } else {
    for (size_t r = 0; r < rows; ++r) Tiles::encode_row(u + r * cols, cols, r, out);
    for (size_t r = rows; r % 16 != 0; ++r) Tiles::clear_row(cols, r, out);
  }
}

/// A matrix and activations that end at guard pages.
class Problem {
 public:
  explicit Problem(const ProductCase& c)
      : c_(c),
        stride_(tern::activation_stride(c.cols)),
        data_(make_data(c)),
        scales_(make_scales(c)),
        high_(c.tokens * stride_),
        low_(c.two_planes ? c.tokens * stride_ : 0),
        tokens_(c.tokens) {
    SampleRandom random(c.cols + c.tokens);
    for (size_t t = 0; t < c.tokens; ++t) {
      tokens_[t].step = 0x1p-8f * static_cast<float>(1 + random.below(1000));
      tokens_[t].finite = 1;
      for (size_t i = 0; i < c.cols; ++i) {
        if (c.codes == Codes::sparse && random.below(2) == 0) continue;
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
    w.data = data_.data();
    w.rows = static_cast<uint32_t>(c_.rows);
    w.cols = static_cast<uint32_t>(c_.cols);
    w.packing = c_.packing;
    w.scale_kind = c_.kind;
    w.group_cols = c_.group_cols;
    w.scales = scales_.data();
    return w;
  }
  tern::ActivationView activations() const {
    return {high_.data(), c_.two_planes ? low_.data() : nullptr, tokens_.data(), stride_,
            c_.tokens};
  }
  size_t n_units() const { return view().n_units(); }
  size_t y_stride() const { return c_.rows + 3; }
  /// Results, filled with what no product gives.
  GuardedBuffer<float> make_results() const {
    GuardedBuffer<float> y((c_.tokens - 1) * y_stride() + c_.rows);
    y.fill(-77.0f);
    return y;
  }

  /// The whole product in two ranges of tiles. Rows outside a range must stay as they were.
  Bytes vector_product(const tern::KernelTable& k) const {
    GuardedBuffer<float> y = make_results();
    const size_t middle = (n_units() + 1) / 2;
    Bytes out;
    k.multiply_vector(view(), activations(), middle, n_units(), y.data(), y_stride());
    append(out, y);
    k.multiply_vector(view(), activations(), 0, middle, y.data(), y_stride());
    append(out, y);
    return out;
  }
  Bytes matrix_product(const tern::KernelTable& k) const {
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
    GuardedBuffer<float> y = make_results();
    const size_t split = (n_units() + 1) / 2;
    Bytes out;
    k.multiply_matrix(view(), activations(), packed.data(), split, n_units(), y.data(), y_stride(),
                      scratch.data());
    append(out, y);
    k.multiply_matrix(view(), activations(), packed.data(), 0, split, y.data(), y_stride(),
                      scratch.data());
    append(out, y);
    return out;
  }

 private:
  static std::vector<uint8_t> make_data(const ProductCase& c) {
    const auto rows = static_cast<uint32_t>(c.rows);
    const auto cols = static_cast<uint32_t>(c.cols);
    std::vector<uint8_t> data(*tern::packed_bytes(c.packing, rows, cols));
    SampleRandom random(c.rows * 1000 + c.cols);
    if (c.weights == Weights::trits) {
      const std::vector<uint8_t> u = random_u(c.rows * c.cols, c.rows + c.cols);
      if (tern::is_five(c.packing)) {
        pack_trits<tern::T5Code>(u.data(), c.rows, c.cols, c.packing, data.data());
      } else {
        pack_trits<tern::T2Code>(u.data(), c.rows, c.cols, c.packing, data.data());
      }
      return data;
    }
    // Untrusted bytes, in the padding too: the padding of activations makes them harmless.
    for (size_t i = 0; i < data.size(); ++i) {
      data[i] = c.weights == Weights::code_three ? 0xFF : static_cast<uint8_t>(i + random.below(2));
    }
    return data;
  }
  static std::vector<float> make_scales(const ProductCase& c) {
    size_t n = 1;
    if (c.kind == tern::ScaleKind::row) n = c.rows;
    if (c.kind == tern::ScaleKind::group) n = c.rows * ((c.cols + c.group_cols - 1) / c.group_cols);
    auto scales = values(Values::ordinary, n, c.rows + c.cols);
    for (float& s : scales) s = s < 0 ? -s : s;
    return scales;
  }

  ProductCase c_;
  size_t stride_;
  GuardedBuffer<uint8_t> data_;
  GuardedBuffer<float> scales_;
  GuardedBuffer<int8_t> high_;
  GuardedBuffer<int8_t> low_;
  GuardedBuffer<tern::QuantizedToken> tokens_;
};

struct Scales {
  tern::ScaleKind kind;
  uint32_t group_cols;
};
inline constexpr Scales kScales[] = {{tern::ScaleKind::tensor, 0},  {tern::ScaleKind::row, 0},
                                     {tern::ScaleKind::group, 32},  {tern::ScaleKind::group, 64},
                                     {tern::ScaleKind::group, 128}, {tern::ScaleKind::group, 256}};

}  // namespace tern_test
