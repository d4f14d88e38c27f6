// Random models of published shapes for the benchmarks, packed for this machine.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "tern/convert/synth.hpp"
#include "tern/tern.hpp"

using ModelPtr = std::shared_ptr<const tern::Model>;

/// A model of the shape, which owns its bytes; null if it cannot be made.
inline ModelPtr random_model(const tern::ModelShape& shape, const tern::SynthOptions& options,
                             const tern::LoadOptions& load = {}) {
  struct Owned {
    tern::Buffer<uint8_t> image;
    ModelPtr model;
  };
  auto image = tern::synthesize(shape, options, tern::default_allocator());
  if (!image.ok()) return nullptr;
  const auto owned = std::make_shared<Owned>();
  owned->image = *std::move(image);
  auto model = tern::Model::load_memory(owned->image.span(), load);
  if (!model.ok()) return nullptr;
  owned->model = *std::move(model);
  return {owned, owned->model.get()};
}

/// The same by name, with a Q6_K head, for an instruction set or the machine's best.
inline ModelPtr random_model(std::string_view name, tern::SynthOptions options = {},
                             const std::string& isa = "") {
  const auto shape = tern::find_shape(name);
  const auto kernels = tern::select_kernels(isa);
  if (!shape.ok() || !kernels.ok()) return nullptr;
  options.packing = kernels->packing;
  tern::LoadOptions load;
  load.head = tern::HeadOption::q6;
  load.isa = isa;
  return random_model(**shape, options, load);
}
