// How values follow from the bytes of a tensor where its type alone does not say.
//
// Room: quant. GGUF has a type for everything that it holds; the tensors of other containers need
// this beside the nearest type. A form describes, it computes nothing: what it needs of float
// arithmetic is done by kernel slots when a model is loaded.
#pragma once

#include <cstdint>

#include "tern/quant/tensor_type.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

enum class FormKind : uint8_t {
  stored,        ///< as the type says
  row_quarters,  ///< trits in two bits each: byte [r][c] holds row i * rows / 4 + r in bits 2i,
                 ///< 2i+1
  master,        ///< floats that become trits by their mean magnitude (docs/numerics.md 15)
  less_one,      ///< gains of a norm, stored less one
};

/// All zero bits: nothing beyond the type.
struct TensorForm {
  FormKind kind = FormKind::stored;
  bool is_inverse = false;  ///< of row_quarters: weights are trits divided by the scale
  uint32_t scale_bits = 0;  ///< of row_quarters: the scale, binary32, finite and positive
  /// Rows of a head whose halves are to be read interleaved: row 2p + s of a head is row s * n / 2
  /// + p of the n that are stored. 0: rows are read in their order.
  uint32_t paired_rows = 0;
};

/// What a tensor of row quarters has for a type: its bytes are no elements.
inline constexpr TypeInfo kRowQuarters = {
    static_cast<uint32_t>(TensorType::i8), "U8/4", "", true, TypeInfo::Size::unknown, 1, 0, 0};

/// Whether all trits of a tensor of this form have one scale, which the form gives.
constexpr bool has_one_scale(const TensorForm& form) {
  return form.kind == FormKind::row_quarters || form.kind == FormKind::master;
}

/// Where row `row` of a tensor is stored.
constexpr size_t stored_row(const TensorForm& form, size_t row) {
  const size_t n = form.paired_rows;
  if (n == 0) return row;
  const size_t in_head = row % n;
  return row - in_head + in_head % 2 * (n / 2) + in_head / 2;
}

TERN_NAMESPACE_END
