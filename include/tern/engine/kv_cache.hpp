// The key-value cache: what attention remembers of every position, in binary16.
//
// Room: engine. One run of positions a layer and head, so that a head's keys are read in one
// stream.
#pragma once

#include "tern/base/buffer.hpp"
#include "tern/kernels/kernel_table.hpp"
#include "tern/model/config.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

class KvCache {
 public:
  KvCache() = default;

  /// Errors: out_of_memory. Cost: 4 * n_layers * kv_dim * capacity bytes of address space; pages
  /// are touched as positions fill.
  static Result<KvCache> create(const ModelConfig& config, uint32_t capacity,
                                const AllocatorHooks& hooks) {
    KvCache cache;
    cache.capacity_ = capacity;
    cache.head_dim_ = config.head_dim;
    cache.n_kv_heads_ = config.n_kv_heads;
    const uint64_t elems = elements(config, capacity);
    TERN_TRY_ASSIGN(cache.keys_, Buffer<uint16_t>::create_uninitialized(elems, hooks));
    TERN_TRY_ASSIGN(cache.values_, Buffer<uint16_t>::create_uninitialized(elems, hooks));
    return cache;
  }

  /// Where the key of a position of one head is written. Shapes: [head_dim].
  uint16_t* key(size_t layer, size_t head, size_t position) {
    return keys_.data() + offset(layer, head, position);
  }
  uint16_t* value(size_t layer, size_t head, size_t position) {
    return values_.data() + offset(layer, head, position);
  }
  /// All positions of one head, from 0.
  CacheView keys(size_t layer, size_t head) const {
    return {CacheType::f16, keys_.data() + offset(layer, head, 0), head_dim_};
  }
  CacheView values(size_t layer, size_t head) const {
    return {CacheType::f16, values_.data() + offset(layer, head, 0), head_dim_};
  }
  uint32_t capacity() const { return capacity_; }

 private:
  // At most 2^46 by the limits of config.hpp.
  static uint64_t elements(const ModelConfig& config, uint32_t capacity) {
    return uint64_t{config.n_layers} * config.kv_dim() * capacity;
  }
  size_t offset(size_t layer, size_t head, size_t position) const {
    return ((layer * n_kv_heads_ + head) * capacity_ + position) * head_dim_;
  }

  Buffer<uint16_t> keys_;    // [n_layers, n_kv_heads, capacity, head_dim]
  Buffer<uint16_t> values_;  // the same
  uint32_t capacity_ = 0;
  uint32_t head_dim_ = 0;
  uint32_t n_kv_heads_ = 0;
};

TERN_NAMESPACE_END
