// How tern understands a model file where files of its kind differ, and what in it speaks against.
//
// Program tern. A part of inspection.hpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "inspection.hpp"

namespace cli {

/// What kind of file or folder it is.
std::string container_name(const tern::Checkpoint& checkpoint,
                           const tern::TernDirectory& directory);
/// The files with weights, where there are several or a folder was opened.
std::vector<std::string> part_names(const tern::Checkpoint& checkpoint);

/// What tern takes a file to mean, as far as names and numbers tell; does not fail.
std::vector<Convention> find_conventions(const tern::Checkpoint& checkpoint,
                                         const Inspection& inspection);

/// Doubts about what files of different makers mean by the same thing.
void doubt_conventions(const tern::GgufFile& file, const Inspection& inspection,
                       std::vector<std::string>& doubts);

}  // namespace cli
