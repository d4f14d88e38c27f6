// The golden cases of the test models beside the checkout.
#pragma once

#include <catch2/catch.hpp>
#include <cstring>
#include <string>
#include <vector>

#include "support/shared_fixtures.hpp"

namespace tern_test {

/// One prompt with what an independent forward pass made of it.
struct GoldenCase {
  std::vector<int> prompt_ids;
  std::vector<int> continuation_ids;
  std::vector<float> logits;  ///< at the last prompt position
};

/// Every array of integers under `key`, in order. The file is ours: flat, keys in quotes.
inline std::vector<std::vector<int>> int_arrays(const std::string& json, const std::string& key) {
  std::vector<std::vector<int>> out;
  for (size_t at = 0; (at = json.find("\"" + key + "\"", at)) != std::string::npos;) {
    const size_t begin = json.find('[', at);
    const size_t end = json.find(']', begin);
    std::vector<int> values;
    for (size_t i = begin + 1; i < end;) {
      size_t used = 0;
      values.push_back(std::stoi(json.substr(i, end - i), &used));
      i = json.find_first_of("0123456789", i + used);
      if (i == std::string::npos) break;
    }
    out.push_back(values);
    at = end;
  }
  return out;
}

/// The cases of a folder such as "models/golden".
inline std::vector<GoldenCase> golden_cases(const std::string& folder) {
  const auto text = read_file(shared_path(folder + "/golden.json"));
  const std::string json(text.begin(), text.end());
  const auto prompts = int_arrays(json, "prompt_ids");
  const auto continuations = int_arrays(json, "continuation_ids");
  REQUIRE(prompts.size() == 6);
  REQUIRE(continuations.size() == prompts.size());
  std::vector<GoldenCase> cases;
  for (size_t i = 0; i < prompts.size(); ++i) {
    const auto bytes = read_file(shared_path(folder + "/golden_" + std::to_string(i) + ".f32"));
    std::vector<float> logits(bytes.size() / sizeof(float));
    std::memcpy(logits.data(), bytes.data(), bytes.size());
    REQUIRE(logits.size() == 2048);
    cases.push_back({prompts[i], continuations[i], logits});
  }
  return cases;
}

}  // namespace tern_test
