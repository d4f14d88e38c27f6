// Lookup of named things in a file: the order of their names, searched by halving.
//
// Room: format. Names are views into the bytes of the file; the index costs four bytes a name.
#pragma once

#include <algorithm>
#include <string_view>

#include "tern/base/buffer.hpp"

TERN_NAMESPACE_BEGIN

/// Positions of n named items by ascending name.
/// Requires: `name_of(i)` gives the name of item i, the same at every call.
class NameIndex {
 public:
  /// Errors: out_of_memory. Requires: n fits 32 bits. Cost: n log n comparisons, 4 n bytes.
  template <typename NameOf>
  static Result<NameIndex> create(size_t n, NameOf name_of, const AllocatorHooks& hooks) {
    NameIndex index;
    TERN_TRY_ASSIGN(index.order_, Buffer<uint32_t>::create(n, hooks));
    for (size_t i = 0; i < n; ++i) index.order_[i] = static_cast<uint32_t>(i);
    // Ties by position, so that the second of two equal names is the one reported.
    std::sort(index.order_.data(), index.order_.data() + n, [&](uint32_t a, uint32_t b) {
      const int order = name_of(a).compare(name_of(b));
      return order != 0 ? order < 0 : a < b;
    });
    return index;
  }

  /// The position of an item whose name an earlier item has too, or kNone.
  template <typename NameOf>
  size_t find_duplicate(NameOf name_of) const {
    for (size_t i = 1; i < order_.size(); ++i) {
      if (name_of(order_[i - 1]) == name_of(order_[i])) return order_[i];
    }
    return kNone;
  }

  /// The position of the item called `name`, or kNone.
  template <typename NameOf>
  size_t find(std::string_view name, NameOf name_of) const {
    const uint32_t* end = order_.data() + order_.size();
    const uint32_t* at =
        std::lower_bound(order_.data(), end, name,
                         [&](uint32_t i, std::string_view wanted) { return name_of(i) < wanted; });
    return at != end && name_of(*at) == name ? *at : kNone;
  }

  static constexpr size_t kNone = ~size_t{0};

 private:
  Buffer<uint32_t> order_;
};

TERN_NAMESPACE_END
