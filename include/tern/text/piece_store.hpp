// Byte strings in one arena, numbered from 0, and an index that finds them by content.
//
// Room: text. PieceStore appends strings back to back; PieceIndex is an open-addressing hash table
// of their numbers, kept at most half full. Together they hold a vocabulary in about three
// allocations, whatever its size.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

#include "tern/base/allocator.hpp"
#include "tern/base/assert.hpp"
#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// Strings of any bytes, back to back. Requires: fewer than 4 GiB in total.
class PieceStore {
 public:
  static constexpr uint64_t kMaxBytes = std::numeric_limits<uint32_t>::max();

  explicit PieceStore(const AllocatorHooks& hooks) : bytes_(hooks), ends_(hooks) {}

  void reserve(size_t pieces, size_t bytes) {
    ends_.reserve(pieces);
    bytes_.reserve(bytes);
  }
  /// The arena, to append the bytes of the next piece to; `finish_piece` closes it.
  Vector<char>& bytes() { return bytes_; }
  void finish_piece() {
    TERN_ASSERT(bytes_.size() <= kMaxBytes);
    ends_.push_back(static_cast<uint32_t>(bytes_.size()));
  }
  void append(std::string_view piece) {
    bytes_.insert(bytes_.end(), piece.begin(), piece.end());
    finish_piece();
  }

  size_t size() const { return ends_.size(); }
  std::string_view operator[](size_t i) const {
    TERN_ASSERT(i < ends_.size());
    const uint32_t begin = i == 0 ? 0 : ends_[i - 1];
    return {bytes_.data() + begin, ends_[i] - begin};
  }

 private:
  Vector<char> bytes_;
  Vector<uint32_t> ends_;  // [size()]
};

/// From the bytes of a piece to its number in a PieceStore.
/// Cost: every search looks at kMaxProbes slots at most, and an insertion that would need more is
/// refused, so pieces that were made to collide cannot take more than linear time.
class PieceIndex {
 public:
  static constexpr int32_t kNotFound = -1;
  /// In a table half full of n pieces with random hashes, one needs more than k slots with a chance
  /// of about n * exp(-0.19 k).
  static constexpr size_t kMaxProbes = 256;

  PieceIndex(size_t expected, const AllocatorHooks& hooks) : slots_(hooks) {
    size_t capacity = kMinCapacity;
    while (capacity < 2 * expected) capacity *= 2;
    slots_.resize(capacity);
  }

  int32_t find(const PieceStore& store, std::string_view piece) const {
    const size_t at = slot_of(store, piece, hash_of(piece));
    return at == kNoSlot ? kNotFound : slots_[at].number;
  }

  /// Enters piece `number` of the store; of equal pieces the last one entered is found.
  /// Ensures: false where too many pieces collide; the index is then of no more use.
  [[nodiscard]] bool insert(const PieceStore& store, int32_t number) {
    if (2 * (used_ + 1) > slots_.size() && !grow()) return false;
    const std::string_view piece = store[static_cast<size_t>(number)];
    const uint32_t hash = hash_of(piece);
    const size_t at = slot_of(store, piece, hash);
    if (at == kNoSlot) return false;
    if (slots_[at].number == kNotFound) ++used_;
    slots_[at] = {hash, number};
    return true;
  }

 private:
  static constexpr size_t kMinCapacity = 16;
  static constexpr size_t kNoSlot = std::numeric_limits<size_t>::max();

  struct Slot {
    uint32_t hash = 0;
    int32_t number = kNotFound;
  };

  /// Multiply and fold, eight bytes at a time; the length keeps zero padding apart.
  static uint32_t hash_of(std::string_view piece) {
    constexpr uint64_t kOddConstant = 0x9E3779B97F4A7C15;  // 2^64 / golden ratio
    uint64_t state = piece.size();
    for (size_t i = 0; i < piece.size(); i += sizeof(uint64_t)) {
      uint64_t word = 0;
      const size_t n = piece.size() - i < sizeof(word) ? piece.size() - i : sizeof(word);
      std::memcpy(&word, piece.data() + i, n);
      state = (state ^ word) * kOddConstant;
      state ^= state >> 32;
    }
    return static_cast<uint32_t>(state);
  }

  /// The first of the slots for a hash that is free or that `is_wanted(const Slot&)`, or kNoSlot.
  template <typename IsWanted>
  size_t probe(uint32_t hash, IsWanted&& is_wanted) const {
    const size_t mask = slots_.size() - 1;
    for (size_t n = 0; n < kMaxProbes; ++n) {
      const size_t i = (hash + n) & mask;
      if (slots_[i].number == kNotFound || is_wanted(slots_[i])) return i;
    }
    return kNoSlot;
  }

  /// The slot that holds the piece, or the free slot where it would go, or kNoSlot.
  size_t slot_of(const PieceStore& store, std::string_view piece, uint32_t hash) const {
    return probe(hash, [&](const Slot& slot) {
      return slot.hash == hash && store[static_cast<size_t>(slot.number)] == piece;
    });
  }

  bool grow() {
    Vector<Slot> old(slots_.get_allocator());
    old.resize(2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.number == kNotFound) continue;
      const size_t at = probe(slot.hash, [](const Slot&) { return false; });
      if (at == kNoSlot) return false;
      slots_[at] = slot;
    }
    return true;
  }

  Vector<Slot> slots_;
  size_t used_ = 0;
};

TERN_NAMESPACE_END
