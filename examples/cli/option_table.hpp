// The command line of a subcommand: one table of its options says what is parsed and what --help
// shows.
//
// Program tern. A row binds a name to a variable; the variable's kind is the kind of the value, and
// what the variable holds before parsing is the default that --help names.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tern/text/vocabulary_data.hpp"

namespace cli {

using Arguments = std::span<char* const>;

/// A number within limits. `range` completes "must be ...".
template <typename T>
struct Number {
  T* value;
  T least;
  T most;
  std::string_view range;
};
using Flag = bool*;
/// Text that is absent until it is given.
using Text = std::optional<std::string_view>*;
/// Token ids, as in "1 2 3".
using TokenList = std::optional<std::vector<tern::TokenId>>*;
using OptionTarget =
    std::variant<Flag, Text, TokenList, Number<uint32_t>, Number<uint64_t>, Number<float>>;

/// One option, or one argument by its place where the name has no dash.
struct OptionRow {
  std::string_view name;   ///< "-n", "--temp", "FILE"
  std::string_view value;  ///< what --help calls the value; "" for a flag or a place
  std::string_view help;
  OptionTarget target;
  bool required = false;
};

/// What --help says before the table.
struct CommandHelp {
  std::string_view usage;    ///< "tern run -p TEXT [options]"
  std::string_view summary;  ///< what the command does, in whole sentences
};

/// Takes the arguments behind the subcommand's name. Nothing when they were good; else the exit
/// status: done after --help, wrong usage after a line that says why.
std::optional<int> parse_options(const CommandHelp& help, std::span<const OptionRow> rows,
                                 Arguments arguments);

}  // namespace cli
