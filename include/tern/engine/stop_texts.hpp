// Stop texts: a generated text is cut where one of them begins, so what could become one is held
// back until it is clear.
//
// Room: engine.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>

#include "tern/base/allocator.hpp"
#include "tern/base/memory_wall.hpp"
#include "tern/base/status.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

class StopTexts {
 public:
  /// `stops` is viewed; empty ones are never met. Pieces have at most `max_piece` bytes.
  /// Errors: out_of_memory.
  static Result<StopTexts> create(std::span<const std::string_view> stops, size_t max_piece,
                                  const AllocatorHooks& hooks) {
    return catch_out_of_memory([&]() -> Result<StopTexts> {
      size_t longest = 0;
      for (const std::string_view stop : stops) longest = std::max(longest, stop.size());
      StopTexts out(stops, hooks);
      if (longest != 0) out.text_.reserve(longest + max_piece);
      return out;
    });
  }

  /// Takes more text; what of it all may be shown now. Once a stop text was met, met() is true and
  /// nothing behind its first byte is shown, then or later.
  /// Ensures: the view is valid until the next call. Cost: O(held and new bytes times the stops).
  std::string_view push(std::string_view more) {
    if (stops_.empty()) return more;
    text_.erase(0, shown_);
    text_.append(more);
    shown_ = text_.size();
    for (const std::string_view stop : stops_) {
      if (stop.empty()) continue;
      if (const size_t at = text_.find(stop); at != String::npos) {
        shown_ = std::min(shown_, at);
        met_ = true;
      }
    }
    if (!met_) shown_ = begin_of_possible_stop();
    return std::string_view(text_).substr(0, shown_);
  }
  /// What was held back, when the text ends. Ensures: valid until the next call.
  std::string_view flush() const {
    return met_ ? std::string_view() : std::string_view(text_).substr(shown_);
  }
  bool met() const { return met_; }

 private:
  StopTexts(std::span<const std::string_view> stops, const AllocatorHooks& hooks)
      : stops_(stops), text_(hooks) {}

  // Where the longest end of the text begins that a stop text begins with.
  size_t begin_of_possible_stop() const {
    size_t begin = text_.size();
    for (const std::string_view stop : stops_) {
      const size_t most = std::min(stop.size(), text_.size());
      for (size_t n = most; n > text_.size() - begin; --n) {
        if (std::string_view(text_).substr(text_.size() - n) == stop.substr(0, n)) {
          begin = text_.size() - n;
          break;
        }
      }
    }
    return begin;
  }

  std::span<const std::string_view> stops_;
  String text_;
  size_t shown_ = 0;
  bool met_ = false;
};

TERN_NAMESPACE_END
