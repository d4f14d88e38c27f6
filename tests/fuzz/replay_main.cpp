// Runs a fuzz target over the files and folders given as arguments: how corpora are replayed by
// every compiler, without libFuzzer. Fails when there is nothing to replay.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

size_t replay(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) {
    size_t n = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path)) n += replay(entry.path());
    return n;
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    std::fprintf(stderr, "cannot read %s\n", path.string().c_str());
    return 0;
  }
  const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  // A block of the exact size, so that a sanitizer sees a read past the end.
  const std::unique_ptr<uint8_t[]> exact(new uint8_t[bytes.size()]);
  for (size_t i = 0; i < bytes.size(); ++i) exact[i] = static_cast<uint8_t>(bytes[i]);
  LLVMFuzzerTestOneInput(exact.get(), bytes.size());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  size_t n = 0;
  for (int i = 1; i < argc; ++i) n += replay(argv[i]);
  std::printf("replayed %zu inputs\n", n);
  return n > 0 ? 0 : 1;
}
