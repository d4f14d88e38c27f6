// The scalar kernels: docs/numerics.md in code, and the specification that every other table meets.
//
// Room: kernels. Plain loops, complete, on every machine. Section numbers below are those of
// docs/numerics.md. Exported symbol: the table.
#include "kernels/tables.hpp"
#include "kernels/target_region.hpp"
#include "tern/base/half.hpp"
#include "tern/quant/block_codec.hpp"

TERN_BASELINE_REGION_BEGIN
TERN_NAMESPACE_BEGIN
namespace scalar {
namespace {

// Each body builds on those before it.
// clang-format off
#include "kernels/body/float_constants.inl.hpp"
#include "kernels/body/reference_math.inl.hpp"
#include "kernels/body/sampling.inl.hpp"
#include "kernels/body/scalar_product.inl.hpp"
#include "kernels/body/largest.inl.hpp"
#include "kernels/body/scalar_vector.inl.hpp"
#include "kernels/body/unpack_codes.inl.hpp"
#include "kernels/body/scalar_attention.inl.hpp"
#include "kernels/body/stored_rows.inl.hpp"
#include "kernels/body/master_weights.inl.hpp"
#include "kernels/body/scalar_head.inl.hpp"
#include "kernels/body/scalar_planes.inl.hpp"
#include "kernels/body/plane_bounds.inl.hpp"
#include "kernels/body/head_rows.inl.hpp"
// clang-format on

}  // namespace
}  // namespace scalar

constexpr KernelTable kScalarTable = {
    .isa = "scalar",
    .features = 0,
    .packing = Packing::t2,
    .token_tile = 1,
    .matrix_scratch_bytes = 0,
    .decode_row = scalar::decode_row,
    .encode_row = scalar::encode_row,
    .sum_magnitudes = scalar::sum_magnitudes,
    .absmean_scale = scalar::absmean_scale,
    .reciprocal = scalar::reciprocal,
    .rms_norm = scalar::rms_norm,
    .l2_normalize = scalar::l2_normalize,
    .quantize_i8 = scalar::quantize_i8,
    .quantize_i16 = scalar::quantize_i16,
    .norm_quantize_i8 = scalar::norm_quantize_i8,
    .norm_quantize_i16 = scalar::norm_quantize_i16,
    .quantize_i4 = scalar::quantize_i4,
    .norm_quantize_i4 = scalar::norm_quantize_i4,
    .keep_largest = scalar::keep_largest,
    .multiply_vector = scalar::multiply_vector,
    .multiply_rows = scalar::multiply_rows,
    .multiply_columns = scalar::multiply_columns,
    .finish_columns = scalar::finish_columns,
    .find_live_rows = scalar::find_live_rows,
    .find_nonzero = scalar::find_nonzero,
    .packed_tokens_bytes = scalar::packed_tokens_bytes,
    .pack_tokens = scalar::pack_tokens,
    .multiply_matrix = scalar::multiply_matrix,
    .add = scalar::add,
    .scale = scalar::scale,
    .embedding_scale = scalar::embedding_scale,
    .relu2_mul = scalar::relu2_mul,
    .silu_mul = scalar::silu_mul,
    .gelu_mul = scalar::gelu_mul,
    .rope_frequencies = scalar::rope_frequencies,
    .rope_angles = scalar::rope_angles,
    .rope_halves = scalar::rope_halves,
    .rope_pairs = scalar::rope_pairs,
    .to_f16 = scalar::to_f16,
    .to_i8 = scalar::to_i8,
    .to_packed = scalar::to_packed,
    .unpack_codes = scalar::unpack_codes,
    .attention_scale = scalar::attention_scale,
    .qk_f16 = scalar::qk_f16,
    .softmax_exp = scalar::softmax_exp,
    .pv_f16 = scalar::pv_f16,
    .attend = scalar::attend,
    .attend_f32 = scalar::attend,
    .attend_scores = scalar::attend_scores,
    .attend_values = scalar::attend_values,
    .attend_merge = scalar::attend_merge,
    .attention_scratch_bytes = scalar::attention_scratch_bytes,
    .head_rows = scalar::head_rows,
    .plane_norm = scalar::plane_norm,
    .plane_reach = scalar::plane_reach,
    .plane_dots = scalar::plane_dots,
    .plane_bounds = scalar::plane_bounds,
    .all_finite = scalar::all_finite,
    .penalize = scalar::penalize,
    .sampling_weights = scalar::sampling_weights,
    .top_p_count = scalar::top_p_count,
    .min_p_count = scalar::min_p_count,
    .draw = scalar::draw,
    .log_prob = scalar::log_prob,
    .probe_read = scalar::probe_read,
    .probe_dot = scalar::probe_dot,
};
static_assert(is_complete(kScalarTable));
extern const KernelTable kScalarKernels;
const KernelTable kScalarKernels = kScalarTable;

TERN_NAMESPACE_END
TERN_BASELINE_REGION_END
