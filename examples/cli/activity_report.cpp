#include "activity_report.hpp"

#include <algorithm>
#include <array>

#include "console.hpp"
#include "interrupt.hpp"
#include "json_writer.hpp"
#include "model_options.hpp"
#include "report.hpp"

namespace cli {

namespace {

constexpr size_t kWindow = 512;

/// What part of a layer is idle, by the linear layers that it concerns.
struct Shares {
  double qkv, output, gate, up, down, overall;
};
struct ShareColumn {
  std::string_view name;
  double Shares::*share;
};
constexpr ShareColumn kColumns[] = {
    {"qkv", &Shares::qkv}, {"output", &Shares::output}, {"gate", &Shares::gate},
    {"up", &Shares::up},   {"down", &Shares::down},     {"overall", &Shares::overall},
};

double share(const tern::ZeroCount& count) {
  return count.all == 0 ? 0 : static_cast<double>(count.zeros) / static_cast<double>(count.all);
}

// Zero inputs of each linear layer, counted as the BitNet a4.8 paper counts them (table 2): a
// weight of `up` is idle where its input is zero or its gate is dead; overall is the mean over
// weights.
Shares shares_of(const tern::LayerActivity& layer, const tern::ModelConfig& config) {
  Shares s{};
  s.qkv = share(layer.qkv_inputs);
  s.output = share(layer.output_inputs);
  s.gate = share(layer.ffn_inputs);
  s.up = 1 - (1 - s.gate) * (1 - share(layer.gates));
  s.down = share(layer.down_inputs);
  const double model_dim = config.model_dim;
  const double qkv = model_dim * (config.q_dim() + 2.0 * config.kv_dim());
  const double output = model_dim * config.q_dim();
  const double ffn = model_dim * config.ffn_dim;
  s.overall =
      (s.qkv * qkv + s.output * output + (s.gate + s.up + s.down) * ffn) / (qkv + output + 3 * ffn);
  return s;
}

tern::LayerActivity sum_of(std::span<const tern::LayerActivity> layers) {
  tern::LayerActivity sum;
  for (const tern::LayerActivity& layer : layers) {
    for (tern::ZeroCount tern::LayerActivity::*part :
         {&tern::LayerActivity::qkv_inputs, &tern::LayerActivity::output_inputs,
          &tern::LayerActivity::ffn_inputs, &tern::LayerActivity::gates,
          &tern::LayerActivity::down_inputs}) {
      (sum.*part).add((layer.*part).all, (layer.*part).zeros);
    }
  }
  return sum;
}

tern::Result<void> run_text(tern::Session& session, std::span<const tern::TokenId> ids) {
  Progress progress("activations", ids.size());
  const size_t window = session.capacity();
  for (size_t begin = 0; begin < ids.size(); begin += window) {
    TERN_TRY(session.truncate(0));
    TERN_TRY(session.evaluate(ids.subspan(begin, std::min(window, ids.size() - begin))));
    progress.update(begin);
    if (is_interrupted()) return tern::Error(tern::Status::cancelled, "interrupted");
  }
  return {};
}

std::string activity_text(std::span<const tern::LayerActivity> layers,
                          const tern::ModelConfig& config) {
  std::string text = "idle, in percent: inputs that are zero; of up also dead gates\n\n layer";
  for (const ShareColumn& column : kColumns) text += fmt::format("  {:>7}", column.name);
  const auto add_line = [&](std::string_view label, const tern::LayerActivity& layer) {
    const Shares shares = shares_of(layer, config);
    text += fmt::format("\n{:>6}", label);
    for (const ShareColumn& column : kColumns) {
      text += fmt::format("  {:>7.1f}", shares.*column.share * 100);
    }
  };
  for (size_t i = 0; i < layers.size(); ++i) add_line(fmt::format("{}", i), layers[i]);
  add_line("all", sum_of(layers));
  return text + "\n";
}

std::string activity_json(std::span<const tern::LayerActivity> layers,
                          const tern::ModelConfig& config, size_t n_tokens) {
  JsonWriter json;
  const auto put_shares = [&](const tern::LayerActivity& layer) {
    const Shares shares = shares_of(layer, config);
    json.begin_object();
    for (const ShareColumn& column : kColumns) {
      json.key(column.name);
      json.real(shares.*column.share);
    }
    json.end_object();
  };
  json.begin_object();
  json.key("tokens");
  json.count(n_tokens);
  json.key("layers");
  json.begin_array();
  for (const tern::LayerActivity& layer : layers) put_shares(layer);
  json.end_array();
  json.key("all");
  put_shares(sum_of(layers));
  json.end_object();
  return json.finish();
}

}  // namespace

int report_activity(std::string_view model, std::string_view text_path, bool json) {
  ModelOptions options;
  options.model = model;
  OpenModel open;
  if (const auto status = load_model(options, open)) return *status;
  if (const auto status = open_session(options, open, kWindow)) return *status;
  const tern::Tokenizer* tokenizer = require_tokenizer(options, *open.model);
  if (tokenizer == nullptr) return kFailed;
  const auto text = read_text_file(text_path);
  if (!text) return kFailed;
  tern::Vector<tern::TokenId> ids;
  const auto encoded = tokenizer->encode(*text, {false, false}, ids);
  if (!encoded.ok()) return fail(encoded.error(), text_path);
  if (ids.empty()) {
    say(fmt::format("{}: no tokens to count", one_line(text_path)));
    return kFailed;
  }
  std::vector<tern::LayerActivity> layers(open.model->config().n_layers);
  const auto counting = open.session->count_activity(layers);
  if (!counting.ok()) return fail(counting.error(), model);
  const InterruptGuard interrupts(open.session.get());
  const auto ran = run_text(*open.session, ids);
  if (!ran.ok()) return fail(ran.error(), model);
  const tern::ModelConfig& config = open.model->config();
  write_out(json ? activity_json(layers, config, ids.size()) : activity_text(layers, config));
  return kDone;
}

}  // namespace cli
