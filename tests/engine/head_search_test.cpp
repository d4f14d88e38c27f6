// The search for the largest logits: the ones of the whole head, with less of it read, and the
// generations that are made of them.
#include "tern/engine/head_search.hpp"

#include <algorithm>
#include <numeric>

#include "engine/story_fixture.hpp"
#include "support/trit_samples.hpp"
#include "tern/quant/plane_codec.hpp"
#include "text/grammar_fixture.hpp"

using namespace tern_test;
using tern::TokenId;

namespace {

constexpr size_t kRows = 1000;
constexpr size_t kCols = 96;

/// A head of random codes and units, as int8 and in planes, and one token's activations.
struct Head {
  std::vector<int8_t> codes;
  std::vector<float> units, rests;
  std::vector<uint8_t> planes;
  std::vector<int8_t> high, low;
  tern::QuantizedToken token;
  const tern::KernelTable kernels = *tern::select_kernels("");

  Head(uint64_t seed, bool equal_rows)
      : codes(kRows * kCols),
        planes(*tern::planes_bytes(kCols, kRows)),
        high(tern::activation_stride(kCols)),
        low(tern::activation_stride(kCols)) {
    SampleRandom random(seed);
    for (int8_t& code : codes) {
      const int32_t sum = static_cast<int8_t>(random.next()) + static_cast<int8_t>(random.next());
      code = static_cast<int8_t>(sum / 2);  // fewer of the large ones
    }
    for (size_t r = 0; r < kRows; ++r) {
      units.push_back(equal_rows ? 0.125f : static_cast<float>(1 + random.below(100)) * 0x1p-7f);
      int8_t* row = codes.data() + r * kCols;
      if (equal_rows) std::copy_n(codes.data(), kCols, row);
      tern::store_plane_row(row, kCols, r, planes.data());
      for (size_t known = 1; known < tern::kPlanes; ++known) {
        rests.push_back(kernels.plane_norm(tern::plane_rest_squares(row, kCols, known)));
      }
    }
    std::vector<float> x(kCols);
    for (float& v : x) v = static_cast<float>(static_cast<int8_t>(random.next())) * 0x1p-5f;
    token = kernels.quantize_i16(x.data(), kCols, high.data(), low.data(), high.size());
  }
  tern::ActivationView input() const { return {high.data(), low.data(), &token, high.size(), 1}; }
  tern::HeadView view() const {
    return {tern::TensorType::i8_planes,
            planes.data(),
            tern::planes_row_bytes(kCols),
            kCols,
            units.data(),
            0,
            rests.data()};
  }
  std::vector<float> logits() const {
    std::vector<float> out(kRows);
    kernels.head_rows(view(), {nullptr, 0, input()}, 0, kRows, out.data(), kRows);
    return out;
  }
  std::vector<float> search(size_t n_best, tern::TokenMask mask, tern::HeadCounts& counts,
                            uint32_t threads = 1) const {
    tern::HeadSearch search;
    tern::BufferPlan plan(tern::default_allocator());
    REQUIRE(search.allocate(kRows, plan).ok());
    tern::TaskRunner runner;
    if (threads > 1) {
      runner = tern::TaskRunner(*tern::ThreadPool::create(threads, tern::default_allocator()));
    }
    std::vector<float> out(kRows);
    search.run(kernels, view(), false, runner, input(), n_best, mask, out, counts);
    return out;
  }
};

}  // namespace

TEST_CASE("a search gives the largest logits of the whole head, and all that are as large") {
  for (uint64_t seed = 1; seed < 7; ++seed) {
    const Head head(seed, seed == 6);
    const auto all = head.logits();
    std::vector<uint64_t> mask(tern::token_mask_words(kRows));
    for (size_t i = 0; i < mask.size(); ++i) mask[i] = 0x0F0F00FF12345678u * (i + seed);
    for (const bool masked : {false, true}) {
      const tern::TokenMask given = masked ? tern::TokenMask(mask) : tern::TokenMask();
      std::vector<float> allowed;
      for (size_t r = 0; r < kRows; ++r) {
        if (tern::is_allowed(given, r)) allowed.push_back(all[r]);
      }
      std::sort(allowed.begin(), allowed.end(), std::greater<>());
      for (const size_t n_best : {size_t{1}, size_t{2}, size_t{8}, size_t{9}, size_t{64}}) {
        INFO("seed " << seed << ", " << n_best << " best");
        tern::HeadCounts counts;
        const auto found = head.search(n_best, given, counts);
        for (size_t r = 0; r < kRows; ++r) {
          const bool wanted = tern::is_allowed(given, r) && all[r] >= allowed[n_best - 1];
          if (wanted || found[r] != tern::kMaskedLogit) CHECK(found[r] == all[r]);
          if (!tern::is_allowed(given, r)) CHECK(found[r] == tern::kMaskedLogit);
        }
        CHECK(counts.rows[0] == allowed.size());
        CHECK(counts.rows[1] <= counts.rows[0]);
        CHECK(counts.rows[2] <= counts.rows[1]);
        if (n_best == 1 && seed != 6) CHECK(counts.rows[2] < allowed.size() / 2);
        tern::HeadCounts again;
        CHECK(head.search(n_best, given, again, 3) == found);
        CHECK(again.rows == counts.rows);
      }
    }
  }
}

