// Where the logits of rows in planes are when not all planes were read (docs/numerics.md 11.1).
// Included inside the scalar region.

// sqrt is rounded to nearest: one more in the last place is not below the exact value.
static float plane_norm(uint32_t squares) {
  const float near = static_cast<float>(__builtin_sqrt(static_cast<double>(squares)) * 0.5);
  return f32_of_bits(bits_of_f32(near) + 1);
}

static double plane_reach(const ActivationView& a, size_t k, bool likely) {
  int64_t squares = 0;
  for (size_t i = 0; i < k; ++i) {
    const int64_t value = a.high[i] * 128 + a.low[i];
    squares += value * value;
  }
  const double reach = __builtin_sqrt(static_cast<double>(squares)) * (1.0 + 0x1p-50);
  if (!likely) return reach;
  return reach * (kLikelyDistance / __builtin_sqrt(static_cast<double>(k)));
}

static void plane_bounds(const HeadView& head, size_t n_known, const ActivationView& a,
                         double reach, const uint32_t* rows, size_t begin, size_t end,
                         const double* dots, float* lows, float* highs) {
  constexpr double kMiddles[kPlanes] = {7.5, 1.5, 0};  // of what is not known of u
  const QuantizedToken& token = a.tokens[0];
  const double sum = static_cast<double>(token.sum) * 128.0 + static_cast<double>(token.sum_low);
  const double offset = (kMiddles[n_known - 1] - static_cast<double>(kPlaneOffset)) * sum;
  for (size_t i = begin; i < end; ++i) {
    const size_t r = rows != nullptr ? rows[i] : i;
    double distance = 0;
    if (n_known < kPlanes) {
      distance = reach * static_cast<double>(head.rests[2 * r + n_known - 1]) + 1.0;
    }
    const double middle = dots[r] + offset;
    lows[r] = (static_cast<float>(middle - distance) * head.scales[r]) * token.step;
    highs[r] = (static_cast<float>(middle + distance) * head.scales[r]) * token.step;
  }
}
