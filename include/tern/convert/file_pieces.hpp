// What files of all kinds have in common when they are written: metadata of the source, and bytes
// in pieces.
//
// Room: convert.
#pragma once

#include <algorithm>
#include <iterator>

#include "tern/format/gguf_header.hpp"
#include "tern/format/tern_directory.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

inline constexpr std::string_view kFileTypeKey = "general.file_type";

/// Adds the metadata of a source, but for what describes the container that is left behind, or is
/// said anew, and for the key `but`.
inline void copy_metadata(const GgufFile& source, GgufHeader& header, std::string_view but = {}) {
  constexpr std::string_view kDropped[] = {GgufHeader::kAlignmentKey, kFileTypeKey, kTernVersionKey,
                                           kTernHashKey};
  constexpr std::string_view kDroppedPrefixes[] = {"tern.tensor.", "split."};
  const auto entries = source.metadata();
  for (size_t i = 0; i < entries.size(); ++i) {
    const std::string_view key = entries[i].key;
    bool keep = key != but;
    keep &= std::find(std::begin(kDropped), std::end(kDropped), key) == std::end(kDropped);
    for (const std::string_view prefix : kDroppedPrefixes) keep &= !key.starts_with(prefix);
    if (keep) header.add_raw(source.entry_bytes(i));
  }
}

/// Hands the bytes of a file in order, in pieces of at most a mebibyte, to
/// `sink(std::span<const uint8_t>) -> Result<void>`; ends with the first error of the sink.
template <typename Sink>
class PieceWriter {
 public:
  explicit PieceWriter(Sink& sink) : sink_(sink) {}

  Result<void> put(std::span<const uint8_t> bytes) {
    constexpr size_t kPiece = size_t{1} << 20;
    position_ += bytes.size();
    while (!bytes.empty()) {
      const size_t n = std::min(bytes.size(), kPiece);
      TERN_TRY(sink_(bytes.first(n)));
      bytes = bytes.subspan(n);
    }
    return {};
  }
  /// Zeros up to an offset of the file.
  Result<void> pad_to(uint64_t offset) {
    constexpr size_t kZeros = 4096;
    const uint8_t zeros[kZeros] = {};
    while (position_ < offset) {
      TERN_TRY(put({zeros, static_cast<size_t>(std::min<uint64_t>(offset - position_, kZeros))}));
    }
    return {};
  }

 private:
  Sink& sink_;
  uint64_t position_ = 0;
};

TERN_NAMESPACE_END
