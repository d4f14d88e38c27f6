// The smallest useful program on the C++ interface: writes a story.
//
//     hello_cpp MODEL.gguf ["Once upon a time"]
#include <iostream>
#include <string_view>

#include "tern/tern.hpp"

namespace {

tern::Result<void> write_story(std::string_view path, std::string_view prompt) {
  TERN_TRY_ASSIGN(const auto model, tern::Model::load_file(path, {}));
  TERN_TRY_ASSIGN(const auto session, tern::Session::create(model, {}));
  if (model->tokenizer() == nullptr) {
    return tern::Error(tern::Status::unsupported_tokenizer, "the model has no vocabulary");
  }
  tern::Vector<tern::TokenId> tokens;
  TERN_TRY(model->tokenizer()->encode(prompt, {}, tokens));
  TERN_TRY(session->evaluate(tokens));
  std::cout << prompt;
  TERN_TRY(tern::generate(*session, {}, [](std::string_view text, tern::TokenId) {
    std::cout << text << std::flush;
    return std::cout.good();  // false stops the story
  }));
  std::cout << std::endl;
  if (!std::cout) return tern::Error(tern::Status::io_error, "cannot write");
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view path = argc > 1 ? argv[1] : "";
  const auto result = write_story(path, argc > 2 ? argv[2] : "Once upon a time");
  if (result.ok()) return 0;
  char text[tern::kErrorTextBytes];
  tern::format_error(result.error(), text, sizeof(text));
  std::cerr << "hello_cpp: " << path << ": " << text << '\n';
  return 1;
}
