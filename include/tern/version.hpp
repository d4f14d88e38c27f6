// The version of tern and the namespace that carries it.
//
// Everything lives in `tern::v0_1`, an inline namespace: code writes `tern::Model`, the linker sees
// the version, and two versions of the library can live in one process.
#pragma once

#define TERN_VERSION_MAJOR 0
#define TERN_VERSION_MINOR 1
#define TERN_VERSION_PATCH 0
#define TERN_VERSION_STRING "0.1.0"
#define TERN_VERSION_NUMBER \
  (TERN_VERSION_MAJOR * 1000000 + TERN_VERSION_MINOR * 1000 + TERN_VERSION_PATCH)

#define TERN_NAMESPACE_BEGIN \
  namespace tern {           \
  inline namespace v0_1 {
#define TERN_NAMESPACE_END \
  }                        \
  }
