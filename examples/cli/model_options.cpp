// Opening models by the options of the command line (model_options.hpp).
#include "model_options.hpp"

#include <algorithm>
#include <cstdlib>

#include "console.hpp"
#include "pcre2_patterns.hpp"
#include "report.hpp"

namespace cli {

namespace {

constexpr std::string_view kKvNames[] = {"f16", "i8", "i4", "i3", "f32"};  // as CacheType
constexpr std::string_view kHeadNames[] = {"keep", "q6", "i8", "two-stage", "two-stage-likely"};
constexpr std::string_view kPackingNames[] = {"t2", "t5"};
constexpr std::string_view kI2sLayoutNames[] = {"x86", "arm"};

}  // namespace

std::optional<size_t> read_name(std::string_view option, std::string_view text,
                                std::span<const std::string_view> names) {
  const auto at = std::find(names.begin(), names.end(), text);
  if (at != names.end()) return static_cast<size_t>(at - names.begin());
  fail_usage(option,
             fmt::format("must be one of {}, not '{}'", fmt::join(names, ", "), one_line(text)));
  return std::nullopt;
}

std::optional<CheckpointPtr> open_checkpoint(std::string_view name, tern::FileAccess access) {
  const tern::AllocatorHooks hooks = tern::default_allocator();
  const std::span<const uint8_t> embedded = embedded_model(name);
  auto checkpoint = embedded.empty() ? tern::Checkpoint::open(name, access, hooks)
                                     : tern::Checkpoint::view(embedded, hooks);
  if (checkpoint.ok()) return *std::move(checkpoint);
  fail(checkpoint.error(), name);
  return std::nullopt;
}

OptionRow model_row(std::optional<std::string_view>& model) {
  return {"-m", "MODEL", kModelHelp, &model};
}

OptionRow i2s_layout_row(std::optional<std::string_view>& layout) {
  return {"--i2s-layout", "NAME",
          "which bitnet.cpp wrote tensors of type I2_S: x86, as all published files, or arm",
          &layout};
}

std::string_view environment_isa() {
  const char* isa = std::getenv("TERN_ISA");
  return isa != nullptr ? isa : "";
}

int fail_isa(const tern::Error& error, std::string_view isa, bool from_environment) {
  const bool is_unknown = error.status == tern::Status::isa_unknown;
  say(fmt::format("{} {}: {}", from_environment ? "TERN_ISA" : "--isa", one_line(isa), error.what));
  return is_unknown ? kWrongUsage : kFailed;
}

ModelOptions::ModelOptions() : threads(static_cast<uint32_t>(tern::available_processors())) {
  if (threads > kMaxThreads) threads = kMaxThreads;
}

tern::CacheType kv_type(const ModelOptions& options) {
  const auto at = std::find(std::begin(kKvNames), std::end(kKvNames), options.kv);
  return static_cast<tern::CacheType>(at - std::begin(kKvNames));
}

std::optional<int> read_head(std::string_view text, tern::HeadOption& out) {
  const auto at = read_name("--head", text, kHeadNames);
  if (!at) return kWrongUsage;
  constexpr tern::HeadOption kHeads[] = {tern::HeadOption::keep, tern::HeadOption::q6,
                                         tern::HeadOption::i8, tern::HeadOption::two_stage,
                                         tern::HeadOption::two_stage_likely};
  out = kHeads[*at];
  return std::nullopt;
}

std::optional<int> read_i2s_layout(std::string_view text, tern::I2sLayout& out) {
  const auto at = read_name("--i2s-layout", text, kI2sLayoutNames);
  if (!at) return kWrongUsage;
  out = *at == 0 ? tern::I2sLayout::x86 : tern::I2sLayout::arm;
  return std::nullopt;
}

std::optional<int> read_packing(std::string_view option, std::optional<std::string_view> text,
                                std::optional<tern::Packing>& out) {
  if (!text) return std::nullopt;
  const auto at = read_name(option, *text, kPackingNames);
  if (!at) return kWrongUsage;
  out = *at == 0 ? tern::Packing::t2 : tern::Packing::t5;
  return std::nullopt;
}

std::optional<int> read_shape(std::string_view text, const tern::ModelShape*& out) {
  const auto shape = tern::find_shape(text);
  if (shape.ok()) {
    out = *shape;
    return std::nullopt;
  }
  say(fmt::format("--shape {}: {}", one_line(text), shape.error().what));
  return shape.status() == tern::Status::unsupported ? kFailed : kWrongUsage;
}

void ModelOptions::add_rows(std::vector<OptionRow>& rows) {
  const OptionRow table[] = {
      model_row(model),
      {"-t", "THREADS", "threads; results do not depend on them",
       Number<uint32_t>{&threads, 1, kMaxThreads, "a whole number from 1 to 1024"}},
      {"--isa", "NAME", "instruction set, as `tern info` lists them; results do not depend on it",
       &isa},
      {"--kv", "TYPE", "what keys and values are kept as: f16, i8, i4, i3 or f32", &kv},
      {"--head", "TYPE",
       "what the output head is kept as: keep, q6, i8, two-stage or two-stage-likely", &head},
      {"--ctx", "N", "positions of the context; 0 takes the model's",
       Number<uint32_t>{&context, 0, tern::kMaxContext, "a whole number up to 1048575"}},
      i2s_layout_row(i2s_layout),
  };
  rows.insert(rows.end(), std::begin(table), std::end(table));
}

std::optional<int> prepare_load(const ModelOptions& options, OpenModel& out,
                                tern::LoadOptions& load) {
  const auto kv = read_name("--kv", *options.kv, kKvNames);
  if (!kv) return kWrongUsage;
  if (const auto status = read_head(*options.head, load.head)) return status;
  if (const auto status = read_i2s_layout(*options.i2s_layout, load.i2_s_layout)) return status;
  if (options.isa && options.isa->empty()) return fail_usage("--isa", "needs a name");
  const std::string_view isa = options.isa.value_or(environment_isa());
  // Before the file: a wrong name is wrong usage, whatever the file is.
  if (const auto kernels = tern::select_kernels(isa); !kernels.ok()) {
    return fail_isa(kernels.error(), isa, !options.isa);
  }
  load.isa = isa;
  load.patterns = pattern_compiler();
  if (options.threads > 1) {
    auto pool = tern::ThreadPool::create(options.threads, load.allocator);
    if (!pool.ok()) return fail(pool.error(), "-t");
    out.runner = tern::TaskRunner(*std::move(pool));
  }
  load.runner = out.runner;
  return std::nullopt;
}

std::optional<int> load_model(const ModelOptions& options, OpenModel& out) {
  tern::LoadOptions load;
  if (const auto status = prepare_load(options, out, load)) return status;
  auto checkpoint = open_checkpoint(*options.model);
  if (!checkpoint) return kFailed;
  auto model = tern::Model::load(*std::move(checkpoint), load);
  if (!model.ok()) return fail(model.error(), *options.model);
  out.model = *std::move(model);
  return std::nullopt;
}

uint32_t context_size(const ModelOptions& options, const tern::Model& model) {
  return options.context != 0 ? options.context : model.config().context_len;
}

std::optional<int> open_session(const ModelOptions& options, OpenModel& out,
                                size_t most_positions) {
  tern::SessionOptions session_options;
  session_options.context =
      static_cast<uint32_t>(std::min<size_t>(context_size(options, *out.model), most_positions));
  session_options.kv = kv_type(options);
  session_options.batch = options.batch;
  session_options.runner = out.runner;
  auto session = tern::Session::create(out.model, session_options);
  if (!session.ok()) return fail(session.error(), *options.model);
  out.session = *std::move(session);
  return std::nullopt;
}

const tern::Tokenizer* require_tokenizer(const ModelOptions& options, const tern::Model& model) {
  if (model.tokenizer() == nullptr) {
    fail({tern::Status::unsupported_tokenizer, "the model has no vocabulary"}, *options.model);
  }
  return model.tokenizer();
}

std::optional<std::string> read_text_file(std::string_view path) {
  std::string text;
  if (path == "-") {
    if (read_all_input(text)) return text;
    fail({tern::Status::io_error, "cannot read"}, "standard input");
    return std::nullopt;
  }
  const auto file =
      tern::FileBytes::open(path, tern::FileAccess::copied, tern::default_allocator());
  if (!file.ok()) {
    fail(file.error(), path);
    return std::nullopt;
  }
  const auto bytes = file->bytes();
  text.assign(bytes.begin(), bytes.end());
  return text;
}

}  // namespace cli
