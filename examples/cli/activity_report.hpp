// Which inputs and gates of a model are zero on a real text: tern inspect --activations.
//
// Program tern.
#pragma once

#include <string_view>

namespace cli {

/// Runs the text through the model and prints the shares, a line a layer, or JSON. The exit status.
int report_activity(std::string_view model, std::string_view text_path, bool json);

}  // namespace cli
