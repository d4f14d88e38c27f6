// tern: the command-line program. Finds the subcommand and runs it.
//
// On the public C++ API only; what a subcommand does is in the file of its name.
#include <fmt/format.h>

#include <string>
#include <string_view>

#include "command.hpp"
#include "console.hpp"
#include "report.hpp"
#include "tern/base/memory_wall.hpp"
#include "tern/version.hpp"

#if !defined(__wasi__)
#include <csignal>
#endif

namespace cli {

namespace {

struct Command {
  std::string_view name;
  std::string_view summary;
  int (*run)(Arguments arguments);
};
constexpr Command kCommands[] = {
    {"run", "continue a text", run_command},
    {"chat", "talk with a model", chat_command},
    {"tokenize", "turn text into token ids, or back", tokenize_command},
    {"embed", "turn texts into embeddings", embed_command},
    {"logits", "write the logits of token ids to a file", logits_command},
    {"perplexity", "measure how well a model predicts a text", perplexity_command},
    {"inspect", "show what is in a model file", inspect_command},
    {"convert", "make a tern file of a model", convert_command},
    {"bench", "measure how fast this machine runs a model", bench_command},
    {"synth", "make a random model of a published shape", synth_command},
    {"info", "show the CPU's features and the kernels for them", info_command},
};

std::string help_text() {
  std::string text =
      "usage: tern COMMAND [options]\n\nRuns ternary language models on the CPU.\n\n";
  for (const Command& command : kCommands) {
    text += fmt::format("  {:<12}{}\n", command.name, command.summary);
  }
  text += "\n`tern COMMAND --help` shows the options of a command, `tern --version` the version.\n";
  return text;
}

int dispatch(Arguments arguments) {
  if (arguments.empty()) return fail_usage("COMMAND", "is missing; `tern --help` shows them all");
  const std::string_view name = arguments[0];
  if (name == "--help" || name == "-h") {
    write_out(help_text());
    return kDone;
  }
  if (name == "--version") {
    write_out("tern " TERN_VERSION_STRING "\n");
    return kDone;
  }
  for (const Command& command : kCommands) {
    if (command.name == name) return command.run(arguments.subspan(1));
  }
  return fail_usage(name, name.starts_with('-') ? "unknown option" : "unknown command");
}

}  // namespace

}  // namespace cli

int main(int argc, char** argv) {
#if !defined(_WIN32) && !defined(__wasi__)
  // A closed pipe becomes a failed write, which console.cpp ends quietly.
  std::signal(SIGPIPE, SIG_IGN);
#endif
  const cli::Arguments arguments(argv, static_cast<size_t>(argc));
  const auto status = tern::catch_out_of_memory(
      [&]() -> tern::Result<int> { return cli::dispatch(arguments.subspan(argc > 0 ? 1 : 0)); });
  return cli::finish_output(status.ok() ? *status : cli::fail(status.error(), ""));
}
