// What a config.json says of positions: how heads turn, and how far back layers see.
//
// Room: model. Part of hf_config.hpp.
#pragma once

#include "tern/model/architecture.hpp"
#include "tern/model/hf_config_reader.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {

/// How many layers from one that does not slide to the next, from a list that says it of each; 0
/// where all slide. Errors: unsupported (a kind of layer, an order that no period gives).
inline Result<uint32_t> read_layer_types(const HfConfigReader& reader, bool may_slide) {
  constexpr std::string_view kKey = "layer_types";
  uint32_t period = 0;
  uint32_t n = 0;
  for (const JsonValue type : reader.find(kKey).elements()) {
    const std::string_view name = type.as_text().value_or("");
    const bool slides = may_slide && name == "sliding_attention";
    if (!slides && name != "full_attention") {
      return reader.bad(kKey, "a kind of layer is not supported", Status::unsupported);
    }
    ++n;
    if (!slides && period == 0) period = n;
    if (slides == (period != 0 && n % period == 0)) {
      return reader.bad(kKey, "an order of layers that is not supported", Status::unsupported);
    }
  }
  return period;
}

/// Where layers slide, their window, their period and their rotary base. Elsewhere a window bounds
/// the context, and is none if it never closes over it.
inline Result<void> add_window(const HfConfigReader& reader, const Architecture& architecture,
                               uint32_t context, HfHeaderWriter& writer) {
  TERN_TRY_ASSIGN(const bool may_slide, reader.flag_or("use_sliding_window", true));
  const bool has_window = may_slide && reader.has("sliding_window");
  const bool slides = architecture.window_period != 0;
  if (!slides || !has_window) {
    for (const JsonValue type : reader.find("layer_types").elements()) {
      const std::string_view name = type.as_text().value_or("");
      if (name == "full_attention" || (has_window && name == "sliding_attention")) continue;
      return reader.bad("layer_types", "a kind of layer is not supported", Status::unsupported);
    }
  }
  if (!has_window) return {};
  TERN_TRY_ASSIGN(const uint32_t window, reader.size("sliding_window"));
  if (slides || window < context) writer.add("attention.sliding_window", window);
  if (!slides) return {};
  TERN_TRY_ASSIGN(const uint32_t old_period,
                  reader.size_or("_sliding_window_pattern", architecture.window_period));
  TERN_TRY_ASSIGN(uint32_t period, reader.size_or("sliding_window_pattern", old_period));
  if (reader.has("layer_types")) {
    TERN_TRY_ASSIGN(period, read_layer_types(reader, true));
  }
  writer.add("attention.sliding_window_pattern", period);
  const HfConfigReader ropes(reader.find("rope_parameters"));
  const HfConfigReader own(ropes.find("sliding_attention"));
  const HfConfigReader& base = own.has("rope_theta") ? own : reader;
  const std::string_view key = own.has("rope_theta") ? "rope_theta" : "rope_local_base_freq";
  if (base.has(key)) {
    TERN_TRY_ASSIGN(const float value, base.real(key));
    writer.add("rope.freq_base_swa", value);
  }
  TERN_TRY_ASSIGN(const std::string_view type, own.text_or("rope_type", "default"));
  if (type == "default") return {};
  return reader.bad("rope_parameters", "rope scaling is not supported", Status::unsupported);
}

/// `rope_theta` and scaling, in the old form and in that of one object.
inline Result<void> add_rope(const HfConfigReader& reader, HfHeaderWriter& writer) {
  const bool in_object = reader.has("rope_parameters");
  const std::string_view object = in_object ? "rope_parameters" : "rope_scaling";
  // One set of parameters, or one for each kind of layer: those that slide are add_window's.
  const JsonValue all = reader.find(object);
  const JsonValue full = all.find("full_attention");
  const HfConfigReader scaling(full.is_object() ? full : all);
  const HfConfigReader& base = in_object && scaling.has("rope_theta") ? scaling : reader;
  if (base.has("rope_theta")) {
    TERN_TRY_ASSIGN(const float theta, base.real("rope_theta"));
    writer.add("rope.freq_base", theta);
  }
  if (!reader.has(object)) return {};
  TERN_TRY_ASSIGN(const std::string_view old_type, scaling.text_or("type", "default"));
  TERN_TRY_ASSIGN(const std::string_view type, scaling.text_or("rope_type", old_type));
  if (type == "linear") {
    TERN_TRY_ASSIGN(const float factor, scaling.real("factor"));
    writer.add("rope.scaling.type", type);
    writer.add("rope.scaling.factor", factor);
  } else if (type != "default") {
    return reader.bad(object, "rope scaling is not supported", Status::unsupported);
  }
  return {};
}

}  // namespace detail

TERN_NAMESPACE_END
