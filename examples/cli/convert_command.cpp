// tern convert: makes a tern file of a model, which loads without packing, or a GGUF file.
#include "command.hpp"
#include "console.hpp"
#include "interrupt.hpp"
#include "model_options.hpp"
#include "output_file.hpp"
#include "pcre2_patterns.hpp"
#include "report.hpp"
#include "tern/convert/gguf_export.hpp"
#include "tern/convert/tern_file.hpp"

namespace cli {

namespace {

constexpr CommandHelp kConvertHelp = {
    "tern convert IN OUT [--weights t2|t5|tq1_0|tq2_0|i2_s|f16] [--round-scales]\n"
    "               [--head keep|q6|i8] [--i2s-layout x86|arm]",
    "Makes a tern file (t2, t5) or a GGUF file (tq1_0, tq2_0, i2_s, f16) of a model. A tern file\n"
    "gives the same text, bit for bit, as what it was made of, and loads at once: weights are\n"
    "packed, and are read from the mapped file.\n"
    "A GGUF file is for other programs: it holds the same values, or is not made. A linear layer\n"
    "that its type does not hold exactly is F16 there if that does. Without --weights an OUT that\n"
    "ends in .gguf is tq2_0; but i2_s, whose scales are f32, where a scale is not exact in f16.\n"
    "The architecture keeps its name: bitnet, llama, qwen3 and gemma3 in tq1_0, tq2_0 or f16 are\n"
    "for llama.cpp; bitnet-b1.58 (as BitNet b1.58 2B-4T) and i2_s are for bitnet.cpp.",
};

// What --weights names: a packing of tern files, or a type of GGUF files.
struct WeightsName {
  std::optional<tern::Packing> packing;
  std::optional<tern::TensorType> type;
};
constexpr std::string_view kWeightsNames[] = {"t2", "t5", "tq1_0", "tq2_0", "i2_s", "f16"};
constexpr WeightsName kWeights[] = {
    {tern::Packing::t2, {}},       {tern::Packing::t5, {}},      {{}, tern::TensorType::tq1_0},
    {{}, tern::TensorType::tq2_0}, {{}, tern::TensorType::i2_s}, {{}, tern::TensorType::f16},
};

// What to make.
struct Target {
  std::optional<tern::Packing> packing;  // of a tern file; the machine's where it is absent
  bool is_gguf = false;
  tern::ExportOptions exported;
};

// By --weights, else by the name of OUT. Nothing when that is clear; else the exit status, after a
// line that says why.
std::optional<int> read_weights(std::optional<std::string_view> text, std::string_view out,
                                Target& target) {
  const bool is_gguf_name = out.ends_with(".gguf");
  target.is_gguf = is_gguf_name;
  if (!text) return std::nullopt;
  const auto at = read_name("--weights", *text, kWeightsNames);
  if (!at) return kWrongUsage;
  const WeightsName& weights = kWeights[*at];
  target.packing = weights.packing;
  target.exported.linear = weights.type;
  target.is_gguf = weights.type.has_value();
  if (weights.type ? out.ends_with(".tern") : is_gguf_name) {
    return fail_usage("--weights",
                      fmt::format("{} is for {} files, and {} is named otherwise", *text,
                                  weights.type ? "GGUF" : "tern", one_line(out)));
  }
  return std::nullopt;
}

// A bar of loading, which is most of the time; Ctrl-C ends it.
class LoadBar {
 public:
  tern::ProgressHook hook() { return {this, &report}; }

 private:
  static bool report(void* user, uint64_t done, uint64_t total) {
    auto& bar = static_cast<LoadBar*>(user)->bar_;
    if (!bar) bar.emplace("load", total);
    bar->update(done);
    return !is_interrupted();
  }

