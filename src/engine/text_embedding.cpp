// Session::embed: several texts side by side in the cache and in the batches.
//
// Room: engine. A batch takes tokens in their order, whichever texts they
// are of; attention and rotary positions are those of the text (forward.hpp).
#include "tern/engine/session.hpp"

#include <algorithm>

#include "tern/engine/forward.hpp"
#include "tern/platform/fp_environment.hpp"

TERN_NAMESPACE_BEGIN

Result<void> Session::check_texts(std::span<const TokenId> tokens, std::span<const size_t> lengths,
                                  std::span<float> embeddings) const {
  const ModelConfig& config = model_->config();
  if (config.pooling == Pooling::none) {
    return Error(Status::unsupported, "the model gives logits, not embeddings");
  }
  if (lengths.empty()) return Error(Status::invalid_argument, "no texts to embed");
  size_t begin = 0;
  for (const size_t length : lengths) {
    if (length == 0 || length > tokens.size() - begin) {
      return Error::at_index(Status::invalid_argument,
                             "a text has no tokens, or more than there are", begin);
    }
    if (length > capacity()) {
      return Error::at_index(Status::context_full, "a text is longer than the context",
                             begin + capacity());
    }
    begin += length;
  }
  if (begin != tokens.size()) {
    return Error::at_index(Status::invalid_argument, "there are more tokens than the texts have",
                           begin);
  }
  if (embeddings.size() != uint64_t{lengths.size()} * config.model_dim) {
    return Error(Status::invalid_argument, "the embeddings' size is not texts times width");
  }
  return check_token_ids(tokens);
}

Result<void> Session::embed(std::span<const TokenId> tokens, std::span<const size_t> lengths,
                            std::span<float> embeddings) {
  const Use use(*this);
  TERN_TRY(use.check());
  TERN_TRY(check_texts(tokens, lengths, embeddings));
  const FpEnvironmentGuard fp_environment;
  const Stopwatch stopwatch(*this);
  float* out = embeddings.data();
  while (!lengths.empty()) {
    // As many texts as the cache holds side by side.
    size_t n_texts = 0;
    size_t n_tokens = 0;
    while (n_texts < lengths.size() && lengths[n_texts] <= capacity() - n_tokens) {
      n_tokens += lengths[n_texts++];
    }
    TERN_TRY(embed_texts(tokens.first(n_tokens), lengths.first(n_texts), out));
    tokens = tokens.subspan(n_tokens);
    lengths = lengths.subspan(n_texts);
    out += n_texts * model_->config().model_dim;
  }
  return {};
}

Result<void> Session::embed_texts(std::span<const TokenId> tokens, std::span<const size_t> lengths,
                                  float* embeddings) {
  TextRun next;  // where the text goes on that comes next
  next.cache = &cache_;
  size_t text = 0;  // its index
  for (size_t done = 0; done < tokens.size();) {
    const size_t first = text;
    size_t n_runs = 0;
    size_t n = 0;
    while (n < batch_ && text < lengths.size()) {
      next.n_tokens = std::min(lengths[text] - next.position, batch_ - n);
      texts_[n_runs++] = next;
      n += next.n_tokens;
      next.position += next.n_tokens;
      if (next.position < lengths[text]) break;  // the batch is full
      next.slot += lengths[text++];
      next.position = 0;
    }
    ForwardPass pass(*model_, runner_, activations_, cancel_flags_, skips());
    count_pass(n, 0, {});
    TERN_TRY(pass.run(tokens.subspan(done, n), texts_.span().first(n_runs)));
    size_t end = 0;
    for (size_t i = first; i < text; ++i) {
      end += texts_[i - first].n_tokens;
      TERN_TRY(pass.embedding(end - 1, embeddings + i * model_->config().model_dim));
    }
    done += n;
  }
  return {};
}

TERN_NAMESPACE_END
