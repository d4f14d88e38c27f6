// The key-value cache: what attention remembers of every position, in any of five types.
//
// Room: engine. One run of positions a layer and head, so that a head's keys are read in one
// stream. Integers keep one binary16 unit a position and head beside the codes (docs/numerics.md
// 9.1). Of a text in 3 bits the first position, which all others look at, has 4 bits in rows of its
// own; a cache in 3 bits holds one text.
#pragma once

#include <algorithm>
#include <span>

#include "tern/base/assert.hpp"
#include "tern/base/buffer.hpp"
#include "tern/kernels/kernel_table.hpp"
#include "tern/model/config.hpp"
#include "tern/platform/buffer_plan.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

class KvCache {
 public:
  KvCache() = default;

  /// Errors: out_of_memory. Cost: bytes_per_position() times capacity of address space; pages are
  /// touched as positions fill.
  static Result<KvCache> create(const ModelConfig& config, uint32_t capacity, CacheType type,
                                BufferPlan& plan) {
    KvCache cache;
    cache.type_ = type;
    cache.capacity_ = capacity;
    cache.head_dim_ = config.head_dim;
    cache.n_runs_ = config.n_layers * config.n_kv_heads;
    cache.n_kv_heads_ = config.n_kv_heads;
    // At most 2^46 bytes by the limits of config.hpp.
    const uint64_t vectors = uint64_t{cache.n_runs_} * capacity;
    const uint64_t bytes = vectors * cache.vector_bytes();
    const uint64_t units = has_units(type) ? vectors : 0;
    const uint64_t firsts =
        type == CacheType::i3 ? cache.n_runs_ * uint64_t{cache.first_bytes()} : 0;
    constexpr auto kUntouched = BufferPlan::Fill::nothing;
    TERN_TRY(plan.add(cache.keys_, bytes, kUntouched));
    TERN_TRY(plan.add(cache.values_, bytes, kUntouched));
    TERN_TRY(plan.add(cache.key_units_, units, kUntouched));
    TERN_TRY(plan.add(cache.value_units_, units, kUntouched));
    TERN_TRY(plan.add(cache.first_keys_, firsts));
    TERN_TRY(plan.add(cache.first_values_, firsts));
    return cache;
  }

  /// Rounds and keeps the key and value of one head at a position. Shapes: [head_dim].
  /// False when a rounded value is not finite.
  bool store(const KernelTable& kernels, size_t layer, size_t head, size_t position,
             const float* key, const float* value) {
    const size_t vector = index(layer, head, position);
    const bool key_is_finite = store_vector(kernels, key, vector, keys_, key_units_, first_keys_);
    return store_vector(kernels, value, vector, values_, value_units_, first_values_) &&
           key_is_finite;
  }
  /// Asks for the memory that store() will write of heads [begin, end) of a position, which lies
  /// apart for every head: else each store waits for its own. Always inlined: a call of what
  /// changes nothing g++ leaves out.
  TERN_ALWAYS_INLINE void fetch(size_t layer, size_t begin, size_t end, size_t position) const {
    for (size_t head = begin; head < end; ++head) {
      const size_t at = index(layer, head, position) * vector_bytes();
      for (size_t i = 0; i < vector_bytes(); i += kBufferAlignment) {
        __builtin_prefetch(keys_.data() + at + i, 1);
        __builtin_prefetch(values_.data() + at + i, 1);
      }
    }
  }
  /// The positions of one head, from `first` on.
  CacheView keys(size_t layer, size_t head, size_t first) const {
    return view(index(layer, head, first), keys_, key_units_, first_keys_);
  }
  CacheView values(size_t layer, size_t head, size_t first) const {
    return view(index(layer, head, first), values_, value_units_, first_values_);
  }

  /// Calls run(bytes) for what the first `n` positions hold: the keys and values of every layer and
  /// head, then their units, then the rows of first positions, each run contiguous; in one order,
  /// which saved sessions rely on.
  template <typename F>
  void for_each_run(size_t n, F&& run) {
    for (Buffer<uint8_t>* data : {&keys_, &values_}) {
      for (size_t i = 0; i < n_runs_; ++i) {
        run(std::span<uint8_t>(data->data() + i * capacity_ * vector_bytes(), n * vector_bytes()));
      }
    }
    for (Buffer<uint8_t>* firsts : {&first_keys_, &first_values_}) {
      if (n > 0 && firsts->size() != 0) run(firsts->span());
    }
    for (Buffer<uint16_t>* units : {&key_units_, &value_units_}) {
      if (units->size() == 0) continue;
      for (size_t i = 0; i < n_runs_; ++i) {
        run(std::span<uint8_t>(reinterpret_cast<uint8_t*>(units->data() + i * capacity_),
                               n * sizeof(uint16_t)));
      }
    }
  }

