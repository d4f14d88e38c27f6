// The output head (docs/numerics.md 11): the choice by row type. Included inside a kernel region
// after head_float_rows, head_block_rows, head_i8_rows and plane_dots.

// Rows in planes: a block of them for every token, while it is in the cache.
static void head_plane_rows(const HeadView& head, const HeadInput& input, size_t begin, size_t end,
                            float* logits, size_t logits_stride) {
  const ActivationView& all = input.codes;
  for (size_t first = begin / kPlaneRows * kPlaneRows; first < end; first += kPlaneRows) {
    HeadView block = head;
    block.rows += plane_row_at(head.k, 0, first);
    const size_t from = begin > first ? begin - first : 0;
    const size_t to = end - first < kPlaneRows ? end - first : kPlaneRows;
    for (size_t t = 0; t < all.n; ++t) {
      const QuantizedToken& token = all.tokens[t];
      const ActivationView a = {all.high + t * all.stride, all.low + t * all.stride, &token,
                                all.stride, 1};
      double dots[kPlaneRows];
      for (size_t plane = 0; plane < kPlanes; ++plane) {
        plane_dots(block, plane, a, nullptr, from, to, dots);
      }
      const double sum =
          static_cast<double>(token.sum) * 128.0 + static_cast<double>(token.sum_low);
      for (size_t r = from; r < to; ++r) {
        const double dot = dots[r] - static_cast<double>(kPlaneOffset) * sum;
        logits[t * logits_stride + first + r - begin] =
            (static_cast<float>(dot) * head.scales[first + r]) * token.step;
      }
    }
  }
}

using HeadRows = void (*)(const HeadView&, const HeadInput&, size_t, size_t, float*, size_t);

static inline HeadRows head_rows_of(TensorType type) {
  switch (type) {
    case TensorType::f32: return head_float_rows<TensorType::f32>;
    case TensorType::f16: return head_float_rows<TensorType::f16>;
    case TensorType::bf16: return head_float_rows<TensorType::bf16>;
    case TensorType::q8_0: return head_block_rows<TensorType::q8_0>;
    case TensorType::q4_0: return head_block_rows<TensorType::q4_0>;
    case TensorType::q4_k: return head_block_rows<TensorType::q4_k>;
    case TensorType::q6_k: return head_block_rows<TensorType::q6_k>;
    case TensorType::tq1_0: return head_block_rows<TensorType::tq1_0>;
    case TensorType::tq2_0: return head_block_rows<TensorType::tq2_0>;
    case TensorType::i2_s: return head_block_rows<TensorType::i2_s>;
    case TensorType::q1_0: return head_block_rows<TensorType::q1_0>;
    case TensorType::q2_0: return head_block_rows<TensorType::q2_0>;
    case TensorType::q2_0_g128: return head_block_rows<TensorType::q2_0_g128>;
    case TensorType::i8: return head_i8_rows;
    case TensorType::i8_planes: return head_plane_rows;
    default: return nullptr;
  }
}

static void head_rows(const HeadView& head, const HeadInput& input, size_t begin, size_t end,
                      float* logits, size_t logits_stride) {
  const HeadRows rows = head_rows_of(head.type);
  TERN_ASSERT(rows != nullptr);
  if (rows != nullptr) rows(head, input, begin, end, logits, logits_stride);
}
