// tern convert: makes a tern file of a model, which loads without packing.
#include "command.hpp"
#include "console.hpp"
#include "interrupt.hpp"
#include "model_options.hpp"
#include "output_file.hpp"
#include "report.hpp"
#include "tern/convert/tern_file.hpp"

namespace cli {

namespace {

constexpr CommandHelp kConvertHelp = {
    "tern convert IN OUT [--weights t2|t5] [--head keep|q6|i8] [--i2s-layout x86|arm]",
    "Makes a tern file of a GGUF or tern file. It gives the same text, bit for bit, as the file it "
    "was\n"
    "made of, and loads at once: weights are packed already, and are read from the mapped file.",
};

tern::Result<void> write_model(const tern::TernFile& model, OutputFile& file) {
  Progress progress("convert", model.size_bytes());
  uint64_t done = 0;
  return model.write([&](std::span<const uint8_t> bytes) -> tern::Result<void> {
    if (is_interrupted()) return tern::Error(tern::Status::cancelled, "interrupted");
    TERN_TRY(file.write(bytes.data(), bytes.size()));
    progress.update(done += bytes.size());
    return {};
  });
}

}  // namespace

int convert_command(Arguments arguments) {
  std::optional<std::string_view> in;
  std::optional<std::string_view> out;
  std::optional<std::string_view> weights;
  std::optional<std::string_view> head = "keep";
  std::optional<std::string_view> layout = "x86";
  const OptionRow rows[] = {
      {"IN", "", "a GGUF or tern file, or @stories: the model inside the program", &in, true},
      {"OUT", "", "the tern file", &out, true},
      {"--weights", "TYPE",
       "how weights are packed: t2 or t5; by default what this machine reads fastest, or as they "
       "are",
       &weights},
      {"--head", "TYPE", "what the output head is kept as: keep, q6 or i8", &head},
      i2s_layout_row(layout),
  };
  if (const auto status = parse_options(kConvertHelp, rows, arguments)) return *status;
  tern::LoadOptions load;
  if (const auto status = read_packing("--weights", weights, load.packing)) return *status;
  if (const auto status = read_head(*head, load.head)) return *status;
  if (const auto status = read_i2s_layout(*layout, load.i2_s_layout)) return *status;

  const InterruptGuard interrupts;
  const auto source = open_model_bytes(*in);
  if (!source) return kFailed;
  auto pool =
      tern::ThreadPool::create(static_cast<uint32_t>(tern::available_processors()), load.allocator);
  if (!pool.ok()) return fail(pool.error(), "threads");
  load.runner = tern::TaskRunner(*std::move(pool));
  const auto model = tern::Model::load_memory(source->bytes, load);
  if (!model.ok()) return fail(model.error(), *in);
  const auto parsed = tern::GgufFile::parse(source->bytes, load.allocator);
  if (!parsed.ok()) return fail(parsed.error(), *in);
  const auto planned = tern::TernFile::create(**model, *parsed);
  if (!planned.ok()) return fail(planned.error(), *in);

  auto file = OutputFile::create(*out);
  if (!file.ok()) return fail(file.error(), *out);
  if (const auto written = write_model(*planned, *file); !written.ok()) {
    return fail(written.error(), *out);
  }
  if (const auto kept = file->keep(); !kept.ok()) return fail(kept.error(), *out);
  return kDone;
}

}  // namespace cli
