// The subcommands of tern. One source file each; main.cpp has the table of them.
//
// Program tern. A command takes the arguments behind its name and gives the exit status.
#pragma once

#include "option_table.hpp"

namespace cli {

int run_command(Arguments arguments);
int chat_command(Arguments arguments);
int tokenize_command(Arguments arguments);
int logits_command(Arguments arguments);
int perplexity_command(Arguments arguments);
int inspect_command(Arguments arguments);
int convert_command(Arguments arguments);
int embed_command(Arguments arguments);
int synth_command(Arguments arguments);
int bench_command(Arguments arguments);
int info_command(Arguments arguments);

}  // namespace cli
