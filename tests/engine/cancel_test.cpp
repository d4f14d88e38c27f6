// A cancel is heeded between runs of a product, items of attention and tokens: however large the
// batch, what comes after it is not computed. Counted at the kernels, not timed.
#include <functional>

#include "support/model_fixture.hpp"

using namespace tern_test;
using tern::KernelTable;
using tern::Status;

namespace {

constexpr size_t kTokens = 512;
constexpr uint32_t kSmallVocabulary = 70;

/// Wide enough that a batch of kTokens takes a product several runs.
const std::vector<uint8_t>& wide_bytes() {
  static const auto bytes = [] {
    LogicalModel shape = small_shape();
    shape.ffn_dim = 1024;
    shape.context_len = kTokens;
    return gguf_of(random_model(shape, 1, 3), tern::TensorType::tq2_0).build();
  }();
  return bytes;
}

/// Of the host's run that goes on; a single task needs no host.
size_t n_tasks = 1;

/// The host's tasks one after another, last one first.
void run_backwards(void*, size_t n, void (*task)(void*, size_t), void* context) {
  n_tasks = n;
  while (n-- > 0) task(context, n);
  n_tasks = 1;
}

/// Stands between a model and some of its kernels: counts their calls, and calls back at one of
/// them.
class KernelSpy {
 public:
  explicit KernelSpy(const ModelPtr& model)
      : table_(const_cast<KernelTable&>(model->kernels())), real_(table_) {
    current = this;
    table_.multiply_matrix = [](const tern::TernaryView& w, const tern::ActivationView& a,
                                const int8_t* packed, size_t begin, size_t end, float* y,
                                size_t y_stride, void* scratch) {
      const size_t units = end - begin;
      const size_t trits_per_byte = tern::is_five(w.packing) ? 5 : 4;
      current->count(
          units <= 2 ? 0 : units * w.cols * tern::unit_rows(w.packing) * a.n / trits_per_byte);
      current->real_.multiply_matrix(w, a, packed, begin, end, y, y_stride, scratch);
    };
    table_.attend = [](const tern::AttentionView& a, float* y, size_t y_stride, void* scratch) {
      ++current->n_attend_calls;
      current->attend_tasks = std::max(current->attend_tasks, n_tasks);
      current->count(0);
      current->real_.attend(a, y, y_stride, scratch);
    };
    table_.attend_scores = [](const tern::AttentionView& a, size_t begin, size_t end, float* scores,
                              size_t row, void* scratch) {
      ++current->n_split_calls;
      current->count(0);
      current->real_.attend_scores(a, begin, end, scores, row, scratch);
    };
    table_.attend_values = [](const tern::AttentionView& a, size_t begin, size_t end,
                              float* weights, size_t row, float* parts, size_t part_stride,
                              void* scratch) {
      ++current->n_split_calls;
      current->count(0);
      current->real_.attend_values(a, begin, end, weights, row, parts, part_stride, scratch);
    };
    table_.norm_quantize_i8 = [](const float* x, const float* gain, size_t n, float eps, int8_t* q,
                                 size_t padded) {
      current->count(0);
      return current->real_.norm_quantize_i8(x, gain, n, eps, q, padded);
    };
    table_.relu2_mul = [](const float* gate, const float* up, size_t n, float* y) {
      current->count(0);
      current->real_.relu2_mul(gate, up, n, y);
    };
  }
  ~KernelSpy() { table_ = real_; }
  KernelSpy(const KernelSpy&) = delete;

  /// Begins to count anew; `call` comes in call number `at`, from 0.
  void watch(size_t at, std::function<void()> call) {
    n_calls = n_split_calls = n_attend_calls = attend_tasks = most_bytes = 0;
    at_ = at;
    call_ = std::move(call);
  }

  size_t n_calls = 0;
  size_t n_split_calls = 0;   ///< of them, steps of one token's attention
  size_t n_attend_calls = 0;  ///< of them, of attention in one call
  size_t attend_tasks = 0;    ///< the most tasks that such calls were part of
  size_t most_bytes = 0;      ///< of packed weights times tokens, in one call

 private:
  void count(size_t bytes) {
    most_bytes = std::max(most_bytes, bytes);
    if (n_calls++ == at_) call_();
  }

  static inline KernelSpy* current = nullptr;
  KernelTable& table_;
  const KernelTable real_;
  size_t at_ = ~size_t{0};
  std::function<void()> call_;
};

/// A session at `start`, cancelled in every `step`-th call of n_calls while it evaluates tokens, is
/// at `start` again each time, with nothing more computed; then it evaluates them with the logits
/// expected.
void check_cancels(tern::Session& session, KernelSpy& spy, std::span<const tern::TokenId> tokens,
                   size_t start, size_t n_calls, size_t step, const std::vector<float>& expected) {
  for (size_t at = 0; at < n_calls; at += step) {
    INFO("cancelled in call " << at << " of " << n_calls);
    REQUIRE((start == 0 ? session.reset() : session.truncate(start)).ok());
    spy.watch(at, [&] { session.cancel(); });
    CHECK(session.evaluate(tokens).status() == Status::cancelled);
    CHECK(spy.n_calls == at + 1);
    CHECK(session.position() == start);
  }
  spy.watch(~size_t{0}, {});
  REQUIRE(session.evaluate(tokens).ok());
  CHECK(std::equal(expected.begin(), expected.end(), session.logits().begin()));
}

}  // namespace

