// A loaded model as a tern file: the same weights, packed as they were loaded.
//
// Room: convert. Converting is loading with the packing and the head that are wanted, then writing
// what was loaded; so a tern file gives the bits of the load that made it.
#pragma once

#include "tern/base/memory_wall.hpp"
#include "tern/base/content_hash.hpp"
#include "tern/convert/file_pieces.hpp"
#include "tern/convert/tern_layout.hpp"
#include "tern/model/weight_walk.hpp"
#include "tern/model/model.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// A tern file to be written; views the model, which must outlive it.
class TernFile {
 public:
  /// Plans the file of a model. The metadata of what it was loaded from are kept, but for those of
  /// another container.
  /// Errors: out_of_memory. Cost: reads all packed weights once, for the hash.
  static Result<TernFile> create(const Model& model) {
    return catch_out_of_memory([&]() -> Result<TernFile> {
      TernFile file(model);
      const GgufFile& source = model.source().file();
      copy_metadata(source, file.layout_.header());
      if (source.find(kTernMergesKey) == nullptr) TERN_TRY(file.add_merges());
      TERN_TRY(file.add_weights());
      TERN_TRY(file.layout_.finish(file.hash()));
      return file;
    });
  }

  uint64_t size_bytes() const { return layout_.header().file_bytes(); }

  /// Gives the bytes of the file in order, in pieces of at most a mebibyte, to
  /// `sink(std::span<const uint8_t>) -> Result<void>`; ends with the first error of the sink.
  template <typename Sink>
  Result<void> write(Sink&& sink) const;

 private:
  explicit TernFile(const Model& model) : model_(&model), layout_(model.allocator()) {}

  Result<void> add_merges();
  Result<void> add_weights();
  uint64_t hash() const;

  const Model* model_;
  TernLayout layout_;
};

/// Merges by token ids, so that loading need not find tokens by their texts.
inline Result<void> TernFile::add_merges() {
  const Tokenizer* tokenizer = model_->tokenizer();
  if (tokenizer == nullptr) return {};
  TERN_TRY_ASSIGN(const Vector<TokenMerge> merges, tokenizer->vocabulary().token_merges());
  if (merges.empty()) return {};
  layout_.header().begin_array(kTernMergesKey, MetadataType::i32, 3 * merges.size());
  layout_.header().put_elements(
      {reinterpret_cast<const uint8_t*>(merges.data()), merges.size() * sizeof(TokenMerge)});
  return {};
}

inline Result<void> TernFile::add_weights() {
  struct Adder {
    TernLayout& layout;
    uint32_t rows;

    Result<void> floats(std::string_view name, const Buffer<float>& values) {
      layout.add_vector(name, values.size(), values.data());
      return {};
    }
    Result<void> matrix(std::string_view name, const TernaryMatrix& matrix) {
      layout.add_matrix(name, matrix.view(), matrix.n_scales());
      return {};
    }
    Result<void> table(std::string_view name, const HeadView& table, TableUse use) {
      using Place = TernItem::Place;
      layout.add_table(name, table, rows, use == TableUse::head ? Place::end : Place::front);
      return {};
    }
  };
  return visit_weights(*model_, Adder{layout_, model_->config().vocab_size});
}

inline uint64_t TernFile::hash() const {
  ContentHash hash;
  for (const TernItem& item : layout_.items()) {
    hash.add(item.data);
    model_->source().give_back(item.data);
  }
  return hash.value();
}

template <typename Sink>
Result<void> TernFile::write(Sink&& sink) const {
  PieceWriter pieces(sink);
  TERN_TRY(pieces.put(layout_.header().bytes()));
  for (const uint32_t i : layout_.placed()) {
    const TernItem& item = layout_.items()[i];
    TERN_TRY(pieces.pad_to(item.tensor.offset));
    TERN_TRY(pieces.put(item.data));
    model_->source().give_back(item.data);
  }
  return pieces.pad_to(size_bytes());
}

TERN_NAMESPACE_END
