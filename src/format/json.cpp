// The JSON parser: RapidJSON's events to the nodes of a document.
//
// Room: format. The only file that knows RapidJSON, and the only one that is compiled with it; its
// memory comes from the host's hooks.
#include "tern/format/json.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <new>
#include <optional>

#include "tern/base/memory_wall.hpp"
#include "tern/format/decimal.hpp"

#if defined(TERN_WITH_JSON)
#define RAPIDJSON_NAMESPACE tern_rapidjson
#define RAPIDJSON_NAMESPACE_BEGIN namespace tern_rapidjson {
#define RAPIDJSON_NAMESPACE_END }
#define RAPIDJSON_ASSERT(condition) static_cast<void>(condition)
#define RAPIDJSON_NOEXCEPT_ASSERT(condition) static_cast<void>(condition)
#include <rapidjson/error/error.h>
#include <rapidjson/reader.h>
#endif

TERN_NAMESPACE_BEGIN

#if !defined(TERN_WITH_JSON)

Result<JsonDocument> JsonDocument::parse(std::span<const uint8_t>, const AllocatorHooks&) {
  return Error(Status::unsupported, "this build of tern reads no JSON");
}

#else

namespace {

/// RapidJSON's memory over the host's hooks. It releases blocks without their size and without an
/// instance, so a block is preceded by what is needed for that.
class StackAllocator {
 public:
  [[maybe_unused]] static constexpr bool kNeedFree = true;

  explicit StackAllocator(const AllocatorHooks& hooks = default_allocator()) : hooks_(hooks) {}

  void* Malloc(size_t bytes) { return bytes == 0 ? nullptr : allocate(bytes); }
  void* Realloc(void* block, size_t old_bytes, size_t bytes) {
    void* grown = Malloc(bytes);
    if (block != nullptr && grown != nullptr) {
      std::memcpy(grown, block, std::min(old_bytes, bytes));
    }
    Free(block);
    return grown;
  }
  static void Free(void* block) {
    if (block == nullptr) return;
    Header* header = static_cast<Header*>(block) - 1;
    HostAllocator<Header>(header->hooks).deallocate(header, header->n_units);
  }

 private:
  struct alignas(16) Header {
    AllocatorHooks hooks;
    size_t n_units;
  };
  void* allocate(size_t bytes) {
    const size_t n_units = 1 + (bytes + sizeof(Header) - 1) / sizeof(Header);
    return new (HostAllocator<Header>(hooks_).allocate(n_units)) Header{hooks_, n_units} + 1;
  }

  AllocatorHooks hooks_;
};

/// The text as RapidJSON reads it: zero behind the end.
class TextStream {
 public:
  using Ch = char;

  explicit TextStream(std::span<const uint8_t> text) : text_(text) {}
  Ch Peek() const { return at_ < text_.size() ? static_cast<char>(text_[at_]) : '\0'; }
  Ch Take() {
    const Ch c = Peek();
    if (at_ < text_.size()) ++at_;
    return c;
  }
  size_t Tell() const { return at_; }
  // Only for parsing in place, which is not done.
  Ch* PutBegin() { return nullptr; }
  void Put(Ch) {}
  void Flush() {}
  size_t PutEnd(Ch*) { return 0; }

 private:
  std::span<const uint8_t> text_;
  size_t at_ = 0;
};

constexpr const char* kOutOfRange = "a JSON number out of range";

using Utf8 = tern_rapidjson::UTF8<>;

}  // namespace

/// Takes the events. False ends the parse.
class JsonBuilder {
 public:
  JsonBuilder(JsonDocument& document, const TextStream& stream)
      : nodes_(document.nodes_), texts_(document.texts_), stream_(stream) {}

