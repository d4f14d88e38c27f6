// The other unit; see one_unit.cpp.
#include "tern/tern.hpp"

int tokens_in_other_unit(const tern::Model& model);

int tokens_in_other_unit(const tern::Model& model) {
  return static_cast<int>(model.tokenizer()->vocabulary().size());
}
