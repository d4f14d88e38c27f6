// Model: a loaded model, immutable, shared by any number of sessions and threads.
//
// Room: model.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "tern/base/host_hooks.hpp"
#include "tern/format/gguf.hpp"
#include "tern/kernels/registry.hpp"
#include "tern/model/architecture.hpp"
#include "tern/model/checkpoint.hpp"
#include "tern/model/config.hpp"
#include "tern/model/head_loader.hpp"
#include "tern/model/weights.hpp"
#include "tern/platform/mapped_file.hpp"
#include "tern/platform/thread_pool.hpp"
#include "tern/text/chat_renderer.hpp"
#include "tern/text/tokenizer.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

struct LoadOptions {
  AllocatorHooks allocator = default_allocator();
  /// How a file's bytes come into memory. Mapped: the file must not be truncated while it is in
  /// use.
  FileAccess map = FileAccess::mapped;
  /// Instruction set by name; empty takes the best that this CPU runs.
  std::string_view isa;
  /// What linear layers are packed as: t2 or t5, where that is possible (packing_policy.hpp). By
  /// default what the instruction set streams best, and a tern file as it is, without packing.
  std::optional<Packing> packing;
  /// Lays `up` and `down` of ReLU^2 layers out in lines when packing, so that zeros can be skipped;
  /// false: all as tiles, which stream a little faster when everything is read anyway. A tern file
  /// keeps what it has unless `packing` is given.
  bool skip_zeros = true;
  HeadOption head = HeadOption::keep;
  /// What tensors of type I2_S are taken to be: a file does not say which build wrote it.
  I2sLayout i2_s_layout = I2sLayout::x86;
  /// Makes splitters of pre-tokenizer patterns that tern does not know; without it such a model is
  /// refused. It is used while loading; the model keeps the splitters.
  const PatternCompiler* patterns = nullptr;
  /// Where packing runs; by default on the calling thread.
  TaskRunner runner;
  /// How far loading is, in bytes read of twice the file's: once for scales, once to pack. Called
  /// after each linear layer; may cancel.
  ProgressHook progress;
  /// What is doubtful about the checkpoint, and what was chosen for it.
  LogHook log;
};

/// A loaded model.
/// Threads: const, any number at once; the last owner to go frees it, on any thread.
class Model {
 public:
  /// Loads what Checkpoint::open takes: a GGUF or tern file, a split file, a Hugging Face folder.
  /// Errors: not_found, io_error; those of load_memory. Cost: of a tern file reads metadata, norms
  /// and scales alone. Of anything else reads the linear layers twice, packs them (a copy of 1.6 or
  /// 2 bits a weight), and reads the embedding, whose values must be finite; it stays in the file's
  /// bytes unless options.head says otherwise.
  static Result<std::shared_ptr<const Model>> load_file(std::string_view path,
                                                        const LoadOptions& options);
  /// The same of a checkpoint that is open; options.map plays no part. The model keeps it.
  static Result<std::shared_ptr<const Model>> load(std::shared_ptr<const Checkpoint> checkpoint,
                                                   const LoadOptions& options);
  /// Loads from bytes that the caller keeps alive and unchanged as long as the model.
  /// Errors: any of the groups format, unsupported and out_of_memory; isa_unknown, isa_unavailable;
  /// invalid_argument; cancelled.
  static Result<std::shared_ptr<const Model>> load_memory(std::span<const uint8_t> bytes,
                                                          const LoadOptions& options);

  const ModelConfig& config() const { return config_; }
  const ModelWeights& weights() const { return weights_; }
  const KernelTable& kernels() const { return kernels_; }
  const Architecture& architecture() const { return *architecture_; }
  const AllocatorHooks& allocator() const { return hooks_; }
  /// What it was loaded from.
  const Checkpoint& source() const { return *checkpoint_; }
  /// `general.name`, or empty.
  std::string_view name() const { return name_; }

  /// Null for a model without a vocabulary.
  const Tokenizer* tokenizer() const { return tokenizer_ ? &*tokenizer_ : nullptr; }
  /// How conversations are written for this model; valid as long as it.
  /// Errors: unsupported (no chat format, or a template beyond what tern runs), malformed (a
  ///   template that is none).
  Result<const ChatRenderer*> chat() const {
    if (!chat_.ok()) return chat_.error();
    return &*chat_;
  }
  /// Tokens that sampling may give: those of the vocabulary, or all of config().vocab_size (the
  /// rows of the embedding, which some files pad) where there is no vocabulary.
  uint32_t n_tokens() const { return n_tokens_; }

  /// Bytes allocated for weights; rows viewed in the file not counted.
  size_t weight_bytes() const;
  /// Bytes of all linear layers as packed, and of the head: what a pass over the weights reads.
  uint64_t linear_bytes() const;
  uint64_t head_bytes() const { return uint64_t{weights_.head.row_bytes} * config_.vocab_size; }
  /// Frequencies of the rotary angles, [rope_dim / 2]; those of layers that slide are empty where
  /// none does.
  std::span<const double> rope_frequencies() const { return rope_frequencies_.span(); }
  std::span<const double> window_rope_frequencies() const {
    return window_rope_frequencies_.span();
  }
  float attention_scale() const { return attention_scale_; }

  /// Only the loaders can make one.
  class Key {
    friend class Model;
    Key() = default;
  };
  Model(Key, const AllocatorHooks& hooks) : hooks_(hooks), name_(hooks), weights_(hooks) {}

 private:
  Result<void> load(const LoadOptions& options);
  Result<void> load_text(const GgufFile& file, const PatternCompiler* patterns);
  void write_log(const LogHook& log) const;

  AllocatorHooks hooks_;
  std::shared_ptr<const Checkpoint> checkpoint_;  // backs what is viewed in the file
  String name_;
  const Architecture* architecture_ = nullptr;
  KernelTable kernels_;
  ModelConfig config_;
  ModelWeights weights_;
  Buffer<double> rope_frequencies_;
  Buffer<double> window_rope_frequencies_;
  float attention_scale_ = 0;
  std::optional<Tokenizer> tokenizer_;
  Result<ChatRenderer> chat_{Error(Status::unsupported, "the model has no chat format")};
  uint32_t n_tokens_ = 0;
};

TERN_NAMESPACE_END
