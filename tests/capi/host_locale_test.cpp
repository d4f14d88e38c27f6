// A host whose locale writes 1.5 as "1,5": tern reads files, schemas and grammars as ever, and
// leaves the locale alone.
#include <catch2/catch.hpp>

#if defined(__wasi__)
TEST_CASE("the host's locale") { WARN("skipped: no file system for tests"); }
#else

#include <array>
#include <clocale>
#include <cstdlib>
#include <locale>
#include <string>

#include "capi_fixture.hpp"
#include "support/hf_fixture.hpp"

using namespace capi_test;

namespace {

/// Numbers with a decimal comma and dots between thousands, in any C++ library.
struct CommaNumbers : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

/// Such a locale for C, where the system has one, and for C++; what was before comes back.
class CommaLocale {
 public:
  CommaLocale() {
    std::locale::global(cpp_);
    for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "German_Germany.1252"}) {
      if (std::setlocale(LC_ALL, name) != nullptr) break;
    }
    c_ = std::setlocale(LC_ALL, nullptr);
  }
  ~CommaLocale() {
    std::locale::global(before_);
    std::setlocale(LC_ALL, "C");
  }
  CommaLocale(const CommaLocale&) = delete;

  bool is_in_c() const { return std::strtod("1,5", nullptr) == 1.5; }
  bool is_untouched() const {
    return c_ == std::setlocale(LC_ALL, nullptr) && std::locale() == cpp_;
  }

 private:
  std::locale before_;
  std::locale cpp_{std::locale::classic(), new CommaNumbers};
  std::string c_;
};

/// What a model reads of numbers and makes of a text.
struct Reading {
  tern_status status = TERN_OK;  // of the first call that fails
  double rope_base = 0;
  std::vector<float> logits;
  std::string text;

  friend bool operator==(const Reading&, const Reading&) = default;
};

/// A folder's numbers and logits, and a text that a schema with numbers lets through. Nothing
/// of the test framework runs in here.
Reading read_all(const std::string& folder) {
  Reading out;
  const auto run = [&out](tern_status status) {
    if (out.status == TERN_OK) out.status = status;
    return status == TERN_OK;
  };
  tern_model* model = nullptr;
  tern_session* session = nullptr;
  const std::array<int32_t, 4> tokens = {1, 2, 3, 4};
  const float* view = nullptr;
  size_t n = 0;
  const std::string key = "bitnet-b1.58.rope.freq_base";
  if (run(tern_model_load_file(folder.data(), folder.size(), nullptr, &model)) &&
      run(tern_model_metadata_real(model, key.data(), key.size(), &out.rope_base)) &&
      run(tern_session_create(model, nullptr, &session)) &&
      run(tern_session_evaluate(session, tokens.data(), tokens.size(), nullptr, 0)) &&
      run(tern_session_logits(session, &view, &n))) {
    out.logits.assign(view, view + n);
  }
  tern_session_free(session);
  tern_model_free(model);

  constexpr std::string_view kSchema =
      R"({"type":"object","properties":{"count":{"type":"integer","minimum":1500,)"
      R"("maximum":1509},"share":{"type":"number"}},"required":["count","share"]})";
  const std::string stories = stories_path();
  tern_grammar* grammar = nullptr;
  tern_generate_options options;
  tern_generate_options_init(&options);
  Collected collected;
  model = nullptr;
  session = nullptr;
  if (run(tern_model_load_file(stories.data(), stories.size(), nullptr, &model)) &&
      run(tern_session_create(model, nullptr, &session)) &&
      run(tern_session_evaluate(session, tokens.data(), tokens.size(), nullptr, 0)) &&
      run(tern_grammar_create(model, TERN_GRAMMAR_JSON_SCHEMA, kSchema.data(), kSchema.size(),
                              &grammar))) {
    options.grammar = grammar;
    run(tern_session_generate(session, &options, Collected::on_text, &collected, nullptr, nullptr));
    out.text = collected.text;
  }
  tern_grammar_free(grammar);
  tern_session_free(session);
  tern_model_free(model);
  return out;
}

}  // namespace

TEST_CASE("a locale with a decimal comma changes nothing and is left alone") {
  if (!tern_test::have_json()) return;
  const auto m = tern_test::small_model();
  const tern_test::TemporaryFolder folder("locale");
  auto config = tern_test::hf_config_of(m, tern_test::HfWeights::packed_inverse);
  config["rope_theta"] = "10000.5";
  write_hf_folder(folder, config,
                  tern_test::hf_tensors_of(m, tern_test::HfWeights::packed_inverse));
  const Reading expected = read_all(folder.path());
  INFO(tern_last_error_message());
  REQUIRE(expected.status == TERN_OK);
  CHECK(expected.rope_base == 10000.5);
  CHECK(expected.text.starts_with("{\"count\":"));

  Reading found;
  bool is_in_c = false;
  bool is_untouched = false;
  {
    const CommaLocale locale;
    is_in_c = locale.is_in_c();
    found = read_all(folder.path());
    is_untouched = locale.is_untouched();
  }
  CHECK(found == expected);
  CHECK(is_untouched);
  if (!is_in_c) WARN("no locale of C with a decimal comma is installed: C++'s alone was tried");
}
#endif
