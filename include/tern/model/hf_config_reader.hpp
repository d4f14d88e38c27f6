// Members of a config.json, checked as they are read, and the metadata that they become.
//
// Room: model.
#pragma once

#include <optional>
#include <string_view>

#include "tern/base/status.hpp"
#include "tern/format/gguf_header.hpp"
#include "tern/format/json.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {

/// Reads the members of an object; errors name the key.
class HfConfigReader {
 public:
  explicit HfConfigReader(JsonValue object) : object_(object) {}

  /// Absent where the key is null, too.
  JsonValue find(std::string_view key) const {
    const JsonValue value = object_.find(key);
    return value.is_null() ? JsonValue() : value;
  }
  bool has(std::string_view key) const { return !find(key).is_absent(); }
  Error bad(std::string_view key, const char* what, Status status = Status::mismatch) const {
    return {status, what, key, object_.find(key).where()};
  }

  Result<uint32_t> size(std::string_view key) const {
    if (!has(key)) return Error(Status::missing, "required key is absent", key);
    const auto value = find(key).as_integer();
    if (!value || *value <= 0 || *value > kMost) return bad(key, "value is not a size");
    return static_cast<uint32_t>(*value);
  }
  Result<uint32_t> size_or(std::string_view key, uint32_t fallback) const {
    return has(key) ? size(key) : Result<uint32_t>(fallback);
  }
  Result<bool> flag_or(std::string_view key, bool fallback) const {
    if (!has(key)) return fallback;
    const auto value = find(key).as_bool();
    if (!value) return bad(key, "value is neither true nor false");
    return *value;
  }
  Result<std::string_view> text_or(std::string_view key, std::string_view fallback) const {
    if (!has(key)) return fallback;
    const auto value = find(key).as_text();
    if (!value) return bad(key, "value is not a text");
    return *value;
  }
  Result<float> real(std::string_view key) const {
    if (!has(key)) return Error(Status::missing, "required key is absent", key);
    const auto value = find(key).as_real();
    if (!value) return bad(key, "value is not a number");
    return static_cast<float>(*value);
  }

  /// Whether a key is there with a value that asks for something.
  bool asks_for(std::string_view key) const {
    const JsonValue value = find(key);
    if (value.is_array() || value.is_object()) return value.size() != 0;
    return !value.is_absent() && value.as_bool() != false && value.as_real() != 0.0 &&
           value.as_text() != std::string_view();
  }

 private:
  static constexpr int64_t kMost = 0xFFFFFFFF;
  JsonValue object_;
};

/// Appends `<architecture>.<key>`.
class HfHeaderWriter {
 public:
  HfHeaderWriter(GgufHeader& header, std::string_view architecture, const AllocatorHooks& hooks)
      : header_(header), key_(hooks), prefix_(architecture.size() + 1) {
    key_.append(architecture).append(".");
  }
  template <typename T>
  void add(std::string_view name, T value) {
    key_.resize(prefix_);
    key_.append(name);
    header_.add(key_, value);
  }

 private:
  GgufHeader& header_;
  String key_;
  size_t prefix_;
};

}  // namespace detail

TERN_NAMESPACE_END
