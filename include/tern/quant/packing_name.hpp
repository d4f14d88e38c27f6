// The names of packings and kinds of scales, as tern files, options and reports spell them.
//
// Room: quant.
#pragma once

#include <string_view>

#include "tern/quant/ternary_view.hpp"

TERN_NAMESPACE_BEGIN

struct PackingName {
  std::string_view name;
  Packing packing;
};
inline constexpr PackingName kPackingNames[] = {
    {"t2", Packing::t2},   {"t5", Packing::t5},   {"t2r", Packing::t2r},
    {"t5r", Packing::t5r}, {"t2c", Packing::t2c}, {"t5c", Packing::t5c},
};

constexpr std::string_view packing_name(Packing packing) {
  for (const PackingName& row : kPackingNames) {
    if (row.packing == packing) return row.name;
  }
  return "";
}
constexpr std::optional<Packing> find_packing(std::string_view name) {
  for (const PackingName& row : kPackingNames) {
    if (row.name == name) return row.packing;
  }
  return std::nullopt;
}

/// A kind of scales together with its width, as one name.
struct ScaleName {
  std::string_view name;
  ScaleKind kind;
  uint32_t group_cols;  ///< 0 unless `kind` is group
};
inline constexpr ScaleName kScaleNames[] = {
    {"tensor", ScaleKind::tensor, 0},     {"row", ScaleKind::row, 0},
    {"group_256", ScaleKind::group, 256}, {"group_128", ScaleKind::group, 128},
    {"group_64", ScaleKind::group, 64},   {"group_32", ScaleKind::group, 32},
};

constexpr std::string_view scale_name(ScaleKind kind, uint32_t group_cols) {
  for (const ScaleName& row : kScaleNames) {
    if (row.kind == kind && row.group_cols == group_cols) return row.name;
  }
  return "";
}
/// Null for a name that there is not.
constexpr const ScaleName* find_scale_name(std::string_view name) {
  for (const ScaleName& row : kScaleNames) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

TERN_NAMESPACE_END
