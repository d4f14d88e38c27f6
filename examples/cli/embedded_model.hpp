// The models inside the program: @stories (BitNet b1.58) and @stories-a48 (BitNet a4.8).
//
// Program tern.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace cli {

/// The model that is taken where none is named.
inline constexpr std::string_view kStoriesName = "@stories";

/// The bytes of a file of examples/models by its name in the program, aligned to a cache line, there
/// as long as the program; empty for any other name.
std::span<const uint8_t> embedded_model(std::string_view name);

}  // namespace cli
