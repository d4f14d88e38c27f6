// A random model of the shape bitnet-2b-4t with a Q6_K head, made once, packed for this machine.
#pragma once

#include <memory>

#include "tern/convert/synth.hpp"
#include "tern/tern.hpp"

/// Null if it cannot be made.
inline std::shared_ptr<const tern::Model> large_model() {
  static tern::Buffer<uint8_t> image;  // outlives the model
  static const auto model = []() -> std::shared_ptr<const tern::Model> {
    const auto shape = tern::find_shape("bitnet-2b-4t");
    if (!shape.ok()) return nullptr;
    const auto kernels = tern::select_kernels("");
    if (!kernels.ok()) return nullptr;
    tern::SynthOptions packed;
    packed.packing = kernels->packing;
    auto bytes = tern::synthesize(**shape, packed, tern::default_allocator());
    if (!bytes.ok()) return nullptr;
    image = *std::move(bytes);
    tern::LoadOptions options;
    options.head = tern::HeadOption::q6;
    const auto loaded = tern::Model::load_memory(image.span(), options);
    return loaded.ok() ? *loaded : nullptr;
  }();
  return model;
}