  /// Takes over the first `n` positions. Requires: the same model, type and capacity.
  void copy_positions(const KvCache& other, size_t n) {
    copy_runs(other.keys_, n * vector_bytes(), keys_);
    copy_runs(other.values_, n * vector_bytes(), values_);
    copy_runs(other.key_units_, n, key_units_);
    copy_runs(other.value_units_, n, value_units_);
    std::copy_n(other.first_keys_.data(), first_keys_.size(), first_keys_.data());
    std::copy_n(other.first_values_.data(), first_values_.size(), first_values_.data());
  }

  uint32_t capacity() const { return capacity_; }
  CacheType type() const { return type_; }
  /// What for_each_run() passes over. Requires: no overflow, as of n up to the capacity.
  static uint64_t run_bytes(const ModelConfig& config, CacheType type, uint64_t n) {
    const uint64_t heads = uint64_t{config.n_layers} * config.n_kv_heads;
    const uint64_t firsts = type == CacheType::i3 && n > 0
                                ? 2 * heads * cache_row_bytes(CacheType::i4, config.head_dim)
                                : 0;
    return n * bytes_per_position(config, type) + firsts;
  }
  /// Bytes of all keys and values of one position, in all layers.
  static uint64_t bytes_per_position(const ModelConfig& config, CacheType type) {
    const uint64_t vector_bytes =
        cache_row_bytes(type, config.head_dim) + (has_units(type) ? sizeof(uint16_t) : 0);
    return 2 * uint64_t{config.n_layers} * config.n_kv_heads * vector_bytes;
  }

 private:
  template <typename T>
  void copy_runs(const Buffer<T>& from, size_t n, Buffer<T>& to) const {
    const size_t stride = from.size() / n_runs_;
    for (size_t i = 0; i < n_runs_ && from.size() != 0; ++i) {
      std::copy_n(from.data() + i * stride, n, to.data() + i * stride);
    }
  }
  size_t vector_bytes() const { return cache_row_bytes(type_, head_dim_); }
  size_t first_bytes() const { return cache_row_bytes(CacheType::i4, head_dim_); }
  /// Of a first position the row in 4 bits; else null.
  template <typename Rows>
  auto first_row(size_t vector, Rows& rows) const {
    return rows.size() != 0 && vector % capacity_ == 0
               ? rows.data() + vector / capacity_ * first_bytes()
               : nullptr;
  }
  size_t index(size_t layer, size_t head, size_t position) const {
    return (layer * n_kv_heads_ + head) * capacity_ + position;
  }
  bool store_vector(const KernelTable& kernels, const float* x, size_t vector,
                    Buffer<uint8_t>& data, Buffer<uint16_t>& units, Buffer<uint8_t>& firsts) {
    uint8_t* to = data.data() + vector * vector_bytes();
    switch (type_) {
      case CacheType::f16: return kernels.to_f16(x, head_dim_, reinterpret_cast<uint16_t*>(to));
      case CacheType::i8:
        return kernels.to_i8(x, head_dim_, reinterpret_cast<int8_t*>(to), units.data() + vector);
      case CacheType::i4:
      case CacheType::i3: {
        uint8_t* const first = first_row(vector, firsts);
        if (first != nullptr) std::fill_n(to, vector_bytes(), uint8_t{0});
        return first != nullptr
                   ? kernels.to_packed(CacheType::i4, x, head_dim_, first, units.data() + vector)
                   : kernels.to_packed(type_, x, head_dim_, to, units.data() + vector);
      }
      case CacheType::f32:
        std::copy_n(reinterpret_cast<const uint8_t*>(x), vector_bytes(), to);
        return kernels.all_finite(x, head_dim_);
    }
    return false;
  }
  CacheView view(size_t vector, const Buffer<uint8_t>& data, const Buffer<uint16_t>& units,
                 const Buffer<uint8_t>& firsts) const {
    return {type_, data.data() + vector * vector_bytes(), head_dim_,
            has_units(type_) ? units.data() + vector : nullptr, first_row(vector, firsts)};
  }

  Buffer<uint8_t> keys_;          // [n_layers, n_kv_heads, capacity, vector_bytes()]
  Buffer<uint8_t> values_;        // the same
  Buffer<uint16_t> key_units_;    // [n_layers, n_kv_heads, capacity] for integers, else empty
  Buffer<uint16_t> value_units_;  // the same
  Buffer<uint8_t> first_keys_;    // [n_layers, n_kv_heads, first_bytes()] for i3, else empty
  Buffer<uint8_t> first_values_;  // the same
  CacheType type_ = CacheType::f16;
  uint32_t capacity_ = 0;
  uint32_t head_dim_ = 0;
  uint32_t n_kv_heads_ = 0;
  uint32_t n_runs_ = 0;  // layers times heads
};

TERN_NAMESPACE_END
