// What a model file holds, and what about it is doubtful.
//
// Program tern. Looks at any GGUF file that can be parsed, also at those that do not load.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tern/tern.hpp"

namespace cli {

/// A tensor, its share of zero weights where it is ternary, and how a tern file packs it.
struct InspectedTensor {
  const tern::GgufTensor* tensor;
  std::optional<double> zeros;
  const tern::TernTensor* packed = nullptr;  ///< of the directory
};

/// What tern takes a file to mean where files of its kind differ.
struct Convention {
  std::string_view name;
  std::string is;
  std::string from;  ///< what says so
};

struct Inspection {
  std::optional<std::string_view> architecture;  ///< as the file names it
  tern::TernDirectory directory;                 ///< empty unless the file is a tern file
  std::vector<InspectedTensor> tensors;
  std::optional<tern::Tokenizer> tokenizer;
  tern::ChatFormat chat_format = tern::ChatFormat::none;  ///< also when it does not run
  std::vector<Convention> conventions;
  std::vector<std::string> doubts;  ///< a sentence each, the gravest last
};

/// Views the checkpoint. Errors: out_of_memory, io_error (no threads). Cost: reads all weights,
/// tries to load.
tern::Result<Inspection> inspect(const std::shared_ptr<const tern::Checkpoint>& checkpoint,
                                 const tern::TaskRunner& runner);

/// The name of a tensor's type or packing, or "?" where its id has no clear meaning.
std::string type_name(const InspectedTensor& inspected);

}  // namespace cli
