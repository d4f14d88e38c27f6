// A fast 64-bit hash of weights, to tell whether two files hold the same model.
//
// Room: base. No defence against an adversary. Four lanes of 64-bit words, multiplied and folded
// (docs/formats.md); the same on every machine, faster than memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// The hash of a sequence of byte strings; where one ends and the next begins counts.
class ContentHash {
 public:
  void add(std::span<const uint8_t> bytes) {
    uint64_t lanes[kLanes] = {1, 2, 3, 4};
    size_t at = 0;
    for (; at + sizeof(lanes) <= bytes.size(); at += sizeof(lanes)) mix(lanes, bytes.data() + at);
    if (at < bytes.size()) {
      uint8_t padded[sizeof(lanes)] = {};
      std::memcpy(padded, bytes.data() + at, bytes.size() - at);
      mix(lanes, padded);
    }
    fold(bytes.size());
    for (const uint64_t lane : lanes) fold(lane);
  }
  uint64_t value() const { return state_; }

 private:
  static constexpr size_t kLanes = 4;
  static constexpr uint64_t kOddConstant = 0x9E3779B97F4A7C15;  // 2^64 / golden ratio

  static uint64_t mixed(uint64_t state, uint64_t word) {
    const uint64_t product = (state ^ word) * kOddConstant;
    return product ^ (product >> 32);
  }
  static void mix(uint64_t (&lanes)[kLanes], const uint8_t* block) {
    uint64_t words[kLanes];
    std::memcpy(words, block, sizeof(words));
    for (size_t i = 0; i < kLanes; ++i) lanes[i] = mixed(lanes[i], words[i]);
  }
  void fold(uint64_t word) { state_ = mixed(state_, word); }

  uint64_t state_ = 0;
};

TERN_NAMESPACE_END
