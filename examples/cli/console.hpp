// Standard input, output and error: results in full or a clean stop, progress for people only.
//
// Program tern. A reader that closes the pipe ends the program quietly; any other failure to write
// is an error.
#pragma once

#include <string>
#include <string_view>

namespace cli {

/// Appends results to standard output. False when nothing more can be written: stop working.
bool write_out(std::string_view text);
/// Hands what was written to the reader. False as write_out.
bool flush_out();
/// The exit status when a command ends with `status`: failed writes have a say.
int finish_output(int status);

/// Everything of a stream of standard input, until it ends. False when it was interrupted or
/// failed.
bool read_all_input(std::string& out);
/// One line of standard input without its end. False at the end, when interrupted, or failed.
bool read_input_line(std::string& out);

bool input_is_terminal();
bool error_is_terminal();

/// A bar on standard error for long work, only where a person watches.
class Progress {
 public:
  Progress(std::string_view label, unsigned long long total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(unsigned long long done);

 private:
  std::string label_;
  unsigned long long total_;
  int shown_percent_ = -1;
  bool visible_;
};

}  // namespace cli
