// Files and folders that must not load: each gives the status and the line that errors/expected.txt
// says.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "golden/error_report.hpp"

namespace {

const std::string kFolder = std::string(TERN_SOURCE_DIR) + "/tests/golden/errors";

struct Expectation {
  std::string name;
  std::string report;  ///< "STATUS | TEXT"
};

/// The lines "NAME | STATUS | TEXT"; others begin with #.
std::vector<Expectation> expectations() {
  std::ifstream in(kFolder + "/expected.txt");
  REQUIRE(in.good());
  std::vector<Expectation> out;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    const size_t bar = line.find(" | ");
    REQUIRE(bar != std::string::npos);
    out.push_back({line.substr(0, bar), line.substr(bar + 3)});
  }
  return out;
}

}  // namespace

TEST_CASE("each file that must fail gives its status and its line, mapped or copied") {
  for (const Expectation& row : expectations()) {
    for (const tern::FileAccess access : {tern::FileAccess::mapped, tern::FileAccess::copied}) {
      tern::LoadOptions options;
      options.map = access;
      INFO(row.name);
      CHECK(tern_test::load_report(kFolder + "/" + row.name, options) == row.report);
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
  CHECK(expected.size() > 90);
}
