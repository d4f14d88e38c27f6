// The steps of attention: heads are turned, keys and values kept, positions weighed.
//
// Room: engine. Tasks as in forward.cpp.
#include <algorithm>

#include "tern/engine/forward.hpp"

TERN_NAMESPACE_BEGIN

// Norm (unless `gain` is empty) and rotation of each head; whether all is finite.
bool ForwardPass::turn_heads(float* heads, size_t n_heads, const Buffer<float>& gain,
                             const float* cos, const float* sin) {
  const auto rope =
      config_.rope_style == RopeStyle::halves ? kernels_.rope_halves : kernels_.rope_pairs;
  bool finite = true;
  for (size_t head = 0; head < n_heads; ++head) {
    float* x = heads + head * config_.head_dim;
    if (gain.size() != 0) {
      finite &= kernels_.rms_norm(x, gain.data(), config_.head_dim, config_.norm_eps, x);
    }
    rope(x, cos, sin, config_.rope_dim / 2);
  }
  return finite;
}

void ForwardPass::rotate_and_store(size_t layer) {
  const LayerWeights& w = model_.weights().layers[layer];
  const bool slides = config_.slides(layer);
  const Tensor<float, 2>& cosines = slides ? act_.window_cos : act_.cos;
  const Tensor<float, 2>& sines = slides ? act_.window_sin : act_.sin;
  for_tokens([&](size_t t) {
    const float* cos = cosines.row(t);
    const float* sin = sines.row(t);
    bool finite = turn_heads(act_.q.row(t), config_.n_heads, w.attn_q_norm, cos, sin);
    finite &= turn_heads(act_.k.row(t), config_.n_kv_heads, w.attn_k_norm, cos, sin);
    const size_t slot = act_.places[t].slot + act_.places[t].position;
    for (size_t head = 0; head < config_.n_kv_heads; ++head) {
      const size_t at = head * config_.head_dim;
      finite &= act_.places[t].cache->store(kernels_, layer, head, slot, act_.k.row(t) + at,
                                            act_.v.row(t) + at);
    }
    if (!finite) non_finite_.store(true, std::memory_order_relaxed);
  });
}

// An item is a block of tokens and a key head with all its query heads, which share the reading of
// keys and values; when there are fewer items than workers, a single query head.
void ForwardPass::attend(size_t layer) {
  if (is_stopped()) return;
  const size_t group = config_.n_heads / config_.n_kv_heads;
  const bool whole_groups = act_.n_blocks * config_.n_kv_heads >= runner_.n_workers();
  const size_t heads = whole_groups ? group : 1;
  const size_t per_block = config_.n_heads / heads;
  const size_t n_items = act_.n_blocks * per_block;
  const size_t seen = std::min(reach_, window_of(layer));
  const size_t work = n_ * config_.n_heads * seen * config_.head_dim * 4;
  const size_t tasks = std::min({runner_.n_workers(), task_count(work), n_items});
  runner_.run(tasks, [&](size_t task) {
    // Later blocks see more positions: dealing the items out in turn keeps the tasks even.
    for (size_t item = task; item < n_items && !is_stopped(); item += tasks) {
      attend_block(layer, act_.blocks[item / per_block], item % per_block * heads, heads, task);
    }
  });
}

// Heads [head, head + heads) of a block of tokens. Tokens that see all before them share the
// reading; one that does not is alone with the positions in its window, as if they were all
// (docs/numerics.md 9.6).
void ForwardPass::attend_block(size_t layer, const TokenBlock& block, size_t head, size_t heads,
                               size_t task) {
  const size_t window = window_of(layer);
  const size_t kv_head = head / (config_.n_heads / config_.n_kv_heads);
  for (size_t done = 0; done < block.n;) {
    const size_t token = block.begin + done;
    const TokenPlace place = act_.places[token];
    const size_t first = place.position < window ? 0 : place.position + 1 - window;
    AttentionView view;
    view.q = act_.q.row(token) + head * config_.head_dim;
    view.q_stride = act_.q.stride(0);
    view.n_tokens = first == 0 ? std::min(block.n - done, window - place.position) : 1;
    view.n_heads = heads;
    view.position = place.position - first;
    view.dim = config_.head_dim;
    const KvCache& cache = *place.cache;
    view.keys = cache.keys(layer, kv_head, place.slot + first);
    view.values = cache.values(layer, kv_head, place.slot + first);
    view.scale = model_.attention_scale();
    if (is_packed(cache.type())) {
      const size_t n = view.position + view.n_tokens;
      auto* keys = static_cast<int8_t*>(act_.cache_codes.of(task));
      int8_t* const values = keys + n * view.dim;
      cache.unpack(kernels_, layer, kv_head, place.slot + first, n, keys, values);
      view.keys = {CacheType::i8, keys, view.dim, view.keys.scales};
      view.values = {CacheType::i8, values, view.dim, view.values.scales};
    }
    const auto attend = cache.type() == CacheType::f32 ? kernels_.attend_f32 : kernels_.attend;
    attend(view, act_.mixed.row(token) + head * config_.head_dim, act_.mixed.stride(0),
           act_.attention_scratch.of(task));
    done += view.n_tokens;
  }
}

TERN_NAMESPACE_END
