// One of two units that include the whole C++ interface and are linked together: nothing in a
// header may be defined twice.
#include "tern/tern.hpp"

int tokens_in_other_unit(const tern::Model& model);

int main(int argc, char** argv) {
  const auto model = tern::Model::load_file(argc > 1 ? argv[1] : "", {});
  if (!model.ok()) return 1;
  const int n_tokens = static_cast<int>((*model)->tokenizer()->vocabulary().size());
  return n_tokens == tokens_in_other_unit(**model) ? 0 : 2;
}
