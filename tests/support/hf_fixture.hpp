// What the tests of Hugging Face folders share: the logits of models, the errors of folders.
#pragma once

#include "support/hf_folders.hpp"
#include "support/model_fixture.hpp"
#include "tern/format/json.hpp"

namespace tern_test {

inline bool have_json() {
  const std::string empty = "{}";
  const auto bytes = reinterpret_cast<const uint8_t*>(empty.data());
  if (tern::JsonDocument::parse({bytes, 2}, tern::default_allocator()).ok()) return true;
  WARN("skipped: a build without JSON");
  return false;
}

inline std::vector<float> folder_logits(const TemporaryFolder& folder) {
  const auto model = tern::Model::load_file(folder.path(), {});
  if (!model.ok()) FAIL(model.error().subject << ": " << model.error().what);
  return logits_of(*model);
}
/// Of floats that are not packed, activations are 16 bits unless the configuration says otherwise.
inline std::vector<float> gguf_logits(const LogicalModel& m, tern::TensorType type,
                                      bool int16 = false) {
  GgufWriter writer = gguf_of(m, type);
  if (int16) writer.add("tern.activation_bits", uint32_t{16});
  const auto bytes = writer.build();
  return logits_of(load(bytes));
}

inline tern::Error folder_error(const TemporaryFolder& folder) {
  const auto model = tern::Model::load_file(folder.path(), {});
  REQUIRE_FALSE(model.ok());
  return model.error();
}

}  // namespace tern_test
