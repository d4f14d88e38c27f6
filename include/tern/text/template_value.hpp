// Values of chat templates: texts that know which of their bytes came from contents, and the memory
// that they live in while a conversation is rendered.
//
// Room: text. What a user wrote must never become a control token, whatever a template does with
// it. So each text carries marks, one a byte: 1 where the byte came from a message's content. Views
// (trim, slice, split) keep the marks of what they view, and everything that is built is appended
// to a TemplateWriter, which copies them. Values are trivially copyable and view the template, the
// messages, or the TemplateMemory of the run; nothing in them is freed before the run ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "tern/base/allocator.hpp"
#include "tern/base/status.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {

/// Text with marks.
struct MarkedText {
  std::string_view bytes = {};
  const char* marks = nullptr;  ///< [bytes.size()], or null: every byte is as `is_content` says
  bool is_content = false;

  char mark(size_t i) const { return marks != nullptr ? marks[i] : static_cast<char>(is_content); }
  size_t size() const { return bytes.size(); }
  /// Requires: begin <= size().
  MarkedText sub(size_t begin, size_t n = std::string_view::npos) const {
    return {bytes.substr(begin, n), marks != nullptr ? marks + begin : nullptr, is_content};
  }
};

enum class TemplateType : uint8_t {
  undefined,
  none,
  boolean,
  integer,
  text,
  list,
  dict,
  space,     ///< what namespace() makes: the one value whose fields can be set
  loop,      ///< `loop` inside a for
  macro,     ///< of the template
  function,  ///< of tern
};

struct TemplateSpace;
struct TemplateLoop;

/// A value. Dicts are lists of keys and values in turn.
struct TemplateValue {
  TemplateType type = TemplateType::undefined;
  bool is_content = false;      // of a text: MarkedText's
  uint32_t size = 0;            // bytes of a text, elements of a list or dict
  const void* data = nullptr;   // a text's bytes, a list's elements, a space, a loop
  const char* marks = nullptr;  // of a text: MarkedText's
  int64_t number = 0;           // an integer; 0 or 1; the node of a macro, the row of a function

  static TemplateValue none() { return {.type = TemplateType::none}; }
  static TemplateValue of(bool value) {
    return {.type = TemplateType::boolean, .number = value ? 1 : 0};
  }
  static TemplateValue of(int64_t value) {
    return {.type = TemplateType::integer, .number = value};
  }
  /// Requires: fewer than 4 GiB, as every text of a run is.
  static TemplateValue of(const MarkedText& value) {
    return {.type = TemplateType::text,
            .is_content = value.is_content,
            .size = static_cast<uint32_t>(value.size()),
            .data = value.bytes.data(),
            .marks = value.marks};
  }
  static TemplateValue of(std::string_view value) { return of(MarkedText{value}); }
  static TemplateValue of_list(std::span<const TemplateValue> items) {
    return {.type = TemplateType::list,
            .size = static_cast<uint32_t>(items.size()),
            .data = items.data()};
  }
  static TemplateValue of_dict(std::span<const TemplateValue> keys_and_values) {
    TemplateValue value = of_list(keys_and_values);
    value.type = TemplateType::dict;
    return value;
  }

  bool is(TemplateType t) const { return type == t; }
  bool is_number() const { return type == TemplateType::boolean || type == TemplateType::integer; }
  /// Requires: a text.
  MarkedText text() const { return {{static_cast<const char*>(data), size}, marks, is_content}; }
  /// Requires: a list or dict.
  std::span<const TemplateValue> items() const {
    return {static_cast<const TemplateValue*>(data), size};
  }
};
static_assert(std::is_trivially_copyable_v<TemplateValue>);

/// One field of a namespace.
struct TemplateField {
  std::string_view name;
  TemplateValue value;
  TemplateField* next = nullptr;
};
struct TemplateSpace {
  TemplateField* first = nullptr;
  size_t n_fields = 0;

  TemplateField* find(std::string_view name) const {
    for (TemplateField* field = first; field != nullptr; field = field->next) {
      if (field->name == name) return field;
    }
    return nullptr;
  }
};

/// What `loop` tells.
struct TemplateLoop {
  std::span<const TemplateValue> items;
  size_t index = 0;
};

/// The most that one rendering may use; a template that needs more is refused.
struct TemplateLimits {
  size_t steps = 0;  ///< nodes run, elements looked at, and the like
  size_t bytes = 0;  ///< of values, and again of texts under construction
  /// Nesting of blocks, expressions and macro calls.
  static constexpr uint32_t kMaxDepth = 64;

  /// Enough for any published template over contents of this size.
  static TemplateLimits for_contents(size_t content_bytes) {
    return {(size_t{1} << 19) + content_bytes, (size_t{2} << 20) + 32 * content_bytes};
  }
};

inline Error template_error(Status status, const char* what, std::string_view about = {}) {
  return {status, what, about};
}

/// Text under construction, and the output. Parts are built at its end and cut off again.
class TemplateWriter {
 public:
  TemplateWriter(size_t max_bytes, const AllocatorHooks& hooks)
      : bytes_(hooks), marks_(hooks), max_bytes_(max_bytes) {}

