// The options of every command that runs a model, and what they open: files, model, session.
//
// Program tern.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "option_table.hpp"
#include "tern/convert/shapes.hpp"
#include "embedded_model.hpp"
#include "tern/tern.hpp"

namespace cli {

/// What an argument that names a model takes.
inline constexpr std::string_view kModelHelp =
    "a GGUF or tern file, a Hugging Face folder, or @stories, @stories-a48: models in the program";

/// The most that -t takes.
using tern::kMaxThreads;

/// A model's files. Never null.
using CheckpointPtr = std::shared_ptr<const tern::Checkpoint>;

/// The files that -m means: a file, a folder, or the model inside the program. Says what is wrong,
/// then gives nothing.
std::optional<CheckpointPtr> open_checkpoint(std::string_view name,
                                             tern::FileAccess access = tern::FileAccess::mapped);

/// -m alone, for commands that read a model file but do not run it.
OptionRow model_row(std::optional<std::string_view>& model);

/// The instruction set that TERN_ISA asks for; "" when it asks for none.
std::string_view environment_isa();

/// The exit status, after a line that says so, of an instruction set that cannot run; `option` is
/// --isa or TERN_ISA.
int fail_isa(const tern::Error& error, std::string_view isa, bool from_environment);

/// --i2s-layout, for every command that loads a model.
OptionRow i2s_layout_row(std::optional<std::string_view>& layout);

/// -m, -t, --isa, --kv, --head, --ctx, --i2s-layout and, where a command has it, --batch.
struct ModelOptions {
  std::optional<std::string_view> model = kStoriesName;
  uint32_t threads = 1;
  std::optional<std::string_view> isa;
  std::optional<std::string_view> kv = "f16";
  std::optional<std::string_view> head = "keep";
  std::optional<std::string_view> i2s_layout = "x86";
  uint32_t context = 0;
  uint32_t batch = 0;

  ModelOptions();
  void add_rows(std::vector<OptionRow>& rows);
};

/// The position of a name among those that an option takes; what is wrong is said, then nothing.
std::optional<size_t> read_name(std::string_view option, std::string_view text,
                                std::span<const std::string_view> names);
/// What --kv and --head mean, once load_model has taken them.
tern::CacheType kv_type(const ModelOptions& options);
/// Nothing when `text` is the name of a head; else the exit status, after a line that says so.
std::optional<int> read_head(std::string_view text, tern::HeadOption& out);
/// The layout that --i2s-layout names. Answers as read_head.
std::optional<int> read_i2s_layout(std::string_view text, tern::I2sLayout& out);
/// The packing that `option` names, if it is given. Answers as read_head.
std::optional<int> read_packing(std::string_view option, std::optional<std::string_view> text,
                                std::optional<tern::Packing>& out);
/// The shape that --shape names. Answers as read_head.
std::optional<int> read_shape(std::string_view text, const tern::ModelShape*& out);

/// A model that is ready to run.
struct OpenModel {
  tern::Buffer<uint8_t> image;  // backs a model made in memory, so it comes first
  tern::TaskRunner runner;
  std::shared_ptr<const tern::Model> model;
  std::shared_ptr<tern::Session> session;
};

/// Checks the options and starts the threads: all of `load` but what commands of their own add.
/// Answers as load_model.
std::optional<int> prepare_load(const ModelOptions& options, OpenModel& out,
                                tern::LoadOptions& load);

/// Loads the model. Nothing when that worked; else the exit status, after a line that says why.
std::optional<int> load_model(const ModelOptions& options, OpenModel& out);

/// Positions that --ctx asks for, or those that the model was made for.
uint32_t context_size(const ModelOptions& options, const tern::Model& model);

/// Makes the session of a loaded model, for at most so many positions: memory grows with them.
/// Answers as load_model.
std::optional<int> open_session(const ModelOptions& options, OpenModel& out,
                                size_t most_positions = tern::kMaxContext);

/// The tokenizer of a model, or null after a line that says that it has none.
const tern::Tokenizer* require_tokenizer(const ModelOptions& options, const tern::Model& model);

/// The bytes of a text file; "-" is standard input. Says what is wrong, then gives nothing.
std::optional<std::string> read_text_file(std::string_view path);

}  // namespace cli
