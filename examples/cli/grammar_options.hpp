// --grammar and --json-schema: what the text of run and chat has to be.
//
// Program tern. Files are read and checked before the model is loaded, so that a mistake in one is
// told at once.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "option_table.hpp"
#include "tern/text/grammar.hpp"

namespace cli {

struct GrammarOptions {
  std::optional<std::string_view> grammar;
  std::optional<std::string_view> json_schema;

  void add_rows(std::vector<OptionRow>& rows);
  /// Reads the file that was named, if one was. Nothing when that worked; else the exit status,
  /// after a line that says why.
  std::optional<int> read();
  /// The grammar for the tokens of a model; null where none was asked for. Answers as read().
  /// `tokenizer` must outlive it. Requires: read() worked.
  std::optional<int> create(const tern::Tokenizer& tokenizer,
                            std::shared_ptr<tern::Grammar>& out) const;

 private:
  std::string_view file() const { return grammar ? *grammar : json_schema.value_or(""); }

  std::optional<std::string> gbnf_;
};

}  // namespace cli
