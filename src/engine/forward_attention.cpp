// The steps of attention: heads are turned, keys and values kept, positions weighed.
//
// Room: engine. Tasks as in forward.cpp.
#include <algorithm>

#include "tern/engine/forward.hpp"

TERN_NAMESPACE_BEGIN

namespace {
/// With so many items a worker, waiting for the last one costs no more than another step would.
constexpr size_t kEvenItems = 4;
}  // namespace

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

// Turns key heads [begin, end) of a token and their query heads, and keeps keys and values.
void ForwardPass::store_heads(size_t layer, size_t t, size_t begin, size_t end) {
  const LayerWeights& w = model_.weights().layers[layer];
  const bool slides = config_.slides(layer);
  const float* cos = (slides ? act_.window_cos : act_.cos).row(t);
  const float* sin = (slides ? act_.window_sin : act_.sin).row(t);
  const size_t group = config_.n_heads / config_.n_kv_heads;
  const size_t dim = config_.head_dim;
  const size_t n = end - begin;
  KvCache& cache = *act_.places[t].cache;
  const size_t slot = act_.places[t].slot + act_.places[t].position;
  const float* v = act_.v.row(t);
  float* k = act_.k.row(t);
  cache.fetch(layer, begin, end, slot);
  bool finite = turn_heads(act_.q.row(t) + begin * group * dim, n * group, w.attn_q_norm, cos, sin);
  finite &= turn_heads(k + begin * dim, n, w.attn_k_norm, cos, sin);
  for (size_t head = begin; head < end; ++head) {
    finite &= cache.store(kernels_, layer, head, slot, k + head * dim, v + head * dim);
  }
  if (!finite) non_finite_.store(true, std::memory_order_relaxed);
}

// Turns heads, keeps keys and values, and weighs positions. An item is a block of tokens and a key
// head with all its query heads, which share the reading of keys and values; when there are fewer
// items than workers, a single query head. Few items of single tokens that see much are split by
// positions instead, one token after the other. Few tokens whose key heads the workers share evenly
// go by whole key heads.
void ForwardPass::attend(size_t layer) {
  if (is_stopped()) return;
  const size_t workers = runner_.n_workers();
  const size_t n_groups = act_.n_blocks * config_.n_kv_heads;
  const size_t seen = std::min(reach_, window_of(layer));
  const auto is_even = [&](size_t n) { return n % workers == 0 || n >= kEvenItems * workers; };
  const auto store_all = [&] {
    for_tokens([&](size_t t) { store_heads(layer, t, 0, config_.n_kv_heads); });
  };
  if (!is_even(n_groups) && act_.n_blocks == n_ && seen >= kSplitPositions &&
      act_.token_attention.row != 0) {
    store_all();
    for (size_t t = 0; t < n_; ++t) attend_token(layer, t);
    return;
  }
  const size_t work = n_ * config_.n_heads * seen * config_.head_dim * 4;
  if (n_ <= kVectorTokens && is_even(config_.n_kv_heads)) {
    attend_by_heads(layer, work);
    return;
  }
  store_all();
  const size_t heads = n_groups >= workers ? config_.n_heads / config_.n_kv_heads : 1;
  const size_t per_block = config_.n_heads / heads;
  const size_t n_items = act_.n_blocks * per_block;
  const size_t tasks = std::min({workers, task_count(work), n_items});
  runner_.run(tasks, [&](size_t task) {
    // Later blocks see more positions: dealing the items out in turn keeps the tasks even.
    for (size_t item = task; item < n_items && !is_stopped(); item += tasks) {
      attend_block(layer, act_.blocks[item / per_block], item % per_block * heads, heads, task);
    }
  });
}

// A task takes its key heads from turning them to the output. Turning and keeping a value counts as
// so many bytes of work, since most of it is fetched from another core's cache: 64 heads of 128
// take 7 us.
void ForwardPass::attend_by_heads(size_t layer, size_t work) {
  constexpr size_t kBytesPerValue = 12;
  const size_t n_heads = config_.n_kv_heads;
  const size_t group = config_.n_heads / n_heads;
  const size_t values = n_ * (config_.q_dim() + 2 * config_.kv_dim());
  const size_t tasks =
      std::min({runner_.n_workers(), task_count(work + values * kBytesPerValue), n_heads});
  runner_.run(tasks, [&](size_t task) {
    const size_t begin = n_heads * task / tasks;
    const size_t end = n_heads * (task + 1) / tasks;
    for (size_t t = 0; t < n_; ++t) store_heads(layer, t, begin, end);
    for (size_t b = 0; b < act_.n_blocks; ++b) {
      for (size_t head = begin; head < end && !is_stopped(); ++head) {
        attend_block(layer, act_.blocks[b], head * group, group, task);
      }
    }
  });
}