  bool Null() {
    add(JsonKind::null);
    return true;
  }
  bool Bool(bool value) {
    add(JsonKind::boolean).boolean = value;
    return true;
  }
  // Numbers come as their texts.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(int64_t) { return false; }
  bool Uint64(uint64_t) { return false; }
  bool Double(double) { return false; }
  /// A number as its text, which the grammar allows.
  bool RawNumber(const char* text, unsigned bytes, bool) {
    int64_t integer = 0;
    const auto read = std::from_chars(text, text + bytes, integer);
    if (read.ec == std::errc() && read.ptr == text + bytes) {
      add(JsonKind::integer).integer = integer;
      return true;
    }
    const std::optional<double> real = parse_decimal({text, bytes});
    if (!real) return refuse(kOutOfRange);
    add(JsonKind::real).real = *real;
    return true;
  }
  bool String(const char* text, unsigned bytes, bool) {
    Node& node = add(JsonKind::text);
    node.text = texts_.size();
    node.size = bytes;
    texts_.insert(texts_.end(), text, text + bytes);
    return true;
  }
  bool Key(const char* text, unsigned bytes, bool copy) { return String(text, bytes, copy); }
  bool StartObject() { return open(JsonKind::object); }
  bool StartArray() { return open(JsonKind::array); }
  bool EndObject(unsigned members) { return close(members); }
  bool EndArray(unsigned elements) { return close(elements); }

  /// Why an event ended the parse; null where none did.
  const char* refusal() const { return refusal_; }

 private:
  using Node = detail::JsonNode;

  /// A node that ends behind itself.
  Node& add(JsonKind kind, size_t where) {
    Node node;
    node.kind = kind;
    node.where = static_cast<uint32_t>(where);
    node.end = static_cast<uint32_t>(nodes_.size() + 1);
    nodes_.push_back(node);
    return nodes_.back();
  }
  Node& add(JsonKind kind) { return add(kind, stream_.Tell()); }
  bool refuse(const char* why) {
    refusal_ = why;
    return false;
  }
  bool open(JsonKind kind) {
    if (depth_ == kJsonMaxDepth) return refuse("JSON nested too deeply");
    open_[depth_++] = static_cast<uint32_t>(nodes_.size());
    add(kind, stream_.Tell());  // RapidJSON tells of a bracket before it takes it
    return true;
  }
  bool close(unsigned size) {
    Node& node = nodes_[open_[--depth_]];
    node.size = size;
    node.end = static_cast<uint32_t>(nodes_.size());
    return true;
  }

  Vector<Node>& nodes_;
  Vector<char>& texts_;
  const TextStream& stream_;
  const char* refusal_ = nullptr;
  size_t depth_ = 0;
  uint32_t open_[kJsonMaxDepth] = {};
};

Result<JsonDocument> JsonDocument::parse(std::span<const uint8_t> text,
                                         const AllocatorHooks& hooks) {
  if (text.size() >= kJsonMaxBytes) {
    return Error(Status::unsupported, "a JSON text of 2 GiB or more is not read");
  }
  return catch_out_of_memory([&]() -> Result<JsonDocument> {
    constexpr unsigned kFlags = tern_rapidjson::kParseIterativeFlag |
                                tern_rapidjson::kParseValidateEncodingFlag |
                                tern_rapidjson::kParseNumbersAsStringsFlag;
    JsonDocument document(hooks);
    TextStream stream(text);
    JsonBuilder builder(document, stream);
    StackAllocator allocator(hooks);
    tern_rapidjson::GenericReader<Utf8, Utf8, StackAllocator> reader(&allocator);
    const tern_rapidjson::ParseResult result = reader.Parse<kFlags>(stream, builder);
    if (result.IsError()) {
      const char* what = builder.refusal() != nullptr ? builder.refusal() : "not valid JSON";
      if (result.Code() == tern_rapidjson::kParseErrorNumberTooBig) what = kOutOfRange;
      return Error(Status::malformed, what, result.Offset());
    }
    if (stream.Tell() != text.size()) {  // a zero, which ends a text for RapidJSON
      return Error(Status::malformed, "not valid JSON", stream.Tell());
    }
    return document;
  });
}

#endif

TERN_NAMESPACE_END
