// A host that compiles without exceptions and RTTI, on the C++ interface.
#include "tern/tern.hpp"

#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "this program is to be compiled with -fno-exceptions -fno-rtti"
#endif

namespace {

tern::Result<uint32_t> generate_some(std::string_view path) {
  TERN_TRY_ASSIGN(const auto model, tern::Model::load_file(path, {}));
  TERN_TRY_ASSIGN(const auto session, tern::Session::create(model, {}));
  tern::Vector<tern::TokenId> tokens;
  TERN_TRY(model->tokenizer()->encode("Once upon a time", {}, tokens));
  TERN_TRY(session->evaluate(tokens));
  TERN_TRY_ASSIGN(const tern::Generation generation,
                  tern::generate(*session, {.max_tokens = 8},
                                 [](std::string_view, tern::TokenId) { return true; }));
  return generation.n_tokens;
}

}  // namespace

int main(int argc, char** argv) {
  if (generate_some("no such file").status() != tern::Status::not_found) return 1;
  const auto n_tokens = generate_some(argc > 1 ? argv[1] : "");
  return n_tokens.ok() && *n_tokens == 8 ? 0 : 2;
}
