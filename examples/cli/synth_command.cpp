// tern synth: makes a random model of a published shape.
#include "tern/convert/synth.hpp"

#include "command.hpp"
#include "console.hpp"
#include "interrupt.hpp"
#include "model_options.hpp"
#include "output_file.hpp"
#include "report.hpp"

namespace cli {

namespace {

constexpr CommandHelp kSynthHelp = {
    "tern synth --shape NAME -o FILE [--seed 0]",
    "Makes a tern file of a published shape with random ternary weights, to measure with. It has "
    "no\n"
    "vocabulary.",
};

std::string shape_names() {
  std::string names = "the shape:";
  for (const tern::ModelShape& shape : tern::kModelShapes) {
    if (!shape.architecture.empty()) names += fmt::format(" {}", shape.name);
  }
  return names;
}

tern::Result<void> write_image(std::span<const uint8_t> image, OutputFile& file) {
  constexpr size_t kPiece = size_t{1} << 20;
  Progress progress("synth", image.size());
  for (size_t done = 0; done < image.size(); done += kPiece) {
    if (is_interrupted()) return tern::Error(tern::Status::cancelled, "interrupted");
    const auto piece = image.subspan(done, std::min(kPiece, image.size() - done));
    TERN_TRY(file.write(piece.data(), piece.size()));
    progress.update(done + piece.size());
  }
  return {};
}

}  // namespace

int synth_command(Arguments arguments) {
  std::optional<std::string_view> shape_name;
  std::optional<std::string_view> out;
  std::optional<std::string_view> weights;
  tern::SynthOptions options;
  const std::string names = shape_names();
  bool dense = false;
  const OptionRow rows[] = {
      {"--dense", "", "lays nothing out for skipping zeros", &dense},
      {"--shape", "NAME", names, &shape_name, true},
      {"-o", "FILE", "the tern file", &out, true},
      {"--seed", "N", "another number, another model",
       Number<uint64_t>{&options.seed, 0, ~uint64_t{0}, "a whole number"}},
      {"--weights", "TYPE",
       "how weights are packed: t2 or t5; by default what this machine reads "
       "fastest",
       &weights},
  };
  if (const auto status = parse_options(kSynthHelp, rows, arguments)) return *status;
  const tern::ModelShape* shape = nullptr;
  if (const auto status = read_shape(*shape_name, shape)) return *status;
  std::optional<tern::Packing> packing;
  if (const auto status = read_packing("--weights", weights, packing)) return *status;
  if (!packing) {
    const std::string_view isa = environment_isa();
    const auto kernels = tern::select_kernels(isa);
    if (!kernels.ok()) return fail_isa(kernels.error(), isa, true);
    packing = kernels->packing;
  }
  options.packing = *packing;
  options.skip_zeros = !dense;

  const InterruptGuard interrupts;
  const tern::AllocatorHooks hooks = tern::default_allocator();
  auto pool = tern::ThreadPool::create(static_cast<uint32_t>(tern::available_processors()), hooks);
  if (!pool.ok()) return fail(pool.error(), "threads");
  options.runner = tern::TaskRunner(*std::move(pool));
  // Before the work: a place that cannot be written to is known at once.
  auto file = OutputFile::create(*out);
  if (!file.ok()) return fail(file.error(), *out);
  const auto image = tern::synthesize(*shape, options, hooks);
  if (!image.ok()) return fail(image.error(), *shape_name);
  if (const auto written = write_image(image->span(), *file); !written.ok()) {
    return fail(written.error(), *out);
  }
  if (const auto kept = file->keep(); !kept.ok()) return fail(kept.error(), *out);
  return kDone;
}

}  // namespace cli
