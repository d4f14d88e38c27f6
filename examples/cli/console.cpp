// Standard input, output and error (console.hpp).
#include "console.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "report.hpp"

#if defined(_WIN32)
#include <io.h>
#define TERN_IS_TERMINAL(stream) (_isatty(_fileno(stream)) != 0)
#else
#include <unistd.h>
#define TERN_IS_TERMINAL(stream) (isatty(fileno(stream)) != 0)
#endif

namespace cli {

namespace {

// The first failure to write, as errno; 0 while all is well.
int output_error = 0;

bool note_output(bool ok) {
  if (!ok && output_error == 0) output_error = errno != 0 ? errno : EIO;
  return output_error == 0;
}

}  // namespace

bool write_out(std::string_view text) {
  if (output_error != 0) return false;
  errno = 0;
  return note_output(std::fwrite(text.data(), 1, text.size(), stdout) == text.size());
}

bool flush_out() {
  if (output_error != 0) return false;
  errno = 0;
  return note_output(std::fflush(stdout) == 0);
}

int finish_output(int status) {
  if (flush_out() || output_error == EPIPE) return status;
  say(fmt::format("standard output: {}", std::strerror(output_error)));
  return status == kDone ? kFailed : status;
}

bool read_all_input(std::string& out) {
  char block[1 << 16];
  for (;;) {
    const size_t n = std::fread(block, 1, sizeof(block), stdin);
    out.append(block, n);
    if (n < sizeof(block)) return std::ferror(stdin) == 0;
  }
}

bool read_input_line(std::string& out) {
  out.clear();
  for (;;) {
    const int c = std::fgetc(stdin);
    if (c == '\n') return true;
    if (c == EOF) return std::ferror(stdin) == 0 && !out.empty();
    out.push_back(static_cast<char>(c));
  }
}

bool input_is_terminal() { return TERN_IS_TERMINAL(stdin); }
bool error_is_terminal() { return TERN_IS_TERMINAL(stderr); }

Progress::Progress(std::string_view label, unsigned long long total)
    : label_(label), total_(total), visible_(error_is_terminal() && total > 0) {}

Progress::~Progress() {
  if (shown_percent_ >= 0) std::fputs("\r\033[K", stderr);
}

void Progress::update(unsigned long long done) {
  if (!visible_) return;
  constexpr int kWidth = 40;
  const auto percent = static_cast<int>(done * 100 / total_);
  if (percent == shown_percent_) return;
  shown_percent_ = percent;
  const auto filled = static_cast<size_t>(percent * kWidth / 100);
  const std::string bar = fmt::format("\r{} [{}{}] {:3} %", label_, std::string(filled, '='),
                                      std::string(kWidth - filled, ' '), percent);
  std::fwrite(bar.data(), 1, bar.size(), stderr);
}

}  // namespace cli
