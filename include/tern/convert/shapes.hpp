// The published shapes that `--shape` names: dimensions of real models, to try without their
// weights.
//
// Room: convert. Sources: the models' own configurations; the ladder from 125m to 100b are the
// dummy shapes of bitnet.cpp's published speed tables, with the vocabulary of bitnet-large.
#pragma once

#include <cstdint>
#include <string_view>

#include "tern/base/status.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

struct ModelShape {
  std::string_view name;
  std::string_view architecture;  ///< of GGUF; "" is none that this version runs
  uint32_t model_dim;
  uint32_t ffn_dim;
  uint32_t n_layers;
  uint32_t n_heads;
  uint32_t n_kv_heads;
  uint32_t vocab_size;
  uint32_t context_len;
  float rope_base;
  float norm_eps;
  uint32_t key_length = 0;  ///< of a head; 0: model_dim / n_heads
  bool embeds = false;      ///< a model of embeddings, with input norms

  constexpr uint32_t head_dim() const { return key_length != 0 ? key_length : model_dim / n_heads; }
};

// clang-format off
inline constexpr ModelShape kModelShapes[] = {
    // name         architecture    width    ffn layers heads kv   vocab context  rope base  eps
    {"125m",         "bitnet",         768,  3072, 11, 12, 12,  32002,  2048,   10000.0f, 1e-5f},
    {"350m",         "bitnet",        1024,  3072, 24, 16, 16,  32002,  2048,   10000.0f, 1e-5f},
    {"700m",         "bitnet",        1536,  4096, 24, 16, 16,  32002,  2048,   10000.0f, 1e-5f},
    {"1b",           "bitnet",        2048,  3584, 24, 32, 32,  32002,  2048,   10000.0f, 1e-5f},
    {"1.5b",         "bitnet",        1536,  9216, 28, 32, 32,  32002,  2048,   10000.0f, 1e-5f},
    {"2.7b",         "bitnet",        3072,  7680, 24, 32, 32,  32002,  2048,   10000.0f, 1e-5f},
    {"3.8b",         "bitnet",        3840,  8192, 24, 32, 32,  32002,  2048,   10000.0f, 1e-5f},
    {"7b",           "bitnet",        4096, 12032, 32, 32, 32,  32002,  2048,   10000.0f, 1e-5f},
    {"13b",          "bitnet",        5120, 13824, 40, 40, 40,  32002,  2048,   10000.0f, 1e-5f},
    {"30b",          "bitnet",        6656, 16384, 60, 52, 52,  32002,  2048,   10000.0f, 1e-5f},
    {"70b",          "bitnet",        8192, 24576, 80, 64, 64,  32002,  2048,   10000.0f, 1e-5f},
    {"100b",         "bitnet",        8192, 45568, 72, 64, 64,  32002,  2048,   10000.0f, 1e-5f},
    {"bitnet-large", "bitnet",        1536,  4096, 24, 16, 16,  32002,  2048,   10000.0f, 1e-5f},
    {"bitnet-3b",    "bitnet",        3200,  8640, 26, 32, 32,  32002,  2048,   10000.0f, 1e-5f},
    {"bitnet-2b-4t", "bitnet-b1.58",  2560,  6912, 30, 20,  5, 128256,  4096,  500000.0f, 1e-5f},
    // Vocabulary and context are those of Llama 2, on whose data these were trained.
    {"a48-700m",     "bitnet-a4.8",   1536,  4096, 24, 24, 24,  32002,  2048,   10000.0f, 1e-5f},
    {"a48-3b",       "bitnet-a4.8",   3200,  8640, 26, 32, 32,  32002,  2048,   10000.0f, 1e-5f},
    {"a48-7b",       "bitnet-a4.8",   4096, 11008, 32, 32, 32,  32002,  2048,   10000.0f, 1e-5f},
    {"llama3-8b",    "llama",         4096, 14336, 32, 32,  8, 128256,  8192,  500000.0f, 1e-5f},
    {"falcon3-1b",   "llama",         2048,  8192, 18,  8,  4, 131072,  8192, 1000042.0f, 1e-6f},
    // Rope base, eps and context of Falcon-E are not published; these are Falcon3's.
    {"falcon-e-1b",  "llama",         2048,  9216, 24, 16,  2,  32768,  8192, 1000042.0f, 1e-6f},
    {"bitnet-embedding-0.6b", "qwen3",  1024,  3072, 28, 16,  8, 151936, 32768, 1000000.0f, 1e-6f,
     128, true},
    {"bitnet-embedding-270m", "gemma3",  640,  2048, 18,  4,  1, 262144, 32768,   10000.0f, 1e-6f,
     256, true},
    {"mmfree-370m",  "",              1024,  2816, 24,  1,  1,  32000,  2048,   10000.0f, 1e-6f},
    {"mmfree-1.3b",  "",              2048,  5632, 24,  1,  1,  32000,  2048,   10000.0f, 1e-6f},
    {"mmfree-2.7b",  "",              2560,  6912, 32,  1,  1,  32000,  2048,   10000.0f, 1e-6f},
};
// clang-format on

/// The shape of a name.
/// Errors: invalid_argument (no such shape), unsupported (known, but not to this version).
inline Result<const ModelShape*> find_shape(std::string_view name) {
  for (const ModelShape& shape : kModelShapes) {
    if (shape.name != name) continue;
    if (!shape.architecture.empty()) return &shape;
    return Error(Status::unsupported, "not supported in this version", name);
  }
  return Error(Status::invalid_argument, "no such shape", name);
}

TERN_NAMESPACE_END