TEST_CASE("a mask of one token finds it") {
  const Head head(3, false);
  const auto all = head.logits();
  for (const size_t r : {size_t{0}, size_t{127}, size_t{128}, kRows - 1}) {
    std::vector<uint64_t> mask(tern::token_mask_words(kRows));
    mask[r / 64] = uint64_t{1} << r % 64;
    tern::HeadCounts counts;
    const auto found = head.search(1, mask, counts);
    CHECK(found[r] == all[r]);
    CHECK(std::count(found.begin(), found.end(), tern::kMaskedLogit) == kRows - 1);
  }
}

namespace {

ModelPtr story_model(tern::HeadOption head, std::string_view isa = {}) {
  tern::LoadOptions options;
  options.head = head;
  options.isa = isa;
  auto model = tern::Model::load_file(TERN_SOURCE_DIR "/examples/models/stories.gguf", options);
  REQUIRE(model.ok());
  return *model;
}

std::vector<float> logits_of(const SessionPtr& session) {
  return {session->logits().begin(), session->logits().end()};
}

}  // namespace

TEST_CASE("a generation with a two-stage head is that of int8, and leaves all logits") {
  struct Pair {
    ModelPtr plain, searched;
  };
  std::vector<Pair> pairs;  // a table each: packings differ, and so do the bytes that are read
  for (const tern::KernelTable* table : tern::compiled_kernels()) {
    if (!tern::select_kernels(table->isa).ok()) continue;
    pairs.push_back({story_model(tern::HeadOption::i8, table->isa),
                     story_model(tern::HeadOption::two_stage, table->isa)});
  }
  struct Case {
    float temperature;
    uint32_t top_k;
    float penalty;
    uint32_t n_draft;
    bool searches;
  };
  for (const Case& c :
       {Case{0, 0, 1, 0, true}, Case{0.8f, 5, 1, 0, true}, Case{1.5f, 64, 1, 3, true},
        Case{0.8f, 65, 1, 0, false}, Case{0.8f, 0, 1, 0, false}, Case{0, 0, 1.2f, 0, false}}) {
    INFO("temperature " << c.temperature << ", top_k " << c.top_k);
    tern::GenerateOptions options;
    options.max_tokens = 60;
    options.sampler.temperature = c.temperature;
    options.sampler.top_k = c.top_k;
    options.sampler.repeat_penalty = c.penalty;
    options.sampler.seed = 3;
    options.n_draft = c.n_draft;
    for (const std::string_view stop : {std::string_view(), std::string_view("the")}) {
      options.stop_texts = {&stop, stop.empty() ? size_t{0} : size_t{1}};
      for (const Pair& pair : pairs) {
        const auto expected = prompted(pair.plain, "Once upon a time");
        const Story story = tell(*expected, options);
        const auto session = prompted(pair.searched, "Once upon a time");
        const Story same = tell(*session, options);
        CHECK(same.text == story.text);
        CHECK(same.tokens == story.tokens);
        CHECK(logits_of(session) == logits_of(expected));
        CHECK(session->log_prob(5).ok());
        const auto read = session->statistics();
        if (story.tokens.size() > 2) CHECK((read.searched.rows[0] != 0) == c.searches);
        if (!stop.empty() || c.n_draft != 0) continue;
        // What int8 reads of the head, less what was not read.
        const tern::HeadView& head = pair.searched->weights().head;
        uint64_t bytes = expected->statistics().weight_bytes - read.searched.rows[0] * head.k;
        for (size_t p = 0; p < tern::kPlanes; ++p) {
          bytes += read.searched.rows[p] * tern::plane_row_bytes(head.k, p);
        }
        CHECK(read.weight_bytes == bytes);
      }
    }
  }
}

TEST_CASE("a two-stage head follows masks and grammars") {
  const ModelPtr plain = story_model(tern::HeadOption::i8);
  const ModelPtr model = story_model(tern::HeadOption::two_stage);
  tern::GenerateOptions options;
  options.max_tokens = 40;
  for (const float temperature : {0.0f, 1.0f}) {
    options.sampler.temperature = temperature;
    options.sampler.top_k = 10;
    std::vector<uint64_t> mask(tern::token_mask_words(model->n_tokens()), 0x00FFFF00FFFF00FFu);
    options.sampler.mask = mask;
    const auto expected = prompted(plain, "The");
    const auto session = prompted(model, "The");
    CHECK(tell(*session, options).tokens == tell(*expected, options).tokens);
    options.sampler.mask = {};
    constexpr char kRules[] = R"(root ::= (" cat" | " dog" | " and" | "," | [a-z]){1,20} ".")";
    const auto for_plain = grammar_of(kRules, *plain->tokenizer());
    const auto for_model = grammar_of(kRules, *model->tokenizer());
    const auto expected_words = prompted(plain, "The");
    const auto words = prompted(model, "The");
    options.grammar = for_plain.get();
    const Story story = tell(*expected_words, options);
    options.grammar = for_model.get();
    CHECK(tell(*words, options).text == story.text);
    options.grammar = nullptr;
  }
}