  std::optional<Progress> bar_;
};

// The model, loaded with a bar. Errors: those of Model::load.
tern::Result<std::shared_ptr<const tern::Model>> load_with_bar(const CheckpointPtr& source,
                                                               tern::LoadOptions load) {
  LoadBar bar;
  load.progress = bar.hook();
  return tern::Model::load(source, load);
}

// Writes what `writer(sink)` hands out, with a progress bar, and keeps it. The exit status.
template <typename Writer>
int write_file(std::string_view path, OutputFile& file, uint64_t size, Writer&& writer) {
  uint64_t done = 0;
  Progress progress("convert", size);
  const auto written = writer([&](std::span<const uint8_t> bytes) -> tern::Result<void> {
    if (is_interrupted()) return tern::Error(tern::Status::cancelled, "interrupted");
    TERN_TRY(file.write(bytes.data(), bytes.size()));
    progress.update(done += bytes.size());
    return {};
  });
  if (!written.ok()) return fail(written.error(), path);
  if (const auto kept = file.keep(); !kept.ok()) return fail(kept.error(), path);
  return kDone;
}

// A line about the type that a file got because none was asked for.
void say_choice(const tern::GgufExport& exported) {
  if (exported.not_in_tq2_0().empty()) {
    say("linear layers are written as TQ2_0");
    return;
  }
  say(
      fmt::format("linear layers are written as I2_S: {}: a scale is not exact in f16, which TQ2_0 "
                  "has (--round-scales rounds)",
                  one_line(exported.not_in_tq2_0())));
}

// Lines about what is not as it was asked for, or not as it was stored.
void say_exceptions(const tern::GgufExport& exported) {
  struct Exception {
    tern::TernaryFit fit;
    std::string_view why;
  };
  constexpr Exception kExceptions[] = {
      {tern::TernaryFit::ragged_rows, "rows are no whole blocks"},
      {tern::TernaryFit::many_scales, "it has more scales than the type"},
  };
  for (const Exception& row : kExceptions) {
    std::string first;
    size_t n = 0;
    for (const tern::ExportItem& item : exported.items()) {
      if (item.fit == row.fit && n++ == 0) first = item.name;
    }
    if (n == 0) continue;
    if (n > 1) first += fmt::format(" and {} more", n - 1);
    say(fmt::format("{}: written as F16: {}", one_line(first), row.why));
  }
  size_t n_rounded = 0, n_layers = 0;
  for (const tern::ExportItem& item : exported.items()) {
    n_rounded += item.n_rounded;
    n_layers += item.n_rounded != 0 ? 1 : 0;
  }
  if (n_rounded != 0) {
    say(fmt::format("{} scale{} of {} linear layer{} rounded to f16", n_rounded,
                    n_rounded == 1 ? "" : "s", n_layers,
                    n_layers == 1 ? (n_rounded == 1 ? " is" : " are") : "s are"));
  }
  for (const tern::ExportItem& item : exported.items()) {
    if (!item.is_narrowed) continue;
    say(fmt::format("{}: BF16 is written as F16, exact in every value", one_line(item.name)));
  }
}

}  // namespace

int convert_command(Arguments arguments) {
  std::optional<std::string_view> in;
  std::optional<std::string_view> out;
  std::optional<std::string_view> weights_name;
  std::optional<std::string_view> head = "keep";
  std::optional<std::string_view> layout = "x86";
  Target target;
  const OptionRow rows[] = {
      {"IN", "", kModelHelp, &in, true},
      {"OUT", "", "the file to make", &out, true},
      {"--weights", "TYPE",
       "how linear layers are stored; in a tern file by default as this machine reads fastest, or "
       "as they are",
       &weights_name},
      {"--round-scales", "",
       "round scales that are not exact in f16 where the type has such (GGUF files only)",
       &target.exported.round_scales},
      {"--head", "TYPE", "what the output head is kept as: keep, q6 or i8 (tern files only)",
       &head},
      i2s_layout_row(layout),
  };
  if (const auto status = parse_options(kConvertHelp, rows, arguments)) return *status;
  if (const auto status = read_weights(weights_name, *out, target)) return *status;
  tern::LoadOptions load;
  if (const auto status = read_head(*head, load.head)) return *status;
  if (const auto status = read_i2s_layout(*layout, load.i2_s_layout)) return *status;
  if (tern::is_two_stage(load.head)) {
    return fail_usage("--head", "files hold i8: a two-stage head is made of it at load");
  }
  if (target.is_gguf && load.head == tern::HeadOption::i8) {
    return fail_usage("--head", "i8 is for tern files");
  }
  if (target.exported.round_scales && !target.is_gguf) {
    return fail_usage("--round-scales", "is for GGUF files");
  }

  const InterruptGuard interrupts;
  const auto source = open_checkpoint(*in);
  if (!source) return kFailed;
  auto pool =
      tern::ThreadPool::create(static_cast<uint32_t>(tern::available_processors()), load.allocator);
  if (!pool.ok()) return fail(pool.error(), "threads");
  load.runner = tern::TaskRunner(*std::move(pool));
  load.packing = target.packing;
  load.patterns = pattern_compiler();
  // On the way to another file the smallest packing; but what is packed is taken as it is.
  if (target.is_gguf && (*source)->file().find(tern::kTernVersionKey) == nullptr) {
    load.packing = tern::Packing::t5;
    load.skip_zeros = false;
  }
  // Before the work: a place that cannot be written to is known at once.
  auto file = OutputFile::create(*out);
  if (!file.ok()) return fail(file.error(), *out);
  const auto model = load_with_bar(*source, load);
  if (!model.ok()) return fail(model.error(), *in);

  if (!target.is_gguf) {
    const auto planned = tern::TernFile::create(**model);
    if (!planned.ok()) return fail(planned.error(), *in);
    return write_file(*out, *file, planned->size_bytes(),
                      [&](auto&& sink) { return planned->write(sink); });
  }
  const auto planned = tern::GgufExport::create(**model, target.exported);
  if (!planned.ok()) return fail(planned.error(), *in);
  if (!target.exported.linear) say_choice(*planned);
  const int status = write_file(*out, *file, planned->size_bytes(),
                                [&](auto&& sink) { return planned->write(load.runner, sink); });
  if (status == kDone) say_exceptions(*planned);
  return status;
}

}  // namespace cli
