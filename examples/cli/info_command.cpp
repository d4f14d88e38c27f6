// tern info: what this CPU offers, which kernels there are for it, and which would run.
#include "command.hpp"
#include "console.hpp"
#include "json_writer.hpp"
#include "model_options.hpp"
#include "report.hpp"

namespace cli {

namespace {

constexpr CommandHelp kInfoHelp = {
    "tern info [--json]",
    "Shows the version, the CPU's features, the kernel tables of this build, and which one would "
    "run.",
};

struct TableState {
  std::string_view isa;
  std::string_view packing;  // what it streams best
  bool available;            // this CPU has what the table needs
  bool passes;               // and it gives the right bits
  bool would_run;            // and is the first of the name that is chosen
};

struct Info {
  std::vector<std::string_view> features;
  std::vector<TableState> tables;
  std::string_view would_run;
  std::string_view packing;
  size_t threads = 0;
};

Info collect_info(const tern::KernelTable& chosen) {
  Info info;
  const tern::CpuFeatureMask available = tern::detect_cpu_features();
  for (const tern::CpuFeatureName& row : tern::kCpuFeatureNames) {
    if ((available & row.feature) != 0) info.features.push_back(row.name);
  }
  for (const tern::KernelTable* table : tern::compiled_kernels()) {
    const bool is_available = (table->features & available) == table->features;
    const bool passes = is_available && tern::passes_self_test(tern::resolve_kernels(*table));
    const bool would_run = passes && info.would_run.empty() &&
                           std::string_view(table->isa) == std::string_view(chosen.isa);
    if (would_run) info.would_run = table->isa;
    info.tables.push_back(
        {table->isa, tern::packing_name(table->packing), is_available, passes, would_run});
  }
  info.packing = tern::packing_name(chosen.packing);
  info.threads = tern::available_processors();
  return info;
}

std::string info_json(const Info& info) {
  JsonWriter json;
  json.begin_object();
  json.key("version");
  json.text(TERN_VERSION_STRING);
  json.key("cpu_features");
  json.begin_short_array();
  for (const std::string_view feature : info.features) json.text(feature);
  json.end_array();
  json.key("kernels");
  json.begin_array();
  for (const TableState& table : info.tables) {
    json.begin_object();
    json.key("isa");
    json.text(table.isa);
    json.key("available");
    json.boolean(table.available);
    json.key("self_test");
    if (table.available) {
      json.text(table.passes ? "pass" : "fail");
    } else {
      json.null();
    }
    json.key("packing");
    json.text(table.packing);
    json.end_object();
  }
  json.end_array();
  json.key("would_run");
  json.text(info.would_run);
  json.key("packing");
  json.text(info.packing);
  json.key("threads");
  json.count(info.threads);
  json.end_object();
  return json.finish();
}

std::string info_text(const Info& info) {
  std::string text = fmt::format("tern {}\n", TERN_VERSION_STRING);
  text += fmt::format("CPU features  {}\n", info.features.empty()
                                                ? std::string("none that tern uses")
                                                : fmt::format("{}", fmt::join(info.features, " ")));
  text += fmt::format("threads       {}\n", info.threads);
  text += fmt::format("packing       {}\n", info.packing);
  text += "kernels\n";
  for (const TableState& table : info.tables) {
    const std::string_view state = !table.available ? "not on this CPU"
                                   : !table.passes  ? "fails its self-test: passed over"
                                                    : "good";
    text += fmt::format("  {:<14}{:<4}{}{}\n", table.isa, table.packing, state,
                        table.would_run ? ", would run" : "");
  }
  return text;
}

}  // namespace

int info_command(Arguments arguments) {
  bool json = false;
  const OptionRow rows[] = {{"--json", "", "as JSON", &json}};
  if (const auto status = parse_options(kInfoHelp, rows, arguments)) return *status;
  const std::string_view isa = environment_isa();
  const auto chosen = tern::select_kernels(isa);
  if (!chosen.ok()) return fail_isa(chosen.error(), isa, true);
  const Info info = collect_info(*chosen);
  write_out(json ? info_json(info) : info_text(info));
  return kDone;
}

}  // namespace cli
