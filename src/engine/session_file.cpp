// Saved sessions: the state of one text as bytes, for the same model on any machine.
//
// Room: engine. Layout: docs/formats.md, "Saved sessions". All is checked before anything of the
// session is changed.
#include <algorithm>
#include <cstring>

#include "tern/base/byte_reader.hpp"
#include "tern/base/content_hash.hpp"
#include "tern/engine/session.hpp"
#include "tern/model/weight_walk.hpp"
#include "tern/platform/fp_environment.hpp"

TERN_NAMESPACE_BEGIN

namespace {

constexpr std::string_view kMagic = "TERNSESS";
constexpr uint32_t kVersion = 1;

struct Header {
  char magic[8] = {};
  uint32_t version = kVersion;
  uint32_t cache_type = 0;
  uint64_t model = 0;
  uint32_t n_tokens = 0;
  uint32_t n_logits = 0;
  uint64_t payload = 0;  // the hash of all that follows
};
static_assert(sizeof(Header) == 40);

template <typename T>
std::span<const uint8_t> bytes_of(const T* data, size_t n) {
  return {reinterpret_cast<const uint8_t*>(data), n * sizeof(T)};
}

/// What positions take.
uint64_t token_bytes(const ModelConfig& config, CacheType type, uint64_t n) {
  return sizeof(TokenId) * n + KvCache::run_bytes(config, type, n);
}

/// Hashes norms, scales and rotary factors; tables by their type alone.
struct WeightHasher {
  ContentHash& hash;

  Result<void> floats(std::string_view, const Buffer<float>& values) {
    hash.add(bytes_of(values.data(), values.size()));
    return {};
  }
  Result<void> matrix(std::string_view, const TernaryMatrix& matrix) {
    hash.add(bytes_of(matrix.view().scales, matrix.n_scales()));
    return {};
  }
  Result<void> table(std::string_view, const HeadView& table, TableUse) {
    hash.add(bytes_of(&table.type, 1));
    return {};
  }
};

/// What tells models apart whatever file they came from and however they are packed: the numbers of
/// the configuration, norms, scales, and how tables are stored.
uint64_t model_fingerprint(const Model& model) {
  const ModelConfig& c = model.config();
  // Zero, one, or what tells epsilons apart: sessions of models with one of them stay good.
  const uint64_t input_norms = c.input_norm_eps == c.norm_eps
                                   ? uint64_t{c.input_norms}
                                   : std::bit_cast<uint32_t>(c.input_norm_eps);
  ContentHash hash;
  const uint64_t numbers[] = {c.vocab_size,
                              c.model_dim,
                              c.ffn_dim,
                              c.n_layers,
                              c.n_heads,
                              c.n_kv_heads,
                              c.head_dim,
                              c.rope_dim,
                              std::bit_cast<uint64_t>(c.rope_base),
                              std::bit_cast<uint32_t>(c.norm_eps),
                              static_cast<uint64_t>(c.activation),
                              static_cast<uint64_t>(c.activation_bits),
                              c.int4_inputs,
                              c.output_topk,
                              static_cast<uint64_t>(c.rope_style),
                              std::bit_cast<uint64_t>(c.rope_linear_factor),
                              std::bit_cast<uint32_t>(c.attention_scale),
                              c.window,
                              c.window_period,
                              std::bit_cast<uint64_t>(c.window_rope_base),
                              input_norms,
                              c.scales_embedding};
  hash.add(bytes_of(numbers, std::size(numbers)));
  static_cast<void>(visit_weights(model, WeightHasher{hash}));  // hashing does not fail
  return hash.value();
}

}  // namespace

uint64_t Session::saved_bytes() const {
  return sizeof(Header) + token_bytes(model_->config(), cache_.type(), position_) +
         logits().size_bytes();
}

Result<void> Session::save(std::span<uint8_t> out, uint64_t* size) {
  const Use use(*this);
  TERN_TRY(use.check());
  complete_logits();
  if (size != nullptr) *size = saved_bytes();
  if (out.size() < saved_bytes()) {
    return Error(Status::buffer_too_small, "the buffer is smaller than the saved session");
  }
  Header header;
  std::copy(kMagic.begin(), kMagic.end(), header.magic);
  header.cache_type = static_cast<uint32_t>(cache_.type());
  header.model = model_fingerprint(*model_);
  header.n_tokens = position_;
  header.n_logits = static_cast<uint32_t>(logits().size());
  uint8_t* to = out.data() + sizeof(Header);
  ContentHash hash;
  const auto put = [&](std::span<const uint8_t> bytes) {
    to = std::copy(bytes.begin(), bytes.end(), to);
    hash.add(bytes);
  };
  put(bytes_of(tokens_.data(), position_));
  put(bytes_of(logits().data(), logits().size()));
  cache_.for_each_run(position_, put);
  header.payload = hash.value();
  std::memcpy(out.data(), &header, sizeof(header));
  return {};
}