  size_t size() const { return bytes_.size(); }
  Result<void> append(const MarkedText& text) {
    if (text.size() > max_bytes_ - bytes_.size()) {
      return template_error(Status::unsupported, "the chat template writes too much");
    }
    bytes_.insert(bytes_.end(), text.bytes.begin(), text.bytes.end());
    if (text.marks != nullptr) {
      marks_.insert(marks_.end(), text.marks, text.marks + text.size());
    } else {
      marks_.resize(bytes_.size(), static_cast<char>(text.is_content));
    }
    return {};
  }
  /// What was written from `begin` on; valid until the next append.
  MarkedText since(size_t begin) const {
    return {{bytes_.data() + begin, bytes_.size() - begin}, marks_.data() + begin};
  }
  void truncate(size_t size) {
    bytes_.resize(size);
    marks_.resize(size);
  }
  Vector<char> take_bytes() { return std::move(bytes_); }

 private:
  Vector<char> bytes_;
  Vector<char> marks_;  // [size()]
  size_t max_bytes_;
};

/// The memory, the steps and the depth of one rendering.
class TemplateMemory {
 public:
  TemplateMemory(const TemplateLimits& limits, const AllocatorHooks& hooks)
      : writer(limits.bytes, hooks),
        hooks_(hooks),
        chunks_(hooks),
        steps_left_(limits.steps),
        bytes_left_(limits.bytes) {}

  TemplateWriter writer;
  const AllocatorHooks& hooks() const { return hooks_; }

  /// Counts work. Errors: unsupported (too much of it).
  Result<void> charge(uint64_t steps) {
    if (steps > steps_left_) {
      return template_error(Status::unsupported, "the chat template takes too many steps");
    }
    steps_left_ -= static_cast<size_t>(steps);
    return {};
  }
  /// Counts a look at every byte of a text.
  Result<void> charge_scan(size_t bytes) { return charge(1 + bytes / 16); }

  /// An array of n values of T, as T{} leaves them. Errors: unsupported (too much memory).
  template <typename T>
  Result<std::span<T>> allocate(size_t n) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= alignof(uint64_t));
    if (n == 0) return std::span<T>();
    if (n > bytes_left_ / sizeof(T)) return too_much();
    const size_t words = (n * sizeof(T) + 7) / 8;
    if (words > free_words_) TERN_TRY(add_chunk(words));
    uint64_t* block = chunks_.back().data() + (chunks_.back().size() - free_words_);
    free_words_ -= words;
    T* items = reinterpret_cast<T*>(block);
    for (size_t i = 0; i < n; ++i) new (items + i) T{};
    return std::span<T>(items, n);
  }
  /// Keeps what the writer holds from `begin` on, and takes it off there.
  Result<TemplateValue> cut(size_t begin) {
    const MarkedText text = writer.since(begin);
    TERN_TRY_ASSIGN(const std::span<char> copy, allocate<char>(2 * text.size()));
    text.bytes.copy(copy.data(), text.size());
    std::string_view(text.marks, text.size()).copy(copy.data() + text.size(), text.size());
    writer.truncate(begin);
    return TemplateValue::of(MarkedText{{copy.data(), text.size()}, copy.data() + text.size()});
  }
  Result<TemplateValue> list_of(std::span<const TemplateValue> items) {
    TERN_TRY_ASSIGN(const std::span<TemplateValue> copy, allocate<TemplateValue>(items.size()));
    for (size_t i = 0; i < items.size(); ++i) copy[i] = items[i];
    return TemplateValue::of_list(copy);
  }

  /// One level down; false at the limit. Each enter() that gave true needs a leave().
  bool enter() { return depth_ < TemplateLimits::kMaxDepth && (++depth_, true); }
  void leave() { --depth_; }

 private:
  static Error too_much() {
    return template_error(Status::unsupported, "the chat template takes too much memory");
  }
  Result<void> add_chunk(size_t words) {
    constexpr size_t kChunkWords = 2048;
    const size_t size = words > kChunkWords ? words : kChunkWords;
    if (size * 8 > bytes_left_) return too_much();
    bytes_left_ -= size * 8;
    chunks_.emplace_back(size, uint64_t{0}, HostAllocator<uint64_t>(hooks_));
    free_words_ = size;
    return {};
  }

  AllocatorHooks hooks_;
  Vector<Vector<uint64_t>> chunks_;  // the last one is being used
  size_t free_words_ = 0;            // of it
  size_t steps_left_;
  size_t bytes_left_;
  uint32_t depth_ = 0;
};

/// One level of nesting, for the length of a scope.
class TemplateDepth {
 public:
  explicit TemplateDepth(TemplateMemory& memory) : memory_(memory), is_in_(memory.enter()) {}
  ~TemplateDepth() {
    if (is_in_) memory_.leave();
  }
  TemplateDepth(const TemplateDepth&) = delete;
  TemplateDepth& operator=(const TemplateDepth&) = delete;
  Result<void> check() const {
    if (is_in_) return {};
    return template_error(Status::unsupported, "the chat template is nested too deep");
  }

 private:
  TemplateMemory& memory_;
  bool is_in_;
};

}  // namespace detail

TERN_NAMESPACE_END
