// The vectors of docs/numerics.md 3 and of caches in few bits (9.1).
#pragma once

#include <vector>

#include "kernels/product_vectors.hpp"

namespace tern_test {

using tern::KernelTable;

template <typename T>
inline std::vector<int64_t> integers(const T* values, size_t n) {
  return {values, values + n};
}

/// Whether the codes of one plane, their sum and their step are the line's.
inline bool is_quantized(const tern::QuantizedToken& token, const std::vector<int8_t>& q, size_t n,
                  const VectorLine& l) {
  int64_t sum = 0;
  for (const int64_t v : l.integers("->q")) sum += v;
  return token.finite == 1 && token.sum == sum && token.sum_low == 0 &&
         integers(q.data(), n) == l.integers("->q") && same({token.step}, l.floats("->step"));
}
inline bool quantize_i8(const KernelTable& k, const VectorLine& l) {
  const Floats x = l.floats("x");
  std::vector<int8_t> q(tern::activation_stride(x.size()));
  const tern::QuantizedToken token = k.quantize_i8(x.data(), x.size(), q.data(), q.size());
  if (l.is_non_finite()) return token.finite == 0;
  return is_quantized(token, q, x.size(), l);
}
inline bool quantize_i4(const KernelTable& k, const VectorLine& l) {
  const Floats x = l.floats("x");
  std::vector<int8_t> q(tern::activation_stride(x.size()));
  const tern::QuantizedToken token = k.quantize_i4(x.data(), x.size(), q.data(), q.size());
  if (l.is_non_finite()) return token.finite == 0;
  return is_quantized(token, q, x.size(), l);
}
inline bool norm_quantize_i4(const KernelTable& k, const VectorLine& l) {
  const Floats x = l.floats("x"), gain = l.floats("gain");
  std::vector<int8_t> q(tern::activation_stride(x.size()));
  const tern::QuantizedToken token =
      k.norm_quantize_i4(x.data(), gain.data(), x.size(), l.floats("eps")[0], q.data(), q.size());
  return is_quantized(token, q, x.size(), l);
}
inline bool keep_largest(const KernelTable& k, const VectorLine& l) {
  Floats x = l.floats("x");
  k.keep_largest(x.data(), x.size(), static_cast<size_t>(l.integers("keep")[0]));
  return same(x, l.floats("->x"));
}
inline bool quantize_i16(const KernelTable& k, const VectorLine& l) {
  const Floats x = l.floats("x");
  std::vector<int8_t> high(tern::activation_stride(x.size())), low(high.size());
  const tern::QuantizedToken token =
      k.quantize_i16(x.data(), x.size(), high.data(), low.data(), high.size());
  if (l.is_non_finite()) return token.finite == 0;
  return token.finite == 1 && integers(high.data(), x.size()) == l.integers("->high") &&
         integers(low.data(), x.size()) == l.integers("->low") &&
         same({token.step}, l.floats("->step"));
}
inline bool norm_quantize_i8(const KernelTable& k, const VectorLine& l) {
  const Floats x = l.floats("x"), gain = l.floats("gain");
  std::vector<int8_t> q(tern::activation_stride(x.size()));
  const tern::QuantizedToken token =
      k.norm_quantize_i8(x.data(), gain.data(), x.size(), l.floats("eps")[0], q.data(), q.size());
  return is_quantized(token, q, x.size(), l);
}
inline bool norm_quantize_i16(const KernelTable& k, const VectorLine& l) {
  const Floats x = l.floats("x"), gain = l.floats("gain");
  std::vector<int8_t> high(tern::activation_stride(x.size())), low(high.size());
  const tern::QuantizedToken token = k.norm_quantize_i16(
      x.data(), gain.data(), x.size(), l.floats("eps")[0], high.data(), low.data(), high.size());
  if (l.is_non_finite()) return token.finite == 0;
  return token.finite == 1 && integers(high.data(), x.size()) == l.integers("->high") &&
         integers(low.data(), x.size()) == l.integers("->low") &&
         same({token.step}, l.floats("->step"));
}
inline bool to_packed(const KernelTable& k, const VectorLine& l) {
  const tern::CacheType type =
      l.word("type") == "i4" ? tern::CacheType::i4 : tern::CacheType::i3;
  const Floats x = l.floats("x");
  std::vector<uint8_t> row(tern::cache_row_bytes(type, x.size()));
  uint16_t unit = 0;
  const bool finite = k.to_packed(type, x.data(), x.size(), row.data(), &unit);
  if (l.is_non_finite()) return !finite;
  std::vector<int8_t> codes(x.size());
  k.unpack_codes(type, row.data(), 1, x.size(), codes.data());
  return finite && integers(codes.data(), codes.size()) == l.integers("->codes") &&
         same({tern::f32_from_f16(unit)}, l.floats("->unit"));
}

}  // namespace tern_test
