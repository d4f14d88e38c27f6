// tern bench: how fast this machine runs a model, and what share of its own limits that is.
#include <algorithm>
#include <charconv>
#include <chrono>

#include "bench_measurement.hpp"
#include "command.hpp"
#include "console.hpp"
#include "json_writer.hpp"
#include "model_options.hpp"
#include "report.hpp"
#include "tern/convert/synth.hpp"

namespace cli {

namespace {

constexpr CommandHelp kBenchHelp = {
    "tern bench [-m MODEL | --shape NAME] [options]",
    "Measures prefill and greedy decoding, each from an empty context, and what share of this "
    "machine's\n"
    "measured read bandwidth and int8 rate they reach. --shape makes a random model in memory.",
};

struct BenchOptions {
  ModelOptions model;
  std::optional<std::string_view> shape;
  std::optional<std::string_view> threads;
  std::optional<std::string_view> packing;
  std::optional<std::string_view> format = "table";
  bool dense = false;
  bool copy = false;
  uint32_t gate_zeros = 500;
  uint32_t down_zeros = 0;
  BenchPlan plan;

  std::vector<OptionRow> rows() {
    std::vector<OptionRow> rows = {
        {"--shape", "NAME", "a random model of a published shape, instead of -m", &shape},
        {"-p", "N", "tokens of the prompt; 0 leaves prefill out",
         Number<uint32_t>{&plan.prompt_tokens, 0, tern::kMaxContext, "a whole number"}},
        {"-n", "N", "tokens to decode; 0 leaves decoding out",
         Number<uint32_t>{&plan.gen_tokens, 0, tern::kMaxContext, "a whole number"}},
        {"--depth", "N", "decodes behind so many positions instead",
         Number<uint32_t>{&plan.depth, 0, tern::kMaxContext / 2, "a whole number"}},
        {"--packing", "TYPE", "how linear layers lie in memory: t2 or t5", &packing},
        {"--dense", "",
         "reads zeros too, which are skipped by default where that is exact; a tern file keeps its "
         "layout unless --packing is given",
         &dense},
        {"--copy", "", "reads a model file into large pages, instead of mapping it", &copy},
        {"--gate-zeros", "N", "of a random ReLU^2 model: gates in a thousand that are zero",
         Number<uint32_t>{&gate_zeros, 500, 1000, "a whole number from 500 to 1000"}},
        {"--input-zeros", "N",
         "the same for inputs of the down projection; what gates and rounding "
         "give comes first",
         Number<uint32_t>{&down_zeros, 0, 1000, "a whole number up to 1000"}},
        {"--batch", "N", "tokens of the prompt in one pass; 0 takes the default",
         Number<uint32_t>{&model.batch, 0, tern::kMaxBatch, "a whole number up to 4096"}},
        {"--repeat", "N", "runs of which the median counts",
         Number<uint32_t>{&plan.repeats, 1, 1000, "a whole number from 1 to 1000"}},
        {"--format", "TYPE", "table or json", &format},
    };
    model.add_rows(rows);
    for (OptionRow& row : rows) {
      if (row.name == "-t") row = {"-t", "LIST", "numbers of threads, as in 1,2", &threads};
    }
    return rows;
  }
};

// "1,2" as numbers of threads; nothing when it is none.
std::optional<std::vector<uint32_t>> parse_threads(std::string_view text) {
  std::vector<uint32_t> out;
  while (true) {
    const size_t comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    uint32_t value = 0;
    const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), value);
    if (error != std::errc() || end != item.data() + item.size()) return std::nullopt;
    if (value < 1 || value > kMaxThreads) return std::nullopt;
    out.push_back(value);
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

struct BenchLine {
  std::string_view name;  // of the shape or the file
  bool is_shape = false;
  std::string_view isa;
  std::string_view packing;
  std::string head;
  std::string_view kv;
  bool skips = false;
  uint32_t threads = 0;
  BenchPlan plan;
  double load_ms = 0;
  BenchResult result;
};

void put(JsonWriter& json, std::string_view key, std::optional<double> value) {
  json.key(key);
  if (value) {
    json.real(*value);
  } else {
    json.null();
  }
}

std::string bench_json(const std::vector<BenchLine>& lines) {
  JsonWriter json;
  json.begin_array();
  for (const BenchLine& line : lines) {
    json.begin_object();
    json.key(line.is_shape ? "shape" : "model");
    json.text(line.name);
    const std::pair<std::string_view, std::string_view> texts[] = {
        {"isa", line.isa}, {"packing", line.packing}, {"head", line.head}, {"kv", line.kv}};
    for (const auto& [key, value] : texts) {
      json.key(key);
      json.text(value);
    }
    json.key("skipping");
    json.boolean(line.skips);
    const std::pair<std::string_view, uint64_t> counts[] = {
        {"threads", line.threads},
        {"prompt_tokens", line.plan.prompt_tokens},
        {"gen_tokens", line.plan.gen_tokens},
        {"depth", line.plan.depth}};
    for (const auto& [key, value] : counts) {
      json.key(key);
      json.count(value);
    }
    put(json, "prefill_tok_s", line.result.prefill_tok_s);
    put(json, "decode_tok_s", line.result.decode_tok_s);
    put(json, "bytes_per_token", line.result.bytes_per_token);
    put(json, "kv_bytes", line.result.kv_bytes);
    put(json, "bandwidth_gb_s", line.result.bandwidth_gb_s);
    put(json, "bandwidth_share", line.result.bandwidth_share);
    put(json, "int8_peak_share", line.result.int8_peak_share);
    put(json, "gate_zero_share", line.result.gate_zero_share);
    put(json, "input_zero_share", line.result.input_zero_share);
    put(json, "read_limit_gb_s", line.result.read_limit_gb_s);
    put(json, "int8_limit_gmac_s", line.result.int8_limit_gmac_s);
    json.key("peak_rss_bytes");
    json.count(line.result.peak_rss_bytes);
    put(json, "load_ms", line.load_ms);
    json.end_object();
  }
  json.end_array();
  return json.finish();
}

std::string cell(std::optional<double> value, double factor, int digits) {
  return value ? fmt::format("{:.{}f}", *value * factor, digits) : "-";
}

std::string bench_table(const std::vector<BenchLine>& lines) {
  constexpr const char* kRow =
      "{:<16} {:<11} {:<7} {:<5} {:>7} {:>9} {:>9} {:>9} {:>7} {:>7} {:>7} {:>7} {:>9} {:>8}\n";
  std::string text =
      fmt::format(kRow, "model", "isa", "packing", "head", "threads", "prefill", "decode",
                  "MB/token", "GB/s", "of read", "of int8", "gates 0", "peak MiB", "load ms");
  for (const BenchLine& line : lines) {
    const BenchResult& r = line.result;
    text += fmt::format(kRow, line.name, line.isa, line.packing, line.head, line.threads,
                        cell(r.prefill_tok_s, 1, 1), cell(r.decode_tok_s, 1, 1),
                        cell(r.bytes_per_token, 1e-6, 1), cell(r.bandwidth_gb_s, 1, 1),
                        cell(r.bandwidth_share, 100, 0), cell(r.int8_peak_share, 100, 0),
                        cell(r.gate_zero_share, 100, 0), r.peak_rss_bytes >> 20,
                        cell(line.load_ms, 1, 1));
  }
  text += fmt::format(
      "prefill of {} and decode of {} tokens in tokens a second, medians of {}; this machine "
      "measured:\n",
      lines.front().plan.prompt_tokens, lines.front().plan.gen_tokens, lines.front().plan.repeats);
  for (const BenchLine& line : lines) {
    text += fmt::format("  {} threads: reads {} GB/s, {} int8 GMAC/s\n", line.threads,
                        cell(line.result.read_limit_gb_s, 1, 1),
                        cell(line.result.int8_limit_gmac_s, 1, 0));
  }
  return text;
}

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

// The model of -m, or a random one of --shape as a tern file in memory.
std::optional<int> load_bench_model(const BenchOptions& options, OpenModel& out, double& load_ms) {
  tern::LoadOptions load;
  if (const auto status = prepare_load(options.model, out, load)) return status;
  if (const auto status = read_packing("--packing", options.packing, load.packing)) return status;
  load.skip_zeros = !options.dense;
  std::string_view name = *options.model.model;
  if (options.shape) {
    name = *options.shape;
    const tern::ModelShape* shape = nullptr;
    if (const auto status = read_shape(name, shape)) return status;
    tern::SynthOptions synth;
    synth.runner = out.runner;
    // prepare_load has found the name good.
    synth.packing = load.packing.value_or(tern::select_kernels(load.isa)->packing);
    if (load.head == tern::HeadOption::q6) synth.head = tern::TensorType::q6_k;
    if (load.head != tern::HeadOption::keep && load.head != tern::HeadOption::q6) {
      synth.head = tern::TensorType::i8;
    }
    synth.skip_zeros = load.skip_zeros;
    synth.gate_zeros = options.gate_zeros;
    synth.down_zeros = options.down_zeros;
    if (!tern::is_two_stage(load.head)) load.head = tern::HeadOption::keep;
    auto image = tern::synthesize(*shape, synth, load.allocator);
    if (!image.ok()) return fail(image.error(), name);
    out.image = *std::move(image);
  }
  const auto start = std::chrono::steady_clock::now();
  const tern::FileAccess access =
      options.copy ? tern::FileAccess::copied : tern::FileAccess::mapped;
  std::optional<CheckpointPtr> checkpoint;
  if (!options.shape && !(checkpoint = open_checkpoint(name, access))) return kFailed;
  auto model = options.shape ? tern::Model::load_memory(out.image.span(), load)
                             : tern::Model::load(*std::move(checkpoint), load);
  load_ms = milliseconds_since(start);
  if (!model.ok()) return fail(model.error(), name);
  out.model = *std::move(model);
  return std::nullopt;
}

std::string_view body_packing(const tern::Model& model) {
  const auto& layers = model.weights().layers;
  if (layers.empty()) return "none";
  return tern::is_five(layers[0].attn_q.view().packing) ? "t5" : "t2";
}

std::string head_name(const tern::Model& model) {
  std::string name = tern::type_info(model.weights().head.type).name;
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return name;
}

}  // namespace

int bench_command(Arguments arguments) {
  BenchOptions options;
  if (const auto status = parse_options(kBenchHelp, options.rows(), arguments)) return *status;
  const auto threads = options.threads ? parse_threads(*options.threads)
                                       : std::optional(std::vector{options.model.threads});
  if (!threads) return fail_usage("-t", "must be numbers from 1 to 1024 with commas between");
  if (*options.format != "table" && *options.format != "json") {
    return fail_usage("--format", "must be table or json");
  }
  if (options.plan.prompt_tokens == 0 && options.plan.gen_tokens == 0) {
    return fail_usage("-n", "there is nothing to measure without a prompt and tokens to decode");
  }
  options.model.threads = *std::max_element(threads->begin(), threads->end());

  OpenModel open;
  double load_ms = 0;
  if (const auto status = load_bench_model(options, open, load_ms)) return *status;
  std::vector<BenchLine> lines;
  for (const uint32_t n : *threads) {
    BenchLine line;
    line.name = options.shape.value_or(*options.model.model);
    line.is_shape = options.shape.has_value();
    line.isa = open.model->kernels().isa;
    line.packing = body_packing(*open.model);
    line.head = head_name(*open.model);
    line.kv = *options.model.kv;
    const auto& layers = open.model->weights().layers;
    line.skips =
        !options.dense && !layers.empty() && tern::is_rows(layers[0].ffn_up.view().packing);
    line.load_ms = load_ms;
    line.plan = options.plan;
    line.threads = n;
    auto pool = tern::ThreadPool::create(n, tern::default_allocator());
    if (!pool.ok()) return fail(pool.error(), "-t");
    line.plan.session.runner = tern::TaskRunner(*std::move(pool));
    line.plan.session.kv = kv_type(options.model);
    line.plan.session.batch = options.model.batch;
    line.plan.session.context = options.model.context;
    line.plan.session.skip_zeros = !options.dense;
    auto result = run_bench(open.model, line.plan);
    if (!result.ok()) return fail(result.error(), line.name);
    line.result = *result;
    lines.push_back(line);
  }
  write_out(*options.format == "json" ? bench_json(lines) : bench_table(lines));
  return kDone;
}

}  // namespace cli