TEST_CASE("a two-stage head is a head like any other") {
  // Batches, several sessions in one pass, steps, saved sessions, the tied embedding.
  const ModelPtr plain = story_model(tern::HeadOption::i8);
  const ModelPtr model = story_model(tern::HeadOption::two_stage_likely);
  const auto tokens = some_tokens(30, model->config().vocab_size);
  const auto expected = open_session(plain);
  const auto session = open_session(model);
  CHECK(all_logits(*session, tokens, 7) == all_logits(*expected, tokens, 7));
  REQUIRE(session->begin(tokens).ok());
  while (!*session->step(0)) {
  }
  REQUIRE(expected->evaluate(tokens).ok());
  CHECK(logits_of(session) == logits_of(expected));
  tern::Session* const each[] = {session.get()};
  tern::Session* const each_plain[] = {expected.get()};
  const TokenId next = 7;
  REQUIRE(tern::Session::evaluate_each(each, {&next, 1}).ok());
  REQUIRE(tern::Session::evaluate_each(each_plain, {&next, 1}).ok());
  CHECK(logits_of(session) == logits_of(expected));
}

TEST_CASE("likely bounds read less") {
  const ModelPtr certain = story_model(tern::HeadOption::two_stage);
  const ModelPtr likely = story_model(tern::HeadOption::two_stage_likely);
  tern::GenerateOptions options;
  options.max_tokens = 60;
  const auto first = prompted(certain, "Once upon a time");
  const auto second = prompted(likely, "Once upon a time");
  CHECK(tell(*first, options).text == tell(*second, options).text);
  CHECK(second->statistics().searched.rows[1] < first->statistics().searched.rows[1]);
}

TEST_CASE("the largest logits alone are enough for the draws that need no others") {
  const ModelPtr plain = story_model(tern::HeadOption::i8);
  const ModelPtr model = story_model(tern::HeadOption::two_stage);
  const auto expected = prompted(plain, "Once upon a time");
  const auto session = prompted(model, "Once upon a time");
  const TokenId token = 300;
  REQUIRE(expected->evaluate({&token, 1}).ok());
  const auto again = [&](uint32_t n_best) {
    REQUIRE(session->truncate(expected->position() - 1).ok());
    REQUIRE(session->evaluate_best({&token, 1}, n_best).ok());
  };
  const auto missing = [&] {
    const auto logits = session->logits();
    return std::count(logits.begin(), logits.end(), tern::kMaskedLogit);
  };
  tern::SamplerOptions options;
  again(1);
  CHECK(missing() > 1000);
  CHECK(*session->sample(options) == *expected->sample(options));
  CHECK(missing() > 1000);
  options.temperature = 1;
  options.top_k = 8;
  again(8);
  CHECK(*session->sample(options) == *expected->sample(options));
  CHECK(missing() > 1000);
  // What needs more has the rest computed.
  options.top_k = 9;
  CHECK(*session->sample(options) == *expected->sample(options));
  CHECK(logits_of(session) == logits_of(expected));
  std::vector<uint64_t> mask(tern::token_mask_words(model->n_tokens()), 0xF0F0u);
  options.mask = mask;
  options.top_k = 1;
  again(8);
  CHECK(*session->sample(options) == *expected->sample(options));
  again(8);
  CHECK(*session->log_prob(7) == *expected->log_prob(7));
  again(8);
  CHECK(logits_of(*session->fork()) == logits_of(expected));
  again(8);
  std::vector<uint8_t> saved(session->saved_bytes());
  REQUIRE(session->save(saved).ok());
  REQUIRE(session->restore(saved).ok());
  CHECK(logits_of(session) == logits_of(expected));
  // A pass that failed in between leaves what the logits are made of.
  again(1);
  const TokenId none = -1;
  CHECK_FALSE(session->evaluate({&none, 1}).ok());
  CHECK(*session->log_prob(7) == *expected->log_prob(7));
  again(65);
  CHECK(missing() == 0);
  CHECK(session->evaluate_best({&token, 1}, 0).status() == tern::Status::invalid_argument);
  // Other heads give all of them.
  REQUIRE(expected->truncate(expected->position() - 1).ok());
  REQUIRE(expected->evaluate_best({&token, 1}, 1).ok());
  CHECK(logits_of(expected) == logits_of(session));
}
