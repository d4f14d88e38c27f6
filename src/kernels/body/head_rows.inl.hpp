// The output head (docs/numerics.md 11): the choice by row type. Included inside a kernel region
// after head_float_rows, head_block_rows and head_i8_rows.

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
    default: return nullptr;
  }
}

static void head_rows(const HeadView& head, const HeadInput& input, size_t begin, size_t end,
                      float* logits, size_t logits_stride) {
  const HeadRows rows = head_rows_of(head.type);
  TERN_ASSERT(rows != nullptr);
  if (rows != nullptr) rows(head, input, begin, end, logits, logits_stride);
}
