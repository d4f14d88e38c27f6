// Which packing each linear layer gets.
//
// Room: model. Tiles stream best; lines let a product leave out rows whose outputs are not needed
// and columns whose inputs are zero. ReLU^2 makes both frequent: where the gate is not positive,
// the row of `up` and the column of `down` are not read (docs/numerics.md 6). So a layer of a
// ReLU^2 model has `up` by rows and `down` by columns, both or neither. Where only the largest
// inputs of the output projection are kept (3.4), it is by columns too. All else is tiles. Groups of
// scales are T2 tiles.
#pragma once

#include "tern/model/config.hpp"
#include "tern/quant/ternary_view.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// What products with a matrix may leave out in a layer that skips.
enum class Skippable : uint8_t {
  nothing,
  rows,          ///< of dead gates
  columns,       ///< behind them
  topk_columns,  ///< of inputs that are not among the largest
};

/// Whether a layer with these matrices skips.
constexpr bool layer_skips(const ModelConfig& config, const TernaryView& up,
                           const TernaryView& down) {
  return config.may_skip() && up.scale_kind != ScaleKind::group &&
         down.scale_kind != ScaleKind::group;
}

/// The packing of a matrix of a layer that skips dead gates or not, and largest inputs or not.
/// Requires: `tiles` is t2 or t5.
constexpr Packing choose_packing(Packing tiles, ScaleKind scale_kind, Skippable skippable,
                                 bool skips_gates, bool skips_inputs) {
  if (scale_kind == ScaleKind::group) return Packing::t2;
  const bool five = is_five(tiles);
  switch (skippable) {
    case Skippable::nothing: break;
    case Skippable::rows:
      if (skips_gates) return five ? Packing::t5r : Packing::t2r;
      break;
    case Skippable::columns:
      if (skips_gates) return five ? Packing::t5c : Packing::t2c;
      break;
    case Skippable::topk_columns:
      if (skips_inputs) return five ? Packing::t5c : Packing::t2c;
      break;
  }
  return tiles;
}

TERN_NAMESPACE_END
