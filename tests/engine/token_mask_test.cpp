// Logits of some tokens only, probabilities of a whole text, and what the head sees: the bits of
// evaluations of everything.
#include "tern/engine/token_mask.hpp"

#include <cmath>

#include "support/model_fixture.hpp"
#include "tern/engine/session.hpp"

using namespace tern_test;
using tern::kMaskedLogit;
using tern::Session;
using tern::Status;
using tern::TokenId;

namespace {

constexpr uint32_t kVocabulary = 300;

ModelPtr masked_model(const std::string& isa = "") {
  static const auto bytes = [] {
    LogicalModel shape = small_shape("bitnet-b1.58");
    shape.vocab_size = kVocabulary;
    return gguf_of(random_model(shape, 2, 3), tern::TensorType::tq2_0).build();
  }();
  return load(bytes, isa);
}

using Mask = std::vector<uint64_t>;

std::vector<Mask> masks() {
  Mask sparse(5), dense(5, ~uint64_t{0}), last(5), some(5);
  sparse[1] = 0x8000000000000001;
  dense[0] ^= 0x10;
  dense[2] ^= 0xFF00;
  last[4] = uint64_t{1} << (kVocabulary - 1 - 256);
  std::mt19937_64 random(3);
  for (uint64_t& word : some) word = random();
  return {sparse, dense, last, some, Mask(5)};
}

std::vector<float> masked(std::vector<float> logits, const Mask& mask) {
  for (size_t i = 0; i < logits.size(); ++i) {
    if (!tern::is_allowed(mask, i % kVocabulary)) logits[i] = kMaskedLogit;
  }
  return logits;
}

std::vector<float> view(std::span<const float> values) { return {values.begin(), values.end()}; }

}  // namespace

TEST_CASE("runs of allowed tokens are found at every border of words") {
  const Mask mask = {0xF000000000000003, ~uint64_t{0}, 1};
  const tern::TokenMask one[] = {mask};
  std::vector<bool> expected(200);
  for (size_t i = 0; i < 200; ++i) {
    expected[i] = i < 2 || (i >= 60 && i < 129);
    CHECK(tern::is_allowed(mask, i) == expected[i]);
  }
  Mask built(3);
  for (TokenId token = -1; token < 200; ++token) {  // some are beyond its words
    if (token < 0 || expected[static_cast<size_t>(token)] || token >= 192) {
      tern::allow_token(built, token);
    }
  }
  CHECK(built == mask);
  for (size_t begin = 0; begin < 200; ++begin) {
    for (const bool allowed : {false, true}) {
      size_t next = begin;
      while (next < 200 && expected[next] != allowed) ++next;
      CHECK(tern::find_token(one, allowed, begin, 200) == next);
    }
  }
  CHECK(tern::count_tokens(one, 200) == 71);
  CHECK(tern::count_tokens({}, 200) == 200);
  const Mask other = {4};
  const tern::TokenMask both[] = {mask, other};
  CHECK(tern::count_tokens(both, 200) == 72);
  const tern::TokenMask with_all[] = {mask, {}};
  CHECK(tern::count_tokens(with_all, 200) == 200);
}

TEST_CASE("with a mask the logits of its tokens have their bits, the others are not computed") {
  const auto tokens = some_tokens(21, kVocabulary);
  for (const auto& isa : available_isas()) {
    INFO(isa);
    const auto model = masked_model(isa);
    const auto expected = all_logits(*open_session(model), tokens, 21);
    const std::vector<float> last(expected.end() - kVocabulary, expected.end());
    for (const Mask& mask : masks()) {
      tern::SessionOptions options;
      options.n_threads = 2;
      const auto session = open_session(model, options);
      REQUIRE(session->set_mask(mask).ok());
      CHECK(all_logits(*session, tokens, 21) == masked(expected, mask));
      CHECK(view(session->logits()) == masked(last, mask));
      // In steps, and token by token.
      REQUIRE(session->truncate(0).ok());
      REQUIRE(session->begin(tokens).ok());
      while (true) {
        const auto done = session->step(0);
        REQUIRE(done.ok());
        if (*done) break;
      }
      CHECK(view(session->logits()) == masked(last, mask));
      REQUIRE(session->truncate(0).ok());
      for (const TokenId token : tokens) REQUIRE(session->evaluate({&token, 1}).ok());
      CHECK(view(session->logits()) == masked(last, mask));
      CHECK(session->log_prob(5).status() == Status::invalid_argument);
      // reset() ends it.
      REQUIRE(session->reset().ok());
      REQUIRE(session->evaluate(tokens).ok());
      CHECK(view(session->logits()) == last);
      CHECK(session->log_prob(5).ok());
    }
  }
}

