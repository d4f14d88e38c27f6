// How much memory `tern convert` takes for a packed checkpoint of 1.2 GB: a bound, not a time.
//
// Usage: convert_memory TERN FOLDER
// Writes the checkpoint into FOLDER, converts it to a tern file and to GGUF, deletes all of it. The
// peak of resident memory must be below 1.8 GB, and below the size of the output and 512 MB. How
// long a conversion took is said, and judged by nobody.
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "cli/packed_folder.hpp"

namespace {

constexpr long kMegabyte = 1000000;

/// Runs a program; its peak of resident memory in bytes, or nothing good (-1).
long peak_of(const char* program, const char* in, const char* out, const char* weights) {
  const pid_t child = fork();
  if (child == 0) {
    execl(program, program, "convert", in, out, "--weights", weights, static_cast<char*>(nullptr));
    _exit(127);
  }
  int status = 0;
  struct rusage usage = {};
  if (child < 0 || wait4(child, &status, 0, &usage) != child || status != 0) return -1;
  return usage.ru_maxrss * 1024;
}

bool converts(const char* program, const std::string& folder, const char* weights,
              const char* extension) {
  const std::string out = folder + "/out" + extension;
  const auto start = std::chrono::steady_clock::now();
  const long peak = peak_of(program, folder.c_str(), out.c_str(), weights);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  struct stat info = {};
  const bool made = peak >= 0 && stat(out.c_str(), &info) == 0;
  std::remove(out.c_str());
  const long size = made ? static_cast<long>(info.st_size) : 0;
  std::printf("%s: %.1f s, peak %ld MB, output %ld MB\n", weights, seconds, peak / kMegabyte,
              size / kMegabyte);
  return made && peak < 1800 * kMegabyte && peak < size + 512 * kMegabyte;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: convert_memory TERN FOLDER\n");
    return 2;
  }
  const std::string folder = argv[2];
  mkdir(folder.c_str(), 0777);
  bool good = tern_test::write_packed_folder(folder);
  if (!good) std::fprintf(stderr, "convert_memory: cannot write %s\n", folder.c_str());
  for (const char* weights : {"t2", "t5"}) {
    good = good && converts(argv[1], folder, weights, ".tern");
  }
  for (const char* weights : {"tq1_0", "tq2_0", "i2_s", "f16"}) {
    good = good && converts(argv[1], folder, weights, ".gguf");
  }
  std::remove((folder + "/config.json").c_str());
  std::remove((folder + "/model.safetensors").c_str());
  rmdir(folder.c_str());
  return good ? 0 : 1;
}