TEST_CASE("after a cancel nothing more of a batch is computed") {
  const auto model = load(wide_bytes());
  const auto tokens = some_tokens(kTokens, kSmallVocabulary);
  const auto plain = open_session(model);
  REQUIRE(plain->evaluate(tokens).ok());
  const std::vector<float> expected(plain->logits().begin(), plain->logits().end());

  for (const uint32_t n_workers : {1u, 4u}) {
    tern::SessionOptions options;
    options.batch = kTokens;
    options.runner = tern::TaskRunner(tern::ParallelForHooks{nullptr, n_workers, run_backwards});
    const auto session = open_session(model, options);
    KernelSpy spy(model);
    spy.watch(~size_t{0}, {});
    REQUIRE(session->evaluate(tokens).ok());
    const size_t n_calls = spy.n_calls;
    INFO(n_workers << " workers, " << n_calls << " calls");
    // A run is 64 KiB of weights times 256 tokens, or two units.
    CHECK(spy.most_bytes <= size_t{16} << 20);
    CHECK(std::equal(expected.begin(), expected.end(), session->logits().begin()));

    const size_t step = n_calls / 13 + 1;  // some of every kind
    check_cancels(*session, spy, tokens, 0, n_calls, step, expected);
  }
}

TEST_CASE("after a cancel nothing more of one token's attention is computed") {
  constexpr size_t kText = tern::kSplitPositions + 100;
  LogicalModel shape = small_shape();
  shape.context_len = kText + 1;
  const auto bytes = gguf_of(random_model(shape, 1, 5), tern::TensorType::tq2_0).build();
  const auto model = load(bytes);  // which it goes on reading
  const auto tokens = some_tokens(kText + 1, kSmallVocabulary);
  const std::span<const tern::TokenId> last(tokens.data() + kText, 1);

  tern::SessionOptions options;
  options.runner = tern::TaskRunner(tern::ParallelForHooks{nullptr, 3, run_backwards});
  const auto session = open_session(model, options);
  REQUIRE(session->evaluate({tokens.data(), kText}).ok());
  KernelSpy spy(model);
  spy.watch(~size_t{0}, {});
  REQUIRE(session->evaluate(last).ok());
  const size_t n_calls = spy.n_calls;
  REQUIRE(spy.n_split_calls >= 6);  // each worker's, of scores and of values
  const std::vector<float> expected(session->logits().begin(), session->logits().end());

  check_cancels(*session, spy, last, kText, n_calls, 1, expected);
}

TEST_CASE("after a cancel nothing more of a few tokens is computed") {
  const auto bytes = gguf_of(random_model(small_shape(), 1, 5), tern::TensorType::tq2_0).build();
  const auto model = load(bytes);
  REQUIRE(model->config().n_kv_heads == 2);
  const auto tokens = some_tokens(tern::kVectorTokens, kSmallVocabulary);
  for (const uint32_t n_workers : {1u, 2u}) {  // each takes whole key heads
    tern::SessionOptions options;
    options.runner = tern::TaskRunner(tern::ParallelForHooks{nullptr, n_workers, run_backwards});
    const auto session = open_session(model, options);
    KernelSpy spy(model);
    spy.watch(~size_t{0}, {});
    REQUIRE(session->evaluate(tokens).ok());
    const size_t n_calls = spy.n_calls;
    REQUIRE(spy.n_split_calls == 0);
    REQUIRE(spy.attend_tasks == n_workers);
    const std::vector<float> expected(session->logits().begin(), session->logits().end());
    INFO(n_workers << " workers");
    check_cancels(*session, spy, tokens, 0, n_calls, 1, expected);
  }
}

TEST_CASE("a key that the cache cannot hold ends a pass before attention reads it") {
  LogicalModel shape = random_model(small_shape(), 1, 3);
  for (float& s : shape.layers[0].k.scales) s = 1e30f;
  const auto bytes = gguf_of(shape, tern::TensorType::f32).build();
  for (const auto& isa : available_isas()) {
    const auto model = load(bytes, isa);
    for (const tern::CacheType kv : {tern::CacheType::f16, tern::CacheType::i8}) {
      // Two workers share two key heads of few tokens; three, or more tokens, go another way.
      for (const uint32_t n_workers : {1u, 2u, 3u}) {
        for (const size_t n : {size_t{1}, tern::kVectorTokens, size_t{20}}) {
          INFO(isa << " kv " << static_cast<int>(kv) << " workers " << n_workers << " tokens "
                   << n);
          tern::SessionOptions options;
          options.kv = kv;
          options.runner =
              tern::TaskRunner(tern::ParallelForHooks{nullptr, n_workers, run_backwards});
          const auto session = open_session(model, options);
          KernelSpy spy(model);
          spy.watch(~size_t{0}, {});
          CHECK(session->evaluate(some_tokens(n, kSmallVocabulary)).status() == Status::non_finite);
          CHECK(spy.n_attend_calls == 0);
          CHECK(session->position() == 0);
          CHECK(session->logits().empty());
        }
      }
    }
  }
}
