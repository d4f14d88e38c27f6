// Reads the `vector` blocks of docs/numerics.md:
//
//     operation | name: values | name: values -> name: values | ...
//
// Inputs are asked for by name, outputs by "->name". `v*n` stands for n times v, `;` separates
// rows, and `-> non_finite` says that the operation reports a value that is not finite.
#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace tern_test {

struct VectorLine {
  int number = 0;
  std::string text;
  std::string operation;
  std::map<std::string, std::vector<std::string>> fields;
  mutable std::set<std::string> read;

  bool has(const std::string& name) const { return fields.count(name) == 1; }
  bool is_non_finite() const {
    if (!has("->non_finite")) return false;
    read.insert("->non_finite");
    return true;
  }
  /// The words of a field, rows run together. Fails the test when there is no such field.
  std::vector<std::string> words(const std::string& name) const {
    std::vector<std::string> out;
    for (const auto& row : rows(name)) out.insert(out.end(), row.begin(), row.end());
    return out;
  }
  std::vector<std::vector<std::string>> rows(const std::string& name) const {
    INFO("field " << name);
    REQUIRE(has(name));
    read.insert(name);
    std::vector<std::vector<std::string>> out(1);
    for (const std::string& word : fields.at(name)) {
      if (word == ";") {
        out.emplace_back();
      } else {
        out.back().push_back(word);
      }
    }
    REQUIRE(!out.back().empty());
    return out;
  }
  std::string word(const std::string& name) const { return words(name)[0]; }
  std::vector<float> floats(const std::string& name) const {
    return numbers<float>(name, std::strtof);
  }
  std::vector<double> doubles(const std::string& name) const {
    return numbers<double>(name, std::strtod);
  }
  std::vector<int64_t> integers(const std::string& name) const {
    return numbers<int64_t>(name, [](const char* digits, char** end) -> int64_t {
      return std::strtoll(digits, end, 0);
    });
  }
  std::vector<uint8_t> bytes(const std::string& name) const {
    std::string hex;
    for (const std::string& part : words(name)) hex += part;
    REQUIRE(hex.size() % 2 == 0);
    std::vector<uint8_t> out;
    for (size_t i = 0; i < hex.size(); i += 2) {
      out.push_back(static_cast<uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    }
    return out;
  }
  /// The names of fields that no check asked for: misspelled, or not tested.
  std::string unread() const {
    std::string names;
    for (const auto& field : fields) {
      if (read.count(field.first) == 0) names += field.first + " ";
    }
    return names;
  }

 private:
  template <typename T>
  std::vector<T> numbers(const std::string& name, T (*parse)(const char*, char**)) const {
    std::vector<T> out;
    for (const std::string& number_text : words(name)) {
      char* end = nullptr;
      out.push_back(parse(number_text.c_str(), &end));
      INFO("number " << number_text);
      REQUIRE(*end == '\0');
    }
    return out;
  }
};

/// The fields of one side of the arrow.
inline void parse_fields(const std::string& side, const std::string& prefix, VectorLine& line) {
  std::istringstream parts(side);
  for (std::string part; std::getline(parts, part, '|');) {
    std::istringstream words(part);
    std::string name;
    if (!(words >> name)) continue;
    if (line.operation.empty()) {
      line.operation = name;
      continue;
    }
    if (name.back() == ':') name.pop_back();
    REQUIRE_FALSE(line.has(prefix + name));
    auto& values = line.fields[prefix + name];
    for (std::string word; words >> word;) {
      const size_t star = word.find('*');
      const size_t times = star == word.npos ? 1 : std::stoul(word.substr(star + 1));
      values.insert(values.end(), times, word.substr(0, star));
    }
  }
}

inline std::vector<VectorLine> read_vector_lines(const std::string& path) {
  std::ifstream in(path);
  REQUIRE(in.good());
  std::vector<VectorLine> lines;
  bool inside = false;
  int number = 0;
  for (std::string text; std::getline(in, text);) {
    ++number;
    if (text.rfind("```", 0) == 0) {
      inside = text == "```vector";
    } else if (inside) {
      VectorLine line;
      line.number = number;
      line.text = text;
      INFO("line " << number << ": " << text);
      const size_t arrow = text.find("->");
      REQUIRE(arrow != text.npos);
      parse_fields(text.substr(0, arrow), "", line);
      parse_fields(text.substr(arrow + 2), "->", line);
      lines.push_back(line);
    }
  }
  return lines;
}

}  // namespace tern_test
