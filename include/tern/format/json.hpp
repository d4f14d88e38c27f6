// JSON texts: parsed once, kept as one array of nodes in document order.
//
// Room: format. The parser (src/format/json.cpp) checks all of the text: UTF-8, nesting, one value
// and nothing behind it. Of members with the same name the last one counts, as published
// configurations rely on. Strings are unescaped copies; everything is allocated by the host's
// hooks, at most kNodeBytes a node and every node has a byte of the text.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tern/base/allocator.hpp"
#include "tern/base/status.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

enum class JsonKind : uint8_t { absent, null, boolean, integer, real, text, array, object };

inline constexpr size_t kJsonMaxDepth = 64;
inline constexpr size_t kJsonMaxBytes = size_t{1} << 31;

namespace detail {
/// A value of a document. Members of an object are pairs of nodes, name and value.
struct JsonNode {
  JsonKind kind = JsonKind::absent;
  uint32_t end = 0;    ///< the index behind the node and all that is in it
  uint32_t where = 0;  ///< byte offset: of the bracket of a container, behind anything else
  uint32_t size = 0;   ///< of a container its elements or members; of a text its bytes
  union {
    int64_t integer = 0;
    double real;
    uint64_t text;  ///< offset in the document's texts
    bool boolean;
  };
};
inline constexpr size_t kNodeBytes = sizeof(JsonNode);
}  // namespace detail

class JsonMembers;
class JsonElements;

/// A value in a document, or the absence of one; views the document. Cheap to copy.
class JsonValue {
 public:
  JsonValue() = default;

  JsonKind kind() const { return node_ == nullptr ? JsonKind::absent : node_->kind; }
  bool is_absent() const { return kind() == JsonKind::absent; }
  bool is_null() const { return kind() == JsonKind::null; }
  bool is_object() const { return kind() == JsonKind::object; }
  bool is_array() const { return kind() == JsonKind::array; }

  /// Nothing where the value is of another kind or absent.
  std::optional<bool> as_bool() const {
    if (kind() != JsonKind::boolean) return std::nullopt;
    return node_->boolean;
  }
  std::optional<int64_t> as_integer() const {
    if (kind() != JsonKind::integer) return std::nullopt;
    return node_->integer;
  }
  /// An integer too.
  std::optional<double> as_real() const {
    if (kind() == JsonKind::integer) return static_cast<double>(node_->integer);
    if (kind() != JsonKind::real) return std::nullopt;
    return node_->real;
  }
  /// Valid as long as the document.
  std::optional<std::string_view> as_text() const {
    if (kind() != JsonKind::text) return std::nullopt;
    return std::string_view(texts_ + node_->text, node_->size);
  }

  /// Elements of an array or members of an object; else 0.
  size_t size() const { return is_array() || is_object() ? node_->size : 0; }
  /// The members of an object in order, repeated names too; none of anything else.
  JsonMembers members() const;
  /// The elements of an array in order; none of anything else.
  JsonElements elements() const;
  /// The last member of that name; absent where there is none, or this is no object. Cost: O(n).
  JsonValue find(std::string_view name) const;

  /// Where in the text: at the bracket of a container, behind any other value.
  uint64_t where() const { return node_ == nullptr ? Error::kNowhere : node_->where; }

 private:
  friend class JsonDocument;
  friend class JsonMembers;
  friend class JsonElements;
  JsonValue(const detail::JsonNode* nodes, const detail::JsonNode* node, const char* texts)
      : nodes_(nodes), node_(node), texts_(texts) {}

  const detail::JsonNode* nodes_ = nullptr;
  const detail::JsonNode* node_ = nullptr;
  const char* texts_ = nullptr;
};

struct JsonMember {
  std::string_view name;
  JsonValue value;
};

/// The members of an object, for range-based loops.
class JsonMembers {
 public:
  class Iterator {
   public:
    JsonMember operator*() const {
      return {*at_.as_text(), JsonValue(at_.nodes_, at_.node_ + 1, at_.texts_)};
    }
    Iterator& operator++() {
      at_.node_ = at_.nodes_ + at_.node_[1].end;
      return *this;
    }
    bool operator==(const Iterator& other) const { return at_.node_ == other.at_.node_; }

   private:
    friend class JsonMembers;
    explicit Iterator(JsonValue at) : at_(at) {}
    JsonValue at_;  // the name
  };
  Iterator begin() const { return Iterator(begin_); }
  Iterator end() const { return Iterator(end_); }

 private:
  friend class JsonValue;
  JsonMembers(JsonValue begin, JsonValue end) : begin_(begin), end_(end) {}
  JsonValue begin_;
  JsonValue end_;
};

/// The elements of an array, for range-based loops.
class JsonElements {
 public:
  class Iterator {
   public:
    JsonValue operator*() const { return at_; }
    Iterator& operator++() {
      at_.node_ = at_.nodes_ + at_.node_->end;
      return *this;
    }
    bool operator==(const Iterator& other) const { return at_.node_ == other.at_.node_; }

   private:
    friend class JsonElements;
    explicit Iterator(JsonValue at) : at_(at) {}
    JsonValue at_;
  };
  Iterator begin() const { return Iterator(begin_); }
  Iterator end() const { return Iterator(end_); }

 private:
  friend class JsonValue;
  JsonElements(JsonValue begin, JsonValue end) : begin_(begin), end_(end) {}
  JsonValue begin_;
  JsonValue end_;
};

inline JsonMembers JsonValue::members() const {
  if (!is_object()) return {JsonValue(), JsonValue()};
  return {JsonValue(nodes_, node_ + 1, texts_), JsonValue(nodes_, nodes_ + node_->end, texts_)};
}
inline JsonElements JsonValue::elements() const {
  if (!is_array()) return {JsonValue(), JsonValue()};
  return {JsonValue(nodes_, node_ + 1, texts_), JsonValue(nodes_, nodes_ + node_->end, texts_)};
}
inline JsonValue JsonValue::find(std::string_view name) const {
  JsonValue found;
  for (const JsonMember member : members()) {
    if (member.name == name) found = member.value;
  }
  return found;
}

/// A parsed text. Immutable. Threads: any number.
class JsonDocument {
 public:
  /// Parses a whole text; the bytes are not needed afterwards.
  /// Errors: malformed, with the byte; unsupported (a build without JSON, a text of 2 GiB or more,
  /// an integer beyond 64 bits counts as a real number); out_of_memory.
  static Result<JsonDocument> parse(std::span<const uint8_t> text, const AllocatorHooks& hooks);

  JsonValue root() const { return {nodes_.data(), nodes_.data(), texts_.data()}; }

 private:
  explicit JsonDocument(const AllocatorHooks& hooks) : nodes_(hooks), texts_(hooks) {}
  friend class JsonBuilder;

  Vector<detail::JsonNode> nodes_;
  Vector<char> texts_;
};

TERN_NAMESPACE_END
