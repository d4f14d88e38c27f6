// Decimal numbers to double, exactly rounded, by integers alone.
//
// Room: format. The number is d * 10^e with d a whole number of many words. Where e is negative,
// d is moved up by enough bits and divided by 5^-e; what is left of any division only says that
// the number is a little larger. The 64 highest bits and that hint are all that rounding needs.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

namespace detail {

/// A whole number of fixed capacity, words of 32 bits, lowest first.
class WideNumber {
 public:
  /// Enough for kMostDigits digits times 5^350, and for their quotient by 5^1150.
  static constexpr size_t kWords = 256;
  static constexpr size_t kMostDigits = 800;

  void multiply_add(uint32_t factor, uint32_t carry) {
    uint64_t sum = carry;
    for (size_t i = 0; i < size_; ++i) {
      sum += uint64_t{words_[i]} * factor;
      words_[i] = static_cast<uint32_t>(sum);
      sum >>= 32;
    }
    if (sum != 0) words_[size_++] = static_cast<uint32_t>(sum);
  }
  void divide(uint32_t divisor) {
    uint64_t rest = 0;
    for (size_t i = size_; i-- > 0;) {
      rest = rest << 32 | words_[i];
      words_[i] = static_cast<uint32_t>(rest / divisor);
      rest %= divisor;
    }
    while (size_ != 0 && words_[size_ - 1] == 0) --size_;
    has_rest_ = has_rest_ || rest != 0;
  }
  void shift_up(size_t words) {
    std::copy_backward(words_.begin(), words_.begin() + static_cast<ptrdiff_t>(size_),
                       words_.begin() + static_cast<ptrdiff_t>(size_ + words));
    std::fill_n(words_.begin(), words, 0u);
    size_ += words;
  }
  /// The number is larger than what is held, by less than one.
  void note_rest() { has_rest_ = true; }
  size_t words() const { return size_; }

  /// value * 2^exponent, rounded half to even; nothing beyond the largest double.
  /// Requires: the value is not 0, and has 64 bits where there is a rest.
  std::optional<double> rounded(int64_t exponent) const {
    // The number as `top` * 2^exponent with the highest bit of `top` set, and whether more follows.
    bool more = has_rest_;
    uint64_t top = 0;
    for (size_t i = 0; i < 3; ++i) {
      if (i < size_ && i < 2) top |= uint64_t{words_[size_ - 1 - i]} << (32 - 32 * i);
    }
    const auto zeros = static_cast<unsigned>(std::countl_zero(top));
    top <<= zeros;
    if (size_ > 2) {
      const uint64_t next = words_[size_ - 3];
      top |= next << zeros >> 32;
      more = more || static_cast<uint32_t>(next << zeros) != 0;
      for (size_t i = 0; i + 3 < size_; ++i) more = more || words_[i] != 0;
    }
    exponent += 32 * static_cast<int64_t>(size_) - 64 - static_cast<int64_t>(zeros);
    // The lowest bit of a double's significand is never below 2^-1074.
    const int64_t drop = std::max<int64_t>(11, -1074 - exponent);
    if (drop > 64) return 0.0;
    const uint64_t kept = drop < 64 ? top >> drop : 0;
    const uint64_t half = uint64_t{1} << (drop - 1);
    const uint64_t rest = drop < 64 ? top & (2 * half - 1) : top;
    const bool up = rest > half || (rest == half && (more || (kept & 1) != 0));
    // A carry out of the significand moves into the exponent by itself.
    const uint64_t biased = static_cast<uint64_t>(std::max<int64_t>(exponent + drop + 1074, 0));
    const uint64_t bits = (kept >> 52 != 0 ? (biased << 52) + kept : kept) + (up ? 1 : 0);
    constexpr uint64_t kInfinity = uint64_t{0x7FF} << 52;
    if (exponent > 1024 || bits >= kInfinity) return std::nullopt;
    return std::bit_cast<double>(bits);
  }

 private:
  std::array<uint32_t, kWords> words_;
  size_t size_ = 0;
  bool has_rest_ = false;
};

}  // namespace detail

/// The double nearest to a number of the grammar of JSON; nothing beyond the largest.
/// Requires: the grammar. Cost: O(digits^2 / 64), at most kMostDigits of them.
inline std::optional<double> parse_decimal(std::string_view number) {
  using detail::WideNumber;
  constexpr uint32_t kFive13 = 1220703125;  // 5^13, the largest power below 2^32
  constexpr int64_t kFarExponent = 100000;  // beyond what any number of digits makes up for
  const bool is_negative = number.front() == '-';
  WideNumber value;
  int64_t exponent = 0;
  size_t digits = 0;
  bool in_fraction = false;
  size_t at = is_negative ? 1 : 0;
  for (; at < number.size() && number[at] != 'e' && number[at] != 'E'; ++at) {
    if (number[at] == '.') {
      in_fraction = true;
      continue;
    }
    const auto digit = static_cast<uint32_t>(number[at] - '0');
    if (digits == WideNumber::kMostDigits) {
      if (digit != 0) value.note_rest();
      exponent += in_fraction ? 0 : 1;
      continue;
    }
    value.multiply_add(10, digit);
    if (value.words() != 0) ++digits;
    exponent -= in_fraction ? 1 : 0;
  }
  if (at < number.size()) {
    const std::string_view text = number.substr(at + 1);
    int64_t given = 0;
    for (const char c : text) {
      if (c >= '0' && c <= '9') given = std::min(given * 10 + (c - '0'), kFarExponent * 1000);
    }
    exponent += text.front() == '-' ? -given : given;
  }
  const auto digit_count = static_cast<int64_t>(digits);
  const bool is_zero = value.words() == 0 || exponent + digit_count < -330;
  if (is_zero) return is_negative ? -0.0 : 0.0;
  if (exponent + digit_count > 310) return std::nullopt;
  int64_t binary = exponent;
  if (exponent < 0) {
    // 5^13 has 31 bits: a word for each, and two more, leave 64 bits of quotient.
    const size_t up = static_cast<size_t>(-exponent) / 13 + 3;
    value.shift_up(up);
    binary -= 32 * static_cast<int64_t>(up);
  }
  for (int64_t left = exponent < 0 ? -exponent : exponent; left > 0; left -= 13) {
    uint32_t power = kFive13;
    for (int64_t i = left; i < 13; ++i) power /= 5;
    if (exponent < 0) {
      value.divide(power);
    } else {
      value.multiply_add(power, 0);
    }
  }
  const std::optional<double> magnitude = value.rounded(binary);
  if (!magnitude || !is_negative) return magnitude;
  return std::bit_cast<double>(std::bit_cast<uint64_t>(*magnitude) | uint64_t{1} << 63);
}

TERN_NAMESPACE_END
