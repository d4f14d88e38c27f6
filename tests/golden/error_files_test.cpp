// Files that must not load: each gives the status and the line that errors/expected.txt says.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tern/base/error_text.hpp"
#include "tern/tern.hpp"

namespace {

const std::string kFolder = std::string(TERN_SOURCE_DIR) + "/tests/golden/errors";

struct Expectation {
  std::string name, status, text;
};

/// The lines "NAME | STATUS | TEXT"; others begin with #.
std::vector<Expectation> expectations() {
  std::ifstream in(kFolder + "/expected.txt");
  REQUIRE(in.good());
  std::vector<Expectation> out;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    const size_t first = line.find(" | ");
    const size_t second = line.find(" | ", first + 3);
    REQUIRE(second != std::string::npos);
    out.push_back({line.substr(0, first), line.substr(first + 3, second - first - 3),
                   line.substr(second + 3)});
  }
  return out;
}

}  // namespace

TEST_CASE("each file that must fail gives its status and its line, mapped or copied") {
  for (const Expectation& row : expectations()) {
    for (const tern::FileAccess access : {tern::FileAccess::mapped, tern::FileAccess::copied}) {
      tern::LoadOptions options;
      options.map = access;
      const auto model = tern::Model::load_file(kFolder + "/" + row.name, options);
      INFO(row.name);
      REQUIRE_FALSE(model.ok());
      char text[tern::kErrorTextBytes];
      tern::format_error(model.error(), text, sizeof(text));
      CHECK(std::string(tern::status_name(model.status())) == row.status);
      CHECK(std::string(text) == row.text);
    }
  }
}

TEST_CASE("there is an expectation for each file, once") {
  std::vector<std::string> expected;
  for (const Expectation& row : expectations()) expected.push_back(row.name);
  std::vector<std::string> present;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    const std::string name = entry.path().filename().string();
    if (name != "expected.txt" && name != "README.md") present.push_back(name);
  }
  std::sort(expected.begin(), expected.end());
  std::sort(present.begin(), present.end());
  CHECK(expected == present);
  CHECK(expected.size() > 50);
}