TEST_CASE("sessions in one pass have masks of their own") {
  const auto model = masked_model();
  const auto all = masks();
  std::vector<SessionPtr> sessions;
  std::vector<Session*> pointers;
  std::vector<std::vector<float>> expected;
  const auto tokens = some_tokens(all.size() + 1, kVocabulary);
  for (size_t i = 0; i <= all.size(); ++i) {
    const auto alone = open_session(model);
    REQUIRE(alone->evaluate({&tokens[i], 1}).ok());
    const auto full = view(alone->logits());
    sessions.push_back(open_session(model));
    pointers.push_back(sessions.back().get());
    if (i < all.size()) REQUIRE(sessions.back()->set_mask(all[i]).ok());
    expected.push_back(i < all.size() ? masked(full, all[i]) : full);
  }
  REQUIRE(Session::evaluate_each(pointers, tokens).ok());
  for (size_t i = 0; i < sessions.size(); ++i) CHECK(view(sessions[i]->logits()) == expected[i]);
}

TEST_CASE("what a mask rules out is never sampled, and not read") {
  const auto model = masked_model();
  const auto all = masks();
  const auto session = open_session(model);
  const TokenId token = 7;
  const uint64_t row = model->head_bytes() / kVocabulary;
  for (const Mask& mask : all) {
    REQUIRE(session->reset().ok());
    REQUIRE(session->set_mask(mask).ok());
    const uint64_t before = session->statistics().weight_bytes;
    REQUIRE(session->evaluate({&token, 1}).ok());
    const uint64_t with_mask = session->statistics().weight_bytes - before;
    REQUIRE(session->truncate(0).ok());
    REQUIRE(session->set_mask({}).ok());
    REQUIRE(session->evaluate({&token, 1}).ok());
    const uint64_t without = session->statistics().weight_bytes - before - with_mask;
    size_t n_allowed = 0;
    for (size_t i = 0; i < kVocabulary; ++i) n_allowed += tern::is_allowed(mask, i) ? 1 : 0;
    CHECK(without - with_mask == (kVocabulary - n_allowed) * row);

    REQUIRE(session->truncate(0).ok());
    REQUIRE(session->set_mask(mask).ok());
    REQUIRE(session->evaluate({&token, 1}).ok());
    for (uint64_t seed = 0; seed < 20; ++seed) {
      tern::SamplerOptions options;
      options.temperature = 50;
      options.seed = seed;
      const auto sampled = session->sample(options);
      CHECK(sampled.ok() == (n_allowed > 0));
      if (sampled.ok()) CHECK(tern::is_allowed(mask, static_cast<size_t>(*sampled)));
    }
  }
  CHECK(session->set_mask(Mask(4)).status() == Status::invalid_argument);
}

TEST_CASE("masks go along with forks, and saved logits say what they are") {
  const auto model = masked_model();
  const auto all = masks();
  const auto tokens = some_tokens(3, kVocabulary);
  const auto session = open_session(model);
  REQUIRE(session->set_mask(all[3]).ok());
  REQUIRE(session->evaluate(tokens).ok());
  const auto fork = session->fork();
  REQUIRE(fork.ok());
  CHECK(view((*fork)->logits()) == view(session->logits()));
  CHECK((*fork)->log_prob(1).status() == Status::invalid_argument);
  REQUIRE(session->evaluate(tokens).ok());
  REQUIRE((*fork)->evaluate(tokens).ok());
  CHECK(view((*fork)->logits()) == view(session->logits()));
  std::vector<uint8_t> saved(session->saved_bytes());
  REQUIRE(session->save(saved).ok());
  const auto other = open_session(model);
  REQUIRE(other->restore(saved).ok());
  CHECK(view(other->logits()) == view(session->logits()));
  CHECK(other->log_prob(1).status() == Status::invalid_argument);
}

