// Sampling and log-probabilities (docs/numerics.md 12 and 13): chains, one candidate after another.
// Included inside a kernel region, after a definition of softmax_exp.

static float softmax_exp(float* s, size_t n);

static float penalize(float logit, float penalty) {
  return logit > 0 ? logit / penalty : logit * penalty;
}

static void sampling_weights(const float* logits, size_t n, float temperature, float* weights) {
  const float first = logits[0];  // weights may be logits
  for (size_t i = 0; i < n; ++i) weights[i] = exp_f32((logits[i] - first) / temperature);
}

static float chain_sum(const float* weights, size_t n) {
  float sum = 0.0f;
  for (size_t i = 0; i < n; ++i) sum = sum + weights[i];
  return sum;
}

static size_t top_p_count(const float* weights, size_t n, float top_p) {
  const float target = top_p * chain_sum(weights, n);
  float sum = 0.0f;
  for (size_t i = 0; i < n; ++i) {
    sum = sum + weights[i];
    if (sum >= target) return i + 1;
  }
  return n;
}

static size_t min_p_count(const float* weights, size_t n, float min_p) {
  const float least = min_p * weights[0];
  size_t count = 1;
  while (count < n && weights[count] >= least) ++count;
  return count;
}

static size_t draw(const float* weights, size_t n, uint64_t random_bits) {
  const float u = static_cast<float>(static_cast<uint32_t>(random_bits >> 40)) * 0x1p-24f;
  const float target = u * chain_sum(weights, n);
  float sum = 0.0f;
  size_t last_possible = 0;
  for (size_t i = 0; i < n; ++i) {
    sum = sum + weights[i];
    if (sum > target) return i;
    if (weights[i] > 0) last_possible = i;
  }
  return last_possible;
}

static double log_prob(const float* logits, size_t n, size_t index, float* scratch) {
  float largest = logits[0];
  for (size_t i = 0; i < n; ++i) {
    largest = logits[i] > largest ? logits[i] : largest;
    scratch[i] = logits[i];
  }
  const float sum = softmax_exp(scratch, n);
  if (!is_finite(sum)) return static_cast<double>(sum);
  return static_cast<double>(logits[index] - largest) - log_f64(static_cast<double>(sum));
}
