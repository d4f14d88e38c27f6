// The parser of option tables, and the help that they generate (option_table.hpp).
#include "option_table.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <system_error>

#include "console.hpp"
#include "report.hpp"

namespace cli {

namespace {

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

bool is_flag(const OptionRow& row) { return std::holds_alternative<Flag>(row.target); }
bool has_dash(const OptionRow& row) { return row.name.front() == '-'; }

template <typename T>
bool parse_whole(std::string_view text, T& value) {
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  return result.ec == std::errc() && result.ptr == end && !text.empty();
}

// strtof, because std::from_chars for floats is missing from some standard libraries; the program
// stays in the C locale. Arguments end in a zero byte.
bool parse_real(std::string_view text, float& value) {
  if (text.empty() || text.find_first_not_of("0123456789+-.eE") != text.npos) return false;
  char* end = nullptr;
  value = std::strtof(text.data(), &end);
  return end == text.data() + text.size();
}

bool parse_number(std::string_view text, uint32_t& value) { return parse_whole(text, value); }
bool parse_number(std::string_view text, uint64_t& value) { return parse_whole(text, value); }
bool parse_number(std::string_view text, float& value) { return parse_real(text, value); }

std::string parse_token_list(std::string_view text, std::vector<tern::TokenId>& ids) {
  constexpr std::string_view kSpaces = " \t\r\n";
  for (size_t at = text.find_first_not_of(kSpaces); at != text.npos;) {
    const size_t end = std::min(text.find_first_of(kSpaces, at), text.size());
    const std::string_view word = text.substr(at, end - at);
    tern::TokenId id = 0;
    if (!parse_whole(word, id) || id < 0) return fmt::format("not a token id: {}", one_line(word));
    ids.push_back(id);
    at = text.find_first_not_of(kSpaces, end);
  }
  return {};
}

// Gives a value to a row's variable; what is wrong with it, or nothing.
std::string assign(const OptionRow& row, std::string_view text) {
  return std::visit(
      Overloaded{
          [](Flag target) {
            *target = true;
            return std::string();
          },
          [&](Text target) {
            *target = text;
            return std::string();
          },
          [&](TokenList target) {
            target->emplace();
            return parse_token_list(text, **target);
          },
          [&](const auto& number) {
            auto value = *number.value;
            // The comparisons are false for a NaN.
            if (parse_number(text, value) && value >= number.least && value <= number.most) {
              *number.value = value;
              return std::string();
            }
            return fmt::format("must be {}, not '{}'", number.range, one_line(text));
          },
      },
      row.target);
}

std::string default_text(const OptionRow& row) {
  return std::visit(
      Overloaded{
          [](Flag) { return std::string(); },
          [](Text target) {
            return *target ? fmt::format(" (default {})", **target) : std::string();
          },
          [](TokenList) { return std::string(); },
          [](const auto& number) { return fmt::format(" (default {})", *number.value); },
      },
      row.target);
}

std::string help_text(const CommandHelp& help, std::span<const OptionRow> rows) {
  std::string text = fmt::format("usage: {}\n\n{}\n\n", help.usage, help.summary);
  for (const OptionRow& row : rows) {
    const std::string left = fmt::format("{} {}", row.name, row.value);
    text += fmt::format("  {:<24}{}{}\n", left, row.help, default_text(row));
  }
  text += fmt::format("  {:<24}{}\n", "--help", "show this");
  return text;
}

// The row of an option by name, or of the next place that is still free.
const OptionRow* find_row(std::span<const OptionRow> rows, std::string_view name, size_t place) {
  for (const OptionRow& row : rows) {
    if (name.front() == '-' && row.name == name) return &row;
    if (name.front() != '-' && !has_dash(row) && place-- == 0) return &row;
  }
  return nullptr;
}

}  // namespace

std::optional<int> parse_options(const CommandHelp& help, std::span<const OptionRow> rows,
                                 Arguments arguments) {
  std::vector<bool> given(rows.size());
  size_t places = 0;
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::string_view argument = arguments[i];
    if (argument == "--help" || argument == "-h") {
      write_out(help_text(help, rows));
      return kDone;
    }
    if (argument.empty()) return fail_usage("''", "unexpected argument");
    // --name=value is --name value.
    std::optional<std::string_view> value;
    if (const size_t equals = argument.find('=');
        argument.starts_with("--") && equals != argument.npos) {
      value = argument.substr(equals + 1);
      argument = argument.substr(0, equals);
    }
    const OptionRow* row = find_row(rows, argument, places);
    if (row == nullptr) {
      return fail_usage(argument,
                        argument.front() == '-' ? "unknown option" : "unexpected argument");
    }
    if (!has_dash(*row)) {
      ++places;
      value = argument;
    } else if (is_flag(*row)) {
      if (value) return fail_usage(argument, "takes no value");
    } else if (!value) {
      if (++i == arguments.size()) return fail_usage(argument, "needs a value");
      value = arguments[i];
    }
    const std::string why = assign(*row, value.value_or(""));
    if (!why.empty()) return fail_usage(argument, why);
    given[static_cast<size_t>(row - rows.data())] = true;
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].required && !given[i]) return fail_usage(rows[i].name, "is missing");
  }
  return std::nullopt;
}

}  // namespace cli
