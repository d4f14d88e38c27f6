// Models of tests written as GGUF files, in memory.
#pragma once

#include <set>

#include "support/model_fixture.hpp"
#include "support/tern_files.hpp"
#include "tern/convert/gguf_export.hpp"

namespace tern_test {

/// The bytes of an export.
inline tern::Result<Bytes> write_export(const tern::GgufExport& planned,
                                        const tern::TaskRunner& runner = {}) {
  Bytes out;
  const auto sink = [&](std::span<const uint8_t> part) -> tern::Result<void> {
    out.insert(out.end(), part.begin(), part.end());
    return {};
  };
  TERN_TRY(planned.write(runner, sink));
  CHECK(out.size() == planned.size_bytes());
  return out;
}

/// A model file as another one.
inline tern::Result<Bytes> try_export(const Bytes& source, const tern::ExportOptions& as,
                                      const tern::LoadOptions& options = {}) {
  const auto model = load_with(source, options);
  TERN_TRY_ASSIGN(const auto planned, tern::GgufExport::create(*model, as));
  return write_export(planned, options.runner);
}
inline tern::Result<Bytes> try_export(const Bytes& source, tern::TensorType type,
                                      const tern::LoadOptions& options = {}) {
  return try_export(source, tern::ExportOptions{.linear = type}, options);
}
template <typename As>
Bytes exported(const Bytes& source, const As& as, const tern::LoadOptions& options = {}) {
  auto out = try_export(source, as, options);
  if (!out.ok()) FAIL(out.error().what << ": " << out.error().subject);
  return *std::move(out);
}

/// The types of the linear layers of a file, each once, in the order of the ids.
inline std::set<uint32_t> linear_types(const Bytes& bytes) {
  const auto file = parse_gguf(bytes);
  std::set<uint32_t> out;
  for (const auto& tensor : file.tensors()) {
    if (tensor.n_dims == 2 && tensor.name.starts_with("blk.")) out.insert(tensor.type_id);
  }
  return out;
}

inline uint32_t id_of(tern::TensorType type) { return static_cast<uint32_t>(type); }

}  // namespace tern_test
