// The model inside the program: @stories.
//
// Program tern.
#pragma once

#include <cstdint>
#include <span>

namespace cli {

/// The bytes of examples/models/stories.gguf, aligned to a cache line, there as long as the
/// program.
std::span<const uint8_t> stories_model();

}  // namespace cli