TEST_CASE("a score is what log_prob says token by token") {
  const auto model = masked_model();
  const auto tokens = some_tokens(30, kVocabulary);
  std::vector<double> expected = {std::nan("")};
  const auto by_hand = open_session(model);
  for (size_t i = 0; i < tokens.size(); ++i) {
    REQUIRE(by_hand->evaluate({&tokens[i], 1}).ok());
    if (i + 1 < tokens.size()) expected.push_back(*by_hand->log_prob(tokens[i + 1]));
  }
  for (const uint32_t batch : {0u, 1u, 7u, 11u}) {
    tern::SessionOptions options;
    options.batch = batch;
    options.n_threads = batch == 7 ? 3 : 1;
    const auto session = open_session(model, options);
    const std::span<const TokenId> all(tokens);
    std::vector<double> scores(tokens.size());
    REQUIRE(session->score(all.first(12), std::span(scores).first(12)).ok());
    REQUIRE(session->set_mask(masks()[0]).ok());  // scores do not care
    REQUIRE(session->score(all.subspan(12), std::span(scores).subspan(12)).ok());
    CHECK(std::isnan(scores[0]));
    CHECK(std::equal(scores.begin() + 1, scores.end(), expected.begin() + 1));
    CHECK(view(session->logits()) == view(by_hand->logits()));
    CHECK(view(session->features()) == view(by_hand->features()));
    // But the first one's are of logits that may be a mask's.
    REQUIRE(session->truncate(29).ok());
    REQUIRE(session->evaluate({&tokens[29], 1}).ok());
    REQUIRE(session->score({&tokens[0], 1}, std::span(scores).first(1)).ok());
    CHECK(std::isnan(scores[0]));
    CHECK(session->score(all, std::span(scores).first(3)).status() == Status::invalid_argument);
    const TokenId wrong = kVocabulary;
    CHECK(session->score({&wrong, 1}, std::span(scores).first(1)).status() ==
          Status::token_out_of_range);
  }
}

TEST_CASE("the head's logits follow from the features, whichever call left them") {
  const auto model = masked_model();
  const auto tokens = some_tokens(21, kVocabulary);
  const auto session = open_session(model);
  CHECK(session->features().empty());
  REQUIRE(session->evaluate(tokens).ok());
  const auto features = view(session->features());
  REQUIRE(features.size() == model->config().model_dim);
  const auto& head = model->weights().head;
  std::vector<float> row(head.k);
  for (size_t token = 0; token < kVocabulary; ++token) {
    model->kernels().decode_row(head, token, row.data());
    double sum = 0;
    double size = 0;
    for (size_t i = 0; i < row.size(); ++i) {
      sum += double{row[i]} * double{features[i]};
      size += std::abs(double{row[i]} * double{features[i]});
    }
    // The head rounds its input to 16 bits.
    CHECK(std::abs(sum - double{session->logits()[token]}) <= 1e-4 * size + 1e-6);
  }
  std::vector<float> every(tokens.size() * kVocabulary);
  REQUIRE(session->reset().ok());
  REQUIRE(session->evaluate(tokens, every).ok());
  CHECK(view(session->features()) == features);
  REQUIRE(session->reset().ok());
  REQUIRE(session->begin(tokens).ok());
  while (!*session->step(1000)) {
  }
  CHECK(view(session->features()) == features);
  CHECK(view((*session->fork())->features()) == features);
  std::vector<Session*> pair = {session.get(), nullptr};
  const auto other = open_session(model);
  REQUIRE(other->evaluate(std::span(tokens).first(20)).ok());
  pair = {other.get()};
  REQUIRE(Session::evaluate_each(pair, {&tokens[20], 1}).ok());
  CHECK(view(other->features()) == features);
  REQUIRE(other->truncate(3).ok());
  CHECK(other->features().empty());
}
