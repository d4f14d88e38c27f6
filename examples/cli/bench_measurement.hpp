// What `tern bench` measures of one model with one number of threads.
//
// Program tern.
#pragma once

#include <memory>
#include <optional>

#include "tern/tern.hpp"

namespace cli {

struct BenchPlan {
  uint32_t prompt_tokens = 512;  ///< 0: prefill is not measured
  uint32_t gen_tokens = 64;      ///< 0: decoding is not measured
  uint32_t depth = 0;            ///< positions that are there before decoding
  uint32_t repeats = 3;          ///< the median of so many is reported
  tern::SessionOptions session;  ///< its runner has the threads; its context grows as needed
};

/// Rates are medians. What was not measured, or does not exist for the model, is absent.
struct BenchResult {
  std::optional<double> prefill_tok_s;
  std::optional<double> decode_tok_s;
  std::optional<double> bytes_per_token;    ///< weights and head that a decoded token read
  std::optional<double> kv_bytes;           ///< keys and values that the last decoded token read
  std::optional<double> gate_zero_share;    ///< gates that were zero after ReLU
  std::optional<double> input_zero_share;   ///< inputs of the down projection that were zero
  std::optional<double> bandwidth_gb_s;     ///< bytes_per_token * decode_tok_s
  std::optional<double> bandwidth_share;    ///< of the read bandwidth before and after each run
  std::optional<double> read_limit_gb_s;    ///< that bandwidth
  std::optional<double> int8_peak_share;    ///< prefill's multiply-adds of the machine's peak
  std::optional<double> int8_limit_gmac_s;  ///< that peak
  uint64_t peak_rss_bytes = 0;
};

/// Errors: those of Session; cancelled after an interrupt.
tern::Result<BenchResult> run_bench(const std::shared_ptr<const tern::Model>& model,
                                    const BenchPlan& plan);

}  // namespace cli
