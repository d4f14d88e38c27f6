// The walk over a loaded model's weights, which every file that is made of one takes.
//
// Room: model.
#pragma once

#include <string_view>

#include "tern/model/model.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// A table of rows in a model: which of its two uses it has.
enum class TableUse : uint8_t {
  embedding,  ///< of the embedding alone
  head,       ///< of the head; where the model ties them, of the embedding too
};

/// Gives a visitor every weight of a model, in the order of the forward pass, by its name in GGUF:
///   visitor.floats(name, const Buffer<float>&)         gains, rotary factors
///   visitor.matrix(name, const TernaryMatrix&)         linear layers
///   visitor.table(name, const HeadView&, TableUse)     embedding and head; once where they are one
/// Each gives a Result<void>; names live as long as the call.
/// Errors: the first of the visitor, which ends the walk.
template <typename Visitor>
Result<void> visit_weights(const Model& model, Visitor&& visitor) {
  const ModelWeights& weights = model.weights();
  const bool is_tied = weights.embedding.rows == weights.head.rows;
  if (!is_tied) {
    TERN_TRY(visitor.table(kEmbeddingName, weights.embedding, TableUse::embedding));
  }
  if (weights.rope_factors.size() != 0) {
    TERN_TRY(visitor.floats(kRopeFactorsName, weights.rope_factors));
  }
  uint32_t n = 0;
  for (const LayerWeights& layer : weights.layers) {
    for (const GainRule& rule : model.architecture().gains) {
      TERN_TRY(visitor.floats(LayerTensorName(n, rule.name).view(), layer.*rule.gain));
    }
    for (const LinearRule& rule : model.architecture().linears) {
      const TernaryMatrix& matrix = layer.*rule.matrix;
      if (matrix.input_gain().size() != 0) {
        const LayerTensorName name(n, rule.name, kInputNormSuffix);
        TERN_TRY(visitor.floats(name.view(), matrix.input_gain()));
      }
      TERN_TRY(visitor.matrix(LayerTensorName(n, rule.name).view(), matrix));
    }
    ++n;
  }
  TERN_TRY(visitor.floats(kOutputNormName, weights.output_norm));
  return visitor.table(is_tied ? kEmbeddingName : kHeadName, weights.head, TableUse::head);
}

TERN_NAMESPACE_END
