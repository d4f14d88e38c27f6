// Timing a model (bench_measurement.hpp).
#include "bench_measurement.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

#include "interrupt.hpp"
#include "machine_limits.hpp"
#include "process_memory.hpp"

namespace cli {

namespace {

// Any tokens do: the work does not depend on them, the share of zeros hardly.
std::vector<tern::TokenId> make_tokens(size_t n, uint32_t vocab_size) {
  std::vector<tern::TokenId> tokens(n);
  uint64_t state = 1;
  for (tern::TokenId& token : tokens) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    token = static_cast<tern::TokenId>((state >> 33) % vocab_size);
  }
  return tokens;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// Tokens a second of evaluating them from position `depth` on, `step` at a time; one at a time for
// the largest logit alone, as a greedy text needs.
tern::Result<double> time_tokens(tern::Session& session, std::span<const tern::TokenId> tokens,
                                 uint32_t depth, size_t step) {
  TERN_TRY(session.truncate(depth));
  const auto start = std::chrono::steady_clock::now();
  for (size_t done = 0; done < tokens.size(); done += step) {
    if (is_interrupted()) return tern::Error(tern::Status::cancelled, "interrupted");
    const auto now = tokens.subspan(done, step);
    TERN_TRY(step == 1 ? session.evaluate_best(now, 1) : session.evaluate(now));
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  return static_cast<double>(tokens.size()) / taken.count();
}

tern::Result<double> median_rate(tern::Session& session, std::span<const tern::TokenId> tokens,
                                 uint32_t depth, size_t step, uint32_t repeats) {
  std::vector<double> rates;
  for (uint32_t i = 0; i < repeats; ++i) {
    TERN_TRY_ASSIGN(const double rate, time_tokens(session, tokens, depth, step));
    rates.push_back(rate);
  }
  return median(rates);
}

// Decoding in turn with reading memory, whose bandwidth may change between any two runs: a run's
// share is of the mean of what was measured before and after it.
struct DecodeRates {
  double tok_s;
  double read_gb_s;
  double tokens_a_gb;  // a token's share of the bandwidth is this times its gigabytes
};
tern::Result<DecodeRates> decode_rates(tern::Session& session,
                                       std::span<const tern::TokenId> tokens, uint32_t depth,
                                       uint32_t repeats, ReadProbe& probe) {
  std::vector<double> rates, shares;
  std::vector<double> reads = {probe.gb_s()};
  for (uint32_t i = 0; i < repeats; ++i) {
    TERN_TRY_ASSIGN(const double rate, time_tokens(session, tokens, depth, 1));
    rates.push_back(rate);
    reads.push_back(probe.gb_s());
    shares.push_back(rate / ((reads[i] + reads[i + 1]) / 2));
  }
  return DecodeRates{median(rates), median(reads), median(shares)};
}

// Multiply-adds of the linear layers, a token.
double products_of(const tern::Model& model) {
  double products = 0;
  for (const tern::LayerWeights& layer : model.weights().layers) {
    for (const tern::LinearRule& rule : model.architecture().linears) {
      const tern::TernaryView view = (layer.*rule.matrix).view();
      products += double{1} * view.rows * view.cols;
    }
  }
  return products;
}

double share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

tern::Result<BenchResult> run_bench(const std::shared_ptr<const tern::Model>& model,
                                    const BenchPlan& plan) {
  reset_peak_memory();
  tern::SessionOptions options = plan.session;
  options.context = std::max({options.context, plan.prompt_tokens, plan.depth + plan.gen_tokens});
  TERN_TRY_ASSIGN(const auto session, tern::Session::create(model, options));
  const InterruptGuard interrupts(session.get());
  const auto tokens = make_tokens(std::max({plan.prompt_tokens, plan.gen_tokens, plan.depth, 1u}),
                                  model->config().vocab_size);

  BenchResult result;
  const tern::KernelTable& kernels = model->kernels();
  result.int8_limit_gmac_s = measure_dot(kernels, options.runner);
  const auto all = std::span<const tern::TokenId>(tokens);
  TERN_TRY(session->evaluate(all.first(1)));  // touches every page once
  if (plan.prompt_tokens != 0) {
    const auto prompt = all.first(plan.prompt_tokens);
    TERN_TRY_ASSIGN(result.prefill_tok_s,
                    median_rate(*session, prompt, 0, prompt.size(), plan.repeats));
    result.int8_peak_share =
        *result.prefill_tok_s * products_of(*model) * 1e-9 / *result.int8_limit_gmac_s;
  }
  if (plan.gen_tokens != 0) {
    if (plan.depth != 0) {
      TERN_TRY(session->reset());
      TERN_TRY(session->evaluate(all.first(plan.depth)));
    }
    // Once untimed, so that the peak of memory is known before the probe takes some.
    const auto text = all.first(plan.gen_tokens);
    TERN_TRY(time_tokens(*session, text, plan.depth, 1));
    result.peak_rss_bytes = peak_memory_bytes();
    ReadProbe probe(kernels, options.runner);
    const tern::SessionStatistics before = session->statistics();
    TERN_TRY_ASSIGN(const DecodeRates rates,
                    decode_rates(*session, text, plan.depth, plan.repeats, probe));
    result.decode_tok_s = rates.tok_s;
    const tern::SessionStatistics after = session->statistics();
    const uint64_t gates = after.skipped.gates.all - before.skipped.gates.all;
    if (gates != 0) {
      result.gate_zero_share = share(after.skipped.gates.zeros - before.skipped.gates.zeros, gates);
      result.input_zero_share =
          share(after.skipped.down_inputs.zeros - before.skipped.down_inputs.zeros,
                after.skipped.down_inputs.all - before.skipped.down_inputs.all);
    }
    result.bytes_per_token = static_cast<double>(after.weight_bytes - before.weight_bytes) /
                             static_cast<double>(after.n_tokens - before.n_tokens);
    result.kv_bytes =
        static_cast<double>((plan.depth + plan.gen_tokens) *
                            tern::KvCache::bytes_per_position(model->config(), options.kv));
    result.bandwidth_gb_s = *result.bytes_per_token * *result.decode_tok_s * 1e-9;
    if (rates.read_gb_s > 0) {
      result.read_limit_gb_s = rates.read_gb_s;
      result.bandwidth_share = rates.tokens_a_gb * *result.bytes_per_token * 1e-9;
    }
  } else {
    result.peak_rss_bytes = peak_memory_bytes();
  }
  return result;
}

}  // namespace cli