// Heads [head, head + heads) of one token, over the positions that it sees.
AttentionView ForwardPass::attention_view(size_t layer, size_t token, size_t head,
                                          size_t heads) const {
  const size_t window = window_of(layer);
  const size_t kv_head = head / (config_.n_heads / config_.n_kv_heads);
  const TokenPlace& place = act_.places[token];
  const size_t first = place.position < window ? 0 : place.position + 1 - window;
  AttentionView view;
  view.q = act_.q.row(token) + head * config_.head_dim;
  view.q_stride = act_.q.stride(0);
  view.n_tokens = 1;
  view.n_heads = heads;
  view.position = place.position - first;
  view.dim = config_.head_dim;
  view.keys = place.cache->keys(layer, kv_head, place.slot + first);
  view.values = place.cache->values(layer, kv_head, place.slot + first);
  view.scale = model_.attention_scale();
  return view;
}

// Heads [head, head + heads) of a block of tokens. Tokens that see all before them share the
// reading; one that does not is alone with the positions in its window, as if they were all
// (docs/numerics.md 9.6).
void ForwardPass::attend_block(size_t layer, const TokenBlock& block, size_t head, size_t heads,
                               size_t task) {
  const size_t window = window_of(layer);
  for (size_t done = 0; done < block.n;) {
    const size_t token = block.begin + done;
    const size_t position = act_.places[token].position;
    AttentionView view = attention_view(layer, token, head, heads);
    if (position < window) view.n_tokens = std::min(block.n - done, window - position);
    const bool f32 = view.keys.type == CacheType::f32;
    const auto attend = f32 ? kernels_.attend_f32 : kernels_.attend;
    attend(view, act_.mixed.row(token) + head * config_.head_dim, act_.mixed.stride(0),
           act_.attention_scratch.of(task));
    done += view.n_tokens;
  }
}

// One token, in steps of which each task takes as many positions as the others: scores by key head
// and chunk of positions, the softmax by query head, sums over values like scores, and their
// merging.
void ForwardPass::attend_token(size_t layer, size_t token) {
  const size_t group = config_.n_heads / config_.n_kv_heads;
  const size_t seen = std::min(act_.places[token].position + 1, window_of(layer));
  const size_t chunks = (seen + kAttentionChunk - 1) / kAttentionChunk;
  const size_t n_items = config_.n_kv_heads * chunks;
  const size_t workers = std::min(runner_.n_workers(), kMaxStepTasks);
  const size_t tasks = std::min(workers, n_items);
  TokenAttention& steps = act_.token_attention;
  // step(view, first position, end, scores and parts of its heads, scratch)
  const auto run = [&](auto step) {
    runner_.run(tasks, [&](size_t task) {
      const size_t end = n_items * (task + 1) / tasks;
      for (size_t item = n_items * task / tasks; item < end && !is_stopped();) {
        const size_t kv_head = item / chunks;
        const size_t stop = std::min(end, (kv_head + 1) * chunks);
        const size_t head = kv_head * group;
        step(attention_view(layer, token, head, group), item % chunks * kAttentionChunk,
             std::min(seen, (stop - kv_head * chunks) * kAttentionChunk), head,
             act_.attention_scratch.of(task));
        item = stop;
      }
    });
  };
  const auto scores = [&](size_t head) { return steps.scores.data() + head * steps.row; };
  run([&](const AttentionView& view, size_t begin, size_t end, size_t head, void* scratch) {
    kernels_.attend_scores(view, begin, end, scores(head), steps.row, scratch);
  });
  const size_t by_head = std::min<size_t>(workers, config_.n_heads);
  runner_.run(by_head, [&](size_t task) {
    const size_t end = config_.n_heads * (task + 1) / by_head;
    for (size_t head = config_.n_heads * task / by_head; head < end && !is_stopped(); ++head) {
      steps.sums[head] = kernels_.softmax_exp(scores(head), seen);
    }
  });
  run([&](const AttentionView& view, size_t begin, size_t end, size_t head, void* scratch) {
    kernels_.attend_values(view, begin, end, scores(head), steps.row,
                           steps.parts.data() + head * config_.head_dim, config_.q_dim(), scratch);
  });
  if (is_stopped()) return;
  for (size_t head = 0; head < config_.n_heads; ++head) {
    const size_t at = head * config_.head_dim;
    kernels_.attend_merge(steps.parts.data() + at, config_.q_dim(), chunks, steps.sums[head],
                          config_.head_dim, act_.mixed.row(token) + at);
  }
}

TERN_NAMESPACE_END
