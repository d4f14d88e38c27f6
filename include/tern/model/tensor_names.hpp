// The names of tensors in GGUF files: composed for the loader and the converter, and taken apart.
//
// Room: model.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

inline constexpr std::string_view kWeightSuffix = ".weight";
/// Of the one factor that some files keep beside a linear layer.
inline constexpr std::string_view kFactorSuffix = ".scale";
/// Behind a linear layer's name: the gain of the norm of its input.
inline constexpr std::string_view kInputNormSuffix = "_norm_in";
inline constexpr std::string_view kEmbeddingName = "token_embd.weight";
inline constexpr std::string_view kHeadName = "output.weight";
inline constexpr std::string_view kOutputNormName = "output_norm.weight";
inline constexpr std::string_view kRopeFactorsName = "rope_freqs.weight";
inline constexpr std::string_view kTopTensors[] = {kEmbeddingName, kHeadName, kOutputNormName,
                                                   kRopeFactorsName};

/// `blk.<layer>.<name><suffix><ending>`, composed in place.
class LayerTensorName {
 public:
  LayerTensorName(uint32_t layer, std::string_view name, std::string_view suffix = {},
                  std::string_view ending = kWeightSuffix) {
    append("blk.");
    char digits[10];
    size_t n = 0;
    do {
      digits[n++] = static_cast<char>('0' + layer % 10);
      layer /= 10;
    } while (layer != 0);
    while (n > 0) text_[size_++] = digits[--n];
    append(".");
    append(name);
    append(suffix);
    append(ending);
  }
  std::string_view view() const { return {text_, size_}; }

 private:
  void append(std::string_view part) { size_ += part.copy(text_ + size_, sizeof(text_) - size_); }

  char text_[64];
  size_t size_ = 0;
};

namespace detail {
/// What `<layer>.<rest>` names; nothing for other names.
struct LayerTensor {
  uint32_t layer;
  std::string_view rest;
};
inline std::optional<LayerTensor> parse_numbered(std::string_view name) {
  uint32_t layer = 0;
  size_t digits = 0;
  for (; digits < name.size() && digits < 6 && name[digits] >= '0' && name[digits] <= '9';
       ++digits) {
    layer = 10 * layer + static_cast<uint32_t>(name[digits] - '0');
  }
  if (digits == 0 || name.substr(digits, 1) != ".") return std::nullopt;
  return LayerTensor{layer, name.substr(digits + 1)};
}
/// The same of `blk.<layer>.<rest>`.
inline std::optional<LayerTensor> parse_layer_tensor(std::string_view name) {
  constexpr std::string_view kPrefix = "blk.";
  if (name.substr(0, kPrefix.size()) != kPrefix) return std::nullopt;
  return parse_numbered(name.substr(kPrefix.size()));
}

/// Whether `rest` is a rule's name, `suffix` and `ending`.
template <typename Rule>
bool names_one_of(std::span<const Rule> rules, std::string_view rest, std::string_view suffix = {},
                  std::string_view ending = kWeightSuffix) {
  if (!rest.ends_with(ending)) return false;
  rest.remove_suffix(ending.size());
  if (!rest.ends_with(suffix)) return false;
  rest.remove_suffix(suffix.size());
  for (const Rule& rule : rules) {
    if (rest == rule.name) return true;
  }
  return false;
}
}  // namespace detail

TERN_NAMESPACE_END
