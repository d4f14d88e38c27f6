// Grammars by the options of the command line (grammar_options.hpp).
#include "grammar_options.hpp"

#include "model_options.hpp"
#include "report.hpp"
#include "tern/engine/json_schema.hpp"
#include "tern/text/grammar_parser.hpp"

namespace cli {

void GrammarOptions::add_rows(std::vector<OptionRow>& rows) {
  rows.push_back({"--grammar", "FILE", "the text is one of this grammar (GBNF)", &grammar});
  rows.push_back(
      {"--json-schema", "FILE", "the text is JSON that this schema allows", &json_schema});
}

std::optional<int> GrammarOptions::read() {
  if (grammar && json_schema) return fail_usage("--json-schema", "does not go with --grammar");
  if (!grammar && !json_schema) return std::nullopt;
  gbnf_ = read_text_file(file());
  if (!gbnf_) return kFailed;
  if (json_schema) {
    const auto written = tern::json_schema_grammar(*gbnf_);
    if (!written.ok()) return fail(written.error(), file());
    gbnf_->assign(*written);
  }
  const auto rules = tern::parse_grammar(*gbnf_, tern::default_allocator());
  if (rules.ok()) return std::nullopt;
  tern::Error error = rules.error();
  if (json_schema) error.where = tern::Error::kNowhere;  // the place is not one of the file
  return fail(error, file());
}

std::optional<int> GrammarOptions::create(const tern::Tokenizer& tokenizer,
                                          std::shared_ptr<tern::Grammar>& out) const {
  if (!gbnf_) return std::nullopt;
  auto created = tern::Grammar::create(*gbnf_, tokenizer, tern::default_allocator());
  if (!created.ok()) return fail(created.error(), file());
  out = *std::move(created);
  return std::nullopt;
}

}  // namespace cli