Result<void> Session::restore(std::span<const uint8_t> saved) {
  const Use use(*this);
  TERN_TRY(use.check());
  Header header;
  if (saved.size() < sizeof(header)) {
    return Error(Status::truncated, "the bytes end before the saved session does", uint64_t{0});
  }
  std::memcpy(&header, saved.data(), sizeof(header));
  if (std::string_view(header.magic, sizeof(header.magic)) != kMagic) {
    return Error(Status::malformed, "not a saved session", uint64_t{0});
  }
  if (header.version != kVersion) {
    return Error(Status::unsupported_version, "a saved session of another version", uint64_t{8});
  }
  if (header.cache_type != static_cast<uint32_t>(cache_.type())) {
    return Error(Status::mismatch, "the session was saved with another cache type", uint64_t{12});
  }
  if (header.model != model_fingerprint(*model_)) {
    return Error(Status::mismatch, "the session is of another model", uint64_t{16});
  }
  if (header.n_tokens > capacity()) {
    return Error(Status::context_full, "the session is longer than the context", uint64_t{24});
  }
  if (header.n_logits != 0 && (header.n_logits != logits_.size() || header.n_tokens == 0)) {
    return Error(Status::malformed, "the saved logits are not the model's", uint64_t{28});
  }
  const uint64_t size = sizeof(header) +
                        token_bytes(model_->config(), cache_.type(), header.n_tokens) +
                        uint64_t{sizeof(float)} * header.n_logits;
  if (saved.size() != size) {
    return Error(saved.size() < size ? Status::truncated : Status::malformed,
                 "the saved session is of another length", uint64_t{saved.size()});
  }
  // Hash the parts as they were written, then take them.
  std::span<const uint8_t> rest = saved.subspan(sizeof(header));
  const auto take = [&](size_t n) {
    const auto part = rest.first(n);
    rest = rest.subspan(n);
    return part;
  };
  const auto tokens = take(header.n_tokens * sizeof(TokenId));
  const auto logits = take(header.n_logits * sizeof(float));
  const auto cached = rest;
  ContentHash hash;
  hash.add(tokens);
  hash.add(logits);
  cache_.for_each_run(header.n_tokens, [&](std::span<uint8_t> run) { hash.add(take(run.size())); });
  if (hash.value() != header.payload) {
    return Error(Status::malformed, "the saved session is damaged", uint64_t{32});
  }
  for (size_t i = 0; i < header.n_tokens; ++i) {
    TokenId token = 0;
    std::memcpy(&token, tokens.data() + i * sizeof(token), sizeof(token));
    if (!check_token_ids({&token, 1}).ok()) {
      return Error(Status::malformed, "a saved token is outside the vocabulary",
                   uint64_t{sizeof(header) + i * sizeof(token)});
    }
  }
  if (!logits.empty()) {
    std::memcpy(scratch_.data(), logits.data(), logits.size());
    const auto is_logit = [](float value) { return is_finite(value) || value == kMaskedLogit; };
    if (!std::ranges::all_of(scratch_.span(), is_logit)) {
      return Error(Status::malformed, "a saved logit is not finite", uint64_t{sizeof(header)});
    }
    std::swap(logits_, scratch_);
  }
  if (!tokens.empty()) std::memcpy(tokens_.data(), tokens.data(), tokens.size());
  rest = cached;
  cache_.for_each_run(header.n_tokens, [&](std::span<uint8_t> run) {
    const auto part = take(run.size());
    std::copy(part.begin(), part.end(), run.begin());
  });
  position_ = header.n_tokens;
  n_searched_ = 0;
  has_logits_ = !logits.empty();
  has_features_ = false;
  has_all_logits_ = std::ranges::find(this->logits(), kMaskedLogit) == this->logits().end();
  return {};
}

TERN_NAMESPACE_END
